"""
Reads from DRS how jobs stand: their statuses, and the few details that a decision needs beside them.

A status does not tell when a scheduled job starts, why a job failed, nor what part a job has in dual-active disaster recovery.
These details are read only where they matter, and what never changes is read once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..drs.calls.client import DrsClient
from ..drs.calls.models import CopyProgress, JobDetail
from ..drs.errors import DrsError
from ..drs.http.budget import TimeBudget
from .actual import ActualJob
from .dual_active import PairReader, tolerating
from .phase import FAILED_PHASES, Phase
from .sync import FULLY_COPIED

log = logging.getLogger(__name__)


@dataclass(slots=True)
class StatusReader:
    """Reads how jobs stand, and keeps what never changes about them. May be shared by threads."""

    client: DrsClient
    _pairs: PairReader = field(init=False)
    _parts: dict[str, JobDetail] = field(default_factory=dict)
    _reasons: dict[tuple[str, str], str] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._pairs = PairReader(self.client)

    def names(self, job_ids: Iterable[str]) -> dict[str, str]:
        """What these jobs are called, by id, as far as it is known; and the tasks of dual-active pairs, which may be others."""
        with self._lock:
            return self._pairs.names() | {job_id: self._names[job_id] for job_id in job_ids if job_id in self._names}

    def learn(self, names: Mapping[str, str | None]) -> None:
        """Take note of what jobs are called, by id, where DRS has not told yet."""
        with self._lock:
            for job_id, name in names.items():
                if name:
                    self._names.setdefault(job_id, name)

    def read(self, job_ids: Sequence[str], budget: TimeBudget, new: Collection[str] = ()) -> dict[str, ActualJob]:
        """How each job stands; jobs that DRS does not know included.

        Args:
            new: the jobs to ask for their names, unless these are known.

        Raises:
            DrsError: the statuses can't be read, or what belongs to them can't be read just now.
        """
        rows = self.client.get_statuses(job_ids, budget)
        with self._lock:
            statuses = {job_id: ActualJob.of(row, self._names.get(job_id)) for job_id, row in rows.items()}
        scheduled = [job_id for job_id, job in statuses.items() if job.phase is Phase.SCHEDULED]
        startable = [job_id for job_id, job in statuses.items() if job.phase is Phase.STARTABLE]
        with self._lock:
            parts = {job_id: self._parts[job_id] for job_id in startable if job_id in self._parts}
        unknown = [job_id for job_id in startable if job_id not in parts]
        useful = self._unexplained(statuses)
        asked = {*scheduled, *unknown, *useful}
        useful += [
            job_id
            for job_id in new
            if job_id not in asked and not statuses[job_id].name and statuses[job_id].phase is not Phase.MISSING
        ]
        if scheduled or unknown or useful:
            # One call for all: an answer carries everything.
            details = self._details([*scheduled, *unknown], useful, budget)
            self._keep_names(statuses, details)
            self._keep_reasons(statuses, details)
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
        return self._explained(statuses)

    def _keep_names(self, statuses: dict[str, ActualJob], details: Mapping[str, JobDetail]) -> None:
        names = {job_id: detail.name for job_id, detail in details.items() if detail.name}
        with self._lock:
            self._names.update(names)
        for job_id, name in names.items():
            if statuses[job_id].name != name:
                statuses[job_id] = replace(statuses[job_id], name=name)

    def explain(self, statuses: Mapping[str, ActualJob], budget: TimeBudget) -> dict[str, ActualJob]:
        """The same statuses, with DRS's reasons for the jobs that failed, as far as they can be had now."""
        if unexplained := self._unexplained(statuses):
            self._keep_reasons(statuses, self._details([], unexplained, budget))
        return self._explained(statuses)

    def read_copies(self, jobs: Mapping[str, ActualJob], budget: TimeBudget) -> dict[str, ActualJob]:
        """The same jobs, each with how far its copy is.

        Raises:
            DrsError: DRS can't be asked, or refuses to tell.
        """
        copies = self.client.get_progress(list(jobs), budget)
        # What a full copy without a successor comes to can't be told from the row where this does not say that it is one.
        unclear = [
            job_id
            for job_id, job in jobs.items()
            if (job.status == FULLY_COPIED and copies[job_id].copies_once is None)
            or (job.phase is Phase.ENDED and (copies[job_id].copies_once is None or copies[job_id].percent is None))
        ]
        details = self._details([], unclear, budget) if unclear else {}
        for job_id, detail in details.items():
            told = copies[job_id]
            percent = 100.0 if told.percent is None and detail.is_copied else told.percent
            once = detail.copies_once if told.copies_once is None else told.copies_once
            copies[job_id] = CopyProgress(percent, told.delay_seconds, once)
        return {job_id: replace(job, copy=copies[job_id]) for job_id, job in jobs.items()}

    def _details(self, needed: Sequence[str], useful: Sequence[str], budget: TimeBudget) -> dict[str, JobDetail]:
        """Details of jobs. A failure to read those that are only useful is ignored."""
        try:
            return tolerating(lambda: self.client.get_details([*needed, *useful], budget)) or {}
        except DrsError as exc:
            if needed:
                raise
            log.debug("no reasons to be had: %s", exc)
            return {}

    def _unexplained(self, statuses: Mapping[str, ActualJob]) -> list[str]:
        """The jobs that failed, and of which DRS has not told why."""
        with self._lock:
            # A job in another status by now has a reason of its own when it fails again.
            for key in [key for key in self._reasons if key[0] in statuses and statuses[key[0]].status != key[1]]:
                del self._reasons[key]
            return [
                job.job_id
                for job in statuses.values()
                if job.phase in FAILED_PHASES and not job.error_message and (job.job_id, job.status) not in self._reasons
            ]

    def _keep_reasons(self, statuses: Mapping[str, ActualJob], details: Mapping[str, JobDetail]) -> None:
        with self._lock:
            for job_id, detail in details.items():
                if detail.failed_reason and statuses[job_id].phase in FAILED_PHASES:
                    self._reasons[job_id, statuses[job_id].status] = detail.failed_reason

    def _explained(self, statuses: Mapping[str, ActualJob]) -> dict[str, ActualJob]:
        with self._lock:
            explained = {
                job_id: replace(job, error_message=reason)
                for job_id, job in statuses.items()
                if not job.error_message and (reason := self._reasons.get((job_id, job.status)))
            }
        return {**statuses, **explained}
