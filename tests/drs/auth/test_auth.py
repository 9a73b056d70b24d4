"""Tokens, got over real HTTP from the sandbox's IAM."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pulumi_drs_start import __version__
from pulumi_drs_start.drs.auth import sources as auth
from pulumi_drs_start.drs.auth.sources import IamLogin, ReadyToken
from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.errors import AuthenticationError, DrsError
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.sandbox import Sandbox, faults
from pulumi_drs_start.settings import load_settings, token_source

PASSWORD = "correct-horse-battery"
WRONG = "wrong-horse-battery"
Make = Callable[..., IamLogin]


class FakeClock:
    """Monotonic seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(password=PASSWORD) as sandbox:
        yield sandbox


@pytest.fixture
def make(sandbox: Sandbox) -> Make:
    """Makes a login that succeeds, but for what the test changes."""

    def make(**changes: Any) -> IamLogin:
        facts = {
            "password": PASSWORD,
            "username": sandbox.username,
            "user_domain_name": sandbox.domain_name,
            "project_id": sandbox.project_id,
        }
        facts |= changes
        options = {
            name: facts.pop(name, None) for name in ("username", "user_id", "password", "user_domain_id", "user_domain_name")
        }
        return IamLogin(sandbox.auth_url, options, **facts)

    return make


def _logins(sandbox: Sandbox) -> int:
    return len(sandbox.calls("tokens"))


def test_a_right_password_gives_a_token(make: Make) -> None:
    assert make().token().startswith("MII")


def test_a_project_id_is_known_without_a_login(sandbox: Sandbox, make: Make) -> None:
    assert make().project_id() == sandbox.project_id
    assert _logins(sandbox) == 0


def test_a_project_name_is_resolved_by_the_token(sandbox: Sandbox, make: Make) -> None:
    source = make(project_id=None, project_name=sandbox.account.other_project_name)

    assert source.project_id() == sandbox.account.other_project_id
    source.token()
    assert _logins(sandbox) == 1


@pytest.mark.parametrize("by", ["user_id", "user_domain_id", "project_domain_id"])
def test_ids_do_where_names_would(by: str, sandbox: Sandbox, make: Make) -> None:
    account = sandbox.account
    changes = {
        "user_id": {"user_id": account.user_id, "username": None, "user_domain_name": None},
        "user_domain_id": {"user_domain_id": account.domain_id, "user_domain_name": None},
        "project_domain_id": {"project_id": None, "project_name": "eu-de", "project_domain_id": account.domain_id},
    }

    assert make(**changes[by]).token()


def test_a_project_is_looked_for_in_the_domain_it_is_said_to_be_in(make: Make) -> None:
    with pytest.raises(AuthenticationError):
        make(project_id=None, project_name="eu-de", project_domain_name="elsewhere").token()


def test_a_token_is_asked_for_once(sandbox: Sandbox, make: Make) -> None:
    source = make()

    assert source.token() == source.token()
    assert _logins(sandbox) == 1


def test_eight_threads_make_one_login(sandbox: Sandbox, make: Make) -> None:
    sandbox.set_policy(latency_ms=100)
    source = make()
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: source.token(), range(8)))

    assert len(set(tokens)) == 1
    assert _logins(sandbox) == 1


def test_threads_that_waited_for_a_failure_share_it(sandbox: Sandbox, make: Make) -> None:
    """Eight timeouts one after the other would take minutes."""
    sandbox.inject(faults.answer("tokens", 503, {}, times=None))
    sandbox.set_policy(latency_ms=300)
    source = make()

    def error(_: int) -> DrsError | None:
        try:
            source.token()
        except DrsError as exc:
            return exc
        return None

    with ThreadPoolExecutor(8) as pool:
        errors = list(pool.map(error, range(8)))

    assert all(exc is not None and exc.retryable for exc in errors)
    assert _logins(sandbox) == 1


def test_a_revoked_token_is_replaced(sandbox: Sandbox, make: Make) -> None:
    source = make()
    old = source.token()
    sandbox.revoke_tokens()

    assert source.renew(old)
    assert source.token() != old


def test_a_token_that_was_replaced_already_is_not_replaced_again(sandbox: Sandbox, make: Make) -> None:
    source = make()
    old = source.token()
    source.renew(old)
    new = source.token()

    assert source.renew(old)
    assert source.token() == new
    assert _logins(sandbox) == 2


def test_a_token_near_its_end_is_replaced(sandbox: Sandbox, make: Make) -> None:
    clock = FakeClock()
    source = make(clock=clock)
    old = source.token()

    clock.now += 86_400 - auth.STALE_SECONDS - 1
    assert source.token() == old
    clock.now += 2
    assert source.token() != old
    assert _logins(sandbox) == 2


def test_even_a_short_lived_token_is_kept_for_a_while(sandbox: Sandbox, make: Make) -> None:
    sandbox.set_policy(token_lifetime=60)
    clock = FakeClock()
    source = make(clock=clock)
    old = source.token()
    clock.now += 50

    assert source.token() == old


