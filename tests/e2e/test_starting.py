"""up, and what it leaves in the state."""

from __future__ import annotations

import ast

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import Stack, both_fronts

pytestmark = pytest.mark.engine


def start_calls(sandbox: Sandbox) -> list[list[str]]:
    return [call["jobs"] for call in sandbox.calls("batch-starting")]


@both_fronts
def test_up_starts_every_job_in_one_call(sandbox: Sandbox, stack: Stack) -> None:
    ids = [f"job-{n:02}" for n in range(12)]
    sandbox.add_jobs(*[make_job(job_id) for job_id in ids])
    stack.starts(*ids)

    run = stack.up()

    assert run.exit_code == 0, run.output
    assert start_calls(sandbox) == [ids]
    assert {row["outcome"] for row in stack.outputs()["statuses"].values()} == {"started"}
    assert stack.outputs()["ready"] is True
    assert stack.outputs()["summary"] == {"running": 12, "total": 12}


def test_a_second_up_changes_nothing(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    stack.starts("a", "b")
    stack.up()
    sandbox.clear_calls()

    second = stack.up("--expect-no-changes")

    assert second.exit_code == 0, second.output
    assert "2 unchanged" in second
    assert start_calls(sandbox) == []


@both_fronts
def test_a_stack_at_rest_expects_no_changes_however_far_its_jobs_have_moved(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    stack.starts("a", "b")
    stack.up()
    sandbox.set_status("a", "INCRE_TRANSFER_STARTED")
    sandbox.set_status("b", "SOME_STATUS_OF_TOMORROW")
    sandbox.clear_calls()

    assert stack.preview("--expect-no-changes").exit_code == 0
    # Their names too are known.
    assert {call["operation"] for call in sandbox.calls()} == {"tokens", "batch-status"}
    assert stack.run("preview", "--refresh", "--expect-no-changes").exit_code == 0


@both_fronts
def test_jobs_that_run_already_are_taken_over_untouched(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a", status="INCRE_TRANSFER_STARTED"), make_job("b", status="PAUSING"), make_job("c"))
    stack.starts("a", "b", "c")

    stack.up()

    assert start_calls(sandbox) == [["c"]]
    rows = stack.outputs()["statuses"]
    assert rows["a"]["outcome"] == rows["b"]["outcome"] == "already_started"
    assert rows["b"]["phase"] == "paused"
    assert stack.outputs()["ready"] is False


def test_accepted_is_enough_when_asked_for(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a", stuck=True))
    stack.starts("a", wait_for="accepted")

    run = stack.up()

    assert run.exit_code == 0, run.output
    assert stack.outputs()["statuses"]["a"]["outcome"] == "started"
    assert stack.preview("--expect-no-changes").exit_code == 0


def test_an_accepted_job_that_still_reads_configuration_is_left_alone_by_the_next_up(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a", lag_seconds=600))
    stack.starts("a", wait_for="accepted")
    stack.up()

    assert stack.preview("--expect-no-changes").exit_code == 0
    assert stack.up().exit_code == 0
    assert sandbox.job("a")["start_requests"] == 1


def test_destroy_leaves_the_jobs_running_and_needs_no_login(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    stack.starts("a", "b")
    stack.up()
    sandbox.clear_calls()

    run = stack.destroy(OS_PASSWORD="wrong")

    assert run.exit_code == 0, run.output
    assert "2 jobs left as they are" in run
    assert sandbox.calls() == []
    assert sandbox.job("a")["status"] == "FULL_TRANSFER_STARTED"


def test_adding_a_job_starts_only_that_one(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    stack.starts("a")
    stack.up()
    stack.starts("b", "a")

    stack.up()

    assert start_calls(sandbox) == [["a"], ["b"]]
    assert {k: v["outcome"] for k, v in stack.outputs()["statuses"].items()} == {"a": "unchanged", "b": "started"}


def test_taking_a_job_off_the_list_leaves_it_running(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    stack.starts("a", "b")
    stack.up()
    stack.starts("a")

    preview = stack.preview()
    run = stack.up()

    assert "stops managing job b" in preview
    assert run.exit_code == 0, run.output
    assert list(stack.outputs()["statuses"]) == ["a"]
    assert sandbox.job("b")["status"] == "FULL_TRANSFER_STARTED"


def test_reordering_jobs_is_no_change(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"), make_job("c"))
    stack.starts("a", "b", "c")
    stack.up()
    stack.starts("c", "a", "b")

    assert stack.preview("--expect-no-changes").exit_code == 0


def test_every_way_to_write_a_job_is_understood(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(*[make_job(job_id) for job_id in "abcd"])
    stack.program("""
        JobBatchStart("batch", jobs=[
            "a", JobStartArgs(job_id="b"), {"job_id": "c"}, JobStartArgs(job_id=pulumi.Output.from_input("d")),
        ])
    """)

    run = stack.up()

    assert run.exit_code == 0, run.output
    assert start_calls(sandbox) == [["a", "b", "c", "d"]]
    stack.starts({"job_id": "a"}, {"job_id": "b"}, "c", "d")
    assert stack.rests()


@pytest.mark.parametrize(
    "jobs",
    ["('a', 'b')", "{'a', 'b'}", "(j for j in 'ab')", "pulumi.Output.secret(['a', 'b'])", "pulumi.Output.from_input({'a', 'b'})"],
)
def test_jobs_may_come_in_any_collection(sandbox: Sandbox, stack: Stack, jobs: str) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    stack.program(f"JobBatchStart('batch', jobs={jobs})\n")

    run = stack.up()

    assert run.exit_code == 0, run.output
    assert start_calls(sandbox) == [["a", "b"]]


def test_changing_the_project_replaces_the_resource_and_touches_no_job(sandbox: Sandbox, stack: Stack) -> None:
    other = sandbox.account.other_project_id
    sandbox.add_jobs(make_job("a"), make_job("b", project_id=other))
    stack.starts("a")
    stack.up()
    stack.starts("b", project_id=other)

    preview = stack.preview()
    run = stack.up()

    assert "replace" in preview
    assert run.exit_code == 0, run.output
    assert sandbox.job("a")["status"] == "FULL_TRANSFER_STARTED"
    assert sandbox.job("b")["starts"] == 1


def test_the_type_of_the_resource_is_its_own(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"))
    stack.starts("a")
    stack.up()

    assert stack.resource()["type"] == "pulumi-python:dynamic/drs:JobBatchStart"


def test_a_job_that_ran_and_is_over_stays_fulfilled(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    stack.starts("a")
    stack.up()
    stack.starts("a", "b")
    stack.up()
    sandbox.set_status("a", "RELEASE_RESOURCE_COMPLETE")
    stack.refresh()

    assert stack.preview("--expect-no-changes").exit_code == 0
    run = stack.up()

    assert run.exit_code == 0, run.output
    assert stack.outputs()["ready"] is True


def test_a_program_reads_every_output_in_the_type_it_is_declared_with(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"))
    stack.program("""
        batch = JobBatchStart("batch", jobs=["a"])
        for name in ("wait_for", "max_delay", "stable_for", "timeout", "on_failure", "on_destroy", "resume", "precheck",
                     "region", "project_id", "endpoint", "cloud", "start_time",
                     "jobs", "ready", "summary", "problems", "job_statuses"):
            pulumi.export(name, getattr(batch, name).apply(repr))
    """)
    expected = {
        "wait_for": "'running'",
        "max_delay": "'10s'",
        "stable_for": "'60s'",
        "timeout": "'60m'",
        "on_failure": "'fail'",
        "on_destroy": "'leave'",
        "resume": "False",
        "precheck": "False",
        "region": "None",
        "project_id": "None",
        "endpoint": "None",
        "cloud": "None",
        "start_time": "None",
        "jobs": "[{'job_id': 'a'}]",
        "ready": "True",
        "summary": "{'running': 1, 'total': 1}",
        "problems": "{}",
        "job_statuses": "{'a': {'name': None, 'status': 'FULL_TRANSFER_STARTED', 'phase': 'running', 'outcome': 'started', "
        "'start_time': None, 'progress': None, 'delay_seconds': None, 'error_code': None, 'error_message': None}}",
    }

    run = stack.up()

    assert run.exit_code == 0, run.output
    # Dicts arrive in any order.
    read = {name: ast.literal_eval(text) for name, text in stack.outputs().items()}
    assert read == {name: ast.literal_eval(text) for name, text in expected.items()}
    assert isinstance(read["summary"]["running"], int)
    assert stack.preview("--expect-no-changes").exit_code == 0
    assert "[unknown]" not in stack.preview()
