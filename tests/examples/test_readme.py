"""What the README shows works as it stands there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from pulumi_drs_start import JobBatchStart, JobStatus, Outcome
from pulumi_drs_start.reconcile.phase import Phase
from pulumi_drs_start.sandbox import Sandbox, make_job
from pulumi_drs_start.schema.fields import INPUT_NAMES, INPUTS, JOB_FIELDS, OUTPUTS, PLACE_INPUTS, Kind
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
    assert {row["outcome"] for row in outputs["statuses"].values()} == {"started"}
    assert [sandbox.job(job_id)["starts"] for job_id in job_ids] == [1, 1, 1]


def table(title: str) -> dict[str, list[str]]:
    """The rows of a table under a heading, by their first cell."""
    lines = re.findall(r"^\| (`.*) \|$", section(title), re.M)
    rows = [line.split(" | ") for line in lines]
    return {name.replace("`", ""): cells for name, *cells in rows}


def test_the_readme_has_every_input_with_its_words_and_its_default() -> None:
    rows = table("Inputs")
    inputs = {each.name: each for each in INPUTS} | {f"jobs[].{each.name}": each for each in JOB_FIELDS}

    assert rows.keys() == inputs.keys() - PLACE_INPUTS | {", ".join(PLACE_INPUTS)}
    for name, (kind, default, _) in rows.items():
        each = inputs.get(name)
        if each and each.words:
            assert kind == ", ".join(f'`"{word}"`' for word in each.words)
        if each and each.default is not None:
            assert default == (f"`{each.default}`" if each.kind is Kind.FLAG else f'`"{each.default}"`')


def test_the_readme_has_every_output_with_its_fields_and_their_words() -> None:
    rows = table("Outputs")

    assert tuple(rows) == OUTPUTS
    meaning = rows["job_statuses"][-1]
    assert [name for name in (*JobStatus.__annotations__, *Phase, *get_args(Outcome)) if f"`{name}`" not in meaning] == []


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
