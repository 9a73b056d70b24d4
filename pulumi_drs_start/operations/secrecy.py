"""
Keeps ids, times and places that the program made secret out of messages, where texts of others repeat them.

Messages of this package count jobs that are secret and do not name them (`JobNames`).

The host hands secret inputs to a provider in the open, so the program says which ones are secret (`SECRET_INPUTS`). Pulumi
encrypts an output where an input of the same name is secret, so the program has a secret input for each output that repeats
their values (`REPEATING`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from ..drs.text import quoted
from ..schema.fields import PLACE_INPUTS, REPEATED
from ..schema.inputs import recorded_ids, secret_names
from ..schema.times import parse_start_time, to_iso

HIDDEN = "[secret]"


def concealing(bags: Iterable[Mapping[str, Any]]) -> Callable[[str], str]:
    """A function that takes out of a text the jobs, times and places that are secret in these inputs and outputs."""
    hidden: set[str] = set()
    for bag in bags:
        names = secret_names(bag)
        jobs, rows = bag.get("jobs"), bag.get("job_statuses")
        rows = rows if isinstance(rows, Mapping) else {}
        if "jobs" in names:
            hidden.update(filter(None, [*recorded_ids(bag), *rows]))
        for name in names.intersection(PLACE_INPUTS):
            value = str(bag.get(name) or "")
            hidden |= {value, quoted(value)[1:-1]} - {""}
        if names.intersection(REPEATED):
            parts = [bag, *rows.values(), *(jobs if isinstance(jobs, list) else [])]
            hidden.update(*(_spellings(part.get("start_time")) for part in parts if isinstance(part, Mapping)))

    def conceal(text: str) -> str:
        present = sorted((one for one in hidden if one in text), key=len, reverse=True)
        if not present:
            return text
        pattern = "|".join(re.escape(one) for one in present)
        return re.sub(rf"(?<![\w-])(?:{pattern})(?![\w-])", HIDDEN, text)

    return conceal


def _spellings(value: Any) -> set[str]:
    """A time as it was declared, and as DRS, the state and messages have it."""
    spellings = {value} if isinstance(value, str) and value else set()
    with suppress(ValueError):
        milliseconds = parse_start_time(value)
        spellings |= {str(milliseconds), to_iso(milliseconds)}
    return spellings
