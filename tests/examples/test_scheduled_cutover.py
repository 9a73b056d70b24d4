"""`examples/scheduled-cutover`: jobs handed over now that start at a time to come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import Project, jobs_in_readme

pytestmark = pytest.mark.engine

ZONE = timezone(timedelta(hours=1))
NIGHT = datetime.now(ZONE).replace(microsecond=0) + timedelta(days=3)
EARLIER = NIGHT - timedelta(hours=2)
*JOBS, LARGEST = jobs_in_readme("scheduled-cutover")


def milliseconds(time: datetime) -> str:
    return str(int(time.timestamp() * 1000))


def utc(time: datetime) -> str:
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def let_the_hour_pass(sandbox: Sandbox) -> None:
    """On the sandbox's clock, which DRS starts its jobs by. The full transfers of the night before take an hour."""
    sandbox.advance(timedelta(days=4).total_seconds())
    assert {job["status"] for job in sandbox.jobs().values()} == {"INCRE_TRANSFER_STARTED"}


@pytest.fixture
def project(sandbox: Sandbox, make_example: Callable[[str], Project]) -> Project:
    """The project as its README sets it up, but at a time that is always to come."""
    sandbox.add_jobs(*map(make_job, [*JOBS, LARGEST]))
    project = make_example("scheduled-cutover")
    project.follow_readme()
    project.configure(start=NIGHT.isoformat(), largestStart=EARLIER.isoformat())
    return project


def test_each_job_waits_for_its_own_time(project: Project, sandbox: Sandbox) -> None:
    preview = project.pulumi("preview")
    assert "schedule" in preview
    assert sandbox.calls("batch-starting") == []

    project.up()

    assert {job["status"] for job in sandbox.jobs().values()} == {"WAITING_FOR_START"}
    assert [sandbox.job(job_id)["start_time"] for job_id in JOBS] == [milliseconds(NIGHT)] * len(JOBS)
    assert sandbox.job(LARGEST)["start_time"] == milliseconds(EARLIER)
    outputs = project.outputs()
    assert outputs["ready"] is True
    assert outputs["start_times"] == {**dict.fromkeys(JOBS, utc(NIGHT)), LARGEST: utc(EARLIER)}


def test_nothing_is_left_to_do_before_the_hour_and_after_it(project: Project, sandbox: Sandbox) -> None:
    project.up()
    assert project.stays()

    let_the_hour_pass(sandbox)
    assert project.stays()

    assert [job["start_requests"] for job in sandbox.jobs().values()] == [1] * len(sandbox.jobs())


def test_a_time_without_a_zone_is_refused(project: Project, sandbox: Sandbox) -> None:
    project.configure(start=NIGHT.replace(tzinfo=None).isoformat())

    output = project.refused("preview")

    assert "start_time" in output
    assert "zone" in output
    assert sandbox.calls("batch-starting") == []


def test_the_cut_over_can_be_moved_where_drs_lets_it(project: Project, sandbox: Sandbox) -> None:
    sandbox.set_policy(reschedule="accept")
    project.up()
    later = NIGHT + timedelta(days=1)
    project.configure(start=later.isoformat())

    project.up()

    assert project.outputs()["start_times"] == {**dict.fromkeys(JOBS, utc(later)), LARGEST: utc(EARLIER)}
    assert [sandbox.job(job_id)["start_time"] for job_id in JOBS] == [milliseconds(later)] * len(JOBS)
    assert sandbox.job(LARGEST)["start_requests"] == 1


def test_where_drs_does_not_take_another_time_the_old_one_holds(project: Project, sandbox: Sandbox) -> None:
    project.up()
    project.configure(start=(NIGHT + timedelta(days=1)).isoformat())

    output = project.refused("up", "--yes", "--skip-preview")

    assert "DRS.M00304" in output
    assert [sandbox.job(job_id)["start_time"] for job_id in JOBS] == [milliseconds(NIGHT)] * len(JOBS)


def test_a_time_that_is_past_means_now(project: Project, sandbox: Sandbox) -> None:
    project.configure(start=(NIGHT - timedelta(days=30)).isoformat())

    output = project.up()

    assert "warning" in output
    assert {sandbox.job(job_id)["status"] for job_id in JOBS} == {"FULL_TRANSFER_STARTED"}
    assert sandbox.job(LARGEST)["status"] == "WAITING_FOR_START"


def test_destroy_does_not_call_the_cut_over_off(project: Project, sandbox: Sandbox) -> None:
    project.up()

    project.destroy()

    assert project.resources() == []
    assert {job["status"] for job in sandbox.jobs().values()} == {"WAITING_FOR_START"}
    assert sandbox.calls("batch-jobs") == []
    let_the_hour_pass(sandbox)
