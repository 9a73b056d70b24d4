"""What tests of the client share: ids, time budgets, and servers that no sandbox would be."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from pulumi_drs_start.drs import text
from pulumi_drs_start.drs.calls.models import StartRequest
from pulumi_drs_start.drs.clock import Clock
from pulumi_drs_start.drs.http.budget import TimeBudget

Serve = Callable[[Callable[[socket.socket], None]], str]


class VirtualClock(Clock):
    """Seconds that pass only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.naps: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1_800_000_000.0 + self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds

    def budget(self, seconds: float, **options: Any) -> TimeBudget:
        """A budget of so many of these seconds."""
        return TimeBudget(seconds, clock=self, **options)


@pytest.fixture(autouse=True)
def _forgotten_secrets() -> Iterator[None]:
    """What is a token here may be a job's name in the next test."""
    yield
    text.forget()


@pytest.fixture
def budget() -> TimeBudget:
    """Longer than any test lasts."""
    return TimeBudget(30)


@pytest.fixture
def start() -> Callable[..., list[StartRequest]]:
    """Makes the argument of `start_jobs`."""
    return lambda *job_ids: [StartRequest(job_id) for job_id in job_ids]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that treats each connection as it is told; gives its address."""
    listeners: list[socket.socket] = []
    open_ones: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def run(listener: socket.socket, treat: Callable[[socket.socket], None]) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            open_ones.append(connection)
            try:
                treat(connection)
            except OSError:
                pass
            finally:
                connection.close()

    def start_server(treat: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threads.append(threading.Thread(target=run, args=(listener, treat)))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start_server
    for one in [*listeners, *open_ones]:
        # Closing alone would leave a thread in accept() or recv() where it is.
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
    for thread in threads:
        thread.join(5)
