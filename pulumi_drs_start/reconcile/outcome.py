"""
What became of each job: the values an operation ends with, and how they follow from what is known at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..drs.calls.models import CopyProgress, Finding
from .actual import ActualJob
from .declared import DesiredState
from .phase import DELETED_STATUS, STARTED_PHASES, Phase
from .plan import Case, Decision, Reason, Why, decide
from .record import NOTHING_KNOWN, Action, JobRecord, Refusal
from .recorded import Recorded

_DONE_NOW = {
    Action.START: "started",
    Action.SCHEDULE: "scheduled",
    Action.RESUME: "resumed",
    Action.PAUSE: "paused",
    Action.STOP: "stopped",
}


OF_COPIES = frozenset({Reason.CATCHING_UP, Reason.OVER_TOO_SOON, Reason.PAUSED, Reason.FAILED, Reason.FAILED_AGAIN})
"""Reasons of jobs that were started: what can't be had is that the copy catches up."""

_NOT_STARTED = Why(Reason.NOT_STARTED)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a job. The first of these that is there tells it.

    Attributes:
        recorded: what an earlier operation said of it, and `recorded_advice` what to do.
        is_failed_again: a job that was resumed still shows its failure; after `seconds`, where that is known.
        refusal: DRS's refusal of the request.
        ended_by: what ended the operation before the job was dealt with.
        said: DRS's text about the job; `code` is its code.
        why: the reason of the last decision.
    """

    why: Why
    status: str
    code: str | None = None
    said: str | None = None
    refusal: Refusal | None = None
    ended_by: Exception | None = None
    is_failed_again: bool = False
    seconds: float | None = None
    recorded: str | None = None
    recorded_advice: str | None = None


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """What an operation did for one job, and how the job stands.

    Attributes:
        status: DRS's word, as last read; `phase` is the phase of it.
        outcome: ``started``, ``scheduled``, ``resumed``, ``paused``, ``stopped``, ``already_started``, ``unchanged`` or
            ``failed``.
        is_fulfilled: the job is what was declared.
        wanted: what it should have become: ``started``, ``scheduled``, ``resumed``, ``paused``, ``stopped``, ``synced``.
        problem: what is wrong with it; None when nothing is.
        why: the reason of the last decision.
        name: what DRS calls it; None where that is not known.
        start_time: of a scheduled job, in milliseconds since the epoch.
        copy: how far its copy is, where that was asked.
        alarms: what its pre-check warned of.
        record: what the next operation needs to know.
    """

    job_id: str
    status: str
    phase: Phase
    outcome: str
    is_fulfilled: bool
    wanted: str = "started"
    problem: Problem | None = None
    why: Why = _NOT_STARTED
    name: str | None = None
    start_time: int | None = None
    copy: CopyProgress | None = None
    alarms: Sequence[Finding] = ()
    record: JobRecord = NOTHING_KNOWN

    @property
    def error_code(self) -> str | None:
        """DRS's code of what is wrong, where it gave one."""
        return self.problem.code if self.problem else None


@dataclass(frozen=True, slots=True)
class Result:
    """How an operation ended: an outcome per job, and what ended it before every job was what was declared, if anything did."""

    jobs: Mapping[str, JobOutcome] = field(default_factory=dict)
    ended_by: Exception | None = None

    @property
    def failed(self) -> list[JobOutcome]:
        """The jobs that could not be brought to their declared state."""
        return [job for job in self.jobs.values() if job.outcome == "failed"]

    @property
    def unfinished(self) -> list[JobOutcome]:
        """The jobs that DRS is at, and that were not seen to arrive before the operation ended."""
        return [job for job in self.jobs.values() if job.record.is_unfinished]


def result_of(cases: Iterable[Case], ended_by: Exception | None = None) -> Result:
    """What became of jobs, from all that is known at the end. See `Result`."""
    return Result({case.desired.job_id: outcome_of(case, ended_by) for case in cases}, ended_by)


