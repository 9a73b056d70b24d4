"""
What DRS says of jobs: their statuses, and the few details that a decision needs beside them.

A status alone does not tell when a scheduled job starts, nor what part a job has in dual-active disaster recovery. Both are
asked for only where they matter, and what never changes is asked once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from .drs.client import DrsClient
from .drs.errors import DrsError, ServiceRefusedError
from .drs.models import JobDetail, JobStatus, Lag, Pairing
from .drs.retry import TimeBudget
from .status import Phase, phase_of

log = logging.getLogger(__name__)

FORWARD_STATUS = "INCRE_TRANSFER_STARTED"
# The backward task may start once RPO and RTO of the forward one are below ("Starting Tasks in Batches", Chinese edition:
# the English sentence is a mistranslation).
LARGEST_LAG_MS = 60_000

_HAS_A_REASON = (Phase.START_FAILED, Phase.FAILED, Phase.DEAD)

_T = TypeVar("_T")


@dataclass(slots=True)
class Looker:
    """Reads jobs, and keeps what never changes about them. May be shared by threads.

    Attributes:
        client: where DRS is.
    """

    client: DrsClient
    _parts: dict[str, JobDetail] = field(default_factory=dict)
    # By job and status: a job that fails again may do so for another reason.
    _reasons: dict[tuple[str, str], str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self, job_ids: Sequence[str], budget: TimeBudget) -> dict[str, JobStatus]:
        """What DRS says of each job, unknown jobs included.

        Raises:
            DrsError: the statuses can't be read, or what belongs to them can't be read just now.
        """
        statuses = self.client.get_statuses(job_ids, budget)
        scheduled = _in_phase(statuses.values(), Phase.SCHEDULED)
        startable = [job_id for job_id in _in_phase(statuses.values(), Phase.STARTABLE) if job_id not in self._parts]
        if scheduled or startable:
            # One call for both: an answer carries everything.
            details = _tolerating(lambda: self.client.get_details([*scheduled, *startable], budget)) or {}
            for job_id in scheduled:
                if job_id in details and (start_time := details[job_id].start_time):
                    statuses[job_id] = replace(statuses[job_id], start_time=int(start_time))
            with self._lock:
                self._parts.update({job_id: details[job_id] for job_id in startable if job_id in details})
        for job_id in _in_phase(statuses.values(), Phase.STARTABLE):
            part = self._parts.get(job_id)
            if part is not None and part.multi_write:
                statuses[job_id] = replace(statuses[job_id], pairing=self._pairing(part, budget))
        return self.with_reasons(statuses, budget)

    def with_reasons(self, statuses: Mapping[str, JobStatus], budget: TimeBudget) -> dict[str, JobStatus]:
        """The same statuses with DRS's reasons for those that failed, which only details tell ("Querying Task Details").

        A reason that can't be had is left out: it is no reason to know nothing of the jobs.
        """
        failed = [job_id for phase in _HAS_A_REASON for job_id in _in_phase(statuses.values(), phase)]
        failed = [job_id for job_id in failed if not statuses[job_id].error_message]
        asked = [job_id for job_id in failed if not self._reasons.get((job_id, statuses[job_id].status))]
        if asked:
            try:
                details = self.client.get_details(asked, budget)
            except DrsError as exc:
                log.debug("no reasons to be had: %s", exc)
                details = {}
            with self._lock:
                found = {(job_id, statuses[job_id].status): detail.failed_reason for job_id, detail in details.items()}
                self._reasons.update({key: reason for key, reason in found.items() if reason})
        reasons = {job_id: self._reasons.get((job_id, statuses[job_id].status)) for job_id in failed}
        known = {job_id: replace(statuses[job_id], error_message=reason) for job_id, reason in reasons.items() if reason}
        return {**statuses, **known}

    def _pairing(self, part: JobDetail, budget: TimeBudget) -> Pairing | None:
        """The part of a task that is about to be started, in a pair whose two tasks replicate in opposite directions."""
        family = _tolerating(lambda: self.client.get_family(part.parent_id or part.job_id, budget)) or ()
        children = tuple(job.job_id for job in family)
        if part.parent_id is None:
            return Pairing(is_parent=True, children=children)
        others = [job_id for job_id in children if job_id != part.job_id]
        if not others:
            return Pairing(note="DRS does not tell the other direction of its dual-active pair, so that was not waited for")
        statuses = self.client.get_statuses(others, budget)
        forward = self._forward(part, children, statuses, budget)
        if forward is None:
            return None
        status = statuses[forward].status
        if status != FORWARD_STATUS:
            return Pairing(forward=forward, blocked_by=f"{forward} is in {status} and has to reach {FORWARD_STATUS} first")
        lag = self.client.get_lags([forward], budget).get(forward, Lag(None, None))
        for name, milliseconds in (("RPO", lag.rpo_ms), ("RTO", lag.rto_ms)):
            if milliseconds is not None and milliseconds >= LARGEST_LAG_MS:
                blocked_by = f"the {name} of {forward} is {milliseconds / 1000:g} s and has to come below 60 s first"
                return Pairing(forward=forward, blocked_by=blocked_by)
        unknown = " and ".join(name for name, value in (("RPO", lag.rpo_ms), ("RTO", lag.rto_ms)) if value is None)
        note = f"DRS does not tell the {unknown} of {forward}, the other direction of its dual-active pair" if unknown else None
        return Pairing(forward=forward, note=note)

    def _forward(self, part: JobDetail, children: Sequence[str], others: dict[str, JobStatus], budget: TimeBudget) -> str | None:
        """The task that has to replicate before this one; None if this is the one that goes first.

        No field says which is which. One that is started already is the first. Before that it is the one with the direction
        of the parent, and where that tells nothing the one that DRS lists first.
        """
        for job_id, status in others.items():
            if phase_of(status.status) not in (Phase.PENDING, Phase.STARTABLE, Phase.SCHEDULED, Phase.DEAD, Phase.MISSING):
                return job_id
        details = _tolerating(lambda: self.client.get_details([str(part.parent_id), *children], budget)) or {}
        direction = details[part.parent_id].job_direction if part.parent_id in details else None
        alike = [job_id for job_id in children if job_id in details and details[job_id].job_direction == direction]
        first = alike[0] if direction and len(alike) == 1 else children[0]
        return None if first == part.job_id else first


def _tolerating(read: Callable[[], _T]) -> _T | None:
    """What `read` says; None where DRS refuses to tell, to go on without."""
    try:
        return read()
    except ServiceRefusedError as exc:
        if exc.retryable:
            raise
        log.debug("DRS gives no details: %s", exc)
        return None


def _in_phase(statuses: Iterable[JobStatus], phase: Phase) -> list[str]:
    return [status.job_id for status in statuses if phase_of(status.status) is phase]
