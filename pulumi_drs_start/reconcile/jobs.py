"""
The jobs of one operation: what is known of each, and what follows from that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from .plan import Case, Decision, decide
from .record import JobRecord, Request


@dataclass(slots=True)
class Jobs:
    """What one operation knows, by job id.

    Attributes:
        cases: what is known of each job.
        decisions: what is to be done.
        unread: jobs for which something was requested since their last poll.
    """

    cases: dict[str, Case]
    decisions: dict[str, Decision] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)

    def request(self, job_id: str) -> Request:
        """What is to be requested for a job."""
        return self.decisions[job_id].request or Request()

    def record_about(self, job_id: str, request: Request) -> JobRecord:
        """The part of a job's record that applies to a request."""
        case = self.cases[job_id]
        return case.record.about(request, case.desired.start_time)

    def update(self, job_id: str, record: JobRecord | None = None, **changes: Any) -> None:
        """Replace a job's record, or fields of it."""
        case = self.cases[job_id]
        self.cases[job_id] = replace(case, record=replace(record or case.record, **changes))

    def decide(self, job_ids: Iterable[str]) -> None:
        """Decide about jobs anew."""
        for job_id in job_ids:
            self.decisions[job_id] = decide(self.cases[job_id])
