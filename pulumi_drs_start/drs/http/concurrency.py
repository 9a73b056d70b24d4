"""
Run calls concurrently, up to a limit; one at a time while DRS asks to slow down.

DRS does not document how many calls it takes at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

from .budget import TimeBudget

# As many as the connections that a session keeps open.
MOST_AT_ONCE = 10
# Calls are concurrent again after so long without a request to slow down.
SERIAL_SECONDS = 60.0

T = TypeVar("T")
R = TypeVar("R")


class ConcurrencyLimit:
    """Lets `count` threads pass at once: ``with limit.one(budget): ...``. Shared by all who use one client."""

    def __init__(self, count: int = MOST_AT_ONCE, clock: Callable[[], float] = time.monotonic) -> None:
        self._count = count
        self._clock = clock
        self._serial_until = float("-inf")
        self._busy = 0
        self._changed = threading.Condition()

    @property
    def _is_serial(self) -> bool:
        return self._clock() < self._serial_until

    def serialize(self) -> None:
        """Let only one pass at a time for a while."""
        with self._changed:
            self._serial_until = self._clock() + SERIAL_SECONDS

    @contextmanager
    def one(self, budget: TimeBudget) -> Iterator[None]:
        """Be one of those who pass. Raises OutOfTimeError, CancelledError where the budget ends before there is room."""
        was_told = False

        def enter(seconds: float) -> bool:
            nonlocal was_told
            with self._changed:
                has_room = self._changed.wait_for(lambda: self._busy < (1 if self._is_serial else self._count), seconds)
                self._busy += has_room
            if not has_room and self._is_serial and not was_told:
                budget.on_wait("DRS asked us to slow down: waiting for the end of another call")
                was_told = True
            return has_room

        budget.wait_for(enter)
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()


def map_concurrently(function: Callable[[T], R], items: Sequence[T]) -> list[R | Exception]:
    """What `function` returns for each item, in their order; the exception in place of a result where it raised one."""

    def attempt(item: T) -> R | Exception:
        try:
            return function(item)
        except Exception as exc:  # noqa: BLE001 - handed over: what the other calls did must not be lost
            return exc

    if len(items) < 2:
        return [attempt(item) for item in items]
    # Each in a copy of our context: whatever follows this operation, such as a trace, follows its calls too.
    contexts = [copy_context() for _ in items]
    with ThreadPoolExecutor(min(MOST_AT_ONCE, len(items))) as threads:
        return list(threads.map(lambda context, item: context.run(attempt, item), contexts, items))
