"""What must hold for any status, any record, any time."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from pulumi_drs_start.drs.calls.models import MISSING_STATUS
from pulumi_drs_start.reconcile.actual import ActualJob
from pulumi_drs_start.reconcile.declared import DesiredJob, Goal
from pulumi_drs_start.reconcile.phase import Phase
from pulumi_drs_start.reconcile.plan import Case, Reason, decide, make_cases, make_plan
from pulumi_drs_start.reconcile.record import Action, GracePeriods, JobRecord, Refusal

KNOWN = [
    *("CREATING", "CREATE_FAILED", "CONFIGURATION", "WAITING_FOR_START", "STARTJOBING", "START_JOB_FAILED", "PAUSING"),
    *("FULL_TRANSFER_STARTED", "FULL_TRANSFER_FAILED", "INCRE_TRANSFER_STARTED", "RELEASE_RESOURCE_COMPLETE", MISSING_STATUS),
]
seconds = st.floats(0, 4e9)
statuses = st.sampled_from(KNOWN) | st.text(max_size=40)
refusals = st.builds(Refusal, st.none() | st.just("DRS.M00304"), st.text(max_size=20), st.booleans())
records = st.builds(
    JobRecord,
    accepted_at=st.none() | seconds,
    accepted_now=st.booleans(),
    lost_at=st.none() | seconds,
    refused_at=st.none() | seconds,
    refusal=st.none() | refusals,
    sends=st.integers(0, 10),
    retry_at=seconds,
    was_started=st.booleans(),
    is_synced=st.booleans(),
)
goals = st.sampled_from(Goal)
patiences = st.builds(GracePeriods, seconds, seconds, st.integers(1, 10))


@given(statuses, records, goals, patiences, seconds)
def test_only_a_job_that_shows_no_start_is_started(
    status: str, record: JobRecord, goal: Goal, grace: GracePeriods, now: float
) -> None:
    decision = decide(Case(DesiredJob("a"), ActualJob("a", status), record, goal, now, grace))
    assert decision.action is not Action.START or status in ("CONFIGURATION", "WAITING_FOR_START")


@given(statuses, records, goals, patiences, st.floats(0, 1e9))
def test_a_job_accepted_by_this_operation_is_not_started_again_however_long_it_lags(
    status: str, record: JobRecord, goal: Goal, grace: GracePeriods, later: float
) -> None:
    accepted = replace(record, accepted_at=1e6, accepted_now=True)
    assert decide(Case(DesiredJob("a"), ActualJob("a", status), accepted, goal, 1e6 + later, grace)).action is not Action.START


@given(statuses, records, goals, patiences, seconds)
def test_a_job_accepted_lately_by_an_earlier_operation_is_not_started_again(
    status: str, record: JobRecord, goal: Goal, grace: GracePeriods, now: float
) -> None:
    accepted = replace(record, accepted_at=now - grace.lag_seconds / 2, accepted_now=False)
    grace = replace(grace, lag_seconds=grace.lag_seconds + 1)
    assert decide(Case(DesiredJob("a"), ActualJob("a", status), accepted, goal, now, grace)).action is not Action.START


@given(statuses, records, goals, patiences, st.floats(0, 0.99))
def test_a_job_whose_answer_was_lost_is_not_started_again_before_that_is_settled(
    status: str, record: JobRecord, goal: Goal, grace: GracePeriods, part: float
) -> None:
    lost = replace(record, lost_at=1e6)
    grace = replace(grace, lost_seconds=min(grace.lost_seconds, 1e6) + 1)
    now = 1e6 + part * grace.lost_seconds
    assert decide(Case(DesiredJob("a"), ActualJob("a", status), lost, goal, now, grace)).action is not Action.START


@given(statuses, records, st.text(max_size=5), goals, patiences, seconds)
def test_a_final_refusal_is_never_sent_again(
    status: str, record: JobRecord, text: str, goal: Goal, grace: GracePeriods, now: float
) -> None:
    refused = replace(record, refusal=Refusal("DRS.M00304", text, is_final=True))
    assert decide(Case(DesiredJob("a"), ActualJob("a", status), refused, goal, now, grace)).action is not Action.START


@given(statuses, records, goals, patiences, seconds)
@example("CONFIGURATION", JobRecord(accepted_at=0.0, sends=9), Goal.RUNNING, GracePeriods(), 1e9)
def test_a_job_is_sent_a_bounded_number_of_times(
    status: str, record: JobRecord, goal: Goal, grace: GracePeriods, now: float
) -> None:
    record = replace(record, sends=max(record.sends, grace.sends))
    assert decide(Case(DesiredJob("a"), ActualJob("a", status), record, goal, now, grace)).action is not Action.START


@given(statuses, records, goals, patiences, seconds)
def test_nothing_is_done_or_awaited_for_a_job_that_is_where_it_should_be(
    status: str, record: JobRecord, goal: Goal, grace: GracePeriods, now: float
) -> None:
    decision = decide(Case(DesiredJob("a"), ActualJob("a", status), record, goal, now, grace))
    assert not decision.is_fulfilled or decision.action is Action.NOTHING


@given(statuses, records, patiences, seconds)
def test_a_job_that_runs_was_accepted_too(status: str, record: JobRecord, grace: GracePeriods, now: float) -> None:
    """What fulfils the larger goal fulfils the smaller one."""
    running, accepted = (
        decide(Case(DesiredJob("a"), ActualJob("a", status), record, goal, now, grace)) for goal in (Goal.RUNNING, Goal.ACCEPTED)
    )
    assert accepted.is_fulfilled or not running.is_fulfilled


@given(records, goals, patiences, seconds)
def test_a_job_that_waits_for_a_time_is_decided_once_it_has_come(
    record: JobRecord, goal: Goal, grace: GracePeriods, now: float
) -> None:
    """Waiting for a job that shows no start ends by itself, unless DRS took the start."""
    record = replace(record, accepted_now=False)
    actual = ActualJob("a", "CONFIGURATION")
    decision = decide(Case(DesiredJob("a"), actual, record, goal, now, grace))
    much_later = 1e10 + grace.lag_seconds + grace.settle_seconds
    assert (
        decision.action is not Action.WAIT
        or decide(Case(DesiredJob("a"), actual, record, goal, much_later, grace)).action is not Action.WAIT
    )


@given(st.dictionaries(st.text(min_size=1, max_size=5), st.tuples(statuses, records), max_size=20), goals, seconds, st.data())
def test_a_plan_decides_about_every_job_exactly_once(
    jobs: dict[str, tuple[str, JobRecord]], goal: Goal, now: float, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(list(jobs)))
    plan = make_plan(
        make_cases(
            [DesiredJob(job_id) for job_id in order],
            {job_id: ActualJob(job_id, status) for job_id, (status, _) in jobs.items()},
            {job_id: record for job_id, (_, record) in jobs.items()},
            goal,
            now,
        )
    )
    decided = [job_id for action in Action for job_id in plan.jobs(action)]
    assert sorted(decided) == sorted(jobs)


@given(st.dictionaries(st.text(min_size=1, max_size=5), st.tuples(statuses, records), max_size=20), goals, seconds, st.randoms())
def test_the_order_of_jobs_changes_no_decision(
    jobs: dict[str, tuple[str, JobRecord]], goal: Goal, now: float, chance: random.Random
) -> None:
    actual = {job_id: ActualJob(job_id, status) for job_id, (status, _) in jobs.items()}
    known = {job_id: record for job_id, (_, record) in jobs.items()}
    shuffled = list(jobs)
    chance.shuffle(shuffled)
    plans = [make_plan(make_cases([DesiredJob(j) for j in order], actual, known, goal, now)) for order in (list(jobs), shuffled)]
    assert plans[0].decisions == plans[1].decisions


@given(statuses, seconds)
def test_a_job_without_memory_is_like_one_of_which_nothing_is_known(status: str, now: float) -> None:
    actual = {"a": ActualJob("a", status)}
    plans = [make_plan(make_cases([DesiredJob("a")], actual, known, Goal.RUNNING, now)) for known in ({}, {"a": JobRecord()})]
    assert plans[0] == plans[1]


@given(st.text(max_size=40), records, goals, seconds)
def test_a_status_nobody_knows_is_never_a_failure(word: str, record: JobRecord, goal: Goal, now: float) -> None:
    decision = decide(Case(DesiredJob("a"), ActualJob("a", f"NEW_{word}"), record, goal, now))
    assert decision.phase is Phase.RUNNING
    assert decision.is_fulfilled or decision.why.reason is Reason.CATCHING_UP
