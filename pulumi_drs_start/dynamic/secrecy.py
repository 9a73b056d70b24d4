"""
Keeps ids and times that the program made secret out of messages: they are counted there, not named.

The host hands secret inputs to a provider in the open, so the program says which ones are secret (`SECRET_INPUTS`). Pulumi
encrypts an output where an input of the same name is secret, so the program has a secret input for each output that repeats
their values (`REPEATING`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..schema.fields import SECRET_INPUTS
from ..schema.times import parse_start_time, to_iso

HIDDEN = "[secret]"
_LISTED = re.compile(rf" \((?:{re.escape(HIDDEN)}(?:, | and )?)+(?:[\d,]+ more)?\)")


def concealing(bags: Iterable[Mapping[str, Any]]) -> Callable[[str], str]:
    """A function that takes out of a text what is secret in these inputs and outputs."""
    hidden: set[str] = set()
    for bag in bags:
        names = str(bag.get(SECRET_INPUTS) or "").split()
        rows = bag.get("job_statuses")
        jobs = [job if isinstance(job, Mapping) else {"job_id": job} for job in _list(bag.get("jobs"))]
        times = [bag.get("start_time"), *(row.get("start_time") for row in _rows(rows).values())]
        if "jobs" in names:
            hidden.update(_texts([*(job.get("job_id") for job in jobs), *_rows(rows)]))
        if names:
            for value in [*times, *(job.get("start_time") for job in jobs)]:
                hidden.update(_spellings(value))
    if not hidden:
        return lambda text: text

    def conceal(text: str) -> str:
        present = sorted((one for one in hidden if one in text), key=len, reverse=True)
        if not present:
            return text
        pattern = "|".join(re.escape(one) for one in present)
        return _LISTED.sub("", re.sub(rf"(?<![\w-])(?:{pattern})(?![\w-])", HIDDEN, text))

    return conceal


def _spellings(value: Any) -> set[str]:
    """A time as it was declared, and as DRS, the state and messages have it."""
    try:
        milliseconds = parse_start_time(value)
    except ValueError:
        return _texts([value])
    return _texts([value]) | {str(milliseconds), to_iso(milliseconds)}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _rows(value: Any) -> dict[str, Mapping[str, Any]]:
    return {job_id: row for job_id, row in value.items() if isinstance(row, Mapping)} if isinstance(value, Mapping) else {}


def _texts(values: Iterable[Any]) -> set[str]:
    return {value for value in values if isinstance(value, str) and value}
