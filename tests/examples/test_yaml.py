"""`examples/yaml`: the quickstart without a programming language, and the program of `docs/other-languages.md`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import JOB_ID, ROOT, Project, jobs_in_readme, link_plugin, run_through

pytestmark = pytest.mark.engine


def test_the_jobs_start_once_and_are_left_running(sandbox: Sandbox, make_example: Callable[[str], Project]) -> None:
    project = make_example("yaml")
    link_plugin(project.folder)
    sandbox.add_jobs(*map(make_job, jobs_in_readme("yaml")))
    project.follow_readme()

    run_through(project, sandbox)


def test_the_program_of_the_document_runs(sandbox: Sandbox, make_project: Callable[[Path], Project], tmp_path: Path) -> None:
    text = (ROOT / "docs" / "other-languages.md").read_text(encoding="utf-8")
    program = "\n".join(["name: nightly-jobs", "runtime: yaml", *re.findall(r"```yaml\n(.*?)```", text, re.S)])
    sandbox.add_jobs(*map(make_job, set(JOB_ID.findall(program))))
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(program, encoding="utf-8")
    link_plugin(folder)
    project = make_project(folder)

    project.up()

    assert project.outputs() == {"problems": {}}
    assert sorted(job["status"] for job in sandbox.jobs().values()) == ["FULL_TRANSFER_STARTED", "WAITING_FOR_START"]
