"""
What was seen of a scenario: one `Done` per step, with all that the judge needs. Bags have Python's names, whichever the front.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .scenario import Scenario, Step

Bag = Mapping[str, Any]

OLD = " (old)"
"""The end of the key of a resource that was replaced, and is not deleted yet."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A resource as the state of a stack has it.

    Attributes:
        inputs: as they were last saved.
        outputs: of the last operation that was saved.
        is_failed: its last operation failed in part, so that the next ``up`` updates it in any case.
        is_pending: it was replaced, and its delete did not come to its end.
    """

    id: str
    inputs: Bag
    outputs: Bag
    is_failed: bool = False
    protect: bool = False
    retain_on_delete: bool = False
    depends_on: tuple[str, ...] = ()
    is_pending: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """What the engine asked the package about one resource, and what came of it.

    Attributes:
        resource: its name.
        what: ``check``, ``read``, ``create``, ``update``, ``delete``. Of a resource that is replaced there is a ``create`` and
            later a ``delete``. A resource at rest has a ``check`` alone.
        failure: what the user is told; None if it went well.
        outputs: as they were saved; None where nothing was saved.
        crash: the traceback of an error that no front may show.
    """

    resource: str
    what: str
    failure: str | None = None
    outputs: Bag | None = None
    crash: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call as the sandbox has logged it.

    Attributes:
        operation: ``batch-starting``, ``batch-status``, ``tokens`` …
        jobs: that it names.
        done: those of them for which it took effect.
        start_times: job id -> the time that a start names, in ms.
        status: of the answer.
        fault: that was carried out with it.
        is_ours: it came from the package, not from the console.
        at: the sandbox's time in seconds.
    """

    operation: str
    project_id: str | None
    jobs: tuple[str, ...]
    done: tuple[str, ...]
    start_times: Mapping[str, str]
    status: int | None
    fault: str | None
    is_ours: bool
    at: float


Facts = Mapping[str, Mapping[str, Any]]
"""What the sandbox knows of each job, see `SandboxAdmin.jobs`. ``history`` lists its statuses as [sandbox seconds, status]."""


@dataclass(slots=True)
class Done:
    """A step that was made.

    Attributes:
        declared: resource -> the inputs that the program gave it, with the ids of its jobs.
        ended: ``ok``, ``failed`` (the command's exit code says so), ``killed``, ``hung``, ``crashed``.
        operations: in the order of their ends. A killed process leaves out what it did not get to.
        before: and `after`: the stack's state, resource -> `Saved`. A replaced one that is not deleted yet has the key
            ``name (old)``, see `OLD`.
        facts_before: and `facts_after`: of the jobs, after what others did before the command, and when it had ended.
        facts_deleted: of the jobs that others deleted while it ran, just before.
        calls: that came in meanwhile.
        changes: of a preview or an up, the resources that are to be created, updated, replaced or deleted.
        needless: notes of `..wire` on calls that were needless.
        began: and `ended_at`: in sandbox seconds.
        texts: everything that the command printed, logged and stored, each with a name.
        tokens: that were used.
        faults: how many happened on the wire.
        acted: what others really came to do while it ran, (one of `scenario.ACTS`, index of the job).
    """

    step: Step
    declared: Mapping[str, Bag] = field(default_factory=dict)
    ended: str = "ok"
    operations: list[Operation] = field(default_factory=list)
    before: Mapping[str, Saved] = field(default_factory=dict)
    after: Mapping[str, Saved] = field(default_factory=dict)
    facts_before: Facts = field(default_factory=dict)
    facts_after: Facts = field(default_factory=dict)
    facts_deleted: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    changes: set[str] = field(default_factory=set)
    needless: list[Mapping[str, str]] = field(default_factory=list)
    began: float = 0.0
    ended_at: float = 0.0
    texts: dict[str, str] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    faults: int = 0
    acted: list[tuple[str, int]] = field(default_factory=list)


@dataclass(slots=True)
class History:
    """A scenario that was run.

    Attributes:
        steps: all of them, in their order.
        again: a further, quiet ``up`` after the last step, which must find nothing to do.
        preview: a preview after that.
        fresh: the last program, brought up quietly by a new stack, on jobs that are as they were before the last step.
    """

    scenario: Scenario
    steps: list[Done]
    again: Done
    preview: Done
    fresh: Done