def outcome_of(case: Case, ended_by: Exception | None = None) -> JobOutcome:
    """What became of one job. `ended_by` is what ended the operation early, if anything did."""
    record, decision = case.record, decide(case)
    has_failed_again = ended_by is not None and _has_failed_again(record, decision)
    is_failed = decision.action is Action.FAIL or _came_to_nothing(record, decision) or has_failed_again
    is_unfinished = ended_by is not None and not is_failed and decision.action is Action.WAIT
    return JobOutcome(
        job_id=case.actual.job_id,
        status=case.actual.status,
        phase=case.phase,
        outcome="failed" if is_failed else _what_was_done(case),
        is_fulfilled=decision.is_fulfilled,
        wanted=_wanted(case, decision),
        why=decision.why,
        name=case.actual.name,
        problem=_problem(case, decision, ended_by, is_failed=is_failed, has_failed_again=has_failed_again),
        start_time=_start_time(case),
        copy=case.actual.copy,
        alarms=record.precheck.alarms if record.precheck is not None else (),
        record=_next_record(case, is_unfinished=is_unfinished),
    )


def _has_failed_again(record: JobRecord, decision: Decision) -> bool:
    """The operation ended while a job that was resumed had shown nothing but its failure."""
    is_waiting = decision.action is Action.WAIT and decision.phase in (Phase.START_FAILED, Phase.FAILED)
    return is_waiting and record.request.action is Action.RESUME and record.accepted_at is not None


def _came_to_nothing(record: JobRecord, decision: Decision) -> bool:
    """The operation ended while a request was still to be sent, or to be waited for without DRS being at it."""
    if decision.action.is_request:
        return True
    return decision.action is Action.WAIT and not decision.is_underway and record.accepted_at is None


def _what_was_done(case: Case) -> str:
    record = case.record
    is_ours = record.accepted_now or record.lost_at is not None
    shall_start = case.desired.state is DesiredState.STARTED
    if is_ours and shall_start == (not record.request.action.is_end):
        return _DONE_NOW.get(record.request.action, "unchanged")
    is_known = record.was_started or record.accepted_at is not None
    is_news = shall_start and not is_known and case.phase is not Phase.SCHEDULED
    return "already_started" if is_news else "unchanged"


def _wanted(case: Case, decision: Decision) -> str:
    desired = case.desired
    if decision.why.awaits_sync and decision.why.reason in OF_COPIES:
        return "synced"
    if desired.state is not DesiredState.STARTED:
        return str(desired.state.value)
    if desired.resume and case.phase in (Phase.PAUSED, Phase.FAILED, Phase.START_FAILED):
        return "resumed"
    return _DONE_NOW[desired.start_request(case.now).action]


def _problem(
    case: Case, decision: Decision, ended_by: Exception | None, *, is_failed: bool, has_failed_again: bool
) -> Problem | None:
    actual, accepted_at = case.actual, case.record.accepted_at
    problem = Problem(decision.why, actual.status, actual.error_code, actual.error_message)
    if has_failed_again:
        return replace(problem, is_failed_again=True, seconds=None if accepted_at is None else case.now - accepted_at)
    if is_failed and decision.refusal is not None:
        return replace(problem, code=decision.refusal.code, refusal=decision.refusal)
    if is_failed and decision.action is not Action.FAIL and ended_by is not None:
        return replace(problem, code=getattr(ended_by, "code", None), ended_by=ended_by)
    is_fine = decision.is_fulfilled or decision.action is Action.WAIT or decision.why.reason is Reason.NOT_DUE
    return None if is_fine and not problem.said and not problem.code else problem


def _shown_schedule(case: Case) -> int | None:
    """The time of a job that is scheduled: the declared one where DRS does not tell."""
    return case.actual.start_time if case.actual.start_time is not None else case.desired.start_time


def _start_time(case: Case) -> int | None:
    if case.phase is Phase.SCHEDULED:
        return _shown_schedule(case)
    is_accepted = case.phase is Phase.STARTABLE and case.record.accepted_at is not None
    return case.record.request.start_time if is_accepted else None


