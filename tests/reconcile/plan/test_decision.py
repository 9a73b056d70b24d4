"""
Every status with everything that can be asked for it: the table of the design, section 2, written out by hand.

Nothing is remembered of these jobs, and DRS does not tell the time of those that are scheduled.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from pulumi_drs_start.drs.calls.models import CopyProgress
from pulumi_drs_start.reconcile import phase as statuses
from pulumi_drs_start.reconcile.actual import ActualJob
from pulumi_drs_start.reconcile.declared import DesiredJob, DesiredState, Goal
from pulumi_drs_start.reconcile.plan import Case, Decision, Reason, decide, make_plan
from pulumi_drs_start.reconcile.record import Action, GracePeriods, JobRecord, Request
from pulumi_drs_start.schema.messages import Messages

NOW = 1_800_000_000.0
NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000
TOMORROW, YESTERDAY = NOW_MS + DAY_MS, NOW_MS - DAY_MS

ASKED = {
    "now": ("a start at once is asked", DesiredJob("a")),
    "later": ("a start tomorrow is asked", DesiredJob("a", TOMORROW)),
    "past": ("a start yesterday is asked", DesiredJob("a", YESTERDAY)),
    "resume": ("resume is asked", DesiredJob("a", resume=True)),
    "resume-later": ("resume and a start tomorrow are asked", DesiredJob("a", TOMORROW, resume=True)),
    "check": ("a pre-check is asked", DesiredJob("a", precheck=True)),
    "check-later": ("a pre-check and a start tomorrow are asked", DesiredJob("a", TOMORROW, precheck=True)),
    "all-past": ("resume, a pre-check and a start yesterday are asked", DesiredJob("a", YESTERDAY, resume=True, precheck=True)),
    "pause": ("a pause is asked", DesiredJob("a", state=DesiredState.PAUSED)),
    "stop": ("a stop is asked", DesiredJob("a", state=DesiredState.STOPPED)),
}

# What a cell says: the action, whether the job is where it was asked to be, and what DRS is asked for.
VERDICTS = {
    "start": ("it is started", Action.START, False, Request(Action.START)),
    "schedule": ("it is scheduled", Action.SCHEDULE, False, Request(Action.SCHEDULE, TOMORROW)),
    "resume": ("it is resumed", Action.RESUME, False, Request(Action.RESUME)),
    "check": ("it is pre-checked", Action.PRECHECK, False, Request(Action.PRECHECK)),
    "pause": ("it is paused", Action.PAUSE, False, Request(Action.PAUSE)),
    "stop": ("it is stopped", Action.STOP, False, Request(Action.STOP)),
    "wait": ("it is waited for", Action.WAIT, False, None),
    "fine": ("all is well", Action.NOTHING, True, None),
    "told": ("it is left so and told", Action.NOTHING, False, None),
    "fail": ("it is a failure", Action.FAIL, False, None),
}

# Columns "pause" and "stop": what may be paused and stopped when is from the API's description ("Pausing Tasks in Batches",
# "Stopping or Deleting Tasks in Batches"); a running job that is not named there is asked for all the same, and DRS has the
# last word. What does not run needs no pause, unless it will run by itself.
TABLE = """
status                           now      later    past     resume   resume-later check   check-later all-past pause    stop
CREATING                         wait     wait     wait     wait     wait         wait    wait        wait     fine     stop
CONFIGURATION                    start    schedule start    start    schedule     check   check       check    fine     stop
WAITING_FOR_START                start    fine     start    start    fine         start   fine        start    fail     stop
STARTJOBING                      wait     wait     wait     wait     wait         wait    wait        wait     wait     wait
FULL_TRANSFER_STARTED            fine     fine     fine     fine     fine         fine    fine        fine     pause    stop
FULL_TRANSFER_COMPLETE           fine     fine     fine     fine     fine         fine    fine        fine     pause    stop
INCRE_TRANSFER_STARTED           fine     fine     fine     fine     fine         fine    fine        fine     pause    stop
CHANGE_JOB_STARTED               fine     fine     fine     fine     fine         fine    fine        fine     pause    stop
CHILD_TRANSFER_STARTING          fine     fine     fine     fine     fine         fine    fine        fine     pause    stop
CHILD_TRANSFER_STARTED           fine     fine     fine     fine     fine         fine    fine        fine     pause    stop
CHILD_TRANSFER_COMPLETE          fine     fine     fine     fine     fine         fine    fine        fine     pause    stop
CHILD_TRANSFER_FAILED            fine     fine     fine     fine     fine         fine    fine        fine     pause    stop
RELEASE_CHILD_TRANSFER_STARTED   fine     fine     fine     fine     fine         fine    fine        fine     pause    stop
RELEASE_CHILD_TRANSFER_COMPLETE  fine     fine     fine     fine     fine         fine    fine        fine     pause    stop
REBUILD_NODE_STARTED             fine     fine     fine     fine     fine         fine    fine        fine     pause    stop
REBUILD_NODE_FAILED              fine     fine     fine     fine     fine         fine    fine        fine     pause    stop
NODE_UPGRADE_START               fine     fine     fine     fine     fine         fine    fine        fine     pause    stop
NODE_UPGRADE_COMPLETE            fine     fine     fine     fine     fine         fine    fine        fine     pause    stop
NODE_UPGRADE_FAILED              fine     fine     fine     fine     fine         fine    fine        fine     pause    stop
A_STATUS_OF_NEXT_YEAR            fine     fine     fine     fine     fine         fine    fine        fine     pause    stop
PAUSING                          told     told     told     resume   resume       told    told        resume   fine     stop
PAUSEING                         told     told     told     resume   resume       told    told        resume   fine     stop
FULL_TRANSFER_FAILED             told     told     told     resume   resume       told    told        resume   pause    stop
INCRE_TRANSFER_FAILED            told     told     told     resume   resume       told    told        resume   pause    stop
CHANGE_JOB_FAILED                told     told     told     resume   resume       told    told        resume   pause    stop
START_JOB_FAILED                 fail     fail     fail     resume   resume       fail    fail        resume   fine     stop
STARTJOB_FAILED                  fail     fail     fail     resume   resume       fail    fail        resume   fine     stop
RELEASE_RESOURCE_STARTED         fail     fail     fail     fail     fail         fail    fail        fail     fine     wait
RELEASE_RESOURCE_FAILED          fail     fail     fail     fail     fail         fail    fail        fail     fine     fail
RELEASE_RESOURCE_COMPLETE        fail     fail     fail     fail     fail         fail    fail        fail     fine     fine
DELETED                          fail     fail     fail     fail     fail         fail    fail        fail     fine     fine
CREATE_FAILED                    fail     fail     fail     fail     fail         fail    fail        fail     fine     fine
MISSING                          fail     fail     fail     fail     fail         fail    fail        fail     fail     fail
"""

# "ended": fulfilled if it was ever seen started by this resource, else a failure of that job.
ENDED = ("RELEASE_RESOURCE_STARTED", "RELEASE_RESOURCE_FAILED", "RELEASE_RESOURCE_COMPLETE", "DELETED")
NOT_STARTED = ("pause", "stop")

_HEAD, *_ROWS = (line.split() for line in TABLE.strip().splitlines())
CELLS = [(row[0], column, verdict) for row in _ROWS for column, verdict in zip(_HEAD[1:], row[1:], strict=True)]
STATUSES = [row[0] for row in _ROWS]


def made(
    status: str,
    desired: DesiredJob,
    record: JobRecord | None = None,
    goal: Goal = Goal.RUNNING,
    grace: GracePeriods | None = None,
) -> Decision:
    return decide(Case(desired, ActualJob("a", status), record or JobRecord(), goal, NOW, grace or GracePeriods()))


@pytest.mark.parametrize(
    ("status", "asked", "verdict"),
    [pytest.param(*cell, id=f"{cell[0]}, {ASKED[cell[1]][0]}: {VERDICTS[cell[2]][0]}") for cell in CELLS],
)
def test_decision(status: str, asked: str, verdict: str) -> None:
    _, action, is_fulfilled, request = VERDICTS[verdict]

    decision = made(status, ASKED[asked][1])

    assert (decision.action, decision.is_fulfilled, decision.request) == (action, is_fulfilled, request)


def test_every_status_we_know_is_in_the_table_and_one_we_do_not_know() -> None:
    assert set(STATUSES) >= statuses._PHASES.keys()
    assert "A_STATUS_OF_NEXT_YEAR" in STATUSES
    assert set(_HEAD[1:]) == ASKED.keys()


@pytest.mark.parametrize("asked", [pytest.param(name, id=words) for name, (words, _) in ASKED.items()])
@pytest.mark.parametrize("status", STATUSES)
def test_acceptance_is_enough_where_only_that_was_asked(status: str, asked: str) -> None:
    """Of jobs that nothing is remembered of, DRS is at nothing but a start or a stop that it shows."""
    desired = ASKED[asked][1]
    waiting, accepting = made(status, desired), made(status, desired, goal=Goal.ACCEPTED)

    is_shown = (status == "STARTJOBING" and asked not in NOT_STARTED) or (
        status == "RELEASE_RESOURCE_STARTED" and asked == "stop"
    )

    assert waiting.is_underway is is_shown
    if is_shown:
        assert (accepting.action, accepting.is_fulfilled) == (Action.NOTHING, True)
    else:
        assert accepting == waiting


@pytest.mark.parametrize("asked", [pytest.param(name, id=words) for name, (words, _) in ASKED.items() if name not in NOT_STARTED])
@pytest.mark.parametrize("status", ENDED)
@pytest.mark.parametrize(
    "record",
    [
        pytest.param(JobRecord(was_started=True), id="that we saw started"),
        pytest.param(JobRecord(accepted_at=NOW - 1), id="whose start was accepted lately"),
        pytest.param(JobRecord(accepted_at=NOW - 30 * 86_400), id="whose start was accepted a month ago"),
        pytest.param(
            JobRecord(accepted_at=NOW - 30 * 86_400, request=Request(Action.SCHEDULE, YESTERDAY)), id="that was scheduled"
        ),
        pytest.param(JobRecord(scheduled_for=YESTERDAY), id="that was seen scheduled, and whose time has passed"),
    ],
)
def test_a_job_that_ran_and_is_over_is_fulfilled(record: JobRecord, status: str, asked: str) -> None:
    decision = made(status, ASKED[asked][1], record)

    assert (decision.action, decision.is_fulfilled) == (Action.NOTHING, True)


@pytest.mark.parametrize("status", ENDED)
def test_a_start_whose_answer_was_lost_does_not_make_a_job_that_is_over_ours(status: str) -> None:
    """It was over before, as far as anybody knows."""
    assert made(status, DesiredJob("a"), JobRecord(lost_at=NOW - 1)).action is Action.FAIL


@pytest.mark.parametrize("seconds_late", [0, 1, 3600, 400 * 86_400])
@pytest.mark.parametrize("precheck", [False, True], ids=["without pre-check", "with pre-check"])
def test_a_time_that_is_past_is_no_time_and_a_warning_says_so(seconds_late: int, precheck: bool) -> None:
    decision = made("CONFIGURATION", DesiredJob("a", NOW_MS - seconds_late * 1000, precheck=precheck))

    assert decision.action is (Action.PRECHECK if precheck else Action.START)
    assert "which is past, so it starts now" in Messages().warning(decision)


def test_a_time_one_millisecond_ahead_is_kept() -> None:
    decision = made("CONFIGURATION", DesiredJob("a", NOW_MS + 1))

    assert decision.request == Request(Action.SCHEDULE, NOW_MS + 1)
    assert not Messages().warning(decision)


@pytest.mark.parametrize("status", [status for status in STATUSES if status not in ("CONFIGURATION", "WAITING_FOR_START")])
@pytest.mark.parametrize("asked", [pytest.param(name, id=words) for name, (words, _) in ASKED.items()])
def test_nobody_is_warned_of_a_late_start_where_none_happens(status: str, asked: str) -> None:
    assert not Messages().warning(made(status, ASKED[asked][1]))


@pytest.mark.parametrize("asked", [pytest.param(name, id=words) for name, (words, _) in ASKED.items() if name not in NOT_STARTED])
@pytest.mark.parametrize("status", ENDED)
@pytest.mark.parametrize(
    "record",
    [
        pytest.param(
            JobRecord(accepted_at=NOW - 1, request=Request(Action.SCHEDULE, TOMORROW)), id="whose schedule was accepted"
        ),
        pytest.param(JobRecord(scheduled_for=TOMORROW), id="that was seen scheduled"),
        pytest.param(JobRecord(scheduled_for=YESTERDAY, ended_unstarted=True), id="that was over before its time came"),
    ],
)
def test_a_schedule_cancelled_before_its_time_is_a_failure(record: JobRecord, status: str, asked: str) -> None:
    decision = made(status, ASKED[asked][1], record)

    assert decision.action is Action.FAIL
    assert "its schedule was cancelled" in Messages().why(decision.why)


# -- what jobs shall be, and have been -----------------------------------------------------------------------------

PAUSED_BY_US = [
    pytest.param(JobRecord(paused_here=True), id="it was paused by this resource"),
    pytest.param(JobRecord(request=Request(Action.PAUSE), accepted_at=NOW - 60), id="DRS accepted our pause a minute ago"),
    pytest.param(JobRecord(request=Request(Action.PAUSE), lost_at=NOW - 60), id="the answer to our pause was lost a minute ago"),
]


@pytest.mark.parametrize("record", PAUSED_BY_US)
def test_a_pause_of_ours_is_undone_when_the_job_is_declared_started(record: JobRecord) -> None:
    assert made("PAUSING", DesiredJob("a"), record).request == Request(Action.RESUME)


@pytest.mark.parametrize("record", PAUSED_BY_US)
def test_it_is_still_ours_after_the_call_that_undoes_it_was_lost(record: JobRecord) -> None:
    lost = replace(record.about(Request(Action.RESUME)), request=Request(Action.RESUME), lost_at=NOW - 300)

    assert made("PAUSING", DesiredJob("a"), lost).request == Request(Action.RESUME)


@pytest.mark.parametrize(
    "record",
    [JobRecord(), JobRecord(was_started=True), JobRecord(request=Request(Action.PAUSE), accepted_at=NOW - 86_400)],
    ids=["nothing is known", "it was seen running", "our pause was accepted yesterday, and never seen"],
)
def test_a_pause_of_somebody_else_is_left(record: JobRecord) -> None:
    assert made("PAUSING", DesiredJob("a"), record).action is Action.NOTHING


@pytest.mark.parametrize("status", ENDED)
@pytest.mark.parametrize(
    "record", [JobRecord(was_started=True, stopped_here=True), JobRecord(request=Request(Action.STOP), accepted_at=NOW - 60)]
)
def test_a_job_that_we_stopped_can_not_be_declared_started_again(status: str, record: JobRecord) -> None:
    decision = made(status, DesiredJob("a"), record)

    assert decision.action is Action.FAIL
    assert "was stopped for good" in Messages().why(decision.why)


@pytest.mark.parametrize("target", [DesiredState.PAUSED, DesiredState.STOPPED])
def test_a_job_that_is_not_shown_is_done_only_if_it_was_seen_over_or_drs_says_that_it_is_deleted(target: DesiredState) -> None:
    desired = DesiredJob("a", state=target)

    def unseen(code: str | None, record: JobRecord) -> Decision:
        return decide(Case(desired, ActualJob("a", "MISSING", code), record, Goal.RUNNING, NOW))

    for code in (None, "DRS.M05003", "DRS.M00289"):
        decision = unseen(code, JobRecord(was_started=True))
        assert decision.action is Action.FAIL
        assert "not known to DRS" in Messages().why(decision.why)
    assert unseen("DRS.M05004", JobRecord()).is_fulfilled
    assert unseen(None, JobRecord(was_ended=True)).is_fulfilled


@pytest.mark.parametrize("status", ["CONFIGURATION", "CREATING", "START_JOB_FAILED"])
def test_a_job_that_was_started_a_moment_ago_is_paused_once_it_runs(status: str) -> None:
    record = JobRecord(request=Request(Action.START), accepted_at=NOW - 5)

    assert made(status, DesiredJob("a", state=DesiredState.PAUSED), record).action is Action.WAIT


def test_a_time_that_is_past_is_called_so_for_a_scheduled_job_too() -> None:
    actual = ActualJob("a", "WAITING_FOR_START", start_time=TOMORROW)
    decision = decide(Case(DesiredJob("a", YESTERDAY), actual, JobRecord(), Goal.RUNNING, NOW))

    assert decision.request == Request(Action.START)
    assert "declared to start at 2027-01-14T08:00:00Z, which is past, so it starts now" in Messages().warning(decision)


# -- copies that have to catch up ----------------------------------------------------------------------------------

STARTS = [pytest.param(name, id=words) for name, (words, _) in ASKED.items() if name not in NOT_STARTED]
SYNCED = JobRecord(was_started=True, is_synced=True)
# What else is decided where a copy has to catch up. A job in whose phase nothing happens by itself can't be waited for.
INSTEAD = {"fine": "wait", "told": "fail"}


@pytest.mark.parametrize(
    ("status", "asked", "verdict"),
    [pytest.param(*cell, id=f"{cell[0]}, {ASKED[cell[1]][0]}, and to catch up") for cell in CELLS],
)
def test_decision_where_the_copy_has_to_catch_up(status: str, asked: str, verdict: str) -> None:
    if asked not in NOT_STARTED:
        verdict = "told" if (status, verdict) == ("WAITING_FOR_START", "fine") else INSTEAD.get(verdict, verdict)
    _, action, is_fulfilled, request = VERDICTS[verdict]

    decision = made(status, ASKED[asked][1], goal=Goal.SYNCED)

    assert (decision.action, decision.is_fulfilled, decision.request) == (action, is_fulfilled, request)
    assert decision.why.awaits_sync is (asked not in NOT_STARTED)


@pytest.mark.parametrize("asked", STARTS)
@pytest.mark.parametrize("status", STATUSES)
def test_a_preview_acts_where_a_copy_is_to_be_waited_for(status: str, asked: str) -> None:
    plan = make_plan([Case(ASKED[asked][1], ActualJob("a", status), JobRecord(was_started=True), Goal.SYNCED, NOW)])
    decision = plan.decisions["a"]

    assert plan.would_act is (decision.action.is_request or decision.action is Action.WAIT)
    assert ("which is not synced yet" in Messages().plan(plan)) is (decision.why.reason is Reason.CATCHING_UP)


@pytest.mark.parametrize("status", ENDED)
@pytest.mark.parametrize(
    ("record", "copy", "verdict"),
    [
        pytest.param(JobRecord(was_started=True), None, "wait", id="its copy is still to be read"),
        pytest.param(JobRecord(was_started=True), CopyProgress(50, None, True), "fail", id="its copy was not complete"),
        pytest.param(JobRecord(was_started=True), CopyProgress(), "fail", id="DRS does not tell"),
        pytest.param(JobRecord(was_started=True, ended_unsynced=True), None, "fail", id="that was so the last time"),
        pytest.param(SYNCED, None, "fine", id="it had caught up before"),
        pytest.param(JobRecord(was_started=True, stopped_here=True), None, "fail", id="we stopped it"),
        pytest.param(JobRecord(), CopyProgress(100, None, True), "fail", id="nobody saw it started"),
    ],
)
def test_a_job_that_is_over_and_had_to_catch_up(record: JobRecord, copy: CopyProgress | None, verdict: str, status: str) -> None:
    _, action, is_fulfilled, _ = VERDICTS[verdict]

    decision = decide(Case(DesiredJob("a"), ActualJob("a", status, copy=copy), record, Goal.SYNCED, NOW))

    assert (decision.action, decision.is_fulfilled) == (action, is_fulfilled)
