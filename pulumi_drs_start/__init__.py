"""Start data-replication jobs of Open Telekom Cloud DRS from Pulumi."""

from .resource import JobBatchStart, JobStartArgs, JobStartArgsDict

__version__ = "0.1.0"

__all__ = ["JobBatchStart", "JobStartArgs", "JobStartArgsDict"]
