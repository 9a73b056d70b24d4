"""
How long to go on: a time budget for an operation, and the retry policy of a single call.

One budget is made per operation and handed down, so that waiting, retrying and slow answers all count against it.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..calls.models import clean_text
from ..errors import CancelledError, DrsError, OperationEndedError, OutOfTimeError, ThrottledError, UnreachableError

if TYPE_CHECKING:
    from tenacity import RetryCallState, Retrying

log = logging.getLogger(__name__)

# Short enough that a second Ctrl-C is noticed before Pulumi kills the plugin.
SLICE_SECONDS = 0.25
# A host that has never answered is given up after so long: its name is wrong more often than it is away.
FIRST_CONTACT_SECONDS = 12.0
LONGEST_REASON = 300


@dataclass(slots=True)
class TimeBudget:
    """The time an operation may take, and the only way to sleep within it.

    Args:
        seconds: the limit, counted from now.
        clock: monotonic seconds.
        sleep: sleeps for so many seconds.
        is_wanted: False as soon as nobody waits for the result any more. May be asked by any thread.
        on_wait: told in words why nothing happens for a while, and how long. May be called by any thread.
    """

    seconds: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    is_wanted: Callable[[], bool] = lambda: True
    on_wait: Callable[[str], None] = lambda _: None
    _deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self._deadline = self.clock() + self.seconds

    def remaining_seconds(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._deadline - self.clock())

    def check(self) -> None:
        """Raise if the operation should end now: CancelledError, OutOfTimeError."""
        if not self.is_wanted():
            raise CancelledError("cancelled")
        if self.remaining_seconds() <= 0:
            raise OutOfTimeError(f"the time limit of {format_seconds(self.seconds)} was reached")

    def pause(self, seconds: float) -> None:
        """Sleep, but no longer than the budget lasts. Raises CancelledError, OutOfTimeError when it is used up."""
        until = self.clock() + seconds
        self.check()
        while (left := min(until - self.clock(), self.remaining_seconds())) > 0:
            self.sleep(min(left, SLICE_SECONDS))
            if not self.is_wanted():
                raise CancelledError("cancelled")
        self.check()


def format_seconds(seconds: float) -> str:
    """``90`` -> ``90s``, ``3600`` -> ``60m``, ``7200`` -> ``2h``; what a user would type."""
    if seconds >= 7200 and seconds % 3600 == 0:
        return f"{seconds / 3600:g}h"
    if seconds >= 120 and seconds % 60 == 0:
        return f"{seconds / 60:g}m"
    return f"{seconds:g}s"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How a call that may work later is repeated: bounded, slower each time, never in step with other clients.

    Attributes:
        attempts: calls in all. With the waits below, a DRS that is away for about two minutes is survived.
        first_wait_seconds: the wait after the first failure; it doubles from there.
        longest_wait_seconds: no single wait is longer, unless the service asks for more in Retry-After.
        jitter: a number in [0, 1), to spread clients out.
    """

    attempts: int = 8
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 30.0
    jitter: Callable[[], float] = random.random

    def wait_seconds(self, attempt: int, retry_after_seconds: float | None = None) -> float:
        """How long to wait after attempt number `attempt` (from 1). What the service asked for wins."""
        ceiling = min(self.longest_wait_seconds, self.first_wait_seconds * 2.0 ** min(attempt - 1, 30))
        if retry_after_seconds is None:
            return ceiling * (0.5 + 0.5 * self.jitter())
        # Never sooner than asked; the spread keeps clients that were told the same second apart.
        return retry_after_seconds + min(ceiling, 1.0) * self.jitter()

    def calling(self, budget: TimeBudget, *, repeat_if: Callable[[DrsError], bool]) -> Retrying:
        """A tenacity controller: ``policy.calling(...)(function, ...)``. The last failure is re-raised as it was."""
        # Here and not above: it takes a fifteenth of the time that loading the provider takes, and commands that only
        # look at the state load it too.
        from tenacity import Retrying, retry_if_exception

        def is_repeatable(error: BaseException) -> bool:
            if not isinstance(error, DrsError) or isinstance(error, OperationEndedError) or not repeat_if(error):
                return False
            if not budget.is_wanted():
                # Most likely it failed because it was cut off.
                raise CancelledError("cancelled") from error
            return True

        def wait(attempt: RetryCallState) -> float:
            error = _failure_of(attempt)
            seconds = self.wait_seconds(attempt.attempt_number, error.retry_after_seconds)
            in_vain = _seconds_in_vain(error)
            return seconds if in_vain is None else min(seconds, max(0.0, FIRST_CONTACT_SECONDS - in_vain))

        def is_last(attempt: RetryCallState) -> bool:
            if attempt.attempt_number >= self.attempts or (_seconds_in_vain(_failure_of(attempt)) or 0) >= FIRST_CONTACT_SECONDS:
                return True
            # Also when the next wait would end after the budget: the failure says more than "out of time" would.
            return attempt.upcoming_sleep >= budget.remaining_seconds()

        def tell(attempt: RetryCallState) -> None:
            error = _failure_of(attempt)
            log.debug("attempt %d failed (%s), trying again", attempt.attempt_number, error)
            verb = "asking" if isinstance(error, ThrottledError) else "trying"
            seconds = max(1, round(attempt.upcoming_sleep))
            budget.on_wait(f"{clean_text(error.said, LONGEST_REASON)}: {verb} again in {seconds} s")

        return Retrying(
            retry=retry_if_exception(is_repeatable),
            stop=is_last,
            wait=wait,
            sleep=budget.pause,
            reraise=True,
            before_sleep=tell,
        )


def _failure_of(attempt: RetryCallState) -> DrsError:
    """The error that is to be repeated; only those come here."""
    error = attempt.outcome.exception() if attempt.outcome else None
    return error if isinstance(error, DrsError) else DrsError("no answer")


def _seconds_in_vain(error: DrsError) -> float | None:
    return error.in_vain_seconds if isinstance(error, UnreachableError) else None


class Contact:
    """Whether a host has ever answered, and since when it has been tried. May be shared by threads."""

    def __init__(self) -> None:
        self._has_answered = False
        self._tried_since: float | None = None

    def succeeded(self) -> None:
        """There was a connection."""
        self._has_answered = True

    def failed(self, error: UnreachableError, begun: float, now: float) -> None:
        """There was none, after a try that began then: tell with the error how long that has been so from the beginning."""
        if self._tried_since is None:
            self._tried_since = begun
        if not self._has_answered:
            error.in_vain_seconds = now - self._tried_since
