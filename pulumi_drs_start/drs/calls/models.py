"""
What the calls of the client take and return.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import ServiceRefusedError

MISSING_STATUS = "MISSING"
"""What we show as the status of a job that DRS does not know; not a word of DRS's."""


@dataclass(frozen=True, slots=True)
class JobStatus:
    """What DRS says of a job. The status is DRS's own word, or `MISSING_STATUS` for a job that it does not know."""

    job_id: str
    status: str
    error_code: str | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class StartRequest:
    """One job to be started.

    Attributes:
        start_time: milliseconds since the epoch as text, as the API takes it; None for now.
    """

    job_id: str
    start_time: str | None = None


@dataclass(frozen=True, slots=True)
class ActionAnswer:
    """What one call that changes jobs came to, job by job.

    Attributes:
        accepted: DRS does it to these.
        refused: DRS does not do it to these; why.
        unanswered: asked for, but absent from the answer: nothing is known of them.
        precheck_ids: the ids of the pre-checks of accepted jobs, where DRS gave one.
    """

    accepted: frozenset[str]
    refused: Mapping[str, ServiceRefusedError]
    unanswered: frozenset[str]
    precheck_ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a pre-check says of one item, in DRS's words. The reason may be empty."""

    item: str
    reason: str


@dataclass(frozen=True, slots=True)
class PrecheckResult:
    """What a job's pre-check has come to so far.

    Attributes:
        is_done: all items were checked.
        has_passed: it is done and the job may be started.
        failed: what forbids the start.
        alarms: what the user should know of; it forbids nothing.
    """

    is_done: bool
    has_passed: bool
    failed: tuple[Finding, ...]
    alarms: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class PrecheckResults:
    """Results of pre-checks. A job that DRS said nothing of is in neither.

    Attributes:
        found: results, done or not.
        refused: why DRS gives no result.
    """

    found: Mapping[str, PrecheckResult]
    refused: Mapping[str, ServiceRefusedError]


@dataclass(frozen=True, slots=True)
class JobDetail:
    """What the details of a job tell beside its status.

    Attributes:
        start_time: when a scheduled start happens, milliseconds since the epoch as text; None without a schedule.
        failed_reason: why the job failed, in DRS's words.
        multi_write: part of dual-active disaster recovery.
        parent_id: the task this is a subtask of.
        job_direction: ``up``, ``down`` or ``non-dbs``.
        name: what its owner calls it; not unique.
        copies_once: it ends with its full copy; None where DRS does not tell.
        is_copied: its full copy was completed at some time.
    """

    job_id: str
    start_time: str | None = None
    failed_reason: str | None = None
    multi_write: bool = False
    parent_id: str | None = None
    job_direction: str | None = None
    name: str | None = None
    copies_once: bool | None = None
    is_copied: bool = False


@dataclass(frozen=True, slots=True)
class CopyProgress:
    """How far the copy of a job is; None is not known.

    Attributes:
        percent: of the full copy, 0 to 100.
        delay_seconds: how far the copy is behind its source, once it follows the changes there.
        copies_once: the job ends with its full copy, and never follows changes.
    """

    percent: float | None = None
    delay_seconds: float | None = None
    copies_once: bool | None = None


@dataclass(frozen=True, slots=True)
class ReplicationLag:
    """How far the copy is behind in disaster recovery; None is not known.

    Attributes:
        rpo_ms: how much would be lost if the source failed now, in milliseconds.
        rto_ms: how long it would take to switch over, in milliseconds.
    """

    rpo_ms: int | None = None
    rto_ms: int | None = None
