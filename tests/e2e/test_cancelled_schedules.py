"""A schedule is fulfilled by waiting for its time, not by having been cancelled."""

from __future__ import annotations

import time

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id
from pulumi_drs_start.times import to_iso

from .conftest import Stack

pytestmark = pytest.mark.engine

A = make_job_id("a")
CANCELLED = "RELEASE_RESOURCE_COMPLETE"


def in_seconds(seconds: float) -> tuple[float, str]:
    """An instant, in seconds since the epoch and as a program would write it."""
    when = round(time.time() + seconds)
    return when, to_iso(when * 1000)


def wait_past(when: float) -> None:
    time.sleep(max(0.0, when + 1 - time.time()))


def test_a_schedule_cancelled_before_its_time_is_a_failure_by_name(sandbox: Sandbox, stack: Stack) -> None:
    _, declared = in_seconds(36_000)
    sandbox.add_jobs(make_job(A))
    stack.starts(A, start_time=declared)
    assert stack.up().exit_code == 0
    sandbox.set_status(A, CANCELLED)

    preview, refresh = stack.preview("--expect-no-changes"), stack.refresh()
    again, up = stack.preview("--expect-no-changes"), stack.up()

    assert preview.exit_code != 0, preview.output
    assert A in preview
    assert A in refresh
    assert again.exit_code != 0, again.output
    assert A in again
    assert up.exit_code != 0, up.output
    assert f"job {A} could not be scheduled" in up
    assert stack.resource()["outputs"]["ready"] is False
    assert sandbox.job(A)["starts"] == 1


def test_a_schedule_seen_cancelled_stays_a_failure_when_its_time_has_passed(sandbox: Sandbox, stack: Stack) -> None:
    when, declared = in_seconds(20)
    sandbox.add_jobs(make_job(A))
    stack.starts(A, start_time=declared)
    stack.up()
    sandbox.set_status(A, CANCELLED)
    stack.refresh()
    assert time.time() < when, "the machine was too slow for this test"
    wait_past(when)

    preview, up = stack.preview("--expect-no-changes"), stack.up()

    assert preview.exit_code != 0, preview.output
    assert A in preview
    assert up.exit_code != 0, up.output
    assert A in up


def test_a_schedule_whose_time_has_passed_and_whose_job_is_over_is_done(sandbox: Sandbox, stack: Stack) -> None:
    """Nobody looked while the job ran."""
    when, declared = in_seconds(10)
    sandbox.add_jobs(make_job(A))
    stack.starts(A, start_time=declared)
    stack.up()
    wait_past(when)
    sandbox.set_status(A, CANCELLED)

    preview, refresh = stack.preview("--expect-no-changes"), stack.refresh()

    assert preview.exit_code == 0, preview.output
    assert refresh.exit_code == 0, refresh.output
    assert stack.resource()["outputs"]["ready"] is True
    assert stack.rests()
