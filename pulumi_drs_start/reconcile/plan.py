"""
What to do about each job: every decision of this package, made without I/O.

`decide` looks at one `Case`: what is declared for a job, what DRS shows, what is recorded. Preview asks it once per job. An
operation asks it again after every poll, until nothing is left to do. A decision says why with a code and facts;
`schema.reasons` makes sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any

from ..drs.calls.models import Finding
from .actual import ActualJob, Pairing
from .declared import DesiredJob, DesiredState, Goal
from .phase import Phase
from .record import NOTHING_KNOWN, USUAL_GRACE, Action, GracePeriods, JobRecord, Refusal, Request


class Reason(Enum):
    """Why a decision is as it is. `schema.reasons` has a sentence for each."""

    ACCEPTED_EARLIER = auto()  # DRS accepted the request, and does not show its effect yet
    BEING_CREATED = auto()
    BEING_STOPPED = auto()
    CANCELLED_SCHEDULE = auto()
    CATCHING_UP = auto()  # it runs, and its copy was not seen to have caught up
    DELETED = auto()
    DUE = auto()  # its time has come, and it starts by itself
    FAILED = auto()  # after its start
    FAILED_AGAIN = auto()  # it was resumed, and does not run
    FAILED_TO_START = auto()
    HAS_RUN = auto()
    IN_DOUBT = auto()  # the answer to the request was lost
    NEVER_STARTED = auto()  # it is over, and was never seen started
    NOT_CREATED = auto()
    NOT_DUE = auto()  # it is scheduled as declared, and waited for once it has started
    NOT_RUNNING = auto()
    NOT_SHOWN = auto()  # DRS does not show a job that shall be paused or stopped
    NOT_STARTED = auto()
    NOT_STOPPED = auto()
    OVER = auto()
    OVER_TOO_SOON = auto()  # before its copy was seen to have caught up
    PARENT = auto()  # of a dual-active pair
    PAUSED = auto()
    PRECHECK_FAILED = auto()
    PRECHECK_RUNNING = auto()
    REFUSED = auto()
    REFUSED_FOR_NOW = auto()
    RELEASE_FAILED = auto()
    RESCHEDULED = auto()  # it is scheduled for another time than the declared one
    RETRY_LATER = auto()
    RUNNING = auto()
    SCHEDULED = auto()
    STARTED_LATELY = auto()
    STARTING = auto()
    STOPPED_EARLIER = auto()  # this resource stopped it, and now declares it started
    TOO_MANY_TRIES = auto()
    UNKNOWN_JOB = auto()
    WAITING_FOR_PAIR = auto()


@dataclass(frozen=True, slots=True)
class Why:
    """A reason, and the facts that belong to it. Points in time are milliseconds since the epoch.

    Attributes:
        reason: the code.
        action: the request that was sent, or is to be.
        said: DRS's own explanation.
        declared_time: the job's declared start time; None for now.
        delivered_time: the time for which DRS has scheduled the job; None where it is not known.
        is_late: the declared time is past, so the job starts at once.
        refusal: what spoke against the request.
        sends: how many times the request was sent in vain.
        pairing: the job's part in dual-active disaster recovery.
        findings: what failed in the pre-check.
        state: the declared state.
        awaits_sync: the copy has to catch up.
        cause: why the declared time can't be had.
    """

    reason: Reason
    action: Action | None = None
    said: str | None = None
    declared_time: int | None = None
    delivered_time: int | None = None
    is_late: bool = False
    refusal: Refusal | None = None
    sends: int = 0
    pairing: Pairing | None = None
    findings: tuple[Finding, ...] = ()
    state: DesiredState = DesiredState.STARTED
    awaits_sync: bool = False
    cause: Why | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about one job, and why.

    Attributes:
        is_fulfilled: the job is what was declared.
        is_underway: of WAIT: DRS is at it, so that waiting is no drift.
        until: of any other WAIT: when the request is sent again, if that is known; seconds since the epoch.
        request: what to request of DRS now.
        refusal: what spoke against the request, the last time.
    """

    action: Action
    phase: Phase
    why: Why
    is_fulfilled: bool = False
    is_underway: bool = False
    until: float | None = None
    request: Request | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known of one job: what every decision about it rests on.

    Attributes:
        desired: what is declared.
        actual: what DRS shows.
        record: what is known beside that.
        now: when the status was asked for, not when it was answered; seconds since the epoch.
        grace: how long DRS may be late.
    """

    desired: DesiredJob
    actual: ActualJob
    record: JobRecord
    goal: Goal
    now: float
    grace: GracePeriods = USUAL_GRACE

    @property
    def phase(self) -> Phase:
        """The phase of the job."""
        return self.actual.phase

    @property
    def awaits_sync(self) -> bool:
        """Whether the job's copy has to catch up, and was never seen to have done so."""
        return self.goal is Goal.SYNCED and self.desired.state is DesiredState.STARTED and not self.record.is_synced

    @property
    def is_late(self) -> bool:
        """Whether the declared start time is past."""
        start_time = self.desired.start_time
        return start_time is not None and start_time / 1000 <= self.now

    def was_asked_lately(self, *actions: Action) -> bool:
        """Whether DRS accepted one of these requests, or may have, so lately that its effect may not show yet."""
        record = self.record
        asked_at = max(record.accepted_at or 0.0, record.lost_at or 0.0)
        return record.request.action in actions and self.now < asked_at + self.grace.lag_seconds

    def why(self, reason: Reason, **facts: Any) -> Why:
        usual = {"said": self.actual.error_message, "state": self.desired.state, "awaits_sync": self.awaits_sync}
        return Why(reason, **{**usual, **facts})

    @property
    def times(self) -> dict[str, Any]:
        """The facts about the job's start time."""
        return {
            "declared_time": self.desired.start_time,
            "delivered_time": self.actual.start_time,
            "is_late": self.is_late,
        }

    def fulfilled(self, reason: Reason, **facts: Any) -> Decision:
        return Decision(Action.NOTHING, self.phase, self.why(reason, **facts), is_fulfilled=True)

    def nothing(self, reason: Reason, **facts: Any) -> Decision:
        return Decision(Action.NOTHING, self.phase, self.why(reason, **facts))

    def standing_still(self, reason: Reason) -> Decision:
        """Somebody meant it, or DRS is at it: nothing is done, but nobody waits for such a copy to catch up either."""
        return self.fail(reason) if self.awaits_sync else self.nothing(reason)

    def wait(self, reason: Reason, until: float | None = None, **facts: Any) -> Decision:
        return Decision(Action.WAIT, self.phase, self.why(reason, **facts), until=until)

    def fail(self, reason: Reason, **facts: Any) -> Decision:
        return Decision(Action.FAIL, self.phase, self.why(reason, **facts))

    def underway(self, reason: Reason, **facts: Any) -> Decision:
        """DRS is at it: enough where acceptance is the goal."""
        if self.goal is Goal.ACCEPTED:
            return self.fulfilled(reason, **facts)
        return Decision(Action.WAIT, self.phase, self.why(reason, **facts), is_underway=True)

    def request(self, request: Request, reason: Reason, **facts: Any) -> Decision:
        """Request something, unless the record says that this was done, is in doubt, or is of no use."""
        record = self.record.about(request, self.desired.start_time)
        return replace(self._request(request, record, reason, facts), refusal=record.refusal)

    def _request(self, request: Request, record: JobRecord, reason: Reason, facts: Mapping[str, Any]) -> Decision:
        action = request.action
        if record.refusal is not None and record.refusal.is_final:
            return self.fail(Reason.REFUSED, action=action, refusal=record.refusal)
        accepted_at = record.accepted_at
        # An acceptance explains a status that shows no effect: for a while, and in the operation that it belongs to always.
        if accepted_at is not None and (record.accepted_now or self.now < accepted_at + self.grace.lag_seconds):
            has_failed_again = record.took_effect or self.now >= accepted_at + self.grace.resume_seconds
            if action is not Action.RESUME or not has_failed_again:
                return self.underway(Reason.ACCEPTED_EARLIER, action=action)
            if record.accepted_now:
                return self.fail(Reason.FAILED_AGAIN)
        if self.now < (until := record.doubtful_until(self.grace)):
            return self.wait(Reason.REFUSED_FOR_NOW if record.lost_at is None else Reason.IN_DOUBT, until, action=action)
        if self.now < record.retry_at:
            return self.wait(Reason.RETRY_LATER, record.retry_at, action=action)
        if record.sends >= self.grace.sends:
            return self.fail(Reason.TOO_MANY_TRIES, action=action, refusal=record.refusal, sends=record.sends)
        return Decision(action, self.phase, self.why(reason, action=action, **facts), request=request)


