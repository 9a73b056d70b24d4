"""
Reads the parts that jobs have in dual-active disaster recovery, for many of them at once.

A pair is a parent and two tasks that replicate in opposite directions. Which tasks belong together never changes and is read
once. The status of the other task changes, and is read at every poll, for all pairs together.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from ..drs.calls.client import DrsClient
from ..drs.calls.models import JobDetail, JobStatus, ReplicationLag
from ..drs.errors import ServiceRefusedError
from ..drs.http.budget import TimeBudget
from .actual import ActualJob, Obstacle, Pairing
from .phase import Phase, phase_of

if TYPE_CHECKING:
    from ..drs.calls.listing import JobListing

log = logging.getLogger(__name__)

FORWARD_STATUS = "INCRE_TRANSFER_STARTED"
# The backward task may start once RPO and RTO of the forward one are below ("Starting Tasks in Batches", Chinese edition:
# the English sentence is a mistranslation).
LARGEST_LAG_MS = 60_000

_NOT_STARTED = (Phase.PENDING, Phase.STARTABLE, Phase.SCHEDULED, Phase.DEAD, Phase.MISSING)

_T = TypeVar("_T")


def tolerating(read: Callable[[], _T]) -> _T | None:
    """What `read` says; None where DRS refuses to tell, to go on without."""
    try:
        return read()
    except ServiceRefusedError as exc:
        if exc.retryable:
            raise
        log.debug("DRS does not tell: %s", exc)
        return None


@dataclass(frozen=True, slots=True)
class _Family:
    """The tasks of one parent, in the order of DRS, and the one that goes first as long as none has started."""

    children: tuple[str, ...] = ()
    first: str | None = None

    @staticmethod
    def of(parent: JobListing) -> _Family:
        # No field says which child goes first. It is the one with the direction of the parent, and where that tells nothing
        # the one that DRS lists first.
        directions = {child.job_id: child.job_direction for child in parent.children}
        alike = [job_id for job_id, direction in directions.items() if direction == parent.job_direction]
        is_told = parent.job_direction and len(alike) == 1
        return _Family(tuple(directions), alike[0] if is_told else next(iter(directions), None))

    @property
    def is_complete(self) -> bool:
        """Whether there are two directions. A pair with one child may be in the making."""
        return len(self.children) > 1

    def has(self, part: JobDetail) -> bool:
        """Whether this is the family of a task, as far as the children tell."""
        return part.job_id in self.children or (part.parent_id is None and self.is_complete)


@dataclass(slots=True)
class PairReader:
    """Reads pairings, and keeps what never changes about them. May be shared by threads."""

    client: DrsClient
    _names: dict[str, str] = field(default_factory=dict)
    _families: dict[str, _Family] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, parts: Sequence[JobDetail], known: Mapping[str, ActualJob], budget: TimeBudget) -> dict[str, Pairing]:
        """The pairings of dual-active tasks that are about to be started. A task that goes first has none.

        `known` are statuses that were read a moment ago.

        Raises:
            DrsError: what belongs to the pairs can't be read just now. That DRS refuses to tell of families or lags is no error.
        """
        found: dict[str, Pairing] = {}
        waiting: dict[str, tuple[_Family, list[str]]] = {}
        for part, family in zip(parts, self._families_of(parts, budget), strict=True):
            others = [job_id for job_id in family.children if job_id != part.job_id]
            if part.parent_id is None:
                found[part.job_id] = Pairing(is_parent=True, children=family.children)
            elif others:
                waiting[part.job_id] = (family, others)
            else:
                found[part.job_id] = Pairing(is_alone=True)
        unread = [job_id for _, others in waiting.values() for job_id in others if job_id not in known]
        statuses: dict[str, JobStatus | ActualJob] = {**known, **self.client.get_statuses(unread, budget)}
        forwards: dict[str, str] = {}
        for job_id, (family, others) in waiting.items():
            # One that is started already is the first, whatever its direction.
            started = (other for other in others if phase_of(statuses[other].status) not in _NOT_STARTED)
            forward = next(started, family.first)
            if forward is not None and forward != job_id:
                forwards[job_id] = forward
        replicating = [job_id for job_id in forwards.values() if statuses[job_id].status == FORWARD_STATUS]
        lags = self.client.get_replication_lags(replicating, budget)
        return found | {job_id: _backward(statuses[forward], lags.get(forward)) for job_id, forward in forwards.items()}

    def names(self) -> dict[str, str]:
        """What the tasks of pairs are called, by id."""
        with self._lock:
            return dict(self._names)

    def _families_of(self, parts: Sequence[JobDetail], budget: TimeBudget) -> list[_Family]:
        """The family of each task; an empty one where DRS does not tell."""
        parents = [part.parent_id or part.job_id for part in parts]
        with self._lock:
            kept = [self._families.get(parent, _Family()) for parent in parents]
        unknown = [parent for parent, part, family in zip(parents, parts, kept, strict=True) if not family.has(part)]
        if not unknown:
            return kept
        listed = tolerating(lambda: self.client.get_families(list(dict.fromkeys(unknown)), budget)) or {}
        told = {parent_id: _Family.of(job) for parent_id, job in listed.items()}
        children = [child for parent in listed.values() for child in parent.children]
        with self._lock:
            self._names.update((child.job_id, child.name) for child in children if child.name)
            self._families.update((parent_id, family) for parent_id, family in told.items() if family.is_complete)
            # What is kept is complete. So a list that tells less this time changes nothing.
            return [self._families.get(parent) or told.get(parent, _Family()) for parent in parents]


def _backward(forward: JobStatus | ActualJob, lag: ReplicationLag | None) -> Pairing:
    """The pairing of a task that starts after `forward`, whose replication lag is known if it replicates."""
    job_id = forward.job_id
    if lag is None:
        return Pairing(forward=job_id, obstacle=Obstacle(job_id, forward.status))
    delays = (("RPO", lag.rpo_ms), ("RTO", lag.rto_ms))
    for name, milliseconds in delays:
        if milliseconds is not None and milliseconds >= LARGEST_LAG_MS:
            return Pairing(forward=job_id, obstacle=Obstacle(job_id, forward.status, name, milliseconds))
    return Pairing(forward=job_id, unknown_delays=tuple(name for name, milliseconds in delays if milliseconds is None))
