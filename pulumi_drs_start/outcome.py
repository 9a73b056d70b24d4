"""
What became of each job: the values an operation ends with, and how they follow from what is known at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .drs.models import JobStatus
from .plan import NOTHING_KNOWN, Action, DesiredJob, Goal, Memory, Patience, decide
from .status import STARTED_PHASES, Phase

_SHOWS_NO_START = (Phase.STARTABLE, Phase.SCHEDULED)


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """What an operation did for one job, and where the job stands.

    Attributes:
        job_id: the job.
        status: DRS's word, as last read; None if it was never read.
        phase: of that status.
        outcome: ``started``, ``already_started``, ``unchanged`` or ``failed``.
        is_fulfilled: the job is where it was asked to be.
        error_code: DRS's code, when something is wrong with the job.
        error_message: DRS's text or ours, likewise.
        accepted_at: when DRS accepted a start that its status does not show yet, in seconds since the epoch.
        lost_at: when a start was sent whose answer was lost, and which the status does not show yet, likewise.
    """

    job_id: str
    status: str
    phase: Phase
    outcome: str
    is_fulfilled: bool
    error_code: str | None = None
    error_message: str | None = None
    accepted_at: float | None = None
    lost_at: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """How an operation ended.

    Attributes:
        jobs: one outcome per desired job.
        ended_by: what ended the operation before every job was where it should be, or None.
    """

    jobs: Mapping[str, JobOutcome]
    ended_by: Exception | None = None

    @property
    def failed(self) -> list[JobOutcome]:
        """The jobs that could not be started."""
        return [job for job in self.jobs.values() if job.outcome == "failed"]

    @property
    def unfinished(self) -> list[JobOutcome]:
        """The jobs that DRS is starting, but whose running was not seen before the operation ended."""
        if self.ended_by is None:
            return []
        waited_for = (Phase.STARTABLE, Phase.SCHEDULED, Phase.STARTING)
        return [job for job in self.jobs.values() if job.outcome != "failed" and not job.is_fulfilled and job.phase in waited_for]


def observe(
    desired: Sequence[DesiredJob],
    actual: Mapping[str, JobStatus],
    memories: Mapping[str, Memory],
    goal: Goal,
    now: float,
    patience: Patience | None = None,
) -> Result:
    """How jobs stand when nothing is done for them. The outcomes are those of an operation that did nothing."""
    return Result(
        {
            job.job_id: outcome_of(
                actual[job.job_id], memories.get(job.job_id, NOTHING_KNOWN), goal, patience or Patience(), now, None
            )
            for job in desired
        }
    )


def outcome_of(
    actual: JobStatus, memory: Memory, goal: Goal, patience: Patience, now: float, ended_by: Exception | None
) -> JobOutcome:
    """What became of one job, from all that is known at the end."""
    decision = decide(actual, memory, goal, patience, now)
    code, message = actual.error_code, actual.error_message
    is_proven = decision.phase in STARTED_PHASES or decision.phase in (Phase.ENDED, Phase.START_FAILED)
    is_accepted = memory.accepted_now or (decision.action is Action.WAIT and memory.accepted_at is not None)
    is_started = is_accepted or decision.phase in STARTED_PHASES or decision.phase is Phase.ENDED
    if decision.action is Action.FAIL or (decision.action is not Action.NOTHING and not is_started):
        outcome = "failed"
        if memory.refusal is not None and decision.phase in _SHOWS_NO_START:
            code, message = memory.refusal.code, memory.refusal.text
        elif decision.action is not Action.FAIL and ended_by is not None:
            code, message = getattr(ended_by, "code", None), f"it {decision.reason}, and {getattr(ended_by, 'text', ended_by)}"
    elif memory.accepted_now or memory.lost_at is not None:
        outcome = "started"
    elif memory.was_started or memory.accepted_at is not None:
        outcome = "unchanged"
    else:
        outcome = "already_started"
    if not message and not decision.is_fulfilled and decision.action is not Action.WAIT:
        message = f"it {decision.reason}"
    return JobOutcome(
        job_id=actual.job_id,
        status=actual.status,
        phase=decision.phase,
        outcome=outcome,
        is_fulfilled=decision.is_fulfilled,
        error_code=code,
        error_message=message,
        # Kept until a status proves the start, for the next operation.
        accepted_at=None if is_proven else memory.accepted_at,
        lost_at=None if is_proven else memory.lost_at,
    )
