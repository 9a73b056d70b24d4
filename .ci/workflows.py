"""
Check the workflow files of the forge with actionlint, which is a Go program whose version `.ci/actionlint` pins.

Where there is no Go, or its modules can't be had, that is said loudly, and is no error.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOL = ["go", "tool", "-C", str(ROOT / ".ci" / "actionlint"), "actionlint"]


def main() -> int:
    """Print what was found; the exit status."""
    files = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    if not shutil.which("go"):
        return not_checked("there is no go on PATH")
    # Apart, so that a module that can't be had is told from a mistake that was found.
    tried = subprocess.run([*TOOL, "-version"], capture_output=True, text=True)  # noqa: S603
    if tried.returncode:
        return not_checked((tried.stderr.strip() or "go can't build it").splitlines()[-1])
    if subprocess.run([*TOOL, *files]).returncode:  # noqa: S603
        return 1
    print(f"workflows: {len(files)} checked with actionlint {tried.stdout.split()[0]}")
    return 0


def not_checked(reason: str) -> int:
    """Say that nothing is known of the workflow files."""
    print(f"WARNING: the workflow files were NOT checked: {reason}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
