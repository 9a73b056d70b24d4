"""
Points in time, as programs write them and as people read them.

Inside the package a scheduled start is a whole number of milliseconds since the epoch, as in the API ("Starting Tasks in
Batches"). Inputs, outputs and messages have RFC 3339 in UTC.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from .values import WrongValueError, got, shown

_AWARE = TypeAdapter(AwareDatetime)
_EPOCH = datetime.fromtimestamp(0, timezone.utc)
_LOOKS_LIKE_A_TIME = re.compile(r"\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}.*)?", re.ASCII)
_ENDS_WITH_ZONE = re.compile(r"(?:[Zz]|[+-]\d{2}:?\d{2})$", re.ASCII)
_DIGITS = re.compile(r"\d{1,20}", re.ASCII)

# 1973 and 5138: a number outside of these is not in milliseconds.
_SMALLEST_MS = 100_000_000_000
_LARGEST_MS = 99_999_999_999_999
_EXAMPLES = 'such as "2026-12-01T02:00:00+01:00", or milliseconds since the epoch'


def parse_start_time(value: Any) -> int:
    """Milliseconds since the epoch of a time as programs write it: RFC 3339 with a zone, or milliseconds as text or number.

    Raises:
        WrongValueError: with a hint at what was probably meant.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise WrongValueError(*got(f"must be a time {_EXAMPLES}", value))
    if isinstance(value, str):
        text = value.strip()
        if _DIGITS.fullmatch(text):
            return _from_number(int(text))
        return _from_number(_from_text(text))
    if isinstance(value, float) and not value.is_integer():
        problem = "must be whole milliseconds since the epoch; a fraction looks like seconds: multiply by 1000"
        raise WrongValueError(*got(problem, value))
    return _from_number(int(value))


def _from_number(number: int) -> int:
    if number < _SMALLEST_MS:
        problem = "must be milliseconds since the epoch; so small a number looks like seconds: multiply by 1000"
        raise WrongValueError(*got(problem, number))
    if number > _LARGEST_MS:
        problem = "must be milliseconds since the epoch; so large a number looks like micro- or nanoseconds"
        raise WrongValueError(*got(problem, number))
    return number


def _from_text(text: str) -> int:
    if not _LOOKS_LIKE_A_TIME.fullmatch(text):
        raise WrongValueError(*got(f"must be a time {_EXAMPLES}; words such as tomorrow are not understood", text))
    if not _ENDS_WITH_ZONE.search(text):
        problem = f"has no time zone, or is incomplete: write it in full with its zone, {_EXAMPLES}"
        raise WrongValueError(problem, f"{shown(text)} {problem}")
    try:
        return (_AWARE.validate_python(text) - _EPOCH) // timedelta(milliseconds=1)
    except ValidationError:
        problem = f"is not a time of the calendar: write one {_EXAMPLES}"
        raise WrongValueError(problem, f"{shown(text)} {problem}") from None


def to_iso(milliseconds: int) -> str:
    """``2026-12-01T01:00:00Z``; with a fraction only where there is one."""
    seconds, rest = divmod(milliseconds, 1000)
    text = datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:03}Z" if rest else f"{text}Z"


def seconds_to_iso(seconds: float) -> str:
    """The same of seconds since the epoch, to the millisecond."""
    return to_iso(round(seconds * 1000))


def iso_to_ms(text: Any) -> int | None:
    """Milliseconds since the epoch of what `to_iso` wrote; None for anything else."""
    try:
        return _from_text(text) if isinstance(text, str) else None
    except ValueError:
        return None


def iso_to_seconds(text: Any) -> float | None:
    """Seconds since the epoch of what `seconds_to_iso` wrote; None for anything else."""
    milliseconds = iso_to_ms(text)
    return None if milliseconds is None else milliseconds / 1000
