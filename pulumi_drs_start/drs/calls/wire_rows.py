"""
The messages of the calls, as they are on the wire.
"""

from __future__ import annotations

import math
from typing import Annotated, Generic, TypeVar

from pydantic import AliasPath, Field

from ..text import clean_text
from ..wire import ErrorFields, Flag, Number, RawId, Row, Text, WireModel, Word, list_of_objects, objects_only, to_number
from .models import CopyProgress, Finding, JobDetail, PrecheckResult, ReplicationLag

# The end of the year 9999.
LAST_INSTANT_MS = 253_402_300_799_999
COMPLETE = 100.0

R = TypeVar("R", bound=WireModel)


class Answer(WireModel, Generic[R]):
    """The success envelope of the batch calls."""

    results: list[R]


class LenientAnswer(Answer[R], Generic[R]):
    """The same, where a job without a row is simply one that nothing is known of."""

    results: Annotated[list[R], list_of_objects]


class DetailRow(ErrorFields):
    """The little that is taken from a row of batch-detail. The rest holds database passwords and ends here."""

    id: RawId = None
    status: Word = None
    # Integer on the page, text in its sample.
    start_time: Number = Field(default=None, validation_alias=AliasPath("inst_info", "start_time"))
    failed_reason: Text = None
    multi_write: Flag = None
    parent_id: Word = None
    job_direction: Word = None
    name: Word = None
    task_type: Word = None
    full_transfer_complete_time: Number = None

    def to_detail(self, job_id: str) -> JobDetail:
        """What the row says of its job."""
        start = self.start_time or 0
        # "0" stands for no schedule. A number that is no instant of our calendar is no schedule either.
        start_time = str(int(start)) if 1 <= start <= LAST_INSTANT_MS else None
        return JobDetail(
            job_id,
            start_time,
            self.failed_reason,
            self.multi_write is True,
            self.parent_id,
            self.job_direction,
            self.name,
            copies_once=_copies_once(self.task_type),
            is_copied=(self.full_transfer_complete_time or 0) > 0,
        )


class SubJobRow(WireModel):
    """A subtask that did not pass an item of a pre-check."""

    id: Word = None
    name: Word = None


class FindingRow(WireModel):
    """One item of a pre-check."""

    item: Word = None
    result: Word = None
    failed_reason: Text = None
    failed_sub_jobs: Annotated[tuple[SubJobRow, ...], objects_only] = ()

    def to_finding(self) -> Finding:
        """The item and why it did not pass, with the subtasks it concerns."""
        names = ", ".join(name for job in self.failed_sub_jobs if (name := job.name or job.id))
        reason = " ".join(filter(None, (self.failed_reason, names and f"(subtasks: {names})")))
        return Finding(self.item or "an item without a name", clean_text(reason))


class PrecheckRow(ErrorFields):
    """One row of batch-precheck-result. It names its pre-check and not its job."""

    precheck_id: Word = None
    process: Number = None
    result: Flag = None
    total_passed_rate: Word = None
    precheck_result: Annotated[tuple[FindingRow, ...], objects_only] = ()

    def to_result(self) -> PrecheckResult:
        """What the pre-check has come to so far."""
        failed, alarms = (
            tuple(row.to_finding() for row in self.precheck_result if (row.result or "").upper() == word)
            for word in ("FAILED", "ALARM")
        )
        is_done = self.process == COMPLETE
        is_good = to_number(self.total_passed_rate) == COMPLETE if self.result is None else self.result
        return PrecheckResult(is_done, is_done and is_good and not failed, failed, alarms)


class ProgressRow(ErrorFields):
    """The little that is taken from a row of batch-progress, which has every number as text."""

    id: RawId = Field(default=None, validation_alias="job_id")
    progress: Number = None
    incre_trans_delay: Number = None
    task_mode: Word = None

    def to_progress(self) -> CopyProgress:
        """How far the copy is. A row with an error tells nothing, and "-1" stands for no delay yet."""
        if self.error_code:
            return CopyProgress()
        percent = self.progress if self.progress is not None and 0 <= self.progress <= COMPLETE else None
        milliseconds = _milliseconds(self.incre_trans_delay, 1000)
        return CopyProgress(percent, None if milliseconds is None else milliseconds / 1000, _copies_once(self.task_mode))


def _copies_once(task_type: str | None) -> bool | None:
    return None if task_type is None else task_type.upper() == "FULL_TRANS"


class ReplicationLagRow(ErrorFields):
    """One row of batch-rpo-and-rto, in milliseconds, or of batch-progress, in seconds."""

    id: RawId = Field(default=None, validation_alias="job_id")
    rpo_delay: Number = Field(default=None, validation_alias=AliasPath("rpo_info", "delay"))
    rto_delay: Number = Field(default=None, validation_alias=AliasPath("rto_info", "delay"))
    incre_trans_delay: Number = None

    def to_lag(self) -> ReplicationLag:
        """The lag, whichever of the calls the row is of. A row with an error tells none, and batch-progress knows no RTO."""
        if self.error_code:
            return ReplicationLag()
        rpo = _milliseconds(self.rpo_delay)
        return ReplicationLag(_milliseconds(self.incre_trans_delay, 1000) if rpo is None else rpo, _milliseconds(self.rto_delay))


def _milliseconds(delay: float | None, factor: int = 1) -> int | None:
    # "-1" stands for not known.
    return math.ceil(delay * factor) if delay is not None and 0 <= delay <= LAST_INSTANT_MS else None


# Made here once, and not by threads that read their first answers at the same time.
Rows = Answer[Row]
DetailRows = LenientAnswer[DetailRow]
PrecheckRows = LenientAnswer[PrecheckRow]
ProgressRows = LenientAnswer[ProgressRow]
ReplicationLagRows = LenientAnswer[ReplicationLagRow]
