"""
A process for each command: forked, waited for, and killed where that is scheduled.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import clock
from .schedule import Kill

Note = Callable[[Mapping[str, Any]], None]

HUNG_SECONDS = 90.0
"""Real seconds after which a command is taken for hung: the longest timeout of a schedule, and half of it again."""


def fork(run: Callable[[Note], None], report: Path, output: Path) -> int:
    """Run something in a process of its own; returns the process id. Must be called without other threads.

    Args:
        run: is given what takes note of a fact.
        report: takes a line of JSON for every fact. Its folder is where the process runs.
        output: takes all that the process prints and logs.
    """
    pid = os.fork()
    if pid:
        return pid
    try:
        run(_prepare(report, output))
    except BaseException:  # noqa: BLE001 - nothing may unwind into the parent's frames
        traceback.print_exc()
        os._exit(70)
    os._exit(0)


def _prepare(report: Path, output: Path) -> Note:
    printed = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    # Whatever is kept in files would be kept there.
    os.chdir(report.parent)
    os.environ["HOME"] = str(report.parent)
    sys.stdout = sys.stderr = os.fdopen(printed, "w", buffering=1)
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, force=True)
    for name in [name for name in os.environ if name.startswith(("OS_", "DRS_"))]:
        del os.environ[name]
    reported = os.open(report, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(fact: Mapping[str, Any]) -> None:
        os.write(reported, json.dumps(fact).encode() + b"\n")

    return note


def nothing(_passed: float) -> None:
    """Nothing happens while a command runs."""


def wait(running: list[tuple[int, Kill | None]], watch: Callable[[float], None] = nothing) -> list[str]:
    """Wait for processes, and kill those whose time is scheduled. How each ended, in order: ``done``, ``killed``, …"""
    started = clock.real_monotonic()
    ended: dict[int, str] = {}
    while len(ended) < len(running):
        for pid, kill in running:
            if pid in ended:
                continue
            passed = clock.real_monotonic() - started
            if passed > HUNG_SECONDS:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                ended[pid] = "hung"
                continue
            if kill is not None and kill.moment == "time" and passed * 1000 >= kill.call:
                os.kill(pid, signal.SIGKILL)
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                code = os.waitstatus_to_exitcode(status)
                ended[pid] = "done" if code == 0 else "killed" if code == -signal.SIGKILL else "crashed"
        watch(clock.real_monotonic() - started)
        clock.real_sleep(0.002)
    return [ended[pid] for pid, _ in running]
