"""A resource whose copies have to catch up: what check, diff, apply and refresh read, keep and say."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_drs_start.sandbox import Sandbox, faults, make_job

from .conftest import Resource, calls

FOLLOWS, PROGRESS = "INCRE_TRANSFER_STARTED", "batch-progress"
QUICK: dict[str, Any] = {"jobs": ["a", "b"], "wait_for": "synced", "stable_for": "0s", "timeout": "4s"}


@pytest.fixture
def synced(sandbox: Sandbox, resource: Resource) -> Resource:
    """A resource whose two jobs have caught up."""
    sandbox.add_jobs(*(make_job(job_id, task_type="INCR_TRANS", delay={"seconds": 2}) for job_id in "ab"))
    assert not resource.up(QUICK).failures
    sandbox.clear_calls()
    return resource


def test_the_state_has_progress_and_delay_and_that_the_copies_have_caught_up(synced: Resource) -> None:
    row = synced.state["job_statuses"]["a"]

    assert (row["progress"], row["delay_seconds"]) == (100, 2)
    assert synced.state["__records"]["a"]["is_synced"] is True
    assert synced.state["ready"] is True


def test_a_preview_at_rest_reads_statuses_alone(sandbox: Sandbox, synced: Resource) -> None:
    sandbox.set_delay("a", seconds=4000)

    assert not synced.preview(QUICK).changes
    assert calls(sandbox) == ["batch-status"]


@pytest.mark.parametrize("status", ["PAUSING", "INCRE_TRANSFER_FAILED", "RELEASE_RESOURCE_COMPLETE"])
def test_reached_once_is_reached_whatever_becomes_of_the_job(sandbox: Sandbox, synced: Resource, status: str) -> None:
    sandbox.set_status("a", status)

    assert not synced.preview(QUICK).changes
    assert not synced.up(QUICK).failures


def test_a_refresh_reads_the_delays_and_calls_nothing_a_failure(sandbox: Sandbox, synced: Resource) -> None:
    sandbox.set_delay("a", seconds=4000)

    assert not synced.refresh().failures
    assert synced.state["job_statuses"]["a"]["delay_seconds"] == 4000
    assert synced.state["ready"] is True
    assert sorted(calls(sandbox)) == [PROGRESS, "batch-status"]


def test_a_refresh_keeps_its_statuses_where_drs_does_not_tell_the_delays(sandbox: Sandbox, synced: Resource) -> None:
    sandbox.inject(faults.refuse(PROGRESS, "APIGW.0101", times=None))
    sandbox.set_status("a", "PAUSING")

    synced.refresh()

    assert synced.state["job_statuses"]["a"]["status"] == "PAUSING"
    assert any(text.startswith("DRS does not tell how far the copies are (") for text in synced.operation.warnings)


@pytest.mark.parametrize("stricter", [{"max_delay": "1s"}, {"stable_for": "1h"}])
def test_a_stricter_limit_asks_anew(synced: Resource, stricter: dict[str, str]) -> None:
    inputs = {**QUICK, "jobs": ["a", "b"], **stricter}

    assert synced.preview(inputs).changes
    failures = synced.up(inputs).failures

    assert failures == (
        "2 jobs were not synced yet after 4s (timeout). a is 2 s behind; b is 2 s behind. Nothing is lost: DRS goes on with "
        "them. Next: run pulumi up again to wait on, or raise timeout.",
    )
    assert synced.state["ready"] is False
    assert set(synced.state["problems"]) == {"a", "b"}


def test_a_looser_limit_asks_nothing(synced: Resource) -> None:
    assert not synced.up({**QUICK, "max_delay": "1h"}).failures
    assert "__records" in synced.state
    assert synced.state["__records"]["a"]["is_synced"] is True


def test_the_failure_of_a_paused_job_lasts_until_somebody_resumes_it(sandbox: Sandbox, resource: Resource) -> None:
    sandbox.add_jobs(make_job("a", status="PAUSING"), make_job("b", status=FOLLOWS))

    first = resource.up(QUICK).failures
    second = resource.refresh().failures
    sandbox.set_status("a", FOLLOWS)
    third = resource.refresh().failures

    assert first == second
    assert first[0].startswith("job a could not be synced: it is paused and stays paused. Next: to resume it: resume=True")
    assert third == ()
    assert resource.preview(QUICK).changes


def test_recorded_laggards_are_a_warning(sandbox: Sandbox, resource: Resource) -> None:
    sandbox.add_jobs(*(make_job(job_id, task_type="INCR_TRANS", delay={"seconds": 340}) for job_id in "ab"))

    applied = resource.up({**QUICK, "on_failure": "record"})

    assert not applied.failures
    assert "2 jobs were not synced yet after 4s" in resource.operation.warnings[-1]
    assert resource.preview({**QUICK, "on_failure": "record"}).changes


@pytest.mark.parametrize("wait_for", ["running", "accepted"])
def test_who_does_not_ask_pays_nothing(sandbox: Sandbox, resource: Resource, wait_for: str) -> None:
    sandbox.add_jobs(*(make_job(job_id, task_type="INCR_TRANS", delay={"seconds": 340}) for job_id in "ab"))
    inputs = {**QUICK, "wait_for": wait_for}

    resource.up(inputs)
    resource.preview(inputs)
    resource.refresh()

    assert PROGRESS not in calls(sandbox)
    assert resource.state["job_statuses"]["a"]["progress"] is None


@pytest.mark.parametrize("is_deleted", [False, True])
def test_one_that_is_over_too_soon_and_recorded_makes_no_change_for_ever(
    sandbox: Sandbox, resource: Resource, is_deleted: bool
) -> None:
    sandbox.set_policy(unknown_in_status="deleted")
    sandbox.add_jobs(make_job("a", status=FOLLOWS, delay={"seconds": 340}))
    inputs = {**QUICK, "jobs": ["a"], "on_failure": "record"}
    resource.up(inputs)
    sandbox.set_status("a", "RELEASE_RESOURCE_COMPLETE")
    if is_deleted:
        sandbox.add_jobs(make_job("a", project_id=sandbox.account.other_project_id))
    assert resource.preview(inputs).changes
    resource.up(inputs)

    assert resource.state["job_statuses"]["a"]["outcome"] == "failed"
    assert not resource.preview(inputs).changes


def test_a_job_started_anew_under_another_goal_has_to_catch_up_again(sandbox: Sandbox, synced: Resource) -> None:
    sandbox.set_status("a", "CONFIGURATION")
    assert not synced.up({**QUICK, "wait_for": "running"}).failures
    sandbox.set_delay("a", seconds=340)

    assert synced.preview(QUICK).changes
    assert synced.up(QUICK).failures


def test_jobs_are_started_where_drs_refuses_to_tell_of_copies(sandbox: Sandbox, resource: Resource) -> None:
    sandbox.add_jobs(make_job("a", status=FOLLOWS), make_job("b"))
    sandbox.inject(faults.refuse(PROGRESS, "DRS.M00103", times=None))

    (failure,) = resource.up(QUICK).failures

    assert failure.startswith("2 jobs were not synced yet when DRS could not be read any more: DRS.M00103: ")
    assert sandbox.job("b")["starts"] == 1
