"""Our provider in the host of the installed SDK, called over gRPC with the bags that the engine sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.protobuf import struct_pb2
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.output import Unknown
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2, status_pb2

from pulumi_drs_start.operations import bags, command
from pulumi_drs_start.operations.connections import process_connections
from pulumi_drs_start.provider import JobBatchStartProvider
from pulumi_drs_start.sandbox import Sandbox, faults, make_job, make_job_id

from .conftest import ANSWER_SECONDS, URN, Engine, MakeHost

A, B, C, D = sorted(make_job_id(label) for label in "abcd")
PROVIDER = serialize_provider(JobBatchStartProvider())
START, READ, PAUSE, STOP = "batch-starting", "batch-status", "batch-pause-task", "batch-jobs"
NONE, SOME = provider_pb2.DiffResponse.DIFF_NONE, provider_pb2.DiffResponse.DIFF_SOME


class FailedError(Exception):
    """A call failed.

    Attributes:
        message: as the user reads it.
        saved: of a resource that is saved all the same: its id, outputs and the reasons.
    """

    def __init__(self, error: grpc.RpcError) -> None:
        text = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
        status = status_pb2.Status.FromString(text) if text else None
        self.message: str = status.message if status else error.details()
        self.saved: Any = None
        if status and status.details:
            self.saved = provider_pb2.ErrorResourceInitFailed()
            status.details[0].Unpack(self.saved)
        super().__init__(self.message)


@dataclass
class Stack:
    """A stack with one resource, as the engine deals with it.

    Attributes:
        stub: of the host.
        resource_id: empty before the resource is created.
        outputs: as the state has them.
    """

    stub: Any
    resource_id: str = ""
    outputs: dict[str, Any] = field(default_factory=dict)

    def ask(self, method: str, **fields: Any) -> Any:
        bags = {
            name: _struct({**value, "__provider": PROVIDER}) if isinstance(value, Mapping) else value
            for name, value in fields.items()
        }
        request = getattr(provider_pb2, f"{method}Request")(urn=URN, **bags)
        try:
            return getattr(self.stub, method)(request, timeout=ANSWER_SECONDS)
        except grpc.RpcError as exc:
            raise FailedError(exc) from None

    def check(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.ask("Check", news=inputs, **({"olds": self.outputs} if self.outputs else {}))
        assert list(answer.failures) == []
        return _bag(answer.inputs)

    def problems(self, inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        return [(failure.property, failure.reason) for failure in self.ask("Check", news=inputs).failures]

    def diff(self, inputs: Mapping[str, Any]) -> Any:
        return self.ask("Diff", id=self.resource_id, olds=self.outputs, news=self.check(inputs))

    def up(self, inputs: Mapping[str, Any], timeout: float = 0) -> dict[str, Any]:
        """Create or update; give the outputs. A resource that is saved although it failed is kept, as the engine does."""
        checked = self.check(inputs)
        try:
            if self.resource_id:
                answer = self.ask("Update", id=self.resource_id, olds=self.outputs, news=checked, timeout=timeout)
            else:
                answer = self.ask("Create", properties=checked, timeout=timeout)
                self.resource_id = answer.id
            return self._keep(answer.properties)
        except FailedError as exc:
            self._save(exc)
            raise

    def refresh(self) -> dict[str, Any]:
        try:
            return self._keep(self.ask("Read", id=self.resource_id, properties=self.outputs).properties)
        except FailedError as exc:
            self._save(exc)
            raise

    def delete(self) -> None:
        self.ask("Delete", id=self.resource_id, properties=self.outputs)

    def _keep(self, properties: Any) -> dict[str, Any]:
        self.outputs = _bag(properties)
        return self.outputs

    def _save(self, failed: FailedError) -> None:
        if failed.saved is not None:
            self.resource_id = failed.saved.id
            self._keep(failed.saved.properties)


def _struct(bag: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(bag)
    return struct


def _bag(properties: Any) -> dict[str, Any]:
    bag: dict[str, Any] = rpc.deserialize_properties(properties, True)
    assert bag.pop("__provider") == PROVIDER
    return bag


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(start_seconds=0, full_seconds=0, complete_seconds=0, stop_seconds=0) as running:
        yield running


@pytest.fixture
def new_command(make_host: MakeHost) -> Iterator[Callable[..., Any]]:
    """Gives the stub of a new host, as the engine starts one for every command. It loads the provider by the name in the bags."""

    def start(**config: str) -> Any:
        _forget()
        served = make_host(dict)
        served.configure({f"drs:{name}": value for name, value in config.items()})
        return served.stub

    yield start
    _forget()


def _forget() -> None:
    """What one process keeps for all of its hosts; here each has its own."""
    process_connections().close()
    process_connections.cache_clear()


@pytest.fixture
def stack(
    new_command: Callable[..., Any],
    sandbox: Sandbox,
    engine: Engine,  # noqa: ARG001 - takes the messages
    monkeypatch: pytest.MonkeyPatch,
) -> Stack:
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    # The command that the host serves: the tests have no pulumi among their ancestors.
    monkeypatch.setattr(command, "pulumi_arguments", lambda: ("pulumi", "up"))
    return Stack(new_command())


# -- check ---------------------------------------------------------------------------------------------------------


def test_check_gives_every_input_in_its_normal_form_and_the_place(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))

    assert stack.check({"jobs": [B, {"job_id": A, "start_time": 4102444800000.0}], "timeout": "90m"}) == {
        "jobs": [{"job_id": A, "start_time": "2100-01-01T00:00:00Z"}, B],
        "wait_for": "running",
        "max_delay": "10s",
        "stable_for": "60s",
        "timeout": "90m",
        "resume": False,
        "precheck": False,
        "on_failure": "fail",
        "on_destroy": "leave",
        "__place": {"endpoint": sandbox.url, "project_id": sandbox.project_id},
    }


def test_check_names_every_problem_at_once_and_calls_nobody(sandbox: Sandbox, stack: Stack) -> None:
    problems = stack.problems({"jobs": [{"job_id": A}, {"job_id": ""}], "wait_for": "ever", "jbos": 1})

    assert [property_ for property_, _ in problems] == ["", "", ""]
    assert [reason.split()[0] for _, reason in problems] == ["jobs[1].job_id", "wait_for", "jbos"]
    assert sandbox.calls() == []


def test_check_names_what_is_missing_in_the_configuration(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OS_PASSWORD")
    monkeypatch.delenv("OS_REGION_NAME")

    told = "\n".join(reason for _, reason in stack.problems({"jobs": [A]}))

    assert "the password is missing" in told


def test_the_stack_s_configuration_counts_more_than_the_environment(
    sandbox: Sandbox, stack: Stack, new_command: Callable[..., Any]
) -> None:
    sandbox.add_jobs(make_job(A, project_id=sandbox.account.other_project_id))
    stack.stub = new_command(projectId=sandbox.account.other_project_id)

    assert stack.check({"jobs": [A]})["__place"]["project_id"] == sandbox.account.other_project_id


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

    checked = _bag(stack.ask("Check", olds=old_inputs, news={"jobs": [C], "__found": found(A, B)}).inputs)
    updated = stack.ask("Update", id=stack.resource_id, olds=stack.outputs, news=checked)

    assert _bag(updated.properties)["jobs"] == [A, B, C]


SECRET = {"jobs": [A], "__secret_inputs": "jobs", "job_statuses": {"secret": "jobs"}, "__records": {"secret": "jobs"}}


def test_secret_jobs_are_named_in_no_message(sandbox: Sandbox, stack: Stack, engine: Engine) -> None:
    sandbox.add_jobs(make_job(A, refuse_start="DRS.M05003"))

    with pytest.raises(FailedError) as failed:
        stack.up(SECRET)

    told = [failed.value.message, *failed.value.saved.reasons, *(text for _, text in engine.told())]
    assert any("DRS.M05003" in text for text in told)
    assert not any(A in text for text in told)


def test_what_makes_outputs_secret_is_kept_among_the_inputs_and_in_the_state(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A))

    assert stack.check(SECRET)["job_statuses"] == {"secret": "jobs"}
    assert stack.up(SECRET)["__secret_inputs"] == "jobs"
    assert stack.outputs["job_statuses"][A]["outcome"] == "started"
    assert stack.refresh()["__secret_inputs"] == "jobs"
    assert stack.diff(SECRET).changes == NONE
    assert stack.diff({"jobs": [A]}).changes == SOME


# -- diff ----------------------------------------------------------------------------------------------------------


def test_a_preview_at_rest_is_no_difference_and_one_call(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A))
    stack.up({"jobs": [A]})
    sandbox.clear_calls()

    difference = stack.diff({"jobs": [{"job_id": A}]})

    assert (difference.changes, list(difference.replaces)) == (NONE, [])
    assert [call["operation"] for call in sandbox.calls()] == [READ]


def test_another_project_replaces_the_resource(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A))
    stack.up({"jobs": [A]})

    difference = stack.diff({"jobs": [A], "project_id": sandbox.account.other_project_id})

    assert (difference.changes, list(difference.replaces)) == (SOME, ["project_id"])


# -- create and update ---------------------------------------------------------------------------------------------


def test_create_gives_an_id_of_its_own_and_every_output(sandbox: Sandbox, stack: Stack, engine: Engine) -> None:
    sandbox.add_jobs(make_job(A))

    outputs = stack.up({"jobs": [A]})

    assert stack.resource_id.startswith("drs-")
    assert outputs["job_statuses"][A]["outcome"] == "started"
    assert outputs["summary"] == {"running": 1, "total": 1}
    assert (outputs["ready"], outputs["__format"]) == (True, 1)
    assert outputs["__place"] == {"endpoint": sandbox.url, "project_id": sandbox.project_id}
    assert not {*PREVIEWED, "__found", "__unreported_failure"} & outputs.keys()
    assert engine.told()[-1] == ("INFO", "1 job: started 1")


def test_a_partial_failure_saves_the_resource_and_the_next_up_deals_with_what_is_left(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B, refuse_start={"code": "DRS.M05003", "times": 1}))

    with pytest.raises(FailedError) as failed:
        stack.up({"jobs": [A, B]})

    assert failed.value.message.startswith(f"job {B} could not be started: DRS.M05003")
    assert list(failed.value.saved.reasons) == [failed.value.message]
    assert stack.resource_id.startswith("drs-")
    assert {job_id: row["outcome"] for job_id, row in stack.outputs["job_statuses"].items()} == {A: "started", B: "failed"}
    created = stack.resource_id

    assert stack.up({"jobs": [A, B]})["ready"] is True

    assert stack.resource_id == created
    assert {job_id: job["start_requests"] for job_id, job in sandbox.jobs().items()} == {A: 1, B: 2}


def test_a_time_limit_of_the_resource_s_options_saves_what_was_accepted(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A, stuck=True))

    with pytest.raises(FailedError) as failed:
        stack.up({"jobs": [A]}, timeout=1)

    assert "after 1s (timeout)" in failed.value.message
    assert stack.outputs["job_statuses"][A]["outcome"] == "started"
    assert stack.outputs["__records"][A]["is_unfinished"] is True


def test_a_refused_login_fails_in_plain_words_and_saves_nothing(
    sandbox: Sandbox, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.add_jobs(make_job(A))
    monkeypatch.setenv("OS_PASSWORD", "not-it")

    with pytest.raises(FailedError) as failed:
        stack.up({"jobs": [A]})

    assert failed.value.saved is None
    assert "Traceback" not in failed.value.message
    assert "OS_PASSWORD" in failed.value.message
    assert sandbox.job(A)["start_requests"] == 0


def test_a_defect_reaches_the_user_with_its_traceback(sandbox: Sandbox, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.add_jobs(make_job(A))
    monkeypatch.setattr(bags, "to_state", lambda *_: 1 / 0)

    with pytest.raises(FailedError, match=r"(?s)Traceback.*ZeroDivisionError") as failed:
        stack.up({"jobs": [A]})

    assert failed.value.saved is None


def test_update_pauses_what_is_declared_so_and_undoes_it(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A))
    stack.up({"jobs": [A]})

    paused = stack.up({"jobs": [{"job_id": A, "desired_state": "paused"}]})
    assert paused["job_statuses"][A]["outcome"] == "paused"

    assert stack.up({"jobs": [A]})["job_statuses"][A]["outcome"] == "resumed"
    assert (sandbox.job(A)["pauses"], sandbox.job(A)["retries"]) == (1, 1)


# -- read ----------------------------------------------------------------------------------------------------------


def test_a_refresh_brings_the_rows_up_to_date_and_sends_nothing(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A))
    created = stack.up({"jobs": [A]})
    sandbox.set_status(A, "PAUSING")
    sandbox.clear_calls()

    refreshed = stack.refresh()

    assert refreshed["job_statuses"][A]["status"] == "PAUSING"
    assert refreshed["ready"] is False
    unchanged = ("job_statuses", "summary", "ready", "problems", "__records")
    assert {**refreshed, **{name: created[name] for name in unchanged}} == created
    assert [call["operation"] for call in sandbox.calls()] == [READ]


def test_a_refresh_that_finds_a_job_lost_fails_with_the_rows_saved(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A))
    stack.up({"jobs": [A]})
    sandbox.set_status(A, "START_JOB_FAILED")
    created = stack.resource_id

    with pytest.raises(FailedError) as failed:
        stack.refresh()

    assert failed.value.saved.id == created
    assert failed.value.message.startswith(f"job {A} could not be started")
    assert stack.outputs["job_statuses"][A]["phase"] == "start_failed"


def test_a_resource_that_is_looked_up_by_its_id_alone_is_told_what_is_missing(stack: Stack) -> None:
    with pytest.raises(FailedError) as failed:
        stack.ask("Read", id="drs-1", properties={})

    assert "jobs is empty" in failed.value.message
    assert "Traceback" not in failed.value.message


# -- delete --------------------------------------------------------------------------------------------------------


def test_delete_leaves_the_jobs_and_needs_no_login(sandbox: Sandbox, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.add_jobs(make_job(A))
    stack.up({"jobs": [A]})
    monkeypatch.delenv("OS_PASSWORD")
    sandbox.clear_calls()

    stack.delete()

    assert sandbox.calls() == []


def test_delete_stops_where_that_was_declared_or_fails_by_name(
    sandbox: Sandbox, stack: Stack, new_command: Callable[..., Any]
) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    stack.up({"jobs": [A, B], "on_destroy": "stop"})
    # A command whose program has no such resource.
    stack.stub = new_command()
    sandbox.inject(faults.refuse_row(STOP, "DRS.M00307", job_id=B, times=None))

    with pytest.raises(FailedError) as failed:
        stack.delete()

    assert failed.value.saved is None
    assert failed.value.message.startswith(f"job {B} could not be stopped: DRS.M00307")
    assert sandbox.job(A)["stops"] == 1


@pytest.mark.parametrize("method", ["diff", "refresh", "delete"])
def test_a_state_of_a_newer_format_is_refused_in_plain_words(sandbox: Sandbox, stack: Stack, method: str) -> None:
    sandbox.add_jobs(make_job(A))
    inputs = {"jobs": [A], "on_destroy": "stop"}
    stack.up(inputs)
    stack.outputs["__format"] = 2
    sandbox.clear_calls()

    with pytest.raises(FailedError) as failed:
        getattr(stack, method)(*([inputs] if method == "diff" else []))

    assert failed.value.message.startswith("the state of this resource has format 2")
    assert sandbox.calls() == []


# -- without the host ----------------------------------------------------------------------------------------------


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
