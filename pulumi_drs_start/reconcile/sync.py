"""
When a copy has caught up with its source, from readings of how far it is behind.

One good reading says little: delays flap. The manual of DRS wants the delay to stay at 0 s "for a period" before the cut-over.
So every reading of that period has to be good, and whatever DRS does not tell is no good reading.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..drs.calls.models import CopyProgress
from .actual import ActualJob
from .declared import SyncGoal
from .phase import Phase

FOLLOWING = "INCRE_TRANSFER_STARTED"
"""The status of a job whose copy follows the changes of its source."""

FULLY_COPIED = "FULL_TRANSFER_COMPLETE"
"""The status of a job whose full copy is complete."""

# How often a delay is read in a good period, and how much less often after each that was broken.
READINGS = 4
SLOWER = 1.5
SHORTEST_STEP_SECONDS = 0.2
LONGEST_STEP_SECONDS = 50.0

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
    _broken: int = 0  # good periods that ended too soon
    _good_since: dict[str, float] = field(default_factory=dict)

    def has_caught_up(self, job: ActualJob, asked_at: float, answered_at: float) -> bool:
        """Take a reading of a job, and say whether its copy has caught up.

        A good period begins when its first reading was answered, and is over when its last one was asked for: a slow answer
        must not make it longer than it was.
        """
        job_id, copy = job.job_id, job.copy
        good_since = None
        if is_within(job, self.goal.max_delay_seconds):
            good_since = self._good_since.setdefault(job_id, answered_at)
        elif self._good_since.pop(job_id, None) is not None:
            self._broken += 1
        # A delay beside another status is not one that counts.
        delay = copy.delay_seconds if copy and job.status == FOLLOWING else None
        before = self.lags.get(job_id)
        self.lags[job_id] = Lag(
            job_id,
            copy.percent if copy else None,
            delay,
            _trend(before, delay),
            None if good_since is None else max(0.0, asked_at - good_since),
        )
        if good_since is not None and (self.goal.stable_seconds <= 0 or asked_at - good_since >= self.goal.stable_seconds):
            return True
        return is_copied(job)

    def next_reading_seconds(self, usual_seconds: float) -> float:
        """How long to wait before the next reading: several fall into a good period, and one at its end.

        Copies whose delays flap are read less often with each good period that was broken.
        """
        good = [lag.good_seconds for lag in self.lags.values() if lag.good_seconds is not None]
        if not good:
            return usual_seconds
        step = self.goal.stable_seconds / READINGS * SLOWER ** min(self._broken, 20)
        step = min(max(step, SHORTEST_STEP_SECONDS), LONGEST_STEP_SECONDS)
        to_go = self.goal.stable_seconds - max(good)
        return min(usual_seconds, step, max(to_go, step * 0.75 if self._broken else SHORTEST_STEP_SECONDS))

    def forget(self, job_id: str) -> None:
        """Take no more account of a job: it has caught up, or is not waited for any more."""
        self.lags.pop(job_id, None)
        self._good_since.pop(job_id, None)


def _trend(before: Lag | None, delay: float | None) -> int:
    if before is None or before.delay_seconds is None or delay is None:
        return 0
    return (delay > before.delay_seconds) - (delay < before.delay_seconds)
