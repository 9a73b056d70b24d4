"""The native plugin, as `pulumi package add` starts it from a checkout."""

from __future__ import annotations

from .native.serve import main

if __name__ == "__main__":
    main()
