"""`examples/jobs-by-name`: the jobs whose names match, without an id in sight."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id

from .conftest import Project

pytestmark = pytest.mark.engine

# More than the pages that DRS gives unasked: 5 rows of statuses, 10 of the list.
CRM = {f"crm-{index}": make_job_id(f"crm-{index}") for index in range(12)}
BILLING = make_job_id("billing")
RUNNING = make_job_id("crm-runs")


@pytest.fixture
def project(sandbox: Sandbox, make_example: Callable[[str], Project]) -> Project:
    sandbox.add_jobs(
        *(make_job(job_id, name=name) for name, job_id in CRM.items()),
        make_job(BILLING, name="billing"),
        make_job(RUNNING, name="crm-runs", status="INCRE_TRANSFER_STARTED"),
    )
    project = make_example("jobs-by-name")
    project.follow_readme()
    return project


def test_the_jobs_whose_names_match_are_started_once(project: Project, sandbox: Sandbox) -> None:
    preview = project.pulumi("preview")
    assert "start 12 jobs" in preview
    assert sandbox.calls("batch-starting") == []

    project.up()

    outputs = project.outputs()
    assert outputs["ready"] is True
    assert outputs["summary"] == {"running": len(CRM), "total": len(CRM)}
    assert outputs["problems"] == {}
    assert outputs["names"] == {job_id: name for name, job_id in CRM.items()} | {RUNNING: "crm-runs"}
    assert sandbox.job(BILLING)["starts"] == 0
    assert project.stays()
    project.destroy()
    assert project.resources() == []
    assert {sandbox.job(job_id)["starts"] for job_id in CRM.values()} == {1}
    assert {sandbox.job(job_id)["status"] for job_id in CRM.values()} == {"FULL_TRANSFER_STARTED"}


def test_a_job_made_later_is_started_by_the_next_up(project: Project, sandbox: Sandbox) -> None:
    project.up()
    late = make_job_id("crm-late")
    sandbox.add_jobs(make_job(late, name="crm-late"))

    preview = project.pulumi("preview")
    project.up()

    assert late in preview
    assert sandbox.job(late)["starts"] == 1
    assert {sandbox.job(job_id)["start_requests"] for job_id in CRM.values()} == {1}
    assert project.outputs()["summary"]["running"] == len(CRM) + 1
    assert project.stays()


def test_a_job_that_has_ended_stays_in_the_batch(project: Project, sandbox: Sandbox) -> None:
    project.up()
    sandbox.set_status(CRM["crm-3"], "RELEASE_RESOURCE_COMPLETE")

    assert project.stays()


def test_where_nothing_matches_it_says_so(project: Project, sandbox: Sandbox) -> None:
    project.configure(name="erp-*")

    output = project.refused("up", "--yes", "--skip-preview")

    assert 'find_jobs(name="erp-*", status="CONFIGURATION") found no job' in output
    assert sandbox.calls("batch-starting") == []
