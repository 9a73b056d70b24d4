"""
Which command of Pulumi this process serves: with some options the engine does not look at the whole program.

The engine tells a provider nothing of it, so the command line of the process that started us is read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import takewhile
from pathlib import Path, PurePath

# Between the command and us stand a shell script and Python's launcher, sometimes more.
_ANCESTORS = 8
_DESTROYS = {"destroy", "down", "dn"}
_PARTIAL = ("--target", "--exclude", "--target-replace", "--exclude-protected", "--target-dependents", "--exclude-dependents")
_PLANS = ("--plan", "--save-plan", "--strict")
_SHORT = {"t": "--target", "x": "--exclude"}
# Short options without a value, which others may follow in the same word.
_SHORT_FLAGS = frozenset("yfdjrev")
# A resource whose dependencies failed is not looked at, and what is gone from the program is deleted all the same.
_GOES_ON, _GOES_ON_VARIABLE = "--continue-on-error", "PULUMI_CONTINUE_ON_ERROR"


def why_partial(arguments: Sequence[str] | None, environment: Mapping[str, str]) -> str | None:
    """Why the engine does not look at the whole program in this command; None if it does.

    Args:
        arguments: the words of the command line, ``pulumi`` first; None where it can't be read.
        environment: its environment variables.
    """
    if arguments is None:
        return "the command line of Pulumi can't be read here"
    options = _options(arguments)
    if environment.get(_GOES_ON_VARIABLE, "").lower() in ("1", "true", "yes"):
        options.append(_GOES_ON_VARIABLE)
    partial = _PARTIAL if _DESTROYS.intersection(arguments) else (*_PARTIAL, _GOES_ON, _GOES_ON_VARIABLE)
    return next((f"with {option} the program is not known whole" for option in options if option in partial), None)


def has_plan(arguments: Sequence[str] | None) -> bool:
    """Whether the command saves a plan, or keeps to one: then an ``up`` must have the inputs that its preview had."""
    return not set(_PLANS).isdisjoint(_options(arguments or ()))


def _options(arguments: Sequence[str]) -> list[str]:
    return [_option(word) for word in takewhile(lambda word: word != "--", arguments[1:])]


def _option(word: str) -> str:
    """The long name of an option: ``-yt`` and ``--target=urn`` are ``--target``."""
    if word.startswith("--") or not word.startswith("-"):
        return word.partition("=")[0]
    for letter in word[1:]:
        if letter in _SHORT:
            return _SHORT[letter]
        if letter not in _SHORT_FLAGS:
            break
    return word


@cache
def pulumi_arguments() -> tuple[str, ...] | None:
    """The command line of the pulumi command that this process serves; None where it can't be read."""
    pid = os.getppid()
    for _ in range(_ANCESTORS):
        found = _process(pid)
        if found is None:
            return None
        pid, arguments = found
        if arguments and PurePath(arguments[0]).name in ("pulumi", "pulumi.exe"):
            return arguments
    return None


def _process(pid: int) -> tuple[int, tuple[str, ...]] | None:
    """The parent of a process and its command line."""
    if sys.platform == "linux":
        try:
            # Behind the name, which is in brackets and may hold anything, comes the state and then the parent.
            parent = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1]
            words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        except (OSError, IndexError):
            return None
        return int(parent), tuple(os.fsdecode(word) for word in words)
    ps = shutil.which("ps")
    if ps is None:
        return None
    try:
        asked = [ps, "-o", "ppid=,command=", "-p", str(pid)]
        told = subprocess.run(asked, capture_output=True, text=True, timeout=5, check=True).stdout.split()  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return (int(told[0]), tuple(told[1:])) if len(told) > 1 and told[0].isdigit() else None
