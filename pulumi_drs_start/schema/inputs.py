"""
What a program declares, checked and put into one normal form.

Values that are not known yet (outputs of resources still to be created) are left where they are; everything else is checked,
and every problem is found at once, each under the path a user would write: ``jobs[3].job_id``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from ..drs.text import format_seconds
from ..reconcile.plan import DesiredJob, Goal, Target
from .times import parse_start_time, to_iso

# Ids look like UUIDs but are not: they hold letters beyond f. So only what can't be an id at all is refused.
_JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_DURATION = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,8})m)?(?:(\d{1,9})s)?")

PLACES = ("region", "project_id", "endpoint", "cloud")
"""Inputs that say where the jobs live: changing one replaces the resource."""

_JOB_FIELDS = ("job_id", "start_time", "desired_state")


@dataclass(frozen=True, slots=True)
class Checked:
    """Declared inputs in normal form.

    Attributes:
        inputs: every input by name, defaults filled in, jobs as dicts in the order of their ids.
        problems: what is wrong, each with its path; with any, `inputs` is of no use.
        has_unknowns: something is not known yet.
        found: jobs that match a query but for their status; they stay on the list if they are on it already.
    """

    inputs: dict[str, Any]
    problems: tuple[str, ...]
    has_unknowns: bool
    found: tuple[str, ...] = ()


def check_inputs(declared: Mapping[str, Any], is_unknown: Callable[[Any], bool], listed: Collection[str] = ()) -> Checked:
    """Check everything that can be checked, and normalise it.

    Args:
        declared: the inputs as they arrive.
        is_unknown: recognises a value that is not known yet.
        listed: the jobs that were on the list before.
    """
    check = _Check(is_unknown)
    query = declared.get("found")
    found = check.found(query)
    # A job that was found by its status moves on as soon as it is started: that does not take it off the list.
    before = set(listed)
    kept = [job_id for job_id in found if job_id in before]
    jobs = declared.get("jobs")
    if kept and isinstance(jobs, list):
        on_list = set(_ids(jobs))
        jobs = [*jobs, *(job_id for job_id in kept if job_id not in on_list)]
    inputs: dict[str, Any] = {"jobs": check.jobs(jobs, query)}
    for name, (default, convert) in _OTHERS.items():
        value = declared.get(name)
        inputs[name] = default if value is None else check.value(name, value, convert)
    known = {"jobs", *_OTHERS}
    for name in sorted(set(declared) - known - {"found"}):
        check.complain(name, "is no input of JobBatchStart" + _suggestion(name, known))
    # None disappears on its way to the provider; leaving it out keeps both sides of a diff alike.
    others = tuple(sorted(set(found).difference(kept)))
    return Checked({k: v for k, v in inputs.items() if v is not None}, tuple(check.problems), check.has_unknowns, others)


def desired_jobs(inputs: Mapping[str, Any]) -> list[DesiredJob]:
    """The jobs of normalised inputs; those of which something is not known yet are left out."""
    jobs = inputs.get("jobs")
    resume, precheck = inputs.get("resume") is True, inputs.get("precheck") is True
    found = []
    for job in jobs if isinstance(jobs, list) else ():
        if not isinstance(job, Mapping):
            continue
        job_id, start_time = job.get("job_id"), job.get("start_time", inputs.get("start_time"))
        state = job.get("desired_state", Target.STARTED.value)
        if isinstance(job_id, str) and isinstance(start_time, (str, type(None))) and isinstance(state, str):
            milliseconds = None if start_time is None else parse_start_time(start_time)
            found.append(DesiredJob(job_id, milliseconds, resume=resume, precheck=precheck, target=Target(state)))
    return found


def jobs_to_retire(inputs: Mapping[str, Any]) -> list[DesiredJob]:
    """What shall become of the jobs of a resource that is deleted: nothing, unless ``on_destroy`` says so."""
    target = {"pause": Target.PAUSED, "stop": Target.STOPPED}.get(str(inputs.get("on_destroy")))
    return [] if target is None else [DesiredJob(job_id, target=target) for job_id in listed_ids(inputs)]


def listed_ids(inputs: Mapping[str, Any]) -> list[str]:
    """The ids of the jobs in inputs or outputs, as far as they are known."""
    jobs = inputs.get("jobs")
    return _ids(jobs) if isinstance(jobs, list) else []


def _ids(jobs: list[Any]) -> list[str]:
    ids = [job.get("job_id") if isinstance(job, Mapping) else job for job in jobs]
    return [job_id for job_id in ids if isinstance(job_id, str)]


def goal_of(inputs: Mapping[str, Any]) -> Goal:
    """When an operation may return."""
    wait_for = inputs.get("wait_for")
    return Goal(wait_for) if isinstance(wait_for, str) else Goal.RUNNING


def parse_duration(value: Any) -> float:
    """Seconds of a duration as users write it: ``90s``, ``30m``, ``2h``, ``1h30m``. Raises ValueError."""
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    seconds = sum(int(part or 0) * size for part, size in zip(match.groups(), (3600, 60, 1), strict=True)) if match else 0
    if seconds <= 0:
        raise ValueError(f'must be a duration such as "90s", "30m" or "2h"; got {_shown(value)}')
    return float(seconds)


@dataclass(slots=True)
class _Check:
    is_unknown: Callable[[Any], bool]
    problems: list[str] = field(default_factory=list)
    has_unknowns: bool = False

    def complain(self, path: str, reason: str) -> None:
        self.problems.append(f"{path} {reason}")

    def value(self, path: str, value: Any, convert: Callable[[Any], Any]) -> Any:
        """A checked value; one that is not known passes."""
        if self.is_unknown(value):
            self.has_unknowns = True
            return value
        try:
            return convert(value)
        except ValueError as exc:
            self.complain(path, str(exc))
            return None

    def found(self, query: Any) -> list[str]:
        """The jobs that `find_jobs` found but for their status."""
        if self.is_unknown(query):
            self.has_unknowns = True
            return []
        others = query.get("other_status") if isinstance(query, Mapping) else None
        return [job_id for job_id in others if isinstance(job_id, str)] if isinstance(others, list) else []

    def jobs(self, jobs: Any, query: Any = None) -> Any:
        if self.is_unknown(jobs):
            self.has_unknowns = True
            return jobs
        if jobs is None or jobs == []:
            self.complain("jobs", f"names no job: {_nothing_found(query)}")
            return []
        if not isinstance(jobs, list):
            self.complain("jobs", f"must be a list of jobs; got {_kind(jobs)}")
            return []
        known: dict[str, dict[str, Any]] = {}
        unknown: list[Any] = []
        first_at: dict[str, int] = {}
        for index, job in enumerate(jobs):
            checked = self._job(f"jobs[{index}]", job)
            job_id = checked.get("job_id") if isinstance(checked, dict) else None
            if not isinstance(job_id, str):
                unknown.append(checked)
            elif job_id in known:
                self.complain(f"jobs[{index}].job_id", f"is the same as jobs[{first_at[job_id]}].job_id: name each job once")
            else:
                known[job_id], first_at[job_id] = checked, index
        # The order is of no meaning to DRS, so it must not be a difference.
        return [known[job_id] for job_id in sorted(known)] + unknown

    def _job(self, path: str, job: Any) -> Any:
        if self.is_unknown(job):
            self.has_unknowns = True
            return job
        if isinstance(job, str):
            job = {"job_id": job}
        if not isinstance(job, Mapping):
            self.complain(path, f"must be a job id, JobStartArgs or a dict; got {_kind(job)}")
            return None
        for name in sorted(set(map(str, job)) - set(_JOB_FIELDS)):
            self.complain(f"{path}.{name}", "is no field of a job" + _suggestion(name, set(_JOB_FIELDS)))
        checked = {}
        if job.get("job_id") is None:
            self.complain(f"{path}.job_id", "is missing")
        else:
            checked["job_id"] = self.value(f"{path}.job_id", job["job_id"], _job_id)
        if job.get("start_time") is not None:
            checked["start_time"] = self.value(f"{path}.start_time", job["start_time"], _time)
        if job.get("desired_state") is not None:
            state = self.value(f"{path}.desired_state", job["desired_state"], _desired_state)
            # The default is left out, so that writing it is no change.
            if state != Target.STARTED.value:
                checked["desired_state"] = state
        return checked


def _job_id(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a job id, a string; got {_kind(value)}")  # noqa: TRY004 - all problems are ValueErrors
    if not value.strip():
        raise ValueError("is empty")
    if not _JOB_ID.fullmatch(value):
        raise ValueError("is not a job id: letters, digits, hyphens, as the DRS console shows it")
    return value


def _choice(*choices: str) -> Callable[[Any], str]:
    def convert(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"must be {_alternatives(choices)}; got {_shown(value)}")
        return str(value)

    return convert


def _desired_state(value: Any) -> str:
    return _choice(*(target.value for target in Target))(value)


def _duration(value: Any) -> str:
    return format_seconds(parse_duration(value))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a string; got {_kind(value)}")  # noqa: TRY004 - all problems are ValueErrors
    if not value.strip():
        raise ValueError("is empty: leave it out, or give a value")
    return value.strip()


def _time(value: Any) -> str:
    return to_iso(parse_start_time(value))


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be True or False; got {_shown(value)}")  # noqa: TRY004 - all problems are ValueErrors
    return value


def _nothing_found(query: Any) -> str:
    if not isinstance(query, Mapping) or not isinstance(query.get("query"), str):
        return "give at least one"
    others = query.get("other_status") or []
    hint = f"; {len(others):,} match but for the status: leave status out to take those over too" if others else ""
    return f"{query['query']} matched none of the {int(query.get('of_total') or 0):,} jobs it looked through{hint}"


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    return {str: "a string", dict: "a dict", list: "a list", bool: "a bool"}.get(type(value), f"a {type(value).__name__}")


def _shown(value: Any) -> str:
    """A value in an error text. Texts are not quoted: they arrive in the open even if the program made them secret."""
    if isinstance(value, (bool, int, float)):
        # Every number arrives as a float.
        return f"{value:g}" if isinstance(value, float) else str(value)
    return "another text" if isinstance(value, str) else _kind(value)


def _alternatives(choices: Sequence[str]) -> str:
    """``"a", "b" or "c"``."""
    quoted = [f'"{choice}"' for choice in choices]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]])


def _suggestion(name: str, known: set[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(sorted(known))}"


_OTHERS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "start_time": (None, _time),
    "wait_for": ("running", _choice("running", "accepted")),
    "timeout": ("60m", _duration),
    "resume": (False, _flag),
    "precheck": (False, _flag),
    "on_failure": ("fail", _choice("fail", "record")),
    "on_destroy": ("leave", _choice("leave", "pause", "stop")),
    "region": (None, _text),
    "project_id": (None, _text),
    "endpoint": (None, _text),
    "cloud": (None, _text),
}
