"""
Kinds of jobs: how the sandbox is told about each, and what must have become of it in the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from pulumi_drs_start.sandbox import make_job, make_job_id

NEVER = 1e9
"""Seconds after which nothing in a campaign looks any more."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job.

    Attributes:
        fields: of the sandbox's job.
        starts: how often it must have been started in the end.
        retries: how often it must have been resumed in the end.
        fails: the last ``up`` must say that it can't be started.
        is_beyond_help: no further ``up`` can do anything about it. Once recorded, that is no change to report.
        code: DRS's code that must be told, or None.
        weight: how common it is in schedules.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    starts: int = 0
    retries: int = 0
    fails: bool = False
    is_beyond_help: bool = False
    code: str | None = None
    weight: int = 2


FOLLOWING, COPIED = "INCRE_TRANSFER_STARTED", "FULL_TRANSFER_COMPLETE"

KINDS: dict[str, Kind] = {
    "fresh": Kind(starts=1, weight=60),
    "fresh_incremental": Kind({"task_type": "INCR_TRANS"}, starts=1, weight=8),
    "creating": Kind({"status": "CREATING", "then": [{"status": "CONFIGURATION", "after": 30}]}, starts=1, weight=4),
    "slow": Kind({"start_seconds": 90}, starts=1, weight=4),
    "fails_full": Kind({"fail_full": True, "full_seconds": 5}, starts=1),
    "refused_once": Kind({"refuse_start": {"code": "DRS.M00304", "times": 1}}, starts=1),
    "busy_twice": Kind({"refuse_start": {"code": "DRS.M01504", "times": 2}}, starts=1),
    "throttled_twice": Kind({"refuse_start": {"code": "DRS.M01503", "times": 2}}, starts=1),
    "faulty_once": Kind({"refuse_start": {"code": "DRS.M01501", "times": 1}}, starts=1),
    "running": Kind({"status": "INCRE_TRANSFER_STARTED"}, weight=10),
    "running_full": Kind({"status": "FULL_TRANSFER_STARTED"}),
    "upgrading": Kind({"status": "NODE_UPGRADE_START"}, weight=1),
    "starting": Kind({"status": "STARTJOBING"}),
    "paused": Kind({"status": "PAUSING"}),
    "failed": Kind({"status": "FULL_TRANSFER_FAILED"}),
    "start_failed": Kind({"status": "START_JOB_FAILED"}, fails=True, is_beyond_help=True),
    "fails_start": Kind({"fail_start": True}, starts=1, fails=True, is_beyond_help=True),
    "dead": Kind({"status": "CREATE_FAILED"}, fails=True, is_beyond_help=True),
    "ended": Kind({"status": "RELEASE_RESOURCE_COMPLETE"}, fails=True, is_beyond_help=True),
    "missing": Kind(fails=True, is_beyond_help=True),
    "refused": Kind({"refuse_start": "DRS.M00304"}, fails=True, code="DRS.M00304"),
    "refused_otherwise": Kind({"refuse_start": "DRS.M00302"}, fails=True, code="DRS.M00302"),
    "unchecked": Kind({"prechecked": False}, fails=True, code="DRS.M00304"),
    "scheduled": Kind({"status": "WAITING_FOR_START", "start_time": "4102444800000"}, fails=True, code="DRS.M00304", weight=1),
    # Of life ``synced``: copies that are near their source, catch up, flap, stall, are not told of, and one that is made once.
    "near": Kind({"status": FOLLOWING, "delay": {"seconds": 8}}, weight=0),
    "shrinks": Kind({"status": FOLLOWING, "delay": {"seconds": 80, "falls": 2}}, weight=0),
    "flaps": Kind({"status": FOLLOWING, "delay": {"flaps": 300, "flap_every": 40}}, weight=0),
    "stalls": Kind({"status": FOLLOWING, "delay": {"seconds": 340}}, weight=0),
    "silent": Kind({"status": FOLLOWING, "delay": {"silent": "minus_one"}}, weight=0),
    "copies_once": Kind(
        {"status": "FULL_TRANSFER_STARTED", "task_type": "FULL_TRANS", "then": [{"status": COPIED, "after": 60}]}, weight=0
    ),
    # These keep an operation until its timeout.
    "creating_stuck": Kind({"status": "CREATING"}, fails=True, weight=0),
}

SYNCED_KINDS = {
    "fresh": 8,
    "fresh_incremental": 4,
    "near": 6,
    "shrinks": 4,
    "flaps": 3,
    "stalls": 2,
    "silent": 2,
    "copies_once": 2,
    "running": 2,
    "paused": 1,
    "failed": 1,
    "fails_full": 1,
    "start_failed": 1,
    "missing": 1,
    "refused": 1,
}
"""Kinds that a schedule of life ``synced`` is made of, and how common each is."""

CALM_DELAY = {"seconds": 0, "falls": 0, "flaps": 0, "silent": None}
"""A copy that stays near its source."""

DISTURBANCES: dict[str, dict[str, Any]] = {
    "far": {"seconds": 200},
    "flaps": {"flaps": 300, "flap_every": 40},
    "silent": {"silent": "no_row"},
    "calm": CALM_DELAY,
}
"""What may become of a delay while an ``up`` waits."""

