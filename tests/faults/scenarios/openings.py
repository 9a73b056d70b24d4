"""
How some scenarios begin: a few steps that bring about a state to which chance alone would seldom come. What follows is chance's.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ..kinds import START, STOP
from ..schedule import LONG_REST_SECONDS, FaultSpec, Kill
from .scenario import Act, Job, Program, Resource, Step


@dataclass(frozen=True, slots=True)
class Opening:
    """The first steps of a scenario.

    Attributes:
        kinds: of the first jobs.
        steps: in their order.
        policy: what the sandbox must be like.
    """

    kinds: tuple[str, ...]
    steps: tuple[Step, ...]
    policy: dict[str, Any] = field(default_factory=dict)


def pause_and_back(_rng: random.Random) -> Opening:
    """A job is declared paused, and then not any more."""
    paused = _resource("r0", 0, 1, desired_state="paused")
    return Opening(("running", "fresh"), _up((paused,), (_resource("r0", 0, 1),)))


def gone_with_a_stop(_rng: random.Random) -> Opening:
    """A resource that stops its jobs is gone from the program."""
    gone, kept = _resource("r0", 0, on_destroy="stop"), _resource("r1", 1)
    return Opening(("running", "running"), _up((gone, kept), (kept,)))


def moved_to_a_dependent(_rng: random.Random) -> Opening:
    """A job moves to a resource that depends on its own, which would stop it."""
    before = _resource("r0", 0, 1, on_destroy="stop"), _resource("r1", 2, depends_on=("r0",))
    after = _resource("r0", 0, on_destroy="stop"), _resource("r1", 1, 2, depends_on=("r0",))
    return Opening(("running", "running", "fresh"), _up(before, after))


def cancelled_schedule(_rng: random.Random) -> Opening:
    """Others stop a job that waits for its time."""
    first, second = _up(*[(_resource("r0", 0, 1, start_time="never"),)] * 2)
    return Opening(("fresh", "fresh"), (first, replace(second, before=(Act("stop", 0),))))


def lost_and_killed(rng: random.Random) -> Opening:
    """The answer to a start is lost, its effect shows late, and the process is killed while it looks for it."""
    first, second = _up(*[(_resource("r0", 0, 1),)] * 2)
    lost = replace(first, faults=(FaultSpec("drop after", START),), kill=Kill("before", rng.choice((5, 6))))
    return Opening(("fresh", "fresh"), (lost, second), {"lag_seconds": 15})


def stopped_while_we_wait(_rng: random.Random) -> Opening:
    """Others stop a job while we wait for it to run."""
    (only,) = _up((_resource("r0", 0, 1),))
    return Opening(("slow", "fresh"), (replace(only, during=(Act("stop", 0, 7),)),))


def delete_refused(_rng: random.Random) -> Opening:
    """DRS does not stop the job of a resource that is to be deleted, and then it does."""
    gone, kept = _resource("r0", 0, on_destroy="stop", timeout="3m"), _resource("r1", 1)
    first, second, third = _up((gone, kept), (kept,), (kept,))
    return Opening(("running", "running"), (first, replace(second, faults=(FaultSpec("500", STOP, 100),)), third))


OPENINGS: tuple[Callable[[random.Random], Opening], ...] = (
    pause_and_back,
    gone_with_a_stop,
    moved_to_a_dependent,
    cancelled_schedule,
    lost_and_killed,
    stopped_while_we_wait,
    delete_refused,
)


def _up(*programs: Program) -> tuple[Step, ...]:
    """An ``up`` of each, with a rest before it."""
    return tuple(Step(program, rest_seconds=LONG_REST_SECONDS) for program in programs)


def _resource(name: str, *indexes: int, **more: Any) -> Resource:
    """A resource; what is said of jobs holds for the first one."""
    of_job = {key: more.pop(key) for key in ("desired_state", "start_time") if key in more}
    depends_on = more.pop("depends_on", ())
    first, *rest = indexes
    return Resource(name, (Job(first, **of_job), *map(Job, rest)), more, depends_on=depends_on)