def test_a_refused_login_is_not_tried_again_at_once(sandbox: Sandbox, make: Make) -> None:
    """IAM locks accounts that keep trying."""
    source = make(password=WRONG)
    for _ in range(5):
        with pytest.raises(AuthenticationError):
            source.token()

    assert _logins(sandbox) == 1


def test_a_refused_login_is_tried_again_after_a_while(sandbox: Sandbox, make: Make) -> None:
    clock = FakeClock()
    source = make(password=WRONG, clock=clock)
    for _ in range(2):
        with pytest.raises(AuthenticationError):
            source.token()
        clock.now += auth.REFUSAL_SECONDS + 1

    assert _logins(sandbox) == 2


def test_a_failure_that_may_pass_is_tried_again_at_once(sandbox: Sandbox, make: Make) -> None:
    sandbox.inject(faults.answer("tokens", 503, {}))
    source = make()
    with pytest.raises(DrsError):
        source.token()

    assert source.token()


def test_iam_and_drs_learn_who_we_are(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    import requests

    seen: list[str] = []
    send = requests.Session.send

    def spy(self: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        seen.append(str(request.headers["User-Agent"]))
        return send(self, request, **options)

    monkeypatch.setattr(requests.Session, "send", spy)
    tokens = token_source(load_settings({}, sandbox.environment))
    DrsClient(sandbox.url, tokens).get_statuses(["a"], TimeBudget(60))

    assert {agent.split()[0] for agent in seen} == {f"pulumi-drs-start/{__version__}"}


def test_settings_of_the_environment_are_enough_for_a_login(sandbox: Sandbox) -> None:
    assert token_source(load_settings({}, sandbox.environment)).token()


def test_no_proxy_leads_to_this_machine(monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    assert make().token()


def test_a_ready_token_is_used_as_it_is(sandbox: Sandbox) -> None:
    source = ReadyToken("ready", project_id="p", auth_url=sandbox.auth_url)

    assert (source.token(), source.project_id()) == ("ready", "p")
    assert _logins(sandbox) == 0


def test_a_ready_token_can_not_be_renewed() -> None:
    assert not ReadyToken("ready", project_id="p").renew("ready")


@pytest.mark.parametrize("project_name", [None, "eu-de"])
def test_iam_tells_the_project_of_a_ready_token_once(project_name: str | None, sandbox: Sandbox, make: Make) -> None:
    source = ReadyToken(make().token(), auth_url=sandbox.auth_url, project_name=project_name)

    assert source.project_id() == source.project_id() == sandbox.project_id
    assert [call["operation"] for call in sandbox.calls()] == ["tokens", "validate"]


def test_a_ready_token_of_another_project_is_refused(sandbox: Sandbox, make: Make) -> None:
    source = ReadyToken(make().token(), auth_url=sandbox.auth_url, project_name="eu-de_other")

    with pytest.raises(AuthenticationError, match=r'the token is for project "eu-de \(0123.*\)", not for project "eu-de_other"'):
        source.project_id()


def test_a_ready_token_of_no_project_is_refused(sandbox: Sandbox, make: Make) -> None:
    source = ReadyToken(make(project_id=None, user_domain_name=sandbox.domain_name).token(), auth_url=sandbox.auth_url)

    with pytest.raises(AuthenticationError, match=r"the token is for nothing in particular \(unscoped\), not for a project"):
        source.project_id()


def test_a_ready_token_that_is_dead_is_refused(sandbox: Sandbox) -> None:
    source = ReadyToken("MIIdead", auth_url=sandbox.auth_url, advice="Check the token (OS_TOKEN).")

    with pytest.raises(AuthenticationError, match=r"refused the token: 401 .*Check the token \(OS_TOKEN\)"):
        source.project_id()


def test_a_ready_token_without_any_way_to_its_project_says_so() -> None:
    with pytest.raises(AuthenticationError, match="nothing tells the project of the token"):
        ReadyToken("ready").project_id()


@pytest.mark.parametrize("level", [logging.DEBUG])
@pytest.mark.parametrize("password", [PASSWORD, WRONG])
def test_no_secret_is_logged_shown_or_raised(
    password: str, level: int, sandbox: Sandbox, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(level)
    source = make(password=password)
    texts = [repr(source), str(source)]
    secrets = [password]
    try:
        token = source.token()
        ready = ReadyToken(token, auth_url=sandbox.auth_url)
        ready.project_id()
        secrets.append(token)
        texts.append(repr(ready))
    except AuthenticationError as exc:
        texts += traceback.format_exception(exc)
        texts.append(repr(exc))
    texts += [record.getMessage() for record in caplog.records]

    assert len(caplog.records) > 0
    assert not any(secret in text for secret in secrets for text in texts)


def test_an_iam_that_repeats_the_password_does_not_get_it_into_our_error(sandbox: Sandbox, make: Make) -> None:
    sandbox.inject(faults.answer("tokens", 401, {"error": {"message": f"wrong password {PASSWORD}", "code": 401}}))

    with pytest.raises(AuthenticationError) as caught:
        make().token()

    assert PASSWORD not in str(caught.value)
