"""Failures of the gateway: whether DRS can have got a call is told by their codes."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.errors import DrsError, NotAskedError, ServiceFaultError, ThrottledError, refusal_for
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.sandbox import Fault, Sandbox, faults, make_job

START = "batch-starting"
both_prefixes = pytest.mark.parametrize("prefix", ["APIG", "APIGW"])


def of_the_gateway(code: str, status: int, **options: Any) -> Fault:
    body = {"error_code": code, "error_msg": "no luck", "request_id": "4e6f"}
    return faults.answer(START, status, body, **options)


# As the documents list them, and 503 for codes that they list with another status.
NOT_ASKED = [
    *[("0103", 500), ("0104", 500), ("0105", 500), ("0605", 500), ("0606", 500), ("0608", 500), ("0609", 500), ("0610", 502)],
    *[("0611", 500), ("0612", 500), ("0613", 503), ("0615", 500), ("0616", 500), ("0617", 500), ("0705", 500)],
    *[("0101", 503), ("0301", 503), ("0404", 503), ("0501", 503), ("0602", 503), ("9999", 503)],
]
MAY_BE_ASKED = [
    *[("0107", 500), ("0201", 500), ("0201", 502), ("0201", 504), ("0202", 502), ("0203", 504), ("0601", 500)],
    *[("0201", 503), ("0202", 503), ("0203", 503), ("0601", 503), ("9999", 500), ("9999", 502), ("9999", 504)],
]


@both_prefixes
@pytest.mark.parametrize(("number", "status"), NOT_ASKED)
def test_a_code_from_before_drs_was_asked_says_that_nothing_happened(prefix: str, number: str, status: int) -> None:
    error = refusal_for(f"{prefix}.{number}", "", status=status)
    assert type(error) is NotAskedError
    assert (error.retryable, error.effect_unknown) == (True, False)


@both_prefixes
@pytest.mark.parametrize(("number", "status"), MAY_BE_ASKED)
def test_a_code_that_says_nothing_of_when_leaves_it_open(prefix: str, number: str, status: int) -> None:
    error = refusal_for(f"{prefix}.{number}", "", status=status)
    assert type(error) is ServiceFaultError
    assert (error.retryable, error.effect_unknown) == (True, True)


@both_prefixes
@pytest.mark.parametrize("status", [429, 503])
def test_the_gateway_s_throttling_is_throttling_whatever_its_status(prefix: str, status: int) -> None:
    error = refusal_for(f"{prefix}.0308", "", status=status)
    assert type(error) is ThrottledError
    assert not error.effect_unknown


@pytest.mark.parametrize("code", ["", "DRS.M00004", "DRS.M01501", "APIG.06", "XAPIG.0613", "APIG.0613.1", "IAM.0613"])
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_fault_without_a_code_of_the_gateway_leaves_it_open(code: str, status: int) -> None:
    assert refusal_for(code, "", status=status).effect_unknown


@both_prefixes
def test_a_start_of_which_drs_heard_nothing_is_sent_again(
    sandbox: Sandbox, client: DrsClient, start: Any, budget: TimeBudget, prefix: str
) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(of_the_gateway(f"{prefix}.0613", 503))
    assert client.start_jobs(start("a"), budget).accepted == {"a"}
    assert sandbox.job("a")["starts"] == 1


@pytest.mark.parametrize(
    "body", ["", "<html><title>503</title></html>", {"error_code": "APIG.0203"}, {"error_code": "DRS.M01501"}]
)
def test_a_start_of_which_drs_may_have_heard_is_not_sent_again(
    sandbox: Sandbox, client: DrsClient, start: Any, budget: TimeBudget, body: Any
) -> None:
    sandbox.inject(faults.answer(START, 503, body, times=None))
    with pytest.raises(ServiceFaultError) as caught:
        client.start_jobs(start("a"), budget)
    assert caught.value.effect_unknown
    assert len(sandbox.calls(START)) == 1


def test_a_gateway_that_stays_away_is_given_up_with_what_it_said(
    sandbox: Sandbox, client: DrsClient, start: Any, budget: TimeBudget
) -> None:
    sandbox.inject(of_the_gateway("APIG.0613", 503, times=None))
    with pytest.raises(DrsError, match=r"APIG\.0613: no luck \(request 4e6f\)"):
        client.start_jobs(start("a"), budget)
    assert len(sandbox.calls(START)) == client.retry.attempts
