"""`examples/yaml`: the quickstart without a programming language, and the program of `docs/guides/other-languages.md`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job
from tests.docs.pages import texts

from .conftest import JOB_ID, Project, jobs_in_readme, link_plugin, run_through

pytestmark = pytest.mark.engine


def test_the_jobs_start_once_and_are_left_running(sandbox: Sandbox, make_example: Callable[[str], Project]) -> None:
    project = make_example("yaml")
    link_plugin(project.folder)
    sandbox.add_jobs(*map(make_job, jobs_in_readme("yaml")))
    project.follow_readme()

    run_through(project, sandbox)


def test_the_program_of_the_document_runs(sandbox: Sandbox, make_project: Callable[[Path], Project], tmp_path: Path) -> None:
    program = "\n".join(["name: nightly-jobs", "runtime: yaml", *texts("guides/other-languages.md", "yaml")])
    sandbox.add_jobs(*map(make_job, set(JOB_ID.findall(program))))
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(program, encoding="utf-8")
    link_plugin(folder)
    project = make_project(folder)

    project.up()

    assert project.outputs() == {"problems": {}}
    assert sorted(job["status"] for job in sandbox.jobs().values()) == ["FULL_TRANSFER_STARTED", "WAITING_FOR_START"]
