"""
`examples/automation-api`: a script that needs no project.

It has no Pulumi.yaml: the workspace of the Automation API makes one, in a temporary folder, at each run.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id

from .conftest import Project, jobs_in_readme

pytestmark = [pytest.mark.engine, pytest.mark.cold]

JOBS = jobs_in_readme("automation-api")
MISSING = make_job_id("missing")


@pytest.fixture
def project(sandbox: Sandbox, make_example: Callable[[str], Project]) -> Project:
    sandbox.add_jobs(*map(make_job, JOBS))
    return make_example("automation-api")


def test_the_script_starts_jobs_once(project: Project, sandbox: Sandbox) -> None:
    first = project.run("python", "start.py", *JOBS)
    again = project.run("python", "start.py", *JOBS)

    for ended in (first, again):
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert "nothing is left to do" in ended.stdout
    assert [f"{job_id} started FULL_TRANSFER_STARTED" in first.stdout for job_id in JOBS] == [True] * len(JOBS)
    assert len(sandbox.calls("batch-starting")) == 1
    assert sorted(path.name for path in project.folder.iterdir()) == ["README.md", "requirements.txt", "start.py"]


def test_failed_jobs_are_told_one_by_one_and_the_others_are_started(project: Project, sandbox: Sandbox) -> None:
    ended = project.run("python", "start.py", *JOBS, MISSING)

    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert f"{MISSING} failed MISSING" in ended.stdout
    assert {sandbox.job(job_id)["starts"] for job_id in JOBS} == {1}


def test_where_pulumi_fails_it_says_so_once(project: Project, sandbox: Sandbox) -> None:
    project.environment["OS_PASSWORD"] = "wrong"

    ended = project.run("python", "start.py", *JOBS)

    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert "refused the login" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    assert sandbox.calls("batch-starting") == []
