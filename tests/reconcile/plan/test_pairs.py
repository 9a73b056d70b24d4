"""
Dual-active disaster recovery: a parent is never started, and its backward child only after the forward one.

See the design, section 2, and the API reference, "Starting Tasks in Batches".
"""

from __future__ import annotations

import pytest

from pulumi_drs_start.reconcile.actual import ActualJob, Obstacle, Pairing
from pulumi_drs_start.reconcile.declared import DesiredJob, DesiredState, Goal
from pulumi_drs_start.reconcile.plan import Case, Decision, decide
from pulumi_drs_start.reconcile.record import Action, JobRecord, Precheck, Request
from pulumi_drs_start.schema.messages import Messages

NOW = 1_800_000_000.0
TOMORROW, YESTERDAY = 1_800_086_400_000, 1_799_913_600_000
UNKNOWN_LAG = "is started although DRS does not tell the RPO and RTO of forth, the other direction of the dual-active pair"

PAIRINGS = {
    "no pair": None,
    "the parent": Pairing(is_parent=True, children=("forth", "back")),
    "a parent whose children are not known": Pairing(is_parent=True),
    "the backward child, blocked": Pairing(forward="forth", obstacle=Obstacle("forth", "INCRE_TRANSFER_STARTED", "RPO", 90_000)),
    "the backward child, ready": Pairing(forward="forth"),
    "the backward child, its lag not known": Pairing(forward="forth", unknown_delays=("RPO", "RTO")),
    "a child whose sibling is not known": Pairing(is_alone=True),
}

