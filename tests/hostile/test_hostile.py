"""
Answers that are meant to hurt: each is bounded in time and record, and ends in an error of ours that can be shown.

What is merely wrong is in `tests/drs`; here somebody does it on purpose, or a proxy has gone mad. All of it is done to the
client twice: as DRS, and as IAM.
"""

from __future__ import annotations

import gzip
import json
import resource
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import pytest

from pulumi_drs_start.drs.auth.sources import IamLogin, ReadyToken
from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.calls.models import StartRequest
from pulumi_drs_start.drs.errors import DrsError, OutOfTimeError
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.drs.http.retry import RetryPolicy
from pulumi_drs_start.sandbox import Sandbox, faults, make_job
from tests.drs.conftest import Serve, serve  # noqa: F401  # a fixture
from tests.drs.http.test_connections import read_request

ONCE = RetryPolicy(attempts=1)
SECONDS = 1.0
# Beside what a busy machine takes.
PATIENCE = 3.0
# What a hostile answer may make us hold, over what the process holds anyway.
LARGEST_MIB = 200

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
MIB = 1 << 20

Treat = Callable[[socket.socket], None]


def forever(connection: socket.socket, piece: bytes, pause: float = 0.0) -> None:
    """Send until the other side has had enough."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        connection.sendall(piece)
        time.sleep(pause)


def drip(connection: socket.socket, content: bytes) -> None:
    """A byte now and then: no socket's timeout ever ends that."""
    for index in range(len(content)):
        connection.sendall(content[index : index + 1])
        time.sleep(0.05)


