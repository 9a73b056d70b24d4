"""
What a program declares: the jobs of one resource, where they are and what they shall become.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ..settings import Overrides
from .record import Action, Request


class DesiredState(str, Enum):
    """What a job shall be: the values of the input ``desired_state``."""

    STARTED = "started"
    PAUSED = "paused"
    STOPPED = "stopped"


class Goal(str, Enum):
    """When an operation may return: the values of the input ``wait_for``."""

    RUNNING = "running"
    ACCEPTED = "accepted"
    SYNCED = "synced"


class OnFailure(str, Enum):
    """What a partial failure does to the command: the values of the input ``on_failure``."""

    FAIL = "fail"
    RECORD = "record"


class OnDestroy(str, Enum):
    """What becomes of the jobs of a deleted resource: the values of the input ``on_destroy``."""

    LEAVE = "leave"
    PAUSE = "pause"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class DesiredJob:
    """What is declared for one job.

    Attributes:
        start_time: when it shall start, in milliseconds since the epoch; None for now.
        resume: also resume it when it is paused or has failed.
        precheck: have DRS check it before it is started.
    """

    job_id: str
    start_time: int | None = None
    resume: bool = False
    precheck: bool = False
    state: DesiredState = DesiredState.STARTED

    def start_request(self, now: float) -> Request:
        """The request that starts it. A time that has passed means now; `now` is in seconds since the epoch."""
        if self.start_time is None or self.start_time / 1000 <= now:
            return Request(Action.START)
        return Request(Action.SCHEDULE, self.start_time)


@dataclass(frozen=True, slots=True)
class SyncGoal:
    """When a copy counts as caught up: no reading of its delay is above a limit for so long."""

    max_delay_seconds: float = 10.0
    stable_seconds: float = 60.0

    def covers(self, other: SyncGoal) -> bool:
        """Whether what has reached this goal has reached the other one too."""
        return self.max_delay_seconds <= other.max_delay_seconds and self.stable_seconds >= other.stable_seconds


@dataclass(frozen=True, slots=True)
class Place:
    """Where jobs live. Equal places have the same jobs, however a program spells them.

    Attributes:
        endpoint: scheme, host and port of DRS, in the one spelling of `plain_url`.
        project_id: the project's id, never its name.
    """

    endpoint: str
    project_id: str

    def __str__(self) -> str:
        return f"project {self.project_id} at {self.endpoint}"


@dataclass(frozen=True, slots=True)
class Declared:
    """The inputs of one resource, as far as they are known. An input that is not known has its default here.

    Attributes:
        jobs: every job of which all is known.
        listed: the id of every job whose id is known.
        count: how many jobs are declared; None if not even that is known.
        sync: when a copy counts as caught up.
        timeout_seconds: the time for a whole operation.
        overrides: the inputs that say where the jobs are.
        unknown: names of the inputs that are not known yet.
        unknown_states: ids of the jobs whose desired state is not known yet.
        has_unknowns: something is not known yet.
        inputs: all of it in its normal form, as the state keeps it. Equal ones declare the same.
    """

    jobs: tuple[DesiredJob, ...] = ()
    listed: tuple[str, ...] = ()
    count: int | None = 0
    goal: Goal = Goal.RUNNING
    sync: SyncGoal = field(default_factory=SyncGoal)
    timeout_seconds: float = 3600.0
    on_failure: OnFailure = OnFailure.FAIL
    on_destroy: OnDestroy = OnDestroy.LEAVE
    overrides: Overrides = field(default_factory=Overrides)
    unknown: frozenset[str] = frozenset()
    unknown_states: tuple[str, ...] = ()
    has_unknowns: bool = False
    inputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_place_known(self) -> bool:
        """Whether all inputs that say where the jobs are are known."""
        return self.unknown.isdisjoint(Overrides.__dataclass_fields__)

    @property
    def are_ids_known(self) -> bool:
        """Whether the id of every job is known."""
        return len(self.listed) == self.count

    @property
    def unknown_count(self) -> int | None:
        """How many jobs something is not known of; None if not even their number is known."""
        return None if self.count is None else self.count - len(self.jobs)

    def to_retire(self) -> list[DesiredJob]:
        """What the jobs shall become when the resource is deleted; nothing where they are left as they are."""
        state = {OnDestroy.PAUSE: DesiredState.PAUSED, OnDestroy.STOP: DesiredState.STOPPED}.get(self.on_destroy)
        return [] if state is None else [DesiredJob(job_id, state=state) for job_id in self.listed]
