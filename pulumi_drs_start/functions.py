"""
find_jobs and get_job_statuses: what a program asks DRS beside its resources.

Both ask while the program runs, in previews too, and change nothing. The plain forms block the program, as Pulumi's own
functions do in that form; the ``_output`` forms take Outputs and ask in a worker thread. Configuration is found as for resources:
the stack's, where there is a stack, over the environment.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set, ValuesView
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import pulumi

from .drs.calls.client import DrsClient
from .drs.http.budget import TimeBudget
from .operations.connections import Connections
from .operations.lifecycle import expected_error
from .operations.query import checked, checked_ids, checked_place, find, make_query, read_statuses
from .schema import values
from .schema.messages import Messages
from .schema.types import CurrentJobStatus, DbUseType, FoundJobs, Several
from .settings import CONFIG_KEYS, load_settings
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
    return _find(locals())


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
    return _ask_later(_find, locals())


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
    return _get_statuses(locals())


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
    return _ask_later(_get_statuses, locals())


def _find(arguments: Mapping[str, Any], secret: Collection[str] = ()) -> FoundJobs:
    """What both forms of `find_jobs` do. Arguments named in `secret` are not quoted."""
    _refuse_outputs(arguments)
    query = make_query(arguments, secret)
    with _connection(arguments) as (client, budget):
        search = find(client, query, budget)
    if search.warning:
        pulumi.log.warn(search.warning)
    return search.found


def _get_statuses(arguments: Mapping[str, Any], _secret: Collection[str] = ()) -> Statuses:
    """What both forms of `get_job_statuses` do. No argument is quoted."""
    _refuse_outputs(arguments)
    job_ids = checked_ids("job_ids", arguments["job_ids"])
    with _connection(arguments) as (client, budget):
        return read_statuses(client, job_ids, budget)


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
def _connection(arguments: Mapping[str, Any]) -> Iterator[tuple[DrsClient, TimeBudget]]:
    """A client for the place that the arguments name, and the time there is, which starts now.

    Expected errors end the program with a plain message. They are not chained: a cause may quote an answer.
    """
    overrides = checked_place(arguments)
    seconds = checked("timeout", values.seconds, arguments["timeout"])
    try:
        log_where_asked()
        settings = load_settings(_stack_configuration(), os.environ, overrides)
        yield _connections().to(settings).client, TimeBudget(seconds)
    except Exception as exc:
        text = expected_error(exc, Messages())
        if text is None:
            raise
        log.debug("asking DRS failed: %s: %s", type(exc).__name__, exc)
    else:
        return
    raise pulumi.RunError(text) from None


@cache
def _connections() -> Connections:
    """The program's connections."""
    connections = Connections()
    atexit.register(connections.close)
    return connections


def _stack_configuration() -> dict[str, str]:
    """What the stack's configuration says of DRS; nothing, where no stack is at work.

    Read past `pulumi.Config`, which gives secrets as Outputs, or complains that they are read otherwise.
    """
    found = {key: pulumi.runtime.get_config(f"drs:{key}") for key in CONFIG_KEYS}
    return {key: str(value) for key, value in found.items() if value is not None}
