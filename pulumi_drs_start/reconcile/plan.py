"""
What to do about each job: every decision this package makes, and no I/O.

`decide` looks at one job: what is asked, what DRS says, what is remembered of earlier calls. Preview asks it once per job and
puts the answers into words; an operation asks it again after every look at DRS, until nothing is left to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from ..drs.calls.models import JobStatus
from ..schema.times import to_iso
from .phase import Phase, phase_of
from .record import NOTHING_KNOWN, Action, GracePeriods, JobRecord, Refusal, Request


class Goal(str, Enum):
    """When an operation may return; the values are those of the input ``wait_for``."""

    RUNNING = "running"
    ACCEPTED = "accepted"


class Target(str, Enum):
    """What a job shall come to; the values are those of the input ``desired_state``."""

    STARTED = "started"
    PAUSED = "paused"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class DesiredJob:
    """What is asked for one job.

    Attributes:
        job_id: the job.
        start_time: when it shall start, in milliseconds since the epoch; None for now.
        resume: also resume it when it is paused or has failed.
        precheck: have DRS check it before it is started.
        target: what it shall come to.
    """

    job_id: str
    start_time: int | None = None
    resume: bool = False
    precheck: bool = False
    target: Target = Target.STARTED

    def start_request(self, now: float) -> Request:
        """How to start it: a time that has passed is no time."""
        if self.start_time is None or self.start_time / 1000 <= now:
            return Request(Action.START)
        return Request(Action.SCHEDULE, self.start_time)


class Pause(str, Enum):
    """Why an operation waits before it asks DRS for something, where DRS is not at it."""

    LOST = "the answer to the call was lost"
    REFUSED = "DRS refused the call"
    PRECHECK = "a pre-check runs"
    OTHER = "the job is not ready for the call"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about one job, and why.

    Attributes:
        action: what to do.
        phase: where the job stands.
        reason: in words, for a person; names neither the job nor DRS's code.
        is_fulfilled: the job is where it was asked to be.
        is_underway: of WAIT: DRS is at it, so that waiting is no drift.
        pause: of any other WAIT: why it is waited.
        until: of such a WAIT: when DRS is asked again, if that is known; seconds since the epoch.
        then: of such a WAIT: what for.
        request: what to ask of DRS, if anything.
        refusal: what spoke against asking, the last time.
        advice: what to do about it, as a sentence of its own, where DRS's words alone would not tell.
        warning: what a person should know although it stops nothing.
    """

    action: Action
    phase: Phase
    reason: str
    is_fulfilled: bool = False
    is_underway: bool = False
    pause: Pause | None = None
    until: float | None = None
    then: Action | None = None
    request: Request | None = None
    refusal: Refusal | None = None
    advice: str | None = None
    warning: str | None = None


def decide(desired: DesiredJob, actual: JobStatus, record: JobRecord, goal: Goal, grace: GracePeriods, now: float) -> Decision:
    """What to do about a job. `now` is when its status was asked for, not when it was answered; seconds since the epoch."""
    case = _Case(desired, actual, record, goal, grace, now, phase_of(actual.status))
    if desired.target is Target.STARTED:
        return _DECIDE[case.phase](case)
    return _decide_pause(case) if desired.target is Target.PAUSED else _decide_stop(case)


