"""
Carries out a plan: poll, decide, send, poll again, until every job is what was declared or nothing more can be done.

Decisions are made in `plan`, requests are sent by `send`. What remains here is order, waiting, and one outcome per job.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..drs.calls.models import CopyProgress
from ..drs.errors import DrsError, OperationEndedError
from ..drs.http.budget import TimeBudget
from .actual import ActualJob
from .declared import DesiredJob, DesiredState, Goal, SyncGoal
from .jobs import Jobs
from .observe import StatusReader
from .outcome import OF_COPIES, Result, result_of
from .phase import STARTED_PHASES, Phase
from .plan import Case, Decision, Reason, Why, make_cases
from .record import Action, JobRecord, Precheck, Request
from .send import BatchLimit, Sender
from .sync import Lag, SyncWatch, is_copied

log = logging.getLogger(__name__)

# The next poll comes after a fifth of the time waited so far: a start is noticed late by a fifth of its length at most.
POLL_AFTER_FRACTION = 0.2
SHORTEST_POLL_SECONDS = 0.2
LONGEST_POLL_SECONDS = 30.0
# A copy catches up within hours.
LONGEST_POLL_FOR_SYNC_SECONDS = 60.0
# While a lost answer is being settled: nothing else can be done for those jobs, and DRS may show at any moment what it did.
LONGEST_POLL_IN_DOUBT_SECONDS = 5.0
# The reasons of failures are read beyond the time limit: without them the operation was for nothing.
REASONS_SECONDS = 5.0
# From so many jobs left on, each of them is told of.
LAST_JOBS = 3


@dataclass(frozen=True, slots=True)
class Waiting:
    """What keeps an operation from sending a request for one job.

    Attributes:
        why: the reason that it waits.
        said: what DRS answered, or how its answer was lost.
        seconds: for how long at most, from the last answer on; None where that is not known.
    """

    job_id: str
    why: Why
    said: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Remaining:
    """One of the last jobs that DRS is at: its status, and for how many seconds this operation has seen it in that."""

    job_id: str
    status: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an operation is.

    Attributes:
        phases: how many jobs are in each phase.
        waiting: the jobs that it waits for without DRS being at them.
        last: the other jobs that it waits for, where only a few are left.
        sync: how far the copies are, where they have to catch up.
    """

    phases: Mapping[Phase, int]
    waiting: Sequence[Waiting] = ()
    last: Sequence[Remaining] = ()
    sync: SyncProgress | None = None


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """How far copies are from having caught up.

    Attributes:
        synced: how many have; `total` is how many have to.
        lags: the others that run, as they were read the last time.
        lost: the jobs whose copies nobody waits for any more, because they failed, were paused or ended, and their statuses.
        why_silent: why DRS did not tell of any copy; empty where it did.
        stable_seconds: for how long a delay has to be small.
    """

    synced: int
    total: int
    lags: Sequence[Lag] = ()
    lost: Mapping[str, str] = field(default_factory=dict)
    why_silent: str = ""
    stable_seconds: float = 0.0


def converge(
    reader: StatusReader,
    desired: Sequence[DesiredJob],
    *,
    budget: TimeBudget,
    goal: Goal = Goal.RUNNING,
    sync: SyncGoal | None = None,
    records: Mapping[str, JobRecord] | None = None,
    batch: BatchLimit | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    seen: tuple[float, Mapping[str, ActualJob]] | None = None,
) -> Result:
    """Bring jobs to their declared state, and wait until they have arrived there.

    Args:
        reader: reads how the jobs stand, and has the client of DRS.
        desired: what is declared.
        budget: the time this may take.
        goal: when to return.
        sync: of the goal SYNCED: when a copy counts as caught up.
        records: what earlier operations know, by job id.
        batch: how many jobs go into one call.
        on_progress: told after every poll how far the operation is, and after calls what it waits for.
        seen: what DRS showed a moment ago, and when it was asked (seconds since the epoch): replaces the first poll.

    Raises:
        DrsError: the very first poll failed, so nothing is known and nothing was done. Anything later is in the result.
    """
    asked_at, actual = seen or (budget.clock.time(), reader.read([job.job_id for job in desired], budget))
    jobs = Jobs({case.desired.job_id: case for case in make_cases(desired, actual, records or {}, goal, asked_at)})
    sender = Sender(reader.client, jobs, batch or BatchLimit(), budget)
    watch = SyncWatch(sync or SyncGoal()) if goal is Goal.SYNCED else None
    operation = _Operation(reader, jobs, sender, budget, on_progress, watch)
    operation.note_statuses(jobs.cases)
    try:
        operation.read_copies(jobs.cases)
        jobs.decide(jobs.cases)
        operation.tell()
        operation.run()
    except Exception as exc:  # noqa: BLE001 - whatever happened, what was done to each job must not be lost
        log.debug("the operation ended early: %s", exc)
        operation.ended_by = operation.ended_by or exc
    operation.read_reasons()
    return result_of(jobs.cases.values(), operation.ended_by or operation.no_copies)


