"""Start data-replication jobs of Open Telekom Cloud DRS from Pulumi."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .schema.types import (
    BatchSummary,
    CurrentJobStatus,
    DbUseType,
    DesiredState,
    FoundJobs,
    JobProblem,
    JobStart,
    JobStatus,
    OnDestroy,
    OnFailure,
    Outcome,
    Phase,
    WaitFor,
)

if TYPE_CHECKING:
    from .functions import (
        find_jobs,
        find_jobs_output,
        get_job_statuses,
        get_job_statuses_output,
        require_synced,
        require_synced_output,
    )
    from .resource import JobBatchStart, JobStartArgs, JobStartArgsDict

__version__ = "0.1.0"

__all__ = [
    "BatchSummary",
    "CurrentJobStatus",
    "DbUseType",
    "DesiredState",
    "FoundJobs",
    "JobBatchStart",
    "JobProblem",
    "JobStart",
    "JobStartArgs",
    "JobStartArgsDict",
    "JobStatus",
    "OnDestroy",
    "OnFailure",
    "Outcome",
    "Phase",
    "WaitFor",
    "find_jobs",
    "find_jobs_output",
    "get_job_statuses",
    "get_job_statuses_output",
    "require_synced",
    "require_synced_output",
]


def __getattr__(name: str) -> Any:
    # Only what is used is loaded: the sandbox and the DRS client are in this package too, and start without loading Pulumi.
    if name in __all__:
        return getattr(import_module(".resource" if name.startswith("Job") else ".functions", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
