"""
How far copies are behind, from the one of two calls that DRS has.

Huawei Cloud tells RPO and RTO in a call of its own. Open Telekom Cloud documents the progress of jobs alone, which knows a part.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

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
# Huawei recommends no more than ten jobs in a call about disaster recovery, and sets no limit. Of very many jobs more are sent:
# forty calls one after the other would keep DRS busier.
RECOVERY_BATCH = 10
MANY = 200
RECOVERY_BATCH_OF_MANY = 20
PROGRESS_BATCH = 100

# Gets the rows of one of the two calls for these jobs.
Ask = Callable[[str, Sequence[str]], Sequence[ReplicationLagRow]]


class ReplicationLagReader:
    """Reads lags, and remembers which of the calls DRS has. May be shared by threads.

    Args:
        retry: how a call that may work later is repeated.
    """

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
            found = _read(reader, job_ids, lambda part: _lags(ask(RECOVERY, part), part, ReplicationLagRow.to_lag), budget)
            self._has_recovery = found is not None
        if found is None:
            found = _read(
                self._progress, job_ids, lambda part: _lags(ask(PROGRESS, part), part, ReplicationLagRow.to_progress_lag), budget
            )
        known = found or {}
        return {job_id: known.get(job_id, ReplicationLag()) for job_id in job_ids}


def _read(
    reader: BatchReader,
    job_ids: Sequence[str],
    fetch: Callable[[Sequence[str]], tuple[dict[str, ReplicationLag], dict[str, DrsError]]],
    budget: TimeBudget,
) -> dict[str, ReplicationLag] | None:
    """What DRS tells; None if it has no such call."""
    found: dict[str, ReplicationLag] = {}

    def keep(part: Sequence[str]) -> tuple[dict[str, ReplicationLag], dict[str, DrsError]]:
        told = fetch(part)
        found.update(told[0])
        return told

    try:
        refusals = list(reader.read(job_ids, keep, budget).refused.values())
    except ServiceRefusedError as refusal:
        # What other calls told of other jobs counts all the same.
        refusals = [refusal]
    if refusals:
        log.debug("not all lags are known: %s", refusals[0])
    return None if not found and any(map(_is_of_a_missing_call, refusals)) else found


def _lags(
    rows: Sequence[ReplicationLagRow], asked: Sequence[str], lag_of: Callable[[ReplicationLagRow], ReplicationLag]
) -> tuple[dict[str, ReplicationLag], dict[str, DrsError]]:
    found: dict[str, ReplicationLag] = {}
    for row in rows:
        if (job_id := row.job_id or "") in asked:
            found.setdefault(job_id, ReplicationLag() if row.error_code else lag_of(row))
    return found, {}


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
