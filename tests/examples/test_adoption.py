"""Jobs that run already: taking them over by declaring them, what `pulumi import` does instead, and reading without managing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id

from .conftest import Project

pytestmark = pytest.mark.engine

TYPE = "pulumi-python:dynamic/drs:JobBatchStart"
FULL, INCREMENTAL, WAITING = map(make_job_id, ("full", "incremental", "waiting"))
HEAD = "import pulumi\nfrom pulumi_drs_start import JobBatchStart\n"
EXPORTS = """
pulumi.export("ready", batch.ready)
pulumi.export("summary", batch.summary)
pulumi.export("outcomes", batch.job_statuses.apply(lambda rows: {job_id: row["outcome"] for job_id, row in rows.items()}))
pulumi.export("statuses", batch.job_statuses.apply(lambda rows: {job_id: row["status"] for job_id, row in rows.items()}))
"""
LOOKUP = ', opts=pulumi.ResourceOptions(id="looked-up")'


@pytest.fixture
def project(sandbox: Sandbox, make_project: Callable[[Path], Project], tmp_path: Path) -> Project:
    sandbox.add_jobs(
        make_job(FULL, status="FULL_TRANSFER_STARTED", then=[]),
        make_job(INCREMENTAL, status="INCRE_TRANSFER_STARTED"),
        make_job(WAITING),
    )
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: adoption\nruntime: python\n", encoding="utf-8")
    return make_project(folder)


def declare(project: Project, *job_ids: str, more: str = "") -> None:
    """Make the program declare one resource."""
    text = f"{HEAD}batch = JobBatchStart('batch', jobs={list(job_ids)!r}{more})\n{EXPORTS}"
    (project.folder / "__main__.py").write_text(text, encoding="utf-8")


def changes(sandbox: Sandbox) -> list[str]:
    """The calls that were to change something."""
    reads = {"tokens", "batch-status", "batch-detail", "jobs"}
    return [call["operation"] for call in sandbox.calls() if call["operation"] not in reads]


def test_jobs_started_by_hand_are_taken_over_untouched(project: Project, sandbox: Sandbox) -> None:
    declare(project, FULL, INCREMENTAL)

    assert "will start no job" in project.pulumi("preview")
    project.up()

    outputs = project.outputs()
    assert outputs["ready"] is True
    assert outputs["outcomes"] == {FULL: "already_started", INCREMENTAL: "already_started"}
    assert project.stays()
    project.destroy()
    assert changes(sandbox) == []


def test_among_started_jobs_only_the_others_are_started(project: Project, sandbox: Sandbox) -> None:
    declare(project, FULL, INCREMENTAL, WAITING)

    project.up()

    outcomes = project.outputs()["outcomes"]
    assert outcomes == {FULL: "already_started", INCREMENTAL: "already_started", WAITING: "started"}
    assert [call["jobs"] for call in sandbox.calls("batch-starting")] == [[WAITING]]


def test_import_is_not_possible_and_changes_nothing(project: Project, sandbox: Sandbox) -> None:
    """Pulumi does not tell the host of dynamic providers which provider it means; there is nothing that we could do about it."""
    declare(project, FULL, more=', opts=pulumi.ResourceOptions(import_="batch")')

    by_option = project.refused("up", "--yes", "--skip-preview")
    by_command = project.refused("import", TYPE, "batch", "batch", "--yes")

    assert "KeyError: '__provider'" in by_option
    assert "KeyError: '__provider'" in by_command
    assert [resource for resource in project.resources() if resource["type"] == TYPE] == []
    assert changes(sandbox) == []


def test_a_resource_with_an_id_reads_without_managing(project: Project, sandbox: Sandbox) -> None:
    declare(project, FULL, WAITING, more=LOOKUP)

    assert "to create" in project.pulumi("preview")
    project.up()

    outputs = project.outputs()
    assert outputs["ready"] is False
    assert outputs["statuses"] == {FULL: "FULL_TRANSFER_STARTED", WAITING: "CONFIGURATION"}
    assert project.stays()
    sandbox.set_status(FULL, "INCRE_TRANSFER_STARTED")
    project.up()
    assert project.outputs()["statuses"] == {FULL: "INCRE_TRANSFER_STARTED", WAITING: "CONFIGURATION"}
    project.destroy()
    assert changes(sandbox) == []


def test_a_resource_with_an_id_never_ends_its_jobs(project: Project, sandbox: Sandbox) -> None:
    declare(project, FULL, INCREMENTAL, more=f', on_destroy="stop"{LOOKUP}')
    project.up()

    declare(project, FULL, more=f', on_destroy="stop"{LOOKUP}')
    project.up()
    project.destroy()

    assert changes(sandbox) == []


def test_taking_the_id_away_begins_to_manage(project: Project, sandbox: Sandbox) -> None:
    declare(project, FULL, WAITING, more=LOOKUP)
    project.up()

    declare(project, FULL, WAITING)
    project.up()

    assert project.outputs()["outcomes"] == {FULL: "already_started", WAITING: "started"}
    assert project.stays()
    assert [call["jobs"] for call in sandbox.calls("batch-starting")] == [[WAITING]]
