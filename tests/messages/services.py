"""Messages about logins and calls: what IAM and DRS answered, or that they did not, and what to do."""
# ruff: noqa: B023 - functions that are made in a loop are called in it

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from keystoneauth1 import exceptions as ks

from pulumi_drs_start.drs.auth.errors import WrongScopeError, check_scope, translate
from pulumi_drs_start.drs.auth.plugins import PluginError, make_plugin
from pulumi_drs_start.drs.auth.signing import SigningAuth
from pulumi_drs_start.drs.auth.sources import ADVICE, IamLogin, ReadyToken
from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.clock import Clock
from pulumi_drs_start.drs.errors import _BY_CODE, DrsError, refusal_for
from pulumi_drs_start.drs.http import transport
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.drs.http.concurrency import ConcurrencyLimit
from pulumi_drs_start.drs.http.exchange import exchange
from pulumi_drs_start.drs.http.retry import RetryPolicy
from pulumi_drs_start.reconcile.plan import Reason, Why

from .page import IDS, Page, speaker

DRS, IAM = "https://drs.eu-de.otc.t-systems.com", "https://iam.eu-de.otc.t-systems.com/v3"
PROJECT = {"id": "0123456789abcdef0123456789abcdef", "name": "eu-de_crm"}
UNTRUSTED = "CERTIFICATE_VERIFY_FAILED: self-signed certificate"
SECOND_FACTOR = {"required_auth_methods": [], "receipt": {"methods": [], "expires_at": "2026-12-01T02:00:00Z"}}


