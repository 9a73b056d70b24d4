"""`examples/two-regions`: one program, and a batch for each region. Two projects of the sandbox stand for the regions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import Project, jobs_in_readme

pytestmark = pytest.mark.engine

FIRST, SECOND, THIRD = jobs_in_readme("two-regions")


@pytest.fixture
def project(sandbox: Sandbox, make_example: Callable[[str], Project]) -> Project:
    """The project as its README sets it up; only the endpoint is added, and nothing but the login is in the environment."""
    sandbox.add_jobs(make_job(FIRST), make_job(SECOND), make_job(THIRD, project_id=sandbox.account.other_project_id))
    project = make_example("two-regions")
    project.follow_readme()
    project.configure(**{f"regions[{place}].endpoint": sandbox.url for place in range(2)})
    for name in ("OS_REGION_NAME", "OS_PROJECT_ID", "DRS_ENDPOINT"):
        del project.environment[name]
    return project


def test_each_region_starts_its_own_jobs(project: Project, sandbox: Sandbox) -> None:
    project.pulumi("preview")
    assert sandbox.calls("batch-starting") == []

    project.up()

    assert project.outputs()["summaries"] == {"eu-de": {"running": 2, "total": 2}, "eu-nl": {"running": 1, "total": 1}}
    assert {call["project_id"]: sorted(call["jobs"]) for call in sandbox.calls("batch-starting")} == {
        sandbox.account.project_id: sorted([FIRST, SECOND]),
        sandbox.account.other_project_id: [THIRD],
    }
    assert project.stays()
    project.destroy()
    assert project.resources() == []
    assert [job["starts"] for job in sandbox.jobs().values()] == [1, 1, 1]
    assert {job["status"] for job in sandbox.jobs().values()} == {"FULL_TRANSFER_STARTED"}


def test_a_job_that_cannot_be_started_does_not_hold_up_the_other_region(project: Project, sandbox: Sandbox) -> None:
    sandbox.set_status(FIRST, "CREATE_FAILED")

    output = project.refused("up", "--yes", "--skip-preview", "--continue-on-error")

    assert FIRST in output
    assert [sandbox.job(job_id)["starts"] for job_id in (FIRST, SECOND, THIRD)] == [0, 1, 1]


def test_where_one_region_cannot_be_reached_nothing_is_started(project: Project, sandbox: Sandbox) -> None:
    wrong = "a" * 32
    project.configure(**{"regions[1].project_id": wrong})

    output = project.refused("up", "--yes")

    assert wrong in output
    assert sandbox.calls("batch-starting") == []


def test_another_project_replaces_the_resource_and_leaves_the_jobs(project: Project, sandbox: Sandbox) -> None:
    project.up()
    sandbox.add_jobs(*(make_job(job_id, project_id=sandbox.account.other_project_id) for job_id in (FIRST, SECOND)))
    project.configure(**{"regions[0].project_id": sandbox.account.other_project_id})

    assert "replace" in project.up()

    assert [call["operation"] for call in sandbox.calls() if call["operation"] in ("batch-pause-task", "batch-jobs")] == []
    assert sandbox.job(FIRST)["starts"] == 1
