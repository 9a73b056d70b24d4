"""Requests signed with an access key: what the sandbox makes of them, and the vendor's own SDK of the same ones."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.algorithm import SigningAlgorithm
from huaweicloudsdkdrs.v3 import DrsClient as VendorClient
from huaweicloudsdkdrs.v3 import model

from pulumi_drs_start.drs.auth.signing import SigningAuth
from pulumi_drs_start.drs.auth.sources import REFUSAL_SECONDS
from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.clock import Clock
from pulumi_drs_start.drs.errors import AuthenticationError, PermissionDeniedError, TokenRejectedError
from pulumi_drs_start.drs.http import transport
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.drs.http.exchange import fingerprint
from pulumi_drs_start.sandbox import Sandbox, faults, make_job
from pulumi_drs_start.settings import load_settings, token_source
from tests.drs.conftest import VirtualClock

PROJECT = "0123456789abcdef0123456789abcdef"
DATE = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(VirtualClock().time()))
WRONG = "wrong-secret-key-wrong-secret-key"
MakeAuth = Callable[..., SigningAuth]


class ClockAt(Clock):
    """A clock that shows another time of day."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def time(self) -> float:
        return self._now()


@pytest.fixture
def auth(sandbox: Sandbox) -> MakeAuth:
    """Makes a SigningAuth with the sandbox's keys, but for what the test changes."""
    account = sandbox.account

    def make(secret_key: str = account.secret_key, **changes: Any) -> SigningAuth:
        options = {"project_id": sandbox.project_id} | changes
        return SigningAuth(options.pop("access_key", account.access_key), secret_key, **options)

    return make


@pytest.fixture(autouse=True)
def _jobs(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))


def _status(client: DrsClient) -> str:
    return client.get_statuses(["a"], TimeBudget(20))["a"].status


# -- at the sandbox ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("security_token", [None, "temporary"])
def test_signed_requests_read_and_start_jobs(
    security_token: str | None, sandbox: Sandbox, make_client: Any, auth: MakeAuth, start: Any
) -> None:
    client = make_client(tokens=auth(security_token=security_token))

    assert client.start_jobs(start("a", "b"), TimeBudget(20)).accepted == {"a", "b"}
    assert _status(client) != "CONFIGURATION"
    assert sandbox.calls("tokens") == []


def test_every_method_is_signed(make_client: Any, auth: MakeAuth) -> None:
    """Stopping is a DELETE with a body."""
    client = make_client(tokens=auth())

    assert client.stop_jobs(["a"], TimeBudget(20)).unanswered == frozenset()


def test_settings_of_the_environment_are_enough(sandbox: Sandbox, make_client: Any) -> None:
    account = sandbox.account
    environment = {
        "OS_ACCESS_KEY": account.access_key,
        "OS_SECRET_KEY": account.secret_key,
        "OS_PROJECT_ID": sandbox.project_id,
        "DRS_ENDPOINT": sandbox.url,
    }

    assert _status(make_client(tokens=token_source(load_settings({}, environment)))) == "CONFIGURATION"


def test_a_wrong_secret_key_is_told_with_what_to_check(sandbox: Sandbox, make_client: Any, auth: MakeAuth) -> None:
    with pytest.raises(AuthenticationError) as caught:
        _status(make_client(tokens=auth(WRONG, advice="Check the access key (OS_ACCESS_KEY).")))

    text = str(caught.value)
    assert text.startswith("the access key was refused (APIGW.0301: ")
    assert "Check the access key (OS_ACCESS_KEY). This machine's clock" in text
    assert len(sandbox.calls("batch-status")) == 1


@pytest.mark.parametrize("change", [{"access_key": "ANOTHER"}, {"clock": ClockAt(lambda: time.time() - 3600)}])
def test_another_key_and_a_wrong_clock_are_refused(change: dict[str, Any], make_client: Any, auth: MakeAuth) -> None:
    with pytest.raises(AuthenticationError):
        _status(make_client(tokens=auth(**change)))


def test_a_refused_key_is_not_tried_again_at_once(sandbox: Sandbox, make_client: Any, auth: MakeAuth) -> None:
    """Five bad signatures in a row lock it."""
    clock = VirtualClock()
    client = make_client(tokens=auth(WRONG, clock=clock))
    for _ in range(6):
        with pytest.raises(AuthenticationError, match="refused"):
            _status(client)
    assert len(sandbox.calls("batch-status")) == 1

    clock.now += REFUSAL_SECONDS + 1
    with pytest.raises(AuthenticationError):
        _status(client)
    assert len(sandbox.calls("batch-status")) == 2


def test_a_service_that_takes_tokens_only_is_told_apart_from_a_wrong_key(
    sandbox: Sandbox, make_client: Any, auth: MakeAuth
) -> None:
    sandbox.inject(faults.refuse("batch-status", "DRS.M00100"))

    with pytest.raises(AuthenticationError, match=r"DRS\.M00100.*DRS does not document access keys"):
        _status(make_client(tokens=auth()))


def test_a_project_that_is_not_the_key_s_is_told_by_its_code(make_client: Any, auth: MakeAuth) -> None:
    with pytest.raises(PermissionDeniedError, match=r"DRS\.M00261"):
        _status(make_client(tokens=auth(project_id="e" * 32)))


