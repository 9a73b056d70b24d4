"""What a dynamic provider can't do: import and look-up by ids."""

from __future__ import annotations

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job
from tests.e2e.conftest import actions

from .conftest import TYPE, YamlStack

pytestmark = pytest.mark.engine


def test_an_import_by_ids_writes_a_program_that_is_at_rest(sandbox: Sandbox, stack: YamlStack) -> None:
    sandbox.add_jobs(make_job("a", name="crm", status="INCRE_TRANSFER_STARTED"), make_job("b", status="FULL_TRANSFER_STARTED"))
    stack.declare({})

    imported = stack.run("import", TYPE, "batch", "b, a", "--yes", "--out", "code.yaml")

    assert imported.exit_code == 0, imported.output
    assert "jobs:\n        - b\n        - a\n" in (stack.folder / "code.yaml").read_text()
    assert stack.resource()["outputs"]["__place"]["project_id"] == sandbox.project_id
    assert stack.resource()["outputs"]["job_statuses"]["a"]["name"] == "crm"
    stack.starts("b", "a")
    assert stack.rests()
    assert actions(sandbox) == []


def test_an_import_of_what_drs_does_not_know_says_so(stack: YamlStack) -> None:
    stack.declare({})

    refused = stack.run("import", TYPE, "batch", "a", "--yes")

    assert refused.exit_code != 0
    assert "job a is not known to DRS: check its id, the region and the project. The id of an import is the ids of" in refused


def test_jobs_that_are_looked_up_are_read_and_left_alone(sandbox: Sandbox, stack: YamlStack) -> None:
    sandbox.add_jobs(make_job("a", status="INCRE_TRANSFER_STARTED"), make_job("n"))
    stack.declare({"got": {"type": TYPE, "get": {"id": "a,n"}}}, outputs={"statuses": "${got.jobStatuses}"})

    up = stack.up()

    assert up.exit_code == 0, up.output
    assert {job_id: row["phase"] for job_id, row in stack.outputs()["statuses"].items()} == {"a": "running", "n": "startable"}
    assert actions(sandbox) == []
