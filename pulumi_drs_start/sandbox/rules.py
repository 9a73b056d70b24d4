"""
Which operation a job permits, and if not, why: a code of the table, or None for yes.

Pure judgement. It is carried out in `state`; where the documentation is silent, `policy` decides.
"""

from __future__ import annotations

from .jobs import DELETABLE, FULL, INCREMENTAL, PAUSED, Job
from .policy import Policy

ONE_MINUTE_MS = 60_000
# "Pausing Tasks in Batches" names these.
PAUSABLE = (*FULL, *INCREMENTAL)
RETRYABLE = ("FULL_TRANSFER_FAILED", "INCRE_TRANSFER_FAILED", "CHANGE_JOB_FAILED", *PAUSED)
# The user manual offers no stop here; a forced one is accepted.
NOT_STOPPABLE = ("STARTJOBING", "START_JOB_FAILED")
ENDED = ("RELEASE_RESOURCE_STARTED", "RELEASE_RESOURCE_COMPLETE", "CREATE_FAILED", "RELEASE_CHILD_TRANSFER_COMPLETE")

BUSY = "DRS.M01504"
WRONG_STATUS = "DRS.M00304"
ONLY_SUBTASKS = "DRS.M00307"
ONLY_PARENTS = "DRS.M00308"
SCHEME_UNSUPPORTED = "DRS.M00302"
INVALID_VALUE = "DRS.M00202"


def why_not_start(job: Job, policy: Policy, now: float, *, is_parent: bool, forward: Job | None, is_past: bool) -> str | None:
    """`forward` is the other subtask of a backward one in dual-active disaster recovery."""
    if is_past and policy.past_start_time == "refuse":
        return INVALID_VALUE
    if is_parent:
        return ONLY_SUBTASKS
    if job.is_busy:
        return policy.second_start_code
    if job.status == "CONFIGURATION":
        if job.is_backward:
            # It needs no pre-check of its own once the forward task replicates.
            return None if is_forward_ready(forward, now) else WRONG_STATUS
        return None if job.is_prechecked else WRONG_STATUS
    if job.status == "WAITING_FOR_START" and policy.reschedule == "accept":
        return None
    if job.status == "START_JOB_FAILED" and policy.restart_failed == "accept":
        return None
    return WRONG_STATUS


def is_forward_ready(forward: Job | None, now: float) -> bool:
    """The forward task replicates with RPO and RTO below a minute ("Starting Tasks in Batches", Chinese edition)."""
    return forward is not None and forward.status == "INCRE_TRANSFER_STARTED" and max(forward.lag_ms(now)) < ONE_MINUTE_MS


def why_not_pause(job: Job, policy: Policy, *, is_parent: bool) -> str | None:
    if is_parent:
        return ONLY_SUBTASKS
    if job.spec.db_use_type == "cloudDataGuard" and not policy.pause_disaster_recovery:
        return SCHEME_UNSUPPORTED
    if job.is_busy:
        return BUSY
    return None if job.status in PAUSABLE else WRONG_STATUS


def why_not_retry(job: Job, policy: Policy, *, is_parent: bool) -> str | None:
    """Retrying a failed job and resuming a paused one are one call."""
    if is_parent:
        return ONLY_SUBTASKS
    if job.is_busy:
        return BUSY
    if job.status == "START_JOB_FAILED":
        return None if policy.retry_start_failed == "accept" else WRONG_STATUS
    return None if job.status in RETRYABLE else WRONG_STATUS


def why_not_end(job: Job, delete_type: str) -> str | None:
    """Stop or delete; in dual-active disaster recovery that is the parent's privilege."""
    if job.spec.multi_write and job.spec.parent_id is not None:
        return ONLY_PARENTS
    if delete_type == "delete":
        return None if job.status in DELETABLE else WRONG_STATUS
    if job.status in ENDED or (delete_type == "terminate" and job.status in NOT_STOPPABLE):
        return WRONG_STATUS
    return BUSY if job.is_busy and delete_type == "terminate" else None


def why_not_precheck(job: Job, *, is_parent: bool) -> str | None:
    if is_parent:
        return ONLY_SUBTASKS
    if job.is_busy:
        return BUSY
    return None if job.status == "CONFIGURATION" else WRONG_STATUS
