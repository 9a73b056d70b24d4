"""
Time of the campaign's own, the same in the sandbox and in every process forked from this one (or told so, see `FILE`).

As a rule it stands still until somebody sleeps, and then it is at once as late as the sleeper wants it: nothing waits for real, a
busy machine makes no difference, and no constant of the package has to be changed. Where several things happen at moments in real
time, it runs instead, sixty times as fast as the real one: a minute of waiting passes in a second.

Only what a program can notice of time is replaced: the clocks, sleeping, and the timeouts of sockets (in `wire`).
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SPEED = 60.0
REST_SECONDS = 0.0005
"""Real seconds in which nothing may happen in a process before its time goes on to the first sleeper's end."""

real_monotonic = time.monotonic
real_sleep = time.sleep

FILE = "FAULTS_CLOCK"
"""The variable of the environment that names a file with the time, where processes share it that are not forked from one."""


def _share() -> mmap.mmap:
    """Memory with four numbers: the seconds that have passed, and the real moment from which time runs on from there (0 where it
    stands still); and where the two clocks began."""
    beginning = struct.pack("dddd", 0.0, 0.0, time.time(), time.monotonic())
    if FILE in os.environ:
        with Path(os.environ[FILE]).open("r+b") as file:
            if not file.read(1):
                file.write(beginning)
                file.flush()
            return mmap.mmap(file.fileno(), len(beginning))
    shared = mmap.mmap(-1, len(beginning))
    shared[:] = beginning
    return shared


_shared = _share()
_wall_origin, _origin = struct.unpack("dd", _shared[16:])
_lock = threading.Lock()
_wakings: list[float] = []
_happened = 0
_calls = 0
_is_exact = False


def _read() -> tuple[float, float]:
    passed, runs_since = struct.unpack("dd", _shared[:16])
    return passed, runs_since


def _write(passed: float, runs_since: float) -> None:
    _shared[:16] = struct.pack("dd", passed, runs_since)


def _passed() -> float:
    passed, runs_since = _read()
    return passed + (real_monotonic() - runs_since) * SPEED if runs_since else passed


def be_exact() -> None:
    """Never let time run, here and in processes forked from this one: who does one thing after the other does it always alike."""
    global _is_exact
    _is_exact = True


def is_exact() -> bool:
    """See `be_exact`."""
    return _is_exact


def begin(*, runs: bool) -> None:
    """Begin anew, always at the same moment."""
    _write(0.0, real_monotonic() if runs and not _is_exact else 0.0)


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


def install_for(*modules: str) -> None:
    """Replace the clocks for callers in these modules and packages alone, where others share time with foreign processes."""
    plain = {name: getattr(time, name) for name in ("time", "monotonic", "sleep")}
    install()
    for name, real in plain.items():
        setattr(time, name, _either(getattr(time, name), real, modules))


def _either(fast: Callable[..., Any], real: Callable[..., Any], modules: tuple[str, ...]) -> Callable[..., Any]:
    def told(*arguments: Any) -> Any:
        caller = sys._getframe(1).f_globals.get("__name__", "")
        return (fast if caller.startswith(modules) else real)(*arguments)

    return told


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
            # Who does one thing after the other need not wait to see that nothing else happens.
            if not _calls and waking <= min(_wakings) and (_is_exact or _happened == before):
                _write(waking, runs_since)
                break
            before = _happened
        real_sleep(REST_SECONDS)
    with _lock:
        _wakings.remove(waking)
        _happened += 1
