"""
What the functions find_jobs, get_job_statuses and require_synced read from DRS, for any front.

Names and statuses are compared here and not by DRS: its documents do not say how its own filter for names compares.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, TypeVar, get_args

from ..drs.calls.client import DrsClient
from ..drs.calls.listing import ANY_ENGINE, DISASTER_RECOVERY, JobListing
from ..drs.calls.models import MISSING_STATUS, JobDetail
from ..drs.errors import DrsError
from ..drs.http.budget import TimeBudget
from ..reconcile.actual import ActualJob
from ..reconcile.observe import StatusReader
from ..reconcile.phase import FAILED_PHASES, STATUSES, phase_of
from ..reconcile.sync import is_copied, is_within
from ..schema import values
from ..schema.dialect import PYTHON, Dialect
from ..schema.fields import PLACE_INPUTS
from ..schema.state import copy_fields
from ..schema.types import CurrentJobStatus, DbUseType, FoundJobs
from ..schema.words import count_jobs, other_status
from ..settings import Overrides

log = logging.getLogger(__name__)

DB_USE_TYPES = get_args(DbUseType)
LONGEST_FOR_DETAILS_SECONDS = 30.0

_T = TypeVar("_T")

# Two states have two spellings each in the documents of DRS.
_SPELLINGS = {"PAUSEING": "PAUSING", "STARTJOB_FAILED": "START_JOB_FAILED"}


@dataclass(frozen=True, slots=True)
class JobQuery:
    """What is looked for.

    Attributes:
        name: a name or a shell pattern for names; None for any.
        statuses: DRS's words; none for any.
        db_use_types: at least one.
        engine_type: DRS's word, or `pulumi_drs_start.drs.listing.ANY_ENGINE`.
        words: the question as a program would write it.
    """

    name: str | None
    statuses: frozenset[str]
    db_use_types: tuple[str, ...]
    engine_type: str
    enterprise_project_id: str | None
    tags: Mapping[str, str]
    words: str

    @property
    def is_narrowed(self) -> bool:
        """Whether DRS is asked for some of the project's jobs only."""
        is_any_kind = set(self.db_use_types) == set(DB_USE_TYPES) and self.engine_type == ANY_ENGINE
        return not is_any_kind or self.enterprise_project_id is not None or bool(self.tags)

    def is_about(self, names: Collection[str]) -> bool:
        """Whether one of these names is meant."""
        pattern = self.name
        return pattern is None or any(name == pattern or fnmatchcase(name, pattern) for name in names)

    def has_status(self, job: JobListing) -> bool:
        """Whether the job's status is one of those looked for."""
        return not self.statuses or _spelling(job.status) in self.statuses


def make_query(arguments: Mapping[str, Any], secret: Collection[str] = (), dialect: Dialect = PYTHON) -> JobQuery:
    """The query that the arguments of find_jobs make.

    Args:
        arguments: by name, every one of them, None for those that were not given.
        secret: names of arguments that must not be quoted.
        dialect: how the program spells names.

    Raises:
        ValueError, TypeError: an argument is wrong.
    """
    given: dict[str, Any] = {
        "name": _text("name", arguments, secret),
        "status": _texts("status", arguments, secret, _status),
        "db_use_type": _texts("db_use_type", arguments, secret, _db_use_type),
        "engine_type": _text("engine_type", arguments, secret),
        "enterprise_project_id": _text("enterprise_project_id", arguments, secret),
        "tags": checked("tags", _tags, arguments["tags"], secret),
        **asdict(checked_place(arguments, secret)),
    }
    return JobQuery(
        name=given["name"],
        statuses=frozenset(_spelling(word) for word in given["status"]),
        db_use_types=given["db_use_type"] or DB_USE_TYPES,
        engine_type=given["engine_type"] or ANY_ENGINE,
        enterprise_project_id=given["enterprise_project_id"],
        tags=given["tags"],
        words=dialect.call(
            "find_jobs",
            {name: "[secret]" if name in secret else dialect.value(_alone(value)) for name, value in given.items() if value},
        ),
    )


