"""A schedule is fulfilled by waiting for its time, not by having been cancelled."""

from __future__ import annotations

import time

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id
from pulumi_drs_start.schema.times import to_iso

from .conftest import Stack, both_fronts

pytestmark = pytest.mark.engine

A = make_job_id("a")
CANCELLED = "RELEASE_RESOURCE_COMPLETE"
IN_AN_HOUR = 3600


def in_an_hour() -> str:
    return to_iso(round(time.time() + IN_AN_HOUR) * 1000)


@both_fronts
def test_a_schedule_cancelled_before_its_time_is_a_failure_by_name(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A))
    stack.starts(A, start_time=in_an_hour())
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


@pytest.mark.cold
def test_a_schedule_seen_cancelled_stays_a_failure_when_its_time_has_passed(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A))
    stack.starts(A, start_time=in_an_hour())
    stack.up()
    sandbox.set_status(A, CANCELLED)
    stack.refresh()
    sandbox.advance(2 * IN_AN_HOUR)
    later = stack.later(2 * IN_AN_HOUR)

    preview, up = stack.preview("--expect-no-changes", **later), stack.up(**later)

    assert preview.exit_code != 0, preview.output
    assert A in preview
    assert up.exit_code != 0, up.output
    assert A in up
    assert sandbox.job(A)["starts"] == 1


@pytest.mark.cold
def test_a_schedule_whose_time_has_passed_and_whose_job_is_over_is_done(sandbox: Sandbox, stack: Stack) -> None:
    """Nobody looked while the job ran."""
    sandbox.add_jobs(make_job(A))
    stack.starts(A, start_time=in_an_hour())
    stack.up()
    sandbox.advance(2 * IN_AN_HOUR)
    sandbox.set_status(A, "RELEASE_RESOURCE_COMPLETE")
    later = stack.later(2 * IN_AN_HOUR)

    preview, refresh = stack.preview("--expect-no-changes", **later), stack.refresh(**later)
    rest = stack.preview("--expect-no-changes", **later)

    assert preview.exit_code == 0, preview.output
    assert refresh.exit_code == 0, refresh.output
    assert stack.resource()["outputs"]["ready"] is True
    assert rest.exit_code == 0, rest.output
