"""
What is known of a job beyond its status: what was requested of DRS for it, and what came of that.

Statuses are late, answers get lost, refusals pass. The record says how far each of these explains what DRS shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from ..drs.calls.models import Finding
from .phase import UNSTARTED_PHASES, Phase


class Action(str, Enum):
    """What to do about a job. Those before WAIT are requests to DRS."""

    START = "start"
    SCHEDULE = "schedule"
    RESUME = "resume"
    PRECHECK = "precheck"
    PAUSE = "pause"
    STOP = "stop"
    WAIT = "wait"
    NOTHING = "nothing"
    FAIL = "fail"

    @property
    def is_request(self) -> bool:
        """Something is requested of DRS."""
        return self not in (Action.WAIT, Action.NOTHING, Action.FAIL)

    @property
    def is_start(self) -> bool:
        """It starts a job, now or at a time."""
        return self in (Action.START, Action.SCHEDULE)

    @property
    def is_end(self) -> bool:
        """It ends a replication, for now or for good."""
        return self in (Action.PAUSE, Action.STOP)


@dataclass(frozen=True, slots=True)
class Request:
    """What DRS is asked for one job. SCHEDULE has a time, in milliseconds since the epoch."""

    action: Action = Action.START
    start_time: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request was not accepted.

    Attributes:
        code: DRS's code, or None where it gave none.
        text: DRS's words, or ours.
        is_final: asking again changes nothing.
        status: what the job was in, where that may be the reason.
    """

    code: str | None
    text: str
    is_final: bool
    status: str | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.text}" if self.code else self.text


@dataclass(frozen=True, slots=True)
class Precheck:
    """How the pre-check of a job stands.

    Attributes:
        precheck_id: DRS's id of it, where it gave one.
        is_done: it is over.
        has_passed: and nothing speaks against a start.
        failed: what does.
        alarms: what somebody should look at.
    """

    precheck_id: str | None = None
    is_done: bool = False
    has_passed: bool = False
    failed: Sequence[Finding] = ()
    alarms: Sequence[Finding] = ()


@dataclass(frozen=True, slots=True)
class GracePeriods:
    """How long a status that contradicts the record is put down to DRS being late.

    Attributes:
        lag_seconds: an accepted request of an earlier operation may not show for so long. Clients tested against the live
            service allow minutes; after a quarter of an hour DRS has lost it, and it is sent again. A scheduled job may
            start late by as much.
        lost_seconds: after a lost answer, a status that shows no effect is believed only after so long. Waiting costs just
            those requests that were lost and had no effect; sending too soon could start a job twice.
        settle_seconds: the same after a refusal that the status does not explain, and twice as long after each further one
            (a client tested against the live service waits 20 s before it reads again).
        confirmed_seconds: the same after a refusal that follows a lost answer: most likely DRS is at it already.
        resume_seconds: an accepted resume may show no effect for so long; after that the job has failed again.
        sends: requests sent for one job in one operation before giving up.
    """

    lag_seconds: float = 900.0
    lost_seconds: float = 120.0
    settle_seconds: float = 20.0
    confirmed_seconds: float = 300.0
    sends: int = 5
    resume_seconds: float = 300.0


USUAL_GRACE = GracePeriods()


@dataclass(frozen=True, slots=True)
class JobRecord:
    """What is known of a job beyond its status. Times are seconds since the epoch unless said otherwise.

    Attributes:
        request: the last request; the next eight are about it.
        accepted_at: when DRS accepted it.
        accepted_now: that was in this operation, not in an earlier one.
        lost_at: when it was sent, if its answer was lost.
        refused_at: when DRS refused it for a reason that the job's status may explain.
        refusal: why it was refused the last time, or how its answer was lost.
        sends: how many times this operation has sent it without its being accepted.
        retry_at: it is not sent again before.
        took_effect: since the acceptance the job was seen on its way.
        precheck: the pre-check of this operation.
        is_unfinished: the last operation ended while DRS was at it.
        was_started: the job was seen started, now or in an earlier operation.
        scheduled_for: when the job was to start as it was last seen scheduled; milliseconds since the epoch.
        ended_unstarted: the job was seen over without having been started.
        was_ended: DRS showed the job as over, or said that it was deleted.
        paused_here: the job is paused because this resource asked for it.
        stopped_here: the job is over, and this resource declared it stopped.
        is_synced: its copy was seen to have caught up with its source.
        ended_unsynced: the job was seen over, and its copy not complete.
    """

    accepted_at: float | None = None
    accepted_now: bool = False
    lost_at: float | None = None
    refused_at: float | None = None
    refusal: Refusal | None = None
    sends: int = 0
    retry_at: float = float("-inf")
    was_started: bool = False
    request: Request = Request()
    took_effect: bool = False
    precheck: Precheck | None = None
    is_unfinished: bool = False
    scheduled_for: int | None = None
    ended_unstarted: bool = False
    was_ended: bool = False
    paused_here: bool = False
    stopped_here: bool = False
    is_synced: bool = False
    ended_unsynced: bool = False

    def about(self, wanted: Request, declared_time: int | None = None) -> JobRecord:
        """The part of this record that still applies to the request `wanted`.

        Another request explains nothing, except that a start is a start: one that DRS accepted, or may have accepted, is not
        sent again because its time has come since, or because the declared time has changed. That is `declared_time`, in
        milliseconds since the epoch.
        """
        if self.request == wanted:
            return self
        may_show = self.accepted_at is not None or self.lost_at is not None
        bare = replace(
            self,
            **_NO_REQUEST,
            paused_here=self.paused_here or (may_show and self.request.action is Action.PAUSE),
            stopped_here=self.stopped_here or (may_show and self.request.action is Action.STOP),
        )
        if not (self.request.action.is_start and wanted.action.is_start):
            return bare
        still_holds = self.request.action is Action.START or self.request.start_time == declared_time
        return replace(
            bare,
            request=self.request,
            lost_at=self.lost_at,
            accepted_at=self.accepted_at if still_holds else None,
            accepted_now=self.accepted_now and still_holds,
        )

    def seen_in(self, phase: Phase) -> JobRecord:
        """This record, now that the job was seen in a phase: one that begins at its beginning has nothing copied yet."""
        return replace(self, is_synced=False) if self.is_synced and phase in UNSTARTED_PHASES else self

    def has_run(self, now: float) -> bool:
        """Whether a job that is over was started: it was seen started, or DRS accepted a start and its time has come."""
        if self.was_started or self.ended_unstarted:
            return self.was_started
        due = [] if self.scheduled_for is None else [self.scheduled_for]
        if self.request.action.is_start and self.accepted_at is not None:
            due.append(self.request.start_time or 0)
        return any(milliseconds / 1000 <= now for milliseconds in due)

    def doubtful_until(self, grace: GracePeriods) -> float:
        """Until when a status that shows no effect is not believed."""
        doubts = []
        if self.lost_at is not None:
            doubts.append(self.lost_at + grace.lost_seconds)
        if self.refused_at is not None:
            settle_seconds = grace.settle_seconds * 2 ** max(0, self.sends - 1)
            doubts.append(self.refused_at + (settle_seconds if self.lost_at is None else grace.confirmed_seconds))
        return max(doubts, default=float("-inf"))


NOTHING_KNOWN = JobRecord()

# What a record holds about the last request, when there was none; the other fields are about the job.
_NO_REQUEST: dict[str, Any] = {
    name: getattr(NOTHING_KNOWN, name)
    for name in ("request", "accepted_at", "accepted_now", "lost_at", "refused_at", "refusal", "sends", "retry_at", "took_effect")
}
