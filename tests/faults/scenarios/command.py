"""
What runs in the process of one command of a scenario: the part of Pulumi's engine that decides what is asked of a resource.

As the engine does, it looks at one resource after the other in the order in which the program comes to declare them, acts on
several at a time, and deletes what is gone from the program when the rest is done. What a state becomes is reported at once, line
by line, so that a kill later in the process does not take it back.
"""

from __future__ import annotations

import os
import random
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from pulumi_drs_start.drs.calls import client, listing
from pulumi_drs_start.operations.asking import Asker, AskingError
from pulumi_drs_start.provider import JobBatchStartProvider
from pulumi_drs_start.reconcile.record import USUAL_GRACE
from pulumi_drs_start.resource import _found
from pulumi_drs_start.sandbox import Account, SandboxAdmin
from pulumi_drs_start.schema.fields import FOUND

from .. import broken, clock, hosting, jobs, wire
from ..forking import Note
from ..front import NEW, FailedError, Front, State
from ..plugin import Plugged, Plugin
from ..program import AT_ONCE, HEEDED_SECONDS, knowledge_of, settings_of
from ..schedule import CANCELS
from .console import Console
from .history import OLD
from .scenario import Act, Resource, Scenario, Step

SHORT_PATIENCE = {"lost_seconds": 20.0, "settle_seconds": 2.0, "confirmed_seconds": 20.0}
TINY_PAGE_ROWS = 2
MOST_SHUFFLED_SECONDS = 0.004


@dataclass(frozen=True, slots=True)
class Task:
    """A command, for its process.

    Attributes:
        stack: its name.
        scenario: that it is part of.
        step: the command.
        declared: resource -> its inputs, without a list that is to be found.
        state: key -> what the stack's state has; see `Saved`.
        settings: what the program is configured with, by the keys of `operations.Lifecycle`'s configuration.
        sandbox: its URL.
        is_alone: no other stack has the same jobs.
        build: which of `broken.BUILDS` to be, or None for the package as it is.
    """

    stack: str
    scenario: Scenario
    step: Step
    declared: Mapping[str, Mapping[str, Any]]
    state: Mapping[str, Mapping[str, Any]]
    settings: Mapping[str, str]
    sandbox: str
    is_alone: bool
    build: str | None = None


def run_task(task: Task, note: Note) -> None:
    """Run a command in this process, which is its own; `note` takes everything that is known."""
    watch = Watch(task.scenario, task.step, task.sandbox, note)
    wire.watch_with(watch)
    if task.build is not None:
        broken.BUILDS[task.build]()
    hurry(task.scenario)
    hosting.is_the_command(*_words(task.step))
    is_native = task.scenario.front == "native"
    try:
        engine = (_NativeEngine if is_native else _DynamicEngine)(task, watch, note)
    except FailedError as exc:
        # Wrong settings of the plugin end the command before it has come to a resource.
        note({"operation": {"resource": "", "what": "check", "failure": str(exc), "outputs": None, "crash": None}})
        note({"ended": "failed"})
        return
    note({"ended": "ok" if engine.run() else "failed"})
    engine.close()


def _words(step: Step) -> list[str]:
    """The command line."""
    named = [f"{option}={name}" for option, names in (("--target", step.targets), ("--replace", step.replaces)) for name in names]
    return ["pulumi", step.command, *step.options, *named]


def hurry(scenario: Scenario) -> None:
    """Force rare branches of the package, see `Scenario.hurried`."""
    if "short patience" in scenario.hurried:
        for name, seconds in SHORT_PATIENCE.items():
            object.__setattr__(USUAL_GRACE, name, seconds)
    if "tiny pages" in scenario.hurried:
        client.PAGE_ROWS = listing.PAGE_ROWS = TINY_PAGE_ROWS


class Watch(wire.Watch):
    """Lets others act, too, around a call."""

    def __init__(self, scenario: Scenario, step: Step, sandbox: str, note: Note) -> None:
        super().__init__(step.kill, note)
        names = [scenario.name_of(index) for index in range(len(scenario.jobs))]
        self._console = Console(SandboxAdmin(sandbox), jobs.job_ids(scenario.jobs), names)
        self._to_come: list[Act] = list(step.during)
        self._chance = random.Random(scenario.seed) if "shuffled threads" in scenario.hurried else None  # noqa: S311

    def moment(self, moment: str) -> None:
        if self._chance and moment in ("before", "answered"):
            clock.real_sleep(self._chance.uniform(0, MOST_SHUFFLED_SECONDS))
        with self._lock:
            # Another thread may be at this moment, too.
            due = [act for act in self._to_come if (act.moment, act.call) == (moment, self._calls)]
            self._to_come = [act for act in self._to_come if act not in due]
        for act in due:
            deleted = self._console.act(act)
            self._note({"acted": [act.what, act.job], "deleted": deleted})
        super().moment(moment)


