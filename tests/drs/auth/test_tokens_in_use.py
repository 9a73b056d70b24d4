"""A token that is refused: renewed once, whichever code says so; a missing permission is not a token's fault."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pulumi_drs_start.drs.auth.sources import ReadyToken
from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.errors import AuthenticationError, DrsError, PermissionDeniedError, TokenRejectedError
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.sandbox import Sandbox, faults, make_job

READ, START = "batch-status", "batch-starting"
both_codes = pytest.mark.parametrize("bad_token", ["drs", "gateway"])


@pytest.fixture(autouse=True)
def _jobs(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a"))


def test_one_login_serves_many_calls(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    for _ in range(3):
        client.get_statuses(["a"], budget)
    assert len(sandbox.calls("tokens")) == 1


@both_codes
def test_a_revoked_token_is_renewed_once(sandbox: Sandbox, client: DrsClient, budget: TimeBudget, bad_token: Any) -> None:
    sandbox.set_policy(bad_token=bad_token)
    client.get_statuses(["a"], budget)
    sandbox.revoke_tokens()
    sandbox.clear_calls()

    assert client.get_statuses(["a"], budget)["a"].status == "CONFIGURATION"

    assert [call["operation"] for call in sandbox.calls()] == [READ, "tokens", READ]


@both_codes
def test_a_start_refused_for_its_token_is_sent_again(
    sandbox: Sandbox, client: DrsClient, start: Any, budget: TimeBudget, bad_token: Any
) -> None:
    """A refused token means that DRS did nothing."""
    sandbox.set_policy(bad_token=bad_token)
    sandbox.inject(faults.expire_token(START))
    assert client.start_jobs(start("a"), budget).accepted == {"a"}
    assert sandbox.job("a")["starts"] == 1


@both_codes
def test_a_token_that_is_always_refused_is_renewed_no_more_than_once(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, bad_token: Any
) -> None:
    sandbox.set_policy(bad_token=bad_token)
    sandbox.inject(faults.expire_token(READ, times=None))
    with pytest.raises(TokenRejectedError):
        client.get_statuses(["a"], budget)
    assert len(sandbox.calls("tokens")) == 2
    assert len(sandbox.calls(READ)) == 2


@pytest.mark.parametrize("code", ["DRS.M00103", "DRS.M00102", "DRS.M00105", "DRS.M00261"])
def test_a_missing_permission_is_neither_retried_nor_a_reason_for_a_new_token(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, code: str
) -> None:
    sandbox.inject(faults.refuse(READ, code, times=None))
    with pytest.raises(PermissionDeniedError) as caught:
        client.get_statuses(["a"], budget)
    assert caught.value.code == code
    assert len(sandbox.calls("tokens")) == 1
    assert len(sandbox.calls(READ)) == 1


def test_a_ready_token_that_is_refused_can_t_be_renewed(sandbox: Sandbox, make_client: Any, budget: TimeBudget) -> None:
    client = make_client(tokens=ReadyToken("worn-out-token", project_id=sandbox.project_id))
    with pytest.raises(TokenRejectedError):
        client.get_statuses(["a"], budget)
    assert len(sandbox.calls(READ)) == 1


def test_a_project_that_is_not_the_token_s_is_told_by_its_code(
    sandbox: Sandbox, make_client: Any, client: DrsClient, budget: TimeBudget
) -> None:
    token = client._tokens.token()
    other = make_client(tokens=ReadyToken(token, project_id=sandbox.account.other_project_id))
    with pytest.raises(PermissionDeniedError, match=r"DRS\.M00261"):
        other.get_statuses(["a"], budget)


@pytest.mark.parametrize("fault", [faults.throttled, faults.server_error, faults.drop_before, faults.html])
def test_an_iam_that_can_t_answer_now_is_asked_again(
    sandbox: Sandbox, client: DrsClient, start: Any, budget: TimeBudget, fault: Any
) -> None:
    """For a start too: it was not sent yet."""
    sandbox.inject(fault("tokens", 0) if fault is faults.throttled else fault("tokens"))
    assert client.start_jobs(start("a"), budget).accepted == {"a"}


def test_a_wrong_password_is_tried_once(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.inject(faults.answer("tokens", 401, {"error": {"code": 401, "message": "wrong"}}, times=None))
    with pytest.raises(AuthenticationError):
        client.get_statuses(["a"], budget)
    assert len(sandbox.calls("tokens")) == 1


def test_threads_share_one_renewal(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    client.get_statuses(["a"], budget)
    sandbox.revoke_tokens()
    sandbox.clear_calls()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: client.get_statuses(["a"], budget), range(16)))
    assert len(sandbox.calls("tokens")) == 1


def test_no_error_and_no_log_quotes_the_token(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    sandbox.inject(faults.server_error(READ, times=None))
    with pytest.raises(DrsError) as caught:
        client.get_statuses(["a"], budget)
    said = caplog.text + repr(caught.value)
    assert "token=" in caplog.text
    assert client._tokens.token() not in said
    assert sandbox.password not in said
