"""
Sends the requests that were decided, in as few calls as DRS allows, and records for each job what came of its request.

Nothing is sent twice between two polls: an answer that was lost is settled by what DRS shows.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..drs.calls.batch_read import chunks
from ..drs.calls.client import DEFAULT_BATCH_SIZE, DrsClient
from ..drs.calls.models import ActionAnswer, StartRequest
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
from .jobs import Jobs
from .phase import Phase
from .record import Action, Precheck, Refusal, Request

log = logging.getLogger(__name__)

# A job that reads CONFIGURATION is refused for its status, or by a fault of the service: somebody else has just started it,
# which shows within two settled polls, or it will not start.
REFUSED_SENDS = 3
# A job that can't be paused or stopped as it is: once more, because the status read may have been late.
REFUSED_ENDINGS = 2

# These errors are not about a job of the call: another part of the batch would meet the same.
_CONCERNS_EVERY_JOB = (
    *(AuthenticationError, PermissionDeniedError, TokenRejectedError, ThrottledError, NotAskedError, UnreachableError),
)

# What starts jobs comes before what ends them.
_CALLS = ((Action.START, Action.SCHEDULE), (Action.RESUME,), (Action.PRECHECK,), (Action.PAUSE,), (Action.STOP,))


@dataclass(slots=True)
class BatchLimit:
    """How many jobs are sent in one call: fewer once DRS refuses so many. Found out once, and kept for later operations."""

    size: int = DEFAULT_BATCH_SIZE


@dataclass(slots=True)
class Sender:
    """Sends requests for the jobs of one operation.

    Attributes:
        batch: how many jobs go into one call.
        budget: the time that is left.
    """

    client: DrsClient
    jobs: Jobs
    batch: BatchLimit
    budget: TimeBudget
    _rejected_alone: set[str] = field(default_factory=set)  # a whole call was refused because of these

    def send(self, job_ids: Sequence[str]) -> None:
        """Send what was decided for these jobs.

        Raises:
            DrsError: nothing further can be sent now. What DRS accepted before is recorded.
        """
        for actions in _CALLS:
            asked = [job_id for job_id in job_ids if self.jobs.decisions[job_id].action in actions]
            alone = self._rejected_alone.intersection(asked)
            self._send([job_id for job_id in asked if job_id not in alone])
            for job_id in sorted(alone):
                self._send([job_id])

    def _call(self, job_ids: Sequence[str]) -> ActionAnswer:
        action = self.jobs.request(job_ids[0]).action
        if action.is_start:
            times = {job_id: self.jobs.request(job_id).start_time for job_id in job_ids}
            starts = [StartRequest(job_id, None if ms is None else str(ms)) for job_id, ms in times.items()]
            return self.client.start_jobs(starts, self.budget)
        calls = {
            Action.RESUME: self.client.resume_jobs,
            Action.PRECHECK: self.client.precheck_jobs,
            Action.PAUSE: self.client.pause_jobs,
            Action.STOP: self.client.stop_jobs,
        }
        return calls[action](job_ids, self.budget)

    def _send(self, job_ids: Sequence[str], answer: ActionAnswer | Exception | None = None) -> bool:
        """Send requests of one kind. True if no call was refused as a whole because of a job in it.

        A call that is refused as a whole is sent again in halves, so that the job it is refused for ends up alone and all
        others are dealt with. If both halves pass, the call was too large, and later calls are no larger than a half.
        `answer` is what the first call has come to already.
        """
        if answer is None and len(job_ids) > self.batch.size:
            return self._send_in_parts(job_ids)
        nobody_refused = True
        while job_ids:
            answer = answer or map_concurrently(self._call, [job_ids])[0]
            if isinstance(answer, ActionAnswer):
                self._record(answer)
                break
            if isinstance(answer, OperationEndedError) or not isinstance(answer, DrsError):
                raise answer
            named = self._record_rejected(job_ids, answer)
            if not named:
                return self._record_failed_call(job_ids, answer) and nobody_refused
            job_ids = [job_id for job_id in job_ids if job_id not in named]
            nobody_refused, answer = False, None
        return nobody_refused

    def _send_in_parts(self, job_ids: Sequence[str]) -> bool:
        """The first part alone, since it shows what DRS objects to; then the others concurrently."""
        first, rest = job_ids[: self.batch.size], job_ids[self.batch.size :]
        passed = [self._send(first)]
        parts = list(chunks(rest, self.batch.size))
        answers = list(zip(parts, map_concurrently(self._call, parts), strict=True))
        # An error may end the operation: the answers of the other calls are recorded before.
        passed += [self._send(part, answer) for part, answer in sorted(answers, key=lambda asked: _severity(asked[1]))]
        return all(passed)

    def _record(self, answer: ActionAnswer) -> None:
        for job_id in answer.accepted:
            self._record_acceptance(job_id, answer.precheck_ids.get(job_id))
        for job_id, refusal in answer.refused.items():
            self.record_refusal(job_id, self.jobs.request(job_id), refusal)
        for job_id in answer.unanswered:
            self._record_lost(job_id, "DRS's answer did not mention the job", None)

    def _record_acceptance(self, job_id: str, precheck_id: str | None) -> None:
        self.jobs.unread.add(job_id)
        request = self.jobs.request(job_id)
        record = replace(self.jobs.record_about(job_id, request), request=request, refusal=None)
        if request.action is Action.PRECHECK:
            self.jobs.update(job_id, record, precheck=Precheck(precheck_id))
        else:
            self.jobs.update(job_id, record, accepted_at=self._now(), accepted_now=True, took_effect=False)

    def _record_rejected(self, job_ids: Sequence[str], error: DrsError) -> set[str]:
        """The jobs because of which a call was refused as a whole, where the answer names them or there is only one."""
        if not isinstance(error, ServiceRefusedError) or error.effect_unknown or isinstance(error, _CONCERNS_EVERY_JOB):
            return set()
        named = {job_id: refusal for job_id, refusal in error.by_job.items() if job_id in job_ids}
        if not named and len(job_ids) == 1:
            named = {job_ids[0]: error}
        for job_id, refusal in named.items():
            self.record_refusal(job_id, self.jobs.request(job_id), refusal)
        self._rejected_alone.update(named)
        return set(named)

    def _record_failed_call(self, job_ids: Sequence[str], error: DrsError) -> bool:
        if error.effect_unknown:
            for job_id in job_ids:
                self._record_lost(job_id, str(error), error.retry_after_seconds)
            return True
        if isinstance(error, _CONCERNS_EVERY_JOB) or not isinstance(error, ServiceRefusedError):
            raise error
        if isinstance(error, OneJobOnlyError):
            self.batch.size = 1
            return self._send(job_ids)
        half = (len(job_ids) + 1) // 2
        first_passes, second_passes = self._send(job_ids[:half]), self._send(job_ids[half:])
        both_pass = first_passes and second_passes
        if both_pass and not isinstance(error, (WrongStatusError, JobUnknownError, JobBusyError)):
            log.debug("DRS takes no %d jobs in one call (%s), going on with %d", len(job_ids), error.code, half)
            self.batch.size = min(self.batch.size, half)
        return both_pass

    def _record_lost(self, job_id: str, why: str, retry_after_seconds: float | None) -> None:
        request = self.jobs.request(job_id)
        # A pre-check may run twice: it changes nothing.
        lost_at = None if request.action is Action.PRECHECK else self._now()
        self._record_failure(job_id, request, Refusal(None, why, is_final=False), retry_after_seconds, lost_at=lost_at)

    def record_refusal(self, job_id: str, request: Request, error: ServiceRefusedError) -> None:
        """Record that DRS refused a request for one job, and whether it is worth another try."""
        case, record = self.jobs.cases[job_id], self.jobs.record_about(job_id, request)
        is_of_status = isinstance(error, WrongStatusError)
        # With one of these statuses, a refusal is no surprise, and another try of no use.
        is_explained = is_of_status and (request.action in (Action.RESUME, Action.PRECHECK) or case.phase is Phase.SCHEDULED)
        tries = REFUSED_ENDINGS if request.action.is_end else REFUSED_SENDS
        is_worth_a_try = record.sends + 1 < tries and not is_explained
        may_pass = isinstance(error, (JobBusyError, ThrottledError)) or (
            isinstance(error, (WrongStatusError, ServiceFaultError)) and is_worth_a_try
        )
        if is_of_status:
            # Before that is final, the status is read once more: it may have changed between the poll and the call.
            self.jobs.unread.add(job_id)
        refusal = Refusal(error.code, error.text, not may_pass, case.actual.status if is_of_status else None)
        # Somebody else may have just started it. A throttled job was not touched.
        refused_at = record.refused_at if isinstance(error, ThrottledError) else self._now()
        self._record_failure(job_id, request, refusal, error.retry_after_seconds, refused_at=refused_at)

    def _record_failure(
        self, job_id: str, request: Request, refusal: Refusal, retry_after_seconds: float | None, **when: float | None
    ) -> None:
        """Record that a request was sent once more without its being accepted."""
        record = self.jobs.record_about(job_id, request)
        sends = record.sends + 1
        retry_at = self._now() + self.client.retry.wait_seconds(sends, retry_after_seconds)
        self.jobs.update(job_id, record, request=request, sends=sends, refusal=refusal, retry_at=retry_at, **when)

    def _now(self) -> float:
        return self.budget.clock.time()


def _severity(answer: ActionAnswer | Exception) -> int:
    """How much a call failed: not at all, by a lost answer, for its own jobs, for all."""
    if isinstance(answer, ActionAnswer):
        return 0
    if isinstance(answer, DrsError) and answer.effect_unknown:
        return 1
    return 2 if isinstance(answer, ServiceRefusedError) and not isinstance(answer, _CONCERNS_EVERY_JOB) else 3
