"""
What became of each job: the values an operation ends with, and how they follow from what is known at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..drs.calls.models import JobStatus
from .phase import STARTED_PHASES, Phase
from .plan import Decision, DesiredJob, Goal, Target, decide, is_seen_ended
from .record import NOTHING_KNOWN, Action, GracePeriods, JobRecord, Request

_DONE_NOW = {
    Action.START: "started",
    Action.SCHEDULE: "scheduled",
    Action.RESUME: "resumed",
    Action.PAUSE: "paused",
    Action.STOP: "stopped",
}


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """What an operation did for one job, and where the job stands.

    Attributes:
        job_id: the job.
        status: DRS's word, as last read.
        phase: of that status.
        outcome: ``started``, ``scheduled``, ``resumed``, ``paused``, ``stopped``, ``already_started``, ``unchanged`` or
            ``failed``.
        is_fulfilled: the job is where it was asked to be.
        error_code: DRS's code, when something is wrong with the job.
        error_message: DRS's text or ours, likewise.
        start_time: of a scheduled job, in milliseconds since the epoch.
        request: what was asked of DRS without its showing yet; the next two are about it, in seconds since the epoch.
        accepted_at: when DRS accepted it.
        lost_at: when it was sent and the answer was lost.
        is_unfinished: the operation ended while DRS was still at it.
        alarms: what its pre-check warned of, a sentence each.
        wanted: what it should be: ``started``, ``scheduled``, ``resumed``, ``paused``, ``stopped``.
        was_started: as in `JobRecord`, and so are the next five.
    """

    job_id: str
    status: str
    phase: Phase
    outcome: str
    is_fulfilled: bool
    error_code: str | None = None
    error_message: str | None = None
    start_time: int | None = None
    request: Request | None = None
    accepted_at: float | None = None
    lost_at: float | None = None
    is_unfinished: bool = False
    alarms: Sequence[str] = ()
    wanted: str = "started"
    was_started: bool = False
    scheduled_for: int | None = None
    ended_unstarted: bool = False
    was_ended: bool = False
    paused_here: bool = False
    stopped_here: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """How an operation ended.

    Attributes:
        jobs: one outcome per job.
        ended_by: what ended the operation before every job was where it should be, or None.
    """

    jobs: Mapping[str, JobOutcome]
    ended_by: Exception | None = None

    @property
    def failed(self) -> list[JobOutcome]:
        """The jobs for which what was asked could not be done."""
        return [job for job in self.jobs.values() if job.outcome == "failed"]

    @property
    def unfinished(self) -> list[JobOutcome]:
        """The jobs that DRS is at, but whose arrival was not seen before the operation ended."""
        return [job for job in self.jobs.values() if job.is_unfinished]


def observe(
    desired: Sequence[DesiredJob],
    actual: Mapping[str, JobStatus],
    records: Mapping[str, JobRecord],
    goal: Goal,
    now: float,
    grace: GracePeriods | None = None,
) -> Result:
    """How jobs stand when nothing is done for them. The outcomes are those of an operation that did nothing."""
    return Result(
        {
            job.job_id: outcome_of(
                job, actual[job.job_id], records.get(job.job_id, NOTHING_KNOWN), goal, grace or GracePeriods(), now, None
            )
            for job in desired
        }
    )


def outcome_of(
    desired: DesiredJob,
    actual: JobStatus,
    record: JobRecord,
    goal: Goal,
    grace: GracePeriods,
    now: float,
    ended_by: Exception | None,
) -> JobOutcome:
    """What became of one job, from all that is known at the end."""
    decision = decide(desired, actual, record, goal, grace, now)
    code, message = actual.error_code, actual.error_message
    has_failed_again = ended_by is not None and _has_failed_again(decision, record)
    is_failed = decision.action is Action.FAIL or _came_to_nothing(decision, record) or has_failed_again
    if has_failed_again:
        seconds = f" {now - record.accepted_at:.0f} s" if record.accepted_at is not None else ""
        said = f": {message}" if message else ""
        message = f"it is still in {actual.status}{seconds} after DRS accepted its restart, so it has probably failed again{said}"
    elif is_failed and (refusal := decision.refusal) is not None:
        code, message = refusal.code, f"{refusal.text} {decision.advice}" if decision.advice else refusal.text
    elif is_failed and decision.action is not Action.FAIL and ended_by is not None:
        code, message = getattr(ended_by, "code", None), f"it {decision.reason}, and {getattr(ended_by, 'text', ended_by)}"
    elif is_failed and message and decision.advice:
        message = f"{message.rstrip('.')}. {decision.advice}"
    if not message and not decision.is_fulfilled and decision.action is not Action.WAIT:
        message = f"it {decision.reason}"
    is_proven = _is_proven(record.request, actual, decision.phase, record)
    phase = decision.phase
    is_over = phase is Phase.ENDED
    is_unseen = phase is Phase.MISSING
    was_started = record.was_started or phase in STARTED_PHASES or (is_over and record.has_run(now))
    return JobOutcome(
        job_id=actual.job_id,
        status=actual.status,
        phase=decision.phase,
        outcome="failed" if is_failed else _what_was_done(desired, decision, record),
        is_fulfilled=decision.is_fulfilled,
        error_code=code,
        error_message=message,
        start_time=_schedule(desired, actual, record, decision),
        # Kept until a status proves it, for the next operation.
        request=None if is_proven else record.request,
        accepted_at=None if is_proven else record.accepted_at,
        lost_at=None if is_proven else record.lost_at,
        is_unfinished=ended_by is not None and not is_failed and decision.action is Action.WAIT,
        alarms=_alarms(record),
        wanted=_wanted(desired, decision.phase, now),
        was_started=was_started,
        scheduled_for=_scheduled_for(desired, actual, record, phase, was_started=was_started),
        ended_unstarted=(is_over and not was_started) or (is_unseen and record.ended_unstarted),
        was_ended=is_seen_ended(actual) or (is_unseen and record.was_ended),
        paused_here=_is_paused_here(record, phase, grace, now),
        stopped_here=_is_stopped_here(desired, record, phase, grace, now),
    )


def _has_failed_again(decision: Decision, record: JobRecord) -> bool:
    """The operation ended while a job that was resumed had shown nothing but its failure."""
    is_waiting = decision.action is Action.WAIT and decision.phase in (Phase.START_FAILED, Phase.FAILED)
    return is_waiting and record.request.action is Action.RESUME and record.accepted_at is not None


def _scheduled_for(desired: DesiredJob, actual: JobStatus, record: JobRecord, phase: Phase, *, was_started: bool) -> int | None:
    """The time of a job that was seen scheduled; kept while nothing shows that it was started, or can be scheduled anew."""
    if phase is Phase.SCHEDULED:
        return actual.start_time if actual.start_time is not None else desired.start_time
    if was_started or phase is Phase.STARTABLE:
        return None
    if phase is Phase.ENDED and record.request.action is Action.SCHEDULE and record.accepted_at is not None:
        return record.request.start_time
    return record.scheduled_for


def _is_paused_here(record: JobRecord, phase: Phase, grace: GracePeriods, now: float) -> bool:
    if phase is Phase.PAUSED:
        return record.paused_here or record.was_asked_lately(Action.PAUSE, grace, now)
    return phase is Phase.MISSING and record.paused_here


def _is_stopped_here(desired: DesiredJob, record: JobRecord, phase: Phase, grace: GracePeriods, now: float) -> bool:
    if phase not in (Phase.ENDED, Phase.MISSING):
        return False
    if phase is Phase.ENDED and desired.target is Target.STOPPED:
        return True
    return record.stopped_here or record.was_asked_lately(Action.STOP, grace, now)


def _wanted(desired: DesiredJob, phase: Phase, now: float) -> str:
    if desired.target is not Target.STARTED:
        return "paused" if desired.target is Target.PAUSED else "stopped"
    if desired.resume and phase in (Phase.PAUSED, Phase.FAILED, Phase.START_FAILED):
        return "resumed"
    return "started" if desired.start_request(now).action is Action.START else "scheduled"


def _came_to_nothing(decision: Decision, record: JobRecord) -> bool:
    """The operation ended while something was still to be asked, or to be waited for that DRS is not at."""
    if decision.action.is_call:
        return True
    return decision.action is Action.WAIT and not decision.is_underway and record.accepted_at is None


def _what_was_done(desired: DesiredJob, decision: Decision, record: JobRecord) -> str:
    is_ours = record.accepted_now or record.lost_at is not None
    if is_ours and (desired.target is Target.STARTED) == (record.request.action not in (Action.PAUSE, Action.STOP)):
        return _DONE_NOW.get(record.request.action, "unchanged")
    is_known = record.was_started or record.accepted_at is not None
    is_news = desired.target is Target.STARTED and not is_known and decision.phase is not Phase.SCHEDULED
    return "already_started" if is_news else "unchanged"


def _is_proven(request: Request, actual: JobStatus, phase: Phase, record: JobRecord) -> bool:
    """Whether the status shows that the request had its effect."""
    if request.action is Action.PAUSE:
        return phase in (Phase.PAUSED, Phase.ENDED)
    if request.action is Action.STOP:
        return phase is Phase.ENDED
    if request.action is Action.RESUME:
        return record.took_effect or phase in (Phase.STARTING, Phase.RUNNING, Phase.ENDED)
    if request.action is Action.SCHEDULE and phase is Phase.SCHEDULED:
        return actual.start_time == request.start_time
    return phase in STARTED_PHASES or phase in (Phase.ENDED, Phase.START_FAILED)


def _schedule(desired: DesiredJob, actual: JobStatus, record: JobRecord, decision: Decision) -> int | None:
    if decision.phase is Phase.SCHEDULED:
        return actual.start_time if actual.start_time is not None else desired.start_time
    if decision.phase is Phase.STARTABLE and record.accepted_at is not None:
        return record.request.start_time
    return None


def _alarms(record: JobRecord) -> tuple[str, ...]:
    alarms = record.precheck.alarms if record.precheck is not None else ()
    return tuple(f"{alarm.item}: {alarm.reason}" if alarm.reason else alarm.item for alarm in alarms)
