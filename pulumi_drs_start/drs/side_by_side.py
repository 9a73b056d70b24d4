"""
Calls that are made at the same time, because DRS answers each of them late, and no more of them than DRS puts up with.

How many that are is not documented: once it asks to slow down, calls are made one after the other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType
from typing import TypeVar

# As many as the connections that a session keeps open.
LANES = 10

T = TypeVar("T")
R = TypeVar("R")


class Lanes:
    """Lets so many threads pass at once: ``with lanes: ...``. Shared by all who use one client."""

    def __init__(self, count: int = LANES) -> None:
        self._count = count
        self._busy = 0
        self._free = threading.Condition()

    def narrow(self) -> None:
        """Let only one pass from now on."""
        with self._free:
            self._count = 1

    def __enter__(self) -> None:
        with self._free:
            self._free.wait_for(lambda: self._busy < self._count)
            self._busy += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._free:
            self._busy -= 1
            self._free.notify_all()


def side_by_side(function: Callable[[T], R], items: Sequence[T]) -> list[R | Exception]:
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
