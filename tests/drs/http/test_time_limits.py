"""A time limit and a cancellation hold wherever the client may wait: for an answer, a login, another thread, a connection."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from pulumi_drs_start.drs.auth.sources import IamLogin, ReadyToken
from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.errors import CancelledError, DrsError, OutOfTimeError, UnreachableError
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.drs.http.concurrency import MOST_AT_ONCE
from pulumi_drs_start.drs.http.retry import RetryPolicy
from pulumi_drs_start.sandbox import Sandbox, faults, make_job

READ, START = "batch-status", "batch-starting"
SECONDS = 0.5
# A fraction of a second, and what a busy machine takes.
SOON = SECONDS + 1.5


@contextmanager
def soon() -> Iterator[None]:
    begun = time.monotonic()
    yield
    took = time.monotonic() - begun
    assert took < SOON, f"it took {took:.1f} s"


def cancelled_soon() -> TimeBudget:
    """A budget of somebody who presses Ctrl-C after a moment."""
    end = time.monotonic() + SECONDS
    return TimeBudget(60, is_wanted=lambda: time.monotonic() < end)


both_ends = pytest.mark.parametrize(
    ("make_budget", "ending"),
    [(lambda: TimeBudget(SECONDS), OutOfTimeError), (cancelled_soon, CancelledError)],
    ids=["time limit", "cancellation"],
)


@pytest.fixture
def busy() -> Iterator[Callable[..., None]]:
    """Does something in a thread until the test is over; then it is not wanted any more."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def start(client: DrsClient) -> None:
        def ask() -> None:
            with pytest.raises(DrsError):
                client.get_statuses(["a"], TimeBudget(60, is_wanted=lambda: not over.is_set()))

        threads.append(threading.Thread(target=ask))
        threads[-1].start()

    yield start
    over.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def wait_for(sandbox: Sandbox, operation: str, count: int) -> None:
    end = time.monotonic() + 10
    while len(sandbox.calls(operation)) < count:
        assert time.monotonic() < end
        time.sleep(0.01)


@both_ends
def test_waiting_for_the_concurrency_limit_ends(
    sandbox: Sandbox, client: DrsClient, busy: Any, make_budget: Any, ending: Any
) -> None:
    client._tokens.token()
    sandbox.inject(faults.delay(READ, 60, times=None))
    for _ in range(MOST_AT_ONCE):
        busy(client)
    wait_for(sandbox, READ, MOST_AT_ONCE)
    with soon(), pytest.raises(ending):
        client.get_statuses(["a"], make_budget())
    assert len(sandbox.calls(READ)) == MOST_AT_ONCE


@both_ends
def test_waiting_for_a_login_of_another_thread_ends(
    sandbox: Sandbox, client: DrsClient, busy: Any, make_budget: Any, ending: Any
) -> None:
    sandbox.inject(faults.delay("tokens", 60, times=None))
    busy(client)
    wait_for(sandbox, "tokens", 1)
    with soon(), pytest.raises(ending):
        client.get_statuses(["a"], make_budget())
    assert len(sandbox.calls("tokens")) == 1


@both_ends
def test_waiting_for_the_project_of_a_ready_token_ends(
    sandbox: Sandbox, client: DrsClient, make_client: Any, busy: Any, make_budget: Any, ending: Any
) -> None:
    ready = make_client(tokens=ReadyToken(client._tokens.token(), auth_url=sandbox.auth_url))
    sandbox.inject(faults.delay("validate", 60, times=None))
    busy(ready)
    wait_for(sandbox, "validate", 1)
    with soon(), pytest.raises(ending):
        ready.get_statuses(["a"], make_budget())
    assert len(sandbox.calls("validate")) == 1


def test_a_token_is_given_up_while_another_thread_logs_in(sandbox: Sandbox, client: DrsClient, busy: Any) -> None:
    token = client._tokens.token()
    client._tokens.close()
    sandbox.inject(faults.delay("tokens", 60, times=None))
    busy(client)
    wait_for(sandbox, "tokens", 2)
    with soon():
        assert client._tokens.renew(token)


def test_a_login_that_hangs_ends_with_a_cancellation(sandbox: Sandbox, client: DrsClient) -> None:
    sandbox.inject(faults.delay("tokens", 60, times=None))
    with soon(), pytest.raises(CancelledError):
        client.get_statuses(["a"], cancelled_soon())


@pytest.mark.parametrize("make_budget", [lambda: TimeBudget(SECONDS), cancelled_soon], ids=["time limit", "cancellation"])
def test_a_login_that_was_cut_off_for_one_is_made_for_another(sandbox: Sandbox, make_client: Any, make_budget: Any) -> None:
    """Its failure says nothing of IAM."""
    sandbox.add_jobs(make_job("a"))
    client = make_client(retry=RetryPolicy(attempts=1))
    sandbox.inject(faults.delay("tokens", 60))
    ended: list[Exception] = []

    def ask() -> None:
        with pytest.raises(DrsError) as caught:
            client.get_statuses(["a"], make_budget())
        ended.append(caught.value)

    thread = threading.Thread(target=ask)
    thread.start()
    wait_for(sandbox, "tokens", 1)
    assert client.get_statuses(["a"], TimeBudget(20))["a"].status == "CONFIGURATION"
    thread.join()
    assert len(ended) == 1


