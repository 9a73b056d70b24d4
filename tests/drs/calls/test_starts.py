"""What one batch-starting call comes to, job by job."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.calls.models import StartRequest
from pulumi_drs_start.drs.errors import JobBusyError, JobUnknownError, ServiceFaultError, ThrottledError, WrongStatusError
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.sandbox import Sandbox, faults, make_job

START = "batch-starting"


def rows(*of: dict[str, Any]) -> Any:
    return faults.answer(START, 202, {"count": len(of), "results": list(of)})


def test_accepted_and_refused_jobs_are_told_apart(sandbox: Sandbox, client: DrsClient, start: Any, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b", status="PAUSING"))
    answer = client.start_jobs(start("a", "b", "gone"), budget)
    assert answer.accepted == {"a"}
    assert {job_id: type(error) for job_id, error in answer.refused.items()} == {"b": WrongStatusError, "gone": JobUnknownError}
    assert answer.unanswered == frozenset()


def test_a_refusal_carries_code_text_status_and_job(sandbox: Sandbox, client: DrsClient, start: Any, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job("b", status="PAUSING"))
    refusal = client.start_jobs(start("b"), budget).refused["b"]
    assert (refusal.code, refusal.status, refusal.job_id) == ("DRS.M00304", 202, "b")
    assert refusal.text == "This operation is not allowed in the current task status."


@pytest.mark.parametrize(
    ("code", "kind"),
    [("DRS.M01504", JobBusyError), ("DRS.M01503", ThrottledError), ("DRS.M01501", ServiceFaultError)],
)
def test_a_row_s_code_makes_the_error_of_its_kind(
    sandbox: Sandbox, client: DrsClient, start: Any, budget: TimeBudget, code: str, kind: type
) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.refuse_row(START, code, job_id="a"))
    assert type(client.start_jobs(start("a"), budget).refused["a"]) is kind


def test_a_job_without_a_row_is_unanswered(sandbox: Sandbox, client: DrsClient, start: Any, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    sandbox.inject(faults.missing_rows(START, job_id="b"))
    answer = client.start_jobs(start("a", "b"), budget)
    assert (answer.accepted, answer.unanswered) == ({"a"}, {"b"})


def test_rows_of_strangers_are_not_accepted_jobs(sandbox: Sandbox, client: DrsClient, start: Any, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.extra_rows(START, rows=2))
    assert client.start_jobs(start("a"), budget).accepted == {"a"}


@pytest.mark.parametrize("row", [{"id": "a"}, {"id": "a", "status": "maybe"}, {"id": "a", "status": None}, {}])
def test_a_row_that_says_neither_yes_nor_no_is_no_answer(
    sandbox: Sandbox, client: DrsClient, start: Any, budget: TimeBudget, row: dict[str, Any]
) -> None:
    sandbox.inject(rows(row))
    answer = client.start_jobs(start("a"), budget)
    assert (answer.accepted, dict(answer.refused), answer.unanswered) == (frozenset(), {}, {"a"})


@pytest.mark.parametrize("row", [{"status": "failed"}, {"status": "success", "error_code": "DRS.M00304"}, {"error_code": "X"}])
def test_a_row_with_any_sign_of_failure_is_a_refusal(
    sandbox: Sandbox, client: DrsClient, start: Any, budget: TimeBudget, row: dict[str, Any]
) -> None:
    sandbox.inject(rows({"id": "a", **row}))
    assert client.start_jobs(start("a"), budget).refused.keys() == {"a"}


def test_empty_error_fields_are_no_failure(sandbox: Sandbox, client: DrsClient, start: Any, budget: TimeBudget) -> None:
    sandbox.inject(rows({"id": "a", "status": "success", "error_code": "", "error_msg": None}))
    assert client.start_jobs(start("a"), budget).accepted == {"a"}


def test_a_start_for_now_carries_no_time(sandbox: Sandbox, client: DrsClient, start: Any, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job("a"))
    client.start_jobs(start("a"), budget)
    assert sandbox.calls(START)[0]["start_times"] == {}


def test_a_scheduled_start_carries_its_time(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job("a"))
    client.start_jobs([StartRequest("a", "4102444800000")], budget)
    assert sandbox.calls(START)[0]["start_times"] == {"a": "4102444800000"}
    assert sandbox.job("a")["status"] == "WAITING_FOR_START"


@pytest.mark.parametrize("language", ["en-us", "zh-cn"])
def test_messages_come_in_the_language_asked_for(
    sandbox: Sandbox, make_client: Any, start: Any, budget: TimeBudget, language: str
) -> None:
    sandbox.add_jobs(make_job("b", status="PAUSING"))
    text = make_client(language=language).start_jobs(start("b"), budget).refused["b"].text
    assert text.isascii() == (language == "en-us")
