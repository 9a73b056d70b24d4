"""`examples/quickstart`: a batch of jobs whose ids are in the stack's configuration. The checkout itself runs it too."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id

from .conftest import EXAMPLES, ROOT, Project, copied, jobs_in_readme, run_through

pytestmark = [pytest.mark.engine, pytest.mark.cold]


def test_the_jobs_start_once_and_are_left_running(sandbox: Sandbox, make_example: Callable[[str], Project]) -> None:
    project = make_example("quickstart")
    sandbox.add_jobs(*map(make_job, jobs_in_readme("quickstart")))
    project.follow_readme()

    run_through(project, sandbox)


def test_the_checkout_is_a_project_too(sandbox: Sandbox, make_project: Callable[[Path], Project], tmp_path: Path) -> None:
    """A copy of what matters of it, because pulumi writes the stack's configuration beside Pulumi.yaml."""
    job_ids = [make_job_id(f"example-{index}") for index in range(6)]
    sandbox.add_jobs(*map(make_job, job_ids))
    checkout = tmp_path / "checkout"
    copied(EXAMPLES, checkout / "examples")
    shutil.copy(ROOT / "Pulumi.yaml", checkout)
    project = make_project(checkout)
    project.configure(jobs=job_ids)

    run_through(project, sandbox)
