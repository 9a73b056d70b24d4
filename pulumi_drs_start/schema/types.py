"""
What a program writes and reads: the words, the rows of the outputs, and the lists that it may give.

The types of the inputs that may hold Outputs are with the resource. These here need nothing of Pulumi, nor of DRS.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Iterator, Mapping, ValuesView
from collections.abc import Set as AbstractSet
from typing import Any, Literal, Protocol, TypedDict, TypeVar

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)

DesiredState = Literal["started", "paused", "stopped"]
"""What a job shall be."""
WaitFor = Literal["running", "accepted"]
"""When an operation returns."""
OnFailure = Literal["fail", "record"]
"""What an operation does when some jobs can't be brought to their state."""
OnDestroy = Literal["leave", "pause", "stop"]
"""What becomes of the jobs when the resource is deleted."""
DbUseType = Literal["migration", "sync", "cloudDataGuard"]
"""What a job is for, in DRS's words; ``cloudDataGuard`` is disaster recovery."""
Phase = Literal[
    "pending", "startable", "scheduled", "starting", "running", "paused", "failed", "start_failed", "ended", "dead", "missing"
]
"""Where a job stands on its way from created to running to over."""
Outcome = Literal["started", "scheduled", "resumed", "paused", "stopped", "already_started", "unchanged", "failed"]
"""What the last operation did for a job."""


class CurrentJobStatus(TypedDict):
    """How a job stands when it is asked: a row of what `get_job_statuses` returns.

    Attributes:
        status: DRS's word for it, or ``MISSING`` for a job that DRS does not know.
        phase: what the status means.
        error_code: DRS's code of what is wrong; None when all is well.
        error_message: what is wrong, in words; None when all is well.
    """

    status: str
    phase: Phase
    error_code: str | None
    error_message: str | None


class JobStatus(CurrentJobStatus):
    """How a job stood after the last operation or refresh: a row of the output `job_statuses`.

    Attributes:
        outcome: what the last operation did for the job.
        start_time: when it starts, RFC 3339 in UTC; None for a job that is not scheduled.
    """

    outcome: Outcome
    start_time: str | None


JOB_STATUS_FIELDS = tuple(JobStatus.__annotations__)


class _Total(TypedDict):
    total: int


class BatchSummary(_Total, total=False):
    """How many jobs are in each phase, and in ``total``. A phase without jobs is left out: ``summary.get("failed", 0)``."""

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
    """A declared job in normal form: an item of the output `jobs`.

    Attributes:
        job_id: the job's id.
        start_time: its own start time, RFC 3339 in UTC; left out if it has none.
        desired_state: what it shall be; left out if that is ``started``.
    """

    start_time: str
    desired_state: DesiredState


class NotText(Protocol[_T_co]):
    """A list, a tuple or another sequence, but no text: that is a sequence too, and one id is not a list of ids."""

    # A text can be asked for texts only, and a dict takes no index.
    def __contains__(self, item: object, /) -> bool: ...
    def __getitem__(self, index: int, /) -> _T_co: ...
    def __iter__(self) -> Iterator[_T_co]: ...
    def __len__(self) -> int: ...


Several = NotText[_T] | AbstractSet[_T] | ValuesView[_T] | Iterator[_T]
"""What may be given as a list: lists, tuples, sets, the values of a dict, generators."""


def as_list(value: Any) -> Any:
    """A list of what may be given as a list, and any other value as it is.

    Pulumi takes lists only, and looks for Outputs in lists and dicts only.
    """
    return list(value) if isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping, Awaitable)) else value


class FoundJobs(list[str]):
    """Ids of jobs, as `find_jobs` found them: a list like any other, which also knows how it was asked for.

    What is made of it (a slice, a sum, a comprehension) is a plain list.

    Attributes:
        query: the call, in its own words: ``find_jobs(name="crm-*", status="CONFIGURATION")``.
        other_status: ids of the jobs that match in everything but ``status``: those that were started meanwhile, for one.
        of_total: how many jobs were looked through.
    """

    # Without slots Pulumi would take the attributes for the value in some places.
    __slots__ = ("of_total", "other_status", "query")

    query: str
    other_status: tuple[str, ...]
    of_total: int

    def __init__(
        self, job_ids: Iterable[str] = (), *, query: str = "", other_status: Iterable[str] = (), of_total: int = 0
    ) -> None:
        super().__init__(job_ids)
        self.query = query
        self.other_status = tuple(other_status)
        self.of_total = of_total
