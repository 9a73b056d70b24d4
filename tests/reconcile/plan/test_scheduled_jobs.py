"""
Jobs that read WAITING_FOR_START: fulfilled when the time is the declared one, else DRS is asked again.

Three times matter: the declared one, the one that DRS has (only details tell, and not always), and now.
"""

from __future__ import annotations

import pytest

from pulumi_drs_start.reconcile.actual import ActualJob
from pulumi_drs_start.reconcile.declared import DesiredJob, Goal
from pulumi_drs_start.reconcile.plan import Case, Decision, decide
from pulumi_drs_start.reconcile.record import Action, GracePeriods, JobRecord, Refusal, Request
from pulumi_drs_start.schema.messages import Messages
from pulumi_drs_start.schema.times import to_iso

NOW = 1_800_000_000.0
NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
PATIENCE = GracePeriods()
LAG_MS = round(PATIENCE.lag_seconds * 1000)

TIMES = {
    "no time": None,
    "tomorrow": NOW_MS + 24 * HOUR_MS,
    "in an hour": NOW_MS + HOUR_MS,
    "this moment": NOW_MS,
    "a minute ago": NOW_MS - 60_000,
    "a quarter of an hour ago": NOW_MS - LAG_MS,
    "yesterday": NOW_MS - 24 * HOUR_MS,
}

