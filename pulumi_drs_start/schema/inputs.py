"""
The inputs of a resource: checked, put into one normal form, and parsed into what the rest of the package works with.

Values that are not known yet (outputs of resources still to be created) are left where they are. Everything else is checked, and
every problem is found at once, each under the path that a user would write: ``jobs[3].start_time``. The value that is wrong is
shown with it, unless the program made that input secret.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..drs.text import clean_text, closest, quoted
from ..reconcile.declared import Declared, DesiredJob, DesiredState, Goal, OnDestroy, OnFailure, SyncGoal
from ..settings import Overrides
from . import values
from .dialect import PYTHON, Dialect
from .fields import FOUND, INPUT_NAMES, INPUTS, JOB_FIELDS, NOT_DECLARED, PLACE_INPUTS, SECRET_INPUTS, Field, Kind
from .times import parse_start_time, to_iso
from .values import WrongValueError, got
from .words import inflect, other_status

_STATES = {state.value: state for state in DesiredState}
_JOB_FIELDS = {each.name: each for each in JOB_FIELDS}

Bag = Mapping[str, Any]
"""Inputs or outputs of a resource as Pulumi hands them over: plain JSON values by name."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The inputs of a resource.

    Attributes:
        declared: what they declare. Its `inputs` have defaults filled in, and jobs in the order of their ids: each as its id, or
            as a dict if there is more.
        problems: what is wrong, each with its path; what is wrong has its default in `declared`.
        other_found: ids that match a query of `find_jobs` but for their status. They stay on the list if they are on it already.
    """

    declared: Declared
    problems: tuple[str, ...]
    other_found: tuple[str, ...] = ()


def parse_inputs(
    bag: Bag, is_unknown: Callable[[Any], bool] = lambda _: False, listed: Collection[str] = (), dialect: Dialect = PYTHON
) -> Parsed:
    """Check everything that can be checked, normalise it and parse it.

    Args:
        bag: inputs, or outputs, which have every input too.
        is_unknown: recognises a value that is not known yet.
        listed: the jobs that were on the list before.
        dialect: how the program spells names.
    """
    check = _Check(is_unknown, dialect, secret_names(bag))
    given = {name: value for name, value in bag.items() if name not in NOT_DECLARED and name != "__provider"}
    query = bag.get(FOUND)
    found = check.found(query)
    # A job that was found by its status moves on as soon as it is started: that does not take it off the list.
    before = set(listed)
    kept = [job_id for job_id in found if job_id in before]
    jobs = given.get("jobs")
    if kept and isinstance(jobs, list):
        on_list = set(_ids(jobs))
        jobs = [*jobs, *(job_id for job_id in kept if job_id not in on_list)]
    inputs: dict[str, Any] = {}
    for each in INPUTS:
        value = given.get(each.name)
        if each.kind is Kind.JOBS:
            inputs[each.name] = check.jobs(jobs, query)
        else:
            inputs[each.name] = each.default if value is None else check.value(each.name, value, each)
    for name in sorted(set(given).difference(INPUT_NAMES)):
        check.complain(name, "is not an input of JobBatchStart" + check.suggestion(name, INPUT_NAMES))
    # None disappears on its way to the provider; leaving it out keeps both sides of a diff alike.
    inputs = {name: value for name, value in inputs.items() if value is not None}
    others = tuple(sorted(set(found).difference(kept)))
    return Parsed(_declared(inputs, check), tuple(check.problems), others)


def secret_names(bag: Bag) -> frozenset[str]:
    """The names of the inputs that are secret."""
    return frozenset(str(bag.get(SECRET_INPUTS) or "").split())


def recorded_ids(bag: Bag) -> list[str]:
    """The ids of the jobs in inputs or outputs, as far as they are known."""
    jobs = bag.get("jobs")
    return _ids(jobs) if isinstance(jobs, list) else []


def found_names(bag: Bag) -> dict[str, str]:
    """The names of the jobs that `find_jobs` found, by id, as far as the inputs have them."""
    found = bag.get(FOUND)
    names = found.get("names") if isinstance(found, Mapping) else None
    return {job_id: name for job_id, name in names.items() if isinstance(name, str)} if isinstance(names, Mapping) else {}


def _ids(jobs: list[Any]) -> list[str]:
    ids = [job.get("job_id") if isinstance(job, Mapping) else job for job in jobs]
    return [job_id for job_id in ids if isinstance(job_id, str)]


def _declared(inputs: Bag, check: _Check) -> Declared:
    """Parse inputs in normal form."""
    jobs = inputs.get("jobs")
    items = jobs if isinstance(jobs, list) else []
    known = {name: value for name, value in inputs.items() if not check.is_unknown(value)}
    unknown_states = [job for job in items if isinstance(job, Mapping) and check.is_unknown(job.get("desired_state"))]
    defaults = Declared()
    return Declared(
        jobs=tuple(job for item in items if (job := _desired_job(item, inputs, check))),
        listed=tuple(job_id for job_id in _ids(items) if not check.is_unknown(job_id)),
        count=len(items) if isinstance(jobs, list) else None,
        goal=Goal(known.get("wait_for") or defaults.goal),
        sync=_sync_goal(known),
        timeout_seconds=values.seconds(known["timeout"]) if known.get("timeout") else defaults.timeout_seconds,
        on_failure=OnFailure(known.get("on_failure") or defaults.on_failure),
        on_destroy=OnDestroy(known.get("on_destroy") or defaults.on_destroy),
        overrides=Overrides(**{name: known.get(name) for name in PLACE_INPUTS}),
        unknown=frozenset(inputs) - frozenset(known),
        unknown_states=tuple(_ids(unknown_states)),
        has_unknowns=check.has_unknowns,
        inputs=inputs,
    )


def _sync_goal(known: Bag) -> SyncGoal:
    usual = SyncGoal()
    max_delay, stable_for = (
        values.seconds(known[name], may_be_zero=True) if known.get(name) else default
        for name, default in (("max_delay", usual.max_delay_seconds), ("stable_for", usual.stable_seconds))
    )
    return SyncGoal(max_delay, stable_for)


def _desired_job(item: Any, inputs: Bag, check: _Check) -> DesiredJob | None:
    """A declared job; None if something is not known of it."""
    if isinstance(item, str):
        item = {"job_id": item}
    if not isinstance(item, Mapping):
        return None
    job_id, start_time = item.get("job_id"), item.get("start_time", inputs.get("start_time"))
    state = item.get("desired_state", DesiredState.STARTED.value)
    if not isinstance(job_id, str) or (check.has_unknowns and any(map(check.is_unknown, (job_id, start_time, state)))):
        return None
    milliseconds = None if start_time is None else parse_start_time(start_time)
    return DesiredJob(job_id, milliseconds, inputs.get("resume") is True, inputs.get("precheck") is True, _STATES[state])


@dataclass(slots=True)
class _Check:
    is_unknown: Callable[[Any], bool]
    dialect: Dialect
    secret: Collection[str] = ()
    problems: list[str] = field(default_factory=list)
    has_unknowns: bool = False

    def skips(self, value: Any) -> bool:
        """Whether a value is not known yet, and so can't be checked."""
        is_unknown = self.is_unknown(value)
        self.has_unknowns = self.has_unknowns or is_unknown
        return is_unknown

    def complain(self, path: str, reason: str) -> None:
        self.problems.append(f"{self.dialect.name(path)} {reason}")

    def refuse(self, path: str, error: WrongValueError) -> None:
        """Complain of a value, and show it if it may be shown."""
        self.complain(path, error.told(is_secret=self.is_secret(path)))

    def is_secret(self, path: str) -> bool:
        return path.partition("[")[0] in self.secret

    def suggestion(self, name: str, known: Collection[str]) -> str:
        if close := closest(name, known):
            return f"; did you mean {self.dialect.name(close)}?"
        return f"; known: {', '.join(sorted(map(self.dialect.name, known)))}"

    def value(self, path: str, value: Any, field_: Field) -> Any:
        """A checked value; one that is not known passes."""
        if self.skips(value):
            return value
        try:
            return _CONVERT[field_.kind](value, field_, self.dialect)
        except WrongValueError as exc:
            self.refuse(path, exc)
            return field_.default

    def found(self, query: Any) -> list[str]:
        """The jobs that `find_jobs` found but for their status."""
        if self.skips(query):
            return []
        others = query.get("other_status") if isinstance(query, Mapping) else None
        return [job_id for job_id in others if isinstance(job_id, str)] if isinstance(others, list) else []

    def jobs(self, jobs: Any, query: Any = None) -> Any:
        if self.skips(jobs):
            return jobs
        if jobs is None or jobs == []:
            self.complain("jobs", f"is empty: {_nothing_found(query)}")
            return []
        if not isinstance(jobs, list):
            self.refuse("jobs", WrongValueError(*got("must be a list of jobs", jobs)))
            return []
        known: dict[str, Any] = {}
        unknown: list[Any] = []
        first_at: dict[str, int] = {}
        for index, job in enumerate(jobs):
            is_plain = isinstance(job, str) and values.is_job_id(job) and not self.is_unknown(job)
            checked = job if is_plain else self._job(f"jobs[{index}]", job)
            job_id = checked.get("job_id") if isinstance(checked, dict) else checked
            if not isinstance(job_id, str) or self.is_unknown(job_id):
                unknown.append(checked)
            elif job_id in known:
                problem = f"is the same job as jobs[{first_at[job_id]}]: name each job once"
                self.refuse(f"jobs[{index}]", WrongValueError(problem, f"{quoted(job_id)} {problem}"))
            else:
                # A plain id costs the engine less than a dict.
                known[job_id], first_at[job_id] = (job_id if len(checked) == 1 else checked), index
        # The order is of no meaning to DRS, so it must not be a difference.
        return [known[job_id] for job_id in sorted(known)] + unknown

    def _job(self, path: str, job: Any) -> Any:
        if self.skips(job):
            return job
        if isinstance(job, str):
            return {"job_id": self.value(path, job, _JOB_FIELDS["job_id"])}
        if not isinstance(job, Mapping):
            self.refuse(path, WrongValueError(*got("must be a job id, JobStartArgs or a dict", job)))
            return None
        for name in sorted(map(str, job.keys() - _JOB_FIELDS.keys())):
            if self.is_secret(path):
                self.complain(path, "has a field that jobs do not have" + self.suggestion("", _JOB_FIELDS))
            else:
                self.complain(f"{path}.{clean_text(name)}", "is not a field of a job" + self.suggestion(name, _JOB_FIELDS))
        if job.get("job_id") is None:
            self.complain(f"{path}.job_id", "is missing")
        checked = {
            name: self.value(f"{path}.{name}", job[name], each) for name, each in _JOB_FIELDS.items() if job.get(name) is not None
        }
        # A default is left out, so that writing it is no change.
        return {name: value for name, value in checked.items() if name == "job_id" or value != _JOB_FIELDS[name].default}


_CONVERT: dict[Kind, Callable[[Any, Field, Dialect], Any]] = {
    Kind.JOB_ID: lambda value, _, dialect: values.job_id(value, dialect),
    Kind.WORD: lambda value, field, _: values.word(value, field.words),
    Kind.DURATION: lambda value, field, _: values.duration(value, may_be_zero=field.may_be_zero),
    Kind.TEXT: lambda value, *_: values.text(value),
    Kind.TIME: lambda value, *_: to_iso(parse_start_time(value)),
    Kind.FLAG: lambda value, _, dialect: values.flag(value, dialect.true, dialect.false),
}


def _nothing_found(query: Any) -> str:
    if not isinstance(query, Mapping) or not isinstance(query.get("query"), str):
        return "give at least one job"
    others = query.get("other_status") or []
    total = f"{int(query.get('of_total') or 0):,}"
    if not others:
        return f"{query['query']} found none among {total} jobs"
    them = inflect("{it|them}", len(others))
    why = f"{other_status(len(others))}; leave status out to take {them} over too"
    return f"{query['query']} found none: {len(others):,} of {total} {why}"