@dataclass(slots=True)
class _Goal:
    """A resource that the program has come to declare.

    Attributes:
        old: the key of what the state has of it; None if nothing.
    """

    resource: Resource
    old: str | None
    knowledge: wire.Knowledge
    inputs: dict[str, Any] = field(default_factory=dict)


class _Engine:
    """The engine, for one command. `run` tells whether it went well."""

    def __init__(self, task: Task, watch: wire.Watch, note: Note) -> None:
        self._task, self._step, self._watch, self._note = task, task.step, watch, note
        self._state: dict[str, dict[str, Any]] = {key: dict(saved) for key, saved in task.state.items()}
        self._failed_names: set[str] = set()
        # A check that fails ends the command, also where it is to go on after errors.
        self._bails_out = False
        # What is protected fails to be deleted, and the rest goes on.
        self._kept: set[str] = set()
        # Whose state each resource of the program has.
        self._olds: dict[str, str] = {}
        # What each depended on as the command began.
        self._needs = {key: tuple(saved.get("depends_on", ())) for key, saved in self._state.items()}
        self._changed = threading.Condition()
        self._pool = ThreadPoolExecutor(AT_ONCE)

    # What differs between the fronts.

    def _front(self, name: str) -> Front:
        raise NotImplementedError

    def _find(self, pattern: str) -> tuple[list[str], dict[str, Any]]:
        """The jobs of these names, and what a program hands over with them. Raises FailedError."""
        raise NotImplementedError

    @property
    def _is_over(self) -> bool:
        """The user has cancelled the command."""
        return False

    @property
    def _is_saving(self) -> bool:
        """The engine still takes answers."""
        return True

    def close(self) -> None:
        """After everything."""

    # The commands.

    def run(self) -> bool:
        {"up": self._up, "preview": self._up, "refresh": self._refresh, "destroy": self._destroy}[self._step.command]()
        self._pool.shutdown()
        return not (self._failed_names or self._is_over)

    def _up(self) -> None:
        if "--refresh" in self._step.options:
            self._refresh()
            self._bails_out = bool(self._failed_names)
        if not self._is_stopped:
            goals = self._run_program()
            if not self._is_stopped:
                self._delete([key for key in self._state if key not in goals])

    def _refresh(self) -> None:
        # One that fails does not keep the others from being read.
        self._all(self._read, [key for key in self._state if self._is_targeted(key) and not self._state[key].get("is_pending")])

    def _destroy(self) -> None:
        self._delete(list(self._state))

    @property
    def _is_stopped(self) -> bool:
        """Nothing more is begun."""
        goes_on = "--continue-on-error" in self._step.options
        return self._is_over or self._bails_out or (bool(self._failed_names - self._kept) and not goes_on)

    @property
    def _is_preview(self) -> bool:
        return self._step.command == "preview" or "--preview-only" in self._step.options

    def _is_targeted(self, key: str) -> bool:
        return not self._step.targets or key.removesuffix(OLD) in self._step.targets

    # The resources of the program.

    def _run_program(self) -> set[str]:
        """Look at every resource; returns the keys of the state that the program still declares."""
        waiting, made, failed = list(self._step.program), set[str](), set[str]()
        declared: set[str] = set()
        running: set[str] = set()
        # New ones that are no targets, and what those in the state that are no targets depend on.
        skipped, needed = set[str](), set[str]()

        def ended(name: str, is_good: bool) -> None:
            with self._changed:
                (made if is_good else failed).add(name)
                running.discard(name)
                self._changed.notify_all()

        while waiting and not self._is_stopped:
            resource = next((one for one in waiting if (made | failed).issuperset(one.depends_on)), None)
            if resource is None:
                with self._changed:
                    if running and not self._changed.wait(30):
                        raise AssertionError(f"waiting for {running}")
                continue
            waiting.remove(resource)
            old = next((key for key in (resource.name, *resource.aliases) if key in self._state and key not in declared), None)
            declared |= {resource.name} | ({old} if old else set())
            if not self._is_targeted(resource.name):
                made.add(resource.name)
                needed |= self._needed([old] if old else [])
                skipped |= set() if old else {resource.name}
                continue
            if old:
                self._olds[resource.name] = old
            if failed.intersection(resource.depends_on):
                # Where the engine goes on it looks at what depends on a failed one, too, but does nothing about it.
                self._decide(resource, old, is_skipped=True)
                ended(resource.name, is_good=False)
                continue
            if skipped.intersection(resource.depends_on):
                self._decide(resource, old, is_skipped=True)
                self._refused(resource.name, "check", "depends on a resource that is no target")
                self._bails_out = True
                break
            act = self._decide(resource, old)
            if act is None:
                ended(resource.name, is_good=resource.name not in self._failed_names)
                continue
            running.add(resource.name)
            self._pool.submit(self._carry_out, act, resource.name, ended)
        with self._changed:
            while running:
                self._changed.wait(30)
        return declared | needed

    def _carry_out(self, act: Callable[[], bool], name: str, ended: Callable[[str, bool], None]) -> None:
        is_good = False
        try:
            is_good = act()
        finally:
            ended(name, is_good)

    def _decide(self, resource: Resource, old: str | None, *, is_skipped: bool = False) -> Callable[[], bool] | None:
        """Check a resource and compare it with the state; what is then to be done, None if nothing."""
        state = self._known(old)
        knowledge = _knowledge(self._front(resource.name), state)
        self._watch.begin(knowledge)
        goal = _Goal(resource, old, knowledge)
        try:
            declared = self._declared(resource)
            # The engine hides from the check of a resource that it was asked to replace what there is.
            goal.inputs = self._front(resource.name).check(NEW if self._is_to_be_replaced(goal) else state, declared)
            self._operation(resource.name, "check")
            change = self._change(goal, state)
        except Exception as exc:  # noqa: BLE001 - whatever it is, the judge wants it
            self._bails_out = True
            self._failed(resource.name, "check", exc)
            return None
        if is_skipped:
            return None
        if change is None:
            self._save(resource, {**state, "inputs": goal.inputs}, old)
            return None
        self._note({"change": resource.name})
        if change == "replace" and state["protect"] and resource.protect:
            self._bails_out = True
            self._refused(resource.name, "check", "is protected")
            return None
        if self._step.command == "preview":
            return lambda: self._preview(goal, state)
        if change == "replace":
            is_asked = resource.name in self._step.replaces
            return lambda: self._replace(goal, state, is_checked=is_asked)
        return lambda: self._apply(goal, state)

    def _declared(self, resource: Resource) -> dict[str, Any]:
        declared = dict(self._task.declared[resource.name])
        if resource.found is not None:
            found, beside = self._find(f"{resource.found}-*")
            declared |= {"jobs": found, **beside}
        self._note({"declared": {resource.name: declared}})
        return declared

    def _change(self, goal: _Goal, state: State) -> str | None:
        if state["id"] is None:
            return "create"
        if self._is_to_be_replaced(goal):
            return "replace"
        change = self._front(goal.resource.name).difference(state, goal.inputs)
        # The engine updates a resource that is saved as failed, whatever the front says.
        return change or ("update" if state.get("is_failed") else None)

    def _is_to_be_replaced(self, goal: _Goal) -> bool:
        return goal.old is not None and goal.resource.name in self._step.replaces

    def _preview(self, goal: _Goal, state: State) -> bool:
        self._begin(goal.knowledge)
        try:
            self._front(goal.resource.name).preview(state, goal.inputs)
        except Exception as exc:  # noqa: BLE001
            return self._failed(goal.resource.name, "check", exc)
        return True

    def _apply(self, goal: _Goal, state: State, replaced: State | None = None) -> bool:
        """Create or update."""
        resource = goal.resource
        what = "create" if state["id"] is None else "update"
        self._begin(goal.knowledge)
        try:
            id_, outputs = self._front(resource.name).apply(state, goal.inputs)
            saved = {"id": id_, "inputs": goal.inputs, "outputs": outputs}
            failure = outputs.get("__unreported_failure")
        except FailedError as exc:
            if exc.saved is None:
                return self._failed(resource.name, what, exc)
            # Of a failed update the engine keeps the old inputs beside the new outputs.
            kept = goal.inputs if state["id"] is None else state["inputs"]
            saved = {"id": exc.saved[0], "inputs": kept, "outputs": exc.saved[1], "is_failed": True}
            failure = str(exc)
        except Exception as exc:  # noqa: BLE001
            return self._failed(resource.name, what, exc)
        self._watch.moment("unsaved")
        self._save(resource, saved, goal.old, replaced)
        self._operation(resource.name, what, failure, saved["outputs"])
        if failure:
            self._failed_names.add(resource.name)
        return not failure

    def _replace(self, goal: _Goal, state: State, *, is_checked: bool) -> bool:
        """Create it anew; the old one is deleted when the rest is done."""
        self._begin(goal.knowledge)
        if not is_checked:
            try:
                goal.inputs = self._front(goal.resource.name).check(NEW, self._declared(goal.resource))
                self._operation(goal.resource.name, "check")
            except Exception as exc:  # noqa: BLE001
                self._bails_out = True
                return self._failed(goal.resource.name, "check", exc)
        return self._apply(goal, NEW, replaced=state)

    # Reading and deleting.

    def _read(self, key: str) -> None:
        state, name = self._known(key), _name(key)
        self._begin(_knowledge(self._front(name), state))
        failure = None
        try:
            read = {"outputs": self._front(name).read(state), "is_failed": False}
        except FailedError as exc:
            if exc.saved is None:
                self._failed(name, "read", exc)
                return
            # A refresh that fails in part is a warning, and the resource is saved as failed.
            read, failure = {"outputs": exc.saved[1], "is_failed": True}, str(exc)
        except Exception as exc:  # noqa: BLE001
            self._failed(name, "read", exc)
            return
        self._watch.moment("unsaved")
        if not self._is_preview:
            self._put(key, {**state, **read})
        self._operation(name, "read", failure, None if self._is_preview else read["outputs"])

    def _delete(self, keys: list[str]) -> None:
        """Delete them, those that others depend on last. What a resource depends on that failed stays."""
        needed = self._needed(self._olds.get(name, name) for name in self._failed_names)
        left = [key for key in keys if self._is_targeted(key) and (key.endswith(OLD) or _name(key) not in needed)]
        gone = set(map(_name, left))
        for key in [key for key in keys if not self._is_targeted(key) and not gone.isdisjoint(self._needed([key]))]:
            self._refused(_name(key), "delete", "would be deleted, and is no target")
            self._bails_out = True
        for key in left:
            self._note({"change": key})
        while left and self._step.command != "preview" and not self._is_stopped:
            needed = self._needed(left)
            now = [key for key in left if key.endswith(OLD) or _name(key) not in needed] or left
            self._all(self._delete_one, now)
            needed = self._needed(key for key in now if key in self._state)
            left = [key for key in left if key not in now and _name(key) not in needed]

    def _needed(self, keys: Iterable[str]) -> set[str]:
        """The resources that these depend on, as the state said in the beginning."""
        found: set[str] = set()
        waiting = [name for key in keys for name in self._needs.get(key, ())]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self._needs.get(name, ())
        return found

    def _delete_one(self, key: str) -> None:
        state, name = self._known(key), _name(key)
        if self._is_stopped:
            return
        if state["protect"] and not state.get("is_pending"):
            self._kept.add(name)
            self._refused(name, "delete", "is protected")
            return
        if not state.get("retain_on_delete"):
            self._begin(_knowledge(self._front(name), state))
            try:
                self._front(name).delete(state)
            except Exception as exc:  # noqa: BLE001
                self._failed(name, "delete", exc)
                return
            self._watch.moment("unsaved")
        self._put(key, None)
        if not state.get("retain_on_delete"):
            self._operation(name, "delete")

    def _all(self, act: Callable[[str], None], keys: Iterable[str]) -> None:
        """At the same time."""
        for _ in self._pool.map(act, keys):
            pass

    # What is known, and what becomes of it.

    def _known(self, key: str | None) -> State:
        if key is None:
            return {**NEW, "protect": False}
        return {"protect": False, **self._state[key]}

    def _begin(self, knowledge: wire.Knowledge) -> None:
        knowledge.thread = threading.get_ident()
        self._watch.begin(knowledge)

    def _save(self, resource: Resource, saved: Mapping[str, Any], old: str | None, replaced: State | None = None) -> None:
        if self._step.command == "preview":
            return
        options = {name: getattr(resource, name) for name in ("protect", "retain_on_delete", "depends_on")}
        if replaced is not None:
            pending = f"{resource.name}{OLD}"
            while pending in self._state:
                pending += OLD
            self._put(pending, {**replaced, "is_pending": True})
        self._put(resource.name, {**saved, **options})
        if old is not None and old != resource.name:
            self._put(old, None)

    def _put(self, key: str, saved: Mapping[str, Any] | None) -> None:
        if not self._is_saving:
            return
        with self._changed:
            if saved is None:
                self._state.pop(key, None)
            else:
                self._state[key] = dict(saved)
            self._note({"save": [key, saved]})

    def _operation(self, name: str, what: str, failure: str | None = None, outputs: Any = None, crash: str | None = None) -> None:
        told = {"resource": name, "what": what, "failure": failure, "crash": crash}
        self._note({"operation": {**told, "outputs": outputs}})

    def _refused(self, name: str, what: str, why: str) -> None:
        """The engine itself refuses to go on."""
        self._failed(name, what, FailedError(f"{ENGINE_SAYS}{name} {why}"))

    def _failed(self, name: str, what: str, error: Exception) -> bool:
        crash = None if isinstance(error, FailedError) else "".join(traceback.format_exception(error))
        self._operation(name, what, str(error), None, crash)
        self._failed_names.add(name)
        return False


