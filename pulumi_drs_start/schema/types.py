"""
Types of what a program writes and reads: words, rows of the outputs, and what may be given as a list.

The types of inputs that may hold Outputs are in `resource.py`, because this module knows nothing of Pulumi.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Iterator, Mapping, ValuesView
from collections.abc import Set as AbstractSet
from typing import Any, Literal, Protocol, TypedDict, TypeVar

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)

DesiredState = Literal["started", "paused", "stopped"]
"""The state that a job shall be in. ``stopped`` is final."""
WaitFor = Literal["running", "accepted", "synced"]
"""When an operation returns: when every job runs, when DRS accepted the starts, or when every copy has caught up."""
OnFailure = Literal["fail", "record"]
"""What an operation does when some jobs can't be brought to their state: fail, or succeed with a warning."""
OnDestroy = Literal["leave", "pause", "stop"]
"""What becomes of the jobs when the resource is deleted. ``stop`` is final."""
DbUseType = Literal["migration", "sync", "cloudDataGuard"]
"""The kind of a job, in DRS's words. ``cloudDataGuard`` is disaster recovery."""
Phase = Literal[
    "pending", "startable", "scheduled", "starting", "running", "paused", "failed", "start_failed", "ended", "dead", "missing"
]
"""What a status of DRS means for a job that shall be started. The documentation has a table of phases and statuses."""
Outcome = Literal["started", "scheduled", "resumed", "paused", "stopped", "already_started", "unchanged", "failed"]
"""What the last operation did for a job."""


class CopyFields(TypedDict):
    """How far the copy of a job is: a part of a row.

    Attributes:
        progress: how much of the full copy is done, in per cent; None unless that was asked for, and DRS tells it.
        delay_seconds: how far the copy is behind its source; None unless that was asked for, and DRS tells it.
    """

    progress: int | None
    delay_seconds: int | None


class CurrentJobStatus(CopyFields):
    """How a job stands now: a row of the result of `get_job_statuses`.

    Attributes:
        name: what the job is called; None if DRS does not tell.
        status: the status in DRS's words. ``MISSING`` if DRS does not know the job.
        phase: what the status means.
        error_code: DRS's error code; None if there is no error.
        error_message: what is wrong; None if there is no error.
    """

    name: str | None
    status: str
    phase: Phase
    error_code: str | None
    error_message: str | None


class JobStatus(CurrentJobStatus):
    """How a job stood after the last operation or refresh: a row of the output `job_statuses`.

    Attributes:
        outcome: what the last operation did for the job.
        start_time: when DRS starts the job, RFC 3339 in UTC; None if the job is not scheduled.
    """

    outcome: Outcome
    start_time: str | None


class JobProblem(TypedDict):
    """What is wrong with a job that is not what was declared: a row of the output `problems`.

    Attributes:
        name: what DRS calls the job; None where that is not known.
        status: the status in DRS's words. ``MISSING`` if DRS does not know the job.
        error_code: DRS's error code; None where it gave none.
        error_message: what is wrong.
        advice: what to do.
    """

    name: str | None
    status: str
    error_code: str | None
    error_message: str
    advice: str


class _Total(TypedDict):
    total: int


class BatchSummary(_Total, total=False):
    """How many jobs are in each phase, and in ``total``. A phase without jobs has no key: use ``summary.get("failed", 0)``."""

    pending: int
    startable: int
    scheduled: int
    starting: int
    running: int
    paused: int
    failed: int
    start_failed: int
    ended: int
    dead: int
    missing: int


class _JobId(TypedDict):
    job_id: str


class JobStart(_JobId, total=False):
    """A declared job: an item of the output `jobs`.

    Attributes:
        job_id: the job's id.
        start_time: the job's own start time, RFC 3339 in UTC. No key if it has none.
        desired_state: the state that the job shall be in. No key for ``started``.
    """

    start_time: str
    desired_state: DesiredState


class NotText(Protocol[_T_co]):
    """A list, a tuple or another sequence, but no string and no dict: one id is not a list of ids."""

    # A string lacks the first of these methods for any object, and a dict the second for an index.
    def __contains__(self, item: object, /) -> bool: ...
    def __getitem__(self, index: int, /) -> _T_co: ...
    def __iter__(self) -> Iterator[_T_co]: ...
    def __len__(self) -> int: ...


Several = NotText[_T] | AbstractSet[_T] | ValuesView[_T] | Iterator[_T]
"""What may be given as a list: a list, a tuple, a set, the values of a dict, a generator."""


def as_list(value: Any) -> Any:
    """The list, if `value` is `Several` things; otherwise `value`. Pulumi looks for Outputs in lists and dicts only."""
    return list(value) if isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping, Awaitable)) else value


class FoundJobs(list[str]):
    """The result of `find_jobs`: a list of job ids, and how they were found. A slice or a sum of it is a plain list.

    Attributes:
        query: the call as a program writes it, such as ``find_jobs(name="crm-*", status="CONFIGURATION")``.
        other_status: the ids of the jobs that match every argument but ``status``, such as jobs that were started since.
        names: what the jobs are called, by id, those of `other_status` included. A job without a name has no key.
        of_total: how many jobs were looked through.
    """

    # With a __dict__, Pulumi would in some places take the attributes for the value.
    __slots__ = ("names", "of_total", "other_status", "query")

    query: str
    other_status: tuple[str, ...]
    names: Mapping[str, str]
    of_total: int

    def __init__(
        self,
        job_ids: Iterable[str] = (),
        *,
        query: str = "",
        other_status: Iterable[str] = (),
        names: Mapping[str, str] | None = None,
        of_total: int = 0,
    ) -> None:
        super().__init__(job_ids)
        self.query = query
        self.other_status = tuple(other_status)
        self.names = dict(names or {})
        self.of_total = of_total