@dataclass(frozen=True, slots=True)
class _Case:
    """All that a decision rests on."""

    desired: DesiredJob
    actual: JobStatus
    record: JobRecord
    goal: Goal
    grace: GracePeriods
    now: float
    phase: Phase

    @property
    def said(self) -> str:
        """What DRS gives as the reason, in brackets; nothing if it gives none."""
        return f" ({self.actual.error_message})" if self.actual.error_message else ""

    def nothing(self, reason: str, *, is_fulfilled: bool = False, warning: str | None = None) -> Decision:
        return Decision(Action.NOTHING, self.phase, reason, is_fulfilled=is_fulfilled, warning=warning)

    def wait(self, reason: str, pause: Pause = Pause.OTHER, until: float | None = None, then: Action | None = None) -> Decision:
        return Decision(Action.WAIT, self.phase, reason, pause=pause, until=until, then=then)

    def fail(self, reason: str, advice: str | None = None) -> Decision:
        return Decision(Action.FAIL, self.phase, reason, advice=advice)

    def underway(self, reason: str) -> Decision:
        """DRS took it and is at it: enough where acceptance was asked for."""
        if self.goal is Goal.ACCEPTED:
            return self.nothing(reason, is_fulfilled=True)
        return Decision(Action.WAIT, self.phase, reason, is_underway=True)

    def ask(self, request: Request, reason: str, not_shown: str, warning: str | None = None) -> Decision:
        """Ask DRS for something, unless what is recorded says that this was done, is in doubt, or is of no use."""
        record = self.record.about(request, self.desired.start_time)
        return replace(self._ask(request, record, reason, not_shown, warning), refusal=record.refusal)

    def _ask(self, request: Request, record: JobRecord, reason: str, not_shown: str, warning: str | None) -> Decision:
        done = _DONE[request.action]
        if record.refusal is not None and record.refusal.is_final:
            return self.fail(f"could not be {done}: DRS refused it ({record.refusal})")
        if record.is_accepted(self.grace, self.now):
            if request.action is not Action.RESUME:
                return self.underway(not_shown)
            if not record.took_effect and self.now < (record.accepted_at or 0) + self.grace.resume_seconds:
                return self.underway(not_shown)
            if record.accepted_now:
                return self.fail(f"was resumed and does not run{self.said}")
        if self.now < (until := record.doubtful_until(self.grace)):
            if record.lost_at is not None:
                return self.wait(f"may be {done} already: the answer to the call was lost", Pause.LOST, until, request.action)
            return self.wait(f"was refused, and may be {done} already by somebody else", Pause.REFUSED, until, request.action)
        if self.now < record.retry_at:
            return self.wait(f"is to be {done} in a moment, once more", Pause.REFUSED, record.retry_at, request.action)
        if record.sends >= self.grace.sends:
            why = f" ({record.refusal})" if record.refusal else ""
            return self.fail(f"could not be {done} in {record.sends} tries{why}: run pulumi up again")
        return Decision(request.action, self.phase, reason, request=request, warning=warning)


_DONE = {
    Action.START: "started",
    Action.SCHEDULE: "scheduled",
    Action.RESUME: "resumed",
    Action.PRECHECK: "pre-checked",
    Action.PAUSE: "paused",
    Action.STOP: "stopped",
}


def _decide_startable(case: _Case) -> Decision:
    request = case.desired.start_request(case.now)
    late = _lateness(case)
    decision = case.ask(
        request, "is not started", "was accepted by DRS, which does not show it yet", late and f"was {late}: it starts now"
    )
    return _first_things_first(case, decision) if decision.action.is_call else decision


def _lateness(case: _Case) -> str | None:
    start_time = case.desired.start_time
    if start_time is None or start_time / 1000 > case.now:
        return None
    return f"to start at {to_iso(start_time)}, which is past"


def _first_things_first(case: _Case, start: Decision) -> Decision:
    """What has to be true before a job may be started: its part in dual-active recovery, then its pre-check."""
    pairing = case.actual.pairing
    if pairing is not None and pairing.is_parent:
        children = ", ".join(pairing.children) or "DRS does not tell which"
        return case.fail(f"is the parent of a dual-active pair, which is never started itself: name its subtasks ({children})")
    if pairing is not None and pairing.blocked_by:
        return case.wait(f"waits for the other direction of its dual-active pair: {pairing.blocked_by}")
    if pairing is not None and pairing.note:
        start = replace(start, warning=f"{start.warning}; {pairing.note}" if start.warning else pairing.note)
    # Once the forward task replicates, DRS wants no pre-check of the backward one.
    if not case.desired.precheck or (pairing is not None and pairing.forward):
        return start
    return _after_precheck(case, start)


def _after_precheck(case: _Case, start: Decision) -> Decision:
    precheck = case.record.precheck
    if precheck is None:
        return case.ask(Request(Action.PRECHECK), start.reason, "is being pre-checked", start.warning)
    if not precheck.is_done:
        return case.wait("is being pre-checked", Pause.PRECHECK)
    if not precheck.has_passed:
        items = "; ".join(f"{finding.item}: {finding.reason}" if finding.reason else finding.item for finding in precheck.failed)
        return case.fail(f"did not pass the pre-check ({items or 'DRS names no item'})")
    return start


