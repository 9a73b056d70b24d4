"""
The time, as everything in this package reads it and waits for it. A test hands in a clock of its own.
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
