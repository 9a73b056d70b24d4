"""
The rows of the calls that read more than a status, as they are on the wire.

They are read leniently: a field of an odd type is not known, and costs neither its row nor the rows beside it. Only what is
named here leaves an answer; rows of details hold database passwords.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from .models import AnyText, AnyWord, Finding, JobDetail, PrecheckResult, ReplicationLag, clean_text

# The end of the year 9999.
LAST_INSTANT_MS = 253_402_300_799_999
COMPLETE = 100.0


def _to_flag(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def _to_number(value: Any) -> float | None:
    """Numbers are strings in the documents. What is no finite number, such as ``NA``, is not known."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        # Python reads "1_000" as a number; nobody else writes one so.
        number = float("no number" if isinstance(value, str) and "_" in value else value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _to_percent(value: Any) -> float | None:
    return _to_number(value.strip().removesuffix("%") if isinstance(value, str) else value)


def _to_object(value: Any) -> Any:
    return value if isinstance(value, dict) else {}


def _only_objects(value: Any) -> Any:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else value


def _any_objects(value: Any) -> Any:
    return _only_objects(value) if isinstance(value, list) else []


_Flag = Annotated[bool | None, BeforeValidator(_to_flag)]
_Number = Annotated[float | None, BeforeValidator(_to_number)]
_Percent = Annotated[float | None, BeforeValidator(_to_percent)]


class _LooseRow(BaseModel):
    """A row that is read field by field: only `results` itself has to be in shape."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    error_code: AnyText = None
    error_text: AnyText = Field(default=None, validation_alias=AliasChoices("error_message", "error_msg"))


class InstanceInfo(BaseModel):
    """Of a job's instance, the schedule alone."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    # Integer on the page, text in its sample.
    start_time: _Number = None


class DetailRow(_LooseRow):
    """The little that is taken from a row of batch-detail. The rest holds database passwords and ends here."""

    id: AnyWord = None
    status: AnyWord = None
    inst_info: Annotated[InstanceInfo, BeforeValidator(_to_object)] = InstanceInfo()
    failed_reason: AnyText = None
    multi_write: _Flag = None
    parent_id: AnyWord = None
    job_direction: AnyWord = None

    def to_detail(self, job_id: str) -> JobDetail:
        """What the row says of its job."""
        start = self.inst_info.start_time or 0
        # "0" stands for no schedule. A number that is no instant of our calendar is no schedule either.
        start_time = str(int(start)) if 1 <= start <= LAST_INSTANT_MS else None
        return JobDetail(job_id, start_time, self.failed_reason, self.multi_write is True, self.parent_id, self.job_direction)


class DetailAnswer(BaseModel):
    """The success envelope of batch-detail."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    results: Annotated[list[DetailRow], BeforeValidator(_only_objects)]


class SubJobRow(BaseModel):
    """A subtask that did not pass an item of a pre-check."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    id: AnyWord = None
    name: AnyWord = None


class FindingRow(BaseModel):
    """One item of a pre-check."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    item: AnyWord = None
    result: AnyWord = None
    failed_reason: AnyText = None
    failed_sub_jobs: Annotated[list[SubJobRow], BeforeValidator(_any_objects)] = []

    def to_finding(self) -> Finding:
        """The item and why it did not pass, with the subtasks it concerns."""
        names = ", ".join(name for job in self.failed_sub_jobs if (name := job.name or job.id))
        reason = " ".join(filter(None, (self.failed_reason, names and f"(subtasks: {names})")))
        return Finding(self.item or "an item without a name", clean_text(reason))


class PrecheckRow(_LooseRow):
    """One row of batch-precheck-result. It names its pre-check and not its job."""

    precheck_id: AnyWord = None
    process: _Percent = None
    result: _Flag = None
    total_passed_rate: AnyWord = None
    precheck_result: Annotated[list[FindingRow], BeforeValidator(_any_objects)] = []

    def to_result(self) -> PrecheckResult:
        """What the pre-check has come to so far."""
        by_result: dict[str, list[Finding]] = {}
        for row in self.precheck_result:
            by_result.setdefault((row.result or "").upper(), []).append(row.to_finding())
        failed, alarms = (tuple(by_result.get(word, ())) for word in ("FAILED", "ALARM"))
        is_done = self.process == COMPLETE
        is_good = _to_percent(self.total_passed_rate) == COMPLETE if self.result is None else self.result
        return PrecheckResult(is_done, is_done and is_good and not failed, failed, alarms, self.total_passed_rate)


class PrecheckResultAnswer(BaseModel):
    """The success envelope of batch-precheck-result."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    results: Annotated[list[PrecheckRow], BeforeValidator(_only_objects)]


class DelayInfo(BaseModel):
    """Of a recovery point or time, how far it is behind."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    delay: _Number = None


class ReplicationLagRow(_LooseRow):
    """One row of batch-rpo-and-rto, in milliseconds, or of batch-progress, in seconds."""

    job_id: AnyWord = None
    rpo_info: Annotated[DelayInfo, BeforeValidator(_to_object)] = DelayInfo()
    rto_info: Annotated[DelayInfo, BeforeValidator(_to_object)] = DelayInfo()
    incre_trans_delay: _Number = None

    def to_lag(self) -> ReplicationLag:
        """The lag as batch-rpo-and-rto says it."""
        return ReplicationLag(_milliseconds(self.rpo_info.delay), _milliseconds(self.rto_info.delay))

    def to_progress_lag(self) -> ReplicationLag:
        """The lag as batch-progress says it, which knows no RTO."""
        return ReplicationLag(_milliseconds(self.incre_trans_delay, 1000), None)


def _milliseconds(delay: float | None, factor: int = 1) -> int | None:
    # "-1" stands for not known.
    return math.ceil(delay * factor) if delay is not None and 0 <= delay <= LAST_INSTANT_MS else None


class LagAnswer(BaseModel):
    """The success envelope of batch-rpo-and-rto and batch-progress."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    results: Annotated[list[ReplicationLagRow], BeforeValidator(_only_objects)]
