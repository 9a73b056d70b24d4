"""However an operation ends, each job's fate is told, and what was accepted is not forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_drs_start.drs.auth.sources import ReadyToken
from pulumi_drs_start.drs.errors import (
    CancelledError,
    DrsError,
    NotAskedError,
    OutOfTimeError,
    PermissionDeniedError,
    TokenRejectedError,
    UnreachableError,
)
from pulumi_drs_start.reconcile.declared import Goal
from pulumi_drs_start.reconcile.outcome import JobOutcome
from pulumi_drs_start.reconcile.record import JobRecord
from pulumi_drs_start.sandbox import Sandbox, faults, make_job
from tests.reconcile.converge.conftest import said

START, READ = "batch-starting", "batch-status"


def records(outcome: JobOutcome) -> JobRecord:
    return JobRecord(accepted_at=outcome.record.accepted_at, lost_at=outcome.record.lost_at)


def test_at_the_timeout_the_unfinished_jobs_are_named_with_their_status(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("quick", start_seconds=2), make_job("slow", stuck=True), make_job("lagging", lag_seconds=3600))
    result = run("quick", "slow", "lagging", timeout=80)
    assert isinstance(result.ended_by, OutOfTimeError)
    assert result.failed == []
    assert {job.job_id: job.status for job in result.unfinished} == {"slow": "STARTJOBING", "lagging": "CONFIGURATION"}


def test_at_the_timeout_what_was_accepted_counts_as_started(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a", lag_seconds=3600))
    outcome = run("a", timeout=50).jobs["a"]
    assert outcome.outcome == "started"
    assert outcome.record.accepted_at is not None


def test_the_next_operation_does_not_start_what_lagged_at_the_timeout(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a", lag_seconds=80))
    first = run("a", timeout=40).jobs["a"]
    second = run("a", records={"a": records(first)}).jobs["a"]
    assert second.is_fulfilled
    assert sandbox.job("a")["start_requests"] == 1


def test_an_operation_ends_soon_after_its_timeout(sandbox: Sandbox, run: Any, now: Any) -> None:
    sandbox.add_jobs(make_job("a", stuck=True))
    begun = now()
    run("a", timeout=50)
    assert 50 <= now() - begun < 90


@pytest.mark.parametrize("fault", [faults.drop_after, faults.drop_before])
def test_a_start_whose_answer_was_lost_is_remembered_for_the_next_operation(sandbox: Sandbox, run: Any, fault: Any) -> None:
    sandbox.add_jobs(make_job("a", lag_seconds=14))
    sandbox.inject(fault(START))
    first = run("a", is_wanted=lambda: not sandbox.calls(START)).jobs["a"]
    assert first.record.lost_at is not None

    second = run("a", records={"a": records(first)}).jobs["a"]

    assert second.is_fulfilled
    assert sandbox.job("a")["starts"] == 1
    assert sandbox.job("a")["start_requests"] == 1


def test_an_accepted_job_that_goes_missing_stays_remembered_as_accepted(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a", lag_seconds=60), make_job("b"))
    sandbox.inject(faults.missing_rows(READ, skip=1, job_id="a", times=4))
    first = run("a", "b").jobs["a"]
    assert first.outcome == "failed"
    assert first.record.accepted_at is not None

    assert run("a", records={"a": records(first)}).jobs["a"].is_fulfilled
    assert sandbox.job("a")["start_requests"] == 1


def test_a_job_whose_start_shows_needs_no_remembering(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a", stuck=True))
    outcome = run("a", timeout=50).jobs["a"]
    assert (outcome.status, outcome.record.accepted_at, outcome.record.lost_at) == ("STARTJOBING", None, None)


def test_a_cancelled_operation_tells_what_it_did(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a", lag_seconds=3600), make_job("b", status="CREATING"))
    result = run("a", "b", is_wanted=lambda: len(sandbox.calls(READ)) < 3)
    assert isinstance(result.ended_by, CancelledError)
    assert (result.jobs["a"].outcome, result.jobs["b"].outcome) == ("started", "failed")
    assert result.jobs["a"].record.accepted_at is not None


def test_a_cancelled_operation_starts_no_further_batch(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"), make_job("c"))
    result = run("a", "b", "c", batch_size=1, is_wanted=lambda: len(sandbox.calls(START)) < 1)
    assert [sandbox.job(job_id)["starts"] for job_id in "abc"] == [1, 0, 0]
    assert [job.job_id for job in result.failed] == ["b", "c"]
    assert "cancelled" in (said(result.failed[0]) or "")


def test_a_cancelled_start_that_nobody_waits_for_is_not_sent(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    with pytest.raises(CancelledError):
        run("a", is_wanted=lambda: False)
    assert sandbox.calls(START) == []


@pytest.mark.parametrize("bad_token", ["drs", "gateway"])
@pytest.mark.parametrize("operation", [START, READ])
def test_a_token_revoked_in_the_middle_is_renewed_and_nothing_is_lost(
    sandbox: Sandbox, run: Any, operation: str, bad_token: Any
) -> None:
    sandbox.set_policy(bad_token=bad_token)
    sandbox.add_jobs(make_job("a"), make_job("b"))
    sandbox.inject(faults.expire_token(operation, skip=1))
    result = run("a", "b", batch_size=1)
    assert {job.outcome for job in result.jobs.values()} == {"started"}
    assert [sandbox.job(job_id)["start_requests"] for job_id in "ab"] == [1, 1]
    assert len(sandbox.calls("tokens")) == 2


def test_a_ready_token_that_dies_in_the_middle_leaves_the_outcomes(
    sandbox: Sandbox, run: Any, client: Any, make_client: Any
) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    worn = make_client(tokens=ReadyToken(client._tokens.token(), project_id=sandbox.project_id))
    sandbox.inject(faults.expire_token(START, skip=1))
    result = run("a", "b", batch_size=1, client=worn)
    assert isinstance(result.ended_by, TokenRejectedError)
    assert {job_id: job.outcome for job_id, job in result.jobs.items()} == {"a": "started", "b": "failed"}


def test_a_drs_that_goes_away_for_good_leaves_the_outcomes(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a", lag_seconds=3600), make_job("b", status="INCRE_TRANSFER_STARTED"), make_job("c"))
    sandbox.inject(faults.drop_before(READ, skip=2, times=None))
    result = run("a", "b", "c")
    assert isinstance(result.ended_by, UnreachableError)
    assert {job_id: job.outcome for job_id, job in result.jobs.items()} == {
        "a": "started",
        "b": "already_started",
        "c": "started",
    }
    assert {job.job_id for job in result.unfinished} == {"a", "c"}
    assert result.jobs["a"].record.accepted_at is not None


def test_a_drs_that_goes_away_between_two_batches_tells_who_was_not_started(
    sandbox: Sandbox, run: Any, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens any more when it is the turn of the others, so those were certainly not started."""
    sandbox.add_jobs(make_job("a"), make_job("b"), make_job("c"))
    start_jobs = client.start_jobs

    def start_and_leave(*arguments: Any) -> Any:
        answer = start_jobs(*arguments)
        client.endpoint = "http://127.0.0.1:9"
        return answer

    monkeypatch.setattr(client, "start_jobs", start_and_leave)
    result = run("a", "b", "c", batch_size=1)
    assert isinstance(result.ended_by, UnreachableError)
    assert [job.job_id for job in result.failed] == ["b", "c"]
    assert "can't be reached" in (said(result.failed[0]) or "")
    assert result.jobs["a"].outcome == "started"


