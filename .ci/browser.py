"""Find the Chromium that tests of the sandbox's page drive, or install Debian's; print its path. `make browser` runs this."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
WHAT_TO_DO = "install the package chromium of your system, or name a Chromium in the variable CHROMIUM"


def find() -> str | None:
    """The browser named in CHROMIUM, or the first one on PATH."""
    named = os.environ.get("CHROMIUM")
    return shutil.which(named) if named else next((path for name in NAMES if (path := shutil.which(name))), None)


def install() -> None:
    """Install Debian's package, where that is possible without asking anybody."""
    if shutil.which("apt-get") is None:
        raise SystemExit(f"There is no Chromium: {WHAT_TO_DO}.")
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if prefix and (shutil.which("sudo") is None or subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode):  # noqa: S607
        raise SystemExit(
            f"There is no Chromium, and installing it needs root: run `sudo apt-get install chromium`, or {WHAT_TO_DO}."
        )
    print("Installing Debian's package chromium ...", file=sys.stderr)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    packages = ["chromium", "fonts-dejavu-core"]
    for arguments in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *packages]):
        command = [*prefix, "apt-get", *arguments]
        if subprocess.run(command, env=environment, stdout=sys.stderr).returncode:  # noqa: S603
            raise SystemExit(f"`{' '.join(command)}` failed: {WHAT_TO_DO}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--find", action="store_true", help="do not install it; print nothing where there is none")
    only_find = parser.parse_args().find
    if find() is None and not only_find:
        if os.environ.get("CHROMIUM"):
            raise SystemExit(f"CHROMIUM={os.environ['CHROMIUM']} is no program.")
        install()
    path = find()
    if path is None and not only_find:
        raise SystemExit(f"There is still no Chromium: {WHAT_TO_DO}.")
    print(path or "")


if __name__ == "__main__":
    main()
