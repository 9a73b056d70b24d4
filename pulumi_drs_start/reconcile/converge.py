"""
Carry out a plan: batches, retries, waiting, one outcome per job.

Decisions are made in `plan`; HTTP is spoken in `drs`. What remains here is order and grace: look, decide, send what is to be
asked, look again, until nothing is left to do. What was sent is never sent again before the next look, so a lost answer is
settled by what DRS shows.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..drs.calls.client import DEFAULT_BATCH_SIZE, DrsClient, chunks
from ..drs.calls.models import ActionAnswer, JobStatus, PrecheckAnswer, StartRequest
from ..drs.errors import (
    AuthenticationError,
    DrsError,
    JobBusyError,
    JobUnknownError,
    NotAskedError,
    OneJobOnlyError,
    OperationEndedError,
    PermissionDeniedError,
    ServiceFaultError,
    ServiceRefusedError,
    ThrottledError,
    TokenRejectedError,
    UnreachableError,
    WrongStatusError,
)
from ..drs.http.budget import TimeBudget
from ..drs.http.concurrency import map_concurrently
from .observe import StatusReader
from .outcome import Result, outcome_of
from .phase import Phase, phase_of
from .plan import Decision, DesiredJob, Goal, Pause, decide
from .record import NOTHING_KNOWN, Action, GracePeriods, JobRecord, Precheck, Refusal, Request

log = logging.getLogger(__name__)

# The next look comes after a fifth of the time waited so far: a start is noticed late by a fifth of its length at most.
LOOK_AFTER_FRACTION = 0.2
SHORTEST_LOOK_SECONDS = 0.2
LONGEST_LOOK_SECONDS = 30.0
# While a lost answer is being settled: nothing else can be done for those jobs, and DRS may show at any moment what it did.
LONGEST_LOOK_IN_DOUBT_SECONDS = 5.0
# The reasons of failures are asked for beyond the time limit: without them the operation was for nothing.
REASONS_SECONDS = 5.0

# A job that reads CONFIGURATION is refused for its status, or by a fault of the service: somebody else has just started it,
# which shows within two settled looks, or it will not start.
REFUSED_SENDS = 3
# A job that can't be paused or stopped as it is: once more, because the status read may have been late.
REFUSED_ENDINGS = 2

# Failures that are nobody's in particular: sending another part of the batch meets the same.
_CONCERNS_EVERY_JOB = (
    *(AuthenticationError, PermissionDeniedError, TokenRejectedError),
    *(ThrottledError, NotAskedError, UnreachableError),
)

# What starts jobs comes before what ends them.
_CALLS: tuple[tuple[Action, ...], ...] = (
    (Action.START, Action.SCHEDULE),
    (Action.RESUME,),
    (Action.PRECHECK,),
    (Action.PAUSE,),
    (Action.STOP,),
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What keeps an operation from asking DRS for something.

    Attributes:
        pause: why it waits.
        action: what is to be asked; None where there is nothing to ask.
        reason: the same for one job, in words.
        said: what DRS answered, or how its answer was lost.
        seconds: for how long at most, from the last answer on; None where that is not known.
        job_ids: whom it is about.
    """

    pause: Pause
    action: Action | None
    reason: str
    said: str
    seconds: float | None
    job_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an operation has come.

    Attributes:
        phases: how many jobs are in each phase.
        waiting: what it waits for.
    """

    phases: Mapping[Phase, int]
    waiting: Sequence[Waiting] = ()


@dataclass(slots=True)
class BatchLimit:
    """How many jobs are sent in one call. Found out once, and kept for later operations.

    Attributes:
        size: jobs per call; fewer are sent once DRS refuses so many.
    """

    size: int = DEFAULT_BATCH_SIZE


def converge(
    reader: StatusReader,
    desired: Sequence[DesiredJob],
    *,
    budget: TimeBudget,
    goal: Goal = Goal.RUNNING,
    records: Mapping[str, JobRecord] | None = None,
    batch: BatchLimit | None = None,
    grace: GracePeriods | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    now: Callable[[], float] = time.time,
    seen: tuple[float, Mapping[str, JobStatus]] | None = None,
) -> Result:
    """Bring the desired jobs to where they shall be, and see them through.

    Args:
        reader: where DRS is.
        desired: the jobs.
        budget: the time this may take.
        goal: what to wait for.
        records: what earlier operations know.
        batch: how many jobs go into one call.
        grace: with statuses that lag.
        on_progress: told after every look how far the operation is, and after calls what it waits for.
        now: wall clock, seconds since the epoch.
        seen: what DRS was asked a moment ago, at this time, and said: no first look is needed.

    Raises:
        DrsError: the very first look failed, so nothing is known and nothing was done. Anything later ends up in the result.
    """
    jobs = {job.job_id: job for job in desired}
    operation = _Operation(
        reader, jobs, budget, goal, dict(records or {}), batch or BatchLimit(), grace or GracePeriods(), on_progress, now
    )
    job_ids = list(jobs)
    if seen is None:
        operation.look(job_ids)
    else:
        operation.take_look(job_ids, *seen)
    try:
        operation.run(job_ids)
    except Exception as exc:  # noqa: BLE001 - whatever happened, what was done to each job must not be lost
        log.debug("the operation ended early: %s", exc)
        operation.ended_by = operation.ended_by or exc
    operation.ask_why()
    return operation.result()


@dataclass(slots=True)
class _Operation:
    reader: StatusReader
    desired: Mapping[str, DesiredJob]
    budget: TimeBudget
    goal: Goal
    records: dict[str, JobRecord]
    batch: BatchLimit
    grace: GracePeriods
    on_progress: Callable[[Progress], None]
    now: Callable[[], float]
    actual: dict[str, JobStatus] = field(default_factory=dict)
    looked_at: dict[str, float] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)  # something was asked for them, and they were not looked at since
    rejected_alone: set[str] = field(default_factory=set)  # a whole call was refused because of these
    ended_by: Exception | None = None

    @property
    def client(self) -> DrsClient:
        return self.reader.client

    def run(self, job_ids: Sequence[str]) -> None:
        """Go on until there is nothing left to ask or to wait for."""
        waiting_since = self.budget.clock.monotonic()
        while True:
            self._decide(job_ids)
            to_ask = [job_id for job_id in job_ids if self.decisions[job_id].action.is_call]
            if to_ask and self.ended_by is None:
                try:
                    self._send(to_ask)
                except OperationEndedError:
                    raise
                except DrsError as exc:
                    # Nothing further can be asked now, but what DRS accepted before is still waited for.
                    self.ended_by = exc
                waiting_since = self.budget.clock.monotonic()
                self._decide(to_ask)
                self._tell()
            open_jobs = [job_id for job_id in job_ids if self._is_open(job_id)]
            if not open_jobs:
                # A last look at what was asked for: a refusal may be explained by it.
                open_jobs = [job_id for job_id in job_ids if job_id in self.unseen]
                if not open_jobs:
                    return
            else:
                is_in_doubt = any(decision.pause is Pause.LOST for decision in self.decisions.values())
                longest = LONGEST_LOOK_IN_DOUBT_SECONDS if is_in_doubt else LONGEST_LOOK_SECONDS
                waited = self.budget.clock.monotonic() - waiting_since
                self.budget.pause(min(longest, max(SHORTEST_LOOK_SECONDS, waited * LOOK_AFTER_FRACTION)))
            self.look(open_jobs)

    def _is_open(self, job_id: str) -> bool:
        action = self.decisions[job_id].action
        if self.ended_by is not None:
            return action is Action.WAIT and self._record(job_id).accepted_now
        return action is Action.WAIT or action.is_call

    def _send(self, job_ids: Sequence[str]) -> None:
        """Ask what was decided, in one call for all that can be asked in one."""
        for actions in _CALLS:
            asked = [job_id for job_id in job_ids if self.decisions[job_id].action in actions]
            alone = self.rejected_alone.intersection(asked)
            self._ask([job_id for job_id in asked if job_id not in alone])
            for job_id in sorted(alone):
                self._ask([job_id])

    def look(self, job_ids: Sequence[str]) -> None:
        """Read how jobs stand."""
        # What an answer says is as old as the question; a slow one must not end a doubt that came up in between.
        asked_at = self.now()
        self.take_look(job_ids, asked_at, self.reader.read(job_ids, self.budget))

    def take_look(self, job_ids: Sequence[str], asked_at: float, statuses: Mapping[str, JobStatus]) -> None:
        """Take in how jobs stood when DRS was asked."""
        self.actual.update(statuses)
        self.looked_at.update(dict.fromkeys(job_ids, asked_at))
        self.unseen.difference_update(job_ids)
        for job_id in job_ids:
            record = self._record(job_id)
            if record.accepted_now and phase_of(self.actual[job_id].status) in (Phase.STARTING, Phase.RUNNING):
                self.records[job_id] = replace(record, took_effect=True)
            elif self._is_refusal_outdated(job_id):
                self.records[job_id] = replace(record, refused_at=None, refusal=None, sends=0, retry_at=float("-inf"))
        self._look_at_prechecks(job_ids)
        self._decide(job_ids)
        self._tell()

    def _is_refusal_outdated(self, job_id: str) -> bool:
        """Whether a pause or stop was refused for a status that the job is in no more."""
        record = self._record(job_id)
        if record.request.action not in (Action.PAUSE, Action.STOP) or record.refusal is None:
            return False
        return record.refusal.status not in (None, self.actual[job_id].status)

    def _tell(self) -> None:
        """Say how far the operation is, and what it waits for."""
        waiting: dict[Waiting, list[str]] = {}
        for job_id, decision in self.decisions.items():
            if decision.action is Action.WAIT and decision.pause is not None:
                record = self._record(job_id)
                since = record.lost_at if record.lost_at is not None else record.refused_at
                seconds = None if decision.until is None else decision.until - (since or self.now())
                said = str(record.refusal or "") if decision.then else ""
                seconds = None if seconds is None else float(round(seconds))
                waiting.setdefault(Waiting(decision.pause, decision.then, decision.reason, said, seconds), []).append(job_id)
        phases = Counter(decision.phase for decision in self.decisions.values())
        self.on_progress(Progress(phases, [replace(one, job_ids=tuple(ids)) for one, ids in waiting.items()]))

    def _look_at_prechecks(self, job_ids: Iterable[str]) -> None:
        running = {
            job_id: precheck.precheck_id
            for job_id in job_ids
            if (precheck := self._record(job_id).precheck) is not None
            and not precheck.is_done
            and phase_of(self.actual[job_id].status) is Phase.STARTABLE
        }
        if not running:
            return
        answer = self.client.get_precheck_results(running, self.budget)
        for job_id, found in answer.found.items():
            done = Precheck(running[job_id], found.is_done, found.has_passed, found.failed, found.alarms)
            self.records[job_id] = replace(self._record(job_id), precheck=done)
        for job_id, error in answer.refused.items():
            # The pre-check is gone: the status will say why, or another one is asked for.
            self.records[job_id] = replace(self._record(job_id), precheck=None)
            self._record_refusal(job_id, Request(Action.PRECHECK), error)

    def ask_why(self) -> None:
        """Get DRS's reasons for jobs that failed, where they could not be had before the time was up."""
        self.actual.update(self.reader.explain(self.actual, TimeBudget(REASONS_SECONDS, is_wanted=self.budget.is_wanted)))

    def _decide(self, job_ids: Sequence[str]) -> None:
        for job_id in job_ids:
            desired, actual, record, looked_at = self._case(job_id)
            self.decisions[job_id] = decide(desired, actual, record, self.goal, self.grace, looked_at)

    def _case(self, job_id: str) -> tuple[DesiredJob, JobStatus, JobRecord, float]:
        return self.desired[job_id], self.actual[job_id], self._record(job_id), self.looked_at[job_id]

    def _record(self, job_id: str) -> JobRecord:
        return self.records.get(job_id, NOTHING_KNOWN)

    def _request(self, job_id: str) -> Request:
        return self.decisions[job_id].request or Request()

    def _call(self, job_ids: Sequence[str]) -> ActionAnswer:
        action = self._request(job_ids[0]).action
        if action is Action.RESUME:
            return self.client.resume_jobs(job_ids, self.budget)
        if action is Action.PRECHECK:
            return self.client.precheck_jobs(job_ids, self.budget)
        if action is Action.PAUSE:
            return self.client.pause_jobs(job_ids, self.budget)
        if action is Action.STOP:
            return self.client.stop_jobs(job_ids, self.budget)
        times = {job_id: self._request(job_id).start_time for job_id in job_ids}
        starts = [StartRequest(job_id, None if ms is None else str(ms)) for job_id, ms in times.items()]
        return self.client.start_jobs(starts, self.budget)

    def _ask(self, job_ids: Sequence[str], answer: ActionAnswer | Exception | None = None) -> bool:
        """Send requests of one kind, in as few calls as DRS allows. True if no call was refused as a whole for a job in it.

        A refused call is sent again in halves, so that the job that spoils it ends alone and all others are dealt with. If
        both halves pass, it was the size, and later calls are no larger.

        Args:
            job_ids: what to ask for.
            answer: what the first call has come to already.
        """
        if answer is None and len(job_ids) > self.batch.size:
            return self._ask_in_parts(job_ids)
        nobody_refused = True
        while job_ids:
            answer = answer or map_concurrently(self._call, [job_ids])[0]
            if isinstance(answer, ActionAnswer):
                self._take(answer)
                break
            if isinstance(answer, OperationEndedError) or not isinstance(answer, DrsError):
                raise answer
            named = self._set_aside(job_ids, answer)
            if not named:
                return self._handle_failed_call(job_ids, answer) and nobody_refused
            job_ids = [job_id for job_id in job_ids if job_id not in named]
            nobody_refused, answer = False, None
        return nobody_refused

    def _ask_in_parts(self, job_ids: Sequence[str]) -> bool:
        """The first part alone, since what DRS minds shows in it; then the others side by side."""
        first, rest = job_ids[: self.batch.size], job_ids[self.batch.size :]
        passed = [self._ask(first)]
        parts = list(chunks(rest, self.batch.size))
        answers = list(zip(parts, map_concurrently(self._call, parts), strict=True))
        # An error may end the operation: what the other calls have come to is kept before.
        passed += [self._ask(part, answer) for part, answer in sorted(answers, key=lambda asked: _severity(asked[1]))]
        return all(passed)

    def _take(self, answer: ActionAnswer) -> None:
        precheck_ids = answer.precheck_ids if isinstance(answer, PrecheckAnswer) else {}
        for job_id in answer.accepted:
            self._record_acceptance(job_id, precheck_ids.get(job_id))
        for job_id, refusal in answer.refused.items():
            self._record_refusal(job_id, self._request(job_id), refusal)
        for job_id in answer.unanswered:
            self._record_lost(job_id, "DRS's answer did not mention the job", None)

    def _record_acceptance(self, job_id: str, precheck_id: str | None) -> None:
        self.unseen.add(job_id)
        request = self._request(job_id)
        record = self._record(job_id).about(request, self.desired[job_id].start_time)
        if request.action is Action.PRECHECK:
            self.records[job_id] = replace(record, request=request, precheck=Precheck(precheck_id), refusal=None)
            return
        self.records[job_id] = replace(
            record, request=request, accepted_at=self.now(), accepted_now=True, took_effect=False, refusal=None
        )

    def _set_aside(self, job_ids: Sequence[str], error: DrsError) -> set[str]:
        """Take out the jobs because of which a call was refused as a whole, where the answer names them or there is only one."""
        if not isinstance(error, ServiceRefusedError) or error.effect_unknown or isinstance(error, _CONCERNS_EVERY_JOB):
            return set()
        named = {job_id: refusal for job_id, refusal in error.by_job.items() if job_id in job_ids}
        if not named and len(job_ids) == 1:
            named = {job_ids[0]: error}
        for job_id, refusal in named.items():
            self._record_refusal(job_id, self._request(job_id), refusal)
        self.rejected_alone.update(named)
        return set(named)

    def _handle_failed_call(self, job_ids: Sequence[str], error: DrsError) -> bool:
        if error.effect_unknown:
            for job_id in job_ids:
                self._record_lost(job_id, str(error), error.retry_after_seconds)
            return True
        if isinstance(error, _CONCERNS_EVERY_JOB) or not isinstance(error, ServiceRefusedError):
            raise error
        if isinstance(error, OneJobOnlyError):
            self.batch.size = 1
            return self._ask(job_ids)
        half = (len(job_ids) + 1) // 2
        first_passes, second_passes = self._ask(job_ids[:half]), self._ask(job_ids[half:])
        both_pass = first_passes and second_passes
        if both_pass and not isinstance(error, (WrongStatusError, JobUnknownError, JobBusyError)):
            log.debug("DRS takes no %d jobs in one call (%s), going on with %d", len(job_ids), error.code, half)
            self.batch.size = min(self.batch.size, half)
        return both_pass

    def _record_lost(self, job_id: str, why: str, retry_after_seconds: float | None) -> None:
        request = self._request(job_id)
        record = self._record(job_id).about(request, self.desired[job_id].start_time)
        self.records[job_id] = replace(
            record,
            request=request,
            # A pre-check may run twice: it changes nothing.
            lost_at=None if request.action is Action.PRECHECK else self.now(),
            sends=record.sends + 1,
            refusal=Refusal(None, why, is_final=False),
            retry_at=self.now() + self.client.retry.wait_seconds(record.sends + 1, retry_after_seconds),
        )

    def _record_refusal(self, job_id: str, request: Request, error: ServiceRefusedError) -> None:
        record = self._record(job_id).about(request, self.desired[job_id].start_time)
        may_pass = isinstance(error, (JobBusyError, ThrottledError)) or (
            isinstance(error, (WrongStatusError, ServiceFaultError))
            and record.sends + 1 < (REFUSED_ENDINGS if request.action in (Action.PAUSE, Action.STOP) else REFUSED_SENDS)
            and not (isinstance(error, WrongStatusError) and self._explains_itself(job_id, request))
        )
        if isinstance(error, WrongStatusError):
            # Before that is final, the status is read once more: it may have changed between the look and the call.
            self.unseen.add(job_id)
        self.records[job_id] = replace(
            record,
            request=request,
            # Someone else may have just started it. A throttled job was not touched.
            refused_at=record.refused_at if isinstance(error, ThrottledError) else self.now(),
            sends=record.sends + 1,
            refusal=Refusal(error.code, error.text, not may_pass, self._status_behind(job_id, error)),
            retry_at=self.now() + self.client.retry.wait_seconds(record.sends + 1, error.retry_after_seconds),
        )

    def _status_behind(self, job_id: str, error: ServiceRefusedError) -> str | None:
        return self.actual[job_id].status if isinstance(error, WrongStatusError) else None

    def _explains_itself(self, job_id: str, request: Request) -> bool:
        """Whether the status that was read is reason enough for a refusal, so that asking again is of no use."""
        return request.action in (Action.RESUME, Action.PRECHECK) or self.decisions[job_id].phase is Phase.SCHEDULED

    def result(self) -> Result:
        """What became of each job."""
        outcomes = {}
        for job_id in self.desired:
            desired, actual, record, looked_at = self._case(job_id)
            outcomes[job_id] = outcome_of(desired, actual, record, self.goal, self.grace, looked_at, self.ended_by)
        return Result(outcomes, self.ended_by)


def _severity(answer: ActionAnswer | Exception) -> int:
    """How much a call spoils: nothing, an answer, its own jobs, everything."""
    if isinstance(answer, ActionAnswer):
        return 0
    if isinstance(answer, DrsError) and answer.effect_unknown:
        return 1
    return 2 if isinstance(answer, ServiceRefusedError) and not isinstance(answer, _CONCERNS_EVERY_JOB) else 3
