"""A job is paused or stopped because the program says so of that job, and is announced before; nothing else touches it."""

from __future__ import annotations

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id

from .conftest import Stack, actions, both_fronts
from .programs import batch

pytestmark = pytest.mark.engine

A, B, C, D = sorted(make_job_id(label) for label in "abcd")


def shall_be(state: str, job_id: str) -> dict[str, str]:
    return {"job_id": job_id, "desired_state": state}


@both_fronts
def test_a_job_taken_off_the_list_is_left_as_it_is_whatever_on_destroy_says(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(*map(make_job, (A, B, C, D)))
    stack.declares(batch("pausing", A, B, on_destroy="pause"), batch("stopping", C, D, on_destroy="stop"))
    stack.up()
    sandbox.clear_calls()
    stack.declares(batch("pausing", A, on_destroy="pause"), batch("stopping", C, on_destroy="stop"))

    preview, up = stack.preview(), stack.up()

    assert up.exit_code == 0, up.output
    for run in (preview, up):
        assert f"stops managing job {B}" in run
        assert f"stops managing job {D}" in run
        assert "will STOP" not in run
        assert "will pause" not in run
    assert actions(sandbox) == []
    assert stack.rests()
    # They are not remembered either.
    assert stack.destroy().exit_code == 0
    assert {job_id: (job["pauses"], job["stops"]) for job_id, job in sandbox.jobs().items()} == {
        A: (1, 0),
        B: (0, 0),
        C: (0, 1),
        D: (0, 0),
    }


def test_running_jobs_declared_paused_are_paused_once_and_at_rest(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    stack.starts(A, B)
    stack.up()
    stack.starts(shall_be("paused", A), B)

    preview, up = stack.preview(), stack.up()

    assert f"will pause 1 job: {A}" in preview
    assert up.exit_code == 0, up.output
    assert (sandbox.job(A)["status"], sandbox.job(B)["status"]) == ("PAUSING", "FULL_TRANSFER_STARTED")
    assert stack.outcomes() == {A: "paused", B: "unchanged"}
    assert stack.outputs()["ready"] is True
    assert stack.rests()
    assert sandbox.job(A)["pauses"] == 1


def test_an_unstarted_job_declared_paused_is_not_started(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B, status="INCRE_TRANSFER_STARTED"))
    stack.starts(shall_be("paused", A), shall_be("paused", B))

    preview, up = stack.preview(), stack.up()

    assert f"will pause 1 job: {B}" in preview
    assert "will start" not in preview
    assert up.exit_code == 0, up.output
    assert (sandbox.job(A)["status"], sandbox.job(B)["status"]) == ("CONFIGURATION", "PAUSING")
    assert stack.rests()
    assert sandbox.job(A)["start_requests"] == 0


@both_fronts
def test_a_job_declared_stopped_is_stopped_once_after_capitals_at_preview(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    stack.starts(A, B)
    stack.up()
    stack.starts(shall_be("stopped", A), B)

    preview, up = stack.preview(), stack.up()

    assert f"will STOP 1 job for good: {A}" in preview
    assert f"warning: will STOP 1 job FOR GOOD: {A}" in preview
    assert up.exit_code == 0, up.output
    assert stack.outcomes() == {A: "stopped", B: "unchanged"}
    assert stack.outputs()["ready"] is True
    assert stack.rests()
    again = stack.up("--expect-no-changes")
    assert again.exit_code == 0, again.output
    assert (sandbox.job(A)["stops"], sandbox.job(B)["stops"]) == (1, 0)


def test_a_stop_is_announced_of_a_new_resource_too(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A, status="INCRE_TRANSFER_STARTED"), make_job(B, status="RELEASE_RESOURCE_COMPLETE"))
    stack.starts(shall_be("stopped", A), shall_be("stopped", B))

    preview, up = stack.preview(), stack.up()

    assert f"warning: will STOP 1 job FOR GOOD: {A}" in preview
    assert up.exit_code == 0, up.output
    assert (sandbox.job(A)["stops"], sandbox.job(B)["stops"]) == (1, 0)
    assert stack.rests()


@both_fronts
def test_a_pause_is_undone_by_whom_it_was_made(sandbox: Sandbox, stack: Stack) -> None:
    """B was paused by somebody else before it was declared paused."""
    sandbox.add_jobs(make_job(A, status="FULL_TRANSFER_STARTED"), make_job(B, status="PAUSING"))
    stack.starts(shall_be("paused", A), shall_be("paused", B))
    paused = stack.up()
    assert (paused.exit_code, sandbox.job(A)["pauses"]) == (0, 1), paused.output
    stack.starts(shall_be("started", A), B)

    preview, up = stack.preview(), stack.up()

    assert f"will resume 1 job: {A}" in preview
    assert up.exit_code == 0, up.output
    assert [sandbox.job(job_id)["status"] for job_id in (A, B)] == ["FULL_TRANSFER_STARTED", "PAUSING"]
    assert stack.outcomes()[A] == "resumed"
    assert stack.rests()
    # The next pause is not this resource's.
    sandbox.set_status(A, "PAUSING")
    assert stack.rests()
    assert stack.up().exit_code == 0
    assert [sandbox.job(job_id)["retries"] for job_id in (A, B)] == [1, 0]


def test_a_job_that_was_stopped_and_is_declared_started_again_fails_by_name(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A, status="INCRE_TRANSFER_STARTED"), make_job(B))
    stack.starts(shall_be("stopped", A), B)
    stopped = stack.up()
    assert (stopped.exit_code, sandbox.job(A)["stops"]) == (0, 1), stopped.output
    sandbox.clear_calls()
    stack.starts(A, B)

    preview, up = stack.preview("--expect-no-changes"), stack.up()

    assert preview.exit_code != 0
    assert f"can't start job {A}" in preview
    assert up.exit_code != 0
    assert f"job {A} could not be started" in up
    assert actions(sandbox) == []


def test_a_word_that_is_no_state_is_refused_by_its_path_before_any_call(sandbox: Sandbox, stack: Stack) -> None:
    stack.program(f"""
        JobBatchStart("batch", jobs=[JobStartArgs(job_id={A!r}, desired_state="stoped"), {{"job_id": {B!r}, "desired_state": 5}}])
    """)

    preview = stack.preview()

    assert preview.exit_code != 0
    assert "jobs[0].desired_state" in preview
    assert "jobs[1].desired_state" in preview
    assert "Traceback" not in preview
    assert sandbox.calls() == []
