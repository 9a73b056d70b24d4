"""
What the statuses of DRS mean for a job that is to be started.

DRS knows about thirty statuses and adds more; decisions need eleven phases.
Names and meanings: DRS API reference, "Querying Task Status in Batches", and the user manual, "Task Statuses".
"""

from __future__ import annotations

from enum import Enum

from ..drs.calls.models import MISSING_STATUS


class Phase(str, Enum):
    """Where a job stands on its way from created to running to over."""

    PENDING = "pending"
    STARTABLE = "startable"
    SCHEDULED = "scheduled"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    FAILED = "failed"
    START_FAILED = "start_failed"
    ENDED = "ended"
    DEAD = "dead"
    MISSING = "missing"

    def __str__(self) -> str:
        return self.value


DELETED_STATUS = "DELETED"

_PHASES: dict[str, Phase] = {
    "CREATING": Phase.PENDING,
    "CONFIGURATION": Phase.STARTABLE,
    "WAITING_FOR_START": Phase.SCHEDULED,
    "STARTJOBING": Phase.STARTING,
    # Both spellings are in the documents, and despite the -ING the job is paused.
    "PAUSING": Phase.PAUSED,
    "PAUSEING": Phase.PAUSED,
    "FULL_TRANSFER_FAILED": Phase.FAILED,
    "INCRE_TRANSFER_FAILED": Phase.FAILED,
    "CHANGE_JOB_FAILED": Phase.FAILED,
    # One page spells it without the underscore.
    "START_JOB_FAILED": Phase.START_FAILED,
    "STARTJOB_FAILED": Phase.START_FAILED,
    "RELEASE_RESOURCE_STARTED": Phase.ENDED,
    "RELEASE_RESOURCE_FAILED": Phase.ENDED,
    "RELEASE_RESOURCE_COMPLETE": Phase.ENDED,
    DELETED_STATUS: Phase.ENDED,
    "CREATE_FAILED": Phase.DEAD,
    MISSING_STATUS: Phase.MISSING,
}
_RUNNING = ("FULL_TRANSFER_STARTED", "FULL_TRANSFER_COMPLETE", "INCRE_TRANSFER_STARTED")

STATUSES = tuple(status for status in (*_PHASES, *_RUNNING) if status != MISSING_STATUS)
"""Statuses that DRS may show, those of a running job only in part."""

STARTED_PHASES = frozenset({Phase.STARTING, Phase.RUNNING, Phase.PAUSED, Phase.FAILED})
"""Phases that only a job which was started can be in."""

UNSTARTED_PHASES = frozenset({Phase.PENDING, Phase.STARTABLE, Phase.SCHEDULED, Phase.STARTING, Phase.START_FAILED})
"""Phases of a job that begins at its beginning, whatever its copy had come to before."""

FAILED_PHASES = frozenset({Phase.START_FAILED, Phase.FAILED, Phase.DEAD})
"""Phases of jobs whose details tell why they failed."""


def phase_of(status: str) -> Phase:
    """The phase of a status.

    A word we don't know is a job that is doing something: DRS adds statuses for repairs and upgrades of jobs that run.
    The CHILD_TRANSFER and RELEASE_CHILD_TRANSFER statuses speak of a helper of a running job, so they count as running too.
    """
    return _PHASES.get(status, Phase.RUNNING)
