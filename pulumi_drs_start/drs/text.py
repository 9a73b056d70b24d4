"""
Words for values, and texts that others wrote made fit to be shown.
"""

from __future__ import annotations

import re

from .http.redaction import LONG, redacted

LONGEST_TEXT = 1000

# Escape sequences, control characters, and what turns the direction of text. Lone surrogates can't be encoded anywhere.
_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def format_seconds(seconds: float) -> str:
    """``90`` -> ``90s``, ``3600`` -> ``60m``, ``7200`` -> ``2h``; what a user would type."""
    if seconds >= 7200 and seconds % 3600 == 0:
        return f"{seconds / 3600:g}h"
    if seconds >= 120 and seconds % 60 == 0:
        return f"{seconds / 60:g}m"
    return f"{seconds:g}s"


def clean_text(text: str, limit: int = LONGEST_TEXT) -> str:
    """One line, no terminal escapes, no secret of this process, and at most `limit` characters."""
    return _one_line(redacted(text, limit * 4), limit)


def clean_word(text: str, limit: int = LONGEST_TEXT) -> str:
    """The same for what is compared as well as shown, such as names and statuses, which may contain a short secret."""
    return _one_line(redacted(text, limit * 4, shortest=LONG), limit)


def _one_line(text: str, limit: int) -> str:
    flat = " ".join(_CONTROL.sub(" ", text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
