"""
Checks of single values, whatever they belong to.

Each takes a value and returns its normal form, or raises ValueError or TypeError with a text that lacks its subject, such as
``is empty``. No text quotes a string: strings arrive in the open even if the program made them secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..drs.clock import format_seconds

# Ids look like UUIDs but are not: they hold letters beyond f. So only what can't be an id at all is refused.
_JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_UUID_LAYOUT = re.compile(r"[A-Za-z0-9]{8}(?:-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12}")
_DURATION = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,8})m)?(?:(\d{1,9})s)?")
_KINDS = {str: "a string", dict: "a dict", list: "a list", bool: "a bool", int: "an int", type(None): "None"}


def kind_of(value: Any) -> str:
    """What kind of value this is, without showing it."""
    return _KINDS.get(type(value), f"a {type(value).__name__}")


def text(value: Any) -> str:
    """A text that is not empty, without the blanks around it."""
    if not isinstance(value, str):
        raise TypeError(f"must be a string; got {kind_of(value)}")
    if not value.strip():
        raise ValueError("is empty: leave it out, or give a value")
    return value.strip()


def items(value: Any, what: str) -> list[Any]:
    """The items of a list or of anything else that has some; `what` says what is expected: ``a list of job ids``."""
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise TypeError(f"must be {what}; got {kind_of(value)}")
    return list(value)


def is_job_id(text: str) -> bool:
    """Whether a text can be the id of a job."""
    return _JOB_ID.fullmatch(text) is not None


def looks_like_job_id(text: str) -> bool:
    """Whether a text has the form of DRS's own ids: 36 characters, in groups as a UUID has them."""
    return _UUID_LAYOUT.fullmatch(text) is not None


def job_id(value: Any) -> str:
    """The id of a job, as far as its form tells."""
    if not isinstance(value, str):
        raise TypeError(f"must be a job id, a string; got {kind_of(value)}")
    if not value.strip():
        raise ValueError("is empty")
    if not is_job_id(value):
        raise ValueError("is not a job id: letters, digits, hyphens, as the DRS console shows it")
    return value


def word(value: Any, words: Sequence[str]) -> str:
    """One of these words."""
    if value not in words:
        quoted = [f'"{one}"' for one in words]
        raise ValueError(f"must be {', '.join(quoted[:-1])} or {quoted[-1]}; got {_shown(value)}")
    return str(value)


def flag(value: Any, true: str, false: str) -> bool:
    """True or False; `true` and `false` are the program's words for them."""
    if not isinstance(value, bool):
        raise TypeError(f"must be {true} or {false}; got {_shown(value)}")
    return value


def seconds(value: Any) -> float:
    """The seconds of a duration: ``90s``, ``30m``, ``2h``, ``1h30m``."""
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    total = sum(int(part or 0) * size for part, size in zip(match.groups(), (3600, 60, 1), strict=True)) if match else 0
    if total <= 0:
        raise ValueError(f'must be a duration such as "90s", "30m" or "2h"; got {_shown(value)}')
    return float(total)


def duration(value: Any) -> str:
    """A duration in its shortest form: ``90m`` and ``1h30m`` are ``90m``."""
    return format_seconds(seconds(value))


def _shown(value: Any) -> str:
    if isinstance(value, (bool, int, float)):
        # Pulumi makes every number a float.
        return f"{value:g}" if isinstance(value, float) else str(value)
    return "another text" if isinstance(value, str) else kind_of(value)
