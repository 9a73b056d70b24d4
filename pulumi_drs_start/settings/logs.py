"""
Our log on stderr, where DRS_LOG asks for it: a line for each call of DRS and IAM, and why things are asked again.

Pulumi shows what its plugins write to stderr on the stack's row, so nothing is written unasked.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping

from ..drs.text import closest, quoted, redacted

VARIABLE = "DRS_LOG"
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}

_ours = logging.getLogger(__name__.partition(".")[0])


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        # Log lines hold no secrets; an exception that a library raised may.
        return redacted(super().format(record))


def log_where_asked(environment: Mapping[str, str] = os.environ) -> None:
    """Log as DRS_LOG says (``debug``, ``info`` or ``warning``), from now on. Anything else is as good as nothing."""
    level = LEVELS.get(_asked(environment))
    if level is None or any(isinstance(handler.formatter, _Formatter) for handler in _ours.handlers):
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    handler.setLevel(level)
    _ours.addHandler(handler)
    # Never raised: the program's own handlers may be given more than is asked of this one.
    if _ours.getEffectiveLevel() > level:
        _ours.setLevel(level)


def unknown_level(environment: Mapping[str, str] = os.environ) -> list[str]:
    """What is to be said of a DRS_LOG that means nothing."""
    asked = _asked(environment)
    if not asked or asked in LEVELS:
        return []
    close = closest(asked, LEVELS)
    hint = f'; did you mean "{close}"?' if close else ""
    return [f'{VARIABLE} must be "debug", "info" or "warning"; got {quoted(asked)}{hint}']


def _asked(environment: Mapping[str, str]) -> str:
    return environment.get(VARIABLE, "").strip().lower()
