"""
find_jobs and get_job_statuses: what a program asks DRS beside its resources.

Both ask while the program runs, in previews too, and change nothing. The plain forms block the program, as Pulumi's own
functions do in that form; the ``_output`` forms take Outputs and ask in a worker thread. Configuration is found as for resources:
the stack's, where there is a stack, over the environment.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set, ValuesView
from contextlib import contextmanager
from typing import Any, TypeVar

import pulumi

from .drs.calls.client import DrsClient
from .drs.calls.listing import JobListing
from .drs.errors import DrsError
from .drs.http.budget import TimeBudget
from .operations.query import JobQuery, checked_text, kind_of, look_through, make_query
from .reconcile.phase import phase_of
from .schema.inputs import PLACES, parse_duration
from .schema.messages import count_jobs, explain
from .schema.types import CurrentJobStatus, DbUseType, FoundJobs, Several
from .settings import CONFIG_KEYS, Overrides, Settings, SettingsError, load_settings, shared_token_source, user_agent
from .settings.logs import log_where_asked

log = logging.getLogger(__name__)

DEFAULT_TIMEOUT = "2m"

_T = TypeVar("_T")

Statuses = dict[str, CurrentJobStatus]


def find_jobs(
    *,
    name: str | None = None,
    status: str | Iterable[str] | None = None,
    db_use_type: DbUseType | Iterable[DbUseType] | None = None,
    engine_type: str | None = None,
    enterprise_project_id: str | None = None,
    tags: Mapping[str, str] | None = None,
    region: str | None = None,
    project_id: str | None = None,
    endpoint: str | None = None,
    cloud: str | None = None,
    timeout: str = DEFAULT_TIMEOUT,
) -> FoundJobs:
    """Ids of the jobs that match, in the order of their names; all jobs of the project if nothing is given.

    A parent of dual-active disaster recovery can't be started, so its children take its place; its name counts as theirs too.

    Args:
        name: the job's name, or a shell pattern for it: ``crm-*``. Case counts.
        status: DRS's word, or several of them: ``CONFIGURATION`` is a job that was never started.
        db_use_type: ``migration``, ``sync`` or ``cloudDataGuard`` (disaster recovery), or several of them; any if left out.
        engine_type: DRS's word for the database engine, such as ``mysql``; any if left out.
        enterprise_project_id: the enterprise project of the jobs.
        tags: tags that the jobs have, with their values.
        region: where the jobs live, if not where the configuration says.
        project_id: likewise.
        endpoint: likewise.
        cloud: likewise.
        timeout: for the whole call, retries included, such as ``90s``.

    Raises:
        ValueError, TypeError: an argument is wrong.
        pulumi.RunError: the configuration is incomplete or wrong, or DRS could not be asked.
    """
    return _find(
        {
            "name": name,
            "status": status,
            "db_use_type": db_use_type,
            "engine_type": engine_type,
            "enterprise_project_id": enterprise_project_id,
            "tags": tags,
            "region": region,
            "project_id": project_id,
            "endpoint": endpoint,
            "cloud": cloud,
            "timeout": timeout,
        }
    )


def find_jobs_output(
    *,
    name: pulumi.Input[str] | None = None,
    status: pulumi.Input[str | Iterable[pulumi.Input[str]]] | None = None,
    db_use_type: pulumi.Input[DbUseType | Iterable[pulumi.Input[DbUseType]]] | None = None,
    engine_type: pulumi.Input[str] | None = None,
    enterprise_project_id: pulumi.Input[str] | None = None,
    tags: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
    region: pulumi.Input[str] | None = None,
    project_id: pulumi.Input[str] | None = None,
    endpoint: pulumi.Input[str] | None = None,
    cloud: pulumi.Input[str] | None = None,
    timeout: pulumi.Input[str] = DEFAULT_TIMEOUT,
) -> pulumi.Output[FoundJobs]:
    """As `find_jobs`, for arguments that may be Outputs. Asks as soon as all are known, hence perhaps not in a preview."""
    return _ask_later(
        _find,
        {
            "name": name,
            "status": status,
            "db_use_type": db_use_type,
            "engine_type": engine_type,
            "enterprise_project_id": enterprise_project_id,
            "tags": tags,
            "region": region,
            "project_id": project_id,
            "endpoint": endpoint,
            "cloud": cloud,
            "timeout": timeout,
        },
    )


def get_job_statuses(
    job_ids: Several[str],
    *,
    region: str | None = None,
    project_id: str | None = None,
    endpoint: str | None = None,
    cloud: str | None = None,
    timeout: str = DEFAULT_TIMEOUT,
) -> Statuses:
    """How jobs stand, by id: ``status`` (DRS's word), ``phase`` (ours), ``error_code``, ``error_message``.

    A job that DRS does not know has the status ``MISSING`` and the phase ``missing``.

    Args:
        job_ids: the jobs, any number of them.
        region: where the jobs live, if not where the configuration says.
        project_id: likewise.
        endpoint: likewise.
        cloud: likewise.
        timeout: for the whole call, retries included, such as ``90s``.

    Raises:
        ValueError, TypeError: an argument is wrong.
        pulumi.RunError: the configuration is incomplete or wrong, or DRS could not be asked.
    """
    return _get_statuses(
        {
            "job_ids": job_ids,
            "region": region,
            "project_id": project_id,
            "endpoint": endpoint,
            "cloud": cloud,
            "timeout": timeout,
        }
    )


def get_job_statuses_output(
    job_ids: pulumi.Input[Several[pulumi.Input[str]]],
    *,
    region: pulumi.Input[str] | None = None,
    project_id: pulumi.Input[str] | None = None,
    endpoint: pulumi.Input[str] | None = None,
    cloud: pulumi.Input[str] | None = None,
    timeout: pulumi.Input[str] = DEFAULT_TIMEOUT,
) -> pulumi.Output[Statuses]:
    """As `get_job_statuses`, for arguments that may be Outputs. Asks as soon as all are known, hence perhaps not in a preview."""
    return _ask_later(
        _get_statuses,
        {
            "job_ids": job_ids,
            "region": region,
            "project_id": project_id,
            "endpoint": endpoint,
            "cloud": cloud,
            "timeout": timeout,
        },
    )


def _find(arguments: Mapping[str, Any], secret: Collection[str] = ()) -> FoundJobs:
    """What the two forms of `find_jobs` do. Arguments named in `secret` are not quoted."""
    _refuse_outputs(arguments)
    query = make_query(arguments, secret)
    client, budget = _connect(arguments)
    with _in_words():
        candidates = look_through(client, query, budget)
    matching = [one for one in candidates.values() if query.is_about(one.names)]
    matching.sort(key=lambda one: (one.job.name, one.job.job_id))
    found = [one.job for one in matching if query.has_status(one.job)]
    others = [one.job for one in matching if not query.has_status(one.job)]
    if not found:
        pulumi.log.warn(_nothing_found(query, others, len(candidates)))
    return FoundJobs(
        [job.job_id for job in found],
        query=query.words,
        other_status=[job.job_id for job in others],
        of_total=len(candidates),
    )


def _get_statuses(arguments: Mapping[str, Any], _secret: Collection[str] = ()) -> Statuses:
    """What the two forms of `get_job_statuses` do. No argument is quoted."""
    _refuse_outputs(arguments)
    job_ids = _job_ids(arguments["job_ids"])
    client, budget = _connect(arguments)
    with _in_words():
        statuses = client.get_statuses(job_ids, budget)
    return {
        job_id: {
            "status": statuses[job_id].status,
            "phase": phase_of(statuses[job_id].status).value,
            "error_code": statuses[job_id].error_code,
            "error_message": statuses[job_id].error_message,
        }
        for job_id in job_ids
    }


def _nothing_found(query: JobQuery, others: Sequence[JobListing], total: int) -> str:
    text = f"{query.words} found no job: looked through {count_jobs(total)}"
    if others:
        counts = Counter(job.status for job in others)
        statuses = [f"{count:,} {status}" for status, count in counts.most_common(3)] + ["…"] * (len(counts) > 3)
        verb = "matches" if len(others) == 1 else "match"
        text += f"; {count_jobs(len(others))} {verb} but for the status ({', '.join(statuses)})"
    elif not total:
        text += "; check the region and the project"
    return text


def _job_ids(value: Any) -> list[str]:
    """Ids of jobs, each once."""
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise TypeError(f"job_ids must be a list of job ids; got {kind_of(value)}")
    ids = list(value)
    for index, job_id in enumerate(ids):
        if not isinstance(job_id, str):
            raise TypeError(f"job_ids[{index}] must be a job id, a string; got {kind_of(job_id)}")
        if not job_id.strip():
            raise ValueError(f"job_ids[{index}] is empty")
    return list(dict.fromkeys(ids))


def _refuse_outputs(arguments: Mapping[str, Any]) -> None:
    """An Output is a promise; asking needs values."""
    for name, value in arguments.items():
        parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, Collection) else ()
        if any(isinstance(part, pulumi.Output) for part in (value, *parts)):
            raise TypeError(f"{name} is an Output, or has one: use the function whose name ends in _output, or ask in an apply")


def _ask_later(function: Callable[[Mapping[str, Any], Collection[str]], _T], arguments: Mapping[str, Any]) -> pulumi.Output[_T]:
    """Ask in a worker thread as soon as every argument is known."""
    outputs = {name: pulumi.Output.from_input(_as_list(value)) for name, value in arguments.items()}

    async def ask(values: Mapping[str, Any]) -> _T:
        secret = [name for name, output in outputs.items() if await output.is_secret()]
        return await asyncio.to_thread(function, values, secret)

    return pulumi.Output.all(**outputs).apply(ask)


def _as_list(value: Any) -> Any:
    """Pulumi looks for Outputs in lists and dicts only."""
    return list(value) if isinstance(value, (Set, ValuesView, Iterator)) else value


@contextmanager
def _in_words() -> Iterator[None]:
    """Expected errors end the program with words. Not chained: a cause may quote an answer, and the text says it all."""
    try:
        yield
    except SettingsError as exc:
        raise pulumi.RunError(str(exc)) from None
    except DrsError as exc:
        log.debug("asking DRS failed: %s: %s", type(exc).__name__, exc)
        raise pulumi.RunError(explain(exc)) from None


def _connect(arguments: Mapping[str, Any]) -> tuple[DrsClient, TimeBudget]:
    """A client for where the arguments say, and the time there is. The time starts now."""
    overrides = Overrides(**{place: checked_text(place, arguments[place]) for place in PLACES})
    try:
        seconds = parse_duration(arguments["timeout"])
    except ValueError as exc:
        raise ValueError(f"timeout {exc}") from None
    with _in_words():
        log_where_asked()
        return _client_for(load_settings(_stack_configuration(), os.environ, overrides)), TimeBudget(seconds)


def _stack_configuration() -> dict[str, str]:
    """What the stack's configuration says of DRS; nothing, where no stack is at work.

    Read past `pulumi.Config`, which gives secrets as Outputs, or complains that they are read otherwise.
    """
    found = {key: pulumi.runtime.get_config(f"drs:{key}") for key in CONFIG_KEYS}
    return {key: str(value) for key, value in found.items() if value is not None}


_clients: dict[Settings, DrsClient] = {}
_clients_lock = threading.Lock()


def _client_for(settings: Settings) -> DrsClient:
    """The program's one client for these settings."""
    with _clients_lock:
        if settings not in _clients:
            _clients[settings] = DrsClient(
                settings.endpoint,
                shared_token_source(settings),
                language=settings.language,
                ca_cert=settings.ca_cert,
                user_agent=user_agent(),
            )
        return _clients[settings]
