"""
Look up every package that users get with this one in the database of known vulnerabilities.

Where the database can't be asked, that is said loudly; with AUDIT_REQUIRED=1 it is an error. Also an error: a dependency without
a lowest version, and more of them at run time than were found necessary.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from importlib import metadata

OURS = "pulumi-drs-start"
# Three of them come with the other five, and are named because they are imported.
MOST_AT_RUN_TIME = 8


def main() -> int:
    """Print what was found; the exit status."""
    requirements = metadata.requires(OURS) or []
    if unbounded := [text for text in requirements if ">=" not in text]:
        sys.exit(f"dependencies: no lowest version is declared: {unbounded}")
    direct = [text for text in requirements if "extra ==" not in text]
    if len(direct) > MOST_AT_RUN_TIME:
        sys.exit(f"dependencies: {len(direct)} at run time, and {MOST_AT_RUN_TIME} were enough: {direct}")
    installed = _installed()
    rows, reason = _ask(installed)
    asked = [row for row in rows if "skip_reason" not in row]
    holes = [f"{row['name']} {row['version']}: {hole['id']}" for row in asked for hole in row["vulns"]]
    print(f"dependency audit: {len(asked)} of {len(installed)} packages looked up, {len(holes)} known vulnerabilities")
    print(*holes, sep="\n")
    left = len(installed) - len(asked)
    if left:
        print(f"WARNING: {left} packages were NOT audited, nothing is known of them: {reason}", file=sys.stderr)
    return int(bool(holes) or (left > 0 and bool(os.environ.get("AUDIT_REQUIRED"))))


def _installed() -> dict[str, str]:
    """What is installed because of this package and its extras: name -> version."""
    found: dict[str, str] = {}
    waiting = [(OURS, True)]
    while waiting:
        one, with_extras = waiting.pop()
        if one in found:
            continue
        try:
            package = metadata.distribution(one)
        except metadata.PackageNotFoundError:
            continue  # for another system, or of an extra that nobody asked for
        found[one] = package.version
        waiting += [(_name(text), False) for text in package.requires or [] if with_extras or "extra ==" not in text]
    del found[OURS]
    return found


def _name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()


def _ask(installed: dict[str, str]) -> tuple[list[dict[str, object]], str]:
    """The rows of pip-audit, and why some were not looked up."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        print(*(f"{name}=={version}" for name, version in sorted(installed.items())), sep="\n", file=listed, flush=True)
        options = ("--no-deps", "--disable-pip", "--format=json", "--progress-spinner=off")
        command = [sys.executable, "-m", "pip_audit", *options, "--requirement", listed.name]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no input of anybody
    try:
        rows = json.loads(ran.stdout)["dependencies"]
    except (ValueError, KeyError):
        return [], (ran.stderr.strip().splitlines() or ["it said nothing"])[-1][:200]
    return rows, next((row["skip_reason"] for row in rows if "skip_reason" in row), "")


if __name__ == "__main__":
    sys.exit(main())