@dataclass(slots=True)
class _Operation:
    reader: StatusReader
    jobs: Jobs
    sender: Sender
    budget: TimeBudget
    on_progress: Callable[[Progress], None]
    watch: SyncWatch | None = None
    why_silent: str = ""
    no_copies: DrsError | None = None  # DRS refuses to tell of copies: nobody waits for them any more
    ended_by: Exception | None = None
    seen_since: dict[str, tuple[str, float]] = field(default_factory=dict)

    def run(self) -> None:
        """Go on until there is nothing left to request or to wait for."""
        job_ids = list(self.jobs.cases)
        waiting_since = self.budget.clock.monotonic()
        while True:
            to_send = [job_id for job_id in job_ids if self.jobs.decisions[job_id].action.is_request]
            if to_send and self.ended_by is None:
                try:
                    self.sender.send(to_send)
                except OperationEndedError:
                    raise
                except DrsError as exc:
                    # Nothing further can be sent now, but what DRS accepted before is still waited for.
                    self.ended_by = exc
                waiting_since = self.budget.clock.monotonic()
                self.jobs.decide(to_send)
                self.tell()
            if open_jobs := [job_id for job_id in job_ids if self._is_open(job_id)]:
                self.budget.pause(self._next_poll_seconds(open_jobs, self.budget.clock.monotonic() - waiting_since))
            # With nothing left to wait for, a last poll of what was requested: it may explain a refusal.
            to_poll = open_jobs or [job_id for job_id in job_ids if job_id in self.jobs.unread]
            if not to_poll:
                return
            self._poll(to_poll)

    def _next_poll_seconds(self, open_jobs: Sequence[str], waited_seconds: float) -> float:
        reasons = {self.jobs.decisions[job_id].why.reason for job_id in open_jobs}
        longest = LONGEST_POLL_FOR_SYNC_SECONDS if Reason.CATCHING_UP in reasons else LONGEST_POLL_SECONDS
        if self.why_silent:
            # Each reading of copies is several calls by now.
            longest *= 2
        if Reason.IN_DOUBT in reasons:
            longest = LONGEST_POLL_IN_DOUBT_SECONDS
        usual = min(longest, max(SHORTEST_POLL_SECONDS, waited_seconds * POLL_AFTER_FRACTION))
        return self.watch.next_reading_seconds(usual, self.budget.clock.monotonic()) if self.watch else usual

    def _is_open(self, job_id: str) -> bool:
        decision = self.jobs.decisions[job_id]
        if self.no_copies is not None and decision.why.reason is Reason.CATCHING_UP:
            return False
        action = decision.action
        if self.ended_by is not None:
            return action is Action.WAIT and self.jobs.cases[job_id].record.accepted_now
        return action is Action.WAIT or action.is_request

    def _poll(self, job_ids: Sequence[str]) -> None:
        jobs = self.jobs
        # What an answer says is as old as the question; a slow one must not end a doubt that came up in between.
        asked_at = self.budget.clock.time()
        for job_id, actual in self.reader.read(job_ids, self.budget).items():
            case = jobs.cases[job_id]
            record = case.record.seen_in(actual.phase)
            if case.phase in STARTED_PHASES and actual.phase not in STARTED_PHASES:
                record = replace(record, was_started=True)
            if record.accepted_now and actual.phase in (Phase.STARTING, Phase.RUNNING):
                record = replace(record, took_effect=True)
            elif _is_refusal_outdated(record, actual):
                record = replace(record, refused_at=None, refusal=None, sends=0, retry_at=float("-inf"))
            jobs.cases[job_id] = replace(case, actual=actual, record=record, now=asked_at)
        jobs.unread.difference_update(job_ids)
        self.note_statuses(job_ids)
        self._read_prechecks(job_ids)
        self.read_copies(job_ids)
        jobs.decide(job_ids)
        self.tell()

    def read_copies(self, job_ids: Iterable[str]) -> None:
        """Read how far the copies of jobs are that have to catch up, and take note of those that have."""
        if self.watch is None or self.no_copies is not None:
            return
        cases = {job_id: self.jobs.cases[job_id] for job_id in job_ids}
        asked = {job_id: case.actual for job_id, case in cases.items() if _has_copy(case)}
        for job_id in cases.keys() - asked.keys():
            self.watch.forget(job_id)
        if not asked:
            return
        clock = self.budget.clock
        asked_at = clock.monotonic()
        try:
            read = self.reader.read_copies(asked, self.budget)
            self.why_silent = ""
        except DrsError as exc:
            if isinstance(exc, OperationEndedError):
                raise
            self.why_silent = str(exc)
            if not exc.retryable:
                # Jobs are started all the same.
                self.no_copies = exc
                return
            # Silence for a while is no good reading, but no reason either to end a wait of hours.
            log.debug("no copies to be read: %s", exc)
            read = {job_id: replace(job, copy=CopyProgress()) for job_id, job in asked.items() if job.phase is Phase.RUNNING}
        for job_id, actual in read.items():
            self.jobs.cases[job_id] = replace(cases[job_id], actual=actual)
        waited_for = [actual for job_id, actual in read.items() if not cases[job_id].record.is_synced]
        for job_id in self.watch.take(waited_for, asked_at, clock.monotonic()):
            self.jobs.update(job_id, is_synced=True)

    def tell(self) -> None:
        """Say how far the operation is, and what it waits for."""
        decisions = self.jobs.decisions
        left = [job_id for job_id, each in decisions.items() if each.action is Action.WAIT or each.action.is_request]
        waits = {job_id: decisions[job_id] for job_id in left if decisions[job_id].action is Action.WAIT}
        waiting = [self._waiting(job_id, decision) for job_id, decision in waits.items() if not decision.is_underway]
        underway = [
            job_id for job_id, decision in waits.items() if decision.is_underway and decision.why.reason is not Reason.CATCHING_UP
        ]
        last = [self._remaining(job_id) for job_id in underway] if len(left) <= LAST_JOBS else []
        phases = Counter(decision.phase for decision in decisions.values())
        self.on_progress(Progress(phases, waiting, last, self._sync_progress()))

    def _sync_progress(self) -> SyncProgress | None:
        if self.watch is None:
            return None
        cases = [case for case in self.jobs.cases.values() if case.desired.state is DesiredState.STARTED]
        lost = {
            job_id: self.jobs.cases[job_id].actual.status
            for job_id, decision in self.jobs.decisions.items()
            if decision.action is Action.FAIL and decision.why.awaits_sync and decision.why.reason in OF_COPIES
        }
        return SyncProgress(
            synced=sum(case.record.is_synced for case in cases),
            total=len(cases),
            lags=list(self.watch.lags.values()),
            lost=lost,
            why_silent=self.why_silent,
            stable_seconds=self.watch.goal.stable_seconds,
        )

    def _remaining(self, job_id: str) -> Remaining:
        status, since = self.seen_since[job_id]
        return Remaining(job_id, status, self.budget.clock.monotonic() - since)

    def note_statuses(self, job_ids: Iterable[str]) -> None:
        """Take note of when each job was first seen in its status."""
        now = self.budget.clock.monotonic()
        for job_id in job_ids:
            status = self.jobs.cases[job_id].actual.status
            if self.seen_since.get(job_id, ("", now))[0] != status:
                self.seen_since[job_id] = (status, now)

    def _waiting(self, job_id: str, decision: Decision) -> Waiting:
        record = self.jobs.cases[job_id].record
        since = record.lost_at if record.lost_at is not None else record.refused_at
        seconds = None if decision.until is None else float(round(decision.until - (since or self.budget.clock.time())))
        said = str(record.refusal or "") if decision.why.action else ""
        return Waiting(job_id, decision.why, said, seconds)

    def _read_prechecks(self, job_ids: Iterable[str]) -> None:
        running = {
            job_id: precheck.precheck_id
            for job_id in job_ids
            if (precheck := self.jobs.cases[job_id].record.precheck) is not None
            and not precheck.is_done
            and self.jobs.cases[job_id].phase is Phase.STARTABLE
        }
        if not running:
            return
        answer = self.reader.client.get_precheck_results(running, self.budget)
        for job_id, found in answer.found.items():
            done = Precheck(running[job_id], found.is_done, found.has_passed, found.failed, found.alarms)
            self.jobs.update(job_id, precheck=done)
        for job_id, error in answer.refused.items():
            # The pre-check is gone: the status will say why, or another one is requested.
            self.jobs.update(job_id, precheck=None)
            self.sender.record_refusal(job_id, Request(Action.PRECHECK), error)

    def read_reasons(self) -> None:
        """Read DRS's reasons for jobs that failed, where they could not be had before the time was up."""
        budget, cases = replace(self.budget, seconds=REASONS_SECONDS), self.jobs.cases
        for job_id, actual in self.reader.explain({job_id: case.actual for job_id, case in cases.items()}, budget).items():
            cases[job_id] = replace(cases[job_id], actual=actual)


