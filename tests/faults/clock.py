"""
Time, sixty times as fast: a minute of waiting passes in a second, and no constant of the package has to be changed for it.

Only what a program can notice of time is replaced: the clocks, sleeping, and the timeouts of sockets (in `wire`). The sandbox
runs as fast by a setting of its own.

Or time stands still until somebody sleeps, which then takes no time at all: nothing waits, and what happens is the same each
time.
"""

from __future__ import annotations

import mmap
import struct
import sys
import threading
import time
from typing import Any

SPEED = 60.0

real_monotonic = time.monotonic
real_sleep = time.sleep

_wall_origin = time.time()
_origin = time.monotonic()
_jumped = 0.0
_slept: mmap.mmap | None = None
"""The seconds that were slept, where time stands still otherwise. Shared with the processes that are forked from this one."""
_sleeping = threading.Lock()


def _passed() -> float:
    if _slept is None:
        return (real_monotonic() - _origin) * SPEED + _jumped
    seconds: float = struct.unpack("d", _slept[:8])[0]
    return seconds


def stand_still() -> None:
    """Let time stand still until somebody sleeps, in this process and in those that are forked from it."""
    global _slept
    _slept = mmap.mmap(-1, 8)


def begin() -> None:
    """Where time stands still, it does so at the same moment again."""
    if _slept is not None:
        _slept[:8] = struct.pack("d", 0.0)


def stands_still() -> bool:
    """See `stand_still`."""
    return _slept is not None


def rule(sandbox_clock: type[Any]) -> None:
    """Let the sandbox in this process have the time that stands still."""
    sandbox_clock.now = lambda _: now()
    # Who moves it ahead lets time jump here as well.
    sandbox_clock.advance = lambda *_: None


def install() -> None:
    """Replace the clocks of this process and of those forked from it. Must come before the package is imported."""
    if "pulumi_drs_start" in sys.modules:
        raise RuntimeError("the package has already taken hold of the real clock")
    time.time = now
    time.monotonic = lambda: _origin + _passed()
    time.sleep = _sleep  # type: ignore[assignment]


def jump(seconds: float) -> None:
    """Let time pass at once."""
    global _jumped
    if _slept is None:
        _jumped += seconds
        return
    with _sleeping:
        _slept[:8] = struct.pack("d", _passed() + seconds)


def now() -> float:
    """Seconds since the epoch, as this campaign has them."""
    return _wall_origin + _passed()


def _sleep(seconds: float, /) -> None:
    if _slept is None:
        real_sleep(seconds / SPEED)
    else:
        jump(seconds)
