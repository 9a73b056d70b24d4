"""What a dynamic provider can't do: import, look-up by ids, time limits of Pulumi's own, an end at the first Ctrl-C."""

from __future__ import annotations

import json
import signal
import time

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job
from tests.e2e.conftest import actions, wait_until

from .conftest import TYPE, YamlStack

pytestmark = pytest.mark.engine


def test_an_import_by_ids_writes_a_program_that_is_at_rest(sandbox: Sandbox, stack: YamlStack) -> None:
    sandbox.add_jobs(make_job("a", status="INCRE_TRANSFER_STARTED"), make_job("b", status="FULL_TRANSFER_STARTED"))
    stack.declare({})

    imported = stack.run("import", TYPE, "batch", "b, a", "--yes", "--out", "code.yaml")

    assert imported.exit_code == 0, imported.output
    assert "jobs:\n        - b\n        - a\n" in (stack.folder / "code.yaml").read_text()
    assert stack.resource()["outputs"]["__place"]["project_id"] == sandbox.project_id
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


def test_a_time_limit_of_pulumi_wins_over_the_input(sandbox: Sandbox, stack: YamlStack) -> None:
    sandbox.add_jobs(make_job("a", start_seconds=600))
    limits = {"customTimeouts": {"create": "2s"}}
    stack.declare({"batch": {"type": TYPE, "properties": {"jobs": ["a"], "timeout": "1h"}, "options": limits}})

    up = stack.up()

    assert up.exit_code != 0
    assert "1 job accepted by DRS was not running yet after 2s (timeout)" in up


def test_the_first_interrupt_ends_a_wait_and_saves_what_is_known(sandbox: Sandbox, stack: YamlStack) -> None:
    sandbox.add_jobs(make_job("a", start_seconds=600))
    stack.starts("a")
    with stack.begin("up", "--yes", "--skip-preview") as command:
        wait_until(lambda: bool(actions(sandbox)))
        interrupted_at = time.monotonic()
        command.send_signal(signal.SIGINT)
        output, _ = command.communicate(timeout=60)

    assert time.monotonic() - interrupted_at < 30
    assert "was not running yet when the operation was cancelled" in output
    assert stack.outcomes() == {"a": "started"}
    deployment = json.loads(stack.run("stack", "export").output)["deployment"]
    assert not deployment.get("pending_operations")
    assert stack.preview("--json").diagnostics() == ["will wait for job a, which is starting"]