def _decide_scheduled(case: _Case) -> Decision:
    declared, delivered = case.desired.start_time, case.actual.start_time
    request = case.desired.start_request(case.now)
    if declared is not None and delivered in (None, declared):
        if request.action is Action.SCHEDULE:
            if delivered is None:
                return case.nothing("is scheduled; DRS does not tell for when", is_fulfilled=True)
            return case.nothing(f"is scheduled for {to_iso(declared)}", is_fulfilled=True)
        if case.now < declared / 1000 + case.grace.lag_seconds:
            return case.underway("is due, and starts by itself")
    until = f"is scheduled for {to_iso(delivered)}" if delivered is not None else "is scheduled for later"
    wish = "now" if request.start_time is None else f"at {to_iso(request.start_time)}"
    late = _lateness(case)
    why = f", because it was {late}" if late else ""
    warning = f"{until}, and shall start {wish}{why}: DRS does not document that a time can be changed, and may refuse"
    decision = case.ask(request, f"{until}, and shall start {wish}", "was accepted by DRS and still reads as scheduled", warning)
    if decision.action is Action.FAIL:
        advice = "change its time in the DRS console, or declare the one it has"
        reason = f"{until} and shall start {wish}, but {decision.reason}: {advice}"
        return replace(decision, reason=reason, advice=f"It {until}: {advice}.")
    return decision


def _decide_starting(case: _Case) -> Decision:
    return case.underway("is starting")


def _decide_paused(case: _Case) -> Decision:
    # A pause that this resource made ends with its declaration; one that somebody else made is theirs to end.
    is_ours = case.record.paused_here or case.record.was_asked_lately(Action.PAUSE, case.grace, case.now)
    if case.desired.resume or is_ours:
        return case.ask(Request(Action.RESUME), "is paused", "was resumed, which DRS does not show yet")
    return case.nothing("is paused and stays paused (resume=True resumes it)")


def _decide_failed(case: _Case) -> Decision:
    if case.desired.resume:
        return case.ask(Request(Action.RESUME), f"failed after its start{case.said}", "was resumed, which DRS does not show yet")
    return case.nothing(f"failed after its start{case.said}; DRS retries by itself (resume=True asks for a retry now)")


def _decide_start_failed(case: _Case) -> Decision:
    if case.desired.resume:
        return case.ask(Request(Action.RESUME), f"failed to start{case.said}", "was resumed, which DRS does not show yet")
    advice = "fix the cause that DRS reports, then restart it in the DRS console, or here with resume=True"
    reason = f"failed to start{case.said}: {advice}"
    return case.fail(f"{reason}. {AGENCY_TRAP}", AGENCY_TRAP) if case.desired.start_time is not None else case.fail(reason)


AGENCY_TRAP = (
    "A scheduled start also fails when the user who asked for it is not the account's owner and lacks the role Security "
    "Administrator (DRS then says: can not get agency token)"
)
"""The permission trap of scheduled starts (user manual, FAQ drs_16_0123)."""


def _decide_ended(case: _Case) -> Decision:
    record = case.record
    if record.stopped_here or record.was_asked_lately(Action.STOP, case.grace, case.now):
        advice = 'create a new one, declare desired_state="stopped", or take it off the list'
        return case.fail(f"was stopped for good, as it was declared before, and DRS never starts a job twice: {advice}")
    if record.has_run(case.now):
        return case.nothing("has run and is over", is_fulfilled=True)
    if record.scheduled_for is not None or record.request.action is Action.SCHEDULE:
        return case.fail(f"{_cancelled(record)}: create a new one, or take it off the list")
    return case.fail("is over, and DRS never starts a job twice: create a new one, or take it off the list")


def _cancelled(record: JobRecord) -> str:
    start_time = record.scheduled_for or record.request.start_time
    when = f"at {to_iso(start_time)}" if start_time else "later"
    return f"was to start {when} and is over without having been started, so its schedule was cancelled"


_DECIDE: Mapping[Phase, Callable[[_Case], Decision]] = {
    Phase.PENDING: lambda case: case.wait("is still being created"),
    Phase.STARTABLE: _decide_startable,
    Phase.SCHEDULED: _decide_scheduled,
    Phase.STARTING: _decide_starting,
    Phase.RUNNING: lambda case: case.nothing("is running", is_fulfilled=True),
    Phase.PAUSED: _decide_paused,
    Phase.FAILED: _decide_failed,
    Phase.START_FAILED: _decide_start_failed,
    Phase.ENDED: _decide_ended,
    Phase.DEAD: lambda case: case.fail(f"could not be created{case.said}: create a new one, or take it off the list"),
    Phase.MISSING: lambda case: case.fail(
        "is not known to DRS: check its id and the region and project, or take it off the list"
    ),
}

# DRS.M05004 says that a job was deleted, or its resources released. The other codes for unknown jobs do not say that it is over.
_SAYS_DELETED = "DRS.M05004"


def is_seen_ended(actual: JobStatus) -> bool:
    """Whether DRS shows a job as over, or says that it was deleted."""
    phase = phase_of(actual.status)
    if phase is Phase.MISSING:
        return actual.error_code == _SAYS_DELETED
    return phase is Phase.ENDED and actual.status not in ("RELEASE_RESOURCE_STARTED", "RELEASE_RESOURCE_FAILED")


