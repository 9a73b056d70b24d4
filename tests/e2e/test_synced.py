"""Waiting until copies have caught up: rows, time limits, the next `up`, refresh, schedules."""

from __future__ import annotations

import os
import re
import signal
from datetime import datetime, timedelta, timezone

import pytest

from pulumi_drs_start.sandbox import Sandbox, faults, make_job

from .conftest import Stack, both_fronts, wait_until

pytestmark = pytest.mark.engine

FOLLOWS, PROGRESS = "INCRE_TRANSFER_STARTED", "batch-progress"
QUICK = {"wait_for": "synced", "stable_for": "1s"}


def following(job_id: str, **delay: object) -> dict[str, object]:
    """A job that will follow its source as soon as it is started, with a delay of its own."""
    return make_job(job_id, task_type="INCR_TRANS", delay=delay)


@both_fronts
def test_up_waits_until_every_copy_has_caught_up_and_says_how_far_each_is(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(following("a", seconds=340, falls=120), following("b", seconds=2))
    stack.starts("a", "b", **QUICK)

    preview, run = stack.preview(), stack.up("--json")

    assert "will start 2 jobs: a and b; will wait until they are synced" in preview
    assert run.exit_code == 0, run.output
    rows = stack.resource()["outputs"]["job_statuses"]
    assert rows["a"]["delay_seconds"] <= 10
    assert rows["a"]["progress"] == 100
    assert stack.outputs()["ready"] is True
    assert "2 jobs: started 2, synced 2" in run.said()
    assert any(re.fullmatch(r"1 of 2 synced; a is \d+ s behind, falling", text) for text in run.said()), run.said()


def test_a_stack_at_rest_asks_for_no_delay_and_a_later_one_is_no_change(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(following("a"))
    stack.starts("a", **QUICK)
    stack.up()
    sandbox.clear_calls()
    sandbox.set_delay("a", seconds=4000)

    assert stack.preview("--expect-no-changes").exit_code == 0
    assert stack.up("--expect-no-changes").exit_code == 0
    assert sandbox.calls(PROGRESS) == []


def test_refresh_brings_the_delay_up_to_date_and_changes_nothing_else(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(following("a"))
    stack.starts("a", **QUICK)
    stack.up()
    sandbox.set_delay("a", seconds=4000)

    stack.refresh()

    assert stack.resource()["outputs"]["job_statuses"]["a"]["delay_seconds"] == 4000
    assert stack.resource()["outputs"]["ready"] is True
    assert stack.up("--expect-no-changes").exit_code == 0


@both_fronts
def test_at_the_time_limit_each_laggard_is_named_and_the_next_up_waits_on(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(following("a", seconds=340), following("b", seconds=52), following("c"))
    stack.starts("a", "b", "c", timeout="10s", **QUICK)

    first = stack.up()
    rows = stack.resource()["outputs"]["job_statuses"]
    sandbox.set_delay("a", seconds=0)
    sandbox.set_delay("b", seconds=0)
    preview, second = stack.preview(), stack.up("--json")

    assert first.exit_code != 0
    assert "2 jobs were not synced yet after 10s (timeout). a is 340 s behind; b is 52 s behind. Nothing is lost" in first
    assert {job_id: row["outcome"] for job_id, row in rows.items()} == dict.fromkeys("abc", "started")
    assert "will wait for jobs a and b, which are not synced yet" in preview
    assert second.exit_code == 0, second.output
    assert "3 jobs: unchanged 3, synced 3" in second.said()
    assert [sandbox.job(job_id)["starts"] for job_id in "abc"] == [1, 1, 1]


def test_a_job_that_is_paused_meanwhile_fails_by_name_and_the_others_are_waited_for(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(following("a", seconds=340), following("b", seconds=20))
    stack.starts("a", "b", timeout="60s", **QUICK)
    running = stack.begin("up", "--yes", "--skip-preview")
    wait_until(lambda: bool(sandbox.calls(PROGRESS)))
    sandbox.set_status("a", "PAUSING")
    sandbox.set_delay("b", seconds=0)

    output, _ = running.communicate(timeout=120)

    assert running.returncode != 0
    assert "job a could not be synced: it is paused and stays paused. Next: to resume it: resume=True" in output
    assert "2 jobs: started 1, failed 1, synced 1" in output


def test_a_scheduled_job_is_not_waited_for_until_it_has_started(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(following("a"))
    tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).isoformat()
    stack.starts("a", start_time=tomorrow, timeout="30s", **QUICK)

    first = stack.up()
    waiting = stack.preview("--expect-no-changes")
    is_ready = stack.outputs()["ready"]
    sandbox.set_status("a", FOLLOWS)
    due, second = stack.preview("--expect-no-changes"), stack.up()

    assert first.exit_code == 0, first.output
    assert waiting.exit_code == 0, waiting.output
    assert is_ready is False
    assert due.exit_code != 0
    assert second.exit_code == 0, second.output
    assert stack.outputs()["ready"] is True
    assert sandbox.job("a")["starts"] == 1


@pytest.mark.cold
def test_a_killed_wait_is_neither_forgotten_nor_taken_for_a_success(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(following("a", seconds=340))
    stack.starts("a", timeout="20s", **QUICK)
    running = stack.begin("up", "--yes", "--skip-preview")
    wait_until(lambda: bool(sandbox.calls(PROGRESS)))
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate(timeout=60)
    stack.run("cancel", "--yes")

    late = stack.up()
    sandbox.set_delay("a", seconds=0)
    done = stack.up()

    assert late.exit_code != 0
    assert "a is 340 s behind" in late
    assert done.exit_code == 0, done.output
    assert sandbox.job("a")["starts"] == 1


def test_a_delay_that_is_not_told_is_waited_for_and_never_taken_for_zero(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(following("a", silent="empty"))
    sandbox.inject(faults.refuse(PROGRESS, "DRS.M01503", times=2))
    stack.starts("a", timeout="10s", **QUICK)

    run = stack.up()

    assert run.exit_code != 0
    assert "a does not show a delay yet" in run