ENGINE_SAYS = "pulumi: "
"""How a failure begins that comes from the engine, which does not ask the package then."""


def _name(key: str) -> str:
    return key.replace(OLD, "")


def _knowledge(front: Front, state: State) -> wire.Knowledge:
    return knowledge_of(front.bag(state["outputs"]))


class _DynamicEngine(_Engine):
    """With the hooks of the dynamic provider."""

    def __init__(self, task: Task, watch: wire.Watch, note: Note) -> None:
        super().__init__(task, watch, note)
        os.environ |= hosting.environment_of(task.settings)
        self._provider = JobBatchStartProvider()
        self._provider.configure(hosting.NO_CONFIG)

    def _front(self, name: str) -> Front:
        urn = hosting.urn_of(self._task.stack, name)
        return hosting.Hosted(self._provider, urn, is_found=self._task.scenario.finds_host)

    def _find(self, pattern: str) -> tuple[list[str], dict[str, Any]]:
        try:
            found = Asker({}).find({**_ANYTHING, "name": pattern}, ()).found
        except (AskingError, ValueError) as exc:
            raise FailedError(str(exc)) from None
        return list(found), {FOUND: _found(found)}


_ANYTHING = dict.fromkeys(
    ("status", "db_use_type", "engine_type", "enterprise_project_id", "tags", "region", "project_id", "endpoint", "cloud")
) | {"timeout": "2m"}


