"""
Time of the campaign's own, the same in the sandbox and in every process forked from this one.

As a rule it stands still until somebody sleeps, and then it is at once as late as the sleeper wants it: nothing waits for real, a
busy machine makes no difference, and no constant of the package has to be changed. Where several things happen at moments in real
time, it runs instead, sixty times as fast as the real one: a minute of waiting passes in a second.

Only what a program can notice of time is replaced: the clocks, sleeping, and the timeouts of sockets (in `wire`).
"""

from __future__ import annotations

import mmap
import struct
import sys
import threading
import time
from typing import Any

SPEED = 60.0
REST_SECONDS = 0.0005
"""Real seconds in which nothing may happen in a process before its time goes on to the first sleeper's end."""

real_monotonic = time.monotonic
real_sleep = time.sleep

_wall_origin = time.time()
_origin = time.monotonic()
# The seconds that have passed, and the real moment from which time runs on from there; 0 where it stands still.
_shared = mmap.mmap(-1, 16)
_lock = threading.Lock()
_wakings: list[float] = []
_happened = 0
_calls = 0


def _read() -> tuple[float, float]:
    passed, runs_since = struct.unpack("dd", _shared[:16])
    return passed, runs_since


def _write(passed: float, runs_since: float) -> None:
    _shared[:16] = struct.pack("dd", passed, runs_since)


def _passed() -> float:
    passed, runs_since = _read()
    return passed + (real_monotonic() - runs_since) * SPEED if runs_since else passed


def begin(*, runs: bool) -> None:
    """Begin anew, always at the same moment."""
    _write(0.0, real_monotonic() if runs else 0.0)


def runs() -> bool:
    """Whether time runs."""
    return bool(_read()[1])


def rule(sandbox_clock: type[Any]) -> None:
    """Let a sandbox in this process have this time."""
    sandbox_clock.now = lambda _: now()
    sandbox_clock.advance = lambda _, seconds: jump(seconds)


def install() -> None:
    """Replace the clocks of this process and of those forked from it. Must come before the package is imported."""
    if "pulumi_drs_start.drs" in sys.modules:
        raise RuntimeError("the package has already taken hold of the real clock")
    time.time = now
    time.monotonic = lambda: _origin + _passed()
    time.sleep = _sleep


def jump(seconds: float) -> None:
    """Let time pass at once."""
    with _lock:
        passed, runs_since = _read()
        _write(passed + seconds, runs_since)


def now() -> float:
    """Seconds since the epoch, as this campaign has them."""
    return _wall_origin + _passed()


def call_begins() -> None:
    """A call is under way: time stands still until it ends."""
    _note_call(1)


def call_ends() -> None:
    """See `call_begins`."""
    _note_call(-1)


def _note_call(more: int) -> None:
    global _calls, _happened
    with _lock:
        _calls += more
        _happened += 1


def _sleep(seconds: float) -> None:
    """Where time stands still, it goes on when every thread of the process sleeps: to the moment that the first one waits for.

    A thread at work makes calls or goes to sleep before long. One that does neither for a moment only finds that it is later.
    """
    global _happened
    if runs():
        real_sleep(seconds / SPEED)
        return
    with _lock:
        waking = _read()[0] + seconds
        _wakings.append(waking)
        _happened += 1
    before = -1
    while True:
        with _lock:
            passed, runs_since = _read()
            if passed >= waking:
                break
            if not _calls and waking <= min(_wakings) and _happened == before:
                _write(waking, runs_since)
                break
            before = _happened
        real_sleep(REST_SECONDS)
    with _lock:
        _wakings.remove(waking)
        _happened += 1
