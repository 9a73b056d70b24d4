"""
What the models of DRS's answers share.

DRS documents the types of fields loosely and keeps to them even less, and Huawei Cloud sends more fields. So a field of an odd
type is None, and costs neither its row nor the rows beside it. Only fields that a model names are kept.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from .errors import ServiceRefusedError, refusal_for
from .text import clean_text, clean_word


def _to_raw(value: Any) -> str | None:
    return str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None


def _to_text(value: Any) -> str | None:
    return clean_text(_to_raw(value) or "") or None


def to_word(value: Any) -> str | None:
    """Cleaned text that is compared as well as shown; None where there is none."""
    return clean_word(_to_raw(value) or "") or None


def _to_flag(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def to_number(value: Any) -> float | None:
    """Numbers are text in the documents, percentages too. What is no finite number, such as ``NA``, is None."""
    text = _to_raw(value)
    # Python reads "1_000" as a number; nobody else writes one so.
    if text is None or "_" in text:
        return None
    try:
        number = float(text.strip().removesuffix("%"))
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _to_objects(value: Any) -> Any:
    return [item for item in value if isinstance(item, (dict, BaseModel))] if isinstance(value, (list, tuple)) else []


def _keep_objects(value: Any) -> Any:
    return _to_objects(value) if isinstance(value, list) else value


# An id is kept as it is: what only looks like a job's id after cleaning is another one.
RawId = Annotated[str | None, BeforeValidator(_to_raw)]
# Texts are shown; words are compared as well.
Text = Annotated[str | None, BeforeValidator(_to_text)]
Word = Annotated[str | None, BeforeValidator(to_word)]
Flag = Annotated[bool | None, BeforeValidator(_to_flag)]
Number = Annotated[float | None, BeforeValidator(to_number)]
objects_only = BeforeValidator(_to_objects)
"""Makes a list of what there is in place of one: items that are no objects are dropped, and what is no list is empty."""
list_of_objects = BeforeValidator(_keep_objects)
"""Drops the items of a list that are no objects. What is no list is an error."""


class WireModel(BaseModel):
    """A part of an answer. Never quoted in errors: rows of details hold database passwords."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class ErrorFields(WireModel):
    """The error of an answer or a row, in either spelling of its text."""

    error_code: Text = None
    error_text: Text = Field(default=None, validation_alias=AliasChoices("error_message", "error_msg"))

    def refusal(self, status: int, **facts: Any) -> ServiceRefusedError:
        """The error of the right class. Takes what `refusal_for` takes."""
        return refusal_for(self.error_code or "", self.error_text or "", status=status, **facts)


class Row(ErrorFields):
    """What a call that changes jobs, or reads their statuses, answers for one job."""

    id: RawId = None
    status: Word = None
    precheck_id: Word = None