def _next_record(case: Case, *, is_unfinished: bool) -> JobRecord:
    """What the next operation needs to know: a request that no status has proved yet, and what was seen of the job."""
    record, phase = case.record, case.phase
    is_over, is_missing = phase is Phase.ENDED, phase is Phase.MISSING
    was_started = record.was_started or phase in STARTED_PHASES or (is_over and record.has_run(case.now))
    request = JobRecord() if _is_proven(case) else record
    return JobRecord(
        request=request.request,
        accepted_at=request.accepted_at,
        lost_at=request.lost_at,
        is_unfinished=is_unfinished,
        was_started=was_started,
        scheduled_for=_scheduled_for(case, was_started=was_started),
        ended_unstarted=(is_over and not was_started) or (is_missing and record.ended_unstarted),
        was_ended=case.actual.is_seen_ended or (is_missing and record.was_ended),
        paused_here=_is_paused_here(case),
        stopped_here=_is_stopped_here(case),
        is_synced=record.is_synced,
        ended_unsynced=is_over and not record.is_synced and (_is_copy_told(case.actual) or record.ended_unsynced),
    )


def _is_copy_told(actual: ActualJob) -> bool:
    """Whether DRS told what became of the copy of a job that is over: an answer may lack it once, that on a deleted one will."""
    return actual.copy is not None and (actual.copy.copies_once is not None or actual.status == DELETED_STATUS)


def _is_proven(case: Case) -> bool:
    """Whether the status shows that the last request had its effect."""
    request, phase = case.record.request, case.phase
    if request.action is Action.PAUSE:
        return phase in (Phase.PAUSED, Phase.ENDED)
    if request.action is Action.STOP:
        return phase is Phase.ENDED
    if request.action is Action.RESUME:
        return case.record.took_effect or phase in (Phase.STARTING, Phase.RUNNING, Phase.ENDED)
    if request.action is Action.SCHEDULE and phase is Phase.SCHEDULED:
        return case.actual.start_time == request.start_time
    return phase in STARTED_PHASES or phase in (Phase.ENDED, Phase.START_FAILED)


def _scheduled_for(case: Case, *, was_started: bool) -> int | None:
    """The time of a job that was seen scheduled; kept while nothing shows that it was started, or can be scheduled anew."""
    record = case.record
    if case.phase is Phase.SCHEDULED:
        return _shown_schedule(case)
    if was_started or case.phase is Phase.STARTABLE:
        return None
    if case.phase is Phase.ENDED and record.request.action is Action.SCHEDULE and record.accepted_at is not None:
        return record.request.start_time
    return record.scheduled_for


def _is_paused_here(case: Case) -> bool:
    if case.phase is Phase.PAUSED:
        return case.record.paused_here or case.was_asked_lately(Action.PAUSE)
    return case.phase is Phase.MISSING and case.record.paused_here


def _is_stopped_here(case: Case) -> bool:
    if case.phase is Phase.ENDED and case.desired.state is DesiredState.STOPPED:
        return True
    return case.phase in (Phase.ENDED, Phase.MISSING) and (case.record.stopped_here or case.was_asked_lately(Action.STOP))


_LOST_PHASES = frozenset({Phase.START_FAILED, Phase.ENDED, Phase.DEAD, Phase.MISSING})


def refreshed(recorded: Recorded, result: Result) -> Result:
    """What a refresh may say of the last operation: nothing new, except that a failure is over, or that a job is lost.

    A job that stands as it was declared is no failure any more, nor is one that runs and was to be started, unless its copy has
    to catch up and nobody can wait for that. One that is found
    missing, over without having been started, or failed at its start, is a failure from now on, whatever the last operation
    did for it.
    """
    jobs, unfinished = {}, recorded.unfinished
    for job_id, job in result.jobs.items():
        row = recorded.rows.get(job_id)
        outcome = row.outcome if row else "unchanged"
        shall_run = job.wanted not in ("paused", "stopped")
        is_lost = job.outcome == "failed" and job.phase in _LOST_PHASES
        if is_lost:
            outcome = "failed"
        elif outcome == "failed" != job.outcome and (job.is_fulfilled or (shall_run and job.phase in STARTED_PHASES)):
            outcome = "already_started" if shall_run else "unchanged"
        is_unfinished = job_id in unfinished and not job.is_fulfilled
        problem = job.problem
        if row and outcome == "failed" and not is_lost:
            # A refusal is not in the status, so reading it again does not bring it back.
            said = row.error_message
            problem = Problem(_NOT_STARTED, job.status, row.error_code, recorded=said, recorded_advice=row.advice)
        record = job.record if job.record.is_unfinished == is_unfinished else replace(job.record, is_unfinished=is_unfinished)
        jobs[job_id] = replace(job, outcome=outcome, problem=problem, record=record)
    return Result(jobs)