def decide(case: Case) -> Decision:
    """What to do about a job."""
    if case.desired.state is DesiredState.STARTED:
        return _START[case.phase](case)
    return _decide_pause(case) if case.desired.state is DesiredState.PAUSED else _decide_stop(case)


def _start_startable(case: Case) -> Decision:
    request = case.desired.start_request(case.now)
    decision = case.request(request, Reason.NOT_STARTED, **case.times)
    if not decision.action.is_request:
        return decision
    pairing = case.actual.pairing
    if pairing is not None:
        if pairing.is_parent:
            return case.fail(Reason.PARENT, pairing=pairing)
        if pairing.obstacle is not None:
            return case.wait(Reason.WAITING_FOR_PAIR, pairing=pairing)
        decision = replace(decision, why=replace(decision.why, pairing=pairing))
    # Once the forward task replicates, DRS wants no pre-check of the backward one.
    if not case.desired.precheck or (pairing is not None and pairing.forward):
        return decision
    return _after_precheck(case, decision)


def _after_precheck(case: Case, start: Decision) -> Decision:
    precheck = case.record.precheck
    if precheck is None:
        return case.request(Request(Action.PRECHECK), Reason.NOT_STARTED, pairing=start.why.pairing, **case.times)
    if not precheck.is_done:
        return case.wait(Reason.PRECHECK_RUNNING)
    if not precheck.has_passed:
        return case.fail(Reason.PRECHECK_FAILED, findings=tuple(precheck.failed))
    return start