# Columns: what is asked. "check" is the pre-check, which DRS does not want of the backward child.
TABLE = """
the job is                             | now   | tomorrow | yesterday | pre-check | pre-check, tomorrow
no pair                                | start | schedule | start     | precheck  | precheck
the parent                             | fail  | fail     | fail      | fail      | fail
a parent whose children are not known  | fail  | fail     | fail      | fail      | fail
the backward child, blocked            | wait  | wait     | wait      | wait      | wait
the backward child, ready              | start | schedule | start     | start     | schedule
the backward child, its lag not known  | start | schedule | start     | start     | schedule
a child whose sibling is not known     | start | schedule | start     | precheck  | precheck
"""
ASKED = {
    "now": DesiredJob("a"),
    "tomorrow": DesiredJob("a", TOMORROW),
    "yesterday": DesiredJob("a", YESTERDAY),
    "pre-check": DesiredJob("a", precheck=True),
    "pre-check, tomorrow": DesiredJob("a", TOMORROW, precheck=True),
}
_HEAD, *_ROWS = ([cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines())
CELLS = [(row[0], column, verdict) for row in _ROWS for column, verdict in zip(_HEAD[1:], row[1:], strict=True)]
BLOCKED = PAIRINGS["the backward child, blocked"]


def made(
    pairing: Pairing | None, desired: DesiredJob | None = None, record: JobRecord | None = None, status: str = "CONFIGURATION"
) -> Decision:
    actual = ActualJob("a", status, pairing=pairing)
    return decide(Case(desired or DesiredJob("a"), actual, record or JobRecord(), Goal.RUNNING, NOW))


@pytest.mark.parametrize(
    ("pairing", "asked", "verdict"), [pytest.param(*cell, id=f"{cell[0]}, asked {cell[1]}: {cell[2]}") for cell in CELLS]
)
@pytest.mark.parametrize("resume", [False, True], ids=["resume off", "resume on"])
def test_decision(pairing: str, asked: str, verdict: str, resume: bool) -> None:
    desired = ASKED[asked]

    decision = made(PAIRINGS[pairing], DesiredJob("a", desired.start_time, resume=resume, precheck=desired.precheck))

    assert decision.action.value == verdict
    assert not decision.is_fulfilled
    start_time = TOMORROW if verdict == "schedule" else None
    assert decision.request == (Request(Action(verdict), start_time) if decision.action.is_request else None)


def test_the_table_has_every_pairing() -> None:
    assert {cell[0] for cell in CELLS} == PAIRINGS.keys()


def test_a_parent_is_told_with_its_children() -> None:
    why = made(PAIRINGS["the parent"]).why

    assert Messages().why(why) == "is the parent of a dual-active pair, of which only the subtasks are started"
    assert Messages().advice(why) == "declare its subtasks instead: forth, back"


def test_a_parent_is_told_where_drs_does_not_name_its_children() -> None:
    why = made(PAIRINGS["a parent whose children are not known"]).why

    assert Messages().advice(why) == "declare its subtasks instead, which DRS does not name"


@pytest.mark.parametrize("has_passed", [False, True])
def test_no_pre_check_makes_a_parent_startable(has_passed: bool) -> None:
    record = JobRecord(precheck=Precheck("p", is_done=True, has_passed=has_passed))

    assert "parent" in Messages().why(made(PAIRINGS["the parent"], DesiredJob("a", precheck=True), record).why)


def test_a_blocked_child_is_waited_for_and_the_reason_says_for_what() -> None:
    decision = made(BLOCKED)

    assert Messages().why(decision.why) == (
        "waits for the other direction of its dual-active pair: the RPO of forth is 90 s and has to come below 60 s first"
    )
    # It is we who have to start it: a preview must say that something is left to do.
    assert not decision.is_underway


def test_a_note_is_a_warning_and_stops_nothing() -> None:
    decision = made(PAIRINGS["the backward child, its lag not known"])

    assert (decision.action, Messages().warning(decision)) == (Action.START, UNKNOWN_LAG)


def test_a_note_does_not_hide_that_a_start_is_late() -> None:
    decision = made(PAIRINGS["the backward child, its lag not known"], DesiredJob("a", YESTERDAY))

    assert (
        Messages().warning(decision) == f"was to start at 2027-01-14T08:00:00Z, which is past, so it starts now; it {UNKNOWN_LAG}"
    )


def test_a_note_is_said_before_a_pre_check_too() -> None:
    decision = made(PAIRINGS["a child whose sibling is not known"], DesiredJob("a", precheck=True))

    assert (decision.action, Messages().warning(decision)) == (
        Action.PRECHECK,
        "is started without waiting for the other direction of its dual-active pair, which DRS does not tell",
    )


@pytest.mark.parametrize("pairing", PAIRINGS)
@pytest.mark.parametrize("name", ["accepted_at", "lost_at"])
def test_a_start_that_was_accepted_or_may_have_been_is_not_explained_by_the_pair(name: str, pairing: str) -> None:
    """What was asked is waited for, whatever the other direction does meanwhile."""
    record = JobRecord(**{name: NOW - 1})  # type: ignore[arg-type]

    assert made(PAIRINGS[pairing], record=record) == made(None, record=record)
    assert made(PAIRINGS[pairing], record=record).action is Action.WAIT


@pytest.mark.parametrize("target", [DesiredState.PAUSED, DesiredState.STOPPED])
@pytest.mark.parametrize("pairing", PAIRINGS)
@pytest.mark.parametrize("status", ["CONFIGURATION", "INCRE_TRANSFER_STARTED", "PAUSING", "RELEASE_RESOURCE_COMPLETE"])
def test_the_pair_does_not_hold_up_a_pause_or_a_stop(status: str, pairing: str, target: DesiredState) -> None:
    desired = DesiredJob("a", state=target)

    assert made(PAIRINGS[pairing], desired, status=status) == made(None, desired, status=status)


@pytest.mark.parametrize("pairing", PAIRINGS)
@pytest.mark.parametrize(
    "status", ["CREATING", "STARTJOBING", "INCRE_TRANSFER_STARTED", "PAUSING", "START_JOB_FAILED", "DELETED"]
)
def test_the_pair_is_of_no_interest_once_a_child_was_started(status: str, pairing: str) -> None:
    assert made(PAIRINGS[pairing], status=status) == made(None, status=status)
