"""
Scenarios that show what Pulumi's engine does: each case of `real` that the modelled engine has to get right.
"""

from __future__ import annotations

from typing import Any

from ..schedule import FaultSpec, Kill
from .scenario import Act, Job, Program, Resource, Scenario, Step

KINDS = ("fresh", "fresh", "fresh", "refused", "fresh", "creating_stuck")
REFUSED, STUCK = 3, 5


def _resource(name: str, *indices: int, **given: Any) -> Resource:
    """A resource with these jobs; what is no field of it is an input."""
    inputs = {key: given.pop(key) for key in list(given) if key not in Resource.__dataclass_fields__}
    return Resource(name, tuple(map(Job, indices)), inputs, **given)


def _then(*steps: Step) -> tuple[Step, ...]:
    return steps


def _step(*program: Resource, **given: Any) -> Step:
    return Step(program, **given)


def _chain(*more: Resource) -> Program:
    """``a``, ``b`` that depends on it, and so on."""
    return (_resource("a", 0, on_destroy="stop"), _resource("b", 1, on_destroy="pause", depends_on=("a",)), *more)


_A = _resource("a", 0, on_destroy="stop")
_C = _resource("c", 2, on_destroy="stop", depends_on=("b",))
_GOES_ON = ("--continue-on-error",)
_ALL_REFUSED = (FaultSpec("drop before", "batch-status", times=1000),)

