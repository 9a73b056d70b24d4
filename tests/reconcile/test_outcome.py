"""What became of a job, and what the next operation has to know of it."""

from __future__ import annotations

import pytest

from pulumi_drs_start.reconcile.actual import ActualJob
from pulumi_drs_start.reconcile.declared import DesiredJob, Goal
from pulumi_drs_start.reconcile.outcome import JobOutcome, outcome_of
from pulumi_drs_start.reconcile.plan import decide
from pulumi_drs_start.reconcile.record import Action, GracePeriods, JobRecord, Request

NOW = 1_800_000_000.0
AT_NINE, AT_TEN = 1_800_003_600_000, 1_800_007_200_000
GRACE = GracePeriods()


def outcome(desired: DesiredJob, actual: ActualJob, record: JobRecord) -> JobOutcome:
    return outcome_of(desired, actual, record, Goal.RUNNING, GRACE, NOW, None)


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


def test_a_move_that_drs_does_not_show_yet_is_neither_done_nor_sent_again_by_the_next_operation() -> None:
    desired, late = DesiredJob("a", AT_TEN), ActualJob("a", "WAITING_FOR_START", start_time=AT_NINE)
    ended = outcome(desired, late, MOVED_TO_TEN)
    assert not ended.is_fulfilled

    soon = decide(desired, late, ended.record, Goal.RUNNING, GRACE, NOW + 60)
    much_later = decide(desired, late, ended.record, Goal.RUNNING, GRACE, NOW + GRACE.lag_seconds)

    assert (soon.action, soon.is_fulfilled) == (Action.WAIT, False)
    assert much_later.request == Request(Action.SCHEDULE, AT_TEN)
