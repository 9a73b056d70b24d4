"""Logins that clouds.yaml can describe, made through keystoneauth's plugins at the sandbox's IAM."""

from __future__ import annotations

import json
import logging
import threading
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from pulumi_drs_start.drs.auth.sources import IamLogin, ReadyToken
from pulumi_drs_start.drs.errors import AuthenticationError, DrsError, UnreachableError
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.sandbox import Sandbox, faults, make_job
from pulumi_drs_start.settings import load_settings, token_source

WRONG = "wrong-application-secret"


def _application(sandbox: Sandbox, **changes: str) -> dict[str, str]:
    account = sandbox.account
    facts = {
        "application_credential_id": account.application_credential_id,
        "application_credential_secret": account.application_credential_secret,
    }
    return facts | changes


def _source(sandbox: Sandbox, auth_type: str, options: dict[str, Any], **more: Any) -> IamLogin:
    return IamLogin(sandbox.auth_url, options, auth_type=auth_type, **more)


def _user_token(sandbox: Sandbox) -> str:
    token: str = token_source(load_settings({}, sandbox.environment)).token()
    return token


def _cloud(folder: Path, sandbox: Sandbox, auth_type: str, auth: dict[str, str], **more: Any) -> Any:
    """The token source of an entry of clouds.yaml."""
    entry = {"auth_type": auth_type, "auth": {"auth_url": sandbox.auth_url, **auth}, **more}
    entry["drs_endpoint_override"] = sandbox.url
    (folder / "clouds.yaml").write_text(json.dumps({"clouds": {"otc": entry}}), encoding="utf-8")
    return token_source(load_settings({"cloud": "otc"}, {"OS_CLIENT_CONFIG_FILE": str(folder / "clouds.yaml")}))


