"""Partial failure: what could be started is, what could not is named, and both are saved."""

from __future__ import annotations

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import Stack, both_fronts
from .programs import Expression, batch

pytestmark = pytest.mark.engine

REFUSED = {"code": "DRS.M00305", "message": "The source endpoint is gone."}


def add_one_refused(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b", refuse_start=REFUSED), make_job("c"))


@both_fronts
def test_one_refused_job_fails_the_command_and_the_others_start(sandbox: Sandbox, stack: Stack) -> None:
    add_one_refused(sandbox)
    stack.starts("a", "b", "c")

    run = stack.up()

    assert run.exit_code != 0
    assert "job b could not be started: DRS.M00305: The source endpoint is gone." in run
    assert "Traceback" not in run
    assert "File " not in run
    state = stack.resource()
    assert state["initErrors"]
    assert stack.outcomes() == {
        "a": "started",
        "b": "failed",
        "c": "started",
    }
    assert state["outputs"]["job_statuses"]["b"]["error_code"] == "DRS.M00305"


@both_fronts
def test_the_next_up_deals_with_just_the_failed_job(sandbox: Sandbox, stack: Stack) -> None:
    add_one_refused(sandbox)
    stack.starts("a", "b", "c")
    stack.up()
    sandbox.clear_calls()
    sandbox.add_jobs(make_job("b"))

    assert stack.preview("--expect-no-changes").exit_code != 0
    run = stack.up()

    assert run.exit_code == 0, run.output
    assert [call["jobs"] for call in sandbox.calls("batch-starting")] == [["b"]]
    assert "initErrors" not in stack.resource()
    assert stack.preview("--expect-no-changes").exit_code == 0


def test_an_update_that_fails_in_part_keeps_every_outcome(sandbox: Sandbox, stack: Stack) -> None:
    add_one_refused(sandbox)
    stack.starts("a")
    stack.up()
    stack.starts("a", "b", "c")

    run = stack.up()

    assert run.exit_code != 0
    assert stack.outcomes() == {"a": "unchanged", "b": "failed", "c": "started"}


@both_fronts
def test_a_refresh_keeps_the_failure_until_the_job_runs(sandbox: Sandbox, stack: Stack) -> None:
    add_one_refused(sandbox)
    stack.starts("a", "b", "c")
    stack.up()

    refresh = stack.refresh()

    assert refresh.exit_code == 0, refresh.output
    assert "The source endpoint is gone." in refresh
    assert stack.resource()["initErrors"]
    assert stack.preview("--expect-no-changes").exit_code != 0
    sandbox.set_status("b", "INCRE_TRANSFER_STARTED")
    stack.refresh()
    assert "initErrors" not in stack.resource()
    assert stack.preview("--expect-no-changes").exit_code == 0


def test_record_succeeds_with_a_warning_and_tries_again(sandbox: Sandbox, stack: Stack) -> None:
    add_one_refused(sandbox)
    stack.starts("a", "b", "c", on_failure="record")

    run = stack.up()

    assert run.exit_code == 0, run.output
    assert "warning: job b could not be started: DRS.M00305" in run
    assert stack.outputs()["statuses"]["b"]["outcome"] == "failed"
    assert stack.outputs()["ready"] is False
    sandbox.add_jobs(make_job("b"))
    again = stack.up()
    assert again.exit_code == 0, again.output
    assert stack.outputs()["ready"] is True


def test_a_start_that_fails_is_told_with_drs_reason(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b", fail_start={"code": "DRS.M06007", "message": "can not get agency token"}))
    stack.starts("a", "b")

    run = stack.up()

    assert run.exit_code != 0
    assert "can not get agency token" in run
    assert stack.resource()["outputs"]["job_statuses"]["b"]["phase"] == "start_failed"


def test_a_wait_that_times_out_names_the_job_and_keeps_what_was_accepted(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"), make_job("slow", start_seconds=3600))
    stack.starts("a", "slow", timeout="3s")

    run = stack.up()

    assert run.exit_code != 0
    assert "1 in STARTJOBING: slow" in run
    rows = stack.resource()["outputs"]["job_statuses"]
    assert rows["slow"]["outcome"] == "started"
    sandbox.set_status("slow", "FULL_TRANSFER_STARTED")
    again = stack.up()
    assert again.exit_code == 0, again.output
    assert sandbox.job("slow")["start_requests"] == 1


@both_fronts
def test_custom_timeouts_win_over_the_input(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("slow", start_seconds=3600))
    two_seconds = Expression("pulumi.CustomTimeouts(create='2s')", {"create": "2s"})
    stack.declares(batch("batch", "slow", timeout="1h", options={"custom_timeouts": two_seconds}))

    run = stack.up()

    assert run.exit_code != 0
    assert "after 2s (timeout)" in run


@pytest.mark.cold
def test_an_unexpected_error_keeps_its_traceback(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"))
    stack.starts("a")
    (stack.folder / "sitecustomize.py").write_text(
        "import pulumi_drs_start.operations.lifecycle as p\ndef broken(*_, **k): raise KeyError('a defect')\n"
        "p.make_plan = broken\n"
    )

    run = stack.preview(PYTHONPATH=str(stack.folder))

    assert run.exit_code != 0
    assert "Traceback" in run
    assert "KeyError: 'a defect'" in run


@pytest.mark.cold
def test_without_the_hosts_internals_the_program_fails_and_the_state_is_saved(sandbox: Sandbox, stack: Stack) -> None:
    check_the_fallback(sandbox, stack)


def check_the_fallback(sandbox: Sandbox, stack: Stack) -> None:
    """With any SDK: hide the host's frames, and see one failure, its state, and the repair."""
    add_one_refused(sandbox)
    stack.starts("a", "b", "c")
    (stack.folder / "sitecustomize.py").write_text(
        "import pulumi_drs_start.dynamic.host as h\nh._host_variables = lambda: (None, None, {}, None)\n"
    )
    hidden = {"PYTHONPATH": str(stack.folder)}

    run = stack.up(**hidden)

    assert run.exit_code != 0
    assert "job b could not be started: DRS.M00305: The source endpoint is gone." in run
    assert "Traceback" not in run
    assert stack.outcomes() == {
        "a": "started",
        "b": "failed",
        "c": "started",
    }
    assert stack.preview("--expect-no-changes", **hidden).exit_code != 0
    sandbox.add_jobs(make_job("b"))
    again = stack.up(**hidden)
    assert again.exit_code == 0, again.output
    assert stack.preview("--expect-no-changes", **hidden).exit_code == 0
