"""Pre-checks: asked for only of jobs about to be started, and a start only after one that passed."""

from __future__ import annotations

import pytest

from pulumi_drs_start.drs.calls.models import Finding
from pulumi_drs_start.reconcile.actual import ActualJob
from pulumi_drs_start.reconcile.declared import DesiredJob, Goal
from pulumi_drs_start.reconcile.outcome import outcome_of
from pulumi_drs_start.reconcile.plan import Case, Decision, decide
from pulumi_drs_start.reconcile.record import Action, GracePeriods, JobRecord, Precheck, Refusal, Request
from pulumi_drs_start.schema.messages import Messages

NOW = 1_800_000_000.0
TOMORROW, YESTERDAY = 1_800_086_400_000, 1_799_913_600_000
NO_BINLOG = Finding("binlog_format", "It has to be ROW.")
NO_ROUTE = Finding("source_connection", "The source can't be reached.")
SHORT_LOGS = Finding("binlog_retention", "The logs are kept for a day.")

PRECHECKS = {
    "none was asked": None,
    "one is pending": Precheck("p"),
    "one is pending without an id": Precheck(None),
    "one passed": Precheck("p", is_done=True, has_passed=True),
    "one passed with alarms": Precheck("p", is_done=True, has_passed=True, alarms=(SHORT_LOGS,)),
    "one failed": Precheck("p", is_done=True, failed=(NO_BINLOG, NO_ROUTE), alarms=(SHORT_LOGS,)),
    "one failed without items": Precheck("p", is_done=True),
    "one is half done and has failed items already": Precheck("p", failed=(NO_BINLOG,)),
}
DECLARED = {"now": None, "tomorrow": TOMORROW, "yesterday": YESTERDAY}

