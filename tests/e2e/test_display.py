"""Messages on the resource's own row, and refresh."""

from __future__ import annotations

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import Stack, both_fronts

pytestmark = pytest.mark.engine


@both_fronts
def test_progress_and_result_are_events_of_the_resource(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b", start_seconds=1.5))
    stack.starts("a", "b")

    run = stack.up("--json")

    assert run.exit_code == 0, run.output
    said = [event["diagnosticEvent"] for event in run.events() if "diagnosticEvent" in event]
    ours = [event["message"].strip() for event in said if event.get("urn", "").endswith("::batch")]
    assert "2 jobs: started 2" in ours
    assert any("starting 1" in text for text in ours), ours


@both_fronts
def test_refresh_brings_statuses_up_to_date_without_calling_it_a_change(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"))
    stack.starts("a")
    stack.up()
    sandbox.set_status("a", "INCRE_TRANSFER_STARTED")

    only = stack.refresh("--preview-only", "--expect-no-changes")
    stack.refresh()

    assert only.exit_code == 0, only.output
    assert stack.resource()["outputs"]["job_statuses"]["a"]["status"] == "INCRE_TRANSFER_STARTED"


@both_fronts
def test_refresh_preview_only_finds_drift(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"))
    stack.starts("a")
    stack.up()
    sandbox.set_status("a", "CONFIGURATION")

    assert stack.refresh("--preview-only", "--expect-no-changes").exit_code != 0


def test_up_with_refresh_repairs_drift(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    stack.starts("a", "b")
    stack.up()
    sandbox.set_status("a", "CONFIGURATION")

    run = stack.up("--refresh")

    assert run.exit_code == 0, run.output
    assert sandbox.job("a")["starts"] == 2
    assert sandbox.job("b")["starts"] == 1


def test_no_secret_reaches_the_state_or_the_display(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"))
    stack.starts("a")

    run = stack.up("-v=9", "--logtostderr")
    state = stack.run("stack", "export", "--show-secrets")

    assert sandbox.password not in run.output
    assert sandbox.password not in state.output


@both_fronts
def test_paused_and_failed_jobs_are_named_in_a_warning_and_left_alone(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"), make_job("c"))
    stack.starts("a", "b", "c")
    stack.up()
    sandbox.set_status("a", "PAUSING")
    sandbox.set_status("b", "INCRE_TRANSFER_FAILED")

    for run in (stack.preview("--expect-no-changes"), stack.up("--expect-no-changes"), stack.refresh()):
        assert run.exit_code == 0, run.output
        assert "warning: job a is paused" in run
        assert "warning: job b failed after it was started" in run
    assert len(sandbox.calls("batch-starting")) == 1


@pytest.mark.parametrize("status", ["PAUSING", "FULL_TRANSFER_FAILED", "STARTJOBING"])
def test_a_refused_job_that_somebody_started_is_no_failure_after_a_refresh(sandbox: Sandbox, stack: Stack, status: str) -> None:
    sandbox.add_jobs(make_job("a", refuse_start={"code": "DRS.M00305", "message": "The source is gone."}))
    stack.starts("a")
    stack.up()
    sandbox.set_status("a", status, then=[{"status": status, "after": 3600}])

    refresh = stack.refresh()

    assert "could not be started" not in refresh
    assert "initErrors" not in stack.resource()