CALM = {"fails_start": "fresh", "fails_full": "fresh"}
"""Kinds that fail again whenever they are resumed, and what stands in for them where jobs are."""


def kind_of(name: str, life: str) -> Kind:
    """A kind, in a schedule of that life; see `schedule.Schedule`."""
    kind = KINDS[name]
    if life == "scheduled" and name in ("fails_start", "fails_full"):
        # Their time never comes.
        return replace(kind, fails=False, is_beyond_help=False)
    if life == "scheduled" and name == "scheduled":
        return replace(kind, fails=False, code=None)
    if life == "synced" and name in ("paused", "failed", "fails_full"):
        # Nobody waits for such a copy to catch up.
        return replace(kind, fails=True, is_beyond_help=True)
    if life == "resume" and name in ("paused", "failed", "start_failed"):
        return replace(kind, retries=1, fails=False, is_beyond_help=False)
    return kind


def kind_of_due(name: str, life: str, due: Due) -> Kind:
    """A kind in a schedule of that life, where the job may have been declared to be something else than started."""
    kind = kind_of(name, life)
    if due.rest is None:
        return kind
    code = "DRS.M00304" if due.rest is Rest.REFUSED else None
    return replace(kind, fails=due.rest.is_impossible, is_beyond_help=due.rest is Rest.UNDOABLE, code=code)


CAN_DRIFT = ("fresh", "fresh_incremental", "slow")
"""Kinds that a schedule may set back or pause between two ups."""

NOT_STARTED = ("CREATING", "CONFIGURATION", "WAITING_FOR_START", "START_JOB_FAILED")


def job_ids(kinds: tuple[str, ...]) -> list[str]:
    """An id for each job of a schedule; unknown jobs have one too."""
    return [make_job_id(f"{kind} {index}") for index, kind in enumerate(kinds)]


def declare(kinds: tuple[str, ...], open_lag_seconds: float) -> list[dict[str, Any]]:
    """The jobs for the sandbox.

    Args:
        kinds: of the jobs.
        open_lag_seconds: after a start fresh jobs read CONFIGURATION for so long, and a second start would be accepted:
            that shows a start too many as a double one, which the sandbox otherwise refuses as DRS is believed to.
    """
    declared = []
    for job_id, kind in zip(job_ids(kinds), kinds, strict=True):
        fields = dict(KINDS[kind].fields)
        if open_lag_seconds and kind == "fresh":
            fields["path"] = [
                {"status": "CONFIGURATION"},
                {"status": "STARTJOBING", "after": open_lag_seconds},
                {"status": "FULL_TRANSFER_STARTED", "after": 2},
            ]
            fields |= {"lag_seconds": 0, "lag_looks": 0}
        if kind != "missing":
            declared.append(make_job(job_id, **fields))
    return declared


RUNNING = ("FULL_TRANSFER_STARTED", "FULL_TRANSFER_COMPLETE", "INCRE_TRANSFER_STARTED")
PAUSED = "PAUSING"
FAILED = ("FULL_TRANSFER_FAILED", "INCRE_TRANSFER_FAILED")
STARTING = "STARTJOBING"
ENDED = ("RELEASE_RESOURCE_STARTED", "RELEASE_RESOURCE_COMPLETE", "DELETED", "CREATE_FAILED")
"""Over, or never there: neither paused nor stopped any more."""


class Rest(Enum):
    """How a job that shall be paused or stopped comes to rest."""

    ASKED = "DRS is asked for it once"
    AT_REST = "it is at rest already"
    REFUSED = "DRS refuses it"
    UNDOABLE = "it can't even be asked for"

    @property
    def is_impossible(self) -> bool:
        """It stays as it is, and that is a failure of the job."""
        return self in (Rest.REFUSED, Rest.UNDOABLE)


def coming_to_rest(shall_be: str, status: str | None) -> Rest:
    """What becomes of a job that shall be ``paused`` or ``stopped``.

    Args:
        shall_be: one of the two.
        status: that DRS shows; None for a job that it does not know.
    """
    if status is None or (shall_be == "paused" and status == "WAITING_FOR_START"):
        return Rest.UNDOABLE
    if status in ENDED:
        return Rest.AT_REST
    if shall_be == "stopped":
        return Rest.REFUSED if status == "START_JOB_FAILED" else Rest.ASKED
    if status in (*NOT_STARTED, PAUSED):
        return Rest.AT_REST
    return Rest.ASKED if status in (*RUNNING, *FAILED, STARTING) else Rest.REFUSED


def rests(shall_be: str, status: str | None) -> bool:
    """Whether a job is where a pause or a stop would have brought it."""
    return status is not None and coming_to_rest(shall_be, status) is Rest.AT_REST


@dataclass(slots=True)
class Due:
    """What must have become of a job in the end.

    Attributes:
        starts: how often it must have been started; the next three likewise.
        retries: resumed.
        pauses: paused.
        stops: stopped.
        may_be_resumed: once more is as right: nobody can know whose pause it was.
        shall_be: what it is declared to be: ``started``, ``paused``, ``stopped``; or ``gone`` from its list.
        rest: how a job that shall be paused or stopped comes to that.
    """

    starts: int
    retries: int
    pauses: int = 0
    stops: int = 0
    may_be_resumed: bool = False
    shall_be: str = "started"
    rest: Rest | None = None
