"""`examples/alarm`: a script that tells by its exit status whether jobs run, and needs no stack."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id

from .conftest import EXAMPLES, Project, jobs_in_readme, needs_jq

ORDERS, BILLING, LEDGER = jobs_in_readme("alarm")
README = (EXAMPLES / "alarm" / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def project(sandbox: Sandbox, make_example: Callable[[str], Project]) -> Project:
    """The script's folder; it has no stack."""
    sandbox.add_jobs(
        make_job(ORDERS, name="crm-orders", status="INCRE_TRANSFER_STARTED"),
        make_job(BILLING, name="crm-billing", status="STARTJOBING", then=[]),
        make_job(LEDGER, status="WAITING_FOR_START", start_time="4070908800000"),
    )
    return make_example("alarm")


def ask(project: Project, *job_ids: str) -> tuple[int, list[str], list[str]]:
    """The exit status of the script, and the lines of its output and of its errors."""
    ended = project.run("python", "alarm.py", *job_ids)
    return ended.returncode, ended.stdout.splitlines(), ended.stderr.splitlines()


@pytest.mark.engine
def test_all_is_well_while_jobs_run_or_start_or_wait_for_their_time(project: Project) -> None:
    assert ask(project, ORDERS, BILLING, LEDGER) == (0, ["alarm: nothing is wrong with any of 3"], [])


@pytest.mark.engine
@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("PAUSING", "paused, PAUSING"),
        ("INCRE_TRANSFER_FAILED", "failed, INCRE_TRANSFER_FAILED: cannot reach source database"),
        ("START_JOB_FAILED", "start failed, START_JOB_FAILED: cannot reach source database"),
        ("CONFIGURATION", "startable, CONFIGURATION"),
        ("RELEASE_RESOURCE_COMPLETE", "ended, RELEASE_RESOURCE_COMPLETE"),
    ],
)
def test_a_job_that_does_not_run_is_named_with_the_reason(project: Project, sandbox: Sandbox, status: str, told: str) -> None:
    sandbox.add_jobs(make_job(ORDERS, name="crm-orders", status=status, fail_start={"message": "cannot reach source database"}))

    named = f"job crm-orders ({ORDERS}): {told}"
    assert ask(project, ORDERS, BILLING) == (1, [], [named, "alarm: something is wrong with 1 of 2"])


@pytest.mark.engine
def test_a_job_that_is_gone_is_an_alarm(project: Project) -> None:
    gone = make_job_id("gone")

    status, _, said = ask(project, ORDERS, gone)

    assert (status, said[0]) == (1, f"job {gone}: missing, MISSING: The task does not exist.")


@pytest.mark.engine
def test_where_there_is_no_answer_it_is_neither_good_nor_bad(project: Project, tmp_path: Path) -> None:
    no_job = ask(project)
    no_id = ask(project, "crm orders")
    project.environment["OS_PASSWORD"] = "wrong"
    no_login = ask(project, ORDERS)
    # In front of the real one, as if it were not installed.
    (tmp_path / "pulumi_drs_start.py").write_text("raise ImportError('not installed')", encoding="utf-8")
    project.environment["PYTHONPATH"] = str(tmp_path)
    no_package = ask(project, ORDERS)

    assert [(status, output) for status, output, _ in (no_job, no_id, no_login, no_package)] == [(2, [])] * 4
    assert "refused the login" in no_login[2][0]
    assert no_package[2] == ["alarm: no answer: not installed"]


@pytest.mark.engine
@needs_jq
def test_the_jobs_of_a_stack_are_those_it_declares_to_be_started(
    project: Project, make_project: Callable[[Path], Project], tmp_path: Path
) -> None:
    """By the command of the README, after an `up` that failed."""
    gone = make_job_id("gone")
    folder = tmp_path / "stack"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: jobs\nruntime: python\n", encoding="utf-8")
    jobs = [ORDERS, gone, {"job_id": BILLING, "desired_state": "paused"}, {"job_id": LEDGER, "start_time": 4070908800000}]
    (folder / "__main__.py").write_text(
        f"from pulumi_drs_start import JobBatchStart\nJobBatchStart('batch', jobs={jobs}, wait_for='accepted', timeout='5s')\n",
        encoding="utf-8",
    )
    stack = make_project(folder)
    stack.refused("up", "--yes", "--skip-preview")
    command = re.search(r"^pulumi stack export --stack dev (\| jq .*) > jobs.txt$", README, re.M)
    assert command

    named = stack.run("sh", "-c", f"pulumi stack export --stack test {command[1]}")

    assert named.stderr == ""
    assert sorted(named.stdout.split()) == sorted([ORDERS, gone, LEDGER])
    assert ask(project, *named.stdout.split())[0] == 1


def test_every_exit_status_is_in_the_readme_and_in_the_script() -> None:
    script = (EXAMPLES / "alarm" / "alarm.py").read_text(encoding="utf-8")
    meanings = re.findall(r"^\| (\d) \| (.*) \|$", README, re.M)

    assert [status for status, _ in meanings] == ["0", "1", "2"]
    assert [meaning for status, meaning in meanings if f"  {status}  {meaning}" not in script] == []


def test_the_snippets_for_ci_are_yaml_that_runs_the_script() -> None:
    gitlab, github = (yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", README, re.S))

    command = "python alarm.py $(cat jobs.txt)"
    assert gitlab["drs-alarm"]["script"][-1] == command
    assert github["jobs"]["alarm"]["steps"][-1] == {"run": command}
