"""
Calls that are made at the same time, because DRS answers each of them late, and no more of them than DRS puts up with.

How many that are is not documented: once it asks to slow down, calls are made one after the other, until it has not asked for a
while.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, TypeVar

from .deadline import POLL_SECONDS

if TYPE_CHECKING:
    from .budget import TimeBudget

# As many as the connections that a session keeps open.
LANES = 10
# Without a request to slow down for so long, all limit are open again.
NARROW_SECONDS = 60.0

T = TypeVar("T")
R = TypeVar("R")


class ConcurrencyLimit:
    """Lets so many threads pass at once: ``with limit.one(budget): ...``. Shared by all who use one client.

    Args:
        count: how many.
        clock: monotonic seconds.
    """

    def __init__(self, count: int = LANES, clock: Callable[[], float] = time.monotonic) -> None:
        self._count = count
        self._clock = clock
        self._narrow_until: float | None = None
        self._busy = 0
        self._free = threading.Condition()

    @property
    def _is_narrow(self) -> bool:
        return self._narrow_until is not None and self._clock() < self._narrow_until

    def serialize(self) -> None:
        """Let only one pass at a time for a while."""
        with self._free:
            self._narrow_until = self._clock() + NARROW_SECONDS

    @contextmanager
    def one(self, budget: TimeBudget) -> Iterator[None]:
        """Be one of those who pass. Raises OutOfTimeError, CancelledError where the budget ends before there is room."""
        was_told = False
        # Nobody wakes us for a cancellation, nor when the limit widen.
        while not self._enter(min(POLL_SECONDS, budget.remaining_seconds())):
            budget.check()
            if self._is_narrow and not was_told:
                budget.on_wait("DRS asked us to slow down: waiting for the end of another call")
                was_told = True
        try:
            yield
        finally:
            with self._free:
                self._busy -= 1
                self._free.notify_all()

    def _enter(self, seconds: float) -> bool:
        with self._free:
            has_room = self._free.wait_for(lambda: self._busy < (1 if self._is_narrow else self._count), seconds)
            self._busy += has_room
            return has_room


def map_concurrently(function: Callable[[T], R], items: Sequence[T]) -> list[R | Exception]:
    """What `function` comes to for each item, in their order: a result, or the exception that it ended with."""

    def attempt(item: T) -> R | Exception:
        try:
            return function(item)
        except Exception as exc:  # noqa: BLE001 - handed over: what the other calls did must not be lost
            return exc

    if len(items) < 2:
        return [attempt(item) for item in items]
    # Each in a copy of our context: whatever follows this operation, such as a trace, follows its calls too.
    contexts = [copy_context() for _ in items]
    with ThreadPoolExecutor(min(LANES, len(items))) as threads:
        return list(threads.map(lambda context, item: context.run(attempt, item), contexts, items))
