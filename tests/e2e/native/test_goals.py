"""What a YAML program may declare beside jobs to start: times, states, what is waited for, what deletion does."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id
from tests.e2e.conftest import actions

from .conftest import YamlStack

pytestmark = pytest.mark.engine


def test_times_and_states_of_single_jobs(sandbox: Sandbox, stack: YamlStack) -> None:
    later, held, over = (make_job_id(name) for name in ("later", "held", "over"))
    sandbox.add_jobs(make_job(later), make_job(held, status="INCRE_TRANSFER_STARTED"), make_job(over, status="PAUSING"))
    tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).strftime("%Y-%m-%dT%H:00:00Z")
    stack.starts(
        {"jobId": later, "startTime": tomorrow},
        {"jobId": held, "desiredState": "paused"},
        {"jobId": over, "desiredState": "stopped"},
    )

    preview = stack.preview()
    assert f"will schedule 1 job for {tomorrow}: {later}" in preview
    assert f"will pause 1 job: {held}" in preview
    assert f"will STOP 1 job FOR GOOD: {over}, because of desiredState: stopped." in preview

    done = stack.up()
    assert done.exit_code == 0, done.output
    assert stack.outcomes() == {later: "scheduled", held: "paused", over: "stopped"}
    assert stack.resource()["outputs"]["jobStatuses"][later]["startTime"] == tomorrow
    assert stack.rests()


def test_a_failed_job_is_resumed_and_a_new_one_prechecked_where_that_is_declared(sandbox: Sandbox, stack: YamlStack) -> None:
    failed, new = make_job_id("failed"), make_job_id("new")
    sandbox.add_jobs(make_job(failed, status="FULL_TRANSFER_FAILED"), make_job(new))
    stack.starts(failed, new)
    told = stack.preview()
    assert "resume: true requests a retry now" in told

    stack.starts(failed, new, resume=True, precheck=True)
    done = stack.up()
    assert done.exit_code == 0, done.output
    assert stack.outcomes() == {failed: "resumed", new: "started"}
    assert {kind for kind, _, _ in actions(sandbox)} == {"batch-precheck", "batch-retry-task", "batch-starting"}


def test_copies_are_waited_for_and_their_delays_kept(sandbox: Sandbox, stack: YamlStack) -> None:
    sandbox.add_jobs(make_job("a", status="INCRE_TRANSFER_STARTED", delay={"seconds": 300, "falls": 0}))
    stack.starts("a", waitFor="synced", stableFor="0s", timeout="3s")

    late = stack.up()
    assert late.exit_code != 0
    assert "a is 300 s behind" in late
    assert stack.resource()["outputs"]["jobStatuses"]["a"]["delaySeconds"] == 300

    sandbox.set_delay("a", seconds=2, falls=0)
    stack.starts("a", waitFor="synced", stableFor="0s", timeout="60s")
    done = stack.up()
    assert done.exit_code == 0, done.output
    assert stack.resource()["outputs"]["ready"] is True
    assert stack.rests()


def test_deletion_does_what_is_declared_and_announces_it(sandbox: Sandbox, stack: YamlStack) -> None:
    sandbox.add_jobs(make_job("a"))
    stack.starts("a", onDestroy="stop")
    assert (
        "onDestroy: stop: pulumi destroy, or taking the resource out of the program, will STOP 1 job FOR GOOD" in stack.preview()
    )
    done = stack.up()
    assert done.exit_code == 0, done.output

    assert stack.destroy().exit_code == 0

    assert sandbox.job("a")["status"].startswith("RELEASE_RESOURCE")
