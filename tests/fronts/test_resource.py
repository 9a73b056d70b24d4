"""What the engine asks of a resource, and is answered by either front over gRPC."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pulumi_drs_start.operations import bags
from pulumi_drs_start.sandbox import Sandbox, faults, make_job, make_job_id

from .conftest import NONE, SOME, Engine, FailedError, Stack

A, B = sorted((make_job_id("a"), make_job_id("b")))
READ, STOP = "batch-status", "batch-jobs"


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
    assert [reason.split()[0] for _, reason in problems] == [
        *map(stack.dialect.name, ("jobs[1].job_id", "wait_for")),
        "jbos",
    ]
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


def test_secret_jobs_are_named_in_no_message(sandbox: Sandbox, stack: Stack, engine: Engine) -> None:
    sandbox.add_jobs(make_job(A, refuse_start="DRS.M05003"))

    with pytest.raises(FailedError) as failed:
        stack.up({"jobs": [A], "__secret_inputs": "jobs"})

    told = [failed.value.message, *failed.value.saved.reasons, *(text for _, text in engine.told())]
    assert any("DRS.M05003" in text for text in told)
    assert not any(A in text for text in told)


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

    assert (difference.changes, list(difference.replaces)) == (SOME, [stack.dialect.name("project_id")])


def test_a_place_where_drs_knew_no_job_is_found_out_anew(sandbox: Sandbox, stack: Stack, new_command: Callable[..., Any]) -> None:
    """Somebody had named a wrong project, and mends that: nothing is kept of it, and nothing is replaced."""
    sandbox.add_jobs(make_job(A))
    right, stack.stub = stack.stub, new_command(projectId=sandbox.account.other_project_id)
    with pytest.raises(FailedError) as failed:
        stack.up({"jobs": [A]})
    assert failed.value.saved is not None

    stack.stub = right
    difference = stack.diff({"jobs": [A]})
    outputs = stack.up({"jobs": [A]})

    assert list(difference.replaces) == []
    assert outputs["job_statuses"][A]["outcome"] == "started"
    assert outputs["__place"] == {"endpoint": sandbox.url, "project_id": sandbox.project_id}


# -- create and update ---------------------------------------------------------------------------------------------


def test_create_gives_an_id_of_its_own_and_every_output(sandbox: Sandbox, stack: Stack, engine: Engine) -> None:
    sandbox.add_jobs(make_job(A))

    outputs = stack.up({"jobs": [A]})

    assert stack.resource_id.startswith("drs-")
    assert outputs["job_statuses"][A]["outcome"] == "started"
    assert outputs["summary"] == {"running": 1, "total": 1}
    assert (outputs["ready"], outputs["__format"]) == (True, 1)
    assert outputs["__place"] == {"endpoint": sandbox.url, "project_id": sandbox.project_id}
    assert not {"to_start", "already_running", "__found", "__unreported_failure"} & outputs.keys()
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
