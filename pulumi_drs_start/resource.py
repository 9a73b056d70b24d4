"""
JobBatchStart and the types around it: what a program sees.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Mapping, ValuesView
from typing import TYPE_CHECKING, Any, Protocol, TypedDict, TypeVar

import pulumi

from .provider import JobBatchStartProvider
from .schema.fields import INPUT_NAMES, INPUTS, INTERNAL, OUTPUTS, REPEATED, REPEATING, SECRET_INPUTS
from .schema.types import (
    JOB_STATUS_FIELDS,
    BatchSummary,
    DesiredState,
    FoundJobs,
    JobStart,
    JobStatus,
    NotText,
    OnDestroy,
    OnFailure,
    WaitFor,
)

_T = TypeVar("_T")


@pulumi.input_type
class JobStartArgs:
    """One job, and what it shall be."""

    def __init__(
        self,
        *,
        job_id: pulumi.Input[str],
        start_time: pulumi.Input[str | int] | None = None,
        desired_state: pulumi.Input[DesiredState] | None = None,
    ) -> None:
        """
        Args:
            job_id: the job's id, as the DRS console or API shows it.
            start_time: when it shall start: RFC 3339 with a zone, or milliseconds since the epoch; by default that of the
                resource, or else now.
            desired_state: what the job shall be. ``started`` (default). ``paused``: it is paused if it runs, and not started
                if it does not. ``stopped``: it is ended for good, which nothing can undo.
        """
        pulumi.set(self, "job_id", job_id)
        if start_time is not None:
            pulumi.set(self, "start_time", start_time)
        if desired_state is not None:
            pulumi.set(self, "desired_state", desired_state)

    @property
    @pulumi.getter
    def job_id(self) -> pulumi.Input[str]:
        """The job's id."""
        return pulumi.get(self, "job_id")  # type: ignore[no-any-return]

    @job_id.setter
    def job_id(self, value: pulumi.Input[str]) -> None:
        pulumi.set(self, "job_id", value)

    @property
    @pulumi.getter
    def start_time(self) -> pulumi.Input[str | int] | None:
        """When the job shall start."""
        return pulumi.get(self, "start_time")  # type: ignore[no-any-return]

    @start_time.setter
    def start_time(self, value: pulumi.Input[str | int] | None) -> None:
        pulumi.set(self, "start_time", value)

    @property
    @pulumi.getter
    def desired_state(self) -> pulumi.Input[DesiredState] | None:
        """What the job shall be."""
        return pulumi.get(self, "desired_state")  # type: ignore[no-any-return]

    @desired_state.setter
    def desired_state(self, value: pulumi.Input[DesiredState] | None) -> None:
        pulumi.set(self, "desired_state", value)


class _JobId(TypedDict):
    job_id: pulumi.Input[str]


class JobStartArgsDict(_JobId, total=False):
    """The dict twin of `JobStartArgs`."""

    start_time: pulumi.Input[str | int]
    desired_state: pulumi.Input[DesiredState]


JobInput = pulumi.Input[str | JobStartArgs | JobStartArgsDict]


# Classes and no aliases, because a checker that refuses something writes aliases out in full.
class JobSequence(NotText[JobInput], Protocol):
    """Any sequence of jobs that is no text."""


class JobSet(Protocol):
    """A set of jobs."""

    def __iter__(self) -> Iterator[JobInput]: ...
    def isdisjoint(self, other: Iterable[Any], /) -> bool: ...


class JobIterator(Protocol):
    """A generator of jobs."""

    def __iter__(self) -> Iterator[JobInput]: ...
    def __next__(self) -> JobInput: ...


Jobs = (
    # These are sequences too, but only so checkers see that a dict written inside of one is a `JobStartArgsDict`.
    list[JobInput]
    | tuple[JobInput, ...]
    | JobSequence
    | JobSet
    | JobIterator
    | ValuesView[JobInput]
    | Awaitable[JobSequence]
    | pulumi.Output[JobSequence]
)