def _candidates(client: DrsClient, query: JobQuery, budget: TimeBudget) -> dict[str, tuple[JobListing, set[str]]]:
    """Every job there is for a query, by id and with the names that it is found by, whatever its name and status.

    A parent of dual-active disaster recovery can't be started, so its children stand for it, and are found by its name too.
    """
    candidates: dict[str, tuple[JobListing, set[str]]] = {}
    for db_use_type in query.db_use_types:
        listed = client.list_jobs(
            budget,
            db_use_type=db_use_type,
            engine_type=query.engine_type,
            enterprise_project_id=query.enterprise_project_id,
            tags=query.tags,
        )
        for job in listed:
            family = job.children if db_use_type == DISASTER_RECOVERY and job.children else (job,)
            for member in family:
                # Nothing says that a child is not listed on its own as well.
                candidates.setdefault(member.job_id, (member, set()))[1].update((job.name, member.name))
    return candidates


@dataclass(frozen=True, slots=True)
class Search:
    """What a search came to, and why it found no jobs, if it found none."""

    found: FoundJobs
    why_none: str = ""


def find(client: DrsClient, query: JobQuery, budget: TimeBudget) -> Search:
    """The jobs that match a query, in the order of their names.

    Raises:
        DrsError: the list can't be read.
    """
    candidates = _candidates(client, query, budget)
    matching = [job for job, names in candidates.values() if query.is_about(names)]
    matching.sort(key=lambda job: (job.name, job.job_id))
    ids = [job.job_id for job in matching if query.has_status(job)]
    others = [job for job in matching if not query.has_status(job)]
    found = FoundJobs(
        ids,
        query=query.words,
        other_status=[job.job_id for job in others],
        names={job.job_id: job.name for job in matching if job.name},
        of_total=len(candidates),
    )
    return Search(found) if ids else Search(found, _nothing_found(query, others, len(candidates)))


def read_jobs(
    reader: StatusReader, job_ids: Sequence[str], names: Mapping[str, str], budget: TimeBudget, *, progress: bool = False
) -> dict[str, ActualJob]:
    """How jobs stand, by id. DRS is asked for the names that are not in `names`, and why jobs failed.

    Args:
        progress: also ask how far the copies of jobs are.

    Raises:
        DrsError: the statuses can't be read, or how far the copies are.
    """
    rows = reader.client.get_statuses(job_ids, budget)
    known = [job_id for job_id in job_ids if rows[job_id].status != MISSING_STATUS]
    failed = {job_id for job_id in known if phase_of(rows[job_id].status) in FAILED_PHASES}
    details = _read_details(reader.client, [job_id for job_id in known if job_id in failed or job_id not in names], budget)
    jobs = {job_id: ActualJob.of(rows[job_id], names.get(job_id)) for job_id in job_ids}
    for job_id, detail in details.items():
        job = jobs[job_id]
        said = job.error_message or (detail.failed_reason if job_id in failed else None)
        jobs[job_id] = replace(job, name=job.name or detail.name, error_message=said)
    return jobs | reader.read_copies({job_id: jobs[job_id] for job_id in known}, budget) if progress else jobs


def status_row(job: ActualJob) -> CurrentJobStatus:
    """A job as a row of the result."""
    return {
        "name": job.name,
        "status": job.status,
        "phase": job.phase.value,
        **copy_fields(job.copy),
        "error_code": job.error_code,
        "error_message": job.error_message,
    }


def not_synced(jobs: Mapping[str, ActualJob], max_delay_seconds: float) -> dict[str, ActualJob]:
    """The jobs whose copies have not caught up at this moment."""
    return {job_id: job for job_id, job in jobs.items() if not (is_within(job, max_delay_seconds) or is_copied(job))}


def _read_details(client: DrsClient, job_ids: Sequence[str], budget: TimeBudget) -> dict[str, JobDetail]:
    """Details of jobs, as far as DRS tells them soon: nobody goes without a status for want of a name or a reason."""
    try:
        return client.get_details(job_ids, replace(budget, seconds=min(LONGEST_FOR_DETAILS_SECONDS, budget.remaining_seconds())))
    except DrsError as exc:
        log.debug("DRS does not tell the details of jobs: %s", exc)
        return {}


