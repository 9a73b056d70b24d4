"""Schedules, resuming, and what becomes of jobs that are declared no more, by the real pulumi."""

from __future__ import annotations

import time

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id
from pulumi_drs_start.schema.times import to_iso

from .conftest import Stack, warm_if_native
from .programs import batch

pytestmark = pytest.mark.engine

A, B = sorted((make_job_id("a"), make_job_id("b")))


@warm_if_native
def test_a_scheduled_job_is_at_rest_until_its_time(sandbox: Sandbox, stack: Stack) -> None:
    when = to_iso(round(time.time() + 36_000) * 1000)
    sandbox.add_jobs(make_job(A))
    stack.starts(A, start_time=when)

    preview, up = stack.preview(), stack.up()

    assert f"will schedule 1 job for {when}: {A}" in preview
    assert up.exit_code == 0, up.output
    outputs = stack.outputs()
    assert (outputs["ready"], outputs["statuses"][A]["start_time"], outputs["statuses"][A]["outcome"]) == (
        True,
        when,
        "scheduled",
    )
    assert stack.preview("--expect-no-changes").exit_code == 0
    sandbox.set_status(A, "STARTJOBING")
    assert stack.preview("--expect-no-changes").exit_code == 0


@warm_if_native
def test_a_paused_job_is_resumed_when_that_is_asked(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A, status="PAUSING"))
    stack.starts(A)
    stack.up()
    assert sandbox.calls("batch-retry-task") == []
    stack.starts(A, resume=True)

    preview, up = stack.preview(), stack.up()

    assert f"will resume 1 job: {A}" in preview
    assert up.exit_code == 0, up.output
    assert stack.outcomes() == {A: "resumed"}
    assert stack.preview("--expect-no-changes").exit_code == 0


@warm_if_native
def test_destroy_pauses_jobs_when_that_was_asked_and_counts_those_that_were_over(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    stack.starts(A, B, on_destroy="pause")
    stack.up()
    sandbox.set_status(B, "RELEASE_RESOURCE_COMPLETE")

    run = stack.destroy()

    assert run.exit_code == 0, run.output
    assert sandbox.job(A)["status"] == "PAUSING"
    assert "2 jobs: paused 1, unchanged 1" in run


@pytest.mark.cold
def test_recorded_failures_beyond_help_are_no_drift(sandbox: Sandbox, stack: Stack) -> None:
    hopeless = {"dead": "CREATE_FAILED", "ended": "RELEASE_RESOURCE_COMPLETE", "failed": "START_JOB_FAILED"}
    sandbox.add_jobs(make_job(A), *(make_job(job_id, status=status) for job_id, status in hopeless.items()))
    stack.starts(A, *hopeless, "missing", on_failure="record")

    up = stack.up()

    assert up.exit_code == 0, up.output
    for reason in ("could not be created", "has ended", "job failed could not be started", "job missing could not be started"):
        assert reason in up
    assert stack.outputs()["ready"] is False
    assert stack.preview("--expect-no-changes").exit_code == 0
    assert stack.up("--expect-no-changes").exit_code == 0
    assert stack.refresh("--expect-no-changes").exit_code == 0
    sandbox.set_status("dead", "CONFIGURATION")
    assert "will start 1 job: dead" in stack.preview()


@warm_if_native
def test_a_job_that_fails_its_precheck_is_named_with_the_item_and_the_others_start(sandbox: Sandbox, stack: Stack) -> None:
    bad = {"item": "source_connection", "result": "FAILED", "failed_reason": "The source can't be reached."}
    alarm = {"item": "binlog_retention", "result": "ALARM", "failed_reason": "The logs are kept for a day."}
    sandbox.add_jobs(make_job(A, precheck=[bad]), make_job(B, precheck=[alarm]))
    stack.starts(A, B, precheck=True)

    preview, up = stack.preview(), stack.up()

    assert f"will pre-check, and start if that passes, 2 jobs: {A} and {B}" in preview
    assert up.exit_code != 0
    assert f"job {A} could not be started: it did not pass the pre-check" in up
    assert "source_connection: The source can't be reached" in up
    assert f"the pre-check warns of job {B}: binlog_retention: The logs are kept for a day." in up
    assert [sandbox.job(job_id)["starts"] for job_id in (A, B)] == [0, 1]
    assert "did not pass" in (again := stack.preview()), again.output


@pytest.mark.cold
def test_a_job_that_was_refused_is_named_with_the_refusal_before_it_is_tried_again(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B, refuse_start={"code": "DRS.M00305", "message": "The source is gone."}))
    stack.starts(A, B)
    assert stack.up().exit_code != 0

    preview = stack.preview()

    assert f"job {B} failed the last time and will be tried again: DRS.M00305: The source is gone." in preview


@pytest.mark.cold
def test_a_renamed_resource_stops_only_what_no_resource_declares(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    stack.declares(batch("old", A, B, on_destroy="stop"))
    stack.up()
    stack.declares(batch("new", A, on_destroy="stop"))

    run = stack.up()

    assert run.exit_code == 0, run.output
    assert f"job {A} is declared by another resource of the program, and left to it" in run
    assert [sandbox.job(job_id)["stops"] for job_id in (A, B)] == [0, 1]
    assert stack.outcomes() == {A: "already_started"}
