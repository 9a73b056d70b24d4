"""Every status with every record and both goals, against the table of the design, section 2, written out by hand."""

from __future__ import annotations

import itertools

import pytest

from pulumi_drs_start.reconcile.actual import ActualJob
from pulumi_drs_start.reconcile.declared import DesiredJob, Goal
from pulumi_drs_start.reconcile.plan import Decision, decide
from pulumi_drs_start.reconcile.record import Action, GracePeriods, JobRecord, Refusal
from pulumi_drs_start.schema.messages import Messages

NOW = 1_800_000_000.0
LAG, SETTLE, SENDS = 900.0, 20.0, 5
PATIENCE = GracePeriods(lag_seconds=LAG, lost_seconds=SETTLE, settle_seconds=SETTLE, sends=SENDS)
FINAL = Refusal("DRS.M00304", "not allowed", is_final=True)
PASSING = Refusal("DRS.M01504", "busy", is_final=False)

MEMORIES: dict[str, JobRecord] = {
    "nothing known": JobRecord(),
    "seen started": JobRecord(was_started=True),
    "accepted by this operation": JobRecord(accepted_at=NOW - 1, accepted_now=True),
    "accepted by this operation, a day ago": JobRecord(accepted_at=NOW - 86_400, accepted_now=True),
    "accepted lately": JobRecord(accepted_at=NOW - LAG + 1),
    "accepted long ago": JobRecord(accepted_at=NOW - LAG),
    "answer lost lately": JobRecord(lost_at=NOW - SETTLE + 1, sends=1, refusal=PASSING),
    "answer lost, settled": JobRecord(lost_at=NOW - SETTLE, sends=1, refusal=PASSING),
    "refused lately": JobRecord(refused_at=NOW - SETTLE + 1, sends=1, refusal=PASSING),
    "refused, settled": JobRecord(refused_at=NOW - SETTLE, sends=1, refusal=PASSING),
    "refused for good": JobRecord(refused_at=NOW - SETTLE, sends=1, refusal=FINAL),
    "refused for good just now": JobRecord(refused_at=NOW, sends=1, refusal=FINAL, retry_at=NOW + 1),
    "throttled, not yet": JobRecord(sends=1, refusal=PASSING, retry_at=NOW + 0.1),
    "throttled, now": JobRecord(sends=1, refusal=PASSING, retry_at=NOW),
    "sent too often": JobRecord(sends=SENDS, refusal=PASSING),
    "sent too often, answer lost lately": JobRecord(sends=SENDS, refusal=PASSING, lost_at=NOW - 1),
    "accepted long ago, answer lost lately": JobRecord(accepted_at=NOW - LAG, lost_at=NOW - 1, sends=1, refusal=PASSING),
    "accepted long ago, refused lately": JobRecord(accepted_at=NOW - LAG, refused_at=NOW - 1, sends=1, refusal=PASSING),
    "accepted long ago, not yet": JobRecord(accepted_at=NOW - LAG, sends=1, refusal=PASSING, retry_at=NOW + 1),
    "accepted long ago, sent too often": JobRecord(accepted_at=NOW - LAG, sends=SENDS, refusal=PASSING),
    "lost, then accepted": JobRecord(accepted_at=NOW, accepted_now=True, lost_at=NOW - 1, sends=1, refusal=PASSING),
}
# What each record says of a job whose status shows no start.
START = {"nothing known", "seen started", "accepted long ago", "answer lost, settled", "refused, settled", "throttled, now"}
UNDERWAY = {"accepted by this operation", "accepted by this operation, a day ago", "accepted lately", "lost, then accepted"}
DOUBTFUL = {
    "answer lost lately",
    "refused lately",
    "throttled, not yet",
    "sent too often, answer lost lately",
    "accepted long ago, answer lost lately",
    "accepted long ago, refused lately",
    "accepted long ago, not yet",
}
IMPOSSIBLE = {"refused for good", "refused for good just now", "sent too often", "accepted long ago, sent too often"}
# Who can say of an ended job that it ran thanks to this resource.
RAN = {name for name in MEMORIES if "accepted" in name or name == "seen started"}

RUNNING = ["FULL_TRANSFER_STARTED", "FULL_TRANSFER_COMPLETE", "INCRE_TRANSFER_STARTED", "CHANGE_JOB_STARTED", "SOMETHING_NEW"]
STATUSES = [
    *("CREATING", "CONFIGURATION", "WAITING_FOR_START", "STARTJOBING", *RUNNING, "PAUSING", "PAUSEING", "FULL_TRANSFER_FAILED"),
    *("INCRE_TRANSFER_FAILED", "CHANGE_JOB_FAILED", "START_JOB_FAILED", "STARTJOB_FAILED", "RELEASE_RESOURCE_STARTED"),
    *("RELEASE_RESOURCE_FAILED", "RELEASE_RESOURCE_COMPLETE", "DELETED", "CREATE_FAILED", "MISSING"),
]