@cache
def packed(head: bytes, layers: int, size: int) -> bytes:
    """So many bytes of blanks, packed."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = b"".join(packer.compress(b" " * MIB) for _ in range(size // MIB)) + packer.flush()
    for _ in range(layers - 1):
        body = gzip.compress(body)
    return OK + head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def prepare_bombs() -> None:
    """Packing them takes time and record that must not count."""
    packed(b"Content-Encoding: gzip\r\n", 1, 512 * MIB)
    packed(b"Content-Encoding: gzip, gzip\r\n", 2, 512 * MIB)


HUNDRED = b"".join(b"X-%d: y\r\n" % index for index in range(101))
ANSWERS: dict[str, Treat] = {
    "a body that drips": lambda c: (c.sendall(OK + b"Content-Length: 100000\r\n\r\n"), drip(c, b" " * 400))[-1],
    "chunks that drip": lambda c: (c.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\nffff\r\n"), drip(c, b" " * 400))[-1],
    "a header that drips": lambda c: drip(c, OK + b"X: " + b"y" * 400),
    "a status line that drips": lambda c: drip(c, b"HTTP/1.1 " + b" " * 400),
    "continue, and continue": lambda c: forever(c, b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),
    "a body without end": lambda c: (c.sendall(OK + b"\r\n"), forever(c, b" " * MIB))[-1],
    "a long body that never comes": lambda c: (c.sendall(OK + b"Content-Length: 99999999999999\r\n\r\n"), time.sleep(2))[-1],
    "gigabytes": lambda c: (c.sendall(OK + b"Content-Length: 9999999999\r\n\r\n"), forever(c, b" " * MIB))[-1],
    "chunks without end": lambda c: (
        c.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n"),
        forever(c, b"100000\r\n" + b" " * MIB + b"\r\n"),
    )[-1],
    "a chunk's size without end": lambda c: (c.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n"), forever(c, b"0" * MIB))[-1],
    "trailers without end": lambda c: (
        c.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"),
        forever(c, b"X: " + b"y" * 60_000 + b"\r\n"),
    )[-1],
    "a header without end": lambda c: forever(c, b"X" * MIB),
    "headers without end": lambda c: (c.sendall(OK), forever(c, b"X: y\r\n" * 1000))[-1],
    "a hundred headers and one": lambda c: c.sendall(OK + HUNDRED + b"Content-Length: 0\r\n\r\n"),
    "a long header": lambda c: c.sendall(OK + b"X: " + b"y" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n"),
    "a bomb": lambda c: c.sendall(packed(b"Content-Encoding: gzip\r\n", 1, 512 * MIB)),
    "a bomb in a bomb": lambda c: c.sendall(packed(b"Content-Encoding: gzip, gzip\r\n", 2, 512 * MIB)),
    "a bomb that was not asked for": lambda c: c.sendall(packed(b"Content-Encoding: br\r\n", 1, MIB)),
    "packed rubbish": lambda c: c.sendall(OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\xff"),
    "a negative length": lambda c: c.sendall(OK + b"Content-Length: -5\r\n\r\n{}"),
    "two lengths": lambda c: c.sendall(OK + b"Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}"),
    "another protocol": lambda c: c.sendall(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n" + b"\x00" * 100),
}


@pytest.fixture
def nasty(serve: Serve) -> Callable[[Treat], str]:  # noqa: F811  # as above
    """Starts a server that reads a request and then does this."""

    def start(treat: Treat) -> str:
        def run(connection: socket.socket) -> None:
            read_request(connection)
            with suppress(OSError):
                treat(connection)

        return str(serve(run))

    return start


@contextmanager
def bounded() -> Iterator[None]:
    """What happens in here takes little time and little record, and leaves no thread behind."""
    before, threads, began = _peak_mib(), threading.active_count(), time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < SECONDS + PATIENCE, f"it took {took:.1f} s"
    assert _peak_mib() - before < LARGEST_MIB
    while threading.active_count() > threads + 1 and time.monotonic() < began + 10:
        time.sleep(0.01)
    assert threading.active_count() <= threads + 1


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def check(error: DrsError) -> None:
    """It can be shown to anybody."""
    assert len(str(error)) < 700
    assert str(error).isprintable()


@pytest.mark.parametrize("treat", ANSWERS.values(), ids=ANSWERS)
def test_drs_may_answer_anything(treat: Treat, nasty: Callable[[Treat], str]) -> None:
    prepare_bombs()
    client = DrsClient(nasty(treat), ReadyToken("the-token", project_id="p"), retry=ONCE)
    with bounded(), pytest.raises(DrsError) as caught:
        client.start_jobs([StartRequest("a")], TimeBudget(SECONDS))
    check(caught.value)
    assert caught.value.effect_unknown
    client.close()


@pytest.mark.parametrize("treat", ANSWERS.values(), ids=ANSWERS)
def test_iam_may_answer_anything(treat: Treat, nasty: Callable[[Treat], str], sandbox: Sandbox) -> None:
    """And the operation, not the login, says how long that may take."""
    prepare_bombs()
    tokens = IamLogin(f"{nasty(treat)}/v3", {"user_id": "u", "password": "the-password"}, project_id="p")
    client = DrsClient(sandbox.url, tokens, retry=ONCE)
    with bounded(), pytest.raises(DrsError) as caught:
        client.get_statuses(["a"], TimeBudget(SECONDS))
    check(caught.value)
    assert not caught.value.effect_unknown
    assert sandbox.calls() == []
    client.close()


def test_repeats_share_the_operation_s_time(nasty: Callable[[Treat], str]) -> None:
    client = DrsClient(nasty(ANSWERS["a header that drips"]), ReadyToken("the-token", project_id="p"))
    with bounded(), pytest.raises(DrsError):
        client.get_statuses(["a"], TimeBudget(SECONDS))
    client.close()


def test_waiting_for_another_thread_s_login_ends_with_one_s_own_time(nasty: Callable[[Treat], str]) -> None:
    url = nasty(ANSWERS["a header that drips"])
    tokens = IamLogin(f"{url}/v3", {"user_id": "u", "password": "the-password"}, project_id="p")
    slow, quick = (DrsClient(url, tokens, retry=ONCE) for _ in range(2))
    ended: list[float] = []

    def ask(client: DrsClient, seconds: float) -> None:
        with pytest.raises(DrsError):
            client.get_statuses(["a"], TimeBudget(seconds))
        ended.append(seconds)

    threads = [threading.Thread(target=ask, args=(slow, 2.0)), threading.Thread(target=ask, args=(quick, 0.5))]
    for thread in threads:
        thread.start()
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    assert ended == [0.5, 2.0]
    for client in (slow, quick):
        client.close()


def test_no_login_is_begun_when_the_time_is_over(client: DrsClient, sandbox: Sandbox) -> None:
    with pytest.raises(OutOfTimeError):
        client.get_statuses(["a"], TimeBudget(0))
    assert sandbox.calls() == []


def test_what_is_packed_honestly_is_read(nasty: Callable[[Treat], str]) -> None:
    body = gzip.compress(json.dumps({"results": [{"id": "a", "status": "PAUSING"}]}).encode())
    url = nasty(lambda c: c.sendall(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body))
    client = DrsClient(url, ReadyToken("the-token", project_id="p"), retry=ONCE)
    assert client.get_statuses(["a"], TimeBudget(5))["a"].status == "PAUSING"
    client.close()


BIG = 10**4000
ROWS: dict[str, list[Any]] = {
    "the same job a thousand times": [{"id": "a", "status": "PAUSING"}] + [{"id": "a", "status": "CONFIGURATION"}] * 1000,
    "ten thousand strangers": [{"id": f"x{i}", "status": "PAUSING"} for i in range(10_000)] + [{"id": "a", "status": "PAUSING"}],
    "texts without end": [{"id": "a", "status": "PAUSING", "error_message": "x" * 5_000_000, "error_code": "y" * 5_000_000}],
    "escapes": [
        {"id": "a", "status": "\x1b]0;owned\x07\x1b[2JPAUSING\x9b\x00\u202e", "error_message": "\x1b[31m\r\n\x08" * 1000}
    ],
    "enormous numbers": [{"id": "a", "status": "PAUSING", "error_code": BIG, "error_message": -BIG, "x": 1e308}],
    "deep nesting": [{"id": "a", "status": "PAUSING", "x": json.loads("[" * 400 + "]" * 400)}],
    "an id beside its look-alikes": [
        {"id": "a\x00", "status": "X"},
        {"id": " a", "status": "X"},
        {"id": "a", "status": "PAUSING"},
    ],
}


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_rows_may_hold_anything(sandbox: Sandbox, client: DrsClient, rows: list[Any]) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.answer("batch-status", 200, json.dumps({"count": BIG, "results": rows})))
    with bounded():
        found = client.get_statuses(["a"], TimeBudget(SECONDS + PATIENCE))
    assert found.keys() == {"a"}
    said = "".join(map(str, (found["a"].status, found["a"].error_code, found["a"].error_message)))
    assert "PAUSING" in said
    assert said.isprintable()
    assert len(said) < 2100


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_rows_of_an_acceptance_may_hold_anything(sandbox: Sandbox, client: DrsClient, rows: list[Any]) -> None:
    """Nobody is taken for accepted who was not asked for, or not called accepted."""
    sandbox.inject(faults.answer("batch-starting", 202, json.dumps({"results": rows})))
    with bounded():
        answer = client.start_jobs([StartRequest("a")], TimeBudget(SECONDS + PATIENCE))
    assert answer.accepted == frozenset()
    assert {*answer.refused, *answer.unanswered} == {"a"}
    assert all(len(str(error)) < 2200 and str(error).isprintable() for error in answer.refused.values())


@pytest.mark.parametrize("seconds", ["9" * 400, "1e300", "86400", "-1", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_nobody_makes_us_wait_longer_than_the_operation_lasts(sandbox: Sandbox, client: DrsClient, seconds: str) -> None:
    sandbox.inject(faults.throttled("batch-status", seconds, times=None))
    with bounded(), pytest.raises(DrsError) as caught:
        client.get_statuses(["a"], TimeBudget(SECONDS))
    check(caught.value)
