"""Schedules, resuming, and what becomes of jobs that are declared no more, by the real pulumi."""

from __future__ import annotations

import time

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id
from pulumi_drs_start.times import to_iso

from .conftest import Stack

pytestmark = pytest.mark.engine

A, B = sorted((make_job_id("a"), make_job_id("b")))


def test_a_scheduled_job_is_at_rest_until_its_time(sandbox: Sandbox, stack: Stack) -> None:
    when = to_iso(round(time.time() + 36_000) * 1000)
    sandbox.add_jobs(make_job(A))
    stack.starts(A, start_time=when)

    preview, up = stack.preview(), stack.up()

    assert f"will schedule 1 job for {when} ({A})" in preview
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


def test_a_paused_job_is_resumed_when_that_is_asked(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A, status="PAUSING"))
    stack.starts(A)
    stack.up()
    assert sandbox.calls("batch-retry-task") == []
    stack.starts(A, resume=True)

    preview, up = stack.preview(), stack.up()

    assert f"will resume 1 job ({A})" in preview
    assert up.exit_code == 0, up.output
    assert stack.outcomes() == {A: "resumed"}
    assert stack.preview("--expect-no-changes").exit_code == 0


def test_a_job_taken_off_the_list_is_stopped_after_a_loud_warning(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    stack.starts(A, B, on_destroy="stop")
    assert "on_destroy is stop" in stack.up()
    stack.starts(A, on_destroy="stop")

    preview, up = stack.preview(), stack.up()

    assert f"warning: will STOP 1 job FOR GOOD ({B})" in preview
    assert up.exit_code == 0, up.output
    assert (sandbox.job(A)["stops"], sandbox.job(B)["stops"]) == (0, 1)
    assert stack.preview("--expect-no-changes").exit_code == 0


def test_destroy_pauses_jobs_when_that_was_asked_and_names_those_it_can_not(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    stack.starts(A, B, on_destroy="pause")
    stack.up()
    sandbox.set_status(B, "RELEASE_RESOURCE_COMPLETE")

    run = stack.destroy()

    assert run.exit_code == 0, run.output
    assert sandbox.job(A)["status"] == "PAUSING"
    assert f"paused: 1 job ({A})" in run


def test_a_recorded_failure_beyond_help_is_no_drift(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B, status="CREATE_FAILED"))
    stack.starts(A, B, on_failure="record")

    up = stack.up()

    assert up.exit_code == 0, up.output
    assert "could not be created" in up
    assert stack.preview("--expect-no-changes").exit_code == 0