def _decide_pause(case: _Case) -> Decision:
    """A job that shall not run for now. What can't run needs no pause."""
    phase, record = case.phase, case.record
    if phase is Phase.MISSING:
        return _decide_unseen(case, "paused")
    if phase in (Phase.ENDED, Phase.DEAD):
        return case.nothing("is over" if phase is Phase.ENDED else "could not be created", is_fulfilled=True)
    if phase is Phase.PAUSED:
        return case.nothing("is paused", is_fulfilled=True)
    if phase is Phase.SCHEDULED:
        when = f" for {to_iso(case.actual.start_time)}" if case.actual.start_time is not None else ""
        advice = "change that in the DRS console, or wait until it runs"
        return case.fail(f"is scheduled{when}, and DRS can't pause a job that does not run: {advice}")
    if phase is Phase.STARTING:
        return case.wait("is starting, and can be paused once it runs")
    if phase in (Phase.PENDING, Phase.STARTABLE, Phase.START_FAILED):
        if any(record.was_asked_lately(action, case.grace, case.now) for action in (Action.START, Action.SCHEDULE)):
            return case.wait("was started a moment ago, and can be paused once it runs")
        return case.nothing("does not run, so there is nothing to pause", is_fulfilled=True)
    return case.ask(Request(Action.PAUSE), "is running", "was paused, which DRS does not show yet")


def _decide_stop(case: _Case) -> Decision:
    """A job that shall be over for good."""
    if case.phase is Phase.MISSING:
        return _decide_unseen(case, "stopped")
    if case.actual.status == "RELEASE_RESOURCE_STARTED":
        return case.underway("is being stopped")
    if case.actual.status == "RELEASE_RESOURCE_FAILED":
        return case.fail("could not be released by DRS: stop it in the DRS console")
    if case.phase in (Phase.ENDED, Phase.DEAD):
        return case.nothing("is over" if case.phase is Phase.ENDED else "could not be created", is_fulfilled=True)
    if case.phase is Phase.STARTING:
        return case.wait("is starting, and can be stopped once it runs")
    return case.ask(Request(Action.STOP), "is to be stopped", "was stopped, which DRS does not show yet")


def _decide_unseen(case: _Case, wanted: str) -> Decision:
    """A job that DRS does not show: it may run all the same, unless DRS has said that it is over."""
    if case.record.was_ended or is_seen_ended(case.actual):
        return case.nothing("is over and deleted", is_fulfilled=True)
    advice = "check its id and the region and project"
    return case.fail(
        f"is not known to DRS, so nothing shows that it is {wanted}: {advice}", f"Nothing shows that it is {wanted}."
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """What the next operation would do, decided without touching the network.

    Attributes:
        decisions: the decision of every job, in the order asked.
        targets: what jobs shall come to that shall not be started.
    """

    decisions: Mapping[str, Decision] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict)

    def jobs(self, *actions: Action) -> tuple[str, ...]:
        """The jobs about which that is to be done."""
        return tuple(job_id for job_id, decision in self.decisions.items() if decision.action in actions)

    @property
    def to_start(self) -> tuple[str, ...]:
        """The jobs it would start, now or later, in the order asked."""
        return self.jobs(Action.START, Action.SCHEDULE, Action.PRECHECK)

    @property
    def impossible(self) -> dict[str, str]:
        """The jobs about which it could do nothing, why."""
        return {job_id: d.reason for job_id, d in self.decisions.items() if d.action is Action.FAIL}

    @property
    def would_act(self) -> bool:
        """Whether an operation would call DRS, or wait for something that DRS is not at."""
        return any(d.action.is_call or (d.action is Action.WAIT and not d.is_underway) for d in self.decisions.values())


def make_plan(
    desired: Iterable[DesiredJob],
    actual: Mapping[str, JobStatus],
    records: Mapping[str, JobRecord],
    goal: Goal,
    now: float,
    grace: GracePeriods | None = None,
) -> Plan:
    """Decide about every desired job.

    Args:
        desired: what is asked.
        actual: what DRS says of each of them.
        records: what is known from earlier operations; jobs may be absent.
        goal: when the operation may return.
        now: seconds since the epoch.
        grace: see there.
    """
    grace = grace or GracePeriods()
    jobs = list(desired)
    decisions = {
        job.job_id: decide(job, actual[job.job_id], records.get(job.job_id, NOTHING_KNOWN), goal, grace, now) for job in jobs
    }
    return Plan(decisions, {job.job_id: job.target for job in jobs if job.target is not Target.STARTED})
