"""The life of a resource in a YAML program: up, no-op, drift, partial failure, refresh, destroy."""

from __future__ import annotations

import re

import pytest
import yaml

from pulumi_drs_start.sandbox import Sandbox, make_job
from tests.e2e.conftest import ROOT, actions

from .conftest import YamlStack

pytestmark = pytest.mark.engine


def test_a_program_starts_jobs_and_is_at_rest(sandbox: Sandbox, stack: YamlStack) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b", status="INCRE_TRANSFER_STARTED"))
    stack.starts("b", "a")

    preview = stack.preview("--json")
    assert preview.diagnostics() == ["will start 1 job: a; 1 job is running"]

    up = stack.up()
    assert up.exit_code == 0, up.output
    assert "2 jobs: started 1, already started 1" in up
    assert stack.outcomes() == {"a": "started", "b": "already_started"}

    assert stack.rests()
    destroyed = stack.destroy()
    assert "2 jobs left as they are" in destroyed
    assert destroyed.exit_code == 0
    assert actions(sandbox) == [("batch-starting", sandbox.project_id, ["a"])]


def test_a_partial_failure_is_saved_and_the_next_up_finishes_it(sandbox: Sandbox, stack: YamlStack) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b", status="CREATE_FAILED"))
    stack.starts("a", "b")

    failed = stack.up()
    assert failed.exit_code != 0
    assert "could not be started" in failed
    assert stack.outcomes() == {"a": "started", "b": "failed"}

    sandbox.add_jobs(make_job("b"))
    repaired = stack.up()
    assert repaired.exit_code == 0, repaired.output
    assert stack.outcomes()["b"] == "started"


def test_a_refresh_reads_the_statuses_anew(sandbox: Sandbox, stack: YamlStack) -> None:
    sandbox.add_jobs(make_job("a"))
    stack.starts("a")
    stack.up()
    sandbox.add_jobs(make_job("a", status="PAUSING"))

    refreshed = stack.refresh()

    assert refreshed.exit_code == 0, refreshed.output
    assert stack.resource()["outputs"]["jobStatuses"]["a"]["status"] == "PAUSING"


def test_the_program_of_the_readme_runs(sandbox: Sandbox, stack: YamlStack) -> None:
    (text,) = re.findall("```yaml\n(name: .*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    program = yaml.safe_load(text)
    jobs = program["resources"]["nightly"]["properties"]["jobs"]
    sandbox.add_jobs(*(make_job(job if isinstance(job, str) else job["jobId"]) for job in jobs))
    stack.declare(program["resources"], outputs=program["outputs"])

    up = stack.up()

    assert up.exit_code == 0, up.output
    assert "2 jobs: started 1, scheduled 1" in up
    assert stack.outputs() == {"problems": {}}
