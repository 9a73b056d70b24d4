"""
The demo's processes, and the signals that end it: nothing that was started is left running, whenever a signal comes.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any


class Interrupted(BaseException):
    """The user, or whoever runs this, wants it to end."""


class Interruptions:
    """Turns the first signal into an exception, but not between making a thing and noting that it has to be removed."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self.was_interrupted = False
        self._raised = False
        self._held = 0
        for number in self.SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:  # as nohup wants it
                signal.signal(number, self._receive)

    def _receive(self, _number: int, _frame: FrameType | None) -> None:
        self.was_interrupted = True
        if not self._held and not self._raised:
            self._raised = True
            raise Interrupted

    @contextlib.contextmanager
    def held(self) -> Generator[None, None, None]:
        """Let signals wait until the end of the block."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
        if self.was_interrupted:
            raise Interrupted

    def ignore(self) -> None:
        """From here on only cleaning up is left, and that shall not be interrupted."""
        self._held += 1
        for number in self.SIGNALS:
            # Other than a handler of ours, this lasts until the interpreter is gone.
            signal.signal(number, signal.SIG_IGN)


class Processes:
    """The processes of the demo. Each starts a session of its own, which is how its children are found again."""

    def __init__(self, interruptions: Interruptions) -> None:
        self._interruptions = interruptions
        self._started: list[tuple[subprocess.Popen[str], float]] = []

    def start(self, command: Sequence[str | Path], grace_seconds: float = 0, **options: Any) -> subprocess.Popen[str]:
        """Start a process. When it has to go, it gets this time to go by itself after a SIGTERM."""
        with self._interruptions.held():
            process: subprocess.Popen[str] = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                **options,
            )
            self._started.append((process, grace_seconds))
        return process

    def end(self) -> None:
        """End whatever is still there."""
        for process, grace_seconds in reversed(self._started):
            if process.poll() is None:
                if grace_seconds:
                    process.terminate()
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(grace_seconds)
                process.kill()
            # Pulumi's plugins are in process groups of their own, and outlive it when it is killed.
            deadline = time.monotonic() + 5
            while (left := in_session(process.pid)) and time.monotonic() < deadline:
                for pid in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                process.poll()
                time.sleep(0.02)
            process.wait()
            if process.stdout:
                process.stdout.close()


def in_session(session: int) -> list[int]:
    """Return the living processes of a session."""
    if Path("/proc/self/stat").exists():
        found: list[int] = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                # The name, in brackets, may hold anything; after it come state, parent, group and session.
                state, _parent, _group, its_session = stat.read_text(errors="replace").rpartition(")")[2].split()[:4]
                if int(its_session) == session and state not in "ZX":
                    found.append(int(stat.parent.name))
        return found
    listed = subprocess.run(["ps", "-A", "-o", "pid=,stat="], capture_output=True, text=True, check=True).stdout  # noqa: S607
    pids = [int(line.split()[0]) for line in listed.splitlines() if "Z" not in line.split()[1]]
    return [pid for pid in pids if session_of(pid) == session]


def session_of(pid: int) -> int | None:
    """Return the session of a process, None if that can't be told: then it is none of ours."""
    try:
        return os.getsid(pid)
    except OSError:
        return None
