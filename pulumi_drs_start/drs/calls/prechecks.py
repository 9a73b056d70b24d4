"""
Results of pre-checks, and which of them is whose.

Rows of batch-precheck-result name their pre-check and not their job. In the documents a pre-check has the id of its job, but
nothing promises that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..errors import DrsError, ServiceRefusedError
from ..http.budget import TimeBudget
from .batch_read import BatchReader
from .models import PrecheckResult, PrecheckResults
from .wire_rows import PrecheckRow

# Rows hold some thirty items each.
PRECHECK_BATCH = 100

# Gets the rows of one call about these jobs.
Ask = Callable[[Sequence[str]], Sequence[PrecheckRow]]


def read_results(reader: BatchReader, prechecks: Mapping[str, str | None], ask: Ask, budget: TimeBudget) -> PrecheckResults:
    """The results of pre-checks: all in few calls, and then, one by one, those that can't be told apart. Raises DrsError."""

    def fetch(part: Sequence[str]) -> dict[str, PrecheckResult | DrsError | None]:
        rows = match_rows(ask(part), part, prechecks)
        # A job without a row counts as read: who waits for a result asks again anyway.
        return dict.fromkeys(part) | {
            job_id: row.refusal(200, job_id=job_id) if row.error_code else row.to_result() for job_id, row in rows.items()
        }

    found: dict[str, PrecheckResult] = {}
    refused: dict[str, ServiceRefusedError] = {}

    def read(job_ids: Sequence[str]) -> None:
        reading = reader.read(job_ids, fetch, budget)
        found.update({job_id: result for job_id, result in reading.found.items() if result is not None})
        errors = (reading.failed | reading.refused).items()
        refused.update({job_id: error for job_id, error in errors if isinstance(error, ServiceRefusedError)})

    read(list(prechecks))
    if len(prechecks) > 1:
        for job_id in [job_id for job_id, precheck_id in prechecks.items() if not precheck_id]:
            if job_id not in found and job_id not in refused:
                read([job_id])
    return PrecheckResults(found, refused)


def match_rows(rows: Sequence[PrecheckRow], asked: Sequence[str], prechecks: Mapping[str, str | None]) -> dict[str, PrecheckRow]:
    """The rows of one call by job. A row is left out where its job can't be told. `prechecks` is that of `read_results`."""
    if len(asked) == len(rows) == 1 and not prechecks[asked[0]]:
        # The only row can be nobody else's.
        return {asked[0]: rows[0]}
    owners: dict[str, list[str]] = {}
    for job_id in asked:
        if precheck_id := prechecks[job_id]:
            owners.setdefault(precheck_id, []).append(job_id)
    by_precheck: dict[str, PrecheckRow] = {}
    by_job: dict[str, PrecheckRow] = {}
    for row in rows:
        named = row.precheck_id or ""
        owner = owners.get(named, [])
        if len(owner) == 1:
            by_precheck.setdefault(owner[0], row)
        elif not owner and named in asked:
            # So are the rows that say why there is no pre-check.
            by_job.setdefault(named, row)
    return by_job | by_precheck
