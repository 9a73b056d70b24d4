"""Every folder of `examples/` is a project that a user can copy and run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id

from .conftest import EXAMPLES, ROOT, Project

NAMES = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir() and not path.name.startswith(("_", ".")))
JOBS = [make_job_id(f"example-{index}") for index in range(6)]
CONFIG: dict[str, list[tuple[str, str]]] = {
    "quickstart": [(f"jobs[{index}]", job_id) for index, job_id in enumerate(JOBS)],
}


def copied(folder: Path, to: Path) -> Path:
    """A copy of a project, without what a developer's own stacks left in it."""
    return Path(shutil.copytree(folder, to, ignore=shutil.ignore_patterns("Pulumi.*.yaml", "__pycache__", ".venv")))


def run_through(project: Project, sandbox: Sandbox, config: list[tuple[str, str]]) -> None:
    """What a user does with a project: start, start again, destroy."""
    for key, value in config:
        project.pulumi("config", "set", "--path", key, value)

    project.pulumi("up", "--yes")
    assert project.outputs()["ready"] is True
    assert [sandbox.job(job_id)["starts"] for job_id in JOBS] == [1] * len(JOBS)

    project.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
    project.pulumi("destroy", "--yes", "--skip-preview")
    assert project.resources() == []
    assert {job["status"] for job in sandbox.jobs().values()} == {"FULL_TRANSFER_STARTED"}
    assert len(sandbox.calls("batch-starting")) == 1


@pytest.mark.engine
@pytest.mark.parametrize("name", NAMES)
def test_an_example_starts_its_jobs_once_and_leaves_them_running(
    name: str, sandbox: Sandbox, make_project: Callable[[Path], Project], tmp_path: Path
) -> None:
    sandbox.add_jobs(*map(make_job, JOBS))

    run_through(make_project(copied(EXAMPLES / name, tmp_path / name)), sandbox, CONFIG[name])


@pytest.mark.engine
def test_the_checkout_is_a_project_too(sandbox: Sandbox, make_project: Callable[[Path], Project], tmp_path: Path) -> None:
    """A copy of what matters of it, because pulumi writes the stack's configuration beside Pulumi.yaml."""
    sandbox.add_jobs(*map(make_job, JOBS))
    checkout = tmp_path / "checkout"
    copied(EXAMPLES, checkout / "examples")
    shutil.copy(ROOT / "Pulumi.yaml", checkout)

    run_through(make_project(checkout), sandbox, CONFIG["quickstart"])


@pytest.mark.parametrize("name", NAMES)
def test_an_example_has_all_that_a_project_needs(name: str) -> None:
    files = {path.name for path in (EXAMPLES / name).iterdir()}

    assert {"Pulumi.yaml", "__main__.py", "README.md", "requirements.txt"} <= files
