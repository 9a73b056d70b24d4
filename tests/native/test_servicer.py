"""The provider protocol where it is not as the dynamic provider's, for which see `tests/fronts`."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import grpc
import pytest
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2

from pulumi_drs_start.native import wire
from pulumi_drs_start.native.schema import FILE
from pulumi_drs_start.sandbox import Sandbox, faults, make_job

from .conftest import ANSWER_SECONDS, URN, Engine, Program, init_failure, struct

UPDATE, ADD, DELETE = provider_pb2.PropertyDiff.UPDATE, provider_pb2.PropertyDiff.ADD, provider_pb2.PropertyDiff.DELETE


def changes(program: Program, **inputs: Any) -> dict[str, Any]:
    """The detailed difference: kinds by path."""
    difference = program.diff(program.check(**inputs))
    assert all(change.inputDiff for change in difference.detailedDiff.values())
    return {path: change.kind for path, change in difference.detailedDiff.items()}


def test_a_preview_tells_the_plan_and_an_up_does_not(sandbox: Sandbox, engine: Engine, program: Program) -> None:
    sandbox.add_jobs(make_job("a"))

    previewed = program.run(preview=True, jobs=["a"])
    told = engine.told()
    program.begin()
    program.run(jobs=["a"])

    assert previewed is not None
    assert (previewed["jobs"], previewed["jobStatuses"]) == ([{"jobId": "a"}], wire.UNKNOWN)
    assert told == [("INFO", "will start 1 job: a")]
    assert engine.told()[len(told) :][-1] == ("INFO", "1 job: started 1")
    assert ("INFO", "will start 1 job: a") not in engine.told()[len(told) :]


def test_a_difference_has_a_path_for_each_change(sandbox: Sandbox, program: Program) -> None:
    sandbox.add_jobs(*(make_job(job_id) for job_id in "abcd"))
    program.run(jobs=["b", "c"], timeout="30m", startTime="1700000000000")

    assert changes(program, jobs=["b", "c"], timeout="31m") == {"timeout": UPDATE, "startTime": DELETE}
    inputs = {"timeout": "30m", "startTime": "1700000000000"}
    assert changes(program, jobs=["b", "c", "d"], **inputs) == {"jobs[2]": ADD}
    assert changes(program, jobs=["b"], **inputs) == {"jobs[1]": DELETE}
    assert changes(program, jobs=["a", "b", "c"], **inputs) == {"jobs[0]": ADD}
    assert changes(program, jobs=["b", {"jobId": "c", "desiredState": "paused"}], **inputs) == {"jobs[1]": UPDATE}
    sandbox.add_jobs(make_job("c"))
    program.begin()
    assert changes(program, jobs=["b", "c"], **inputs) == {"jobs[1]": UPDATE}


def test_a_replacement_names_the_input_because_of_which_it_happens(sandbox: Sandbox, program: Program) -> None:
    other = sandbox.account.other_project_id
    sandbox.add_jobs(make_job("a"), make_job("b", project_id=other))
    program.run(jobs=["a"])

    difference = program.diff(program.check(jobs=["b"], projectId=other))

    assert list(difference.replaces) == ["projectId"]
    assert difference.detailedDiff["projectId"].kind == provider_pb2.PropertyDiff.ADD_REPLACE


def test_a_cancel_ends_a_wait_and_saves_what_is_known(sandbox: Sandbox, program: Program) -> None:
    sandbox.add_jobs(make_job("a", start_seconds=600))
    threading.Timer(0.5, program.cancel).start()
    began_at = time.monotonic()

    with pytest.raises(grpc.RpcError) as failed:
        program.run(jobs=["a"])

    assert time.monotonic() - began_at < 20
    assert "when the operation was cancelled" in init_failure(failed.value).reasons[0]


def test_an_input_that_becomes_secret_is_a_change_and_hides_what_repeats_it(sandbox: Sandbox, program: Program) -> None:
    sandbox.add_jobs(make_job("a"))
    program.run(jobs=["a"])
    assert wire.plain(program.outputs)[1] == []

    program.begin()
    program.run(jobs=[rpc.wrap_rpc_secret("a")])

    assert sorted(wire.plain(program.outputs)[1]) == ["__records", "jobStatuses", "jobs", "problems"]


def test_a_refresh_reads_statuses_and_keeps_the_inputs(sandbox: Sandbox, program: Program) -> None:
    sandbox.add_jobs(make_job("a"))
    program.run(jobs=["a"])
    sandbox.add_jobs(make_job("a", status="PAUSING"))

    request = provider_pb2.ReadRequest(id=program.id, urn=URN, properties=program.outputs, inputs=program.inputs)
    read = program.stub.Read(request, timeout=ANSWER_SECONDS)

    assert (read.id, read.inputs) == (program.id, program.inputs)
    assert wire.to_bag(read.properties)["job_statuses"]["a"]["status"] == "PAUSING"


def test_an_import_declares_the_ids_and_what_its_state_says_of_the_place(sandbox: Sandbox, program: Program) -> None:
    other = sandbox.account.other_project_id
    sandbox.add_jobs(make_job("a", project_id=other), make_job("b", project_id=other))

    request = provider_pb2.ReadRequest(id=" b , a ", urn=URN, properties=struct({"projectId": other}))
    read = program.stub.Read(request, timeout=ANSWER_SECONDS)

    assert wire.plain(read.inputs)[0] == {"jobs": ["b", "a"], "projectId": other}
    outputs = wire.to_bag(read.properties)
    assert outputs["__place"] == {"endpoint": sandbox.url, "project_id": other}
    assert outputs["jobs"] == [{"job_id": "a"}, {"job_id": "b"}]


def test_a_deletion_that_fails_says_how_to_leave_the_jobs_alone(sandbox: Sandbox, program: Program) -> None:
    # DRS pauses no job with such an id.
    sandbox.add_jobs(make_job("a"))
    program.run(jobs=["a"], onDestroy="pause")
    program.begin()
    request = provider_pb2.DeleteRequest(id=program.id, urn=URN, properties=program.outputs)

    with pytest.raises(grpc.RpcError, match="set onDestroy: leave, run pulumi up"):
        program.stub.Delete(request, timeout=ANSWER_SECONDS)


# -- functions -----------------------------------------------------------------------------------------------------------


def test_a_job_that_a_search_found_stays_when_its_status_changes(sandbox: Sandbox, program: Program) -> None:
    def search() -> Any:
        found = program.invoke("findJobs", name="crm-*", status="CONFIGURATION")
        return wire.plain(getattr(found, "return"))[0]["jobIds"]

    sandbox.add_jobs(make_job("a", name="crm-a"), make_job("b", name="crm-b"))
    program.run(jobs=search())
    sandbox.add_jobs(make_job("c", name="crm-c"))
    program.begin()
    program.run(jobs=search())
    program.begin()

    assert search() == []
    assert program.run(jobs=search()) is None
    assert [job["job_id"] for job in wire.to_bag(program.outputs)["jobs"]] == ["a", "b", "c"]


def test_a_cancel_ends_a_function_that_waits_for_drs(sandbox: Sandbox, program: Program) -> None:
    sandbox.inject(faults.server_error("batch-status", 503, times=None))
    threading.Timer(0.5, program.cancel).start()
    began_at = time.monotonic()

    failures = program.invoke("getJobStatuses", jobIds=["a"]).failures

    assert time.monotonic() - began_at < 20
    assert "cancelled" in failures[0].reason


def test_a_search_for_something_else_keeps_no_job_on_a_list(sandbox: Sandbox, program: Program) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    program.run(jobs=["a", "b"])
    program.begin()

    program.invoke("findJobs", status="PAUSING")

    assert changes(program, jobs=["a"]) == {"jobs[1]": DELETE}


def test_what_secret_arguments_lead_to_is_secret(sandbox: Sandbox, program: Program) -> None:
    sandbox.add_jobs(make_job("a", name="crm-a"))

    found = getattr(program.invoke("findJobs", name=rpc.wrap_rpc_secret("crm-a")), "return")

    assert wire.plain(found) == ({"jobIds": ["a"]}, ["jobIds"])


def test_a_search_that_finds_nothing_warns(sandbox: Sandbox, engine: Engine, program: Program) -> None:
    sandbox.add_jobs(make_job("a", name="shop"))

    program.invoke("findJobs", name="crm-*")

    assert engine.told() == [("WARNING", "findJobs with name: crm-* found no job: the only job does not match")]


# -- the plugin ----------------------------------------------------------------------------------------------------------


def test_the_schema_is_the_file(program: Program) -> None:
    schema = program.stub.GetSchema(provider_pb2.GetSchemaRequest(), timeout=ANSWER_SECONDS).schema

    assert json.loads(schema) == json.loads(FILE.read_text("utf-8"))


def test_the_configuration_is_checked_and_its_secrets_are_marked(program: Program) -> None:
    news = struct({"password": "hidden", "batchSize": "many", "regoin": "x", "region": wire.UNKNOWN, "version": "1.0.0"})

    checked = program.stub.CheckConfig(provider_pb2.CheckRequest(urn="urn:provider", news=news), timeout=ANSWER_SECONDS)

    assert [failure.reason.partition(" ")[0] for failure in checked.failures] == ["drs:batchSize"]
    values, secret = wire.plain(checked.inputs)
    assert (values["region"], secret) == (wire.UNKNOWN, ["password"])


@pytest.mark.parametrize(("project", "warnings"), [("jobs", 1), ("drs", 0)])
def test_a_setting_that_means_nothing_is_warned_of(engine: Engine, program: Program, project: str, warnings: int) -> None:
    urn = f"urn:pulumi:dev::{project}::pulumi:providers:drs::default"

    program.stub.CheckConfig(provider_pb2.CheckRequest(urn=urn, news=struct({"regoin": "eu-de"})), timeout=ANSWER_SECONDS)

    assert engine.told() == [("WARNING", "drs:regoin is not a setting of DRS; did you mean drs:region?")] * warnings


def test_another_configuration_replaces_no_resource(program: Program) -> None:
    request = provider_pb2.DiffRequest(old_inputs=struct({"region": "eu-de"}), news=struct({"region": "eu-nl"}))

    difference = program.stub.DiffConfig(request, timeout=ANSWER_SECONDS)

    assert (difference.changes, list(difference.replaces)) == (provider_pb2.DiffResponse.DIFF_SOME, [])
