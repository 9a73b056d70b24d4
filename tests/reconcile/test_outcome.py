"""What became of a job, and what the next operation has to know of it."""

from __future__ import annotations

import pytest

from pulumi_drs_start.drs.errors import OutOfTimeError
from pulumi_drs_start.reconcile.actual import ActualJob
from pulumi_drs_start.reconcile.declared import DesiredJob, DesiredState, Goal
from pulumi_drs_start.reconcile.outcome import JobOutcome, Problem, Result, outcome_of, refreshed, result_of
from pulumi_drs_start.reconcile.plan import Case, Reason, decide, make_cases
from pulumi_drs_start.reconcile.record import Action, GracePeriods, JobRecord, Request
from pulumi_drs_start.reconcile.recorded import Recorded, RecordedRow

NOW = 1_800_000_000.0
AT_NINE, AT_TEN = 1_800_003_600_000, 1_800_007_200_000
GRACE = GracePeriods()


def outcome(desired: DesiredJob, actual: ActualJob, record: JobRecord) -> JobOutcome:
    return outcome_of(Case(desired, actual, record, Goal.RUNNING, NOW))


def reason(outcome: JobOutcome) -> Problem:
    assert outcome.problem is not None
    return outcome.problem


MOVED_TO_TEN = JobRecord(request=Request(Action.SCHEDULE, AT_TEN), accepted_at=NOW - 1, accepted_now=True)
"""The record of a job that was scheduled for nine, and whose move to ten DRS has just accepted."""


def test_a_schedule_is_proved_by_its_own_time() -> None:
    shown = outcome(DesiredJob("a", AT_TEN), ActualJob("a", "WAITING_FOR_START", start_time=AT_TEN), MOVED_TO_TEN)

    assert shown.is_fulfilled
    assert (shown.record.accepted_at, shown.record.scheduled_for) == (None, AT_TEN)


@pytest.mark.parametrize("shown", [AT_NINE, None], ids=["another time", "no time"])
def test_a_schedule_is_not_proved_by_any_other_time(shown: int | None) -> None:
    """DRS is late, and still shows what was before: the request stays recorded until its own time is shown."""
    desired, actual = DesiredJob("a", AT_TEN), ActualJob("a", "WAITING_FOR_START", start_time=shown)

    record = outcome(desired, actual, MOVED_TO_TEN).record

    assert (record.request, record.accepted_at) == (MOVED_TO_TEN.request, MOVED_TO_TEN.accepted_at)


PROVED_BY = {
    Request(Action.START): {"STARTJOBING", "FULL_TRANSFER_STARTED", "PAUSING", "INCRE_TRANSFER_FAILED", "START_JOB_FAILED"},
    Request(Action.SCHEDULE, AT_TEN): {
        "STARTJOBING",
        "FULL_TRANSFER_STARTED",
        "PAUSING",
        "INCRE_TRANSFER_FAILED",
        "START_JOB_FAILED",
    },
    Request(Action.RESUME): {"STARTJOBING", "FULL_TRANSFER_STARTED"},
    Request(Action.PAUSE): {"PAUSING"},
    Request(Action.STOP): set[str](),
}
SHOWN = [
    *("CONFIGURATION", "WAITING_FOR_START", "STARTJOBING", "FULL_TRANSFER_STARTED", "PAUSING", "INCRE_TRANSFER_FAILED"),
    *("START_JOB_FAILED", "RELEASE_RESOURCE_COMPLETE", "MISSING"),
]


@pytest.mark.parametrize("request_", PROVED_BY, ids=lambda request: request.action.value)
@pytest.mark.parametrize("status", SHOWN)
def test_a_request_is_recorded_until_a_status_proves_it(request_: Request, status: str) -> None:
    """A job that is over proves every request: nothing can come of it any more."""
    sent = JobRecord(request=request_, accepted_at=NOW - 1, accepted_now=True)

    record = outcome(DesiredJob("a"), ActualJob("a", status), sent).record

    is_proved = status in PROVED_BY[request_] | {"RELEASE_RESOURCE_COMPLETE"}
    assert record.accepted_at == (None if is_proved else NOW - 1)


def test_a_resume_that_had_its_effect_is_proved_though_the_job_fell_again() -> None:
    resumed = JobRecord(request=Request(Action.RESUME), accepted_at=NOW - 1, accepted_now=True, took_effect=True)

    assert outcome(DesiredJob("a"), ActualJob("a", "PAUSING"), resumed).record.accepted_at is None


@pytest.mark.parametrize("status", ["START_JOB_FAILED", "INCRE_TRANSFER_FAILED"])
def test_a_job_that_shows_its_failure_to_the_end_has_failed_again(status: str) -> None:
    """DRS took the restart; the operation ended before anything else was shown."""
    resumed = JobRecord(request=Request(Action.RESUME), accepted_at=NOW - 30, accepted_now=True)
    desired, actual = DesiredJob("a", resume=True), ActualJob("a", status)

    ended = outcome_of(Case(desired, actual, resumed, Goal.RUNNING, NOW), OutOfTimeError("the time limit was reached"))

    assert (ended.outcome, ended.record.is_unfinished) == ("failed", False)
    assert (reason(ended).is_failed_again, reason(ended).seconds) == (True, 30.0)


