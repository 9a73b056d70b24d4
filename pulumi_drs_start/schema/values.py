"""
Checks of single values, whatever they belong to.

Each takes a value and returns its normal form, or raises WrongValueError, whose texts lack their subject, such as ``is empty``.
Values arrive in the open even if the program made them secret, so whoever knows which ones are secret chooses the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..drs.clock import format_seconds
from ..drs.text import closest, quoted
from .dialect import PYTHON, Dialect

# Ids look like UUIDs but are not: they hold letters beyond f. A sandbox may have ids that are easier to read. So only what can't
# be an id at all is refused.
_JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_JOB_ID_OF_DRS = re.compile(r"[A-Za-z0-9]{8}(?:-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12}")
_DURATION = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,8})m)?(?:(\d{1,9})s)?")
_KINDS = {str: "a string", dict: "a dict", list: "a list", bool: "a bool", int: "a number", float: "a number", type(None): "None"}


class WrongValueError(ValueError):
    """A value is not what it should be. Its own text does not show the value.

    Attributes:
        open_text: the same with the value, for one that is not secret.
    """

    def __init__(self, text: str, open_text: str = "") -> None:
        super().__init__(text)
        self.open_text = open_text or text

    def told(self, *, is_secret: bool) -> str:
        """What is wrong."""
        return str(self) if is_secret else self.open_text


class WrongTypeError(WrongValueError, TypeError):
    """A value is of another type than it should be."""


def got(problem: str, value: Any, hint: str = "") -> tuple[str, str]:
    """The texts of an error that says what a value must be."""
    return f"{problem}; got {kind_of(value)} that is secret", f"{problem}; got {shown(value)}{hint}"


def shown(value: Any) -> str:
    """A value, or what kind of value it is if it has parts."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, float) and value.is_integer():
        # Pulumi makes every number a float.
        return str(int(value))
    return str(value) if isinstance(value, (bool, int, float)) else kind_of(value)


def did_you_mean(value: Any, words: Sequence[str], mark: str = '"') -> str:
    """A hint at the word that was probably meant, to follow the value; empty if none is close."""
    close = closest(value, words) if isinstance(value, str) else None
    return f"; did you mean {mark}{close}{mark}?" if close else ""


def kind_of(value: Any) -> str:
    """What kind of value this is, without showing it."""
    return _KINDS.get(type(value), f"a {type(value).__name__}")


def text(value: Any) -> str:
    """A text that is not empty, without the blanks around it."""
    if not isinstance(value, str):
        raise WrongTypeError(*got("must be a string", value))
    if not value.strip():
        raise WrongValueError("is empty: leave it out, or give a value")
    return value.strip()


def items(value: Any, what: str) -> list[Any]:
    """The items of a list or of anything else that has some; `what` says what is expected: ``a list of job ids``."""
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise WrongTypeError(*got(f"must be {what}", value))
    return list(value)


def is_job_id(text: str) -> bool:
    """Whether a text can be the id of a job."""
    return _JOB_ID.fullmatch(text) is not None


def looks_like_job_id(text: str) -> bool:
    """Whether a text has the form of the ids that DRS gives: 36 letters, digits and hyphens, in the layout of a UUID."""
    return _JOB_ID_OF_DRS.fullmatch(text) is not None


def job_id(value: Any, dialect: Dialect = PYTHON) -> str:
    """The id of a job, as far as its form tells."""
    if not isinstance(value, str):
        raise WrongTypeError(*got("must be a job id, a string", value))
    if not value.strip():
        raise WrongValueError("is empty")
    if not is_job_id(value):
        text = "is not a job id (36 characters, as the DRS console shows it)"
        if is_job_id(value.strip()):
            hint = "take away the blanks around it"
        else:
            name = quoted(value)[1:-1] if dialect.is_camel else quoted(value)
            hint = f"to use a name: {dialect.call('find_jobs', {'name': name})}"
        raise WrongValueError(text, f"{quoted(value)} {text}; {hint}")
    return value


def word(value: Any, words: Sequence[str]) -> str:
    """One of these words."""
    if value not in words:
        *most, last = [f'"{one}"' for one in words]
        raise WrongValueError(*got(f"must be {', '.join(most)} or {last}", value, did_you_mean(value, words)))
    return str(value)


def flag(value: Any, true: str, false: str) -> bool:
    """True or False; `true` and `false` are the program's words for them."""
    if not isinstance(value, bool):
        raise WrongTypeError(*got(f"must be {true} or {false}", value, did_you_mean(value, (true, false), mark="")))
    return value


def seconds(value: Any, *, may_be_zero: bool = False) -> float:
    """The seconds of a duration: ``90s``, ``30m``, ``2h``, ``1h30m``."""
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    total = sum(int(part or 0) * size for part, size in zip(match.groups(), (3600, 60, 1), strict=True)) if match else 0
    is_zero = match is not None and total == 0 and any(match.groups())
    if total <= 0 and not (may_be_zero and is_zero):
        least = "" if may_be_zero else ", more than zero"
        raise WrongValueError(*got(f'must be a duration such as "90s", "30m" or "2h"{least}', value))
    return float(total)


def duration(value: Any, *, may_be_zero: bool = False) -> str:
    """A duration in its shortest form: ``90m`` and ``1h30m`` are ``90m``."""
    return format_seconds(seconds(value, may_be_zero=may_be_zero))
