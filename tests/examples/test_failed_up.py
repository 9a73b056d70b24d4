"""What `docs/guides/failed-up.md` says of a failed `up` is so, and its commands read what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job
from tests.docs.pages import read, texts

from .conftest import Project, needs_jq

pytestmark = [pytest.mark.engine, pytest.mark.cold]

PAGE = "guides/failed-up.md"
TEXT = read(PAGE)
WITH_JQ, WITH_PYTHON, RENEW = texts(PAGE, "sh")
SHOWN = json.loads(*texts(PAGE, "json"))
RUNS, FAILS, MISSING = "9f1c6f6e-5d5e-4d8c-9a1e-1268453jb101", *SHOWN


@pytest.fixture
def project(sandbox: Sandbox, make_project: Callable[[Path], Project], tmp_path: Path) -> Project:
    """A stack whose first `up` has failed as the document shows it."""
    sandbox.add_jobs(
        make_job(RUNS, name="crm-orders"),
        make_job(FAILS, name="crm-billing", fail_start={"message": "cannot reach source database 10.0.0.152:3306"}),
    )
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: nightly-jobs\nruntime: python\n", encoding="utf-8")
    project = make_project(folder)
    declare(project)
    said = project.refused("up", "--yes", "--skip-preview")
    assert re.findall(r"\* job .*", said) == re.findall(r"\* job .*", TEXT)
    return project


def declare(project: Project, more: str = "", jobs: str = repr([RUNS, FAILS, MISSING])) -> None:
    (project.folder / "__main__.py").write_text(
        "import pulumi\nfrom pulumi_drs_start import JobBatchStart\n"
        f"nightly = JobBatchStart('nightly', jobs={jobs}{more})\n"
        "for name in ('ready', 'summary', 'problems'):\n    pulumi.export(name, getattr(nightly, name))\n",
        encoding="utf-8",
    )


def shell(project: Project, command: str) -> str:
    """What a command of the document prints."""
    ended = project.run("sh", "-c", command)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_state_tells_what_is_wrong_and_the_stack_has_no_outputs(project: Project) -> None:
    assert project.outputs() == {}
    assert shell(project, WITH_PYTHON) in TEXT


@needs_jq
def test_the_state_tells_it_by_jq_too(project: Project) -> None:
    assert json.loads(shell(project, WITH_JQ)) == SHOWN


@needs_jq
def test_secret_problems_can_be_read_by_who_may(project: Project) -> None:
    declare(project, jobs=f"pulumi.Output.secret({[RUNS, FAILS, MISSING]})")
    project.refused("up", "--yes", "--skip-preview")

    assert "crm-billing" not in shell(project, "pulumi stack export")
    plain = WITH_JQ.replace("export", "export --show-secrets").replace("problems", "problems.plaintext | fromjson")
    assert json.loads(shell(project, plain)) == SHOWN


def test_a_refresh_that_runs_the_program_gives_the_stack_its_outputs(project: Project, sandbox: Sandbox) -> None:
    starts = len(sandbox.calls("batch-starting"))

    project.pulumi("refresh", "--yes", "--skip-preview")
    assert project.outputs() == {}
    project.pulumi(*RENEW.split()[1:], "--yes", "--skip-preview")

    assert project.outputs() == {
        "ready": False,
        "summary": {"missing": 1, "running": 1, "start_failed": 1, "total": 3},
        "problems": SHOWN,
    }
    assert len(sandbox.calls("batch-starting")) == starts


def test_failures_that_are_recorded_leave_the_outputs(project: Project) -> None:
    declare(project, more=", on_failure='record'")
    project.up()

    assert project.pulumi("stack", "output", "summary") in TEXT


def test_an_up_that_only_warns_and_one_that_fails_leave_the_outputs_as_they_were(project: Project, sandbox: Sandbox) -> None:
    declare(project, jobs=f"['{RUNS}']")
    project.up()
    healthy = project.outputs()
    assert healthy == {"ready": True, "summary": {"running": 1, "total": 1}, "problems": {}}

    sandbox.set_status(RUNS, "PAUSING")
    assert "is paused" in project.up()
    assert project.outputs() == healthy
    sandbox.set_status(RUNS, "START_JOB_FAILED", then=[])
    project.refused("up", "--yes", "--skip-preview")
    assert project.outputs() == healthy
