"""What becomes of a login that fails: the right error, whether it may work later, and the next step."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from pulumi_drs_start.drs.auth import iam_session
from pulumi_drs_start.drs.auth.sources import IamLogin, ReadyToken
from pulumi_drs_start.drs.errors import (
    AuthenticationError,
    DrsError,
    ServiceFaultError,
    ThrottledError,
    UnreachableError,
    UnreadableAnswerError,
)
from pulumi_drs_start.sandbox import Fault, Sandbox, faults
from pulumi_drs_start.settings import Overrides, load_settings, token_source


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared: Sandbox) -> Sandbox:
    shared.reset()
    return shared


def _login(auth_url: str, **changes: Any) -> IamLogin:
    user = {
        "username": "drs-user",
        "password": changes.pop("password", "sandbox-password"),
        "user_domain_name": "OTC-EU-DE-00000000001000000001",
    }
    return IamLogin(auth_url, user, **{"project_id": "0123456789abcdef0123456789abcdef", "advice": "Check the user.", **changes})


def _error(source: IamLogin) -> DrsError:
    with pytest.raises(DrsError) as caught:
        source.token()
    assert caught.value.__cause__ is not None
    return caught.value


def test_the_region_of_another_iam_is_part_of_the_error(sandbox: Sandbox) -> None:
    """The address of that IAM is in every shell that has read an openrc file of the console."""
    theirs = "https://iam.eu-de.otc.t-systems.com/v3"
    shell = {**sandbox.environment, "OS_AUTH_URL": theirs, "OS_PASSWORD": "wrong", "DRS_ENDPOINT": ""}
    settings = load_settings({}, shell, Overrides(region="eu-nl"))

    text = str(_error(token_source(settings.model_copy(update={"auth_url": sandbox.auth_url}))))

    assert "refused" in text
    assert text.endswith(
        "OS_AUTH_URL names eu-de, and region in the program names eu-nl: leave out OS_AUTH_URL to log in at eu-nl."
    )


def _after(sandbox: Sandbox, fault: Fault) -> DrsError:
    sandbox.inject(fault)
    return _error(_login(sandbox.auth_url))


def test_a_wrong_password_tells_where_it_came_from(sandbox: Sandbox) -> None:
    environment = {**sandbox.environment, "OS_PASSWORD": "wrong"}

    with pytest.raises(AuthenticationError) as caught:
        token_source(load_settings({"username": "drs-user"}, environment)).token()

    assert str(caught.value) == (
        f'IAM at {sandbox.auth_url} refused the login of user "drs-user" (domain "{sandbox.domain_name}") for project '
        f'"{sandbox.project_id}": 401 The username or password is wrong. Check the user name (drs:username), '
        "the user's domain (OS_USER_DOMAIN_NAME), the password (OS_PASSWORD), the project (OS_PROJECT_ID) and "
        "the address of IAM (OS_AUTH_URL); refresh and destroy use the stack configuration of the last up."
    )


def test_values_of_the_environment_need_no_word_about_the_stack(sandbox: Sandbox) -> None:
    environment = {**sandbox.environment, "OS_PASSWORD": "wrong"}

    with pytest.raises(AuthenticationError) as caught:
        token_source(load_settings({}, environment)).token()

    assert "refresh" not in str(caught.value)


def test_a_wrong_password_is_not_worth_a_retry(sandbox: Sandbox) -> None:
    assert not _error(_login(sandbox.auth_url, password="wrong")).retryable


@pytest.mark.parametrize("change", [{"project_id": "f" * 32}, {"project_id": None, "project_name": "nowhere"}])
def test_an_unknown_project_is_named(change: dict[str, Any], sandbox: Sandbox) -> None:
    error = _error(_login(sandbox.auth_url, **change))

    assert isinstance(error, AuthenticationError)
    assert f'for project "{change.get("project_name") or change["project_id"]}"' in str(error)


def _token_for(**scope: Any) -> Fault:
    """IAM gives a token, but for this."""
    times = {"issued_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-02T00:00:00Z"}
    user = {"id": "u", "name": "u", "domain": {"id": "d", "name": "d"}}
    body = {"token": {**times, "methods": ["password"], "user": user, **scope}}
    return faults.answer("tokens", 201, body, headers={"X-Subject-Token": "token"})


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ({}, "for nothing in particular (unscoped), not for project"),
        ({"domain": {"id": "d", "name": "ours"}}, 'for domain "ours (d)" as a whole, not for project'),
        ({"project": {"id": "e" * 32, "name": "eu-nl", "domain": {}}}, f'for project "eu-nl ({"e" * 32})", not for project'),
    ],
)
def test_a_token_for_something_else_is_told(scope: dict[str, Any], words: str, sandbox: Sandbox) -> None:
    error = _after(sandbox, _token_for(**scope))

    assert isinstance(error, AuthenticationError)
    assert f'answered the login of user "drs-user" (domain "{sandbox.domain_name}")' in str(error)
    assert f'with a token that is {words} "{sandbox.project_id}"' in str(error)
    assert "Check the user" in str(error)


def test_a_token_for_a_project_of_another_name_is_told(sandbox: Sandbox) -> None:
    sandbox.inject(_token_for(project={"id": "e" * 32, "name": "eu-nl", "domain": {}}))

    text = str(_error(_login(sandbox.auth_url, project_id=None, project_name="eu-de")))

    assert 'not for project "eu-de"' in text


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "Expecting to find domain in project."),
        (401, "The project does not exist or the user has no access to it."),
        (403, "Forbidden"),
        (404, "Could not find it"),
        (409, "Multiple matches"),
    ],
)
def test_a_project_s_name_that_leads_nowhere_may_be_told_more_exactly(status: int, message: str, sandbox: Sandbox) -> None:
    sandbox.inject(faults.answer("tokens", status, {"error": {"message": message, "code": status}}))

    text = str(_error(_login(sandbox.auth_url, project_id=None, project_name="eu-de")))

    assert 'More than one domain may have a project "eu-de"' in text
    assert "OS_PROJECT_DOMAIN_NAME" in text
    assert "drs:projectId" in text


@pytest.mark.parametrize("project", [{"project_id": None, "project_name": "eu-de"}, {}])
def test_a_wrong_password_is_no_matter_of_the_project_s_name(project: dict[str, Any], sandbox: Sandbox) -> None:
    error = _error(_login(sandbox.auth_url, password="wrong", **project))

    assert "More than one domain" not in str(error)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409])
def test_refusals_are_final(status: int, sandbox: Sandbox) -> None:
    error = _after(sandbox, faults.answer("tokens", status, {"error_code": "IAM.0101", "error_msg": "No."}))

    assert isinstance(error, AuthenticationError)
    assert f"{status} IAM.0101 No." in str(error)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 599])
def test_faults_of_iam_may_pass(status: int, sandbox: Sandbox) -> None:
    error = _after(sandbox, faults.html("tokens", status))

    assert isinstance(error, ServiceFaultError)
    assert (error.status, error.retryable, error.effect_unknown) == (status, True, False)


def test_throttling_tells_how_long_to_wait(sandbox: Sandbox) -> None:
    error = _after(sandbox, faults.throttled("tokens", retry_after=7))

    assert isinstance(error, ThrottledError)
    assert (error.retryable, error.retry_after_seconds) == (True, 7)


def test_throttling_may_leave_the_wait_open(sandbox: Sandbox) -> None:
    assert _after(sandbox, faults.throttled("tokens", retry_after=None)).retry_after_seconds is None


@pytest.mark.parametrize("fault", [faults.drop_before("tokens"), faults.drop_after("tokens"), faults.truncate("tokens")])
def test_a_broken_connection_may_pass(fault: Fault, sandbox: Sandbox) -> None:
    error = _after(sandbox, fault)

    assert isinstance(error, UnreachableError)
    assert (error.url, error.retryable, error.effect_unknown) == (sandbox.auth_url, True, False)


def test_an_iam_that_nobody_serves_is_named_with_the_systems_words() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v3"
        error = _error(_login(url))

    assert str(error) == f"IAM at {url} can't be reached (Connection refused). Check its address and the network"


def test_a_host_that_does_not_exist_is_unreachable() -> None:
    error = _error(_login("https://iam.host.invalid/v3"))

    assert isinstance(error, UnreachableError)


def test_an_iam_that_is_silent_is_given_up(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    monkeypatch.setattr(iam_session, "READ_SECONDS", 0.2)

    error = _after(sandbox, faults.delay("tokens", 5))

    assert isinstance(error, UnreachableError)
    assert "timed out" in str(error)


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    monkeypatch.setattr(iam_session, "LARGEST_ANSWER", 100_000)

    assert isinstance(_after(sandbox, faults.endless("tokens")), UnreadableAnswerError)


@pytest.mark.parametrize(
    "fault",
    [
        faults.html("tokens", 200),
        faults.answer("tokens", 201, {}),
        faults.answer("tokens", 201, []),
        faults.answer("tokens", 201, 1),
        faults.answer("tokens", 201, {"token": {}}),
        faults.answer("tokens", 201, {"token": {}}, headers={"X-Subject-Token": "t"}),
        faults.answer("tokens", 201, {"token": {"expires_at": "soon", "issued_at": "now"}}, headers={"X-Subject-Token": "t"}),
        faults.answer("tokens", 201, "", content_type="text/plain"),
    ],
)
def test_whatever_does_not_answer_like_iam_is_not_asked_again(fault: Fault, sandbox: Sandbox) -> None:
    error = _after(sandbox, fault)

    assert isinstance(error, UnreadableAnswerError)
    assert not error.retryable
    assert f"{sandbox.auth_url} does not answer like IAM. Check the user" in str(error)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_does_not_get_the_password(status: int, sandbox: Sandbox) -> None:
    with Sandbox() as other:
        headers = {"Location": f"{other.auth_url}/auth/tokens?x=y"}
        error = _after(sandbox, faults.answer("tokens", status, {}, headers=headers))

        assert other.calls() == []
    assert isinstance(error, AuthenticationError)
    assert f"redirects to {other.auth_url}/auth/tokens, which is not followed" in str(error)


@pytest.mark.parametrize("headers", [{}, {"Location": "http://[nowhere"}])
def test_a_redirect_to_nowhere_is_an_error_of_ours(headers: dict[str, str], sandbox: Sandbox) -> None:
    assert not _after(sandbox, faults.answer("tokens", 302, {}, headers=headers)).retryable


def test_long_words_of_others_are_cut(sandbox: Sandbox) -> None:
    error = _after(sandbox, faults.answer("tokens", 401, {"error": {"message": "x\n" * 5000, "code": 401}}))

    assert len(str(error)) < 1000
    assert "\n" not in str(error)


def test_a_tls_bundle_that_is_gone_is_named(tmp_path: Path) -> None:
    error = _error(_login("https://127.0.0.1:9/v3", ca_cert=str(tmp_path / "gone.pem")))

    assert isinstance(error, AuthenticationError)
    assert "Check drs:caCert (OS_CACERT)" in str(error)


def test_plain_http_behind_an_https_address_is_unreachable(sandbox: Sandbox) -> None:
    error = _error(_login(sandbox.auth_url.replace("http:", "https:")))

    assert isinstance(error, UnreachableError)


def test_iams_failure_to_tell_a_ready_tokens_project_is_an_error_of_ours(sandbox: Sandbox) -> None:
    sandbox.inject(faults.html("validate", 200))

    with pytest.raises(UnreadableAnswerError):
        ReadyToken("ready", auth_url=sandbox.auth_url).project_id()


class _Unavailable(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_error(503)

    def log_message(self, *_: Any) -> None:
        """Tests are quiet."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, signed by itself, with its key in one file."""
    x509 = pytest.importorskip("cryptography.x509")
    from ipaddress import ip_address

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(timezone.utc)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + signed.public_bytes(pem))
    return path


@pytest.fixture
def tls_url(certificate: Path) -> Iterator[str]:
    """An IAM behind TLS, which is always unavailable."""
    server = HTTPServer(("127.0.0.1", 0), _Unavailable)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    # A client that hangs up in the handshake is the point of a test, not a traceback.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/v3"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_unknown_authority_is_named_and_not_tried_again(tls_url: str) -> None:
    error = _error(_login(tls_url))

    assert isinstance(error, UnreachableError)
    assert not error.retryable
    assert "certificate verify failed" in str(error).lower()
    assert "drs:caCert (OS_CACERT)" in str(error)


def test_a_bundle_makes_an_authority_known(tls_url: str, certificate: Path) -> None:
    assert isinstance(_error(_login(tls_url, ca_cert=str(certificate))), ServiceFaultError)