NOT_ASKED = {"error_code": "APIG.0613", "error_msg": "The IAM service is currently unavailable.", "request_id": "4e6f"}


def test_a_gateway_that_did_not_ask_drs_delays_nobody(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    sandbox.inject(faults.answer(START, 503, NOT_ASKED))
    assert run("a", "b").failed == []
    # The second call comes right after the first, with no look in between.
    calls = [call["operation"] for call in sandbox.calls()]
    assert calls[calls.index(START) :][:2] == [START, START]
    assert [sandbox.job(job_id)["starts"] for job_id in "ab"] == [1, 1]


def test_a_gateway_that_stays_away_ends_the_operation_and_blames_no_job(sandbox: Sandbox, run: Any, client: Any) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    sandbox.inject(faults.answer(START, 503, NOT_ASKED, times=None))
    result = run("a", "b")
    assert isinstance(result.ended_by, NotAskedError)
    assert len(sandbox.calls(START)) == client.retry.attempts
    assert all(records(outcome) == JobRecord() for outcome in result.jobs.values())


def test_a_drs_that_is_never_there_is_an_error_and_no_result(sandbox: Sandbox, run: Any) -> None:
    sandbox.inject(faults.drop_before(READ, times=None))
    with pytest.raises(DrsError):
        run("a")


def test_a_missing_permission_to_read_is_an_error_and_no_result(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.refuse(READ, "DRS.M00103", times=None))
    with pytest.raises(PermissionDeniedError):
        run("a")
    assert sandbox.calls(START) == []


def test_a_last_look_that_fails_does_not_undo_what_was_accepted(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.drop_before(READ, skip=1, times=None))
    result = run("a", goal=Goal.ACCEPTED)
    assert (result.jobs["a"].outcome, result.jobs["a"].is_fulfilled) == ("started", True)
    assert result.unfinished == []


def test_a_display_that_fails_does_not_cost_the_outcomes(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a", lag_seconds=3600))

    def show(_: Any) -> None:
        if sandbox.calls(START):
            raise RuntimeError("the engine hung up")

    assert run("a", on_progress=show).jobs["a"].record.accepted_at is not None


@pytest.mark.parametrize("seed", range(6))
def test_many_faults_at_once_start_everybody_once(sandbox: Sandbox, run: Any, seed: int) -> None:
    ids = [f"job-{index:02}" for index in range(25)]
    sandbox.set_policy(row_order="shuffled", seed=seed, lag_seconds=5, bad_row=["row", "reject", "reject-results"][seed % 3])
    sandbox.set_policy(max_batch=[None, 7, 1][seed % 3], max_batch_reads=[9, None, 1][seed % 3])
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids))
    for index, fault in enumerate(
        [faults.drop_after(START), faults.throttled(START), faults.html(START), faults.misshapen(START), faults.truncate(READ)]
    ):
        fault.skip = (seed + 2 * index) % 5
        sandbox.inject(fault)
    result = run(*ids, timeout=3600)
    assert {job.outcome for job in result.jobs.values()} == {"started"}
    assert {job["starts"] for job in sandbox.jobs().values()} == {1}


def test_what_was_accepted_is_waited_for_after_a_later_batch_was_denied(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"), make_job("c"))
    sandbox.inject(faults.refuse("batch-starting", "DRS.M00103", status=401, skip=1, times=2))

    result = run("a", "b", "c", batch_size=1)

    assert result.jobs["a"].is_fulfilled
    assert [job.job_id for job in result.failed] == ["b", "c"]
    assert {job.error_code for job in result.failed} == {"DRS.M00103"}
    assert result.unfinished == []
