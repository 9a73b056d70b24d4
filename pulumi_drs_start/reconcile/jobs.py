"""
The jobs of one operation: what is declared for each, what DRS showed last, what is recorded, and what follows from that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .actual import ActualJob
from .declared import DesiredJob, Goal
from .outcome import JobOutcome, outcome_of
from .plan import Decision, decide
from .record import NOTHING_KNOWN, GracePeriods, JobRecord, Request


@dataclass(slots=True)
class Jobs:
    """What one operation knows, by job id.

    Attributes:
        desired: what is declared.
        goal: when the operation may return.
        grace: how long DRS may be late.
        records: what is known beside the status; jobs may be absent.
        actual: what DRS showed in the last poll.
        polled_at: when that poll was sent, in seconds since the epoch.
        decisions: what is to be done.
        unread: jobs for which something was requested since their last poll.
    """

    desired: Mapping[str, DesiredJob]
    goal: Goal
    grace: GracePeriods
    records: dict[str, JobRecord]
    actual: dict[str, ActualJob] = field(default_factory=dict)
    polled_at: dict[str, float] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)

    def record(self, job_id: str) -> JobRecord:
        """What is known of a job beside its status."""
        return self.records.get(job_id, NOTHING_KNOWN)

    def record_about(self, job_id: str, request: Request) -> JobRecord:
        """The part of a job's record that applies to a request."""
        return self.record(job_id).about(request, self.desired[job_id].start_time)

    def request(self, job_id: str) -> Request:
        """What is to be requested for a job."""
        return self.decisions[job_id].request or Request()

    def decide(self, job_ids: Iterable[str]) -> None:
        """Decide about jobs anew."""
        for job_id in job_ids:
            self.decisions[job_id] = decide(
                self.desired[job_id], self.actual[job_id], self.record(job_id), self.goal, self.grace, self.polled_at[job_id]
            )

    def outcome(self, job_id: str, ended_by: Exception | None) -> JobOutcome:
        """What became of a job."""
        return outcome_of(
            self.desired[job_id],
            self.actual[job_id],
            self.record(job_id),
            self.goal,
            self.grace,
            self.polled_at[job_id],
            ended_by,
        )
