"""
Scenarios that expose deliberately broken builds, at least one for each oracle of the judge. The package itself passes them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..schedule import FaultSpec
from .scenario import Act, Job, Resource, Scenario, Step

REST = 3600.0


def resource(*indexes: int, name: str = "a", depends_on: tuple[str, ...] = (), **inputs: Any) -> Resource:
    """A resource with these jobs."""
    return Resource(name, tuple(map(Job, indexes)), inputs, depends_on=depends_on)


def scenario(kinds: tuple[str, ...], *steps: Step, **fields: Any) -> Scenario:
    """These steps, and the last program once more, quietly."""
    return Scenario(0, kinds, (*steps, Step(steps[-1].program, rest_seconds=REST)), **fields)


def ups(*programs: Resource | tuple[Resource, ...], **last: Any) -> tuple[Step, ...]:
    """An up of each; `last` are fields of the last one."""
    steps = [Step(program if isinstance(program, tuple) else (program,)) for program in programs]
    return (*steps[:-1], replace(steps[-1], **last))


def being(what: str) -> Resource:
    """The first job declared to be that."""
    return Resource("a", (Job(0, what),))


FRESH, RUNNING = ("fresh", "fresh"), ("running", "running")
LOST_ANSWER = (FaultSpec("drop after", "batch-starting"),)
DENIED = (FaultSpec("denied", "batch-starting"),)
STOPPING, LEFT = resource(0, 1, on_destroy="stop"), resource(0, on_destroy="stop")
MOVED = (LEFT, resource(1, name="b", depends_on=("a",)))
RENAMED = resource(0, 1, name="b")

# build -> (a scenario that exposes it, what must be noticed)
CASES: dict[str, tuple[Scenario, set[str]]] = {
    "repeat_after_a_lost_answer": (
        scenario(FRESH, *ups(resource(0, 1), faults=LOST_ANSWER), open_lag_seconds=100),
        {"double", "needless"},
    ),
    "spare_nobody": (scenario(RUNNING, *ups(STOPPING, RENAMED)), {"unasked"}),
    "stop_what_leaves": (scenario(RUNNING, *ups(STOPPING, MOVED)), {"unasked"}),
    "act_at_a_refresh": (
        scenario(FRESH, *ups(resource(0, 1)), Step((resource(0, 1),), "refresh", before=(Act("back", 0),), rest_seconds=REST)),
        {"unasked"},
    ),
    "never_mind_the_time": (
        scenario(("fresh",), Step((Resource("a", (Job(0, start_time="never"),)),))),
        {"unasked"},
    ),
    "claim_what_runs": (scenario(RUNNING, *ups(resource(0, 1))), {"claim"}),
    "call_everything_ready": (scenario(("paused", "running"), *ups(resource(0, 1))), {"claim"}),
    "let_go_at_any_price": (
        scenario(("running", "start_failed"), *ups(STOPPING, resource(0, name="b"))),
        {"claim"},
    ),
    "forget_our_pauses": (scenario(("running",), *ups(resource(0), being("paused"), resource(0))), {"lost"}),
    "leave_what_is_added": (scenario(FRESH, *ups(resource(0), resource(0, 1))), {"claim"}),
    "hold_failures_against_them": (scenario(FRESH, *ups(resource(0, 1), faults=DENIED)), {"lost", "route"}),
    "look_again_and_again": (scenario(RUNNING, *ups(resource(0, 1))), {"needless"}),
    "log_the_token": (scenario(("fresh",), *ups(resource(0))), {"secret"}),
    "take_much_longer": (
        scenario(("fresh",), *ups(resource(0, timeout="1m"), resource(0, timeout="60m")), policy={"start_seconds": 2000}),
        {"late"},
    ),
    "trip_over_what_is_missing": (scenario(("missing", "fresh"), *ups(resource(0, 1))), {"crash"}),
}
