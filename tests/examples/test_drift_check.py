"""`examples/drift-check`: a script for CI that tells by its exit status whether anything is to be done."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import yaml

from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import EXAMPLES, Project, jobs_in_readme

FIRST, SECOND = jobs_in_readme("drift-check")
README = (EXAMPLES / "drift-check" / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def project(sandbox: Sandbox, make_example: Callable[[str], Project]) -> Project:
    sandbox.add_jobs(make_job(FIRST), make_job(SECOND))
    project = make_example("drift-check")
    project.follow_readme()
    return project


def check(project: Project, *options: str) -> tuple[int, str]:
    """The exit status and the output of the script."""
    ended = project.run("sh", "check.sh", *options)
    assert ended.stderr == ""
    return ended.returncode, ended.stdout


@pytest.mark.engine
def test_jobs_that_are_not_started_are_named(project: Project, sandbox: Sandbox) -> None:
    status, output = check(project, "--stack", "test")

    assert status == 1
    assert FIRST in output
    assert SECOND in output
    assert sandbox.calls("batch-starting") == []


@pytest.mark.engine
def test_there_is_nothing_to_do_while_all_jobs_run(project: Project, sandbox: Sandbox) -> None:
    project.up()
    sandbox.set_status(FIRST, "INCRE_TRANSFER_STARTED")  # moved on by itself

    status, output = check(project)

    assert status == 0, output
    assert "nothing to do" in output
    assert project.stays()


@pytest.mark.engine
def test_a_paused_job_is_warned_of_and_no_drift(project: Project, sandbox: Sandbox) -> None:
    project.up()
    sandbox.set_status(FIRST, "PAUSING")

    status, output = check(project)

    assert status == 0, output
    assert re.search(rf"warning: .*{FIRST}.* is paused", output)


@pytest.mark.engine
@pytest.mark.parametrize("status_found", ["CONFIGURATION", "START_JOB_FAILED"])
def test_a_job_that_does_not_run_is_found(project: Project, sandbox: Sandbox, status_found: str) -> None:
    project.up()
    sandbox.set_status(SECOND, status_found, then=[])
    calls = len(sandbox.calls("batch-starting"))

    status, output = check(project)

    assert status == 1
    assert SECOND in output
    assert FIRST not in output
    assert len(sandbox.calls("batch-starting")) == calls


@pytest.mark.engine
def test_what_cannot_be_checked_is_neither_good_nor_bad(project: Project) -> None:
    no_such_stack = check(project, "--stack", "nobody")
    project.environment["OS_PASSWORD"] = "wrong"
    no_login = check(project)

    assert (no_such_stack[0], no_login[0]) == (2, 2)
    assert "refused the login" in no_login[1]


@pytest.mark.engine
def test_destroy_leaves_the_jobs_running(project: Project, sandbox: Sandbox) -> None:
    project.up()
    project.destroy()

    assert project.resources() == []
    assert {job["status"] for job in sandbox.jobs().values()} == {"FULL_TRANSFER_STARTED"}


def test_every_exit_status_is_in_the_readme_and_in_the_script() -> None:
    script = (EXAMPLES / "drift-check" / "check.sh").read_text(encoding="utf-8")

    for status, meaning in re.findall(r"^\| (\d) \| (.*) \|$", README, re.M):
        assert f"#   {status}  {meaning}" in script


def test_the_snippets_for_ci_are_yaml_that_runs_the_check() -> None:
    snippets = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", README, re.S)]

    gitlab, github = snippets
    assert gitlab["drs-drift"]["script"][-1] == "sh check.sh --stack dev"
    assert github["jobs"]["check"]["steps"][-1] == {"run": "sh check.sh --stack dev"}
