"""Killed, cancelled, and not alone: every job is started exactly once all the same."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable

import pytest

from pulumi_drs_start.sandbox import Sandbox, faults, make_job

from .conftest import Stack, both_fronts, wait_until, warm_if_native

pytestmark = pytest.mark.engine

JOBS = [f"job-{n:03}" for n in range(150)]


@pytest.mark.cold
@both_fronts
def test_a_killed_up_is_finished_by_the_next_one(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(*[make_job(job_id, start_seconds=2) for job_id in JOBS])
    # The second batch hangs, so that the kill comes between two batches.
    sandbox.inject(faults.delay("batch-starting", 30, when="before", skip=1))
    stack.starts(*JOBS)
    running = stack.begin("up", "--yes", "--skip-preview")
    wait_until(lambda: sandbox.job(JOBS[0])["starts"] == 1)

    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    sandbox.clear_faults()
    stack.run("cancel", "--yes")
    run = stack.up()

    assert run.exit_code == 0, run.output
    assert {job["starts"] for job in sandbox.jobs().values()} == {1}
    assert stack.preview("--expect-no-changes").exit_code == 0


@warm_if_native
def test_ctrl_c_ends_the_wait_and_saves_what_was_accepted(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("slow", start_seconds=3600))
    stack.starts("slow")
    running = stack.begin("up", "--yes", "--skip-preview")
    wait_until(lambda: sandbox.job("slow")["starts"] == 1)

    asked = time.monotonic()
    running.send_signal(signal.SIGINT)
    output, _ = running.communicate(timeout=60)

    assert time.monotonic() - asked < 15
    assert running.returncode != 0
    assert "1 job accepted by DRS was not running yet when the operation was cancelled. 1 in " in output
    assert stack.outcomes() == {"slow": "started"}
    assert not json.loads(stack.run("stack", "export").output)["deployment"].get("pending_operations")
    assert stack.preview("--json").diagnostics() == ["will wait for job slow, which is starting"]
    sandbox.set_status("slow", "FULL_TRANSFER_STARTED")
    again = stack.up()
    assert again.exit_code == 0, again.output
    assert sandbox.job("slow")["start_requests"] == 1


def test_two_programs_that_declare_the_same_jobs_both_succeed(sandbox: Sandbox, make_stack: Callable[..., Stack]) -> None:
    ids = JOBS[:30]
    sandbox.add_jobs(*[make_job(job_id) for job_id in ids])
    # Both have read before either starts.
    sandbox.inject(faults.delay("batch-starting", 1.5, when="before", times=2))
    stacks = [make_stack(sandbox, project="one"), make_stack(sandbox, project="two")]
    for stack in stacks:
        stack.starts(*ids)

    programs = [stack.begin("up", "--yes", "--skip-preview") for stack in stacks]
    outputs = [program.communicate(timeout=120)[0] for program in programs]

    assert [program.returncode for program in programs] == [0, 0], outputs
    assert {job["starts"] for job in sandbox.jobs().values()} == {1}


def test_forty_resources_log_in_once(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(*[make_job(job_id) for job_id in JOBS[:40]])
    stack.program(f"""
        for job_id in {JOBS[:40]!r}:
            JobBatchStart(job_id, jobs=[job_id])
    """)

    run = stack.up()

    assert run.exit_code == 0, run.output
    assert len(sandbox.calls("tokens")) == 1
    assert {job["starts"] for job in sandbox.jobs().values()} == {1}


def test_an_answer_lost_after_the_start_is_settled_by_reading(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    sandbox.inject(faults.drop_after("batch-starting"))
    stack.starts("a", "b")

    run = stack.up()

    assert run.exit_code == 0, run.output
    assert sandbox.job("a")["start_requests"] == 1
    assert set(stack.outcomes().values()) == {"started"}


def test_one_bad_job_that_spoils_the_batch_does_not_keep_the_others_from_starting(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.set_policy(bad_row="reject")
    ids = JOBS[:20]
    sandbox.add_jobs(*[make_job(job_id) for job_id in ids])
    sandbox.add_jobs(make_job(ids[7], refuse_start={"code": "DRS.M00305", "message": "The source is gone."}))
    stack.starts(*ids)

    run = stack.up()

    assert run.exit_code != 0
    assert f"job {ids[7]} could not be started: DRS.M00305" in run
    assert {job_id for job_id, outcome in stack.outcomes().items() if outcome == "started"} == {*ids} - {ids[7]}
