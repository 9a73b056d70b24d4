"""
How long an operation may take. One budget is made per operation and handed down, so that everything in it counts against it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..clock import SYSTEM_CLOCK, Clock
from ..errors import CancelledError, OutOfTimeError
from ..text import format_seconds

# Short enough that a second Ctrl-C is noticed before Pulumi kills the plugin.
SLICE_SECONDS = 0.25


@dataclass(slots=True)
class TimeBudget:
    """The time an operation may take, and the only way to sleep within it.

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

    def check(self) -> None:
        """Raise if the operation should end now: CancelledError, OutOfTimeError."""
        if not self.is_wanted():
            raise CancelledError("cancelled")
        if self.remaining_seconds() <= 0:
            raise OutOfTimeError(f"the time limit of {format_seconds(self.seconds)} was reached")

    def pause(self, seconds: float) -> None:
        """Sleep, but no longer than the budget lasts. Raises CancelledError, OutOfTimeError when it is used up."""
        until = self.clock.monotonic() + seconds
        self.check()
        while (left := min(until - self.clock.monotonic(), self.remaining_seconds())) > 0:
            self.clock.sleep(min(left, SLICE_SECONDS))
            if not self.is_wanted():
                raise CancelledError("cancelled")
        self.check()
