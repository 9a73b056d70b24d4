"""
The time, as everything in this package reads it, waits for it and writes it. A test hands in a clock of its own.
"""

from __future__ import annotations

import time


class Clock:
    """The clock of the machine."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary point, for measuring durations."""
        return time.monotonic()

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        time.sleep(seconds)


SYSTEM_CLOCK = Clock()


def format_seconds(seconds: float) -> str:
    """``90`` -> ``90s``, ``3600`` -> ``60m``, ``7200`` -> ``2h``; what a user would type."""
    if seconds >= 7200 and seconds % 3600 == 0:
        return f"{seconds / 3600:g}h"
    if seconds >= 120 and seconds % 60 == 0:
        return f"{seconds / 60:g}m"
    return f"{seconds:g}s"
