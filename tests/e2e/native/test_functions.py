"""The functions in a YAML program, and jobs that a search found."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import TYPE, YamlStack

pytestmark = pytest.mark.engine


def calling(function: str, arguments: dict[str, Any], result: str) -> dict[str, Any]:
    """A variable that is what a function returns."""
    return {"fn::invoke": {"function": f"drs:{function}", "arguments": arguments, "return": result}}


def test_jobs_found_by_their_status_stay_on_the_list_when_that_changes(sandbox: Sandbox, stack: YamlStack) -> None:
    sandbox.add_jobs(make_job("a", name="crm-a"), make_job("b", name="crm-b"), make_job("c", name="shop"))
    found = calling("findJobs", {"name": "crm-*", "status": "CONFIGURATION"}, "jobIds")
    stack.declare({"batch": {"type": TYPE, "properties": {"jobs": "${found}"}}}, variables={"found": found})

    assert stack.up().exit_code == 0
    assert stack.outcomes() == {"a": "started", "b": "started"}
    assert stack.rests()

    sandbox.add_jobs(make_job("d", name="crm-d"))
    assert stack.preview("--json").diagnostics() == ["will start 1 job: crm-d (d); 2 jobs are running"]
    assert stack.up().exit_code == 0
    assert stack.outcomes() == {"a": "unchanged", "b": "unchanged", "d": "started"}


def test_statuses_are_read_and_a_gate_is_closed_until_copies_have_caught_up(sandbox: Sandbox, stack: YamlStack) -> None:
    sandbox.add_jobs(make_job("a", name="crm-a", status="INCRE_TRANSFER_STARTED", delay={"seconds": 300, "falls": 0}))
    statuses = calling("getJobStatuses", {"jobIds": ["a"], "progress": True}, "statuses")
    stack.declare({}, variables={"statuses": statuses}, outputs={"statuses": "${statuses}"})
    assert stack.up().exit_code == 0
    row = stack.outputs()["statuses"]["a"]
    assert (row["name"], row["phase"], row["delay_seconds"]) == ("crm-a", "running", 300)

    gate = calling("requireSynced", {"jobIds": ["a"], "maxDelay": "1m"}, "statuses")
    stack.declare({}, variables={"gate": gate}, outputs={"gate": "${gate}"})
    closed = stack.preview()
    assert closed.exit_code != 0
    assert "1 of 1 job is not synced (maxDelay is 60s). crm-a (a) is 300 s behind" in closed, closed.output

    sandbox.set_delay("a", seconds=0, falls=0)
    assert stack.preview().exit_code == 0


def test_a_wrong_argument_is_told_in_the_language_of_the_program(stack: YamlStack) -> None:
    stack.declare({}, variables={"statuses": calling("getJobStatuses", {"jobIds": ["crm orders"]}, "statuses")})

    refused = stack.preview()

    assert refused.exit_code != 0
    assert 'jobIds[0] "crm orders" is not a job id' in refused
    assert "findJobs with name: crm orders" in refused