# Rows: what is declared. Columns: what DRS has; "no time" is a DRS that does not tell.
TABLE = """
declared                  | no time      | tomorrow     | in an hour   | this moment  | a minute ago | a quarter of an hour ago | yesterday
no time                   | start now    | start now    | start now    | start now    | start now    | start now                | start now
tomorrow                  | all is well  | all is well  | another time | another time | another time | another time             | another time
in an hour                | all is well  | another time | all is well  | another time | another time | another time             | another time
this moment               | due          | start now    | start now    | due          | start now    | start now                | start now
a minute ago              | due          | start now    | start now    | start now    | due          | start now                | start now
a quarter of an hour ago  | start now    | start now    | start now    | start now    | start now    | start now                | start now
yesterday                 | start now    | start now    | start now    | start now    | start now    | start now                | start now
"""  # noqa: E501
_HEAD, *_ROWS = ([cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines())
CELLS = [(row[0], column, verdict) for row in _ROWS for column, verdict in zip(_HEAD[1:], row[1:], strict=True)]


def made(desired: DesiredJob, delivered: int | None, record: JobRecord | None = None, goal: Goal = Goal.RUNNING) -> Decision:
    return decide(Case(desired, ActualJob("a", "WAITING_FOR_START", start_time=delivered), record or JobRecord(), goal, NOW))


@pytest.mark.parametrize(
    ("declared", "delivered", "verdict"),
    [pytest.param(*cell, id=f"declared {cell[0]}, DRS has {cell[1]}: {cell[2]}") for cell in CELLS],
)
@pytest.mark.parametrize("resume", [False, True], ids=["resume off", "resume on"])
@pytest.mark.parametrize("precheck", [False, True], ids=["pre-check off", "pre-check on"])
def test_decision(declared: str, delivered: str, verdict: str, resume: bool, precheck: bool) -> None:
    """Neither resume nor a pre-check has a say: both are for jobs in other statuses."""
    decision = made(DesiredJob("a", TIMES[declared], resume=resume, precheck=precheck), TIMES[delivered])

    assert (decision.action, decision.request, decision.is_fulfilled, decision.is_underway) == {
        "all is well": (Action.NOTHING, None, True, False),
        "due": (Action.WAIT, None, False, True),
        "start now": (Action.START, Request(Action.START), False, False),
        "another time": (Action.SCHEDULE, Request(Action.SCHEDULE, TIMES[declared]), False, False),
    }[verdict]


@pytest.mark.parametrize("declared", TIMES)
@pytest.mark.parametrize("delivered", TIMES)
def test_both_times_are_told_and_that_a_change_is_not_documented(declared: str, delivered: str) -> None:
    decision = made(DesiredJob("a", TIMES[declared]), TIMES[delivered])
    if not decision.action.is_request:
        assert not Messages().warning(decision)
        return
    has, wants = TIMES[delivered], TIMES[declared]
    told = Messages().warning(decision)

    assert f"is scheduled for {'a time that DRS does not tell' if has is None else to_iso(has)}" in told
    assert f"but declared to start {'now' if wants is None else f'at {to_iso(wants)}'}" in told
    assert ("which is past, so it starts now" in told) == (wants is not None and wants <= NOW_MS)
    assert "DRS does not document rescheduling, and may refuse it" in told


def test_the_reason_names_the_time_it_waits_for() -> None:
    assert (
        Messages().why(made(DesiredJob("a", 1_800_003_600_000), 1_800_003_600_000).why) == "is scheduled for 2027-01-15T09:00:00Z"
    )


def test_the_reason_says_where_drs_does_not_tell_the_time() -> None:
    assert Messages().why(made(DesiredJob("a", TIMES["tomorrow"]), None).why) == "is scheduled for a time that DRS does not tell"


@pytest.mark.parametrize("late", ["this moment", "a minute ago"])
def test_a_job_that_is_due_is_enough_where_acceptance_was_asked(late: str) -> None:
    decision = made(DesiredJob("a", TIMES[late]), TIMES[late], goal=Goal.ACCEPTED)

    assert (decision.action, decision.is_fulfilled) == (Action.NOTHING, True)


@pytest.mark.parametrize("delivered", ["no time", "tomorrow", "in an hour"])
def test_a_refused_change_reads_clearly(delivered: str) -> None:
    """DRS's words alone (not allowed in this status) would not tell what to do."""
    refusal = Refusal("DRS.M00304", "The operation is not allowed.", is_final=True)
    refused = JobRecord(request=Request(Action.START), refused_at=NOW - 1000, refusal=refusal, sends=1)
    has = TIMES[delivered]

    decision = made(DesiredJob("a"), has, refused)

    assert decision.action is Action.FAIL
    assert decision.refusal == refusal
    for words in (
        f"is scheduled for {'a time that DRS does not tell' if has is None else to_iso(has)}, but declared to start now",
        "could not be started: DRS refused the start (DRS.M00304: The operation is not allowed)",
    ):
        assert words in Messages().why(decision.why)
    assert Messages().advice(decision.why).startswith("change its time in the DRS console, or set start_time to ")


def test_a_refused_change_of_time_names_both_times() -> None:
    refusal = Refusal("DRS.M00304", "The operation is not allowed.", is_final=True)
    request = Request(Action.SCHEDULE, TIMES["tomorrow"])

    decision = made(DesiredJob("a", TIMES["tomorrow"]), TIMES["in an hour"], JobRecord(request=request, refusal=refusal, sends=1))

    assert decision.action is Action.FAIL
    assert "is scheduled for 2027-01-15T09:00:00Z, but declared to start at 2027-01-16T08:00:00Z" in Messages().why(decision.why)


@pytest.mark.parametrize("goal", Goal)
@pytest.mark.parametrize("now_wanted", ["no time", "yesterday"])
def test_a_change_that_was_accepted_and_is_not_shown_is_not_asked_again(now_wanted: str, goal: Goal) -> None:
    accepted = JobRecord(request=Request(Action.START), accepted_at=NOW - 1, accepted_now=True)

    decision = made(DesiredJob("a", TIMES[now_wanted]), TIMES["tomorrow"], accepted, goal)

    assert decision.action is (Action.NOTHING if goal is Goal.ACCEPTED else Action.WAIT)
    assert "has an accepted start that DRS does not show yet" in Messages().why(decision.why)
    assert decision.is_underway is (goal is not Goal.ACCEPTED)


def test_an_accepted_schedule_for_another_time_does_not_speak_against_a_change() -> None:
    earlier = JobRecord(request=Request(Action.SCHEDULE, TIMES["in an hour"]), accepted_at=NOW - 1)

    assert made(DesiredJob("a", TIMES["tomorrow"]), TIMES["in an hour"], earlier).action is Action.SCHEDULE


@pytest.mark.parametrize("delivered", ["no time", "in an hour", "tomorrow"])
def test_a_change_whose_answer_was_lost_is_not_asked_again_at_once(delivered: str) -> None:
    lost = JobRecord(request=Request(Action.START), lost_at=NOW - PATIENCE.lost_seconds + 1, sends=1)

    assert made(DesiredJob("a"), TIMES[delivered], lost).action is Action.WAIT
