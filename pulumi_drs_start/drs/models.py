"""
The DRS API's messages, as they are on the wire.

Its spellings (`error_msg` here, `error_message` there) and its odd types end in this module.
Unknown fields are tolerated: Huawei Cloud and newer versions send more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from .errors import ServiceRefusedError

LONGEST_TEXT = 1000
# Escape sequences, control characters, and what turns the direction of text. Lone surrogates can't be encoded anywhere.
_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def clean_text(text: str, limit: int = LONGEST_TEXT) -> str:
    """Text of the service made fit to be shown: one line, no terminal escapes, not endless."""
    flat = " ".join(_CONTROL.sub(" ", text[: limit * 4]).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def _to_text(value: Any) -> Any:
    """Codes and texts are strings in the documents; a null or a number must not cost us the row."""
    if isinstance(value, (int, float)):
        return str(value)
    return clean_text(value) if isinstance(value, str) else value


_Text = Annotated[str | None, BeforeValidator(_to_text)]


class Row(BaseModel):
    """One row of an answer: what the call means for one job."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    id: str | None = None
    status: _Text = None
    error_code: _Text = None
    error_text: _Text = Field(default=None, validation_alias=AliasChoices("error_message", "error_msg"))


class Answer(BaseModel):
    """The success envelope of the batch calls."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    results: list[Row]


class DetailRow(BaseModel):
    """The little that is taken from a row of batch-detail. The rest holds database passwords and ends here."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    id: str | None = None
    failed_reason: _Text = None


class DetailAnswer(BaseModel):
    """The success envelope of batch-detail."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    results: list[DetailRow]


class FailureEnvelope(BaseModel):
    """The failure envelope, the gateway's variant included."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    error_code: _Text = None
    error_text: _Text = Field(default=None, validation_alias=AliasChoices("error_msg", "error_message", "message"))
    request_id: _Text = None


@dataclass(frozen=True, slots=True)
class JobStatus:
    """What DRS says of a job.

    Attributes:
        job_id: the job.
        status: DRS's own word, or `pulumi_drs_start.status.MISSING_STATUS` for a job that it does not know.
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
class StartAnswer:
    """What one batch-starting call came to, job by job.

    Attributes:
        accepted: DRS starts these.
        refused: DRS does not start these; why.
        unanswered: asked for, but absent from the answer: nothing is known of them.
    """

    accepted: frozenset[str]
    refused: Mapping[str, ServiceRefusedError]
    unanswered: frozenset[str]