def _start_scheduled(case: Case) -> Decision:
    declared, delivered = case.desired.start_time, case.actual.start_time
    request = case.desired.start_request(case.now)
    if declared is not None and delivered in (None, declared):
        if request.action is Action.SCHEDULE:
            if case.goal is Goal.SYNCED:
                return case.nothing(Reason.NOT_DUE, **case.times)
            return case.fulfilled(Reason.SCHEDULED, **case.times)
        if case.now < declared / 1000 + case.grace.lag_seconds:
            return case.underway(Reason.DUE)
    decision = case.request(request, Reason.RESCHEDULED, **case.times)
    if decision.action is Action.FAIL:
        return replace(decision, why=case.why(Reason.RESCHEDULED, cause=decision.why, **case.times))
    return decision


def _start_paused(case: Case) -> Decision:
    # A pause that this resource made ends with its declaration; one that somebody else made is theirs to end.
    is_ours = case.record.paused_here or case.was_asked_lately(Action.PAUSE)
    if case.desired.resume or is_ours:
        return case.request(Request(Action.RESUME), Reason.PAUSED)
    return case.standing_still(Reason.PAUSED)


def _start_failed(case: Case) -> Decision:
    # Without `resume` there is nothing to do: DRS retries by itself.
    return case.request(Request(Action.RESUME), Reason.FAILED) if case.desired.resume else case.standing_still(Reason.FAILED)


def _start_failed_to_start(case: Case) -> Decision:
    if case.desired.resume:
        return case.request(Request(Action.RESUME), Reason.FAILED_TO_START)
    return case.fail(Reason.FAILED_TO_START, **case.times)


def _start_ended(case: Case) -> Decision:
    record = case.record
    if record.stopped_here or case.was_asked_lately(Action.STOP):
        return case.fail(Reason.STOPPED_EARLIER)
    if record.has_run(case.now):
        if not case.awaits_sync:
            return case.fulfilled(Reason.HAS_RUN)
        # A job that copies only once ends by itself: how far its copy came tells whether it was complete.
        is_unread = case.actual.copy is None and not record.ended_unsynced
        return case.underway(Reason.CATCHING_UP) if is_unread else case.fail(Reason.OVER_TOO_SOON)
    if record.scheduled_for is not None or record.request.action is Action.SCHEDULE:
        return case.fail(Reason.CANCELLED_SCHEDULE, delivered_time=record.scheduled_for or record.request.start_time)
    return case.fail(Reason.NEVER_STARTED)


def _start_running(case: Case) -> Decision:
    return case.underway(Reason.CATCHING_UP) if case.awaits_sync else case.fulfilled(Reason.RUNNING)


