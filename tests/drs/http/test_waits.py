"""What is told while a call is repeated, and how soon a host that nobody has ever reached is given up."""

from __future__ import annotations

import dataclasses
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from pulumi_drs_start.drs.auth.sources import IamLogin, ReadyToken
from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.errors import DrsError, UnreachableError
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.drs.http.retry import FIRST_CONTACT_SECONDS, RetryPolicy
from pulumi_drs_start.sandbox import Sandbox, faults, make_job
from tests.drs.conftest import VirtualClock

READ = "batch-status"
STEADY = RetryPolicy(jitter=lambda: 0.9)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def closed() -> Iterator[str]:
    """The address of a port that nobody listens on, and that no other process can take meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


REASONS = {
    "throttled": (
        lambda: faults.refuse(READ, "DRS.M01503", message="too often", headers={"Retry-After": "20"}),
        "DRS asked us to slow down (DRS.M01503: too often): asking again in 20 s",
    ),
    "throttled by the gateway": (
        lambda: faults.refuse(READ, "APIG.0308", 429, message="too many"),
        "DRS asked us to slow down (APIG.0308: too many): asking again in 1 s",
    ),
    "not asked": (
        lambda: faults.refuse(READ, "APIG.0613", 503, message="no IAM", headers={"Retry-After": "4"}),
        "the gateway before DRS answered HTTP 503 (APIG.0613: no IAM): trying again in 4 s",
    ),
    "a fault": (
        lambda: faults.refuse(READ, "DRS.M00004", 500, message="oh no"),
        "DRS answered HTTP 500 (DRS.M00004: oh no): trying again in 1 s",
    ),
    "no code": (
        lambda: faults.answer(READ, 503, "", headers={"Retry-After": "4"}),
        "DRS answered HTTP 503: trying again in 4 s",
    ),
    "a web page": (
        lambda: faults.html(READ, 502),
        'DRS answered HTTP 502 (a web page, "502"): trying again in 1 s',
    ),
    "a row": (
        lambda: faults.answer(READ, 200, {"results": [{"id": "a", "error_code": "DRS.M01504", "error_msg": "in use"}]}),
        "DRS answered DRS.M01504: in use: trying again in 1 s",
    ),
    "dropped": (
        lambda: faults.drop_before(READ),
        "the connection to DRS at {url} broke before the answer was complete: trying again in 1 s",
    ),
    "IAM": (
        lambda: faults.answer("tokens", 503, {"error": {"code": 503, "message": "asleep"}}),
        "IAM at {url}/v3 can't answer now: asleep: trying again in 1 s",
    ),
}


@pytest.mark.parametrize(("fault", "reason"), REASONS.values(), ids=REASONS)
def test_a_repeated_call_says_why_and_when(sandbox: Sandbox, make_client: Any, told: list[str], fault: Any, reason: str) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(fault())
    make_client(retry=STEADY).get_statuses(["a"], VirtualClock().budget(60, on_wait=told.append))
    assert told == [reason.format(url=sandbox.url)]


def test_nothing_is_told_of_calls_that_work(sandbox: Sandbox, client: DrsClient, told: list[str]) -> None:
    sandbox.add_jobs(make_job("a"))
    client.get_statuses(["a"], TimeBudget(20, on_wait=told.append))
    assert told == []


def test_a_failure_that_is_final_is_no_wait(sandbox: Sandbox, client: DrsClient, told: list[str]) -> None:
    sandbox.inject(faults.refuse(READ, "DRS.M00103", times=None))
    with pytest.raises(DrsError):
        client.get_statuses(["a"], TimeBudget(20, on_wait=told.append))
    assert told == []


def test_a_reason_is_one_short_line_without_secrets(sandbox: Sandbox, client: DrsClient, told: list[str]) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.refuse(READ, "DRS.M00004", 500, message=f"{client._tokens.token()}\n\x1b[31m" + "x" * 5000))
    client.get_statuses(["a"], TimeBudget(20, on_wait=told.append))
    assert len(told) == 1
    assert client._tokens.token() not in told[0]
    assert told[0].isprintable()
    assert len(told[0]) < 400


def test_a_budget_made_from_another_tells_the_same(told: list[str]) -> None:
    dataclasses.replace(TimeBudget(20, on_wait=told.append), seconds=5).on_wait("why")
    assert told == ["why"]


def test_a_closed_port_is_given_up_within_fifteen_seconds(make_client: Any, closed: str, told: list[str]) -> None:
    client = make_client(endpoint=closed, tokens=ReadyToken("the-token", project_id="p"), retry=RetryPolicy())
    begun = time.monotonic()
    with pytest.raises(UnreachableError, match=r"can't be reached \(Connection refused\)"):
        client.get_statuses(["a"], TimeBudget(300, on_wait=told.append))
    assert 10 < time.monotonic() - begun < 15
    assert told[0] in [f"DRS at {closed} can't be reached (Connection refused): trying again in 1 s"]


def refused_iam(closed: str, clock: VirtualClock) -> IamLogin:
    user = {"username": "u", "password": "the-password", "user_domain_name": "d"}
    return IamLogin(f"{closed}/v3", user, project_id="p", clock=clock.monotonic)


def test_an_iam_that_refuses_connections_is_given_up_likewise(make_client: Any, closed: str, told: list[str]) -> None:
    clock = VirtualClock()
    with pytest.raises(UnreachableError):
        make_client(tokens=refused_iam(closed, clock), retry=STEADY).get_statuses(["a"], clock.budget(300, on_wait=told.append))
    assert clock.now == pytest.approx(FIRST_CONTACT_SECONDS)
    assert told[0] == f"IAM at {closed}/v3 can't be reached (Connection refused): trying again in 1 s"


@pytest.mark.parametrize("host", ["nowhere.invalid"])
def test_an_unknown_host_is_given_up_likewise(make_client: Any, host: str) -> None:
    clock = VirtualClock()
    client = make_client(endpoint=f"https://{host}", tokens=ReadyToken("the-token", project_id="p"), retry=STEADY)
    with pytest.raises(UnreachableError):
        client.get_statuses(["a"], clock.budget(300))
    assert clock.now == pytest.approx(FIRST_CONTACT_SECONDS)


def test_the_next_call_to_a_host_that_was_given_up_waits_no_more(make_client: Any, closed: str) -> None:
    """A command asks several times, for each of its resources."""
    clock = VirtualClock()
    client = make_client(tokens=refused_iam(closed, clock), retry=STEADY)
    for _ in range(3):
        with pytest.raises(UnreachableError):
            client.get_statuses(["a"], clock.budget(300))
    assert clock.now == pytest.approx(FIRST_CONTACT_SECONDS)


def test_threads_that_wait_for_the_same_login_give_up_with_it(make_client: Any, closed: str) -> None:
    clock = VirtualClock()
    client = make_client(tokens=refused_iam(closed, clock), retry=STEADY)
    ended: list[Exception] = []

    def ask() -> None:
        with pytest.raises(UnreachableError) as caught:
            client.get_statuses(["a"], clock.budget(300))
        ended.append(caught.value)

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ended) == 5
    assert clock.now < 2 * FIRST_CONTACT_SECONDS


def test_a_host_that_has_answered_before_is_waited_for(sandbox: Sandbox, make_client: Any, closed: str) -> None:
    sandbox.add_jobs(make_job("a"))
    client = make_client(retry=STEADY)
    clock = VirtualClock()
    client.get_statuses(["a"], clock.budget(300))
    client.endpoint = closed
    with pytest.raises(UnreachableError):
        client.get_statuses(["a"], clock.budget(300))
    assert len(clock.naps) > 100
    assert clock.now > 3 * FIRST_CONTACT_SECONDS


def test_a_host_that_comes_up_meanwhile_is_reached(sandbox: Sandbox, make_client: Any, closed: str) -> None:
    sandbox.add_jobs(make_job("a"))
    client = make_client(endpoint=closed, retry=STEADY)

    class MovingClock(VirtualClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.now > 7:
                client.endpoint = sandbox.url

    assert client.get_statuses(["a"], MovingClock().budget(300))["a"].status == "CONFIGURATION"


def test_a_host_that_takes_connections_and_breaks_them_is_no_unknown_host(make_client: Any, serve: Any) -> None:
    clock = VirtualClock()
    url = serve(lambda connection: connection.recv(10))
    client = make_client(endpoint=url, tokens=ReadyToken("the-token", project_id="p"), retry=STEADY)
    with pytest.raises(UnreachableError):
        client.get_statuses(["a"], clock.budget(300))
    assert clock.now > 3 * FIRST_CONTACT_SECONDS
