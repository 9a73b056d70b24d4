"""What an earlier operation knows, and what it keeps this one from doing."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_drs_start.reconcile.declared import Goal
from pulumi_drs_start.reconcile.record import JobRecord
from pulumi_drs_start.sandbox import Sandbox, faults, make_job

START = "batch-starting"


def test_a_job_accepted_lately_is_waited_for_and_not_started_again(sandbox: Sandbox, run: Any, now: Any) -> None:
    sandbox.add_jobs(make_job("a", then=["CONFIGURATION", {"status": "STARTJOBING", "after": 30}, "FULL_TRANSFER_STARTED"]))
    result = run("a", records={"a": JobRecord(accepted_at=now() - 60)})
    assert result.jobs["a"].is_fulfilled
    assert sandbox.calls(START) == []


def test_a_job_accepted_lately_stays_remembered_when_it_is_not_waited_for(sandbox: Sandbox, run: Any, now: Any) -> None:
    accepted_at = now() - 60
    sandbox.add_jobs(make_job("a"))
    outcome = run("a", records={"a": JobRecord(accepted_at=accepted_at)}, goal=Goal.ACCEPTED).jobs["a"]
    assert (outcome.outcome, outcome.record.accepted_at) == ("unchanged", accepted_at)
    assert sandbox.calls(START) == []


def test_a_job_that_drs_has_forgotten_is_started_anew(sandbox: Sandbox, run: Any, now: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    result = run("a", records={"a": JobRecord(accepted_at=now() - 1000)})
    assert result.jobs["a"].outcome == "started"
    assert sandbox.job("a")["start_requests"] == 1


@pytest.mark.parametrize("fault", [faults.drop_after, faults.truncate, faults.misshapen])
def test_a_lost_restart_of_a_job_accepted_long_ago_is_settled_by_reading(
    sandbox: Sandbox, run: Any, now: Any, fault: Any
) -> None:
    sandbox.add_jobs(make_job("a", lag_seconds=10))
    sandbox.inject(fault(START))
    result = run("a", records={"a": JobRecord(accepted_at=now() - 1000)})
    assert result.jobs["a"].is_fulfilled
    assert sandbox.job("a")["start_requests"] == 1


def test_a_job_accepted_long_ago_and_refused_again_is_given_up_after_bounded_tries(sandbox: Sandbox, run: Any, now: Any) -> None:
    sandbox.add_jobs(make_job("a", refuse_start="DRS.M01504"))
    result = run("a", records={"a": JobRecord(accepted_at=now() - 1000)}, timeout=3600)
    assert [job.error_code for job in result.failed] == ["DRS.M01504"]
    assert sandbox.job("a")["start_requests"] == 5


def test_a_start_lost_a_moment_ago_by_an_earlier_operation_is_not_repeated_at_once(sandbox: Sandbox, run: Any, now: Any) -> None:
    sandbox.add_jobs(make_job("a", then=["CONFIGURATION", {"status": "STARTJOBING", "after": 8}, "FULL_TRANSFER_STARTED"]))
    result = run("a", records={"a": JobRecord(lost_at=now() - 1)})
    assert result.jobs["a"].is_fulfilled
    assert sandbox.calls(START) == []


def test_a_start_that_was_lost_for_good_is_sent_again(sandbox: Sandbox, run: Any, now: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    assert run("a", records={"a": JobRecord(lost_at=now() - 1)}).jobs["a"].outcome == "started"
    assert sandbox.job("a")["starts"] == 1


@pytest.mark.parametrize("status", ["RELEASE_RESOURCE_STARTED", "RELEASE_RESOURCE_COMPLETE", "DELETED"])
def test_a_job_that_ran_and_is_over_is_fulfilled(sandbox: Sandbox, run: Any, status: str) -> None:
    sandbox.add_jobs(make_job("a", status=status, then=[]))
    outcome = run("a", records={"a": JobRecord(was_started=True)}).jobs["a"]
    assert (outcome.outcome, outcome.is_fulfilled) == ("unchanged", True)


def test_a_job_that_ran_before_is_unchanged(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a", status="INCRE_TRANSFER_STARTED"))
    assert run("a", records={"a": JobRecord(was_started=True)}).jobs["a"].outcome == "unchanged"


def test_memories_of_other_jobs_do_not_matter(sandbox: Sandbox, run: Any, now: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    result = run("a", records={"b": JobRecord(accepted_at=now())})
    assert result.jobs.keys() == {"a"}
    assert sandbox.job("a")["starts"] == 1


def test_the_memories_given_are_not_changed(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    records: dict[str, JobRecord] = {"a": JobRecord()}
    run("a", records=records)
    assert records == {"a": JobRecord()}


def test_an_acceptance_that_is_not_shown_in_time_is_no_failure(sandbox: Sandbox, run: Any, now: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    result = run("a", records={"a": JobRecord(accepted_at=now())}, timeout=50)
    assert result.failed == []
    assert [job.job_id for job in result.unfinished] == ["a"]
    assert result.jobs["a"].record.accepted_at is not None
    assert sandbox.calls(START) == []
