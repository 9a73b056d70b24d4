"""
What happens in a scenario, as plain data that survives the way to another process.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from ..schedule import FaultSpec, Kill

COMMANDS = ("up", "preview", "refresh", "destroy")
MISTAKES = ("password", "project", "endpoint", "region", "unknown id", "malformed time")
"""What the program or its settings may have wrong for one step."""
ACTS = ("start", "schedule", "pause", "resume", "stop", "delete", "back", "fail", "recreate")
"""What others do to a job. The first six are calls of the console, which DRS may refuse; ``back`` (to CONFIGURATION) and ``fail``
happen to a job that runs; ``recreate`` deletes it and makes one anew, with another id and the same name."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job on the list of a resource.

    Attributes:
        index: of the job in `Scenario.jobs`.
        desired_state: as the program gives it; None where it says nothing.
        start_time: ``past``, ``soon`` (two minutes after the scenario begins) or ``never`` (in 2100); None for now.
    """

    index: int
    desired_state: str | None = None
    start_time: str | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """A `JobBatchStart` of a program.

    Attributes:
        name: of the resource.
        jobs: on its list.
        inputs: the others, by Python's names: ``wait_for``, ``timeout``, ``on_failure``, ``on_destroy``, ``resume``.
        found: the list is what `find_jobs` finds under this name instead of `jobs`; see `Scenario.name_of`.
        is_elsewhere: it says that its jobs are in the account's other project, where none is.
        depends_on: names of resources before it.
        aliases: names that it had before.
        protect: and `retain_on_delete`: Pulumi's options of the same names.
    """

    name: str
    jobs: tuple[Job, ...]
    inputs: dict[str, Any] = field(default_factory=dict)
    found: str | None = None
    is_elsewhere: bool = False
    depends_on: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    protect: bool = False
    retain_on_delete: bool = False


Program = tuple[Resource, ...]


@dataclass(frozen=True, slots=True)
class Act:
    """Somebody else does something to a job.

    Attributes:
        what: one of `ACTS`.
        job: its index.
        call: while a command runs: just before its HTTP call of this number, from 1, is sent, or just after it is answered.
        moment: ``before`` or ``answered``.
    """

    what: str
    job: int
    call: int = 0
    moment: str = "before"


@dataclass(frozen=True, slots=True)
class Step:
    """One command on one stack, and what happens before and while it runs.

    Attributes:
        program: from this step on.
        command: one of `COMMANDS`.
        options: of the command line, of ``--refresh``, ``--preview-only``, ``--continue-on-error``.
        targets: the resources named with ``--target``; nothing is left out where there are none.
        replaces: the resources named with ``--replace``.
        mistake: one of `MISTAKES`, for this step alone.
        state: what becomes of the stack's state before: ``lost``, or ``then 3`` for the export made after step 3 (from 0), or
            ``copied`` where the stack `stack` gets a copy of the state of the other one.
        stack: which of two stacks, 0 or 1; both have the same program.
        rest_seconds: pass before, at once.
        before: what others do before it begins, after the rest.
        during: what others do while it runs.
        faults: on the wire.
        kill: when the command dies, or the user cancels it.
    """

    program: Program
    command: str = "up"
    options: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    mistake: str | None = None
    state: str | None = None
    stack: int = 0
    rest_seconds: float = 0.0
    before: tuple[Act, ...] = ()
    during: tuple[Act, ...] = ()
    faults: tuple[FaultSpec, ...] = ()
    kill: Kill | None = None

    @property
    def is_quiet(self) -> bool:
        """Nothing disturbs it."""
        return not (self.mistake or self.during or self.faults or self.kill)


@dataclass(frozen=True, slots=True)
class Scenario:
    """All of it. The last step is a quiet ``up`` of the whole program, with everything at rest before.

    Attributes:
        jobs: the kind of every job, of `..jobs.KINDS`.
        policy: of the sandbox.
        front: ``dynamic`` or ``native``.
        finds_host: see `..schedule.Schedule`.
        open_lag_seconds: see `..jobs.declare`.
        hurried: rare branches of the package are forced, see `command`: ``short patience``, ``shuffled threads`` and
            ``tiny pages``.
        features: the kinds of trouble that chance could pick for it, for the campaign's table.
    """

    seed: int
    jobs: tuple[str, ...]
    steps: tuple[Step, ...]
    policy: dict[str, Any] = field(default_factory=dict)
    front: str = "dynamic"
    finds_host: bool = True
    open_lag_seconds: float = 0.0
    hurried: tuple[str, ...] = ()
    features: tuple[str, ...] = ()

    def name_of(self, index: int) -> str:
        """DRS's name of a job; `find_jobs(name="left")` finds every other one, ``right`` the rest."""
        return f"{'right' if index % 2 else 'left'}-{index}"

    def to_json(self) -> str:
        """For the process that runs it."""
        return json.dumps(asdict(self))

    def describe(self) -> str:
        """For a person; only what differs from the default."""
        lines = [f"seed {self.seed}: {len(self.jobs)} jobs {dict(Counter(self.jobs))}"]
        plain, names = Scenario(0, (), ()), ("policy", "front", "finds_host", "open_lag_seconds", "hurried")
        lines += [f"  {name}: {getattr(self, name)}" for name in names if getattr(self, name) != getattr(plain, name)]
        for number, step in enumerate(self.steps):
            shown = _changed(step, Step(()), {"program"})
            lines.append(f"  step {number}: {step.command} {shown}")
            if not number or step.program != self.steps[number - 1].program:
                lines += [f"    {one.name}: {_changed(one, Resource('', ()), {'name'})}" for one in step.program]
        return "\n".join(lines)


def _changed(one: Any, plain: Any, left_out: set[str]) -> str:
    names = [name for name in type(one).__dataclass_fields__ if name not in left_out]
    return ", ".join(f"{name}={getattr(one, name)}" for name in names if getattr(one, name) != getattr(plain, name))


def from_json(text: str) -> Scenario:
    """The reverse of `Scenario.to_json`."""
    raw = json.loads(text)
    tuples = {name: tuple(raw[name]) for name in ("jobs", "hurried", "features")}
    return Scenario(**{**raw, **tuples, "steps": tuple(map(_read_step, raw["steps"]))})


def _read_step(raw: dict[str, Any]) -> Step:
    return Step(
        **{
            **raw,
            **{name: tuple(raw[name]) for name in ("options", "targets", "replaces")},
            **{name: tuple(Act(**act) for act in raw[name]) for name in ("before", "during")},
            "program": tuple(map(_read_resource, raw["program"])),
            "faults": tuple(FaultSpec(**fault) for fault in raw["faults"]),
            "kill": Kill(**raw["kill"]) if raw["kill"] else None,
        }
    )


def _read_resource(raw: dict[str, Any]) -> Resource:
    names = {name: tuple(raw[name]) for name in ("depends_on", "aliases")}
    return Resource(**{**raw, **names, "jobs": tuple(Job(**job) for job in raw["jobs"])})
