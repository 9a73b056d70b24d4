"""
How long an operation may take, and whether anybody still waits for it.

One budget is made per operation and handed down, so that everything in it counts: requests, logins, waits, locks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..clock import SYSTEM_CLOCK, Clock, format_seconds
from ..errors import CancelledError, OutOfTimeError

# How soon a cancellation is noticed: well before Pulumi kills the plugin after a second Ctrl-C.
SLICE_SECONDS = 0.25


@dataclass(slots=True)
class TimeBudget:
    """The time an operation may take, and the only way to wait within it.

    Args:
        seconds: the limit, counted from now.
        clock: what measures it.
        is_wanted: False as soon as nobody waits for the result any more. May be asked by any thread.
        on_wait: told in words why nothing happens for a while, and how long. May be called by any thread.
    """

    seconds: float
    clock: Clock = SYSTEM_CLOCK
    is_wanted: Callable[[], bool] = lambda: True
    on_wait: Callable[[str], None] = lambda _: None
    _deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self._deadline = self.clock.monotonic() + self.seconds

    def remaining_seconds(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._deadline - self.clock.monotonic())

    @property
    def has_ended(self) -> bool:
        """Whether the time is over, or nobody waits any more."""
        return self.remaining_seconds() <= 0 or not self.is_wanted()

    def check(self, awaited: str = "") -> None:
        """Raise CancelledError or OutOfTimeError if the operation should end now. The error names what is awaited."""
        if not self.is_wanted():
            raise CancelledError("the operation was cancelled")
        if self.remaining_seconds() <= 0:
            reached = f"the time limit of {format_seconds(self.seconds)} was reached"
            raise OutOfTimeError(f"{reached} while waiting for {awaited}" if awaited else reached)

    def wait_for(self, attempt: Callable[[float], bool], awaited: str = "") -> None:
        """Call `attempt` until it returns True. Raises as `check` does.

        Args:
            attempt: waits for something, up to the seconds it is given, and returns whether it happened.
        """
        while not attempt(min(SLICE_SECONDS, self.remaining_seconds())):
            self.check(awaited)

    def pause(self, seconds: float) -> None:
        """Sleep for so long. Raises as `check` does."""
        until = self.clock.monotonic() + seconds

        def sleep(longest: float) -> bool:
            self.clock.sleep(min(longest, max(0.0, until - self.clock.monotonic())))
            return self.clock.monotonic() >= until

        self.check()
        self.wait_for(sleep)
        self.check()

    @contextmanager
    def holding(self, lock: threading.Lock, awaited: str) -> Iterator[None]:
        """Hold a lock. Raises as `check` does when the budget ends before the lock is free."""
        self.wait_for(lambda seconds: lock.acquire(timeout=seconds), awaited)
        try:
            yield
        finally:
            lock.release()
