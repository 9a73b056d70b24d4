"""
When a copy has caught up with its source, from readings of how far it is behind.

One good reading says little: delays flap. The manual of DRS wants the delay to stay at 0 s "for a period" before the cut-over.
So every reading of that period has to be good, there have to be several, and whatever DRS does not tell is no good reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..drs.calls.models import CopyProgress
from .actual import ActualJob
from .declared import SyncGoal
from .phase import Phase

FOLLOWING = "INCRE_TRANSFER_STARTED"
"""The status of a job whose copy follows the changes of its source."""

FULLY_COPIED = "FULL_TRANSFER_COMPLETE"
"""The status of a job whose full copy is complete."""

# How often a delay is read in a good period.
READINGS = 4
SHORTEST_STEP_SECONDS = 0.2
LONGEST_STEP_SECONDS = 50.0
# After a good period that was broken the next one begins later, and later each time: delays that flap for hours would cost
# thousands of calls.
SLOWER = 1.5
LONGEST_REST_SECONDS = 300.0
# Readings that are this close belong together, however short the period is: calls take their time.
CLOSE_SECONDS = 10.0

_COMPLETE = 100.0


def is_copied(job: ActualJob) -> bool:
    """Whether a job that copies only once is done with it, as far as DRS shows."""
    if job.copy is None or not job.copy.copies_once:
        return False
    # One that is over may have been stopped on the way.
    is_over = job.phase is Phase.ENDED and job.copy.percent == _COMPLETE
    return job.status == FULLY_COPIED or is_over


def is_within(job: ActualJob, max_delay_seconds: float) -> bool:
    """Whether this reading of a job that follows its source is a good one."""
    return job.status == FOLLOWING and has_small_delay(job.copy, max_delay_seconds)


def has_small_delay(copy: CopyProgress | None, max_delay_seconds: float) -> bool:
    """Whether DRS shows a delay, and one that is small enough, whatever the job is at."""
    return copy is not None and copy.delay_seconds is not None and 0 <= copy.delay_seconds <= max_delay_seconds


@dataclass(frozen=True, slots=True)
class Lag:
    """How far one copy is from having caught up.

    Attributes:
        percent: of the full copy; None where DRS does not tell.
        delay_seconds: how far it is behind its source; None before it follows the source, or where DRS does not tell.
        trend: 1 when that grows, -1 when it falls, 0 when it stays or there is no earlier reading.
        good_seconds: for how long every reading was good; None if the last one was not.
    """

    job_id: str
    percent: float | None = None
    delay_seconds: float | None = None
    trend: int = 0
    good_seconds: float | None = None


@dataclass(slots=True)
class SyncWatch:
    """The readings of one operation. Times are seconds of one clock.

    Attributes:
        lags: the last reading of each job that has not caught up.
    """

    goal: SyncGoal
    lags: dict[str, Lag] = field(default_factory=dict)
    _good_since: dict[str, float] = field(default_factory=dict)
    _read_at: float = float("-inf")
    # How many good periods were broken, each the longest of its time; and until when no other one is read closely.
    _broken: int = 0
    _rests_until: float = float("-inf")

    def take(self, jobs: Sequence[ActualJob], asked_at: float, answered_at: float) -> frozenset[str]:
        """Take a reading of all jobs that are waited for, and return those whose copies have caught up; they are forgotten.

        A good period begins when its first reading was answered, and is over when its last one was asked for: a slow answer
        must not make it longer than it was. It has no gap in which a delay could rise and fall again unseen.
        """
        first = min(self._good_since.values(), default=None)
        leading = [job_id for job_id, since in self._good_since.items() if since == first]
        for job in jobs:
            copy, before = job.copy or CopyProgress(), self.lags.get(job.job_id)
            # A delay beside another status is not one that counts.
            delay = copy.delay_seconds if job.status == FOLLOWING else None
            good = self._good_seconds(job, asked_at, answered_at)
            self.lags[job.job_id] = Lag(job.job_id, copy.percent, delay, _trend(before, delay), good)
        self._read_at = answered_at
        caught_up = frozenset(job.job_id for job in jobs if is_copied(job) or self._is_stable(job.job_id))
        for job_id in caught_up:
            self.forget(job_id)
        if leading and asked_at >= self._rests_until and self._good_since.keys().isdisjoint(leading) and not caught_up:
            self._broken += 1
            self._rests_until = answered_at + min(LONGEST_REST_SECONDS, self._step_seconds * SLOWER ** min(self._broken, 20))
        return caught_up

    def next_reading_seconds(self, usual_seconds: float, now: float) -> float:
        """How long to wait before the next reading: several fall into a good period, and one at its end."""
        if not self._good_since:
            return usual_seconds
        if now < self._rests_until:
            return min(usual_seconds, self._rests_until - now)
        to_go = min(self._good_since.values()) + self.goal.stable_seconds - now
        return min(usual_seconds, self._step_seconds, max(to_go, SHORTEST_STEP_SECONDS))

    @property
    def _step_seconds(self) -> float:
        return min(max(self.goal.stable_seconds / READINGS, SHORTEST_STEP_SECONDS), LONGEST_STEP_SECONDS)

    def _good_seconds(self, job: ActualJob, asked_at: float, answered_at: float) -> float | None:
        since = self._good_since.pop(job.job_id, None)
        if not is_within(job, self.goal.max_delay_seconds):
            return None
        if since is None or asked_at - self._read_at > self._longest_gap_seconds:
            since = answered_at
        self._good_since[job.job_id] = since
        return max(0.0, asked_at - since)

    @property
    def _longest_gap_seconds(self) -> float:
        twice = 2 * self._step_seconds
        return twice if self._read_at < self._rests_until else max(CLOSE_SECONDS, twice)

    def _is_stable(self, job_id: str) -> bool:
        good_seconds = self.lags[job_id].good_seconds
        return good_seconds is not None and good_seconds >= self.goal.stable_seconds

    def forget(self, job_id: str) -> None:
        """Take no more account of a job: it has caught up, or is not waited for any more."""
        self.lags.pop(job_id, None)
        self._good_since.pop(job_id, None)


def _trend(before: Lag | None, delay: float | None) -> int:
    if before is None or before.delay_seconds is None or delay is None:
        return 0
    return (delay > before.delay_seconds) - (delay < before.delay_seconds)
