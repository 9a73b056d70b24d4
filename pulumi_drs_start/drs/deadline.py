"""
A time limit for whole exchanges over HTTP.

The timeouts of sockets begin anew with every byte: a server that sends one a second, of its header or of its body, would hold us
for as long as it likes. So a timer hangs up when the time is over.

The limit belongs to the thread, because between an operation and its sockets are libraries that take no such argument.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Limit:
    """A point in time, and the connections to be cut then."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer: threading.Timer | None = None
        self._is_left = False

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self.deadline

    def remaining_seconds(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.deadline - time.monotonic())

    def watch(self, connection: socket.socket) -> None:
        """Cut this connection when the time is over."""
        with self._lock:
            self._sockets.append(connection)
            if self._timer is None:
                self._timer = threading.Timer(self.remaining_seconds(), self._cut)
                self._timer.daemon = True
                self._timer.start()

    def leave(self) -> None:
        """Cut nothing any more: connections may serve others from now on."""
        with self._lock:
            self._is_left = True
            self._sockets.clear()
            if self._timer is not None:
                self._timer.cancel()

    def _cut(self) -> None:
        with self._lock:
            for connection in [] if self._is_left else self._sockets:
                with suppress(OSError):
                    # Not the method of TLS sockets, which would first forget the keys that another thread is reading with.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)


_of_thread = threading.local()


@contextmanager
def within(seconds: float) -> Iterator[Limit]:
    """What this thread exchanges in here is over after so many seconds, or earlier, where a limit around it is narrower."""
    around: Limit | None = getattr(_of_thread, "limit", None)
    deadline = time.monotonic() + seconds
    limit = Limit(deadline if around is None else min(deadline, around.deadline))
    _of_thread.limit = limit
    try:
        yield limit
    finally:
        limit.leave()
        _of_thread.limit = around


def watch(connection: socket.socket | None) -> None:
    """Cut this connection when the time of the thread is over, if it has a limit."""
    limit: Limit | None = getattr(_of_thread, "limit", None)
    if limit is not None and connection is not None:
        limit.watch(connection)


@contextmanager
def in_turn(lock: threading.Lock) -> Iterator[None]:
    """Hold a lock. Raises TimeoutError where the thread's time is over before it is free."""
    limit: Limit | None = getattr(_of_thread, "limit", None)
    if not lock.acquire(timeout=-1 if limit is None else limit.remaining_seconds()):
        raise TimeoutError("timed out")
    try:
        yield
    finally:
        lock.release()
