"""
Read something of any number of jobs, however few DRS takes in one call, and whatever it says of ids that it does not know.

Which call it is, what its rows say, and what jobs without a row mean is up to the client.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

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
from ..http.concurrency import map_concurrently
from ..http.retry import RetryPolicy

log = logging.getLogger(__name__)

# A call with one of these is refused for what is in it: fewer or other ids may pass.
_FAULTS_OF_THE_REQUEST = frozenset({200, 202, 400, 413, 414, 422})
# So many jobs refused alone, and none read: it is not the jobs.
HOPELESS = 5

T = TypeVar("T")
# What one call says of its jobs: a value, or an error that is about one job. Jobs without a row are left out.
Fetch = Callable[[Sequence[str]], Mapping[str, T | DrsError]]


def chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """`items` in parts of `size`; the last may be shorter."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


@dataclass(slots=True)
class Reading(Generic[T]):
    """What reading has come to so far.

    Attributes:
        found: what was read, by job.
        failed: jobs that DRS does not know, and jobs whose row carries an error.
        refused: jobs for which a call that was about them alone was refused.
        absent: jobs without a row, although they were asked for again.
    """

    found: dict[str, T] = field(default_factory=dict)
    failed: dict[str, DrsError] = field(default_factory=dict)
    refused: dict[str, ServiceRefusedError] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)


class BatchReader:
    """Reads with one kind of call, and remembers how many jobs DRS takes in it. May be shared by threads.

    Args:
        call: the name of the call, for the log.
        size: how many ids to send at first.
        retry: how a call that may work later is repeated.
        has_passed: a call of this size is known to work, so that no first one has to try it alone.
    """

    def __init__(self, call: str, size: int, retry: RetryPolicy, *, has_passed: bool = False) -> None:
        self._call = call
        self._size = size
        self._retry = retry
        self._has_passed = has_passed

    def read(self, job_ids: Sequence[str], fetch: Fetch[T], budget: TimeBudget) -> Reading[T]:
        """Read all of these jobs, with as many calls of `fetch` as it takes.

        Raises:
            DrsError: nothing can be read, after the repeats that `retry` allows.
        """
        reading: Reading[T] = Reading()
        left = list(dict.fromkeys(job_ids))
        while left and not (self._has_passed and len(left) > self._size):
            # Looked up each time: the first part may find out that DRS takes fewer.
            part, left = left[: self._size], left[self._size :]
            self._read_part(part, fetch, budget, reading)
        parts = list(chunks(left, self._size))
        for ended in map_concurrently(lambda part: self._read_part(part, fetch, budget, reading), parts):
            if isinstance(ended, Exception):
                raise ended
        return reading

    def _read_part(self, job_ids: Sequence[str], fetch: Fetch[T], budget: TimeBudget, reading: Reading[T]) -> bool:
        """Read so many jobs that DRS may answer them in one call. True if none of them has an error of its own.

        Which answer an unknown id gets is not documented. All that were seen are understood: the whole call refused, with or
        without naming the job; a row with an error; a row DELETED; no row.
        """
        wanted = list(job_ids)
        empty_answers, all_passed = 0, True
        while wanted:
            try:
                rows = self._repeat(wanted, fetch, budget)
            except (PermissionDeniedError, TokenRejectedError, ThrottledError, ServiceFaultError):
                raise
            except ServiceRefusedError as refusal:
                unknown = _unknown_jobs(refusal, wanted)
                reading.failed.update(unknown)
                left = [job_id for job_id in wanted if job_id not in unknown]
                all_passed = all_passed and not unknown
                if not unknown:
                    if refusal.status not in _FAULTS_OF_THE_REQUEST:
                        raise
                    if len(wanted) > 1:
                        return self._read_halves(wanted, fetch, budget, refusal, reading) and all_passed
                    reading.refused[wanted[0]] = refusal
                    if not reading.found and len(reading.failed) + len(reading.refused) >= HOPELESS:
                        raise
                    return False
            else:
                self._has_passed = self._has_passed or len(wanted) >= self._size
                for job_id, row in rows.items():
                    if isinstance(row, DrsError):
                        reading.failed[job_id] = row
                        all_passed = False
                    else:
                        reading.found[job_id] = row
                left = [job_id for job_id in wanted if job_id not in rows]
                # No row at all, twice: DRS was asked for these alone and does not know them. Once may be a lost row.
                empty_answers = empty_answers + 1 if len(left) == len(wanted) else 0
                if empty_answers == 2:
                    reading.absent.update(left)
                    break
            wanted = left
        return all_passed

    def _read_halves(
        self, job_ids: Sequence[str], fetch: Fetch[T], budget: TimeBudget, refusal: ServiceRefusedError, reading: Reading[T]
    ) -> bool:
        """Both halves of a refused call: a job that spoils it ends alone, and a call that was too large becomes small enough."""
        half = (len(job_ids) + 1) // 2
        # Both are read, whatever becomes of the first.
        passed = [self._read_part(part, fetch, budget, reading) for part in chunks(job_ids, half)]
        if all(passed) and half < self._size:
            log.debug("DRS takes no %d ids in one %s (%s), going on with %d", len(job_ids), self._call, refusal.code, half)
            self._size = half
        return all(passed)

    def _repeat(self, job_ids: Sequence[str], fetch: Fetch[T], budget: TimeBudget) -> Mapping[str, T | DrsError]:
        """What one call says, repeated while an error may pass: that of the call, or that of a row."""
        rows: Mapping[str, T | DrsError] = {}

        def read() -> None:
            nonlocal rows
            rows = {}
            rows = fetch(job_ids)
            for row in rows.values():
                if isinstance(row, DrsError) and row.retryable:
                    raise row

        try:
            self._retry.call(read, budget)
        except DrsError as exc:
            # The rows of the last attempt count: what is wrong with one job is not to hide the others.
            if not any(exc is row for row in rows.values()):
                raise
        return rows


def _unknown_jobs(refusal: ServiceRefusedError, asked: Sequence[str]) -> dict[str, DrsError]:
    """The jobs that a refused call does not know: those it names, or the only one it was about."""
    by_job = refusal.by_job
    if not by_job and (job_id := asked[0] if len(asked) == 1 else refusal.job_id) is not None:
        by_job = {job_id: refusal}
    return {job_id: error for job_id, error in by_job.items() if isinstance(error, JobUnknownError) and job_id in asked}