@pytest.mark.parametrize(
    ("status", "record"),
    [
        pytest.param("PAUSING", JobRecord(request=Request(Action.RESUME), accepted_at=NOW - 30, accepted_now=True), id="paused"),
        pytest.param("STARTJOBING", JobRecord(accepted_at=NOW - 30, accepted_now=True), id="starting"),
        pytest.param("STARTJOBING", JobRecord(), id="started by somebody else"),
    ],
)
def test_a_job_that_drs_is_at_when_the_time_is_up_is_unfinished_and_no_failure(status: str, record: JobRecord) -> None:
    desired, actual = DesiredJob("a", resume=True), ActualJob("a", status)

    ended = outcome_of(Case(desired, actual, record, Goal.RUNNING, NOW), OutOfTimeError("the time limit was reached"))

    assert (ended.outcome != "failed", ended.record.is_unfinished, ended.problem) == (True, True, None)


@pytest.mark.parametrize(
    "record", [JobRecord(), JobRecord(lost_at=NOW - 1, sends=1)], ids=["still to be sent", "sent, and the answer lost"]
)
def test_a_job_that_drs_was_not_seen_to_be_at_when_the_time_was_up_is_a_failure(record: JobRecord) -> None:
    error = OutOfTimeError("the time limit was reached")

    ended = outcome_of(Case(DesiredJob("a"), ActualJob("a", "CONFIGURATION"), record, Goal.RUNNING, NOW), error)

    assert (ended.outcome, ended.record.is_unfinished, reason(ended).ended_by) == ("failed", False, error)


def test_a_schedule_cancelled_before_drs_showed_it_stays_cancelled_with_its_time() -> None:
    over = ActualJob("a", "RELEASE_RESOURCE_COMPLETE")
    cancelled = outcome(DesiredJob("a", AT_TEN), over, MOVED_TO_TEN)
    assert (cancelled.outcome, cancelled.record.scheduled_for) == ("failed", AT_TEN)

    later = decide(Case(DesiredJob("a", AT_TEN), over, cancelled.record, Goal.RUNNING, AT_TEN / 1000 + 1))

    assert (later.action, later.why.reason, later.why.delivered_time) == (Action.FAIL, Reason.CANCELLED_SCHEDULE, AT_TEN)


def test_a_start_at_once_leaves_no_time_behind() -> None:
    accepted = JobRecord(accepted_at=NOW - 1, accepted_now=True)

    assert outcome(DesiredJob("a"), ActualJob("a", "RELEASE_RESOURCE_COMPLETE"), accepted).record.scheduled_for is None


def test_the_time_of_a_schedule_is_kept_while_drs_does_not_show_the_job() -> None:
    started_at_once = JobRecord(accepted_at=NOW - 1, scheduled_for=AT_NINE)

    assert outcome(DesiredJob("a"), ActualJob("a", "MISSING"), started_at_once).record.scheduled_for == AT_NINE


PAUSE_IT = DesiredJob("a", state=DesiredState.PAUSED)
PAUSED_NOW = JobRecord(request=Request(Action.PAUSE), accepted_at=NOW - 1, accepted_now=True)


@pytest.mark.parametrize(
    ("desired", "status", "record", "done"),
    [
        (DesiredJob("a"), "FULL_TRANSFER_STARTED", JobRecord(), "already_started"),
        (DesiredJob("a"), "FULL_TRANSFER_STARTED", JobRecord(was_started=True), "unchanged"),
        (DesiredJob("a"), "FULL_TRANSFER_STARTED", JobRecord(accepted_at=NOW - 60), "unchanged"),
        (DesiredJob("a"), "FULL_TRANSFER_STARTED", JobRecord(accepted_at=NOW - 1, accepted_now=True), "started"),
        (DesiredJob("a"), "FULL_TRANSFER_STARTED", JobRecord(lost_at=NOW - 1), "started"),
        (DesiredJob("a", AT_TEN), "WAITING_FOR_START", JobRecord(), "unchanged"),
        (PAUSE_IT, "PAUSING", JobRecord(), "unchanged"),
        (PAUSE_IT, "PAUSING", PAUSED_NOW, "paused"),
        # What was done for another purpose is not what was done for this one.
        (DesiredJob("a"), "FULL_TRANSFER_STARTED", PAUSED_NOW, "unchanged"),
        (PAUSE_IT, "PAUSING", JobRecord(accepted_at=NOW - 1, accepted_now=True), "unchanged"),
    ],
)
def test_what_was_done_for_a_job(desired: DesiredJob, status: str, record: JobRecord, done: str) -> None:
    assert outcome(desired, ActualJob("a", status), record).outcome == done


