"""
Words that several messages share: jobs counted and named, singular and plural, the words for a request.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ..reconcile.record import Action
from .times import to_iso

NAMED = 3
"""How many jobs are named before the rest is counted."""


@dataclass(frozen=True, slots=True)
class Verb:
    """The words for a request: ``will pause``, ``was paused``, ``the pause``; `never` is of "nothing is … twice"."""

    will: str
    done: str
    noun: str
    never: str
    ending: str = ""


VERBS = {
    Action.START: Verb("start", "started", "start", "started"),
    Action.SCHEDULE: Verb("schedule", "scheduled", "scheduled start", "started"),
    Action.PRECHECK: Verb("pre-check, and start if that passes,", "pre-checked", "pre-check", "checked"),
    Action.RESUME: Verb("resume", "resumed", "resumption", "resumed"),
    Action.PAUSE: Verb("pause", "paused", "pause", "paused"),
    Action.STOP: Verb("STOP", "stopped", "stop", "stopped", " for good"),
}


def count_jobs(count: int) -> str:
    """``1 job``, ``1,000 jobs``."""
    return f"{count:,} job" if count == 1 else f"{count:,} jobs"


def name_jobs(job_ids: Collection[str]) -> str:
    """``a, b, c and 997 more``."""
    ids = list(job_ids)
    if len(ids) <= NAMED + 1:
        return ", ".join(ids)
    return f"{', '.join(ids[:NAMED])} and {len(ids) - NAMED:,} more"


def jobs_named(job_ids: Collection[str]) -> str:
    """``3 jobs (a, b, c)``."""
    return f"{count_jobs(len(job_ids))} ({name_jobs(job_ids)})"


def it(count: int, singular: str = "it", plural: str = "they") -> str:
    return singular if count == 1 else plural


def plural(sentence: str, count: int) -> str:
    """A sentence about one job, for `count` of them: ``is running`` -> ``are running``."""
    if count == 1:
        return sentence
    first, _, rest = sentence.partition(" ")
    return f"{_PLURALS.get(first, first)} {rest}".rstrip()


_PLURALS = {"is": "are", "was": "were", "has": "have", "fails": "fail", "waits": "wait", "it": "they"}


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Job ids by what is said of them, from pairs of a text and an id."""
    groups: dict[str, list[str]] = {}
    for text, job_id in pairs:
        groups.setdefault(text, []).append(job_id)
    return groups


def when(milliseconds: int | None) -> str:
    return f"at {to_iso(milliseconds)}" if milliseconds is not None else "now"
