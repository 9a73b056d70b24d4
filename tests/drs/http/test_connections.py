"""Connections that are refused, hang, trickle, break or are not trusted."""

from __future__ import annotations

import socket
import ssl
import time
from typing import Any

import pytest
import requests
import trustme

from pulumi_drs_start.drs.auth.sources import IamLogin, ReadyToken
from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.errors import DrsError, RedirectedError, UnreachableError
from pulumi_drs_start.drs.http import transport
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.drs.http.retry import RetryPolicy
from pulumi_drs_start.sandbox import Sandbox, faults, make_job
from pulumi_drs_start.settings import load_settings, token_source
from tests.drs.conftest import VirtualClock

ONCE = RetryPolicy(attempts=1)


def read_request(connection: socket.socket) -> None:
    """The whole of it: closing a connection with something unread resets it, and the answer may be lost."""
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(65536)
    head, _, body = request.partition(b"\r\n\r\n")
    missing = int(head.lower().partition(b"content-length:")[2].split()[0]) - len(body)
    while missing > 0:
        missing -= len(connection.recv(65536))


def failure(client: DrsClient, start: Any, seconds: float = 20) -> DrsError:
    with pytest.raises(DrsError) as caught:
        client.start_jobs(start("a"), TimeBudget(seconds))
    return caught.value


