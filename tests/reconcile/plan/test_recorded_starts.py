"""What the record of a start explains, and what it does not: a start is sent twice only where nothing else is left."""

from __future__ import annotations

import pytest

from pulumi_drs_start.reconcile.actual import ActualJob
from pulumi_drs_start.reconcile.declared import DesiredJob, Goal
from pulumi_drs_start.reconcile.plan import Case, Decision, decide
from pulumi_drs_start.reconcile.record import Action, GracePeriods, JobRecord, Refusal
from pulumi_drs_start.schema.messages import Messages

NOW = 1_800_000_000.0
GRACE = GracePeriods()
LAG = GRACE.lag_seconds
FINAL = Refusal("DRS.M00304", "not allowed", is_final=True)
PASSING = Refusal("DRS.M01504", "busy", is_final=False)


def made(status: str, record: JobRecord, goal: Goal = Goal.RUNNING, now: float = NOW) -> Decision:
    return decide(Case(DesiredJob("a"), ActualJob("a", status), record, goal, now))


# A job that is to be started now may read either of these before it is.
@pytest.mark.parametrize("status", ["CONFIGURATION", "WAITING_FOR_START"])
@pytest.mark.parametrize(
    ("record", "action"),
    [
        pytest.param(JobRecord(was_started=True), Action.START, id="it ran once, and was set back"),
        pytest.param(JobRecord(accepted_at=NOW - 86_400, accepted_now=True), Action.WAIT, id="accepted here, a day ago"),
        pytest.param(JobRecord(accepted_at=NOW - LAG + 1), Action.WAIT, id="accepted lately by an earlier operation"),
        pytest.param(JobRecord(accepted_at=NOW - LAG), Action.START, id="accepted long ago"),
        pytest.param(
            JobRecord(accepted_at=NOW, accepted_now=True, lost_at=NOW - 1, sends=1, refusal=PASSING),
            Action.WAIT,
            id="accepted after its first answer was lost",
        ),
        pytest.param(
            JobRecord(accepted_at=NOW - LAG, lost_at=NOW - 1, sends=1, refusal=PASSING),
            Action.WAIT,
            id="accepted long ago, and the answer to the second start was lost",
        ),
        pytest.param(
            JobRecord(accepted_at=NOW - LAG, refused_at=NOW - 1, sends=1, refusal=PASSING),
            Action.WAIT,
            id="accepted long ago, and the second start was refused a moment ago",
        ),
        pytest.param(
            JobRecord(accepted_at=NOW - LAG, sends=1, refusal=PASSING, retry_at=NOW + 1),
            Action.WAIT,
            id="accepted long ago, and the second start was throttled",
        ),
        pytest.param(
            JobRecord(accepted_at=NOW - LAG, sends=GRACE.sends, refusal=PASSING),
            Action.FAIL,
            id="accepted long ago, and sent too often since",
        ),
        pytest.param(
            JobRecord(sends=GRACE.sends, refusal=PASSING, lost_at=NOW - 1),
            Action.WAIT,
            id="sent too often, but the last answer was lost a moment ago",
        ),
        pytest.param(
            JobRecord(refused_at=NOW, sends=1, refusal=FINAL, retry_at=NOW + 1),
            Action.FAIL,
            id="refused for good: no wait changes that",
        ),
    ],
)
def test_a_job_that_shows_no_start(status: str, record: JobRecord, action: Action) -> None:
    decision = made(status, record)

    assert (decision.action, decision.is_fulfilled) == (action, False)


@pytest.mark.parametrize(
    ("status", "action", "is_fulfilled"),
    [
        pytest.param("CREATING", Action.WAIT, False, id="being created"),
        pytest.param("STARTJOBING", Action.WAIT, False, id="starting"),
        pytest.param("FULL_TRANSFER_STARTED", Action.NOTHING, True, id="running"),
        pytest.param("PAUSING", Action.NOTHING, False, id="paused"),
        pytest.param("INCRE_TRANSFER_FAILED", Action.NOTHING, False, id="failed"),
        pytest.param("START_JOB_FAILED", Action.FAIL, False, id="failed to start"),
        pytest.param("CREATE_FAILED", Action.FAIL, False, id="not created"),
        pytest.param("MISSING", Action.FAIL, False, id="not shown"),
    ],
)
@pytest.mark.parametrize(
    "record",
    [
        pytest.param(JobRecord(refused_at=NOW, sends=GRACE.sends, refusal=FINAL, retry_at=NOW + 1), id="refused for good"),
        pytest.param(JobRecord(lost_at=NOW, sends=1, refusal=PASSING), id="answer lost"),
        pytest.param(JobRecord(accepted_at=NOW, accepted_now=True), id="accepted"),
    ],
)
def test_a_status_of_its_own_counts_more_than_any_record(
    record: JobRecord, status: str, action: Action, is_fulfilled: bool
) -> None:
    decision = made(status, record)

    assert (decision.action, decision.is_fulfilled) == (action, is_fulfilled)


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(JobRecord(lost_at=NOW - 1, sends=1, refusal=PASSING), id="lost"),
        pytest.param(JobRecord(refused_at=NOW - 1, sends=1, refusal=PASSING), id="refused"),
        pytest.param(JobRecord(sends=1, refusal=PASSING, retry_at=NOW + 1), id="throttled"),
    ],
)
def test_what_was_not_accepted_is_not_enough_where_acceptance_was_asked(record: JobRecord) -> None:
    decision = made("CONFIGURATION", record, Goal.ACCEPTED)

    assert (decision.action, decision.is_fulfilled, decision.is_underway) == (Action.WAIT, False, False)


@pytest.mark.parametrize("status", ["CONFIGURATION", "WAITING_FOR_START"])
def test_a_final_refusal_is_given_as_the_reason(status: str) -> None:
    refused = JobRecord(refused_at=NOW - 1000, sends=1, refusal=FINAL)

    assert "DRS.M00304: not allowed" in Messages().why(made(status, refused).why)


def test_a_clock_that_starts_at_zero_starts_a_new_job() -> None:
    """A test's clock, or a machine without one: the absence of a loss is not a loss at the epoch."""
    assert made("CONFIGURATION", JobRecord(), now=1.0).action is Action.START


def test_a_lost_answer_is_doubted_for_longer_than_a_refusal() -> None:
    """Starting again too soon could start a job twice; a refused job was not started by us."""
    assert GRACE.lost_seconds > GRACE.settle_seconds


def test_each_refusal_is_doubted_twice_as_long_as_the_one_before() -> None:
    refused = JobRecord(refused_at=1000.0, sends=3, refusal=PASSING)

    assert made("CONFIGURATION", refused, now=1079.0).action is Action.WAIT
    assert made("CONFIGURATION", refused, now=1080.0).action is Action.START