class JobBatchStart(pulumi.dynamic.Resource, module="drs", name="JobBatchStart"):
    """DRS jobs that shall be started, many at once.

    ``up`` starts those that are not, and no others; ``preview`` says which; ``refresh`` brings the statuses up to date;
    ``destroy`` leaves the jobs as they are, unless `on_destroy` says otherwise. Jobs that already run are taken over, and those
    that are taken off the list are left as they are. A job is paused or stopped where its ``desired_state`` says so.
    """

    if TYPE_CHECKING:
        # Where they exist at run time Pulumi compares outputs with them, and knows no TypedDict.
        jobs: pulumi.Output[list[JobStart]]
        """The jobs, in normal form, in the order of their ids."""
        wait_for: pulumi.Output[WaitFor]
        timeout: pulumi.Output[str]
        on_failure: pulumi.Output[OnFailure]
        on_destroy: pulumi.Output[OnDestroy]
        resume: pulumi.Output[bool]
        precheck: pulumi.Output[bool]
        region: pulumi.Output[str | None]
        project_id: pulumi.Output[str | None]
        endpoint: pulumi.Output[str | None]
        start_time: pulumi.Output[str | None]
        cloud: pulumi.Output[str | None]

        job_statuses: pulumi.Output[dict[str, JobStatus]]
        """How each job stands, by id."""
        summary: pulumi.Output[BatchSummary]
        """How many jobs are in each phase, and in ``total``."""
        ready: pulumi.Output[bool]
        """Every job is in a phase that fulfils what was asked."""

    def __init__(
        self,
        resource_name: str,
        *,
        jobs: Jobs,
        start_time: pulumi.Input[str | int] | None = None,
        wait_for: pulumi.Input[WaitFor] | None = None,
        timeout: pulumi.Input[str] | None = None,
        resume: pulumi.Input[bool] | None = None,
        precheck: pulumi.Input[bool] | None = None,
        on_failure: pulumi.Input[OnFailure] | None = None,
        on_destroy: pulumi.Input[OnDestroy] | None = None,
        region: pulumi.Input[str] | None = None,
        project_id: pulumi.Input[str] | None = None,
        endpoint: pulumi.Input[str] | None = None,
        cloud: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
        Args:
            resource_name: the resource's name in the stack.
            jobs: the jobs that shall be started: ids, `JobStartArgs` or dicts. At least one, each once, in any order.
            start_time: when jobs without a time of their own shall start: RFC 3339 with a zone, such as
                ``2026-12-01T02:00:00+01:00``, or milliseconds since the epoch; default now.
            wait_for: ``running`` (default): return when every job runs. ``accepted``: as soon as DRS accepted the starts.
            timeout: for the whole operation, such as ``90s``, ``30m``, ``2h``; default ``60m``. ``custom_timeouts`` win.
            resume: also resume jobs that are paused, have failed or failed to start; default False.
            precheck: have DRS pre-check jobs before they are started, and start those that pass; default False.
            on_failure: when some jobs can't be brought to their state. ``fail`` (default): fail after all others were dealt
                with. ``record``: succeed with a warning, and try again at the next ``up``.
            on_destroy: what becomes of the jobs when the resource is deleted, unless another one declares them. ``leave``
                (default): they go on. ``pause``: they can be resumed. ``stop``: that is final, a stopped job can't be started
                again.
            region: where the jobs live, if not where the stack's configuration says; a change replaces the resource.
            project_id: likewise.
            endpoint: likewise.
            cloud: the entry of clouds.yaml to use for these jobs; a change of place replaces the resource.
            opts: as for every resource.
        """
        inputs: dict[str, Any] = {name: value for name, value in locals().items() if name in INPUT_NAMES}
        inputs["found"] = _found(jobs)
        if isinstance(jobs, Iterable) and not isinstance(jobs, (str, Mapping, pulumi.Output, Awaitable)):
            # Pulumi takes lists only; tuples, sets and generators mean the same here.
            inputs["jobs"] = list(jobs)
        absent = {name for name, value in inputs.items() if value is None and name in _WITHOUT_DEFAULT}
        props = {name: value for name, value in inputs.items() if name not in absent}
        props |= dict.fromkeys((*(output.name for output in OUTPUTS), "unreported_failure"))
        props |= _secrecy({name: inputs[name] for name in REPEATED})
        super().__init__(JobBatchStartProvider(), resource_name, props, opts)
        for name in absent:
            # Never an output of the provider, so each preview would show it as unknown.
            setattr(self, name, pulumi.Output.from_input(None))
        # On their way through the engine, None disappears from dicts and whole numbers become floats.
        self.job_statuses = self.job_statuses.apply(_with_every_field)
        self.summary = self.summary.apply(_with_whole_numbers)
        pulumi.Output.from_input(getattr(self, "unreported_failure", None)).apply(_fail_program)
        for internal in INTERNAL:
            # Between this constructor and the provider; no outputs to be used.
            self.__dict__.pop(internal.name, None)


def _found(jobs: Any) -> Any:
    """What `find_jobs` knows beside the ids: the provider keeps jobs that it has already, whatever their status is now."""
    if isinstance(jobs, pulumi.Output):
        return jobs.apply(_found)
    if not isinstance(jobs, FoundJobs):
        return None
    return {"query": jobs.query, "other_status": list(jobs.other_status), "of_total": jobs.of_total}


_WITHOUT_DEFAULT = {"found", *(each.name for each in INPUTS if each.default is None and each.name != "jobs")}


def _secrecy(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Which of these inputs are secret, for the provider; and what makes Pulumi encrypt the outputs that repeat them."""
    outputs = {name: found for name, value in inputs.items() if (found := list(_outputs_in(value)))}
    if not outputs:
        return {}

    async def find() -> str:
        # An input that fails fails the resource, and need not do so here.
        return " ".join([name for name, ones in outputs.items() if any([await one.is_secret() for one in ones])])

    names = asyncio.ensure_future(find())

    async def is_secret() -> bool:
        return bool(await names)

    async def mark() -> dict[str, str] | None:
        return {"secret": await names} if await names else None

    async def known() -> bool:
        return True

    def output(value: Awaitable[Any], secret: Awaitable[bool] | None) -> pulumi.Output[Any]:
        return pulumi.Output(set(), asyncio.ensure_future(value), asyncio.ensure_future(known()), secret)

    told = output(names, None).apply(lambda text: text or None)
    return {SECRET_INPUTS: told} | {name: output(mark(), asyncio.ensure_future(is_secret())) for name in REPEATING}


def _outputs_in(value: Any) -> Iterator[pulumi.Output[Any]]:
    """The Outputs that an input holds, at whatever depth inputs of ours can have."""
    if isinstance(value, pulumi.Output):
        yield value
    elif isinstance(value, JobStartArgs):
        yield from _outputs_in([value.job_id, value.start_time, value.desired_state])
    elif isinstance(value, (Mapping, list, tuple, set, frozenset)):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _outputs_in(part)


def _with_every_field(rows: Mapping[str, Mapping[str, Any]] | None) -> Any:
    if rows and any(isinstance(row, str) for row in rows.values()):
        # What made the output secret, in a preview: the rows are not known yet.
        return pulumi.Output(set(), _soon(None), _soon(False), _soon(True))
    return {job_id: dict.fromkeys(JOB_STATUS_FIELDS) | dict(row) for job_id, row in (rows or {}).items()}


def _soon(value: _T) -> asyncio.Future[_T]:
    future: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
    future.set_result(value)
    return future


def _with_whole_numbers(counts: Mapping[str, Any] | None) -> Any:
    return {phase: int(count) for phase, count in (counts or {}).items()}


def _fail_program(failure: str | None) -> None:
    """Where the host can't save a resource and fail at once, the provider hands the failure over to the program."""
    if failure and not pulumi.runtime.is_dry_run():
        raise pulumi.RunError(failure)