class _QuickClock(Clock):
    """A clock that sleeping sets forward."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class _Session:
    """Stands for a connection whose every answer is this one."""

    verify = True

    def __init__(self, answer: requests.Response | Exception) -> None:
        self.answer, self.was_asked = answer, False

    def request(self, *_: Any, **__: Any) -> requests.Response:
        self.was_asked = True
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def _answer(status: int, content: Any, **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code, response.headers = status, requests.structures.CaseInsensitiveDict(headers)
    response._content = content if isinstance(content, bytes) else json.dumps(content).encode()
    return response


def _fails(call: Callable[[], Any]) -> DrsError:
    try:
        call()
    except DrsError as error:
        return error
    raise AssertionError("it was to fail")


def render(page: Page) -> None:
    """Write every message about logins and calls."""
    _logins(page)
    _calls(page)
    _waits(page)


def _logins(page: Page) -> None:
    page.section("When a login fails")
    advice = ADVICE
    login = IamLogin(IAM, {"username": "me", "user_domain_name": "d"}, project_name="eu-de_crm", advice=advice)
    subject = login._subject
    body = {"error": {"message": "The username or password is wrong.", "code": 401}}
    errors: list[Exception] = [
        ks.Unauthorized("no", response=_answer(401, body)),
        ks.Unauthorized("no", response=_answer(401, {"error_code": "IAM.0001", "error_msg": "The project does not exist."})),
        ks.Forbidden("You may not."),
        ks.HTTPClientError("Too many requests.", http_status=429),
        ks.ServiceUnavailable("Busy."),
        ks.ConnectFailure("Connection refused"),
        ks.SSLError(UNTRUSTED),
        ks.InvalidResponse(response=_answer(302, {}, Location="https://portal.example/login?x=1")),
        ks.MissingAuthMethods(_answer(401, SECOND_FACTOR)),
        OSError(2, "Could not find a suitable TLS CA certificate bundle: /no/such.pem"),
        KeyError("token"),
        transport.UnusableBodyError("is larger than 4 MiB"),
    ]
    with pytest.raises(PluginError) as unusable:
        make_plugin("v3websso", IAM, {}, {})
    errors.append(unusable.value)
    for project, domain, wanted_id, wanted_name in (
        ({}, {}, PROJECT["id"], None),
        ({}, {}, None, None),
        ({}, {"name": "OTC00000000001000000447", "id": "d"}, None, "eu-de_crm"),
        (PROJECT, {}, None, "eu-de_shop"),
    ):
        with pytest.raises(WrongScopeError) as wrong:
            check_scope(project, domain, wanted_id=wanted_id, wanted_name=wanted_name, is_needed=True)
        errors.append(wrong.value)
    for error in errors:
        page.both(lambda say: [say.error(translate(error, subject, IAM, advice, project_name="eu-de_crm"))])
    login._login = SimpleNamespace(token="", project_id=None, stale_at=float("inf"))  # type: ignore[assignment]
    others = [IamLogin(IAM, {"user_id": "a1"}, project_id=PROJECT["id"]), IamLogin(IAM, {}, auth_type="v3token")]
    for other in others:
        page.both(lambda say: [say.error(translate(errors[0], other._subject, IAM, advice))])
    key = SigningAuth("key", "hidden-word", project_id=PROJECT["id"])
    rejected = refusal_for("APIG.0301", "Incorrect IAM authentication information.", status=401)
    ready = ReadyToken("hidden-word", auth_url=IAM)
    page.patch.setattr(ReadyToken, "_read_token", lambda *_: {"domain": {"name": "OTC00000000001000000447"}})
    for call in (
        lambda: login.project_id(),
        lambda: key.renew("", rejected),
        lambda: key.token(),
        lambda: SigningAuth("key", "hidden-word", project_id="").renew(""),
        lambda: ReadyToken("hidden-word").project_id(),
        lambda: ready.project_id(),
    ):
        page.both(lambda say: [say.error(_fails(call))])


def _calls(page: Page) -> None:
    page.section("When a call of DRS fails")
    page.part("by DRS's code")
    for code in (*_BY_CODE, ""):
        refusal = refusal_for(code, "DRS's own text.", status=400, request_id="5b1e7f")
        page.both(lambda say: [say.error(refusal)])
    page.part("by what answered, or did not")
    budget = TimeBudget(60)
    answers: list[requests.Response | Exception] = [
        _answer(502, b"<html><title>Bad Gateway</title></html>"),
        _answer(500, b""),
        _answer(503, {"error_code": "APIG.0610", "error_msg": "No backend available."}),
        _answer(429, {"error_code": "APIG.0308", "error_msg": "Throttled."}, **{"Retry-After": "7"}),
        _answer(200, b"Welcome to the portal"),
        _answer(302, b"", Location="https://portal.example"),
        _answer(202, {"results": 5}),
        _answer(202, []),
        _answer(200, {"results": [{"id": IDS[0]}]}),
        requests.ConnectTimeout("timed out"),
        requests.ReadTimeout("timed out"),
        requests.ConnectionError("reset"),
        requests.exceptions.SSLError(UNTRUSTED),
        OSError(2, "Could not find a suitable TLS CA certificate bundle: /no/such.pem"),
    ]
    for headers, body in (({"Content-Encoding": "br"}, b""), ({}, bytes(2 << 20))):
        packed: Any = SimpleNamespace(headers=headers, raw=SimpleNamespace(read=lambda *_, body=body, **__: body))
        with pytest.raises(transport.UnusableBodyError) as unusable:
            transport._read_body(packed, 1 << 20)
        answers.append(unusable.value)
    told: list[DrsError] = []
    for answer in answers:
        client = _client(page, answer)
        error = _fails(lambda: client.get_statuses(IDS[:1], budget))
        told.append(error)
        page.both(lambda say: [say.error(error)])
    session = _Session(requests.ReadTimeout("timed out"))
    cancelled = TimeBudget(60, is_wanted=lambda: not session.was_asked)
    page.both(lambda say: [say.error(_fails(lambda: exchange(session, "POST", DRS, {}, {}, cancelled)))])  # type: ignore[arg-type]
    nameless = _client(page, _answer(200, {"results": [{"job_id": "j", "precheck_result": [{"result": "FAILED"}]}]}))
    found = nameless.get_precheck_results({"j": None}, budget).found
    page.say(speaker().why(Why(Reason.PRECHECK_FAILED, findings=found["j"].failed)))
    page.patch.setattr("pulumi_drs_start.drs.calls.listing.MOST_PAGES", 1)
    endless = _client(page, _answer(200, {"total_record": 5, "jobs": [{"id": "a"}]}))
    page.both(lambda say: [say.error(_fails(lambda: endless.list_jobs(budget, db_use_type="sync")))])
    page.part("when the time is up, or the user cancels")
    cancelled = TimeBudget(90, is_wanted=lambda: False)
    for ended in (TimeBudget(0).check, cancelled.check, _wait_for_login, _wait_for_project):
        page.both(lambda say: [say.error(_fails(ended))])
    page.part("while it is asked again")
    for error in (
        *told,
        translate(ks.ConnectFailure("timed out"), "", IAM, ""),
    ):
        page.say(*_while_repeated(error))
    for code in ("DRS.M01503", "DRS.M01501"):
        page.say(*_while_repeated(refusal_for(code, "DRS's own text.", status=202)))
        page.say(*_while_repeated(refusal_for(code, "", status=500)))


def _client(page: Page, answer: requests.Response | Exception) -> DrsClient:
    page.patch.setattr(transport, "new_session", lambda *_, **__: _Session(answer))
    return DrsClient(DRS, ReadyToken("hidden-word", project_id=PROJECT["id"]), retry=RetryPolicy(attempts=1))


def _wait_for_login() -> None:
    login = IamLogin(IAM, {"username": "me"}, project_id=PROJECT["id"])
    with login._lock:
        login.token(TimeBudget(0))


def _wait_for_project() -> None:
    ready = ReadyToken("hidden-word", auth_url=IAM)
    with ready._lock:
        ready.project_id(TimeBudget(0))


def _while_repeated(error: DrsError) -> list[str]:
    """What is shown while a call is repeated that ends in this error."""
    told: list[str] = []

    def call() -> None:
        raise error

    budget = TimeBudget(60, _QuickClock(), on_wait=told.append)
    _fails(lambda: RetryPolicy(attempts=2, first_wait_seconds=4, jitter=lambda: 1.0).call(call, budget))
    return told


def _waits(page: Page) -> None:
    told: list[str] = []
    limit = ConcurrencyLimit()
    limit.serialize()
    with limit.one(TimeBudget(5)):
        _fails(lambda: limit.one(TimeBudget(0.02, on_wait=told.append)).__enter__())
    page.say(*told)
