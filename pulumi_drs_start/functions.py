"""
The functions `find_jobs`, `get_job_statuses` and `require_synced`, with which a program asks DRS without declaring a resource.

All ask while the program runs, in previews too, and change nothing. The plain forms wait for DRS, like the plain forms of
Pulumi's own functions. The ``_output`` forms take Outputs and ask in a worker thread. The settings come from the arguments, the
configuration of the stack (if there is a stack) and the environment, in this order.

Each form has a signature of its own: editors, checkers and ``help()`` read nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import pulumi

from .operations.asking import Asker, AskingError, Statuses
from .schema.types import DbUseType, FoundJobs, Several, as_list
from .settings import CONFIG_KEYS, log_where_asked
from .stack import warn_of_unknown_settings

DEFAULT_TIMEOUT = "2m"
DEFAULT_MAX_DELAY = "10s"

_T = TypeVar("_T")

# Takes the arguments by name, and the names of those that are secret.
_Function = Callable[[Mapping[str, Any], Collection[str]], _T]


def find_jobs(
    *,
    name: str | None = None,
    status: str | Several[str] | None = None,
    db_use_type: DbUseType | Several[DbUseType] | None = None,
    engine_type: str | None = None,
    enterprise_project_id: str | None = None,
    tags: Mapping[str, str] | None = None,
    region: str | None = None,
    project_id: str | None = None,
    endpoint: str | None = None,
    cloud: str | None = None,
    timeout: str = DEFAULT_TIMEOUT,
) -> FoundJobs:
    """The ids of the jobs that match every argument, in the order of the jobs' names.

    The ids come from DRS's list of jobs ("Querying the Task List"), and with them the names, which messages of `JobBatchStart`
    then show. An argument that is left out matches every job. If no job matches, the list is empty and Pulumi shows a warning.
    Where only the status differs, as after a start, that is no warning: the command says so in passing. A parent of a
    dual-active pair can't be started: its children are found in its place, by its name too.

    Args:
        name: the job's name, or a shell pattern such as ``crm-*``. Upper and lower case differ.
        status: one status of DRS, or several. ``CONFIGURATION`` is a job that was never started.
        db_use_type: ``migration``, ``sync`` or ``cloudDataGuard`` (disaster recovery), or several of them.
        engine_type: the database engine, in DRS's spelling, such as ``mysql``.
        enterprise_project_id: the id of the enterprise project of the jobs.
        tags: tags that the jobs have, with their values.
        region: the region of the jobs. By default region, project, endpoint and cloud come from the configuration.
        project_id: the id of the project of the jobs.
        endpoint: the address of DRS.
        cloud: the entry of ``clouds.yaml`` to log in with.
        timeout: the time for the whole call, repeats included, such as ``90s``. Default: ``2m``.

    Raises:
        TypeError: an argument has a wrong type, or is an Output.
        ValueError: an argument has a wrong value.
        pulumi.RunError: the configuration is incomplete or wrong, or DRS can't be reached or refuses.
    """
    return _ask(_find, locals())


def find_jobs_output(
    *,
    name: pulumi.Input[str] | None = None,
    status: pulumi.Input[str | Several[pulumi.Input[str]]] | None = None,
    db_use_type: pulumi.Input[DbUseType | Several[pulumi.Input[DbUseType]]] | None = None,
    engine_type: pulumi.Input[str] | None = None,
    enterprise_project_id: pulumi.Input[str] | None = None,
    tags: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
    region: pulumi.Input[str] | None = None,
    project_id: pulumi.Input[str] | None = None,
    endpoint: pulumi.Input[str] | None = None,
    cloud: pulumi.Input[str] | None = None,
    timeout: pulumi.Input[str] = DEFAULT_TIMEOUT,
) -> pulumi.Output[FoundJobs]:
    """`find_jobs` for arguments that may be Outputs. DRS is asked when all of them are known: in a preview perhaps never."""
    return _ask_later(_find, locals())


def get_job_statuses(
    job_ids: Several[str],
    *,
    progress: bool = False,
    region: str | None = None,
    project_id: str | None = None,
    endpoint: str | None = None,
    cloud: str | None = None,
    timeout: str = DEFAULT_TIMEOUT,
) -> Statuses:
    """How jobs stand now, by job id.

    The statuses come from DRS ("Querying Task Status in Batches"). A job that DRS does not know has the status ``MISSING`` and
    the phase ``missing``. The names come with the result of `find_jobs`. For the names of other ids, and for the reasons of
    jobs that failed, DRS is asked ("Querying Task Details in Batches", 500 jobs a call): a user who may not do that gets
    rows without them.

    Args:
        job_ids: the ids of the jobs, any number of them, or what `find_jobs` found.
        progress: also ask how far the copies are ("Querying Task Progress in Batches", 100 jobs a call), for the fields
            ``progress`` and ``delay_seconds``.
        region: the region of the jobs. By default region, project, endpoint and cloud come from the configuration.
        project_id: the id of the project of the jobs.
        endpoint: the address of DRS.
        cloud: the entry of ``clouds.yaml`` to log in with.
        timeout: the time for the whole call, repeats included, such as ``90s``. Default: ``2m``.

    Raises:
        TypeError, ValueError, pulumi.RunError: as `find_jobs`.
    """
    return _ask(_get_statuses, locals() | {"names": _names(job_ids)})


def get_job_statuses_output(
    job_ids: pulumi.Input[Several[pulumi.Input[str]]],
    *,
    progress: pulumi.Input[bool] = False,
    region: pulumi.Input[str] | None = None,
    project_id: pulumi.Input[str] | None = None,
    endpoint: pulumi.Input[str] | None = None,
    cloud: pulumi.Input[str] | None = None,
    timeout: pulumi.Input[str] = DEFAULT_TIMEOUT,
) -> pulumi.Output[Statuses]:
    """`get_job_statuses` for arguments that may be Outputs. DRS is asked when all are known: in a preview perhaps never."""
    return _ask_later(_get_statuses, locals() | {"names": _names(job_ids)})


def require_synced(
    job_ids: Several[str],
    *,
    max_delay: str = DEFAULT_MAX_DELAY,
    region: str | None = None,
    project_id: str | None = None,
    endpoint: str | None = None,
    cloud: str | None = None,
    timeout: str = DEFAULT_TIMEOUT,
) -> Statuses:
    """Fail the program, in a preview too, unless the copies of all these jobs have caught up with their sources.

    A gate, such as of the stack that switches an application over. It does not wait, and it sees one moment: that the delay
    was small for a while is what ``wait_for="synced"`` of a `JobBatchStart` waits for. A copy has caught up if its job is in
    ``INCRE_TRANSFER_STARTED`` and DRS shows a delay up to `max_delay` ("Querying Task Progress in Batches"), or if the job
    copies only once and the copy is complete. A job that was stopped has not.

    Args:
        job_ids: the ids of the jobs, at least one, or what `find_jobs` found.
        max_delay: how far behind a copy may be, such as ``30s``. Default: ``10s``.
        region: the region of the jobs. By default region, project, endpoint and cloud come from the configuration.
        project_id: the id of the project of the jobs.
        endpoint: the address of DRS.
        cloud: the entry of ``clouds.yaml`` to log in with.
        timeout: the time for the whole call, repeats included, such as ``90s``. Default: ``2m``.

    Returns:
        How the jobs stand, as `get_job_statuses` with ``progress=True``.

    Raises:
        pulumi.RunError: a copy has not caught up; the text names each with how far it is behind. Or as `find_jobs`.
        TypeError, ValueError: as `find_jobs`.
    """
    return _ask(_require_synced, locals() | {"names": _names(job_ids)})


def require_synced_output(
    job_ids: pulumi.Input[Several[pulumi.Input[str]]],
    *,
    max_delay: pulumi.Input[str] = DEFAULT_MAX_DELAY,
    region: pulumi.Input[str] | None = None,
    project_id: pulumi.Input[str] | None = None,
    endpoint: pulumi.Input[str] | None = None,
    cloud: pulumi.Input[str] | None = None,
    timeout: pulumi.Input[str] = DEFAULT_TIMEOUT,
) -> pulumi.Output[Statuses]:
    """`require_synced` for arguments that may be Outputs. DRS is asked when all are known: in a preview perhaps never.

    What must not happen before has to depend on the result.
    """
    return _ask_later(_require_synced, locals() | {"names": _names(job_ids)})


def _find(arguments: Mapping[str, Any], secret: Collection[str]) -> FoundJobs:
    """What both forms of `find_jobs` do. Messages do not quote the arguments named in `secret`."""
    with _asking() as asker:
        search = asker.find(arguments, secret)
    if search.found.other_status and search.why_none:
        # As after every `up` that started the jobs: a passing remark, of which the command keeps no line.
        pulumi.log.info(search.why_none, ephemeral=True)
    elif search.why_none:
        pulumi.log.warn(search.why_none)
    return search.found


def _get_statuses(arguments: Mapping[str, Any], secret: Collection[str]) -> Statuses:
    """What both forms of `get_job_statuses` do."""
    with _asking() as asker:
        return asker.get_statuses(arguments, arguments["names"], secret)


def _require_synced(arguments: Mapping[str, Any], secret: Collection[str]) -> Statuses:
    """What both forms of `require_synced` do."""
    with _asking() as asker:
        return asker.require_synced(arguments, arguments["names"], secret)


def _names(job_ids: Any) -> Any:
    """The names that `find_jobs` gave with these ids. Pulumi makes a plain list of a list, which has none."""
    if isinstance(job_ids, pulumi.Output):
        return job_ids.apply(_names)
    return job_ids.names if isinstance(job_ids, FoundJobs) else {}


def _ask(function: _Function[_T], arguments: Mapping[str, Any]) -> _T:
    """Call a function, if no argument is or holds an Output."""
    for name, value in arguments.items():
        parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, Collection) else ()
        if any(isinstance(part, pulumi.Output) for part in (value, *parts)):
            raise TypeError(f"{name} is an Output, or has one: use the function whose name ends in _output, or ask in an apply")
    warn_of_unknown_settings()
    return function(arguments, ())


def _ask_later(function: _Function[_T], arguments: Mapping[str, Any]) -> pulumi.Output[_T]:
    """Call a function in a worker thread, as soon as every argument is known."""
    warn_of_unknown_settings()
    inputs = {name: value if isinstance(value, pulumi.Output) else as_list(value) for name, value in arguments.items()}
    outputs = {name: pulumi.Output.from_input(value) for name, value in inputs.items()}

    async def ask(known: Mapping[str, Any]) -> _T:
        secret = [name for name, output in outputs.items() if await output.is_secret()]
        return await asyncio.to_thread(function, known, secret)

    return pulumi.Output.all(**outputs).apply(ask)


@contextmanager
def _asking() -> Iterator[Asker]:
    """Asks with the stack's configuration. Raises pulumi.RunError in place of AskingError."""
    log_where_asked()
    try:
        yield Asker(_stack_configuration())
    except AskingError as exc:
        raise pulumi.RunError(str(exc)) from None


def _stack_configuration() -> dict[str, str]:
    """The stack's configuration of DRS; empty without a stack.

    `pulumi.Config` would give secrets as Outputs, or warn that they are read as plain values.
    """
    found = {key: pulumi.runtime.get_config(f"drs:{key}") for key in CONFIG_KEYS}
    return {key: str(value) for key, value in found.items() if value is not None}