TABLE = """
pre-check                                      | now      | tomorrow  | yesterday
none was asked                                 | precheck | precheck  | precheck
one is pending                                 | wait     | wait      | wait
one is pending without an id                   | wait     | wait      | wait
one is half done and has failed items already  | wait     | wait      | wait
one passed                                     | start    | schedule  | start
one passed with alarms                         | start    | schedule  | start
one failed                                     | fail     | fail      | fail
one failed without items                       | fail     | fail      | fail
"""
_HEAD, *_ROWS = ([cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines())
CELLS = [(row[0], column, verdict) for row in _ROWS for column, verdict in zip(_HEAD[1:], row[1:], strict=True)]
OTHER_STATUSES = [
    *("CREATING", "WAITING_FOR_START", "STARTJOBING", "FULL_TRANSFER_STARTED", "INCRE_TRANSFER_STARTED", "CHANGE_JOB_STARTED"),
    *("A_STATUS_OF_NEXT_YEAR", "PAUSING", "PAUSEING", "FULL_TRANSFER_FAILED", "INCRE_TRANSFER_FAILED", "CHANGE_JOB_FAILED"),
    *("START_JOB_FAILED", "STARTJOB_FAILED", "RELEASE_RESOURCE_STARTED", "RELEASE_RESOURCE_FAILED", "DELETED"),
    *("RELEASE_RESOURCE_COMPLETE", "CREATE_FAILED", "MISSING"),
]


def made(record: JobRecord, start_time: int | None = None, status: str = "CONFIGURATION", *, precheck: bool = True) -> Decision:
    desired = DesiredJob("a", start_time, precheck=precheck)
    return decide(Case(desired, ActualJob("a", status), record, Goal.RUNNING, NOW))


@pytest.mark.parametrize(
    ("precheck", "declared", "verdict"), [pytest.param(*cell, id=f"{cell[0]}, to start {cell[1]}: {cell[2]}") for cell in CELLS]
)
def test_decision(precheck: str, declared: str, verdict: str) -> None:
    decision = made(JobRecord(precheck=PRECHECKS[precheck]), DECLARED[declared])

    assert decision.action.value == verdict
    assert not decision.is_fulfilled
    assert decision.request == {
        "precheck": Request(Action.PRECHECK),
        "start": Request(Action.START),
        "schedule": Request(Action.SCHEDULE, TOMORROW),
    }.get(verdict)


def test_the_table_has_every_pre_check() -> None:
    assert {cell[0] for cell in CELLS} == PRECHECKS.keys()


@pytest.mark.parametrize("precheck", PRECHECKS)
@pytest.mark.parametrize("declared", DECLARED)
def test_a_pre_check_that_nobody_asks_for_any_more_has_no_say(precheck: str, declared: str) -> None:
    record = JobRecord(precheck=PRECHECKS[precheck])

    assert made(record, DECLARED[declared], precheck=False) == made(JobRecord(), DECLARED[declared], precheck=False)


@pytest.mark.parametrize("precheck", PRECHECKS)
@pytest.mark.parametrize("status", OTHER_STATUSES)
def test_a_pre_check_matters_only_to_a_job_that_can_be_started(status: str, precheck: str) -> None:
    """ "Performing a Pre-Check in Batches" wants CONFIGURATION."""
    assert made(JobRecord(precheck=PRECHECKS[precheck]), status=status) == made(JobRecord(), status=status, precheck=False)


def test_failed_items_are_named_with_their_reasons_and_alarms_are_not() -> None:
    assert Messages().why(made(JobRecord(precheck=PRECHECKS["one failed"])).why) == (
        "did not pass the pre-check (binlog_format: It has to be ROW; source_connection: The source can't be reached)"
    )


def test_an_item_without_a_reason_is_named_alone() -> None:
    failed = Precheck("p", is_done=True, failed=(Finding("binlog_format", ""),))

    assert Messages().why(made(JobRecord(precheck=failed)).why) == "did not pass the pre-check (binlog_format)"


def test_a_failed_pre_check_without_items_is_no_empty_bracket() -> None:
    decision = made(JobRecord(precheck=PRECHECKS["one failed without items"]))

    assert Messages().why(decision.why) == "did not pass the pre-check (DRS names no item)"


@pytest.mark.parametrize("precheck", ["one passed with alarms", "one failed"])
def test_alarms_end_in_the_outcome_whether_it_passed_or_not(precheck: str) -> None:
    record = JobRecord(precheck=PRECHECKS[precheck])

    outcome = outcome_of(Case(DesiredJob("a", precheck=True), ActualJob("a", "CONFIGURATION"), record, Goal.RUNNING, NOW))

    assert outcome.alarms == (Finding("binlog_retention", "The logs are kept for a day."),)


@pytest.mark.parametrize("declared", DECLARED)
@pytest.mark.parametrize("precheck", ["none was asked", "one is pending", "one failed"])
def test_a_job_whose_start_was_accepted_is_not_pre_checked(precheck: str, declared: str) -> None:
    start_time = DECLARED[declared]
    request = Request(Action.START) if start_time is None else Request(Action.SCHEDULE, start_time)
    accepted = JobRecord(request=request, accepted_at=NOW - 1, precheck=PRECHECKS[precheck])

    assert made(accepted, start_time).is_underway


@pytest.mark.parametrize("precheck", ["none was asked", "one passed", "one failed"])
def test_a_job_whose_start_may_have_been_accepted_is_not_pre_checked(precheck: str) -> None:
    decision = made(JobRecord(lost_at=NOW - 1, sends=1, precheck=PRECHECKS[precheck]))

    assert decision.action is Action.WAIT
    assert "may be started already" in Messages().why(decision.why)


REFUSED = Refusal("DRS.M00304", "Not configured.", is_final=True)
BUSY = Refusal("DRS.M01504", "Busy.", is_final=False)


@pytest.mark.parametrize("declared", DECLARED)
def test_a_pre_check_that_drs_refuses_for_good_is_a_failure_that_says_so(declared: str) -> None:
    decision = made(JobRecord(request=Request(Action.PRECHECK), refusal=REFUSED, sends=1), DECLARED[declared])

    assert decision.action is Action.FAIL
    assert decision.refusal == REFUSED
    assert Messages().why(decision.why) == "could not be pre-checked: DRS refused the pre-check (DRS.M00304: Not configured)"


def test_a_pre_check_refused_lately_is_asked_for_again_a_little_later() -> None:
    refused = JobRecord(request=Request(Action.PRECHECK), refused_at=NOW - 19, refusal=BUSY, sends=1)

    assert made(refused).action is Action.WAIT
    assert (
        decide(Case(DesiredJob("a", precheck=True), ActualJob("a", "CONFIGURATION"), refused, Goal.RUNNING, NOW + 1)).action
        is Action.PRECHECK
    )


def test_a_pre_check_is_asked_for_a_bounded_number_of_times() -> None:
    decision = made(JobRecord(request=Request(Action.PRECHECK), refusal=BUSY, sends=GracePeriods().sends))

    assert decision.action is Action.FAIL
    assert Messages().why(decision.why) == "could not be pre-checked in 5 tries (DRS.M01504: Busy)"


@pytest.mark.parametrize("refusal", [REFUSED, BUSY])
def test_a_refused_start_does_not_lead_to_another_pre_check(refusal: Refusal) -> None:
    passed = JobRecord(refusal=refusal, refused_at=NOW - 1, sends=1, precheck=PRECHECKS["one passed"])

    assert not made(passed).action.is_request


def test_a_late_start_is_warned_of_before_the_pre_check_too() -> None:
    assert "starts now" in Messages().warning(made(JobRecord(), YESTERDAY))
    assert "starts now" in Messages().warning(made(JobRecord(precheck=PRECHECKS["one passed"]), YESTERDAY))
