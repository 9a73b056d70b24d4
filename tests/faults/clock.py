"""
Time, sixty times as fast: a minute of waiting passes in a second, and no constant of the package has to be changed for it.

Only what a program can notice of time is replaced: the clocks, sleeping, and the timeouts of sockets (in `wire`). The sandbox
runs as fast by a setting of its own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

SPEED = 60.0

real_monotonic = time.monotonic
real_sleep = time.sleep

_wall_origin = time.time()
_origin = time.monotonic()
_jumped = 0.0


def _passed() -> float:
    return (real_monotonic() - _origin) * SPEED + _jumped


def install() -> None:
    """Replace the clocks of this process and of those forked from it. Must come before the package is imported."""
    if "pulumi_drs_start" in sys.modules:
        raise RuntimeError("the package has already taken hold of the real clock")
    time.time = lambda: _wall_origin + _passed()
    time.monotonic = lambda: _origin + _passed()
    time.sleep = lambda seconds: real_sleep(seconds / SPEED)


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


def take_over(wall_origin: float, started: float) -> None:
    """From here on it was `wall_origin` when the real, monotonic clock showed `started`."""
    global _wall_origin, _origin, _jumped
    _wall_origin, _origin, _jumped = wall_origin, started, 0.0


def jump(seconds: float) -> None:
    """Let time pass at once."""
    global _jumped
    _jumped += seconds


def now() -> float:
    """Seconds since the epoch, as this campaign has them."""
    return time.time()
