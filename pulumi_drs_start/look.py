"""
What DRS says of jobs: their statuses, and the few details that a decision needs beside them.

A status alone does not tell when a scheduled job starts, nor what part a job has in dual-active disaster recovery. Both are
asked for only where they matter, and what never changes is asked once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from .drs.client import DrsClient
from .drs.models import JobDetail, JobStatus
from .drs.retry import TimeBudget
from .pairs import PairReader, tolerating
from .status import Phase, phase_of


@dataclass(slots=True)
class Looker:
    """Reads jobs, and keeps what never changes about them. May be shared by threads.

    Attributes:
        client: where DRS is.
    """

    client: DrsClient
    _pairs: PairReader = field(init=False)
    _parts: dict[str, JobDetail] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._pairs = PairReader(self.client)

    def look(self, job_ids: Sequence[str], budget: TimeBudget) -> dict[str, JobStatus]:
        """What DRS says of each job, unknown jobs included.

        Raises:
            DrsError: the statuses can't be read, or what belongs to them can't be read just now.
        """
        statuses = self.client.get_statuses(job_ids, budget)
        scheduled = _in_phase(statuses.values(), Phase.SCHEDULED)
        startable = _in_phase(statuses.values(), Phase.STARTABLE)
        with self._lock:
            parts = {job_id: self._parts[job_id] for job_id in startable if job_id in self._parts}
        unknown = [job_id for job_id in startable if job_id not in parts]
        if scheduled or unknown:
            # One call for both: an answer carries everything.
            details = tolerating(lambda: self.client.get_details([*scheduled, *unknown], budget)) or {}
            for job_id in scheduled:
                if job_id in details and (start_time := details[job_id].start_time):
                    statuses[job_id] = replace(statuses[job_id], start_time=int(start_time))
            parts.update((job_id, details[job_id]) for job_id in unknown if job_id in details)
        with self._lock:
            # Once a job has started, its part is of no interest: what is kept does not grow with the life of the process.
            for job_id in statuses:
                self._parts.pop(job_id, None)
            self._parts.update(parts)
        in_pairs = [part for part in parts.values() if part.multi_write]
        for job_id, pairing in self._pairs.read(in_pairs, statuses, budget).items():
            statuses[job_id] = replace(statuses[job_id], pairing=pairing)
        return statuses


def _in_phase(statuses: Iterable[JobStatus], phase: Phase) -> list[str]:
    return [status.job_id for status in statuses if phase_of(status.status) is phase]