class _NativeEngine(_Engine):
    """With the plugin."""

    def __init__(self, task: Task, watch: wire.Watch, note: Note) -> None:
        super().__init__(task, watch, note)
        self._plugin = Plugin(task.settings)
        kill = task.step.kill
        if kill is not None and kill.moment in CANCELS:
            self._plugin.interrupt(kill.moment, kill.call / 1000)

    def _front(self, name: str) -> Front:
        return Plugged(self._plugin, self._task.stack, name)

    def _find(self, pattern: str) -> tuple[list[str], dict[str, Any]]:
        return self._plugin.find(pattern), {}

    @property
    def _is_over(self) -> bool:
        return self._plugin.is_over

    @property
    def _is_saving(self) -> bool:
        return not self._plugin.is_abandoned

    def close(self) -> None:
        if self._plugin.seconds_since_cancel > HEEDED_SECONDS:
            self._note({"crash": f"it went on for {self._plugin.seconds_since_cancel:.1f} real seconds after it was cancelled"})


def settings_for(sandbox: str, mistake: str | None) -> dict[str, str]:
    """What a program is configured with, and what of it is wrong in a step with a mistake."""
    wrong = {
        "password": {"password": "not-the-password"},
        "project": {"projectId": Account().other_project_id},
        # Nobody listens there. An address with a path would be refused before anything is tried.
        "endpoint": {"endpoint": "http://127.0.0.1:9"},
        "region": {"region": "eu-nl"},
    }
    return settings_of(sandbox) | wrong.get(mistake or "", {})