@pytest.fixture
def logins(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    """What the logins need."""
    user = {"username": sandbox.username, "password": sandbox.password, "user_domain_name": sandbox.domain_name}
    return {
        "password": {**user, "project_name": "eu-de"},
        "v3password": {**user, "project_id": sandbox.project_id},
        "v3token": {"token": _user_token(sandbox), "project_name": "eu-de", "project_domain_name": sandbox.domain_name},
        "v3applicationcredential": _application(sandbox),
        "v3multifactor": {**user, "passcode": "123456", "project_id": sandbox.project_id},
        "admin_token": {"token": _user_token(sandbox)},
    }


@pytest.mark.parametrize(
    "auth_type", ["password", "v3password", "v3token", "v3applicationcredential", "v3multifactor", "admin_token"]
)
def test_an_entry_of_clouds_yaml_reads_jobs(
    auth_type: str, sandbox: Sandbox, make_client: Any, logins: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    sandbox.add_jobs(make_job("a"))
    more = {"auth_methods": ["v3password", "v3totp"]} if auth_type == "v3multifactor" else {}

    client = make_client(tokens=_cloud(tmp_path, sandbox, auth_type, logins[auth_type], **more))

    assert client.get_statuses(["a"], TimeBudget(20))["a"].status == "CONFIGURATION"


def test_an_application_credential_tells_its_project(sandbox: Sandbox) -> None:
    source = _source(sandbox, "v3applicationcredential", _application(sandbox))

    assert source.project_id() == sandbox.project_id
    source.token()
    assert len(sandbox.calls("tokens")) == 1


def test_an_application_credential_may_be_said_to_be_for_its_project(sandbox: Sandbox) -> None:
    """keystone refuses a login that names a project, so it is compared afterwards."""
    assert _source(sandbox, "v3applicationcredential", _application(sandbox), project_name="eu-de").token()


def test_an_application_credential_for_another_project_is_refused(sandbox: Sandbox) -> None:
    other = sandbox.account.other_project_id

    with pytest.raises(AuthenticationError) as caught:
        _source(sandbox, "v3applicationcredential", _application(sandbox), project_id=other).token()

    assert f'a token that is for project "eu-de ({sandbox.project_id})", not for project "{other}"' in str(caught.value)


def test_a_refused_login_names_the_cloud(sandbox: Sandbox, tmp_path: Path) -> None:
    options = _application(sandbox, application_credential_secret=WRONG)

    with pytest.raises(AuthenticationError) as caught:
        _cloud(tmp_path, sandbox, "v3applicationcredential", options).token()

    text = str(caught.value)
    assert text.startswith(f"IAM at {sandbox.auth_url} refused the login by v3applicationcredential: 401 ")
    assert f'Check the login (cloud "otc" in {tmp_path}/clouds.yaml)' in text


def test_a_refused_login_is_not_tried_again_at_once(sandbox: Sandbox) -> None:
    source = _source(sandbox, "v3applicationcredential", _application(sandbox, application_credential_secret=WRONG))
    for _ in range(3):
        with pytest.raises(AuthenticationError):
            source.token()

    assert len(sandbox.calls("tokens")) == 1


def test_a_revoked_token_is_replaced(sandbox: Sandbox) -> None:
    source = _source(sandbox, "v3applicationcredential", _application(sandbox))
    old = source.token()
    sandbox.revoke_tokens()

    assert source.renew(old)
    assert source.token() != old


def test_a_dead_token_can_not_be_exchanged(sandbox: Sandbox) -> None:
    with pytest.raises(AuthenticationError, match="refused the login by v3token for project"):
        _source(sandbox, "v3token", {"token": "dead"}, project_id=sandbox.project_id).token()


@pytest.mark.parametrize("fault", [faults.throttled("tokens"), faults.html("tokens", 503), faults.drop_before("tokens")])
def test_a_failure_that_may_pass_is_retryable(fault: Any, sandbox: Sandbox) -> None:
    sandbox.inject(fault)

    with pytest.raises(DrsError) as caught:
        _source(sandbox, "v3applicationcredential", _application(sandbox)).token()

    assert caught.value.retryable


class _Federation(BaseHTTPRequestHandler):
    """An IAM with an identity provider: gives an unscoped token for an access token, and a token for a project for that."""

    seen: list[tuple[str, str | None, Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        type(self).seen.append((self.path, self.headers.get("Authorization"), body))
        is_federated = "/OS-FEDERATION/" in self.path
        if self.path.endswith("/token"):
            self._answer(200, {"access_token": "from-the-provider"}, {})
            return
        if self.path.endswith("/redirect"):
            self._answer(302, {}, {"Location": f"http://127.0.0.1:{self.server.server_address[1]}/elsewhere"})
            return
        token: dict[str, Any] = {"issued_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-02T00:00:00Z", "methods": []}
        if not is_federated:
            token["project"] = {"id": "f" * 32, "name": "eu-de", "domain": {"id": "d", "name": "d"}}
        token["user"] = {"id": "u", "name": "u", "domain": {"id": "d", "name": "d"}}
        self._answer(201, {"token": token}, {"X-Subject-Token": "unscoped" if is_federated else "for-the-project"})

    def _answer(self, status: int, body: Any, headers: dict[str, str]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Tests are quiet."""


@pytest.fixture
def federation() -> Iterator[str]:
    _Federation.seen = []
    server = HTTPServer(("127.0.0.1", 0), _Federation)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


PROVIDER = {"identity_provider": "idp", "protocol": "openid"}


def test_a_token_of_an_identity_provider_becomes_one_for_the_project(federation: str) -> None:
    source = IamLogin(
        f"{federation}/v3", {**PROVIDER, "access_token": "theirs"}, auth_type="v3oidcaccesstoken", project_id="f" * 32
    )

    assert source.token() == "for-the-project"
    (path, authorization, _), (_, _, second) = _Federation.seen
    assert path == "/v3/OS-FEDERATION/identity_providers/idp/protocols/openid/auth"
    assert authorization == "Bearer theirs"
    assert json.loads(second)["auth"]["identity"]["token"] == {"id": "unscoped"}


def _with_provider(federation: str, endpoint: str) -> IamLogin:
    options = {**PROVIDER, "client_id": "c", "client_secret": "client-secret", "username": "u", "password": "idp-password"}
    options |= {"access_token_endpoint": f"{federation}/{endpoint}", "scope": "openid"}
    return IamLogin(f"{federation}/v3", options, auth_type="v3oidcpassword", project_id="f" * 32)


def test_a_password_for_an_identity_provider_is_in_no_log(federation: str, caplog: pytest.LogCaptureFixture) -> None:
    """keystoneauth would log it: bodies that are not IAM's own are no secret to it."""
    caplog.set_level(logging.DEBUG)

    assert _with_provider(federation, "token").token() == "for-the-project"
    assert b"idp-password" in _Federation.seen[0][2]
    assert not any(secret in caplog.text for secret in ("idp-password", "client-secret", "from-the-provider", "for-the-project"))


def test_a_redirect_does_not_get_the_password_for_an_identity_provider(federation: str) -> None:
    with pytest.raises(DrsError) as caught:
        _with_provider(federation, "redirect").token()

    assert len(_Federation.seen) == 1
    assert "idp-password" not in "".join(traceback.format_exception(caught.value))


def test_no_secret_of_a_login_is_shown_or_raised(sandbox: Sandbox) -> None:
    echo = {"error": {"message": f"no such secret: {WRONG}", "code": 401}}
    sandbox.inject(faults.answer("tokens", 401, echo))
    source = _source(sandbox, "v3applicationcredential", _application(sandbox, application_credential_secret=WRONG))

    with pytest.raises(AuthenticationError) as caught:
        source.token()

    assert WRONG not in str(caught.value) + repr(source)


def test_a_certificate_that_is_gone_is_told(tmp_path: Path) -> None:
    source = IamLogin(
        "https://127.0.0.1:9/v3",
        {"token": "t"},
        auth_type="v3token",
        project_id="p",
        client_cert=(str(tmp_path / "gone.pem"), str(tmp_path / "gone.pem")),
    )
    with pytest.raises((AuthenticationError, UnreachableError)) as caught:
        source.token()

    assert "gone.pem" in str(caught.value)


def test_a_ready_token_of_a_domain_is_refused(sandbox: Sandbox) -> None:
    sandbox.inject(faults.answer("validate", 200, {"token": {"domain": {"id": "d", "name": "ours"}}}))

    with pytest.raises(AuthenticationError, match=r'the token is for domain "ours \(d\)" as a whole, not for a project'):
        ReadyToken("ready", auth_url=sandbox.auth_url).project_id()
