"""
The resource `JobBatchStart` and the types of its inputs.

What the provider does with the inputs is in `dynamic/hooks.py`. What the inputs mean is in the table `schema/fields.py`;
the signature and the attributes here repeat its names, because checkers and editors read nothing else. A test compares the two.
"""

# No `from __future__ import annotations`: Pulumi reads the types of JobStartArgs when the program runs.

from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence, ValuesView
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

import pulumi

from .provider import JobBatchStartProvider
from .schema.fields import (
    FOUND,
    INPUT_NAMES,
    INPUTS,
    INTERNAL,
    OUTPUTS,
    PREVIEW,
    PREVIEWED,
    PROBLEM_FIELDS,
    REPEATED,
    REPEATING,
    ROW_FIELDS,
    SECRET_INPUTS,
    UNREPORTED_FAILURE,
    Field,
    Kind,
)
from .schema.types import (
    BatchSummary,
    DesiredState,
    FoundJobs,
    JobProblem,
    JobStart,
    JobStatus,
    NotText,
    OnDestroy,
    OnFailure,
    WaitFor,
    as_list,
)
from .stack import warn_of_unknown_settings


@pulumi.input_type
@dataclass(kw_only=True, eq=False)
class JobStartArgs:
    """One job of a `JobBatchStart`, with a time and a state of its own.

    Args:
        job_id: the job's id, as the DRS console shows it.
        start_time: when the job shall start: RFC 3339 with a time zone, a `datetime` with one, or milliseconds since the
            epoch. If it is left out, the resource's ``start_time`` counts.
        desired_state: the state that the job shall be in. ``started`` (default). ``paused``: a running job is paused, and a job
            that was never started is not started. ``stopped``: the job is ended. A stopped job can never be started again.
    """

    job_id: pulumi.Input[str]
    start_time: pulumi.Input[str | int | datetime] | None = None
    desired_state: pulumi.Input[DesiredState] | None = None


class _JobId(TypedDict):
    job_id: pulumi.Input[str]


class JobStartArgsDict(_JobId, total=False):
    """One job as a dict: the same keys and meanings as `JobStartArgs`."""

    start_time: pulumi.Input[str | int | datetime]
    desired_state: pulumi.Input[DesiredState]


JobInput = pulumi.Input[str | JobStartArgs | JobStartArgsDict]


# Classes and not aliases: error messages of the checkers name a class, and write an alias out in full.
class JobSequence(NotText[JobInput], Protocol):
    """A list, a tuple or another sequence of jobs."""


class JobSet(Protocol):
    """A set of jobs."""

    def __iter__(self) -> Iterator[JobInput]: ...
    def isdisjoint(self, other: Iterable[Any], /) -> bool: ...


class JobIterator(Protocol):
    """A generator of jobs."""

    def __iter__(self) -> Iterator[JobInput]: ...
    def __next__(self) -> JobInput: ...


Jobs = (
    # Lists and tuples are sequences too. Named here, they let checkers see a dict that is written inside as a JobStartArgsDict.
    list[JobInput]
    | tuple[JobInput, ...]
    | JobSequence
    | JobSet
    | JobIterator
    | ValuesView[JobInput]
    | Awaitable[JobSequence]
    | pulumi.Output[JobSequence | JobSet]
)