def test_a_refused_connection_had_no_effect(make_client: Any, start: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    error = failure(make_client(endpoint=f"http://127.0.0.1:{port}"), start)
    assert isinstance(error, UnreachableError)
    assert (error.retryable, error.effect_unknown) == (True, False)
    assert f"http://127.0.0.1:{port}" in error.url


def test_a_refused_connection_is_tried_again(make_client: Any, sandbox: Sandbox, start: Any) -> None:
    """A start too, since nobody heard of it."""
    sandbox.add_jobs(make_job("a"))
    port = int(sandbox.url.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", 0)) as closed:
        free = closed.getsockname()[1]
    client = make_client(endpoint=f"http://127.0.0.1:{free}", retry=RetryPolicy(attempts=3))

    class MovingClock(VirtualClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            client.endpoint = f"http://127.0.0.1:{port}"

    clock = MovingClock()
    assert client.start_jobs(start("a"), clock.budget(20)).accepted == {"a"}
    assert clock.naps


@pytest.mark.parametrize("reset", [False, True])
def test_a_broken_connection_may_have_had_an_effect(sandbox: Sandbox, client: DrsClient, start: Any, reset: bool) -> None:
    sandbox.inject(faults.drop_before("batch-starting", reset=reset))
    error = failure(client, start)
    assert isinstance(error, UnreachableError)
    assert error.effect_unknown


def test_a_truncated_answer_may_have_had_an_effect(sandbox: Sandbox, client: DrsClient, start: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.truncate("batch-starting"))
    assert failure(client, start).effect_unknown
    assert sandbox.job("a")["starts"] == 1


def test_silence_after_the_request_may_have_had_an_effect(sandbox: Sandbox, client: DrsClient, start: Any) -> None:
    sandbox.inject(faults.delay("batch-starting", 60))
    error = failure(client, start, seconds=0.3)
    assert error.effect_unknown
    assert "did not answer in time" in str(error)


@pytest.mark.parametrize("length", [b"Content-Length: 100000", b"Transfer-Encoding: chunked"])
def test_an_answer_that_trickles_ends_with_the_budget(make_client: Any, start: Any, serve: Any, length: bytes) -> None:
    def trickle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + length + b"\r\n\r\n")
        connection.sendall(b"fffff\r\n" if b"chunked" in length else b"")
        for _ in range(600):
            connection.sendall(b" ")
            time.sleep(0.05)

    client = make_client(endpoint=serve(trickle), retry=ONCE)
    begun = time.monotonic()
    # Long enough for a login on a busy machine, and far from the end of the answer.
    error = failure(client, start, seconds=3)
    assert time.monotonic() - begun < 15
    assert isinstance(error, UnreachableError)
    assert error.effect_unknown
    assert "did not answer in time" in str(error)


@pytest.mark.parametrize("noise", [b"\x00\x01\x02\r\n\r\n", b"220 mail.example ESMTP\r\n", b""], ids=["bytes", "mail", "nothing"])
def test_a_server_that_does_not_speak_http_is_unreachable(make_client: Any, start: Any, serve: Any, noise: bytes) -> None:
    def speak(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(noise)

    error = failure(make_client(endpoint=serve(speak), retry=ONCE), start)
    assert isinstance(error, UnreachableError)


def test_an_answer_that_says_gzip_and_is_not_is_an_error_of_ours(make_client: Any, start: Any, serve: Any) -> None:
    def speak(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\nnot zip")

    assert failure(make_client(endpoint=serve(speak), retry=ONCE), start).effect_unknown


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(serve: Any, authority: trustme.CA) -> Any:
    """Makes a server with a certificate for a name, which answers 404."""

    def make(name: str = "127.0.0.1") -> str:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)

        def speak(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as secure:
                read_request(secure)
                secure.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

        return str(serve(speak)).replace("http:", "https:")

    return make


def test_an_authority_can_be_given(make_client: Any, start: Any, tls: Any, authority: trustme.CA, tmp_path: Any) -> None:
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    assert "HTTP 404" in str(failure(make_client(endpoint=tls(), ca_cert=str(bundle)), start))


def test_an_unknown_authority_is_told_at_once(make_client: Any, start: Any, tls: Any) -> None:
    error = failure(make_client(endpoint=tls()), start)
    assert isinstance(error, UnreachableError)
    assert (error.retryable, error.effect_unknown) == (False, False)
    assert "drs:caCert (OS_CACERT)" in str(error)


def test_a_certificate_for_another_name_is_told_at_once(
    make_client: Any, start: Any, tls: Any, authority: trustme.CA, tmp_path: Any
) -> None:
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    error = failure(make_client(endpoint=tls("drs.example"), ca_cert=str(bundle)), start)
    assert not error.retryable


def test_a_handshake_that_breaks_off_is_tried_again(make_client: Any, serve: Any) -> None:
    """A load balancer that restarts; nothing is wrong with the certificate."""
    seen: list[int] = []

    def hang_up(connection: socket.socket) -> None:
        seen.append(len(connection.recv(65536)))

    url = serve(hang_up).replace("http:", "https:")
    with pytest.raises(UnreachableError) as caught:
        make_client(endpoint=url).get_statuses(["a"], TimeBudget(20))
    assert caught.value.retryable
    assert len(seen) > 1


def test_a_missing_bundle_is_an_error_of_ours(make_client: Any, start: Any, tls: Any, tmp_path: Any) -> None:
    error = failure(make_client(endpoint=tls(), ca_cert=str(tmp_path / "none.pem")), start)
    assert isinstance(error, UnreachableError)
    assert not error.retryable
    assert "drs:caCert" in str(error)


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    sandbox: Sandbox, make_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    sandbox.add_jobs(make_job("a"))
    assert make_client().get_statuses(["a"], TimeBudget(20))["a"].status == "CONFIGURATION"


def test_connections_are_kept(sandbox: Sandbox, client: DrsClient) -> None:
    sandbox.add_jobs(make_job("a"))
    for _ in range(3):
        client.get_statuses(["a"], TimeBudget(20))
    (pool,) = (client._session.get_adapter(sandbox.url).poolmanager.pools._container).values()
    assert (pool.num_connections, pool.num_requests) == (1, 3)


@pytest.fixture
def proxy(serve: Any, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """A proxy in the environment, with a password, that lets nobody through; gives what it was asked."""
    asked: list[bytes] = []

    def refuse(connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(65536)
        asked.append(request)
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HTTPS_PROXY", str(serve(refuse)).replace("http://", "http://somebody:proxy-password@"))
    return asked


def test_a_proxy_of_the_environment_is_asked_for_other_machines(make_client: Any, start: Any, proxy: list[bytes]) -> None:
    tokens = ReadyToken("the-token", project_id="p")
    error = failure(make_client(endpoint="https://drs.example.invalid", tokens=tokens, retry=ONCE), start)
    assert proxy[0].startswith(b"CONNECT drs.example.invalid:443 ")
    assert b"the-token" not in proxy[0]
    assert isinstance(error, UnreachableError)
    assert (error.effect_unknown, "403" in str(error)) == (False, True)
    assert "proxy-password" not in str(error)


def test_iam_is_asked_through_the_proxy_too(proxy: list[bytes]) -> None:
    with pytest.raises(UnreachableError) as caught:
        IamLogin(
            "https://iam.example.invalid/v3", {"username": "u", "password": "p", "user_domain_name": "d"}, project_id="p"
        ).token()
    assert proxy[0].startswith(b"CONNECT iam.example.invalid:443 ")
    assert "proxy-password" not in str(caught.value)


def test_machines_that_need_no_proxy_are_asked_directly(
    make_client: Any, start: Any, proxy: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "example.invalid")
    tokens = ReadyToken("the-token", project_id="p")
    assert isinstance(
        failure(make_client(endpoint="https://drs.example.invalid", tokens=tokens, retry=ONCE), start), UnreachableError
    )
    assert proxy == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_does_not_get_the_token(sandbox: Sandbox, client: DrsClient, start: Any, status: int) -> None:
    with Sandbox() as other:
        sandbox.inject(faults.answer("batch-starting", status, {}, headers={"Location": f"{other.url}/v3/p/jobs/batch-starting"}))
        error = failure(client, start)
        assert other.calls() == []
    assert isinstance(error, RedirectedError)
    assert (error.retryable, error.effect_unknown) == (False, False)
    assert "drs:endpoint (DRS_ENDPOINT)" in str(error)


def test_a_password_for_iam_in_netrc_is_not_sent_along(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setattr(transport, "is_loopback", lambda _: False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    seen: list[str | None] = []
    send = requests.Session.send

    def spy(self: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        seen.append(request.headers.get("Authorization"))
        return send(self, request, **options)

    monkeypatch.setattr(requests.Session, "send", spy)
    assert token_source(load_settings({}, sandbox.environment)).token()
    assert seen == [None]