@pytest.mark.parametrize(
    ("desired", "status", "wanted"),
    [
        (DesiredJob("a"), "CONFIGURATION", "started"),
        (DesiredJob("a", AT_TEN), "CONFIGURATION", "scheduled"),
        (DesiredJob("a", resume=True), "CONFIGURATION", "started"),
        (DesiredJob("a", resume=True), "PAUSING", "resumed"),
        (DesiredJob("a", resume=True), "INCRE_TRANSFER_FAILED", "resumed"),
        (DesiredJob("a", resume=True), "START_JOB_FAILED", "resumed"),
        (DesiredJob("a"), "PAUSING", "started"),
        (DesiredJob("a", resume=True, state=DesiredState.PAUSED), "PAUSING", "paused"),
        (DesiredJob("a", state=DesiredState.STOPPED), "INCRE_TRANSFER_STARTED", "stopped"),
    ],
)
def test_what_a_job_should_have_become(desired: DesiredJob, status: str, wanted: str) -> None:
    assert outcome(desired, ActualJob("a", status), JobRecord()).wanted == wanted


def test_a_move_that_drs_does_not_show_yet_is_neither_done_nor_sent_again_by_the_next_operation() -> None:
    desired, late = DesiredJob("a", AT_TEN), ActualJob("a", "WAITING_FOR_START", start_time=AT_NINE)
    ended = outcome(desired, late, MOVED_TO_TEN)
    assert not ended.is_fulfilled

    soon = decide(Case(desired, late, ended.record, Goal.RUNNING, NOW + 60))
    much_later = decide(Case(desired, late, ended.record, Goal.RUNNING, NOW + GRACE.lag_seconds))

    assert (soon.action, soon.is_fulfilled) == (Action.WAIT, False)
    assert much_later.request == Request(Action.SCHEDULE, AT_TEN)


# -- what a refresh says of the last operation ---------------------------------------------------------------------


def after_refresh(row: RecordedRow, desired: DesiredJob, status: str) -> JobOutcome:
    seen = result_of(make_cases([desired], {"a": ActualJob("a", status)}, {}, Goal.RUNNING, NOW))
    return refreshed(Recorded(rows={"a": row}), seen).jobs["a"]


@pytest.mark.parametrize("state", [DesiredState.PAUSED, DesiredState.STOPPED])
def test_a_refused_pause_or_stop_stays_a_failure_while_the_job_runs(state: DesiredState) -> None:
    refused = RecordedRow("running", "failed", "DRS.M00103", "You may not.")

    seen = after_refresh(refused, DesiredJob("a", state=state), "INCRE_TRANSFER_STARTED")

    assert (seen.outcome, seen.is_fulfilled) == ("failed", False)
    assert (reason(seen).code, reason(seen).recorded) == ("DRS.M00103", "You may not.")


@pytest.mark.parametrize(
    ("state", "status"), [(DesiredState.PAUSED, "PAUSING"), (DesiredState.STOPPED, "RELEASE_RESOURCE_COMPLETE")]
)
def test_a_refused_pause_or_stop_is_over_once_somebody_else_did_it(state: DesiredState, status: str) -> None:
    seen = after_refresh(RecordedRow("running", "failed", "DRS.M00103", "You may not."), DesiredJob("a", state=state), status)

    assert (seen.outcome, seen.is_fulfilled, seen.problem) == ("unchanged", True, None)


@pytest.mark.parametrize("status", ["STARTJOBING", "INCRE_TRANSFER_STARTED", "PAUSING"])
def test_a_refused_start_is_over_once_the_job_was_started_all_the_same(status: str) -> None:
    assert after_refresh(RecordedRow("startable", "failed", "DRS.M01504", "Busy."), DesiredJob("a"), status).outcome == (
        "already_started"
    )


@pytest.mark.parametrize("status", ["CREATING", "CONFIGURATION", "WAITING_FOR_START"])
def test_a_refused_start_stays_a_failure_with_its_reason_while_the_job_is_not_started(status: str) -> None:
    seen = after_refresh(RecordedRow("startable", "failed", "DRS.M01504", "Busy."), DesiredJob("a"), status)

    assert seen.outcome == "failed"
    assert (reason(seen).code, reason(seen).recorded) == ("DRS.M01504", "Busy.")


@pytest.mark.parametrize("status", ["MISSING", "START_JOB_FAILED", "CREATE_FAILED", "RELEASE_RESOURCE_COMPLETE"])
def test_a_job_that_is_found_lost_says_so_and_not_what_was_wrong_before(status: str) -> None:
    seen = after_refresh(RecordedRow("startable", "failed", "DRS.M01504", "Busy."), DesiredJob("a"), status)

    assert (seen.outcome, reason(seen).recorded, reason(seen).code) == ("failed", None, None)


def test_a_job_that_was_dealt_with_and_is_where_it_was_left_keeps_its_outcome() -> None:
    seen = after_refresh(RecordedRow("running", "started"), DesiredJob("a"), "INCRE_TRANSFER_STARTED")

    assert (seen.outcome, seen.problem) == ("started", None)


def test_a_refresh_without_records_leaves_nothing_unfinished() -> None:
    seen = result_of(make_cases([DesiredJob("a")], {"a": ActualJob("a", "STARTJOBING")}, {}, Goal.RUNNING, NOW))

    assert refreshed(Recorded(), Result(seen.jobs)).unfinished == []
