"""Schedules, resuming, pre-checks, pauses and stops, and dual-active pairs, against the sandbox."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from pulumi_drs_start.drs.calls.models import Finding
from pulumi_drs_start.reconcile.declared import DesiredState, Goal
from pulumi_drs_start.reconcile.record import JobRecord
from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id
from tests.reconcile.converge.conftest import advice, said

# Pre-checks and pauses want ids in UUID layout.
A, B = make_job_id("a"), make_job_id("b")


def ms(now: Any, seconds: float) -> int:
    return round((now() + seconds) * 1000)


def at(now: Any, seconds: float) -> dict[str, Any]:
    return {"start_time": ms(now, seconds)}


def test_a_time_ahead_is_delivered_and_waiting_for_it_is_enough(sandbox: Sandbox, run: Any, now: Any) -> None:
    sandbox.add_jobs(make_job("a", lag_seconds=10))
    desired = at(now, 36_000)

    outcome = run("a", desired=desired).jobs["a"]

    assert (outcome.outcome, outcome.status, outcome.is_fulfilled) == ("scheduled", "WAITING_FOR_START", True)
    assert outcome.start_time == desired["start_time"]
    assert sandbox.job("a")["start_time"] == str(desired["start_time"])


def test_a_job_with_the_declared_schedule_is_left_alone(sandbox: Sandbox, run: Any, now: Any) -> None:
    desired = at(now, 36_000)
    sandbox.add_jobs(make_job("a", status="WAITING_FOR_START", start_time=str(desired["start_time"])))

    outcome = run("a", desired=desired).jobs["a"]

    assert (outcome.outcome, outcome.is_fulfilled) == ("unchanged", True)
    assert sandbox.calls("batch-starting") == []


def test_a_time_that_is_past_starts_now(sandbox: Sandbox, run: Any, now: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    outcome = run("a", desired=at(now, -600)).jobs["a"]
    assert (outcome.outcome, outcome.is_fulfilled) == ("started", True)
    assert sandbox.job("a")["start_time"] is None


def test_a_changed_time_is_asked_of_drs_again(sandbox: Sandbox, run: Any, now: Any) -> None:
    sandbox.set_policy(reschedule="accept")
    sandbox.add_jobs(make_job("a", status="WAITING_FOR_START", start_time=str(ms(now, 36_000))))
    desired = at(now, 72_000)

    outcome = run("a", desired=desired).jobs["a"]

    assert (outcome.outcome, outcome.start_time) == ("scheduled", desired["start_time"])


def test_a_refused_change_of_time_says_what_to_do(sandbox: Sandbox, run: Any, now: Any) -> None:
    sandbox.add_jobs(make_job("a", status="WAITING_FOR_START", start_time=str(ms(now, 36_000))))

    outcome = run("a", desired=at(now, 72_000)).jobs["a"]

    assert (outcome.outcome, outcome.error_code) == ("failed", "DRS.M00304")
    assert ": it is scheduled for 20" in str(said(outcome))
    assert "change its time in the DRS console, or set start_time to 20" in advice(outcome)
    assert len(sandbox.calls("batch-starting")) == 1


@pytest.mark.parametrize("status", ["STARTJOBING", "INCRE_TRANSFER_STARTED"])
def test_once_a_job_has_started_its_time_does_not_matter(sandbox: Sandbox, run: Any, now: Any, status: str) -> None:
    sandbox.add_jobs(make_job("a", status=status))
    assert run("a", desired=at(now, 36_000)).jobs["a"].is_fulfilled
    assert sandbox.calls("batch-starting") == []


def test_one_call_starts_some_jobs_now_and_others_later(sandbox: Sandbox, run: Any, now: Any) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    run("a", "b", desired=at(now, 36_000))
    assert len(sandbox.calls("batch-starting")) == 1


def test_a_scheduled_start_that_failed_mentions_the_missing_role(sandbox: Sandbox, run: Any, now: Any) -> None:
    failure = {"code": "DRS.M01501", "message": "can not get agency token."}
    sandbox.add_jobs(make_job("told", status="START_JOB_FAILED", fail_start=failure))
    sandbox.add_jobs(make_job("untold", status="START_JOB_FAILED"))
    jobs = run("told", "untold", desired=at(now, -600)).jobs
    assert [job.outcome for job in jobs.values()] == ["failed", "failed"]
    assert said(jobs["told"]) == "can not get agency token."
    assert all("lacks the role Security Administrator" in advice(job) for job in jobs.values())


@pytest.mark.parametrize("status", ["PAUSING", "FULL_TRANSFER_FAILED", "INCRE_TRANSFER_FAILED", "START_JOB_FAILED"])
def test_resume_brings_back_what_is_paused_or_has_failed(sandbox: Sandbox, run: Any, status: str) -> None:
    sandbox.set_policy(resume_seconds=3)
    sandbox.add_jobs(make_job("a", status=status))

    outcome = run("a", desired={"resume": True}).jobs["a"]

    assert (outcome.outcome, outcome.is_fulfilled) == ("resumed", True), outcome
    assert sandbox.job("a")["retries"] == 1


@pytest.mark.parametrize("status", ["PAUSING", "FULL_TRANSFER_FAILED", "START_JOB_FAILED"])
def test_without_resume_they_stay_as_they_are(sandbox: Sandbox, run: Any, status: str) -> None:
    sandbox.add_jobs(make_job("a", status=status))
    assert not run("a").jobs["a"].is_fulfilled
    assert sandbox.calls("batch-retry-task") == []


def test_a_refused_resume_gives_the_code(sandbox: Sandbox, run: Any) -> None:
    sandbox.set_policy(retry_start_failed="refuse")
    sandbox.add_jobs(make_job("a", status="START_JOB_FAILED"))
    outcome = run("a", desired={"resume": True}).jobs["a"]
    assert (outcome.outcome, outcome.error_code) == ("failed", "DRS.M00304")
    assert len(sandbox.calls("batch-retry-task")) == 1


def test_a_precheck_that_passes_is_followed_by_the_start(sandbox: Sandbox, run: Any) -> None:
    alarm = {"item": "binlog_retention", "result": "ALARM", "failed_reason": "The logs are kept for a day."}
    sandbox.add_jobs(make_job(A, precheck=[alarm]), make_job(B))
    result = run(A, B, desired={"precheck": True})
    assert [job.outcome for job in result.jobs.values()] == ["started", "started"]
    assert result.jobs[A].alarms == (Finding("binlog_retention", "The logs are kept for a day."),)
    assert len(sandbox.calls("batch-precheck")) == 1


def test_a_job_that_fails_its_precheck_is_not_started_and_names_the_item(sandbox: Sandbox, run: Any) -> None:
    bad = {"item": "source_connection", "result": "FAILED", "failed_reason": "The source can't be reached."}
    sandbox.add_jobs(make_job(A, precheck=[bad]), make_job(B))
    result = run(A, B, desired={"precheck": True})
    assert [job.outcome for job in result.jobs.values()] == ["failed", "started"]
    assert "source_connection: The source can't be reached" in str(said(result.jobs[A]))
    assert sandbox.job(A)["starts"] == 0


@pytest.mark.parametrize(
    ("target", "status", "ends_in", "count"),
    [
        (DesiredState.PAUSED, "INCRE_TRANSFER_STARTED", "PAUSING", "pauses"),
        (DesiredState.STOPPED, "INCRE_TRANSFER_STARTED", "RELEASE_RESOURCE_COMPLETE", "stops"),
        (DesiredState.STOPPED, "PAUSING", "RELEASE_RESOURCE_COMPLETE", "stops"),
        (DesiredState.STOPPED, "WAITING_FOR_START", "RELEASE_RESOURCE_COMPLETE", "stops"),
    ],
)
def test_a_job_is_paused_or_stopped(
    sandbox: Sandbox, run: Any, target: DesiredState, status: str, ends_in: str, count: str
) -> None:
    sandbox.add_jobs(make_job(A, status=status))
    result = run(A, desired={"state": target})
    outcome = result.jobs[A]
    assert (outcome.status, outcome.is_fulfilled) == (ends_in, True), outcome
    assert sandbox.job(outcome.job_id)[count] == 1


@pytest.mark.parametrize(("target", "count"), [(DesiredState.PAUSED, "pauses"), (DesiredState.STOPPED, "stops")])
def test_a_job_that_is_starting_is_paused_or_stopped_once_it_runs(
    sandbox: Sandbox, run: Any, target: DesiredState, count: str
) -> None:
    sandbox.add_jobs(make_job(A, start_seconds=15))
    run(A, goal=Goal.ACCEPTED)
    assert sandbox.job(A)["status"] == "STARTJOBING"

    result = run(A, desired={"state": target})

    assert result.jobs[A].is_fulfilled, result.jobs[A]
    assert sandbox.job(A)[count] == 1


def test_a_start_that_does_not_show_yet_is_waited_for_before_a_pause(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job(A, lag_seconds=60))
    accepted = run(A, goal=Goal.ACCEPTED).jobs[A]
    assert sandbox.job(A)["status"] == "CONFIGURATION"

    result = run(A, desired={"state": DesiredState.PAUSED}, records={A: JobRecord(accepted_at=accepted.record.accepted_at)})

    assert result.jobs[A].is_fulfilled, result.jobs[A]
    assert sandbox.job(A)["pauses"] == 1


@pytest.mark.parametrize("target", [DesiredState.PAUSED, DesiredState.STOPPED])
@pytest.mark.parametrize("status", ["RELEASE_RESOURCE_COMPLETE", "CREATE_FAILED"])
def test_a_job_that_is_over_needs_no_pause_and_no_stop(sandbox: Sandbox, run: Any, target: DesiredState, status: str) -> None:
    sandbox.add_jobs(make_job("a", status=status))
    assert run("a", desired={"state": target}).jobs["a"].is_fulfilled


@pytest.mark.parametrize("status", ["CONFIGURATION", "START_JOB_FAILED", "CREATING"])
def test_a_job_that_does_not_run_needs_no_pause(sandbox: Sandbox, run: Any, status: str) -> None:
    sandbox.add_jobs(make_job("a", status=status))
    assert run("a", desired={"state": DesiredState.PAUSED}).jobs["a"].is_fulfilled
    assert sandbox.calls("batch-pause-task") == []


@pytest.mark.parametrize("target", [DesiredState.PAUSED, DesiredState.STOPPED])
def test_a_job_that_drs_does_not_show_is_not_called_paused_or_stopped(run: Any, target: DesiredState) -> None:
    (failed,) = run("gone", desired={"state": target}).failed
    assert f"nothing shows that it is {target.value}" in str(said(failed))


def test_a_stop_that_drs_refuses_is_a_failure(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job(A, status="START_JOB_FAILED"))
    (failed,) = run(A, desired={"state": DesiredState.STOPPED}).failed
    assert failed.error_code == "DRS.M00304"
    assert len(sandbox.calls("batch-jobs")) == 2


def test_a_dual_active_parent_is_refused_and_its_children_are_named(sandbox: Sandbox, run: Any) -> None:
    add_pair(sandbox)
    outcome = run("parent").jobs["parent"]
    assert outcome.outcome == "failed"
    assert "declare its subtasks instead: one, two" in advice(outcome)
    assert sandbox.calls("batch-starting") == []


def test_the_backward_task_waits_for_the_forward_one(sandbox: Sandbox, run: Any) -> None:
    add_pair(sandbox)
    result = run("one", "two")
    assert [job.outcome for job in result.jobs.values()] == ["started", "started"]
    assert [call["jobs"] for call in sandbox.calls("batch-starting")] == [["one"], ["two"]]


def test_a_wait_for_the_forward_task_asks_for_the_family_once(sandbox: Sandbox, run: Any) -> None:
    add_pair(sandbox)
    run("one", "two")
    asked = Counter(call["operation"] for call in sandbox.calls())
    looks = len({call["sandbox_time"] for call in sandbox.calls("batch-status") if "two" in call["jobs"]})
    assert looks > 3
    assert (asked["jobs"], asked["batch-detail"], asked["batch-progress"]) == (1, 1, 1)
    assert asked["batch-status"] <= 2 * looks


def add_pair(sandbox: Sandbox) -> None:
    shared = {"db_use_type": "cloudDataGuard", "multi_write": True, "task_type": "INCR_TRANS"}
    sandbox.add_jobs(
        make_job("parent", is_parent=True, job_direction="up", **shared),
        make_job("one", parent_id="parent", role="forward", job_direction="up", **shared),
        make_job("two", parent_id="parent", role="backward", job_direction="down", **shared),
    )
