"""What the README shows works as it stands there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pulumi_drs_start import JobBatchStart
from pulumi_drs_start.reconcile.phase import Phase
from pulumi_drs_start.sandbox import Sandbox, make_job
from pulumi_drs_start.schema.fields import INPUT_NAMES
from pulumi_drs_start.schema.tables import inputs_table, outputs_table
from pulumi_drs_start.settings import CONFIG_KEYS

from .conftest import ROOT, Project

README = (ROOT / "README.md").read_text(encoding="utf-8")
JOB_ID = re.compile(r'"([0-9a-z]{8}(?:-[0-9a-z]{4}){3}-[0-9a-z]{12})"')


def section(title: str) -> str:
    """The text under a heading."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.M | re.S)
    assert found, f"the README has no section {title!r}"
    return found[1]


@pytest.mark.engine
@pytest.mark.cold
def test_the_program_of_the_readme_runs(sandbox: Sandbox, make_project: Callable[[Path], Project], tmp_path: Path) -> None:
    program = re.search(r"```python\n(.*?)```", README, re.S)
    assert program
    job_ids = JOB_ID.findall(program[1])
    assert len(job_ids) == 3
    sandbox.add_jobs(*map(make_job, job_ids))
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "__main__.py").write_text(program[1], encoding="utf-8")
    (folder / "Pulumi.yaml").write_text("name: nightly-jobs\nruntime: python\n", encoding="utf-8")

    project = make_project(folder)
    project.pulumi("up", "--yes")
    project.pulumi("preview", "--expect-no-changes")

    outputs = project.outputs()
    assert outputs["ready"] is True
    assert outputs["summary"] == {"running": 3, "total": 3}
    assert outputs["problems"] == {}
    assert [sandbox.job(job_id)["starts"] for job_id in job_ids] == [1, 1, 1]


def test_the_tables_of_inputs_and_outputs_are_those_of_the_fields() -> None:
    assert inputs_table() in README
    assert outputs_table() in README


def test_the_resource_takes_every_input_of_the_table_and_no_other() -> None:
    inputs = set(JobBatchStart.__init__.__annotations__) - {"resource_name", "opts", "return"}

    assert inputs == set(INPUT_NAMES)


def test_every_phase_is_in_the_readme() -> None:
    assert [phase for phase in Phase if f"| `{phase.value}` |" not in section("What a status means")] == []


def test_every_setting_is_in_the_readme() -> None:
    assert [key for key in CONFIG_KEYS if f"`drs:{key}`" not in section("Configuration")] == []


def test_links_to_files_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", README)

    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
