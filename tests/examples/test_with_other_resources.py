"""`examples/with-other-resources`: jobs whose ids are outputs of resources that do not exist yet."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id

from .conftest import Project, jobs_in_readme

pytestmark = pytest.mark.engine

JOBS = jobs_in_readme("with-other-resources")


@pytest.fixture
def project(sandbox: Sandbox, make_example: Callable[[str], Project]) -> Project:
    sandbox.add_jobs(*map(make_job, JOBS))
    project = make_example("with-other-resources")
    project.follow_readme()
    return project


def test_jobs_are_started_as_soon_as_their_ids_are_known(project: Project, sandbox: Sandbox) -> None:
    preview = project.pulumi("preview")
    assert "4 to create" in preview
    assert "2 jobs are not known yet and will be started unless running" in preview
    assert [job_id for job_id in JOBS if job_id in preview] == []

    project.up()

    outputs = project.outputs()
    assert outputs == {"ready": True, "summary": {"running": 2, "total": 2}}
    assert [sandbox.job(job_id)["starts"] for job_id in JOBS] == [1, 1]
    assert project.stays()
    project.destroy()
    assert project.resources() == []
    assert {job["status"] for job in sandbox.jobs().values()} == {"FULL_TRANSFER_STARTED"}
    assert len(sandbox.calls("batch-starting")) == 1


def test_a_task_added_later_has_its_job_started_and_no_other(project: Project, sandbox: Sandbox) -> None:
    project.up()
    late = make_job_id("late")
    sandbox.add_jobs(make_job(late))
    project.configure(tasks={"late": late})

    preview = project.pulumi("preview")
    assert "2 jobs are running; 1 job is not known yet and will be started unless running" in preview
    project.up()

    assert [call["jobs"] for call in sandbox.calls("batch-starting")][1:] == [[late]]
    assert project.stays()


def test_a_job_that_runs_already_is_taken_over(project: Project, sandbox: Sandbox) -> None:
    for job_id in JOBS:
        sandbox.set_status(job_id, "FULL_TRANSFER_STARTED", then=[])

    project.up()

    assert project.outputs()["ready"] is True
    assert sandbox.calls("batch-starting") == []
