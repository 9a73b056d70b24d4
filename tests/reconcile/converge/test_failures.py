"""Jobs that DRS refuses or that fail while starting: how often they are tried, and what is said of them."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_drs_start.sandbox import Sandbox, faults, make_job
from tests.reconcile.converge.conftest import said

START = "batch-starting"
DISK = {"code": "DRS.M01501", "message": "The disk is full."}


def test_a_failing_start_ends_the_wait_with_the_reason_of_drs(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a", fail_start=DISK))
    result = run("a")
    assert result.ended_by is None
    assert [(job.status, said(job)) for job in result.failed] == [("START_JOB_FAILED", "The disk is full.")]


def test_a_failing_start_is_not_tried_again(sandbox: Sandbox, run: Any) -> None:
    sandbox.set_policy(restart_failed="accept")
    sandbox.add_jobs(make_job("a", fail_start=DISK), make_job("b", start_seconds=60))
    result = run("a", "b")
    assert [job.job_id for job in result.failed] == ["a"]
    assert sandbox.job("a")["start_requests"] == 1
    assert result.jobs["b"].is_fulfilled


def test_a_job_that_failed_to_start_before_is_not_touched(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a", status="START_JOB_FAILED", fail_start=DISK))
    assert said(run("a").failed[0]) == "The disk is full."
    assert sandbox.calls(START) == []


def test_reasons_that_can_t_be_read_do_not_hide_the_failure(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a", status="START_JOB_FAILED"))
    sandbox.inject(faults.refuse("batch-detail", "DRS.M00103", times=None))
    result = run("a")
    assert [job.outcome for job in result.failed] == ["failed"]
    assert said(result.failed[0])


@pytest.mark.parametrize("fault", [faults.drop_after, faults.truncate], ids=["dropped", "truncated"])
def test_a_failing_start_is_not_explained_by_an_older_lost_answer(sandbox: Sandbox, run: Any, fault: Any) -> None:
    sandbox.add_jobs(make_job("a", fail_start=DISK))
    sandbox.inject(fault(START))
    assert said(run("a").failed[0]) == "The disk is full."


def test_a_failing_start_is_not_explained_by_an_older_refusal(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a", fail_start=DISK))
    sandbox.inject(faults.refuse_row(START, "DRS.M01504", job_id="a"))
    outcome = run("a").failed[0]
    assert (outcome.error_code, said(outcome)) == (None, "The disk is full.")


@pytest.mark.parametrize("code", ["DRS.M01504", "DRS.M01503", "DRS.M01501", "DRS.M00304", "DRS.M00004"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_row_s_refusal_that_passes_is_survived(sandbox: Sandbox, run: Any, code: str, times: int) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    sandbox.inject(faults.refuse_row(START, code, job_id="a", times=times))
    result = run("a", "b")
    assert result.failed == []
    assert [sandbox.job(job_id)["starts"] for job_id in "ab"] == [1, 1]
    assert result.jobs["a"].error_code is None


@pytest.mark.parametrize("code", ["DRS.M01504", "DRS.M01503", "DRS.M01501", "DRS.M00304", "DRS.M06020"])
def test_a_row_s_refusal_that_stays_is_given_up_and_told(sandbox: Sandbox, run: Any, code: str) -> None:
    sandbox.add_jobs(make_job("a", refuse_start=code), make_job("b"))
    result = run("a", "b", timeout=3600)
    assert result.ended_by is None
    assert [(job.job_id, job.error_code) for job in result.failed] == [("a", code)]
    assert said(result.failed[0])
    assert sandbox.job("a")["start_requests"] <= 5


def test_a_refusal_for_good_is_sent_once(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a", refuse_start="DRS.M06020"), make_job("b", start_seconds=60))
    run("a", "b")
    assert sandbox.job("a")["start_requests"] == 1


@pytest.mark.parametrize("code", ["DRS.M00304", "DRS.M01504"])
def test_a_refusal_because_somebody_else_was_quicker_is_no_failure(sandbox: Sandbox, run: Any, code: str) -> None:
    """The look said CONFIGURATION; by the time of our start it was no longer so."""
    sandbox.add_jobs(make_job("a", status="STARTJOBING"))
    sandbox.inject(faults.answer("batch-status", 200, {"count": 1, "results": [{"id": "a", "status": "CONFIGURATION"}]}))
    sandbox.inject(faults.refuse_row(START, code, job_id="a"))
    result = run("a")
    assert result.failed == []
    assert sandbox.job("a")["start_requests"] == 1


def test_a_missing_permission_to_start_fails_each_job_with_its_code(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    sandbox.inject(faults.refuse(START, "DRS.M00103", times=None))
    result = run("a", "b")
    assert {(job.job_id, job.error_code) for job in result.failed} == {("a", "DRS.M00103"), ("b", "DRS.M00103")}
    assert len(sandbox.calls(START)) == 1


@pytest.mark.parametrize("policy", ["row", "reject", "omit"])
def test_unknown_jobs_fail_while_the_others_start(sandbox: Sandbox, run: Any, policy: Any) -> None:
    sandbox.set_policy(unknown_in_status=policy)
    sandbox.add_jobs(make_job("a"), make_job("b"))
    result = run("a", "gone", "b", "gone too")
    assert [job.job_id for job in result.failed] == ["gone", "gone too"]
    assert [sandbox.job(job_id)["starts"] for job_id in "ab"] == [1, 1]


def test_an_id_that_drs_objects_to_does_not_keep_the_others_from_starting(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    sandbox.inject(faults.refuse("batch-status", "DRS.M00202", job_id="odd", times=None))
    result = run("a", "odd", "b")
    assert [(job.job_id, job.error_code) for job in result.failed] == [("odd", "DRS.M00202")]
    assert [sandbox.job(job_id)["starts"] for job_id in "ab"] == [1, 1]
