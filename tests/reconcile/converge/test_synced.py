"""Copies that have to catch up: what is waited for, what ends the wait, what is remembered, and how many calls it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from pulumi_drs_start.drs.errors import OutOfTimeError, PermissionDeniedError
from pulumi_drs_start.drs.http import budget
from pulumi_drs_start.drs.http.retry import RetryPolicy
from pulumi_drs_start.reconcile.converge import Progress, SyncProgress
from pulumi_drs_start.reconcile.declared import DesiredState, Goal, SyncGoal
from pulumi_drs_start.reconcile.outcome import Result
from pulumi_drs_start.reconcile.plan import Reason
from pulumi_drs_start.reconcile.record import JobRecord
from pulumi_drs_start.sandbox import Sandbox, faults, make_job, make_job_id
from tests.reconcile.converge.conftest import said

START, READ = "batch-starting", "batch-progress"
FOLLOWING = "INCRE_TRANSFER_STARTED"
FULL, COPIED, OVER = "FULL_TRANSFER_STARTED", "FULL_TRANSFER_COMPLETE", "RELEASE_RESOURCE_COMPLETE"
BEHIND, CLOSE = {"seconds": 340}, {"seconds": 0}
ID = make_job_id("a")
RAN = JobRecord(was_started=True)
HOUR = 3600.0


def following(job_id: str, **delay: Any) -> dict[str, Any]:
    """A job whose copy follows its source, so far behind."""
    return make_job(job_id, status=FOLLOWING, delay=delay)


def records(result: Result) -> dict[str, JobRecord]:
    """What the next operation knows."""
    return {job_id: job.record for job_id, job in result.jobs.items()}


class Meanwhile:
    """An `on_progress` that does something once, when the first copy was near its source for so long."""

    def __init__(self, act: Callable[[], None], good_seconds: float = 0) -> None:
        self._act, self._good_seconds, self.told, self._told_before = act, good_seconds, list[Progress](), 0

    def __call__(self, progress: Progress) -> None:
        self.told.append(progress)
        good = [lag.good_seconds for lag in progress.sync.lags if lag.good_seconds is not None] if progress.sync else []
        if not self._told_before and good and max(good) >= self._good_seconds:
            self._told_before = len(self.told)
            self._act()

    @property
    def next_told(self) -> SyncProgress:
        """What was told next after that."""
        sync = self.told[self._told_before].sync
        assert sync is not None
        return sync


@pytest.fixture
def sync(run: Callable[..., Result]) -> Callable[..., Result]:
    """`run` with that goal."""
    return lambda *job_ids, **options: run(*job_ids, **{"goal": Goal.SYNCED, **options})


@pytest.fixture
def timed(sync: Callable[..., Result], now: Callable[[], float]) -> Callable[..., tuple[Result, float]]:
    """The same, and how many seconds it took."""

    def timed_(*job_ids: str, **options: Any) -> tuple[Result, float]:
        begun = now()
        return sync(*job_ids, **options), now() - begun

    return timed_


# -- what is waited for --------------------------------------------------------------------------------------------


def test_a_job_is_started_and_waited_for_until_its_delay_has_been_small_for_long_enough(sandbox: Sandbox, timed: Any) -> None:
    sandbox.add_jobs(make_job("a", task_type="INCR_TRANS", delay={"seconds": 340, "falls": 5}))
    result, seconds = timed("a", timeout=HOUR)
    job = result.jobs["a"]
    assert (job.outcome, job.is_fulfilled, job.record.is_synced) == ("started", True, True)
    # Five to start, 66 until it is ten behind, and 60 in which it stays so.
    assert 131 <= seconds < 200


def test_a_delay_that_rises_in_the_period_begins_it_anew(sandbox: Sandbox, timed: Any) -> None:
    sandbox.add_jobs(following("a", seconds=0, flaps=100, flap_every=40))
    result, _ = timed("a", timeout=1000)
    assert [job.job_id for job in result.unfinished] == ["a"]
    sandbox.set_delay("a", flaps=0)
    assert timed("a", timeout=1000, records=records(result))[0].jobs["a"].is_fulfilled


@pytest.mark.parametrize("silent", ["minus_one", "empty", "text", "null", "absent", "no_row", "failed_row"])
def test_a_copy_that_drs_does_not_tell_of_has_not_caught_up(sandbox: Sandbox, sync: Any, silent: str) -> None:
    sandbox.add_jobs(following("a", silent=silent), following("b"))
    result = sync("a", "b", timeout=300)
    assert [job.job_id for job in result.unfinished] == ["a"]
    assert result.jobs["b"].is_fulfilled
    assert not result.jobs["a"].record.is_synced


def test_silence_in_the_period_begins_it_anew(sandbox: Sandbox, timed: Any) -> None:
    sandbox.add_jobs(following("a"))

    def one_missing_answer() -> None:
        sandbox.inject(faults.missing_rows(READ, times=1))

    result, seconds = timed("a", on_progress=Meanwhile(one_missing_answer, 30))
    assert result.jobs["a"].is_fulfilled
    assert 90 < seconds < 200


def test_one_good_reading_is_enough_where_nothing_has_to_be_stable(sandbox: Sandbox, timed: Any) -> None:
    sandbox.add_jobs(following("a", seconds=7))
    result, seconds = timed("a", sync=SyncGoal(7, 0))
    assert result.jobs["a"].is_fulfilled
    assert seconds < 5
    assert len(sandbox.calls(READ)) == 1


def test_jobs_that_shall_not_run_are_not_waited_for(sandbox: Sandbox, sync: Any) -> None:
    sandbox.add_jobs(following(ID, **BEHIND))
    for state in (DesiredState.PAUSED, DesiredState.STOPPED):
        job = sync(ID, desired={"state": state}).jobs[ID]
        assert (job.is_fulfilled, job.record.is_synced) == (True, False)
    assert sandbox.calls(READ) == []


def test_a_scheduled_job_is_waited_for_by_the_next_operation_once_it_runs(
    sandbox: Sandbox, timed: Any, now: Any, clock: Any
) -> None:
    sandbox.add_jobs(make_job("a", task_type="INCR_TRANS", delay=CLOSE))
    desired = {"start_time": round(now() + HOUR) * 1000}
    first, seconds = timed("a", desired=desired)
    job = first.jobs["a"]
    assert (job.outcome, job.is_fulfilled, job.problem, job.why.reason) == ("scheduled", False, None, Reason.NOT_DUE)
    assert seconds < 10
    again, seconds = timed("a", desired=desired, records=records(first))
    assert (again.jobs["a"].is_fulfilled, again.failed, again.unfinished) == (False, [], [])
    assert seconds < 5
    assert sandbox.calls(READ) == []
    clock.sleep(HOUR + 10)
    last, seconds = timed("a", desired=desired, records=records(again))
    assert last.jobs["a"].is_fulfilled
    assert seconds >= 60
    assert len(sandbox.calls(START)) == 1


# -- what ends the wait --------------------------------------------------------------------------------------------


def test_at_the_time_limit_what_was_reached_is_kept_and_the_next_operation_waits_on(sandbox: Sandbox, timed: Any) -> None:
    sandbox.add_jobs(make_job("a", task_type="INCR_TRANS", delay=CLOSE), following("b", **BEHIND))
    first = timed("a", "b", timeout=300)[0]
    assert isinstance(first.ended_by, OutOfTimeError)
    assert first.failed == []
    assert [(job.job_id, job.wanted, job.copy and job.copy.delay_seconds) for job in first.unfinished] == [("b", "synced", 340)]
    assert first.jobs["a"].record.is_synced
    sandbox.set_delay("a", seconds=1000)
    sandbox.clear_calls()
    assert [job.job_id for job in timed("a", "b", timeout=300, records=records(first))[0].unfinished] == ["b"]
    sandbox.set_delay("b", seconds=0)
    last, seconds = timed("a", "b", records=records(first))
    assert all(job.is_fulfilled for job in last.jobs.values())
    assert seconds >= 60
    assert sandbox.calls(START) == []


@pytest.mark.parametrize("status", ["PAUSING", "INCRE_TRANSFER_FAILED", "FULL_TRANSFER_FAILED"])
def test_a_job_that_fails_or_is_paused_ends_its_own_wait_at_once(sandbox: Sandbox, timed: Any, status: str) -> None:
    sandbox.add_jobs(following("a", **BEHIND), following("b"))
    told = Meanwhile(lambda: sandbox.set_status("a", status))
    result, seconds = timed("a", "b", timeout=HOUR, on_progress=told)
    assert [(job.job_id, job.wanted) for job in result.failed] == [("a", "synced")]
    assert result.jobs["b"].is_fulfilled
    assert seconds < 120
    # It is named at the next poll, while the other is still waited for.
    assert (told.next_told.lost, told.next_told.synced) == ({"a": status}, 0)


def test_a_job_that_is_resumed_is_waited_for_again(sandbox: Sandbox, timed: Any) -> None:
    sandbox.add_jobs(following("a", seconds=340, falls=5))
    pause = Meanwhile(lambda: sandbox.set_status("a", "PAUSING"), 30)
    result, seconds = timed("a", desired={"resume": True}, timeout=HOUR, on_progress=pause)
    assert result.jobs["a"].is_fulfilled
    assert sandbox.job("a")["retries"] == 1
    # Twice until it is near, half of a period, and one.
    assert seconds > 66 + 30 + 66 + 60


def test_a_job_that_was_left_paused_is_waited_for_once_somebody_resumes_it(sandbox: Sandbox, timed: Any) -> None:
    sandbox.add_jobs(make_job("a", status="PAUSING"))
    first = timed("a", records={"a": RAN})[0]
    assert [job.job_id for job in first.failed] == ["a"]
    sandbox.set_status("a", FOLLOWING)
    last, seconds = timed("a", records=records(first))
    assert last.jobs["a"].is_fulfilled
    assert seconds >= 60


def test_a_refusal_for_a_while_is_silence(sandbox: Sandbox, timed: Any) -> None:
    sandbox.add_jobs(following("a"))
    told: list[Progress] = []
    sandbox.inject(faults.server_error(READ, times=12))
    result, seconds = timed("a", timeout=HOUR, on_progress=told.append)
    assert result.jobs["a"].is_fulfilled
    assert seconds >= 60
    assert told[0].sync is not None
    assert "Service abnormal" in told[0].sync.why_silent
    assert told[-1].sync is not None
    assert not told[-1].sync.why_silent


def test_a_refusal_for_good_ends_the_wait_with_its_reason_and_jobs_are_started_all_the_same(sandbox: Sandbox, timed: Any) -> None:
    sandbox.add_jobs(following("a"), make_job(ID))
    sandbox.inject(faults.refuse(READ, "DRS.M00103", times=99))
    result, seconds = timed("a", ID, timeout=HOUR, desired={"precheck": True})
    assert isinstance(result.ended_by, PermissionDeniedError)
    assert [job.job_id for job in result.unfinished] == ["a", ID]
    assert {job.status for job in result.unfinished} == {FOLLOWING, FULL}
    assert result.failed == []
    assert seconds < 60
    assert len(sandbox.calls(READ)) == 1


def test_a_refusal_does_not_matter_to_copies_that_had_caught_up(sandbox: Sandbox, sync: Any) -> None:
    sandbox.add_jobs(following("a"))
    sandbox.inject(faults.refuse(READ, "DRS.M00103", times=99))
    result = sync("a", records={"a": JobRecord(was_started=True, is_synced=True)})
    assert (result.jobs["a"].is_fulfilled, result.failed, result.unfinished) == (True, [], [])


def test_an_operation_that_is_killed_has_neither_forgotten_nor_assumed_anything(sandbox: Sandbox, timed: Any) -> None:
    sandbox.add_jobs(following("a"), following("b"))
    known = {"a": JobRecord(was_started=True, is_synced=True), "b": RAN}

    def die() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        timed("a", "b", records=known, on_progress=Meanwhile(die, 30))
    sandbox.set_delay("a", seconds=340)
    result, seconds = timed("a", "b", records=known)
    assert all(job.is_fulfilled for job in result.jobs.values())
    assert seconds >= 60


# -- reached once is reached ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "is_fulfilled"),
    [(FOLLOWING, True), ("CHANGE_JOB_STARTED", True), (OVER, True), ("PAUSING", False), ("INCRE_TRANSFER_FAILED", False)],
)
def test_what_was_reached_is_no_failure_later(sandbox: Sandbox, timed: Any, status: str, is_fulfilled: bool) -> None:
    sandbox.add_jobs(make_job("a", status=status, delay=BEHIND))
    result, seconds = timed("a", records={"a": JobRecord(was_started=True, is_synced=True)})
    job = result.jobs["a"]
    assert (job.is_fulfilled, job.outcome, job.record.is_synced) == (is_fulfilled, "unchanged", True)
    assert result.unfinished == []
    assert seconds < 5


@pytest.mark.parametrize("goal", Goal)
def test_a_job_that_is_started_anew_has_not_caught_up(sandbox: Sandbox, run: Any, timed: Any, goal: Goal) -> None:
    sandbox.add_jobs(make_job("a", task_type="INCR_TRANS", delay=BEHIND))
    first = run("a", goal=goal, timeout=200, records={"a": JobRecord(was_started=True, is_synced=True)})
    assert (first.jobs["a"].outcome, first.jobs["a"].record.is_synced) == ("started", False)
    sandbox.set_delay("a", seconds=0)
    last, seconds = timed("a", records=records(first))
    assert last.jobs["a"].record.is_synced
    assert seconds >= 60


def test_a_job_seen_in_its_beginning_meanwhile_has_not_caught_up(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a", status="STARTJOBING", then=[{"status": FOLLOWING, "after": 5}], delay=BEHIND))
    result = run("a", records={"a": JobRecord(was_started=True, is_synced=True)})
    assert (result.jobs["a"].is_fulfilled, result.jobs["a"].record.is_synced) == (True, False)


# -- jobs that copy once -------------------------------------------------------------------------------------------


def copying(*then: tuple[str, float]) -> dict[str, Any]:
    """A job that copies once, in its full copy, and what comes then after so many seconds each."""
    steps = [{"status": status, "after": after} for status, after in then]
    return make_job("a", task_type="FULL_TRANS", status=FULL, then=steps, full_seconds=1e6)


@pytest.mark.parametrize("then", [[(COPIED, 30)], [(COPIED, 30), (OVER, 0.1)]], ids=["complete", "complete and over"])
def test_a_copy_that_is_made_once_has_caught_up_when_it_is_complete(sandbox: Sandbox, timed: Any, then: Any) -> None:
    sandbox.add_jobs(copying(*then))
    result, seconds = timed("a", timeout=HOUR)
    assert (result.jobs["a"].is_fulfilled, result.jobs["a"].record.is_synced) == (True, True)
    assert 30 <= seconds < 60


def test_one_that_is_over_before_it_is_complete_fails_at_once_and_that_is_remembered(sandbox: Sandbox, timed: Any) -> None:
    sandbox.add_jobs(copying((OVER, 30)))
    result, seconds = timed("a", timeout=HOUR)
    job = result.jobs["a"]
    assert (job.outcome, job.wanted, job.why.reason) == ("failed", "synced", Reason.OVER_TOO_SOON)
    assert (job.record.is_synced, job.record.ended_unsynced) == (False, True)
    assert said(job)
    assert seconds < 60


def test_one_that_was_completed_between_two_operations_has_caught_up(sandbox: Sandbox, timed: Any, clock: Any) -> None:
    sandbox.add_jobs(copying((COPIED, 100), (OVER, 1)))
    first = timed("a", timeout=50)[0]
    assert [job.job_id for job in first.unfinished] == ["a"]
    clock.sleep(200)
    assert timed("a", records=records(first))[0].jobs["a"].is_fulfilled


def test_one_that_is_over_and_not_told_of_is_asked_about_again(sandbox: Sandbox, timed: Any) -> None:
    sandbox.add_jobs(copying((COPIED, 10), (OVER, 1)))
    first = timed("a", timeout=8)[0]
    sandbox.advance(20)
    sandbox.inject(faults.missing_rows(READ, times=1))
    sandbox.inject(faults.server_error("batch-detail", times=99))
    second = timed("a", records=records(first))[0]
    assert not second.jobs["a"].record.ended_unsynced
    sandbox.clear_faults()
    assert timed("a", records=records(second))[0].jobs["a"].is_fulfilled


# -- who asks pays -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("goal", [Goal.RUNNING, Goal.ACCEPTED])
def test_nobody_else_asks_how_far_copies_are(sandbox: Sandbox, run: Any, goal: Goal) -> None:
    sandbox.add_jobs(make_job("a"), following("b", **BEHIND), make_job("c", status=OVER), copying((COPIED, 1)) | {"id": "d"})
    run("a", "b", "c", "d", goal=goal, records={"c": RAN})
    assert sandbox.calls(READ) == []


FLAPPING = {"seconds": 0, "flaps": 340, "flap_every": 45}
# A call has room for all of them: fewer jobs take no fewer calls, but less time of this test.
WAITS: Mapping[str, Mapping[str, Any]] = {
    "always 340 s behind": {"delays": [BEHIND] * 100},
    "all flapping": {"delays": [FLAPPING] * 100},
    "silent": {"delays": [{"silent": "minus_one"}] * 100},
    "flapping each in its own time": {"delays": [FLAPPING | {"flap_every": 31 + index} for index in range(20)]},
    "flapping fast, and stable for seconds": {"delays": [FLAPPING | {"flap_every": 4}] * 5, "sync": SyncGoal(10, 5)},
    "one starts for hours": {"delays": [FLAPPING] * 5, "more": [make_job("last", status="STARTJOBING", then=[])]},
    "refused for a while": {"delays": [BEHIND] * 5, "fault": faults.server_error(READ, 503, times=100_000)},
}


@pytest.mark.parametrize("wait", WAITS)
def test_a_wait_of_eight_hours_for_a_hundred_jobs_takes_less_than_two_thousand_calls(
    sandbox: Sandbox, make_client: Any, sync: Any, monkeypatch: pytest.MonkeyPatch, wait: str
) -> None:
    monkeypatch.setattr(budget, "SLICE_SECONDS", 60.0)
    case = WAITS[wait]
    jobs = [following(f"job-{index}", **delay) for index, delay in enumerate(case["delays"])] + case.get("more", [])
    ids = [job["id"] for job in jobs]
    sandbox.add_jobs(*jobs)
    if "fault" in case:
        sandbox.inject(case["fault"])
    result = sync(*ids, timeout=8 * HOUR, client=make_client(retry=RetryPolicy()), sync=case.get("sync", SyncGoal()))
    calls = sandbox.calls()
    print(f"\n{len(jobs)} jobs, {wait}: {len(calls)} calls, {sum(call['operation'] == READ for call in calls)} of them {READ}")
    assert len(result.unfinished) == len(jobs)
    assert len(calls) < 2000