# What is declared started, by the phase of the job.
_START: Mapping[Phase, Callable[[Case], Decision]] = {
    Phase.PENDING: lambda case: case.wait(Reason.BEING_CREATED),
    Phase.STARTABLE: _start_startable,
    Phase.SCHEDULED: _start_scheduled,
    Phase.STARTING: lambda case: case.underway(Reason.STARTING),
    Phase.RUNNING: _start_running,
    Phase.PAUSED: _start_paused,
    Phase.FAILED: _start_failed,
    Phase.START_FAILED: _start_failed_to_start,
    Phase.ENDED: _start_ended,
    Phase.DEAD: lambda case: case.fail(Reason.NOT_CREATED),
    Phase.MISSING: lambda case: case.fail(Reason.UNKNOWN_JOB),
}


def _decide_pause(case: Case) -> Decision:
    """A job that shall not run for now. What can't run needs no pause."""
    if case.phase is Phase.PAUSED:
        return case.fulfilled(Reason.PAUSED)
    if case.phase is Phase.SCHEDULED:
        return case.fail(Reason.SCHEDULED, **case.times)
    if case.phase in (Phase.PENDING, Phase.STARTABLE, Phase.START_FAILED):
        if case.was_asked_lately(Action.START, Action.SCHEDULE):
            return case.wait(Reason.STARTED_LATELY)
        return case.fulfilled(Reason.NOT_RUNNING)
    return _decide_end(case, Request(Action.PAUSE), Reason.RUNNING)


def _decide_stop(case: Case) -> Decision:
    """A job that shall be over for good."""
    if case.actual.status == "RELEASE_RESOURCE_STARTED":
        return case.underway(Reason.BEING_STOPPED)
    if case.actual.status == "RELEASE_RESOURCE_FAILED":
        return case.fail(Reason.RELEASE_FAILED)
    return _decide_end(case, Request(Action.STOP), Reason.NOT_STOPPED)


def _decide_end(case: Case, request: Request, reason: Reason) -> Decision:
    """A job that shall be paused or stopped, and needs the request if it is neither over nor on its way."""
    if case.phase is Phase.MISSING:
        return _decide_not_shown(case)
    if case.phase is Phase.ENDED:
        return case.fulfilled(Reason.OVER)
    if case.phase is Phase.DEAD:
        return case.fulfilled(Reason.NOT_CREATED)
    if case.phase is Phase.STARTING:
        return case.wait(Reason.STARTING)
    return case.request(request, reason)


def _decide_not_shown(case: Case) -> Decision:
    """A job that DRS does not show. It may run all the same, unless DRS has said that it is over."""
    if case.record.was_ended or case.actual.is_seen_ended:
        return case.fulfilled(Reason.DELETED)
    return case.fail(Reason.NOT_SHOWN)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the next operation would do: the decision of every job, in the order of the declaration."""

    decisions: Mapping[str, Decision] = field(default_factory=dict)

    def jobs(self, *actions: Action) -> tuple[str, ...]:
        """The jobs with one of these actions."""
        return tuple(job_id for job_id, decision in self.decisions.items() if decision.action in actions)

    @property
    def to_start(self) -> tuple[str, ...]:
        """The jobs it would start, now or later."""
        return self.jobs(Action.START, Action.SCHEDULE, Action.PRECHECK)

    @property
    def would_act(self) -> bool:
        """Whether an operation would send a request, or wait for something that DRS is not at, or for a copy to catch up."""
        return any(
            d.action.is_request or (d.action is Action.WAIT and (not d.is_underway or d.why.awaits_sync))
            for d in self.decisions.values()
        )


def make_plan(cases: Sequence[Case]) -> Plan:
    """Decide about every job."""
    return Plan({case.desired.job_id: decide(case) for case in cases})


def make_cases(
    desired: Iterable[DesiredJob],
    actual: Mapping[str, ActualJob],
    records: Mapping[str, JobRecord],
    goal: Goal,
    now: float,
) -> list[Case]:
    """The cases of all desired jobs, from values by job id; see `Case`. `records` may lack jobs, `actual` must not."""

    def case_of(job: DesiredJob) -> Case:
        seen, record = actual[job.job_id], records.get(job.job_id, NOTHING_KNOWN)
        return Case(job, seen, record.seen_in(seen.phase), goal, now)

    return [case_of(job) for job in desired]
