"""What is started, what is left alone, and what is said of it, when nothing goes wrong on the wire."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_drs_start.reconcile.declared import Goal
from pulumi_drs_start.reconcile.phase import Phase
from pulumi_drs_start.sandbox import Sandbox, make_job
from tests.reconcile.converge.conftest import said

START, READ = "batch-starting", "batch-status"


def ids(count: int) -> list[str]:
    return [f"job-{index:03}" for index in range(count)]


def test_a_configured_job_is_started_and_seen_running(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    outcome = run("a").jobs["a"]
    assert (outcome.outcome, outcome.status, outcome.is_fulfilled) == ("started", "FULL_TRANSFER_STARTED", True)
    assert (outcome.error_code, said(outcome), outcome.record.accepted_at) == (None, None, None)
    assert sandbox.job("a")["starts"] == 1


@pytest.mark.parametrize("status", ["FULL_TRANSFER_STARTED", "INCRE_TRANSFER_STARTED", "A_STATUS_OF_NEXT_YEAR"])
def test_a_running_job_is_left_alone(sandbox: Sandbox, run: Any, status: str) -> None:
    sandbox.add_jobs(make_job("a", status=status))
    outcome = run("a").jobs["a"]
    assert (outcome.outcome, outcome.is_fulfilled) == ("already_started", True)
    assert sandbox.calls(START) == []


@pytest.mark.parametrize("status", ["PAUSING", "PAUSEING", "FULL_TRANSFER_FAILED", "INCRE_TRANSFER_FAILED"])
def test_a_paused_or_failing_job_is_reported_and_left_alone(sandbox: Sandbox, run: Any, status: str) -> None:
    sandbox.add_jobs(make_job("a", status=status))
    result = run("a")
    assert result.failed == []
    assert not result.jobs["a"].is_fulfilled
    assert said(result.jobs["a"])
    assert sandbox.calls(START) == []


def test_a_job_that_somebody_else_is_starting_is_waited_for(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a", status="STARTJOBING"))
    outcome = run("a").jobs["a"]
    assert (outcome.outcome, outcome.phase) == ("already_started", Phase.RUNNING)
    assert sandbox.calls(START) == []


def test_only_what_needs_it_is_started(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b", status="INCRE_TRANSFER_STARTED"), make_job("c"))
    run("a", "b", "c")
    assert [call["jobs"] for call in sandbox.calls(START)] == [["a", "c"]]


def test_statuses_are_read_before_anything_is_started(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    run("a")
    assert [call["operation"] for call in sandbox.calls() if call["operation"] in (START, READ)][:2] == [READ, START]


def test_one_refused_job_does_not_hide_the_started_ones(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b", refuse_start="DRS.M06020"), make_job("c"))
    result = run("a", "b", "c")
    assert [job.job_id for job in result.failed] == ["b"]
    assert result.failed[0].error_code == "DRS.M06020"
    assert [sandbox.job(job_id)["starts"] for job_id in "abc"] == [1, 0, 1]


def test_every_kind_of_job_in_one_batch_gets_its_own_outcome(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(
        make_job("configured"),
        make_job("running", status="FULL_TRANSFER_STARTED"),
        make_job("starting", status="STARTJOBING"),
        make_job("dead", status="CREATE_FAILED"),
        make_job("over", status="RELEASE_RESOURCE_COMPLETE"),
        make_job("failing", fail_start={"code": "DRS.M01501", "message": "The disk is full."}),
    )
    result = run("configured", "running", "starting", "dead", "over", "failing", "gone")
    assert {job_id: (job.outcome, job.phase.value) for job_id, job in result.jobs.items()} == {
        "configured": ("started", "running"),
        "running": ("already_started", "running"),
        "starting": ("already_started", "running"),
        "dead": ("failed", "dead"),
        "over": ("failed", "ended"),
        "failing": ("failed", "start_failed"),
        "gone": ("failed", "missing"),
    }
    assert all(said(job) for job in result.failed)


def test_a_job_being_created_is_started_once_it_is_configured(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b", status="CREATING", then=[{"status": "CONFIGURATION", "after": 60}]))
    result = run("a", "b")
    assert {job.outcome for job in result.jobs.values()} == {"started"}
    assert [sandbox.job(job_id)["starts"] for job_id in "ab"] == [1, 1]


def test_jobs_that_can_start_do_not_wait_for_one_being_created(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b", status="CREATING"))
    result = run("a", "b", timeout=60)
    assert (result.jobs["a"].outcome, result.jobs["b"].outcome) == ("started", "failed")
    assert "still being created" in (said(result.jobs["b"]) or "")


def test_a_job_whose_creation_fails_is_a_failure(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("b", status="CREATING", then=[{"status": "CREATE_FAILED", "after": 10}]))
    assert [job.status for job in run("b").failed] == ["CREATE_FAILED"]


def test_wait_for_accepted_returns_as_soon_as_drs_took_the_start(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a", stuck=True))
    outcome = run("a", goal=Goal.ACCEPTED).jobs["a"]
    assert (outcome.outcome, outcome.is_fulfilled) == ("started", True)
    assert len(sandbox.calls(READ)) == 2


def test_wait_for_accepted_does_not_wait_for_the_status_to_follow(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a", lag_seconds=3600))
    outcome = run("a", goal=Goal.ACCEPTED).jobs["a"]
    assert (outcome.outcome, outcome.status, outcome.is_fulfilled) == ("started", "CONFIGURATION", True)
    assert outcome.record.accepted_at is not None


def test_a_job_scheduled_for_later_is_started_now_where_drs_allows_it(sandbox: Sandbox, run: Any) -> None:
    sandbox.set_policy(reschedule="accept")
    sandbox.add_jobs(make_job("a", status="WAITING_FOR_START", start_time="9999999999000"))
    assert run("a").jobs["a"].outcome == "started"


def test_a_job_scheduled_for_later_fails_readably_where_drs_does_not(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a", status="WAITING_FOR_START", start_time="9999999999000"))
    outcome = run("a").jobs["a"]
    assert (outcome.outcome, outcome.error_code) == ("failed", "DRS.M00304")


@pytest.mark.parametrize("order", ["request", "reversed", "shuffled"])
def test_three_hundred_jobs_start_in_batches_whatever_the_order_of_rows(sandbox: Sandbox, run: Any, order: Any) -> None:
    sandbox.set_policy(row_order=order)
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(300)))
    result = run(*ids(300))
    assert {job.outcome for job in result.jobs.values()} == {"started"}
    assert {job["starts"] for job in sandbox.jobs().values()} == {1}
    assert [len(call["jobs"]) for call in sandbox.calls(START)] == [100, 100, 100]


def test_the_batch_size_can_be_set(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(10)))
    run(*ids(10), batch_size=4)
    # After the first they go side by side, and arrive in any order.
    assert sorted(len(call["jobs"]) for call in sandbox.calls(START)) == [2, 4, 4]


def test_jobs_that_are_done_are_not_read_again(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a", status="INCRE_TRANSFER_STARTED"), make_job("b"))
    run("a", "b")
    assert [call["jobs"] for call in sandbox.calls(READ)][1:] == [["b"]] * (len(sandbox.calls(READ)) - 1)


def test_a_long_start_is_not_read_every_moment(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a", start_seconds=80))
    run("a")
    assert 5 < len(sandbox.calls(READ)) < 40


def test_progress_counts_jobs_by_phase(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b", status="INCRE_TRANSFER_STARTED"))
    seen: list[dict[Phase, int]] = []
    run("a", "b", on_progress=lambda progress: seen.append(dict(progress.phases)))
    assert seen[0] == {Phase.STARTABLE: 1, Phase.RUNNING: 1}
    assert {Phase.STARTING: 1, Phase.RUNNING: 1} in seen
    assert seen[-1] == {Phase.RUNNING: 2}


def test_no_jobs_need_nothing(sandbox: Sandbox, run: Any) -> None:
    assert run().jobs == {}
    assert sandbox.calls(START) == []


def test_a_second_operation_has_nothing_to_do(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    run("a")
    sandbox.clear_calls()
    assert run("a").jobs["a"].outcome == "already_started"
    assert sandbox.calls(START) == []