def read_copies(reader: StatusReader, cases: Sequence[Case], budget: TimeBudget) -> list[Case]:
    """The same cases, with how far the copies are as one reading tells. It can't tell that a delay is stable.

    Raises:
        DrsError: DRS can't be asked, or refuses to tell.
    """
    asked = {case.desired.job_id: case.actual for case in cases if _has_copy(case)}
    read = reader.read_copies(asked, budget) if asked else {}
    return [_with_copy(case, read.get(case.desired.job_id)) for case in cases]


def _with_copy(case: Case, actual: ActualJob | None) -> Case:
    if actual is None:
        return case
    return replace(case, actual=actual, record=replace(case.record, is_synced=case.record.is_synced or is_copied(actual)))


def _has_copy(case: Case) -> bool:
    """Whether there is something to be read of a job's copy: it runs, or it was never seen to have caught up and is over."""
    if case.desired.state is not DesiredState.STARTED:
        return False
    return case.phase is Phase.RUNNING or (case.awaits_sync and case.phase is Phase.ENDED)


def _is_refusal_outdated(record: JobRecord, actual: ActualJob) -> bool:
    """Whether a pause or stop was refused for a status that the job is no longer in."""
    if not record.request.action.is_end or record.refusal is None:
        return False
    return record.refusal.status not in (None, actual.status)
