"""
How far copies are behind, from the one of two calls that DRS has.

Huawei Cloud tells RPO and RTO in a call of its own. Open Telekom Cloud documents the progress of jobs alone, which knows a part.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from ..errors import (
    DrsError,
    JobUnknownError,
    PermissionDeniedError,
    ServiceFaultError,
    ServiceRefusedError,
    ThrottledError,
    TokenRejectedError,
)
from ..http.budget import TimeBudget
from ..http.retry import RetryPolicy
from .batch_read import BatchReader
from .models import ReplicationLag
from .wire_rows import ReplicationLagRow

log = logging.getLogger(__name__)

RECOVERY = "jobs/batch-rpo-and-rto"
PROGRESS = "jobs/batch-progress"
# Huawei recommends no more than ten jobs in a call about disaster recovery, and sets no limit. Of very many jobs more are sent,
# because forty calls would keep DRS busier than twenty.
RECOVERY_BATCH = 10
MANY = 200
RECOVERY_BATCH_OF_MANY = 20
PROGRESS_BATCH = 100

# Gets the rows that one call, named by its path, has for these jobs.
Ask = Callable[[str, Sequence[str]], Mapping[str, ReplicationLagRow]]


class ReplicationLagReader:
    """Reads lags, and remembers which of the calls DRS has. May be shared by threads."""

    def __init__(self, retry: RetryPolicy) -> None:
        self._recovery = BatchReader("batch-rpo-and-rto", RECOVERY_BATCH, retry)
        self._recovery_of_many = BatchReader("batch-rpo-and-rto", RECOVERY_BATCH_OF_MANY, retry)
        self._progress = BatchReader("batch-progress", PROGRESS_BATCH, retry)
        self._has_recovery = True

    def read(self, job_ids: Sequence[str], ask: Ask, budget: TimeBudget) -> dict[str, ReplicationLag]:
        """One for every job. Raises DrsError if DRS can't be asked; that it refuses to tell is no error."""
        found: dict[str, ReplicationLag] | None = None
        if self._has_recovery:
            reader = self._recovery_of_many if len(job_ids) > MANY else self._recovery
            found = _read(reader, RECOVERY, job_ids, ask, budget)
            self._has_recovery = found is not None
        if found is None:
            found = _read(self._progress, PROGRESS, job_ids, ask, budget) or {}
        return dict.fromkeys(job_ids, ReplicationLag()) | found


def _read(
    reader: BatchReader, path: str, job_ids: Sequence[str], ask: Ask, budget: TimeBudget
) -> dict[str, ReplicationLag] | None:
    """What DRS tells; None if it has no such call."""
    found: dict[str, ReplicationLag] = {}

    def fetch(part: Sequence[str]) -> dict[str, ReplicationLag | DrsError]:
        lags = {job_id: row.to_lag() for job_id, row in ask(path, part).items()}
        # Kept here too: a later refusal of the call does not take away what was told of other jobs.
        found.update(lags)
        return {**lags}

    try:
        refusals = list(reader.read(job_ids, fetch, budget).refused.values())
    except ServiceRefusedError as refusal:
        refusals = [refusal]
    if refusals:
        log.debug("not all lags are known: %s", refusals[0])
    return None if not found and any(map(_is_of_a_missing_call, refusals)) else found


def _is_of_a_missing_call(refusal: ServiceRefusedError) -> bool:
    """The gateway answers for calls that nobody serves; DRS itself speaks in codes of its own."""
    if isinstance(refusal, (JobUnknownError, ServiceFaultError, ThrottledError, TokenRejectedError)):
        return False
    if refusal.code.startswith(("APIGW.", "APIG.")):
        return True
    is_of_drs = refusal.code.startswith("DRS.")
    return not isinstance(refusal, PermissionDeniedError) and (
        refusal.status in (404, 405) or (refusal.status == 400 and not is_of_drs)
    )
