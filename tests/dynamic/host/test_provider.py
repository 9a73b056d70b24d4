"""What only the dynamic provider does: what it adds to the inputs of a preview, and what it does where the host fails it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.output import Unknown
from pulumi.runtime import rpc

from pulumi_drs_start.operations import command
from pulumi_drs_start.provider import JobBatchStartProvider
from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id
from tests.fronts.conftest import NONE, SOME, FailedError, Stack, new_command, sandbox, stack

from .conftest import Engine

__all__ = ["new_command", "sandbox", "stack"]

A, B, C, D = sorted(make_job_id(label) for label in "abcd")


@pytest.fixture
def front() -> str:
    return "dynamic"


def test_what_is_not_known_yet_passes_and_the_rest_is_read(sandbox: Sandbox, stack: Stack, engine: Engine) -> None:
    sandbox.add_jobs(make_job(A))

    checked = stack.check({"jobs": [A, rpc.UNKNOWN], "timeout": rpc.UNKNOWN, "__preview": True})

    assert isinstance(checked["timeout"], Unknown)
    assert checked["jobs"][0] == A
    ((_, told),) = engine.told()
    assert told.startswith(f"will start 1 job: {A}; 1 job is not known yet")


PREVIEWED = ("to_start", "to_resume", "already_running")


def previewed(stack: Stack, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What check adds in a preview."""
    shown = stack.check({**inputs, "__preview": True})
    added = {name: shown.pop(name) for name in PREVIEWED if name in shown}
    assert shown == stack.check(inputs), "what is saved must not depend on whether there was a preview"
    return added


def test_a_preview_of_a_new_resource_shows_each_job_that_will_start_and_each_that_runs(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B, status="INCRE_TRANSFER_STARTED"), make_job(C, status="PAUSING"))
    inputs = {"jobs": [A, B, C, {"job_id": D, "start_time": "2100-01-01T00:00:00Z"}], "resume": True}
    sandbox.add_jobs(make_job(D))

    assert previewed(stack, inputs) == {
        "to_start": {A: "CONFIGURATION", D: "CONFIGURATION"},
        "to_resume": {C: "PAUSING"},
        "already_running": {B: "INCRE_TRANSFER_STARTED"},
    }


def test_a_job_that_is_paused_or_shall_be_is_not_shown_as_one_that_runs(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A, status="INCRE_TRANSFER_STARTED"), make_job(B, status="PAUSING"))

    assert previewed(stack, {"jobs": [{"job_id": A, "desired_state": "paused"}, B]}) == {}


def test_a_preview_of_drift_shows_the_jobs_that_drifted_and_no_others(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B), make_job(C))
    inputs = {"jobs": [A, B, C], "resume": True}
    stack.up(inputs)
    assert previewed(stack, inputs) == {}
    sandbox.set_status(A, "CONFIGURATION")
    sandbox.set_status(B, "PAUSING")

    assert previewed(stack, inputs) == {"to_start": {A: "CONFIGURATION"}, "to_resume": {B: "PAUSING"}}
    assert not {*PREVIEWED, "__preview"} & stack.up({**inputs, "__preview": True}).keys()


def test_a_plan_that_an_up_is_held_to_has_nothing_that_only_a_preview_has(
    sandbox: Sandbox, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.add_jobs(make_job(A))
    monkeypatch.setattr(command, "pulumi_arguments", lambda: ("pulumi", "preview", "--save-plan=plan.json"))

    assert previewed(stack, {"jobs": [A]}) == {}


def found(*others: str) -> dict[str, Any]:
    """What the program says of a query that found jobs but for their status."""
    return {"query": "find_jobs()", "other_status": list(others), "of_total": 3}


def test_a_job_found_by_its_status_stays_on_the_list_when_it_has_moved_on(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    assert stack.check({"jobs": [A], "__found": found(B)}).keys() == stack.check({"jobs": [A]}).keys()
    stack.up({"jobs": [A, B]})

    checked = stack.check({"jobs": [A], "__found": found(B, "c")})

    assert checked["jobs"] == [A, B]
    assert checked["__found"] == {"other_status": ["c"]}
    assert "__found" not in stack.up({"jobs": [A], "__found": found(B, "c")})


def test_a_job_found_by_its_status_stays_on_the_list_too_when_the_update_that_put_it_there_failed(
    sandbox: Sandbox, stack: Stack
) -> None:
    """Pulumi then keeps the old inputs, and with them the old list, beside the new outputs."""
    sandbox.add_jobs(make_job(A), make_job(B), make_job(C, refuse_start={"code": "DRS.M05003", "times": 1}))
    stack.up({"jobs": [A]})
    old_inputs = stack.check({"jobs": [A]})
    with pytest.raises(FailedError):
        stack.up({"jobs": [A, B, C]})

    checked = stack.bag(stack.ask("Check", olds=old_inputs, news={"jobs": [C], "__found": found(A, B)}).inputs)
    updated = stack.ask("Update", id=stack.resource_id, olds=stack.outputs, news=checked)

    assert stack.bag(updated.properties)["jobs"] == [A, B, C]


SECRET = {"jobs": [A], "__secret_inputs": "jobs", "job_statuses": {"secret": "jobs"}, "__records": {"secret": "jobs"}}


def test_what_makes_outputs_secret_is_kept_among_the_inputs_and_in_the_state(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A))

    assert stack.check(SECRET)["job_statuses"] == {"secret": "jobs"}
    assert stack.up(SECRET)["__secret_inputs"] == "jobs"
    assert stack.outputs["job_statuses"][A]["outcome"] == "started"
    assert stack.refresh()["__secret_inputs"] == "jobs"
    assert stack.diff(SECRET).changes == NONE
    assert stack.diff({"jobs": [A]}).changes == SOME


def test_a_resource_that_is_looked_up_by_its_id_alone_is_told_what_is_missing(stack: Stack) -> None:
    with pytest.raises(FailedError) as failed:
        stack.ask("Read", id="drs-1", properties={})

    assert "jobs is empty" in failed.value.message
    assert "Traceback" not in failed.value.message


def test_where_the_host_can_not_save_a_failed_resource_the_program_is_told(sandbox: Sandbox, stack: Stack) -> None:  # noqa: ARG001
    """A failed create would lose the resource, and with it what was started."""
    sandbox.add_jobs(make_job(A), make_job(B, refuse_start="DRS.M05003"))
    provider = JobBatchStartProvider()
    provider.configure(ConfigureRequest(Config({}, "project")))
    checked = provider.check({}, {"jobs": [A, B]})

    created = provider.create(checked.inputs)

    assert created.outs is not None
    assert created.outs["__unreported_failure"].startswith(f"job {B} could not be started: DRS.M05003")
    assert created.outs["job_statuses"][A]["outcome"] == "started"
    again = provider.update(created.id, created.outs, provider.check(created.outs, {"jobs": [A]}).inputs)
    assert again.outs is not None
    assert "__unreported_failure" not in again.outs
