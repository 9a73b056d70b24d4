"""
A time limit for whole exchanges over HTTP.

The timeouts of sockets begin anew with every byte: a server that sends one a second, of its header or of its body, would hold us
for as long as it likes. So somebody watches, and hangs up when the time is over, or when nobody waits for the answer any more.

The limit belongs to the thread, because between an operation and its sockets are libraries that take no such argument.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager, suppress
from typing import TypeVar

from ..errors import CancelledError, OutOfTimeError

# How soon a cancellation is noticed.
POLL_SECONDS = 0.1
# After one, an answer that is on its way may still arrive: better than not to know what became of the call.
LAST_WORDS_SECONDS = 0.5

T = TypeVar("T")


class Limit:
    """A point in time, or the moment from which nobody wants the result, and the connections to be cut then."""

    def __init__(self, deadline: float, is_wanted: Callable[[], bool]) -> None:
        self.deadline = deadline
        self.is_wanted = is_wanted
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._watcher: threading.Thread | None = None
        self.is_cut = False
        self._left = threading.Event()

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self.deadline

    @property
    def has_ended(self) -> bool:
        """Whether the time is over, or nobody waits any more."""
        return self.is_over or not self.is_wanted()

    def remaining_seconds(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.deadline - time.monotonic())

    def next_look_seconds(self) -> float:
        """How long to wait for something before looking whether it has ended."""
        return min(POLL_SECONDS, self.remaining_seconds())

    def watch(self, connection: socket.socket) -> None:
        """Cut this connection at the end."""
        with suppress(OSError), self._lock:
            # A handle of our own: TLS takes the other one over before it shakes hands.
            self._sockets.append(socket.socket(fileno=socket.dup(connection.fileno())))
            if self.is_cut:
                self._cut()
            elif self._watcher is None:
                self._watcher = threading.Thread(target=self._wait_and_cut, daemon=True)
                self._watcher.start()

    def leave(self) -> None:
        """Cut nothing any more: connections may serve others from now on."""
        self._left.set()
        with self._lock:
            for handle in self._sockets:
                handle.close()
            self._sockets.clear()

    def _wait_and_cut(self) -> None:
        while not self._left.wait(self.next_look_seconds()):
            if self.has_ended:
                self._left.wait(min(LAST_WORDS_SECONDS, self.remaining_seconds()))
                with self._lock:
                    self._cut()
                return

    def _cut(self) -> None:
        self.is_cut = True
        for handle in self._sockets:
            with suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)


_of_thread = threading.local()


def _current() -> Limit | None:
    limit: Limit | None = getattr(_of_thread, "limit", None)
    return limit


def _always() -> bool:
    return True


@contextmanager
def within(seconds: float, is_wanted: Callable[[], bool] | None = None) -> Iterator[Limit]:
    """What this thread exchanges in here is over after so many seconds, or as soon as it is not wanted.

    Where a limit around this one is narrower, that counts too.
    """
    around = _current()
    deadline = time.monotonic() + seconds
    if around is None:
        limit = Limit(deadline, is_wanted or _always)
    else:
        limit = Limit(min(deadline, around.deadline), is_wanted or around.is_wanted)
    _of_thread.limit = limit
    try:
        yield limit
    finally:
        limit.leave()
        _of_thread.limit = around


def has_ended() -> bool:
    """Whether the limit of this thread has ended, if it has one."""
    limit = _current()
    return limit is not None and limit.has_ended


def watch(connection: socket.socket | None) -> None:
    """Cut this connection at the end of the thread's limit, if it has one."""
    limit = _current()
    if limit is not None and connection is not None:
        limit.watch(connection)


@contextmanager
def in_turn(lock: threading.Lock, awaited: str) -> Iterator[None]:
    """Hold a lock.

    Args:
        awaited: what others do while they hold it.

    Raises:
        OutOfTimeError, CancelledError: the thread's limit has ended before the lock is free.
    """
    limit = _current()
    while not lock.acquire(timeout=-1 if limit is None else limit.next_look_seconds()):
        if limit is not None and not limit.is_wanted():
            raise CancelledError("cancelled")
        if limit is not None and limit.is_over:
            raise OutOfTimeError(f"the time limit was reached while waiting for {awaited}")
    try:
        yield
    finally:
        lock.release()


def unless_ended(function: Callable[[], T], drop: Callable[[T], None]) -> T:
    """The result of something that can't be ended, such as the look-up of a name.

    Args:
        drop: what to do with a result that comes too late.

    Raises:
        TimeoutError: the thread's limit has ended before it.
    """
    limit = _current()
    if limit is None:
        return function()
    outcome: futures.Future[T] = futures.Future()

    def run() -> None:
        try:
            result = function()
        except BaseException as exc:  # noqa: BLE001 - raised again by who waits for it
            with suppress(futures.InvalidStateError):
                outcome.set_exception(exc)
            return
        try:
            outcome.set_result(result)
        except futures.InvalidStateError:
            drop(result)

    threading.Thread(target=run, daemon=True).start()
    while not futures.wait([outcome], limit.next_look_seconds()).done:
        if limit.has_ended and outcome.cancel():
            raise TimeoutError("timed out")
    return outcome.result()
