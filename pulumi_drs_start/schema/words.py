"""
Words that several messages share: jobs counted and named, singular and plural, the words for a request.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from ..reconcile.record import Action
from .times import to_iso

NAMED = 3
"""How many jobs are named before the rest is counted."""

SHORT_ID = 8
"""How much of an id stands beside a name."""

_T = TypeVar("_T")

_FORMS = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")


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


@dataclass(slots=True)
class JobNames:
    """What jobs are called in messages: ``crm-orders (20e98ed2…)``, or the id where no name is known.

    Attributes:
        is_secret: the program made the jobs secret, so they are counted and never named.
    """

    is_secret: bool = False
    _names: dict[str, str] = field(default_factory=dict)
    _bearers: dict[str, set[str]] = field(default_factory=dict)

    def learn(self, names: Mapping[str, str | None], *, are_old: bool = False) -> None:
        """Take note of names, by job id. Old ones count for nothing where a name is known."""
        for job_id, name in names.items():
            known = self._names.get(job_id)
            if name and known != name and not (known and are_old):
                self._names[job_id] = name
                self._bearers.setdefault(f"{name} ({_short(job_id)})", set()).add(job_id)

    @property
    def known(self) -> Mapping[str, str]:
        """The names, by job id."""
        return self._names

    def of(self, job_id: str) -> str:
        """What one job is called. Where two would be called the same, the whole id is given."""
        if self.is_secret:
            return "[secret]"
        if not (name := self._names.get(job_id)):
            return job_id
        called = f"{name} ({_short(job_id)})"
        return called if len(self._bearers[called]) == 1 else f"{name} ({job_id})"

    def listed(self, job_ids: Collection[str], most: int = NAMED) -> str:
        """``a, b, c and 997 more``; nothing if they are secret."""
        if self.is_secret:
            return ""
        ids = list(job_ids)
        if len(ids) > most + 1:
            return f"{', '.join(map(self.of, ids[:most]))} and {len(ids) - most:,} more"
        *others, last = map(self.of, ids)
        return f"{', '.join(others)} and {last}" if others else last

    def counted(self, job_ids: Collection[str], most: int = NAMED) -> str:
        """``3 jobs: a, b and c``."""
        names = self.listed(job_ids, most)
        return f"{count_jobs(len(job_ids))}: {names}" if names else count_jobs(len(job_ids))

    def subject(self, job_ids: Collection[str]) -> str:
        """``job a``, ``jobs a, b and c``, ``jobs a, b, c and 997 more``."""
        names = self.listed(job_ids)
        return f"job{'s' * (len(job_ids) != 1)} {names}" if names else count_jobs(len(job_ids))


def _short(job_id: str) -> str:
    return f"{job_id[:SHORT_ID]}…" if len(job_id) > SHORT_ID + 1 else job_id


def lasting(seconds: float) -> str:
    """``24s``, ``35m``, ``3h 10m``."""
    minutes = round(seconds) // 60
    if minutes < 2:
        return f"{max(1, round(seconds))}s"
    return f"{minutes}m" if minutes < 120 else f"{minutes // 60}h {minutes % 60}m"


def count_jobs(count: int) -> str:
    """``1 job``, ``1,000 jobs``."""
    return f"{count:,} job" if count == 1 else f"{count:,} jobs"


def other_status(count: int) -> str:
    """What is so of jobs that a search found, but for their status."""
    return inflect("{matches, but has|match, but have} another status", count)


def inflect(text: str, count: int) -> str:
    """A text with two forms for one and for many: ``{is|are} running``."""
    return _FORMS.sub(lambda forms: forms[1 if count == 1 else 2], text)


def grouped(pairs: Iterable[tuple[_T, str]]) -> dict[_T, list[str]]:
    """Job ids by what is said of them, from pairs of that and an id."""
    groups: dict[_T, list[str]] = {}
    for said, job_id in pairs:
        groups.setdefault(said, []).append(job_id)
    return groups


def sentence(text: str) -> str:
    """A text as a sentence: with a capital at its beginning and a full stop at its end."""
    return ended(text[:1].upper() + text[1:])


def ended(text: str) -> str:
    """A text with a full stop at its end."""
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def in_brackets(text: str | None) -> str:
    """What DRS said, after the words that it explains; nothing if it said nothing."""
    return f" ({text.rstrip('.')})" if text else ""


def when(milliseconds: int | None) -> str:
    return f"at {to_iso(milliseconds)}" if milliseconds is not None else "now"
