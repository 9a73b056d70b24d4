"""
What DRS shows of a job: its status, and the details that a decision needs beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..drs.calls.models import CopyProgress, JobStatus
from .phase import Phase, phase_of


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why the backward task of a dual-active pair must not be started yet.

    Attributes:
        job_id: the forward task; `status` is its status.
        delay: ``RPO`` or ``RTO``, where the forward task replicates and that is too large.
        delay_ms: how large, in milliseconds.
    """

    job_id: str
    status: str
    delay: str | None = None
    delay_ms: int = 0


@dataclass(frozen=True, slots=True)
class Pairing:
    """The part of a job in dual-active disaster recovery.

    Attributes:
        is_parent: it is the parent of the pair, which is never started itself.
        children: of a parent, as far as DRS tells.
        forward: of the backward task: the task that has to replicate first.
        obstacle: of the backward task: why it must not be started yet; None when nothing speaks against it.
        is_alone: DRS does not tell which is the other task, so that nothing was waited for.
        unknown_delays: which of the forward task's RPO and RTO DRS does not tell.
    """

    is_parent: bool = False
    children: tuple[str, ...] = ()
    forward: str | None = None
    obstacle: Obstacle | None = None
    is_alone: bool = False
    unknown_delays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActualJob:
    """What DRS shows of one job.

    Attributes:
        status: DRS's own word, or ``MISSING`` for a job that it does not know.
        error_code: DRS's code, where it gave one with the status; `error_message` is its text.
        start_time: of a scheduled job, in milliseconds since the epoch; None where DRS does not tell.
        name: what DRS calls the job; None where that is not known.
        copy: how far its copy is; None where nobody asked.
        pairing: in dual-active disaster recovery; None for any other job, and for jobs that are not about to be started.
    """

    job_id: str
    status: str
    error_code: str | None = None
    error_message: str | None = None
    start_time: int | None = None
    name: str | None = None
    copy: CopyProgress | None = None
    pairing: Pairing | None = None

    @classmethod
    def of(cls, status: JobStatus, name: str | None = None) -> ActualJob:
        """The job of a status row."""
        return cls(status.job_id, status.status, status.error_code, status.error_message, name=name)

    @property
    def phase(self) -> Phase:
        """The phase of its status."""
        return phase_of(self.status)

    @property
    def is_seen_ended(self) -> bool:
        """Whether DRS shows it as over, or says that it was deleted."""
        if self.phase is Phase.MISSING:
            # It was deleted, or its resources were released. The other codes for unknown jobs do not say that it is over.
            return self.error_code == "DRS.M05004"
        return self.phase is Phase.ENDED and self.status not in ("RELEASE_RESOURCE_STARTED", "RELEASE_RESOURCE_FAILED")
