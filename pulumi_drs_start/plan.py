"""
What to do about each job: every decision this package makes, and no I/O.

`decide` looks at one job: what is asked, what DRS says, what is remembered of earlier calls. Preview asks it once per job and
puts the answers into words; an operation asks it again after every look at DRS, until nothing is left to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from .drs.models import JobStatus
from .status import Phase, phase_of


class Action(str, Enum):
    """What to do about a job."""

    START = "start"
    WAIT = "wait"
    NOTHING = "nothing"
    FAIL = "fail"


class Goal(str, Enum):
    """When an operation may return; the values are those of the input ``wait_for``."""

    RUNNING = "running"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class DesiredJob:
    """A job that shall be started, now."""

    job_id: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a start was not accepted.

    Attributes:
        code: DRS's code, or None where it gave none.
        text: DRS's words, or ours.
        is_final: asking again changes nothing.
    """

    code: str | None
    text: str
    is_final: bool

    def __str__(self) -> str:
        return f"{self.code}: {self.text}" if self.code else self.text


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known of a job beyond its status. All times are seconds since the epoch.

    Attributes:
        accepted_at: when DRS accepted our start.
        accepted_now: the acceptance was in this operation, not in an earlier one.
        lost_at: when a start was sent whose answer never came; settled by reading.
        refused_at: when DRS refused a start for a reason that the job's status may explain.
        refusal: the last thing that spoke against a start: DRS's refusal, or the reason why its answer was lost.
        sends: how many starts were sent in this operation without being accepted.
        retry_at: not to be sent again before.
        was_started: the job was seen started, by this resource, at some time.
    """

    accepted_at: float | None = None
    accepted_now: bool = False
    lost_at: float | None = None
    refused_at: float | None = None
    refusal: Refusal | None = None
    sends: int = 0
    retry_at: float = float("-inf")
    was_started: bool = False


NOTHING_KNOWN = Memory()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a status that contradicts what we know is given the benefit of the doubt.

    Attributes:
        lag_seconds: an accepted start that an earlier operation remembers may read CONFIGURATION for so long. Clients tested
            against the live service allow minutes; after a quarter of an hour DRS has lost it, and it is started anew.
        lost_seconds: after a lost answer, CONFIGURATION is believed only after so long. Waiting costs only those starts
            whose answer was lost and that had no effect; starting again too soon could start a job twice.
        settle_seconds: after a refusal that the status read does not explain, likewise, and twice as long after each
            further one (a client tested against the live service waits 20 s before its first look).
        confirmed_seconds: after a refusal of a job whose own answer was lost before: most likely DRS is starting it already.
        sends: starts sent for one job in one operation before giving up.
    """

    lag_seconds: float = 900.0
    lost_seconds: float = 120.0
    settle_seconds: float = 20.0
    confirmed_seconds: float = 300.0
    sends: int = 5


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about one job, and why.

    Attributes:
        action: what to do.
        phase: where the job stands.
        reason: in words, for a person; names neither the job nor DRS's code.
        is_fulfilled: the job is where it was asked to be.
    """

    action: Action
    phase: Phase
    reason: str
    is_fulfilled: bool = False


def decide(actual: JobStatus, memory: Memory, goal: Goal, patience: Patience, now: float) -> Decision:
    """What to do about a job that shall be started now. `now` is when its status was asked for, not when it was answered."""
    phase = phase_of(actual.status)
    if phase is Phase.STARTABLE:
        return _decide_startable(memory, goal, patience, now)
    if phase is Phase.SCHEDULED:
        return _decide_scheduled(memory, goal, patience, now)
    if phase is Phase.PENDING:
        return Decision(Action.WAIT, phase, "is still being created")
    if phase is Phase.STARTING:
        if goal is Goal.ACCEPTED:
            return Decision(Action.NOTHING, phase, "is starting", is_fulfilled=True)
        return Decision(Action.WAIT, phase, "is starting")
    if phase is Phase.RUNNING:
        return Decision(Action.NOTHING, phase, "is running", is_fulfilled=True)
    if phase is Phase.PAUSED:
        return Decision(Action.NOTHING, phase, "is paused; it stays so, because somebody meant it")
    if phase is Phase.FAILED:
        return Decision(Action.NOTHING, phase, "has failed after its start; DRS retries by itself")
    if phase is Phase.START_FAILED:
        return Decision(Action.FAIL, phase, _START_FAILED)
    if phase is Phase.ENDED:
        if memory.was_started or memory.accepted_at is not None:
            return Decision(Action.NOTHING, phase, "has run and is over", is_fulfilled=True)
        return Decision(
            Action.FAIL, phase, "is over, and DRS never starts a job twice: create a new one, or take it off the list"
        )
    if phase is Phase.DEAD:
        return Decision(Action.FAIL, phase, "could not be created: create a new one, or take it off the list")
    return Decision(Action.FAIL, phase, "is not known to DRS: check its id and the region and project, or take it off the list")


_START_FAILED = "failed to start: see the reason in the DRS console, mend it and restart the job there"


def _decide_startable(memory: Memory, goal: Goal, patience: Patience, now: float) -> Decision:
    phase = Phase.STARTABLE
    if memory.refusal is not None and memory.refusal.is_final:
        return Decision(Action.FAIL, phase, f"was refused by DRS ({memory.refusal})")
    if _is_accepted(memory, patience, now):
        # DRS shows an accepted start only after a while. That is not a reason to start it again.
        reason = "was accepted by DRS, which does not show it yet"
        if goal is Goal.ACCEPTED:
            return Decision(Action.NOTHING, phase, reason, is_fulfilled=True)
        return Decision(Action.WAIT, phase, reason)
    if now < _doubtful_until(memory, patience):
        return Decision(Action.WAIT, phase, "may be starting: the answer to our start was lost, or DRS was busy with the job")
    if now < memory.retry_at:
        return Decision(Action.WAIT, phase, "is to be started again in a moment")
    if memory.sends >= patience.sends:
        why = f" ({memory.refusal})" if memory.refusal else ""
        return Decision(Action.FAIL, phase, f"could not be started in {memory.sends} tries{why}: run pulumi up again")
    return Decision(Action.START, phase, "is not started")


def _is_accepted(memory: Memory, patience: Patience, now: float) -> bool:
    """Whether an acceptance explains a status that shows no start. That of this very operation always does."""
    if memory.accepted_at is None:
        return False
    return memory.accepted_now or now < memory.accepted_at + patience.lag_seconds


def _doubtful_until(memory: Memory, patience: Patience) -> float:
    """Until when a status that shows no start is not believed."""
    doubts = []
    if memory.lost_at is not None:
        doubts.append(memory.lost_at + patience.lost_seconds)
    if memory.refused_at is not None:
        settle_seconds = patience.settle_seconds * 2 ** max(0, memory.sends - 1)
        doubts.append(memory.refused_at + (settle_seconds if memory.lost_at is None else patience.confirmed_seconds))
    return max(doubts, default=float("-inf"))


def _decide_scheduled(memory: Memory, goal: Goal, patience: Patience, now: float) -> Decision:
    phase = Phase.SCHEDULED
    if memory.refusal is not None and memory.refusal.is_final:
        return Decision(Action.FAIL, phase, f"is scheduled for later, and DRS does not start it sooner ({memory.refusal})")
    if _is_accepted(memory, patience, now):
        reason = "was accepted by DRS and still reads as scheduled"
        if goal is Goal.ACCEPTED:
            return Decision(Action.NOTHING, phase, reason, is_fulfilled=True)
        return Decision(Action.WAIT, phase, reason)
    if now < max(memory.retry_at, _doubtful_until(memory, patience)):
        return Decision(Action.WAIT, phase, "is to be started again in a moment")
    if memory.sends >= patience.sends:
        return Decision(Action.FAIL, phase, f"is scheduled for later and could not be started in {memory.sends} tries")
    return Decision(Action.START, phase, "is scheduled for later, but shall start now")


@dataclass(frozen=True, slots=True)
class Plan:
    """What the next operation would do, decided without touching the network.

    Attributes:
        start: jobs it would start, in the order asked.
        wait: jobs it would wait for.
        nothing: jobs it would leave as they are, why.
        impossible: jobs that it could not start, why.
        decisions: the decision of every job.
    """

    start: tuple[str, ...] = ()
    wait: tuple[str, ...] = ()
    nothing: Mapping[str, str] = field(default_factory=dict)
    impossible: Mapping[str, str] = field(default_factory=dict)
    decisions: Mapping[str, Decision] = field(default_factory=dict)


def make_plan(
    desired: Iterable[DesiredJob],
    actual: Mapping[str, JobStatus],
    memories: Mapping[str, Memory],
    goal: Goal,
    now: float,
    patience: Patience | None = None,
) -> Plan:
    """Decide about every desired job.

    Args:
        desired: the jobs that shall be started.
        actual: what DRS says of each of them.
        memories: what is known from earlier operations; jobs may be absent.
        goal: when the operation may return.
        now: seconds since the epoch.
        patience: see there.
    """
    patience = patience or Patience()
    decisions = {
        job.job_id: decide(actual[job.job_id], memories.get(job.job_id, NOTHING_KNOWN), goal, patience, now) for job in desired
    }

    def having(action: Action) -> dict[str, str]:
        return {job_id: d.reason for job_id, d in decisions.items() if d.action is action}

    return Plan(
        start=tuple(having(Action.START)),
        wait=tuple(having(Action.WAIT)),
        nothing=having(Action.NOTHING),
        impossible=having(Action.FAIL),
        decisions=decisions,
    )