class JobBatchStart(pulumi.dynamic.Resource, module="drs", name="JobBatchStart"):
    """DRS jobs that shall be started, many at once.

    ``pulumi up`` starts the jobs that are not started yet, and no others. ``preview`` says which ones these are. ``refresh``
    reads the statuses anew. ``destroy`` leaves the jobs as they are, unless ``on_destroy`` says otherwise. A job that already
    runs is taken over. A job that is taken off the list is left as it is.
    """

    # Not at run time: Pulumi would check the outputs against these types, and can't check a TypedDict.
    if TYPE_CHECKING:
        # Each input is an output too, with its default if the program left it out.
        jobs: pulumi.Output[list[JobStart]]
        """The jobs as dicts, in the order of their ids."""
        start_time: pulumi.Output[str | None]
        wait_for: pulumi.Output[WaitFor]
        max_delay: pulumi.Output[str]
        stable_for: pulumi.Output[str]
        timeout: pulumi.Output[str]
        resume: pulumi.Output[bool]
        precheck: pulumi.Output[bool]
        on_failure: pulumi.Output[OnFailure]
        on_destroy: pulumi.Output[OnDestroy]
        region: pulumi.Output[str | None]
        project_id: pulumi.Output[str | None]
        endpoint: pulumi.Output[str | None]
        cloud: pulumi.Output[str | None]

        job_statuses: pulumi.Output[dict[str, JobStatus]]
        """How each job stood after the last operation or refresh, by job id."""
        summary: pulumi.Output[BatchSummary]
        """How many jobs are in each phase, and in ``total``."""
        problems: pulumi.Output[dict[str, JobProblem]]
        """The jobs that are not what was declared, by job id, with what is wrong and what to do. Empty when all is well."""
        ready: pulumi.Output[bool]
        """Whether every job is what was declared."""

    def __init__(
        self,
        resource_name: str,
        *,
        jobs: Jobs,
        start_time: pulumi.Input[str | int | datetime] | None = None,
        wait_for: pulumi.Input[WaitFor] | None = None,
        max_delay: pulumi.Input[str] | None = None,
        stable_for: pulumi.Input[str] | None = None,
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
            jobs: the jobs: ids, `JobStartArgs` or dicts. At least one, each once. The order does not matter.
            start_time: when jobs without a time of their own shall start: RFC 3339 with a time zone, such as
                ``2026-12-01T02:00:00+01:00``, a `datetime` with one, or milliseconds since the epoch. Default: now.
            wait_for: when an operation returns. ``running`` (default): when every job runs. ``accepted``: as soon as DRS
                accepted the starts. ``synced``: when every copy has caught up with its source. A job that fails or is paused
                before that fails the operation; one that waits for its time is not waited for.
            max_delay: of ``synced``: how far behind a copy may be, such as ``30s``. Default: ``10s``.
            stable_for: of ``synced``: for how long every reading of the delay has to be so small. Default: ``60s``.
            timeout: the time for a whole operation, such as ``90s``, ``30m``, ``2h``. Default: ``60m``. Pulumi's
                ``custom_timeouts`` win.
            resume: also resume jobs that are paused, have failed or failed to start. Default: ``False``.
            precheck: let DRS check the jobs before they are started, and start those that pass. Default: ``False``.
            on_failure: what happens when some jobs can't be brought to their state. ``fail`` (default): the operation fails
                after all other jobs were dealt with. ``record``: it succeeds with a warning, and the next ``up`` tries again.
            on_destroy: what becomes of the jobs when the resource is deleted, except those that another resource declares.
                ``leave`` (default): nothing. ``pause``: they are paused. ``stop``: they are ended. A stopped job can never be
                started again.
            region: the region of the jobs. By default region, project, endpoint and cloud come from the configuration. A
                change to another place replaces the resource.
            project_id: the id of the project of the jobs.
            endpoint: the address of DRS.
            cloud: the entry of ``clouds.yaml`` to log in with.
            opts: Pulumi's options, as for every resource.

        Raises:
            pulumi.RunError: some jobs failed, and Pulumi's host could not report it. Raised when the outputs are known.
        """
        warn_of_unknown_settings()
        inputs: dict[str, Any] = {name: value for name, value in locals().items() if name in INPUT_NAMES}
        inputs |= {"jobs": _plain(jobs), "start_time": _plain(start_time)}
        absent = [each.name for each in INPUTS if each.default is None and inputs[each.name] is None]
        props = {name: value for name, value in inputs.items() if name not in absent}
        # Pulumi makes outputs only of names that are in the props.
        props |= dict.fromkeys((*(output.name for output in OUTPUTS), UNREPORTED_FAILURE))
        props |= {FOUND: _found(jobs), PREVIEW: pulumi.runtime.is_dry_run() or None}
        props |= _secrecy(inputs)
        super().__init__(JobBatchStartProvider(), resource_name, props, opts)
        for name in absent:
            # The provider never returns them. Pulumi would show them as unknown in each preview.
            setattr(self, name, pulumi.Output.from_input(None))
        self.jobs = self.jobs.apply(_as_dicts)
        self.job_statuses = self.job_statuses.apply(partial(_with_every_field, ROW_FIELDS))
        self.problems = self.problems.apply(partial(_with_every_field, PROBLEM_FIELDS))
        self.summary = self.summary.apply(_with_whole_numbers)
        pulumi.Output.from_input(getattr(self, UNREPORTED_FAILURE, None)).apply(_fail_program)
        for internal in INTERNAL + PREVIEWED:
            # Between this constructor and the provider; programs must not use them.
            self.__dict__.pop(internal.name, None)


def _plain(value: Any) -> Any:
    """Jobs or a time as Pulumi takes them: several as a list, and times as text, because it takes no `datetime`."""
    if isinstance(value, pulumi.Output):
        return value.apply(_plain)
    if isinstance(value, Awaitable):
        return pulumi.Output.from_input(value).apply(_plain)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, JobStartArgs):
        value = vars(value)
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    several = as_list(value)
    return [_plain(part) for part in several] if isinstance(several, list) else several


def _found(jobs: Any) -> Any:
    """What `find_jobs` knows beside the ids.

    With it the provider keeps a listed job whose status no longer matches, and messages call jobs by their names.
    """
    if isinstance(jobs, pulumi.Output):
        return jobs.apply(_found)
    if not isinstance(jobs, FoundJobs):
        return None
    return {"query": jobs.query, "other_status": list(jobs.other_status), "of_total": jobs.of_total, "names": dict(jobs.names)}


def _secrecy(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Props that tell the provider which of these inputs are secret, and let Pulumi encrypt the outputs that repeat them."""
    if not any(True for _ in _outputs_in(inputs)):
        return {}

    async def secret_names() -> str:
        return " ".join([name for name, value in inputs.items() if await _is_secret(value)])

    def mark(text: str) -> Any:
        repeated = " ".join(name for name in text.split() if name in REPEATED)
        return pulumi.Output.secret({"secret": repeated}) if repeated else None

    names: pulumi.Output[str] = pulumi.Output.from_input(secret_names())
    # Pulumi encrypts what a provider returns if the program has a secret input of the same name.
    repeating = (*REPEATING, *(field.name for field in PREVIEWED))
    return {SECRET_INPUTS: names.apply(lambda text: text or None)} | dict.fromkeys(repeating, names.apply(mark))


async def _is_secret(value: Any) -> bool:
    """Whether an input is secret, or holds something secret at any depth."""
    for output in _outputs_in(value):
        # What is in an Output may hold others.
        if await output.is_secret() or await _is_secret(await output.future()):
            return True
    return False


def _outputs_in(value: Any) -> Iterator[pulumi.Output[Any]]:
    """The Outputs in an input, at any depth."""
    if isinstance(value, pulumi.Output):
        yield value
        return
    if isinstance(value, JobStartArgs):
        value = vars(value)
    for part in value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ():
        yield from _outputs_in(part)


def _as_dicts(jobs: Any) -> Any:
    """Every job as a dict. In the state a job is an id where nothing else is declared for it."""
    return [{"job_id": job} if isinstance(job, str) else job for job in jobs or ()]


def _with_every_field(fields: Sequence[Field], rows: Mapping[str, Mapping[str, Any]] | None) -> Any:
    """Rows with the fields that are None, which Pulumi's engine drops, and with whole numbers, which it turns into floats."""
    if rows and any(isinstance(row, str) for row in rows.values()):
        # A preview shows the mark of `_secrecy`, because the rows are not known yet.
        return pulumi.Output.secret(pulumi.UNKNOWN)
    empty: dict[str, Any] = dict.fromkeys(field.name for field in fields)
    numbers = [field.name for field in fields if field.kind is Kind.NUMBER]
    full = {job_id: empty | dict(row) for job_id, row in (rows or {}).items()}
    for row in full.values():
        row.update((name, int(row[name])) for name in numbers if row[name] is not None)
    return full


def _with_whole_numbers(counts: Mapping[str, Any] | None) -> Any:
    """Counts as integers, which Pulumi's engine turns into floats."""
    return {phase: int(count) for phase, count in (counts or {}).items()}


def _fail_program(failure: str | None) -> None:
    """Fail the program where the host can't both save a resource and report its failure."""
    if failure and not pulumi.runtime.is_dry_run():
        raise pulumi.RunError(failure)