def test_an_answer_that_does_not_come_ends_with_a_cancellation(sandbox: Sandbox, client: DrsClient) -> None:
    sandbox.inject(faults.delay(READ, 60, times=None))
    with soon(), pytest.raises(CancelledError):
        client.get_statuses(["a"], cancelled_soon())


def test_a_start_whose_answer_is_not_waited_for_may_have_had_its_effect(sandbox: Sandbox, client: DrsClient, start: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.delay(START, 60, "after"))
    with soon(), pytest.raises(DrsError, match="had not answered when the operation was cancelled") as caught:
        client.start_jobs(start("a"), cancelled_soon())
    assert caught.value.effect_unknown
    assert sandbox.job("a")["starts"] == 1


def test_an_answer_that_comes_right_after_a_cancellation_counts(sandbox: Sandbox, client: DrsClient, start: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    client._tokens.token()
    sandbox.set_policy(latency_ms=200)
    is_wanted = lambda: not sandbox.calls(START)  # noqa: E731
    assert client.start_jobs(start("a"), TimeBudget(60, is_wanted=is_wanted)).accepted == {"a"}


@pytest.fixture
def deaf() -> Iterator[str]:
    """The address of a server that accepts no connection: its queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(8):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_connection_that_is_not_made_ends_with_a_cancellation(make_client: Any, start: Any, deaf: str) -> None:
    """Nothing was sent, so nothing can have happened."""
    client = make_client(endpoint=deaf, tokens=ReadyToken("the-token", project_id="p"))
    with soon(), pytest.raises(CancelledError):
        client.start_jobs(start("a"), cancelled_soon())


def test_what_was_given_up_before_it_was_sent_is_never_sent(
    make_client: Any, start: Any, monkeypatch: pytest.MonkeyPatch, serve: Any
) -> None:
    """The host's name is found at last, and there is a connection: nobody waits for what would be sent there."""
    heard: list[bytes] = []
    found = threading.Event()
    lookup = socket.getaddrinfo

    def find(*arguments: Any, **options: Any) -> Any:
        found.wait(10)
        return lookup(*arguments, **options)

    url = serve(lambda connection: heard.append(connection.recv(65536)))
    client = make_client(endpoint=url, tokens=ReadyToken("the-token", project_id="p"))
    monkeypatch.setattr(socket, "getaddrinfo", find)
    with soon(), pytest.raises(CancelledError):
        client.start_jobs(start("a"), cancelled_soon())
    assert heard == []
    found.set()
    end = time.monotonic() + 10
    while not heard:
        assert time.monotonic() < end
        time.sleep(0.01)
    # It was connected, and hung up.
    assert heard == [b""]


def test_a_connection_that_is_not_made_in_time_had_no_effect(make_client: Any, start: Any, deaf: str) -> None:
    client = make_client(endpoint=deaf, tokens=ReadyToken("the-token", project_id="p"), retry=RetryPolicy(attempts=1))
    with soon(), pytest.raises(UnreachableError, match="timed out") as caught:
        client.start_jobs(start("a"), TimeBudget(SECONDS))
    assert (caught.value.was_connected, caught.value.effect_unknown) == (False, False)


def test_a_tls_handshake_that_does_not_end_is_cut_off(make_client: Any, serve: Any) -> None:
    # Reads whatever comes, and never answers.
    url = serve(lambda connection: all(iter(lambda: connection.recv(65536), b""))).replace("http:", "https:")
    client = make_client(endpoint=url, tokens=ReadyToken("the-token", project_id="p"))
    with soon(), pytest.raises(CancelledError):
        client.get_statuses(["a"], cancelled_soon())


def test_a_login_ends_with_the_budget_it_is_given(sandbox: Sandbox) -> None:
    tokens = IamLogin(sandbox.auth_url, {"username": "u", "password": "p-assword", "user_domain_name": "d"}, project_id="p")
    sandbox.inject(faults.delay("tokens", 60, times=None))
    with soon(), pytest.raises(UnreachableError):
        tokens.token(cancelled_soon())


def test_closing_ends_the_connections(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job("a"))
    client.get_statuses(["a"], budget)
    pools = client._session.get_adapter(sandbox.url).poolmanager.pools
    assert len(pools) == 1
    client.close()
    assert len(pools) == 0


def test_a_token_source_that_was_closed_logs_in_again(sandbox: Sandbox, client: DrsClient) -> None:
    first = client._tokens.token()
    client._tokens.close()
    assert client._tokens.token() != first
    assert len(sandbox.calls("tokens")) == 2
