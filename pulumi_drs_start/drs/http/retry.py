"""
The retry policy of a single call, and how soon a host that never answered is given up.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeVar

from ..clock import Clock
from ..errors import CancelledError, DrsError, OperationEndedError, ThrottledError, UnreachableError
from ..text import clean_text
from .budget import TimeBudget

log = logging.getLogger(__name__)

# A host that has never answered is given up after so long: its name is wrong more often than it is away.
FIRST_CONTACT_SECONDS = 12.0
LONGEST_REASON = 300

T = TypeVar("T")


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

    def call(
        self,
        function: Callable[[], T],
        budget: TimeBudget,
        *,
        repeat_if: Callable[[DrsError], bool] = attrgetter("retryable"),
    ) -> T:
        """What `function` returns, after as many attempts as it takes.

        Args:
            function: makes the call.
            budget: the time that all attempts and the waits between them may take.
            repeat_if: whether the call may be repeated after this error.

        Raises:
            DrsError: of the last attempt. An error that is not to be repeated is raised at once.
            OutOfTimeError, CancelledError: the budget had ended before the first attempt, or in a wait.
        """
        # Here, because the commands that only look at the state have no use for it, and it takes long to import.
        from tenacity import Retrying, retry_if_exception

        def attempt() -> T:
            budget.check()
            return function()

        def is_repeatable(error: BaseException) -> bool:
            if not isinstance(error, DrsError) or isinstance(error, OperationEndedError) or not repeat_if(error):
                return False
            if not budget.is_wanted():
                # Most likely it failed because it was cut off.
                raise CancelledError("the operation was cancelled") from error
            return True

        def wait(state: Any) -> float:
            error: DrsError = state.outcome.exception()
            seconds = self.wait_seconds(state.attempt_number, error.retry_after_seconds)
            return min(seconds, max(0.0, error.patience_seconds))

        def is_last(state: Any) -> bool:
            if state.attempt_number >= self.attempts or state.outcome.exception().patience_seconds <= 0:
                return True
            # The failure says more than "out of time" would.
            return bool(state.upcoming_sleep >= budget.remaining_seconds())

        def tell(state: Any) -> None:
            error: DrsError = state.outcome.exception()
            log.debug("attempt %d failed (%s), trying again", state.attempt_number, error)
            verb = "asking" if isinstance(error, ThrottledError) else "trying"
            seconds = max(1, round(state.upcoming_sleep))
            budget.on_wait(f"{clean_text(error.said, LONGEST_REASON).rstrip('.')}: {verb} again in {seconds} s")

        retry_if = retry_if_exception(is_repeatable)
        retrying = Retrying(retry=retry_if, stop=is_last, wait=wait, sleep=budget.pause, before_sleep=tell, reraise=True)
        return retrying(attempt)


class Contact:
    """Whether a host has ever answered, and since when it has been tried. May be shared by threads."""

    def __init__(self) -> None:
        self._has_answered = False
        self._tried_since: float | None = None

    def succeeded(self) -> None:
        """There was a connection."""
        self._has_answered = True

    def failed(self, error: UnreachableError, begun: float, now: float) -> None:
        """There was none, after a try that began then. Set the error's `patience_seconds` if there never was one."""
        if self._tried_since is None:
            self._tried_since = begun
        if not self._has_answered:
            error.patience_seconds = FIRST_CONTACT_SECONDS - (now - self._tried_since)

    @contextmanager
    def watched(self, clock: Clock) -> Iterator[None]:
        """Take note of what an exchange with the host comes to."""
        begun = clock.monotonic()
        try:
            yield
        except OperationEndedError:
            raise
        except UnreachableError as error:
            if error.was_connected:
                self.succeeded()
            else:
                self.failed(error, begun, clock.monotonic())
            raise
        except DrsError:
            self.succeeded()
            raise
        self.succeeded()
