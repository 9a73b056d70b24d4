"""
What the state records of a resource: how its jobs stood, what was requested for them, and where they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .declared import Declared, Place
from .record import JobRecord


@dataclass(frozen=True, slots=True)
class RecordedRow:
    """How a job stood after the last operation, what that did for it, and what was wrong: DRS's code, words, what to do.

    Attributes:
        name: what DRS calls the job; None where that is not known.
    """

    phase: str
    outcome: str
    error_code: str | None = None
    error_message: str | None = None
    advice: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """The state of one resource.

    Attributes:
        declared: the inputs of the last operation.
        rows: how each job stood, by id.
        records: what else is known of each job, by id.
        place: where the jobs were looked for; None where no operation has found out.
        is_place_confirmed: DRS has known one of the jobs there.
        exists: False for a resource that is still to be created.
        problems: what is wrong with the inputs, each with its path. Nobody has checked those of a resource that is only looked
            up by its id.
    """

    declared: Declared = field(default_factory=Declared)
    rows: Mapping[str, RecordedRow] = field(default_factory=dict)
    records: Mapping[str, JobRecord] = field(default_factory=dict)
    place: Place | None = None
    is_place_confirmed: bool = True
    exists: bool = True
    problems: tuple[str, ...] = ()

    @property
    def home(self) -> Place | None:
        """Where the jobs are. A place where DRS never knew one may be a mistake of the settings: that is found out anew."""
        return self.place if self.is_place_confirmed else None

    def records_for(self, declared: Declared) -> Mapping[str, JobRecord]:
        """The records, as far as they hold for what is declared now: to have caught up once is no proof of a stricter limit."""
        if self.declared.sync.covers(declared.sync):
            return self.records
        return {job_id: replace(record, is_synced=False) for job_id, record in self.records.items()}

    @property
    def unfinished(self) -> frozenset[str]:
        """The jobs that the last operation gave up waiting for."""
        return frozenset(job_id for job_id, record in self.records.items() if record.is_unfinished)

    @property
    def names(self) -> dict[str, str | None]:
        """What DRS calls the jobs, by id."""
        return {job_id: row.name for job_id, row in self.rows.items()}

    @property
    def failed(self) -> dict[str, str]:
        """The jobs that the last operation could not bring to their state, and the phase they were in."""
        return {job_id: row.phase for job_id, row in self.rows.items() if row.outcome == "failed"}


NOTHING_RECORDED = Recorded(exists=False)