def test_a_repeated_request_is_signed_anew(sandbox: Sandbox, make_client: Any, auth: MakeAuth) -> None:
    sandbox.inject(faults.throttled("batch-status", 0))
    moments = iter([time.time() - 1, time.time()])

    assert _status(make_client(tokens=auth(clock=ClockAt(lambda: next(moments))))) == "CONFIGURATION"


def test_a_password_for_the_host_in_netrc_does_not_replace_the_signature(
    make_client: Any, auth: MakeAuth, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setattr(transport, "is_loopback", lambda _: False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert _status(make_client(tokens=auth())) == "CONFIGURATION"


@pytest.mark.parametrize("secret", [None, WRONG])
def test_neither_key_is_logged_shown_or_raised(
    secret: str | None, sandbox: Sandbox, make_client: Any, auth: MakeAuth, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    source = auth(secret or sandbox.account.secret_key, security_token="temporary-token")
    texts = [repr(source), repr(vars(source)["_keys"])]
    try:
        _status(make_client(tokens=source))
    except AuthenticationError as exc:
        texts += traceback.format_exception(exc)
    texts.append(caplog.text)

    assert f"key={fingerprint(sandbox.account.access_key)}" in caplog.text
    for hidden in (sandbox.account.access_key, sandbox.account.secret_key, WRONG, "temporary-token"):
        assert not any(hidden in text for text in texts)


# -- beside the vendor's SDK -------------------------------------------------------------------------------------------


def _vendors(url: str, method: str, body: bytes, security_token: str | None) -> dict[str, str]:
    """The headers that the vendor's credentials make of the same request."""
    credentials = BasicCredentials("AK", "SK", PROJECT)
    if security_token:
        credentials.with_security_token(security_token)
    host, _, path = url.partition("://")[2].partition("/")
    request = SdkRequest(
        method=method,
        schema="https",
        host=host,
        resource_path=f"/{path}",
        query_params=[],
        header_params={"Content-Type": "application/json", "X-Sdk-Date": DATE},
        body=body,
        signing_algorithm=SigningAlgorithm.HMAC_SHA256,
    )
    headers: dict[str, str] = credentials.sign_request(request).header_params
    return headers


@pytest.mark.parametrize("security_token", [None, "temporary"])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("body", [b'{"jobs": ["a"]}', '{"jobs": ["ü"]}'.encode(), b""])
@pytest.mark.parametrize("host", ["drs.eu-de.otc.t-systems.com", "drs.example:8443"])
def test_the_signature_is_the_vendor_s(security_token: str | None, method: str, body: bytes, host: str) -> None:
    url = f"https://{host}/v3/{PROJECT}/jobs/batch-starting"
    source = SigningAuth("AK", "SK", project_id=PROJECT, security_token=security_token, clock=VirtualClock())

    ours = source.headers(source.token(), method, url, body)

    theirs = _vendors(url, method, body, security_token)
    assert theirs.pop("Host") == host
    assert ours == theirs
    assert "host;" in ours["Authorization"]


@pytest.mark.filterwarnings("ignore:Method '.*' of DrsClient is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:As of 3.1.27:DeprecationWarning")
def test_what_the_vendor_s_client_signs_is_signed_here_too(
    sandbox: Sandbox, make_client: Any, auth: MakeAuth, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, set[str]]] = []
    send = requests.Session.send

    def spy(self: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        authorization = str(request.headers["Authorization"])
        seen.append((request.url or "", set(authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";"))))
        return send(self, request, **options)

    monkeypatch.setattr(requests.Session, "send", spy)
    account = sandbox.account
    keys = BasicCredentials(account.access_key, account.secret_key, account.project_id)
    builder = VendorClient.new_builder().with_http_config(HttpConfig.get_default_config()).with_credentials(keys)
    body = model.BatchQueryJobReqPage(jobs=["a"], page_req=model.PageReq(cur_page=1, per_page=0))
    builder.with_endpoint(sandbox.url).build().batch_list_job_status(model.BatchListJobStatusRequest(body=body))
    _status(make_client(tokens=auth()))

    (their_url, theirs), (our_url, ours) = seen
    assert their_url == our_url
    # A proxy on the way may change the user agent; the language has no meaning before the answer.
    assert theirs - ours <= {"user-agent", "x-language"}
    assert ours <= theirs


# -- by itself ---------------------------------------------------------------------------------------------------------


def test_an_access_key_can_not_be_renewed() -> None:
    source = SigningAuth("AK", "SK", project_id=PROJECT)

    with pytest.raises(AuthenticationError, match="the access key was refused"):
        source.renew(source.token(), TokenRejectedError("APIGW.0301", "no", status=401))


def test_the_signer_is_imported_with_the_first_request() -> None:
    code = """
import sys
from pulumi_drs_start.drs.auth.signing import SigningAuth
source = SigningAuth("AK", "SK", project_id="p")
print("huaweicloudsdkcore" in sys.modules)
source.headers(source.token(), "POST", "https://drs.example/v3", b"{}")
print("huaweicloudsdkcore" in sys.modules, "requests" in sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout.split() == ["False", "True", "False"]
