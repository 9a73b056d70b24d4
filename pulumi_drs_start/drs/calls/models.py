"""
The DRS API's messages, as they are on the wire.

Its spellings (`error_msg` here, `error_message` there) and its odd types end in this module.
Unknown fields are tolerated: Huawei Cloud and newer versions send more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from ..errors import ServiceRefusedError
from ..http.redaction import LONG, redacted

LONGEST_TEXT = 1000

MISSING_STATUS = "MISSING"
"""What we show as the status of a job that DRS does not know; not a word of DRS's."""

# Escape sequences, control characters, and what turns the direction of text. Lone surrogates can't be encoded anywhere.
_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def clean_text(text: str, limit: int = LONGEST_TEXT) -> str:
    """Text of the service made fit to be shown: one line, no terminal escapes, not endless, none of our secrets."""
    return _one_line(redacted(text, limit * 4), limit)


def clean_word(text: str, limit: int = LONGEST_TEXT) -> str:
    """The same for what is compared as well as shown, such as names and statuses."""
    return _one_line(redacted(text, limit * 4, shortest=LONG), limit)


def _one_line(text: str, limit: int) -> str:
    flat = " ".join(_CONTROL.sub(" ", text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def _to_text(value: Any) -> str | None:
    """Text where there is some. An odd type costs the field and not the row, nor the rows beside it."""
    return (clean_text(str(value)) or None) if _is_textual(value) else None


def _to_word(value: Any) -> str | None:
    return (clean_word(str(value)) or None) if _is_textual(value) else None


def _to_id(value: Any) -> str | None:
    """As it is: what only looks like a job's id after cleaning is another one."""
    return str(value) if _is_textual(value) else None


def _is_textual(value: Any) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


# Texts are shown; words are compared as well.
AnyText = Annotated[str | None, BeforeValidator(_to_text)]
AnyWord = Annotated[str | None, BeforeValidator(_to_word)]
_Id = Annotated[str | None, BeforeValidator(_to_id)]


class Row(BaseModel):
    """One row of an answer: what the call means for one job."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    id: _Id = None
    status: AnyWord = None
    precheck_id: AnyWord = None
    error_code: AnyText = None
    error_text: AnyText = Field(default=None, validation_alias=AliasChoices("error_message", "error_msg"))


class Answer(BaseModel):
    """The success envelope of the batch calls."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    results: list[Row]


class FailureEnvelope(BaseModel):
    """The failure envelope, the gateway's variant included."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    error_code: AnyText = None
    error_text: AnyText = Field(default=None, validation_alias=AliasChoices("error_msg", "error_message", "message"))
    request_id: AnyText = None


@dataclass(frozen=True, slots=True)
class JobStatus:
    """What DRS says of a job.

    Attributes:
        job_id: the job.
        status: DRS's own word, or `MISSING_STATUS` for a job that it does not know.
        error_code: DRS's code, where it gave one with the status.
        error_message: DRS's text, likewise.
    """

    job_id: str
    status: str
    error_code: str | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class StartRequest:
    """One job to be started.

    Attributes:
        job_id: the job.
        start_time: milliseconds since the epoch as text, as the API takes it; None for now.
    """

    job_id: str
    start_time: str | None = None

    def to_wire(self) -> dict[str, str]:
        """The element of the request's ``jobs``."""
        if self.start_time is None:
            return {"job_id": self.job_id}
        return {"job_id": self.job_id, "start_time": self.start_time}


@dataclass(frozen=True, slots=True)
class ActionAnswer:
    """What one call that changes jobs came to, job by job.

    Attributes:
        accepted: DRS does it to these.
        refused: DRS does not do it to these; why.
        unanswered: asked for, but absent from the answer: nothing is known of them.
    """

    accepted: frozenset[str]
    refused: Mapping[str, ServiceRefusedError]
    unanswered: frozenset[str]


@dataclass(frozen=True, slots=True)
class PrecheckAnswer(ActionAnswer):
    """What one batch-precheck call came to.

    Attributes:
        precheck_ids: of the accepted jobs, where DRS gave one.
    """

    precheck_ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a pre-check says of one item.

    Attributes:
        item: what was checked, in DRS's words.
        reason: what is wrong with it, likewise; may be empty.
    """

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
        passed_rate: DRS's own word, such as ``95%``.
    """

    is_done: bool
    has_passed: bool
    failed: tuple[Finding, ...]
    alarms: tuple[Finding, ...]
    passed_rate: str | None


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
    """What only the details of a job tell.

    Attributes:
        job_id: the job.
        start_time: when a scheduled start happens, milliseconds since the epoch as text; None without a schedule.
        failed_reason: why the job failed, in DRS's words.
        multi_write: part of dual-active disaster recovery.
        parent_id: the task this is a subtask of.
        job_direction: ``up``, ``down`` or ``non-dbs``.
    """

    job_id: str
    start_time: str | None = None
    failed_reason: str | None = None
    multi_write: bool = False
    parent_id: str | None = None
    job_direction: str | None = None


@dataclass(frozen=True, slots=True)
class ReplicationLag:
    """How far the copy is behind in disaster recovery; None is not known.

    Attributes:
        rpo_ms: how much would be lost if the source failed now, in milliseconds.
        rto_ms: how long it would take to switch over, in milliseconds.
    """

    rpo_ms: int | None = None
    rto_ms: int | None = None