def _nothing_found(query: JobQuery, others: Sequence[JobListing], total: int) -> str:
    if others:
        counts = Counter(job.status for job in others)
        statuses = [f"{count:,} {status}" for status, count in counts.most_common(3)] + ["…"] * (len(counts) > 3)
        why = f"{len(others):,} of {count_jobs(total)} {other_status(len(others))} ({', '.join(statuses)})"
    elif total:
        why = "the only job does not match" if total == 1 else f"none of the {count_jobs(total)} matches"
    elif query.is_narrowed:
        why = "DRS lists no such job: check the arguments, the region and the project"
    else:
        why = "DRS lists no job: check the region and the project"
    return f"{query.words} found no job: {why}"


def checked(argument: str, check: Callable[[Any], _T], value: Any, secret: Collection[str]) -> _T:
    """A checked value.

    Args:
        argument: its name, or the place in it: ``status[1]``.
        secret: the names of arguments that must not be quoted.

    Raises:
        ValueError, TypeError: with the argument's name, and its value where that is not secret.
    """
    try:
        return check(value)
    except values.WrongValueError as exc:
        text = f"{argument} {exc.told(is_secret=argument.partition('[')[0] in secret)}"
        raise (TypeError if isinstance(exc, TypeError) else ValueError)(text) from None


def checked_ids(argument: str, value: Any, secret: Collection[str], dialect: Dialect = PYTHON) -> list[str]:
    """Ids of jobs, each once. Raises ValueError, TypeError, as `checked` does."""
    ids = checked(argument, lambda value: values.items(value, "a list of job ids"), value, secret)
    check = partial(values.job_id, dialect=dialect)
    return list(dict.fromkeys(checked(f"{argument}[{index}]", check, job_id, secret) for index, job_id in enumerate(ids)))


def checked_place(arguments: Mapping[str, Any], secret: Collection[str]) -> Overrides:
    """The arguments that say where the jobs are. Raises ValueError, TypeError, as `checked` does."""
    return Overrides(**{name: _text(name, arguments, secret) for name in PLACE_INPUTS})


def _text(argument: str, arguments: Mapping[str, Any], secret: Collection[str]) -> str | None:
    value = arguments[argument]
    return None if value is None else checked(argument, values.text, value, secret)


def _texts(argument: str, arguments: Mapping[str, Any], secret: Collection[str], check: Callable[[Any], str]) -> tuple[str, ...]:
    """One text or several; none if there is no such argument."""
    value = arguments[argument]
    if value is None:
        return ()
    if isinstance(value, str):
        return (checked(argument, check, value, secret),)
    given = checked(argument, lambda value: values.items(value, "a string or a list of strings"), value, secret)
    if not given:
        raise ValueError(f"{argument} is an empty list: leave it out, or give a value")
    # Sorted, so that the words of a query don't change from run to run.
    return tuple(sorted({checked(f"{argument}[{index}]", check, text, secret) for index, text in enumerate(given)}))


def _status(value: Any) -> str:
    """A status, which may be one that we don't know."""
    word = values.text(value)
    if not (word.isascii() and word.replace("_", "").isalnum() and word.isupper()):
        hint = values.did_you_mean(word, STATUSES)
        raise values.WrongValueError(*values.got('must be a word of DRS, such as "CONFIGURATION" or "PAUSING"', value, hint))
    return word


def _db_use_type(value: Any) -> str:
    word = values.text(value)
    if word not in DB_USE_TYPES:
        problem = 'must be "migration", "sync" or "cloudDataGuard" (disaster recovery)'
        raise values.WrongValueError(*values.got(problem, value, values.did_you_mean(word, DB_USE_TYPES)))
    return word


def _tags(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    problem = "must be a dict of strings"
    if not isinstance(value, Mapping):
        raise values.WrongTypeError(*values.got(problem, value))
    for part in (text for pair in value.items() for text in pair):
        if not isinstance(part, str):
            raise values.WrongTypeError(*values.got(f"{problem}, keys and values", part))
    if not all(key.strip() for key in value):
        raise values.WrongValueError("has a key that is empty")
    return dict(value)


def _spelling(status: str) -> str:
    return _SPELLINGS.get(status, status)


def _alone(value: Any) -> Any:
    """The one text of several, if there is one only."""
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value
