"""
What must never be decided, whatever is asked, records and read, at any time.

`test_properties` has the same of plain jobs; here every input takes part.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, event, example, given
from hypothesis import strategies as st

from pulumi_drs_start.drs.calls.models import CopyProgress, Finding
from pulumi_drs_start.drs.errors import OutOfTimeError
from pulumi_drs_start.reconcile.actual import ActualJob, Obstacle, Pairing
from pulumi_drs_start.reconcile.declared import DesiredJob, DesiredState, Goal
from pulumi_drs_start.reconcile.outcome import outcome_of
from pulumi_drs_start.reconcile.phase import _PHASES, STARTED_PHASES, Phase, phase_of
from pulumi_drs_start.reconcile.plan import Case, Decision, Reason, decide, make_cases, make_plan
from pulumi_drs_start.reconcile.record import Action, JobRecord, Precheck, Refusal, Request
from pulumi_drs_start.schema.messages import Messages

NOW = 1_800_000_000.0
STATUSES = [*_PHASES, "FULL_TRANSFER_STARTED", "FULL_TRANSFER_COMPLETE", "INCRE_TRANSFER_STARTED", "A_STATUS_OF_NEXT_YEAR"]
STARTED_STATUSES = [status for status in STATUSES if phase_of(status) in STARTED_PHASES]
# What no start leads out of again: "an ended task is never started again" (user manual, FAQ).
OVER_STATUSES = [status for status in STATUSES if phase_of(status) in (Phase.ENDED, Phase.DEAD, Phase.MISSING)]
RESUMABLE = {Phase.PAUSED, Phase.FAILED, Phase.START_FAILED}

# Times around now, so that they meet; and any that a program may declare.
moments = st.integers(-3600, 3600).map(lambda seconds: NOW + seconds)
start_times = st.integers(-3600, 3600).map(lambda seconds: round(NOW + seconds) * 1000)
declared = st.none() | start_times | st.integers(100_000_000_000, 99_999_999_999_999)
statuses = st.sampled_from(STATUSES) | st.text(max_size=20)
texts = st.sampled_from(["", "Busy.", "Not allowed."])
refusals = st.builds(Refusal, st.sampled_from([None, "DRS.M00304", "DRS.M01504", "DRS.M00103"]), texts, st.booleans())
requests = st.one_of(
    st.sampled_from([Request(action) for action in Action if action.is_request and action is not Action.SCHEDULE]),
    st.builds(Request, st.just(Action.SCHEDULE), start_times),
)
findings = st.lists(st.builds(Finding, texts, texts), max_size=2)
prechecks = st.builds(Precheck, st.none() | st.just("p"), st.booleans(), st.booleans(), findings, findings)
pairings = st.builds(
    Pairing,
    is_parent=st.booleans(),
    children=st.lists(texts, max_size=2).map(tuple),
    forward=st.none() | st.just("b"),
    obstacle=st.none() | st.builds(Obstacle, st.just("b"), texts),
    is_alone=st.booleans(),
    unknown_delays=st.sampled_from([(), ("RPO",), ("RPO", "RTO")]),
)
records = st.builds(
    JobRecord,
    accepted_at=st.none() | moments,
    accepted_now=st.booleans(),
    lost_at=st.none() | moments,
    refused_at=st.none() | moments,
    refusal=st.none() | refusals,
    sends=st.integers(0, 6),
    retry_at=st.just(float("-inf")) | moments,
    was_started=st.booleans(),
    request=requests,
    took_effect=st.booleans(),
    precheck=st.none() | prechecks,
    scheduled_for=st.none() | start_times,
    ended_unstarted=st.booleans(),
    was_ended=st.booleans(),
    paused_here=st.booleans(),
    stopped_here=st.booleans(),
    is_synced=st.booleans(),
    ended_unsynced=st.booleans(),
)
copies = st.builds(CopyProgress, st.none() | st.floats(0, 100), st.none() | st.floats(0, 1e6), st.none() | st.booleans())
jobs = st.builds(DesiredJob, st.just("a"), declared, st.booleans(), st.booleans(), st.sampled_from(DesiredState))
goals = st.sampled_from(Goal)


def actuals(words: st.SearchStrategy[str] = statuses) -> st.SearchStrategy[ActualJob]:
    return st.builds(
        ActualJob, st.just("a"), words, start_time=st.none() | start_times, copy=st.none() | copies, pairing=st.none() | pairings
    )


def made(desired: DesiredJob, actual: ActualJob, record: JobRecord, goal: Goal = Goal.RUNNING, now: float = NOW) -> Decision:
    return decide(Case(desired, actual, record, goal, now))


@given(jobs, actuals(), records, goals, moments)
def test_a_decision_is_always_possible_and_has_a_reason(
    desired: DesiredJob, actual: ActualJob, record: JobRecord, goal: Goal, now: float
) -> None:
    decision = made(desired, actual, record, goal, now)

    assert Messages().why(decision.why)
    assert decision.phase is phase_of(actual.status)


@given(jobs, actuals(), records, goals)
def test_an_operation_that_ran_out_of_time_has_an_outcome_for_any_job_and_no_failure_without_a_message(
    desired: DesiredJob, actual: ActualJob, record: JobRecord, goal: Goal
) -> None:
    ended_by = OutOfTimeError("the time limit was reached")

    outcome = outcome_of(Case(desired, actual, record, goal, NOW), ended_by)

    assert outcome.outcome != "failed" or outcome.problem is not None
    assert not (outcome.outcome == "failed" and outcome.is_fulfilled)
    assert not (outcome.record.is_unfinished and outcome.is_fulfilled)


# -- what each call is for -----------------------------------------------------------------------------------------


@given(jobs, actuals(), records, goals)
def test_a_call_is_made_only_for_whom_it_is_for(desired: DesiredJob, actual: ActualJob, record: JobRecord, goal: Goal) -> None:
    decision = made(desired, actual, record, goal)
    event(decision.action.value)
    is_ours = record.paused_here or Case(desired, actual, record, goal, NOW).was_asked_lately(Action.PAUSE)

    allowed = {
        Action.START: desired.state is DesiredState.STARTED and actual.status in ("CONFIGURATION", "WAITING_FOR_START"),
        Action.SCHEDULE: desired.state is DesiredState.STARTED and actual.status in ("CONFIGURATION", "WAITING_FOR_START"),
        Action.PRECHECK: desired.state is DesiredState.STARTED and desired.precheck and actual.status == "CONFIGURATION",
        Action.RESUME: desired.state is DesiredState.STARTED
        and (phase_of(actual.status) in RESUMABLE if desired.resume else phase_of(actual.status) is Phase.PAUSED and is_ours),
        Action.PAUSE: desired.state is DesiredState.PAUSED,
        Action.STOP: desired.state is DesiredState.STOPPED,
    }
    assert allowed.get(decision.action, True)


@given(jobs, actuals(), records, goals)
def test_a_request_goes_with_a_call_and_with_nothing_else(
    desired: DesiredJob, actual: ActualJob, record: JobRecord, goal: Goal
) -> None:
    decision = made(desired, actual, record, goal)

    if not decision.action.is_request:
        assert decision.request is None
        return
    assert decision.request == Request(decision.action, desired.start_time if decision.action is Action.SCHEDULE else None)
    assert not decision.is_fulfilled


@given(jobs, actuals(st.sampled_from([s for s in STATUSES if s not in ("CONFIGURATION", "WAITING_FOR_START")])), records, moments)
def test_a_job_that_left_configuration_is_never_started_whatever_the_declared_time(
    desired: DesiredJob, actual: ActualJob, record: JobRecord, now: float
) -> None:
    decision = made(desired, actual, record, now=now)

    assert not decision.action.is_start
    assert decision.action is not Action.PRECHECK


@given(jobs, declared, st.sampled_from(STARTED_STATUSES), records, goals)
def test_once_a_job_has_started_its_declared_time_no_longer_matters(
    desired: DesiredJob, other_time: int | None, status: str, record: JobRecord, goal: Goal
) -> None:
    """But for the advice that goes with a failure; there is none in these statuses."""
    actual = ActualJob("a", status)

    assert made(desired, actual, record, goal) == made(replace(desired, start_time=other_time), actual, record, goal)


@given(start_times, actuals(st.just("WAITING_FOR_START")), records, goals)
def test_a_job_scheduled_for_the_declared_time_is_left_alone_until_then(
    start_time: int, actual: ActualJob, record: JobRecord, goal: Goal
) -> None:
    before = start_time / 1000 - 1

    decision = made(DesiredJob("a", start_time), replace(actual, start_time=start_time), record, goal, before)

    # With its copy to catch up it is waited for once it has started: until then it is not what was declared.
    assert (decision.action, decision.is_fulfilled) == (Action.NOTHING, goal is not Goal.SYNCED)


@given(jobs, actuals(st.sampled_from(OVER_STATUSES)), records, goals)
def test_nothing_is_asked_of_a_job_that_is_over_or_was_never_there(
    desired: DesiredJob, actual: ActualJob, record: JobRecord, goal: Goal
) -> None:
    assert not made(desired, actual, record, goal).action.is_request


# -- what was asked before -----------------------------------------------------------------------------------------


@given(declared, st.booleans(), actuals(st.just("CONFIGURATION")), records, st.floats(0, 899.9), st.booleans())
def test_an_accepted_start_is_not_asked_again_whatever_time_was_declared_since(
    start_time: int | None, precheck: bool, actual: ActualJob, record: JobRecord, seconds: float, is_now: bool
) -> None:
    record = replace(record, request=Request(Action.START), accepted_at=NOW - seconds, accepted_now=is_now)

    decision = made(DesiredJob("a", start_time, precheck=precheck), actual, record)

    assert not decision.action.is_request


@given(start_times, actuals(st.just("CONFIGURATION")), records, moments)
def test_an_accepted_schedule_is_not_asked_again_although_its_time_has_come(
    start_time: int, actual: ActualJob, record: JobRecord, now: float
) -> None:
    record = replace(record, request=Request(Action.SCHEDULE, start_time), accepted_at=now - 1)

    assert not made(DesiredJob("a", start_time), actual, record, now=now).action.is_request


@given(jobs, actuals(), records, st.floats(0, 119.9))
def test_nothing_is_asked_twice_while_an_answer_may_only_be_lost(
    desired: DesiredJob, actual: ActualJob, record: JobRecord, seconds: float
) -> None:
    wanted = made(desired, actual, JobRecord(precheck=record.precheck)).request
    assume(wanted is not None)
    assert wanted is not None

    assert not made(desired, actual, replace(record, request=wanted, lost_at=NOW - seconds)).action.is_request


@given(jobs, jobs, actuals(), records, st.floats(0, 119.9))
@example(DesiredJob("a", 1_800_000_600_000), DesiredJob("a"), ActualJob("a", "CONFIGURATION"), JobRecord(), 1.0)
def test_a_start_that_may_have_happened_is_not_asked_again_for_another_time(
    desired: DesiredJob, before: DesiredJob, actual: ActualJob, record: JobRecord, seconds: float
) -> None:
    lost = replace(record, request=before.start_request(NOW - seconds), lost_at=NOW - seconds)

    assert not made(desired, actual, lost).action.is_start


@given(jobs, actuals(), records, st.integers(1, 4), st.floats(0, 0.99))
def test_nothing_is_asked_again_at_once_after_a_refusal(
    desired: DesiredJob, actual: ActualJob, record: JobRecord, sends: int, part: float
) -> None:
    wanted = made(desired, actual, JobRecord(precheck=record.precheck)).request
    assume(wanted is not None)
    assert wanted is not None
    refused_at = NOW - part * 20 * 2 ** (sends - 1)

    assert not made(desired, actual, replace(record, request=wanted, refused_at=refused_at, sends=sends)).action.is_request


@given(jobs, actuals(), records, st.floats(0.1, 1e6))
def test_nothing_is_asked_again_before_it_may_be(
    desired: DesiredJob, actual: ActualJob, record: JobRecord, seconds: float
) -> None:
    wanted = made(desired, actual, JobRecord(precheck=record.precheck)).request
    assume(wanted is not None)
    assert wanted is not None

    assert not made(desired, actual, replace(record, request=wanted, retry_at=NOW + seconds)).action.is_request


@given(jobs, actuals(), records, goals)
def test_a_final_refusal_is_never_asked_again(desired: DesiredJob, actual: ActualJob, record: JobRecord, goal: Goal) -> None:
    wanted = made(desired, actual, JobRecord(precheck=record.precheck)).request
    assume(wanted is not None)
    assert wanted is not None
    refused = replace(record, request=wanted, refusal=Refusal("DRS.M00103", "No.", is_final=True))

    assert not made(desired, actual, refused, goal).action.is_request


@given(jobs, actuals(), records, goals)
def test_everything_is_asked_a_bounded_number_of_times(
    desired: DesiredJob, actual: ActualJob, record: JobRecord, goal: Goal
) -> None:
    wanted = made(desired, actual, JobRecord(precheck=record.precheck)).request
    assume(wanted is not None)

    assert not made(desired, actual, replace(record, request=wanted or Request(), sends=5), goal).action.is_request


# -- copies that have to catch up ----------------------------------------------------------------------------------


@given(jobs, actuals(), records)
def test_a_job_is_where_it_should_be_only_if_its_copy_has_caught_up(
    desired: DesiredJob, actual: ActualJob, record: JobRecord
) -> None:
    """However its copy is now: one reading tells nothing."""
    decision = made(desired, actual, record, Goal.SYNCED)

    assert not decision.is_fulfilled or record.is_synced or desired.state is not DesiredState.STARTED


@given(jobs, actuals(), records)
def test_drs_is_asked_for_the_same_whether_or_not_copies_have_to_catch_up(
    desired: DesiredJob, actual: ActualJob, record: JobRecord
) -> None:
    assert made(desired, actual, record, Goal.SYNCED).request == made(desired, actual, record).request


@given(jobs, actuals(), records)
def test_once_its_copy_has_caught_up_a_job_is_decided_about_as_any_other(
    desired: DesiredJob, actual: ActualJob, record: JobRecord
) -> None:
    record = replace(record, is_synced=True)
    synced, running = made(desired, actual, record, Goal.SYNCED), made(desired, actual, record)

    assert synced == running or (running.why.reason, synced.why.reason) == (Reason.SCHEDULED, Reason.NOT_DUE)


@given(jobs, actuals(st.sampled_from([status for status in STATUSES if phase_of(status) is Phase.RUNNING])), records)
def test_a_job_whose_copy_has_not_caught_up_is_waited_for_while_it_runs(
    desired: DesiredJob, actual: ActualJob, record: JobRecord
) -> None:
    decision = made(replace(desired, state=DesiredState.STARTED), actual, replace(record, is_synced=False), Goal.SYNCED)

    assert (decision.action, decision.why.reason, decision.is_underway) == (Action.WAIT, Reason.CATCHING_UP, True)


@given(jobs, actuals(), records, st.sampled_from([Phase.PENDING, Phase.STARTABLE, Phase.SCHEDULED, Phase.STARTING]))
def test_a_job_that_begins_anew_has_not_caught_up(
    desired: DesiredJob, actual: ActualJob, record: JobRecord, phase: Phase
) -> None:
    status = next(status for status in STATUSES if phase_of(status) is phase)
    (case,) = make_cases([desired], {"a": replace(actual, status=status)}, {"a": record}, Goal.SYNCED, NOW)

    assert case.record == replace(record, is_synced=False)


# -- what is said --------------------------------------------------------------------------------------------------


@given(jobs, actuals(), records)
def test_what_fulfils_the_larger_goal_fulfils_the_smaller_one(desired: DesiredJob, actual: ActualJob, record: JobRecord) -> None:
    synced, running, accepted = (made(desired, actual, record, goal) for goal in (Goal.SYNCED, Goal.RUNNING, Goal.ACCEPTED))

    assert running.is_fulfilled or not synced.is_fulfilled
    assert accepted.is_fulfilled or not running.is_fulfilled


@given(jobs, actuals(), records, goals)
def test_nothing_is_left_to_do_for_a_job_that_is_where_it_should_be(
    desired: DesiredJob, actual: ActualJob, record: JobRecord, goal: Goal
) -> None:
    decision = made(desired, actual, record, goal)

    assert not decision.is_fulfilled or decision.action is Action.NOTHING


@given(jobs, actuals(), records, goals)
def test_a_plan_acts_exactly_when_something_is_left_to_do(
    desired: DesiredJob, actual: ActualJob, record: JobRecord, goal: Goal
) -> None:
    plan = make_plan(make_cases([desired], {"a": actual}, {"a": record}, goal, NOW))
    decision = plan.decisions["a"]

    is_waiting_for_us = decision.action is Action.WAIT and not decision.is_underway
    is_waiting_for_copy = decision.action is Action.WAIT and decision.why.awaits_sync
    assert plan.would_act is (decision.request is not None or is_waiting_for_us or is_waiting_for_copy)
    assert decision.why.state is desired.state
    assert set(plan.jobs(Action.FAIL)) == ({"a"} if decision.action is Action.FAIL else set())


@pytest.mark.parametrize("status", [pytest.param(status, id=f"{status} never ends a run in a call") for status in STATUSES])
def test_a_stack_at_rest_stays_at_rest(status: str) -> None:
    """What is where it was asked to be, or was told to be left so, is no reason to act, on the next day either."""
    for desired in (DesiredJob("a"), DesiredJob("a", 1_800_090_000_000), DesiredJob("a", precheck=True)):
        first = made(desired, ActualJob("a", status), JobRecord(was_started=True))
        if first.action is Action.NOTHING:
            later = made(desired, ActualJob("a", status), JobRecord(was_started=True), now=NOW + 86_000)
            assert later == first
