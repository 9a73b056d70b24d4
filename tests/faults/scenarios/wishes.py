"""
What a program wishes of each job, and what must come of it: a second opinion on the rules, made from the words of the
documentation alone. Nothing of the package's own decisions is used here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .history import Bag, Facts

PHASES = {
    "CREATING": "pending",
    "CONFIGURATION": "startable",
    "WAITING_FOR_START": "scheduled",
    "STARTJOBING": "starting",
    "START_JOB_FAILED": "start_failed",
    "PAUSING": "paused",
    "PAUSEING": "paused",
    "FULL_TRANSFER_FAILED": "failed",
    "INCRE_TRANSFER_FAILED": "failed",
    "CHANGE_JOB_FAILED": "failed",
    "RELEASE_RESOURCE_STARTED": "ended",
    "RELEASE_RESOURCE_COMPLETE": "ended",
    "RELEASE_RESOURCE_FAILED": "ended",
    "DELETED": "ended",
    "CREATE_FAILED": "dead",
    "MISSING": "missing",
}
STARTED = frozenset({"starting", "running", "paused", "failed"})
"""Phases of jobs that were started."""
UNSTARTED = frozenset({"pending", "startable", "start_failed"})
"""Phases of jobs that do not run, and will not by themselves."""
LEFT_ALONE = frozenset({"start_failed", "ended", "dead", "missing"})
"""Phases that no further try changes."""

_UNITS = {"s": 1, "m": 60, "h": 3600}
SHORT_SECONDS = 300.0
"""With less time than that it is left to chance what is reached."""


def phase_of(status: str) -> str:
    """What a status means; one that nobody knows is that of a running job."""
    return PHASES.get(status, "running")


def seconds_of(duration: Any) -> float:
    """``90s``, ``30m``, ``2h``; also as numbers, and in parts like ``1h30m``."""
    if isinstance(duration, (int, float)):
        return float(duration)
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)([smh])", str(duration or "60m")))


def milliseconds_of(time: Any) -> int | None:
    """A start time as a program may give it; None for now, and for one that is malformed."""
    if time in (None, ""):
        return None
    if isinstance(time, (int, float)) or str(time).isdigit():
        return int(time)
    try:
        return int(datetime.fromisoformat(str(time).replace("Z", "+00:00")).timestamp() * 1000)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Wish:
    """What one resource wishes of one job. `place` is the project that the resource names; None for the usual one."""

    job_id: str
    resource: str
    shall_be: str = "started"
    start_time: int | None = None
    resume: bool = False
    wait_for: str = "running"
    place: str | None = None
    on_failure: str = "fail"
    seconds: float = 3600.0

    def is_future(self, now: float) -> bool:
        """Its time has not come."""
        return self.start_time is not None and self.start_time / 1000 > now


def wishes_in(resource: str, bag: Bag) -> list[Wish]:
    """The wishes of one resource, from its inputs or its outputs."""
    found = []
    for job in bag.get("jobs") or ():
        own: Mapping[str, Any] = {"job_id": job} if isinstance(job, str) else job
        wish = Wish(
            str(own["job_id"]),
            resource,
            own.get("desired_state") or "started",
            milliseconds_of(own.get("start_time") or bag.get("start_time")),
            bool(bag.get("resume")),
            bag.get("wait_for") or "running",
            bag.get("project_id"),
            bag.get("on_failure") or "fail",
            seconds_of(bag.get("timeout")),
        )
        found.append(wish)
    return found


def wishes_of(declared: Mapping[str, Bag]) -> list[Wish]:
    """All wishes of a program."""
    return [wish for resource, bag in declared.items() for wish in wishes_in(resource, bag)]


def jobs_in(*bags: Bag) -> set[str]:
    """The ids of jobs on lists."""
    return {wish.job_id for bag in bags for wish in wishes_in("", bag)}


def agreed(wishes: Iterable[Wish]) -> dict[str, list[Wish]]:
    """Job -> its wishes, without the jobs of which two resources wish different things."""
    by_job: dict[str, list[Wish]] = {}
    for wish in wishes:
        by_job.setdefault(wish.job_id, []).append(wish)
    return {
        job_id: own
        for job_id, own in by_job.items()
        if len({(wish.shall_be, wish.start_time, wish.resume, wish.place) for wish in own}) == 1
    }


@dataclass(frozen=True, slots=True)
class Due:
    """What an undisturbed ``up`` must come to for a job.

    Attributes:
        ends: the phases in which the job may be then, in truth.
        asks: what DRS must be asked, once: ``start``, ``resume``, ``pause``, ``stop``; None for nothing.
        fails: the job is a failure; None where that is left to what the resource has seen, or to chance.
    """

    ends: frozenset[str]
    asks: str | None = None
    fails: bool | None = False


_RUNS = frozenset({"starting", "running", "failed", "ended"})
_PAUSABLE = frozenset({"starting", "running", "failed"})


def due(wish: Wish, facts: Facts, policy: Mapping[str, Any], now: float, *, is_pause_ours: bool | None) -> Due:
    """The table of section 2 of the design: what a status means for a wish.

    Args:
        wish: of the job.
        facts: as they are before.
        policy: of the sandbox.
        now: in sandbox seconds.
        is_pause_ours: the resource knows that the job's pause is its own; None where it may know.
    """
    job = facts.get(wish.job_id)
    if job is None or wish.place is not None:
        # What becomes of it where it really is is not the concern of who looks for it elsewhere.
        return Due(frozenset({"missing", *PHASES.values(), "running"}), fails=True if wish.shall_be == "started" else None)
    phase = phase_of(job["status"])
    if phase == "pending" and "CONFIGURATION" in job.get("next", ()):
        # It is waited for where it is to be started, and stopped as it is.
        phase = "startable" if wish.shall_be == "started" else phase
    expected = _DUE[wish.shall_be](wish, phase, job, policy, now, is_pause_ours)
    if wish.wait_for == "synced" and wish.shall_be == "started":
        expected = Due(expected.ends, expected.asks, expected.fails or None)
    return expected


def _due_started(
    wish: Wish, phase: str, job: Mapping[str, Any], policy: Mapping[str, Any], now: float, is_pause_ours: bool | None
) -> Due:
    if phase == "startable":
        return Due(_RUNS) if job.get("is_busy") else _due_start(wish, job, now)
    if phase == "scheduled":
        at_its_time = int(job.get("start_time") or 0) == wish.start_time and wish.is_future(now)
        if at_its_time:
            return Due(frozenset({"scheduled"}))
        if policy.get("reschedule", "refuse") == "refuse":
            return Due(frozenset({"scheduled"}), fails=True)
        return _due_start(wish, job, now)
    if phase == "paused":
        if wish.resume or is_pause_ours:
            return Due(_RUNS, "resume", None if job.get("fail_full") else False)
        return Due(_RUNS | {"paused"}, fails=None) if is_pause_ours is None else Due(frozenset({"paused"}))
    if phase == "failed":
        return Due(_RUNS, "resume", None) if wish.resume else Due(_RUNS)
    if phase == "start_failed":
        if not wish.resume:
            return Due(frozenset({phase}), fails=True)
        is_refused = policy.get("retry_start_failed", "accept") == "refuse"
        return Due(frozenset({phase}), fails=True) if is_refused else Due(_RUNS | {phase}, "resume", None)
    if phase == "ended":
        # Whether it was ever seen running is the resource's to know.
        return Due(frozenset({phase}), fails=None)
    return Due(_RUNS) if phase in STARTED | {"running"} else Due(frozenset({phase}), fails=True)


def _due_start(wish: Wish, job: Mapping[str, Any], now: float) -> Due:
    refusal = job.get("refuse_start") or {}
    if job.get("prechecked") is False or (refusal and refusal.get("times") is None):
        return Due(frozenset({"startable", "scheduled"}), fails=True)
    if wish.is_future(now):
        return Due(frozenset({"scheduled", "startable"}), "start")
    failure = job.get("fail_start") or {}
    if failure and failure.get("times") != 0:
        return Due(_RUNS | {"start_failed"}, "start", None if wish.resume or wish.wait_for == "accepted" else True)
    return Due(_RUNS | ({"startable"} if wish.wait_for == "accepted" else set()), "start")


def _due_paused(
    _wish: Wish, phase: str, _job: Mapping[str, Any], _policy: Mapping[str, Any], _now: float, _is_pause_ours: bool | None
) -> Due:
    if phase in _PAUSABLE:
        # What fails, or ends, before it can be paused is at rest too.
        return Due(frozenset({"paused", "start_failed", "ended"}), "pause", None if phase == "starting" else False)
    return Due(frozenset({phase}), fails=phase == "scheduled")


def _due_stopped(
    _wish: Wish, phase: str, job: Mapping[str, Any], _policy: Mapping[str, Any], _now: float, _is_pause_ours: bool | None
) -> Due:
    if phase == "start_failed" or job["status"] == "RELEASE_RESOURCE_FAILED":
        return Due(frozenset({phase}), fails=True)
    if phase in ("ended", "dead"):
        return Due(frozenset({phase}))
    return Due(frozenset({"ended"}), "stop", None if phase in ("pending", "starting") else False)


_DUE = {"started": _due_started, "paused": _due_paused, "stopped": _due_stopped}


def is_where_it_should_be(wish: Wish, status: str, *, has_run: bool, is_accepted: bool, is_time_right: bool) -> bool:
    """Whether a job of which DRS shows this status is what was wished for.

    Args:
        wish: of the job.
        status: of the job.
        has_run: it was started at some time.
        is_accepted: DRS has accepted a start of it.
        is_time_right: it is scheduled for the time that was wished for.
    """
    phase = phase_of(status)
    if wish.shall_be == "stopped":
        return phase in ("ended", "dead")
    if wish.shall_be == "paused":
        return phase == "paused" or phase in UNSTARTED | {"ended", "dead"}
    if phase == "startable" or phase == "starting":
        return is_accepted and (wish.wait_for == "accepted" or wish.start_time is not None or phase == "starting")
    if phase == "scheduled":
        return is_time_right
    return phase == "running" or (phase == "ended" and has_run)


def rests(on_destroy: str, status: str | None) -> bool:
    """Whether a job is where the deletion of its resource was to bring it. A job that DRS does not know (None) is over."""
    phase = "ended" if status is None else phase_of(status)
    if on_destroy == "stop":
        return phase in ("ended", "dead")
    return phase in UNSTARTED | {"paused", "ended", "dead"}
