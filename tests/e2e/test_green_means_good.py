"""A job that does not run is said so, every time, with the reason and what would help."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id

from .conftest import Run, Stack, both_fronts
from .programs import batch

pytestmark = pytest.mark.engine

A, B, C = sorted(make_job_id(label) for label in "abc")
REASON = "The source at 192.0.2.20 does not answer"


def seconds_of(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


@both_fronts
def test_recorded_failures_are_warned_of_by_every_command(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B, status="START_JOB_FAILED", fail_start={"message": REASON}))
    # Without outputs, so that the ids are in messages only.
    stack.declares(batch("quiet", A, B, C, on_failure="record"))
    assert stack.up().exit_code == 0

    for run in (
        stack.preview("--expect-no-changes"),
        stack.up("--expect-no-changes"),
        stack.refresh(),
        stack.preview("--expect-no-changes"),
    ):
        assert run.exit_code == 0, run.output
        assert "warning:" in run, run.output
        assert B in run
        assert C in run
        assert stack.dialect.setting("resume", True) in run
        assert "off the list" in run
        assert A not in run


def test_a_resume_that_fails_again_is_a_failure_with_drs_reason(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A, status="START_JOB_FAILED", fail_start={"message": REASON}))
    stack.starts(A, resume=True, timeout="12s")

    run = stack.up()

    assert run.exit_code != 0
    assert f"job {A}" in run
    assert REASON in run
    assert "go on starting" not in run
    assert "goes on starting" not in run
    assert stack.outcomes() == {A: "failed"}
    assert sandbox.job(A)["retries"] == 1


def test_the_reason_of_a_failure_is_told_though_another_job_uses_the_time_up(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A, stuck=True), make_job(B, fail_start={"message": REASON}))
    stack.starts(A, B, timeout="8s")

    up = stack.up()
    preview = stack.preview()

    assert up.exit_code != 0
    assert REASON in up
    assert stack.resource()["outputs"]["job_statuses"][B]["error_message"].count(REASON.rstrip(".")) == 1
    assert REASON in preview


def test_a_time_that_is_past_is_called_past_of_a_scheduled_job_too(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A))
    stack.starts(A, start_time="2099-12-05T01:00:00Z")
    stack.up()
    stack.starts(A, start_time="2020-12-05T01:00:00Z")

    preview = stack.preview()

    assert "2020-12-05T01:00:00Z" in preview
    assert "which is past" in preview


def test_an_iam_that_refuses_connections_is_given_up_soon_and_named(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A))
    stack.starts(A)
    usual = seconds_of(stack.preview)
    with socket.socket() as held:
        # Bound, and not listening: nobody else gets this port meanwhile.
        held.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{held.getsockname()[1]}/v3"
        run: list[Run] = []

        taken = seconds_of(lambda: run.append(stack.preview(OS_AUTH_URL=closed)))

    assert run[0].exit_code != 0
    assert "can't be reached" in run[0]
    assert closed.removesuffix("/v3") in run[0]
    # A busy machine slows both.
    assert taken - usual <= 20