def expected(status: str, record: str, goal: Goal) -> tuple[str, bool]:
    """The action, and whether the job is where it was asked to be."""
    if status in ("CONFIGURATION", "WAITING_FOR_START"):
        if record in START:
            return "start", False
        if record in UNDERWAY:
            return ("nothing", True) if goal is Goal.ACCEPTED else ("wait", False)
        return ("wait" if record in DOUBTFUL else "fail"), False
    if status == "CREATING":
        return "wait", False
    if status == "STARTJOBING":
        return ("nothing", True) if goal is Goal.ACCEPTED else ("wait", False)
    if status in RUNNING:
        return "nothing", True
    if status in ("PAUSING", "PAUSEING") or status in ("FULL_TRANSFER_FAILED", "INCRE_TRANSFER_FAILED", "CHANGE_JOB_FAILED"):
        return "nothing", False
    if status.startswith("RELEASE_RESOURCE_") or status == "DELETED":
        return ("nothing", True) if record in RAN else ("fail", False)
    return "fail", False


def look(status: str, record: JobRecord, goal: Goal = Goal.RUNNING, now: float = NOW) -> Decision:
    return decide(DesiredJob("a"), ActualJob("a", status), record, goal, PATIENCE, now)


def test_the_four_kinds_of_memory_are_all_there_are() -> None:
    kinds = [START, UNDERWAY, DOUBTFUL, IMPOSSIBLE]
    assert sorted(itertools.chain(*kinds)) == sorted(MEMORIES)


@pytest.mark.parametrize("goal", Goal)
@pytest.mark.parametrize("record", MEMORIES)
@pytest.mark.parametrize("status", STATUSES)
def test_every_combination_is_decided_as_the_design_says(status: str, record: str, goal: Goal) -> None:
    decision = look(status, MEMORIES[record], goal)
    assert (decision.action.value, decision.is_fulfilled) == expected(status, record, goal)


@pytest.mark.parametrize("record", MEMORIES)
@pytest.mark.parametrize("status", STATUSES)
def test_every_decision_has_a_reason_without_the_job_s_name(status: str, record: str) -> None:
    reason = Messages().why(
        decide(DesiredJob("a"), ActualJob("job-4711", status), MEMORIES[record], Goal.RUNNING, PATIENCE, NOW).why
    )
    assert reason
    assert "4711" not in reason


@pytest.mark.parametrize("status", ["CONFIGURATION", "WAITING_FOR_START"])
def test_a_final_refusal_is_given_as_the_reason(status: str) -> None:
    assert "DRS.M00304: not allowed" in Messages().why(look(status, MEMORIES["refused for good"]).why)


def test_the_last_refusal_is_given_when_a_job_was_sent_too_often() -> None:
    assert "DRS.M01504: busy" in Messages().why(look("CONFIGURATION", MEMORIES["sent too often"]).why)


def test_a_clock_that_starts_at_zero_starts_a_new_job() -> None:
    """A test's clock, or a machine without one: the absence of a loss is not a loss at the epoch."""
    assert look("CONFIGURATION", JobRecord(), now=1.0).action.value == "start"


def test_a_lost_answer_is_doubted_for_longer_than_a_refusal() -> None:
    """Starting again too soon could start a job twice; a refused job was not started by us."""
    assert GracePeriods().lost_seconds > GracePeriods().settle_seconds


@pytest.mark.parametrize(("sends", "seconds"), [(1, 20), (2, 40), (3, 80)])
def test_each_refusal_is_doubted_twice_as_long_as_the_one_before(sends: int, seconds: float) -> None:
    refused = JobRecord(refused_at=1000.0, sends=sends, refusal=Refusal("DRS.M01504", "Busy.", is_final=False))
    actual = ActualJob("a", "CONFIGURATION")

    assert decide(DesiredJob("a"), actual, refused, Goal.RUNNING, GracePeriods(), 1000.0 + seconds - 1).action is Action.WAIT
    assert decide(DesiredJob("a"), actual, refused, Goal.RUNNING, GracePeriods(), 1000.0 + seconds).action is Action.START


def test_a_refusal_after_a_lost_answer_is_taken_for_a_start_that_is_not_shown_yet() -> None:
    lost = JobRecord(lost_at=900.0, refused_at=1000.0, sends=2, refusal=Refusal("DRS.M00304", "Not allowed.", is_final=False))

    assert (
        decide(DesiredJob("a"), ActualJob("a", "CONFIGURATION"), lost, Goal.RUNNING, GracePeriods(), 1290.0).action is Action.WAIT
    )