CASES: dict[str, tuple[Step, ...]] = {
    "created, updated, deleted": _then(
        Step(_chain()), _step(_resource("a", 0, 2, on_destroy="pause"), _chain()[1]), _step(_chain()[0]), _step()
    ),
    "destroyed in the order of dependencies": _then(Step(_chain(_C)), Step(_chain(_C), command="destroy")),
    "jobs moved": _then(
        _step(_resource("a", 0, 1, on_destroy="stop"), _resource("b", 2, on_destroy="stop", depends_on=("a",))),
        _step(_A, _resource("b", 1, 2, on_destroy="stop", depends_on=("a",))),
        _step(_resource("b", 0, 1, 2, on_destroy="stop")),
    ),
    "renamed with an alias": _then(
        Step(_chain()),
        _step(_resource("n", 0, on_destroy="stop", aliases=("a",)), _resource("b", 1, depends_on=("n",))),
        _step(_resource("n", 0, on_destroy="stop")),
    ),
    "renamed without an alias": _then(_step(_A), _step(_resource("n", 0, on_destroy="stop"))),
    "protected": _then(
        _step(_A, _resource("p", 1, protect=True, depends_on=("a",)), _resource("q", 2, on_destroy="pause", depends_on=("p",))),
        _step(),
        _step(_A, _resource("p", 1, protect=True, depends_on=("a",)), replaces=("p",)),
        _step(_A, _resource("p", 1, protect=True, depends_on=("a",)), command="destroy"),
        _step(_A, _resource("p", 1, depends_on=("a",))),
        _step(),
    ),
    "retained": _then(
        _step(_resource("a", 0, on_destroy="stop", retain_on_delete=True)),
        _step(_resource("a", 0, on_destroy="stop", retain_on_delete=True), replaces=("a",)),
        _step(),
    ),
    "options alone": _then(
        _step(_resource("a", 0), _resource("b", 1, depends_on=("a",))),
        _step(_resource("a", 0, protect=True), _resource("b", 1)),
        _step(_resource("b", 1, retain_on_delete=True), _resource("a", 0, depends_on=("b",))),
    ),
    "replaced": _then(Step(_chain()), Step(_chain(), replaces=("a",))),
    "replaced, which fails in part": _then(
        _step(_A), _step(_resource("a", 0, REFUSED, timeout="60s", on_destroy="stop"), replaces=("a",)), _step(_A)
    ),
    "replaced, and killed before the old one is deleted": _then(
        Step(_chain()),
        _step(_A, _resource("b", 1, 2, depends_on=("a",)), replaces=("a",), kill=Kill("unsaved", 0)),
        _step(_A, _resource("b", 1, 2, depends_on=("a",))),
    ),
    "moved to another place": _then(
        _step(_resource("a", 0, on_destroy="pause"), _resource("b", 1, depends_on=("a",))),
        _step(
            _resource("a", 0, on_destroy="pause", on_failure="record", is_elsewhere=True), _resource("b", 1, depends_on=("a",))
        ),
        _step(_resource("a", 0, on_destroy="pause")),
    ),
    "targets": _then(
        Step(_chain()),
        _step(_resource("a", 0, 2, on_destroy="stop"), _resource("b", 1, 4, depends_on=("a",)), targets=("a",)),
        _step(_resource("b", 1), targets=("a",)),
        Step(_chain(), command="destroy", targets=("b",)),
        _step(targets=("a",)),
    ),
    "a target that depends on what is not there": _then(
        _step(_A),
        _step(_A, _resource("m", 1, depends_on=("a",)), _resource("n", 2, depends_on=("m",)), targets=("n",)),
        Step(_chain()),
        Step(_chain(), command="destroy", targets=("a",)),
    ),
    "a failure, and what depends on it": _then(
        _step(_resource("z", 4, on_destroy="stop")),
        _step(_resource("x", REFUSED, timeout="60s"), _resource("b", 1, depends_on=("x",))),
        _step(_resource("x", 0), _resource("b", 1, depends_on=("x",))),
    ),
    "going on after a failure": _then(
        _step(_A, _resource("b", 1, depends_on=("a",)), _resource("z", 4, depends_on=("b",))),
        _step(
            _resource("a", 0, REFUSED, timeout="60s"),
            _resource("b", 1, 2, depends_on=("a",)),
            options=_GOES_ON,
        ),
        _step(_A, _resource("b", 1, 2, depends_on=("a",))),
    ),
    "going on after a failure of what depended on what is gone": _then(
        Step(_chain()),
        _step(_resource("b", 1, REFUSED, timeout="60s"), options=_GOES_ON),
        _step(_resource("b", 1)),
    ),
    "a malformed input, going on": _then(
        Step(_chain()), _step(_resource("a", 0), _resource("c", 2, depends_on=("a",)), mistake="malformed time", options=_GOES_ON)
    ),
    "a delete that fails": _then(Step(_chain()), _step(faults=(FaultSpec("500", "batch-pause-task", times=100),)), _step()),
    "refreshed": _then(
        Step(_chain()),
        Step(_chain(), command="refresh", options=("--preview-only",), before=(Act("pause", 0),)),
        Step(_chain(), command="refresh", targets=("a",)),
        Step(_chain(), options=("--refresh",), before=(Act("resume", 0),)),
    ),
    "a refresh that fails": _then(
        _step(_A),
        _step(_A, command="refresh", faults=_ALL_REFUSED),
        _step(_A, options=("--refresh",), faults=_ALL_REFUSED),
        _step(_A),
    ),
    "a wrong password": _then(_step(_A), _step(_resource("a", 0, 1), mistake="password"), _step(_resource("a", 0, 1))),
    "states that go back in time": _then(
        _step(_A),
        _step(_resource("a", 0, 1, on_destroy="stop")),
        _step(_resource("a", 0, 1, on_destroy="stop"), state="lost"),
        _step(_A, state="then 0"),
        _step(_A, state="copied", stack=1),
        _step(stack=1),
    ),
    "killed before a start is sent": _then(_step(_A, kill=Kill("before", 4)), _step(_A)),
    "killed when a start is sent": _then(_step(_A, kill=Kill("sent", 4)), _step(_A)),
    "killed when a start is answered": _then(_step(_A, kill=Kill("answered", 4)), _step(_A)),
    "killed before it is saved": _then(_step(_A, kill=Kill("unsaved", 0)), _step(_A)),
    "killed while it deletes": _then(_step(_A), _step(kill=Kill("answered", 3)), _step()),
    "cancelled": _then(_step(_resource("a", STUCK, timeout="9000h"), kill=Kill("cancelled", 2500)), _step(_A)),
    "others act": _then(
        _step(_A, during=(Act("start", 0, 4),)),
        _step(_resource("a", 0, 1, on_destroy="stop"), during=(Act("pause", 0, 3, "answered"),)),
        _step(_resource("a", 0, 1, on_destroy="stop")),
    ),
    "lists that are found": _then(
        _step(Resource("a", (), found="left")), _step(Resource("a", (), found="left"), before=(Act("delete", 4),))
    ),
}

QUICK = ("jobs moved", "going on after a failure")
"""Some that are tried at every turn."""


NOT_MODELLED = {("cancelled", "dynamic")}
"""Cases and fronts that the modelled engine does not know."""


def scenario_of(name: str, front: str) -> Scenario:
    """A case, of a front."""
    return Scenario(0, KINDS, CASES[name], front=front)
