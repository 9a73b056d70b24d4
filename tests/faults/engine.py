"""
Runs a schedule: the part of Pulumi's engine, and of the world around it, that the campaign needs.

The engine's state is a JSON file per program. Every command is a process of its own, forked from this one; a killed one leaves
what a killed plugin leaves: nothing of a resource that was being created, the old state of one that was being updated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import dropwhile
from pathlib import Path
from typing import Any

from pulumi_drs_start.sandbox import SandboxAdmin
from pulumi_drs_start.schema.state import from_state

from . import clock, forking, jobs, kinds, plugin
from .front import State
from .program import Command, Resource, files_in, run_command, world_of
from .schedule import Kill, Schedule, Up
from .wire import ACTIONS

NEVER = "2100-01-01T00:00:00Z"
"""The time of scheduled jobs; that of the kind ``scheduled`` too."""

SETTLED_SECONDS = 600.0
"""Enough for every started job to be seen running."""

MAX_DELAY_SECONDS, STABLE_SECONDS = 10, 60
"""When a copy counts as caught up."""

LOOK_SECONDS = 0.05
"""Real seconds between two looks at the true delays."""

LAST_CALL_SECONDS = 0.05
"""Real seconds in which the sandbox gets to the calls of a process that was killed."""


@dataclass(slots=True)
class Ran:
    """A command of one program that was run.

    Attributes:
        results: resource -> what it came to; those that a killed process did not get to are absent.
        ended: ``done``, ``killed``, ``crashed``, ``hung``.
        told: where the program asked for statuses, job id -> which one DRS showed, and which one the program was told.
    """

    results: dict[str, dict[str, Any]]
    ended: str
    told: dict[str, tuple[str, str | None]] = field(default_factory=dict)


Truth = tuple[float, dict[str, bool]]
"""A moment, and whether the copy of each job was near its source then, or complete; that DRS does not tell it counts as no."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one ``up`` saved of a resource.

    Attributes:
        synced: the jobs that it has newly recorded as synced.
        is_ready: it says that every job is where it was asked to be.
        unsynced: the others, where copies have to catch up.
        truths: while it ran.
    """

    synced: tuple[str, ...]
    is_ready: bool
    unsynced: tuple[str, ...]
    truths: tuple[Truth, ...]


@dataclass(slots=True)
class Run:
    """All that is to be judged.

    Attributes:
        due: job id -> what must have become of it in the end.
        last: of each program, the last ``up``.
        previews: of each program, those after it: at once, and when everything has come to rest.
        stacks: of each program, its states by resource.
        stacks_before_the_end: the same, before the first ``destroy``, with outputs by Python's names.
        facts: of the sandbox: job id -> its counters, after the previews.
        ends: every ``destroy`` of each program, and the sandbox's facts after it.
        paused: the jobs of which a program must know that it has paused them.
        needless: notes of calls that were needless.
        crashes: tracebacks of errors that no hook may show.
        tokens: that were used.
        texts: everything that was printed, logged and stored.
        faults: how many happened; those scheduled for calls that never came did not.
        kills: how many processes were really killed.
        claims: what programs recorded as synced.
        progress_calls: how often DRS was asked how far copies are.
        seen: of each step that was watched, every moment at which its process could have been killed, in their order, each with
            the world that it would have left; see `world`.
        left: the worlds that steps left, while time stands still.
    """

    due: dict[str, jobs.Due]
    last: list[Ran] = field(default_factory=list)
    previews: list[list[Ran]] = field(default_factory=list)
    stacks: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    ends: list[tuple[list[Ran], dict[str, dict[str, Any]]]] = field(default_factory=list)
    paused: set[str] = field(default_factory=set)
    needless: list[dict[str, str]] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)
    stacks_before_the_end: list[dict[str, Any]] = field(default_factory=list)
    faults: int = 0
    kills: int = 0
    claims: list[Claim] = field(default_factory=list)
    progress_calls: int = 0
    seen: dict[int, list[tuple[Kill, str]]] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


class Engine:
    """Runs schedules against one sandbox.

    Args:
        sandbox: the sandbox.
        folder: for states and outputs; emptied before each schedule.
        build: a broken build to run instead of the package as it is.
    """

    def __init__(self, sandbox: SandboxAdmin, folder: Path, build: str | None = None) -> None:
        self._sandbox = sandbox
        self._folder = folder
        self._build = build
        self._rested: dict[str, tuple[list[list[Ran]], dict[str, dict[str, Any]]]] = {}
        """What came of previews, and of jobs, in a world that was seen before."""

    def run(self, schedule: Schedule, watched: Collection[int] = (), is_over: Callable[[Run], bool] = lambda _: False) -> Run:
        """Run a schedule from its first ``up`` to the previews after the last.

        Args:
            schedule: what happens.
            watched: the numbers of the steps, from 0, at whose every moment the world is taken down; ``destroy`` commands follow
                on the last ``up``.
            is_over: asked after every ``up`` whether the rest is known, and not to be run.
        """
        for leftover in self._folder.iterdir():
            leftover.unlink()
        self._sandbox.reset()
        clock.begin(runs=schedule.needs_real_time)
        self._sandbox.set_policy(**schedule.policy)
        self._sandbox.add_jobs(*jobs.declare(schedule.jobs, schedule.open_lag_seconds))
        ids = jobs.job_ids(schedule.jobs)
        # Then jobs notice, too, when the world is taken down: so it is always.
        is_shy = clock.is_exact() and _counts_looks(schedule)
        run = Run({})
        for job_id, name in zip(ids, schedule.jobs, strict=True):
            kind = jobs.kind_of(name, schedule.life)
            run.due[job_id] = jobs.Due(kind.starts, kind.retries)
        run.stacks = [{} for _ in range(schedule.programs)]
        for number, up in enumerate(schedule.ups):
            if schedule.life == "synced" and number == len(schedule.ups) - 1:
                self._calm(schedule, ids)
            self._let_pass(up, ids, run, schedule.life)
            self._expect(schedule, number, ids, run)
            run.last = self._with_faults(schedule, up, schedule.declared(number), run, "up", number in watched or is_shy)
            if is_over(run):
                run.last = []
                return self._with_texts(run)
        declared = schedule.declared(len(schedule.ups) - 1)
        if clock.is_exact() and not schedule.ends and run.left[-1] in self._rested:
            run.previews, run.facts = self._rested[run.left[-1]]
        else:
            at_once = self._command(schedule, declared, run, "preview")
            self._rest(SETTLED_SECONDS)
            at_rest = self._command(schedule, declared, run, "preview")
            run.previews = [list(pair) for pair in zip(at_once, at_rest, strict=True)]
            run.facts = self._sandbox.jobs()
            if clock.is_exact():
                self._rested[run.left[-1]] = run.previews, run.facts
        run.progress_calls = len(self._sandbox.calls(kinds.PROGRESS))
        run.stacks_before_the_end = [
            {name: {**state, "outputs": _bag(schedule, state)} for name, state in stack.items()} for stack in run.stacks
        ]
        for number, end in enumerate(schedule.ends, len(schedule.ups)):
            self._rest(end.rest_seconds)
            ran = self._with_faults(schedule, end, declared, run, "destroy", number in watched or is_shy)
            run.ends.append((ran, self._sandbox.jobs()))
        return self._with_texts(run)

    def _with_texts(self, run: Run) -> Run:
        run.texts |= {path.name: path.read_text("utf-8", "replace") for path in self._folder.glob("*.log")}
        run.texts |= {path.name: path.read_text("utf-8") for path in self._folder.glob("*.state.json")}
        return run

    def _with_faults(self, schedule: Schedule, up: Up, declared: list[str], run: Run, what: str, is_watched: bool) -> list[Ran]:
        """A command of every program, and what happens meanwhile."""
        for fault in up.faults:
            self._sandbox.inject(**kinds.make_fault(fault.kind, fault.operation, fault.times, fault.skip))
        ran = self._command(schedule, declared, run, what, up, is_watched)
        if any(one.ended == "killed" for one in ran):
            clock.real_sleep(LAST_CALL_SECONDS)
        left = sum(fault["times"] for fault in self._sandbox.faults())
        run.faults += sum(fault.times for fault in up.faults) - left
        run.kills += sum(one.ended == "killed" for one in ran)
        self._sandbox.clear_faults()
        if clock.is_exact():
            run.left.append(world(schedule, run, world_of(self._sandbox), files_in(self._folder)))
        return ran

    def _let_pass(self, up: Up, ids: list[str], run: Run, life: str) -> None:
        self._rest(up.rest_seconds)
        if not up.drift:
            return
        facts = self._sandbox.jobs()
        for index, what in up.drift:
            job = facts[ids[index]]
            if job["status"] not in jobs.RUNNING:
                continue
            if what == "back":
                self._sandbox.set_status(ids[index], "CONFIGURATION")
                run.due[ids[index]].starts = job["starts"] + 1
            else:
                self._sandbox.set_status(ids[index], "PAUSING")
                if life == "resume":
                    run.due[ids[index]].retries = job["retries"] + 1
        # A start accepted a moment ago is believed rather than the status; that moment is over.
        self._rest(up.rest_seconds)

    def _expect(self, schedule: Schedule, number: int, ids: list[str], run: Run) -> None:
        """Note what must become of jobs that the program declares otherwise from this up on."""
        up, declared = schedule.ups[number], schedule.declared(number)
        facts = self._sandbox.jobs() if up.declares else {}
        for index, _ in up.declares:
            job_id, shall_be = ids[index], declared[index]
            job = facts.get(job_id, {})
            due = jobs.Due(*(job.get(count, 0) for count in ("starts", "retries", "pauses", "stops")), shall_be=shall_be)
            status = job.get("status", "DELETED" if schedule.policy.get("unknown_in_status") == "deleted" else None)
            if shall_be == "started":
                self._expect_a_start(due, jobs.kind_of(schedule.jobs[index], schedule.life), status, job_id in run.paused)
                run.paused.discard(job_id)
            elif shall_be != "gone":
                due.rest = jobs.coming_to_rest(shall_be, status)
                due.pauses += due.rest is jobs.Rest.ASKED and shall_be == "paused"
                due.stops += due.rest is jobs.Rest.ASKED and shall_be == "stopped"
            run.due[job_id] = due

    def _expect_a_start(self, due: jobs.Due, kind: jobs.Kind, status: str | None, is_pause_ours: bool) -> None:
        if status in ("CREATING", "CONFIGURATION"):
            due.starts += kind.starts
        elif status == jobs.PAUSED and is_pause_ours:
            due.retries += 1
        elif status == jobs.PAUSED:
            # A pause of a process that was killed, or did not see it, nobody can call his own.
            due.may_be_resumed = due.pauses > 0

    def _rest(self, seconds: float) -> None:
        if seconds:
            clock.jump(seconds)

    def _command(
        self, schedule: Schedule, declared: list[str], run: Run, what: str, up: Up | None = None, is_watched: bool = False
    ) -> list[Ran]:
        """Every program at once."""
        truths: list[Truth] = []
        watch = self._watch(schedule, up, truths) if up and what == "up" and schedule.life == "synced" else forking.nothing
        watch(0.0)
        reports, pids = [], []
        for program in range(schedule.programs):
            kill = next((kill for kill in (up.kills if up else ()) if kill.program == program), None)
            report = self._folder / f"{program}.report"
            report.unlink(missing_ok=True)
            resources = self._resources(schedule, declared, program)
            name, is_alone = f"program-{program}", schedule.programs == 1
            command = Command(
                name,
                resources,
                what,
                self._sandbox.url,
                is_alone,
                schedule.front,
                schedule.finds_host,
                refreshes=bool(up and up.refreshes),
                kill=kill,
                is_watched=is_watched,
                is_shy=_counts_looks(schedule),
                build=self._build,
            )
            output = self._folder / f"{program}.log"
            pids.append((forking.fork(partial(run_command, command, report.parent), report, output), kill))
            reports.append(report)
        ended = forking.wait(pids, watch)
        watch(float("inf"))
        ran = zip(reports, ended, strict=True)
        return [self._take(schedule, program, report, how, run, truths) for program, (report, how) in enumerate(ran)]

    def _watch(self, schedule: Schedule, up: Up, truths: list[Truth]) -> Callable[[float], None]:
        """What happens while a command runs: called often, with the real seconds since it began."""
        ids, left, looked = jobs.job_ids(schedule.jobs), sorted(up.meanwhile), 0.0

        def watch(passed: float) -> None:
            nonlocal looked
            while left and left[0][0] <= passed * 1000 < float("inf"):
                _, index, what = left.pop(0)
                self._disturb(ids[index], what)
            if not truths or passed - looked >= LOOK_SECONDS:
                looked = passed
                truths.append((clock.now(), {job_id: _is_near(job) for job_id, job in self._sandbox.jobs().items()}))

        return watch

    def _disturb(self, job_id: str, what: str) -> None:
        if self._sandbox.job(job_id)["status"] not in jobs.RUNNING:
            return
        if what == "paused":
            self._sandbox.set_status(job_id, jobs.PAUSED)
        else:
            self._sandbox.set_delay(job_id, **jobs.DISTURBANCES[what])

    def _calm(self, schedule: Schedule, ids: list[str]) -> None:
        """All copies are near their sources from now on, and what others have paused was resumed by them."""
        facts = self._sandbox.jobs()
        for job_id, kind in zip(ids, schedule.jobs, strict=True):
            if job_id not in facts:
                continue
            self._sandbox.set_delay(job_id, **jobs.CALM_DELAY)
            if facts[job_id]["status"] == jobs.PAUSED and kind != "paused":
                self._sandbox.set_status(job_id, jobs.COPIED if kind == "copies_once" else jobs.FOLLOWING)

    def _resources(self, schedule: Schedule, declared: list[str], program: int) -> tuple[Resource, ...]:
        state, ids = self._load(program), jobs.job_ids(schedule.jobs)
        listed = [_listed(job_id, shall_be) for job_id, shall_be in zip(ids, declared, strict=True)]
        resources = []
        for number in range(schedule.resources):
            if own := [job for job in listed[number :: schedule.resources] if job is not None]:
                name = f"r{number}"
                inputs = {
                    "jobs": own,
                    "wait_for": schedule.wait_for,
                    "max_delay": f"{MAX_DELAY_SECONDS}s",
                    "stable_for": f"{STABLE_SECONDS}s",
                    "timeout": schedule.timeout,
                    "on_failure": schedule.on_failure,
                    "on_destroy": schedule.on_destroy,
                    "resume": schedule.life == "resume",
                }
                if schedule.life == "scheduled":
                    inputs["start_time"] = NEVER
                resources.append(Resource(name, inputs, state.get(name)))
        return tuple(resources)

    def _take(self, schedule: Schedule, program: int, report: Path, how: str, run: Run, truths: list[Truth]) -> Ran:
        """Read what a process reported, and save what the engine would save."""
        ran, state = Ran({}, how), self._load(program)
        sandbox: dict[str, Any] = {}
        for line in report.read_text("utf-8").splitlines() if report.exists() else ():
            fact = json.loads(line)
            if "token" in fact:
                run.tokens.add(fact["token"])
            elif "needless" in fact:
                run.needless.append(fact["needless"])
            elif "moment" in fact:
                run.stacks[program] = state
                sandbox = fact["world"] or sandbox
                left = world(schedule, run, sandbox, fact["files"])
                run.seen.setdefault(len(run.left), []).append((Kill(*fact["moment"]), left))
            elif "told" in fact:
                ran.told |= {job_id: tuple(statuses) for job_id, statuses in fact["told"].items()}
            elif "resource" not in fact:
                run.crashes.append(fact["crash"])
            else:
                ran.results[fact["resource"]] = fact
                if "state" in fact:
                    before, after = state.get(fact["resource"]), _bag(schedule, fact["state"])
                    run.claims.append(_claim(_bag(schedule, before) if before else None, after, truths))
                    state[fact["resource"]] = fact["state"]
                    run.paused.update(fact["paused"])
                if fact.get("is_gone"):
                    state.pop(fact["resource"], None)
                if "crash" in fact:
                    run.crashes.append(fact["crash"])
                run.texts[f"messages of {program}"] = run.texts.get(f"messages of {program}", "") + str(fact.get("failure"))
        if how in ("crashed", "hung"):
            run.crashes.append(f"the process {how}")
        run.stacks[program] = state
        self._state_file(program).write_text(json.dumps(state), "utf-8")
        return ran

    def _load(self, program: int) -> dict[str, Any]:
        file = self._state_file(program)
        state: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {}
        return state

    def _state_file(self, program: int) -> Path:
        return self._folder / f"{program}.state.json"


def world(schedule: Schedule, run: Run, sandbox: Mapping[str, Any], files: Mapping[str, str]) -> str:
    """Everything that what comes after depends on: where two worlds are alike, all that can follow is alike too.

    Args:
        schedule: that runs.
        run: so far.
        sandbox: see `program.world_of`.
        files: see `program.files_in`.
    """
    # Looks count from the first change on, if at all, by when each of them was.
    jobs_now = {job_id: {**job, "looks": None} for job_id, job in sandbox["jobs"].items()}
    calls = list(dropwhile(lambda call: call[0] not in ACTIONS, sandbox["calls"]))
    if not _counts_looks(schedule):
        calls = [call for call in calls if call[0] in ACTIONS]
    due = {job_id: str(due) for job_id, due in run.due.items()}
    rules = str(replace(schedule, ups=(), ends=()))
    everything = [rules, sandbox["now"], jobs_now, calls, run.stacks, due, sorted(run.paused), files]
    return _MADE_UP_ID.sub("drs-", json.dumps(everything, sort_keys=True))


def _counts_looks(schedule: Schedule) -> bool:
    """Whether what becomes of jobs depends on how often somebody looks."""
    return any(schedule.policy.get(name) for name in ("lag_looks", "start_looks", "full_looks"))


_MADE_UP_ID = re.compile("drs-[0-9a-f]{32}")


def _listed(job_id: str, shall_be: str) -> Any:
    """A job as the list of a resource has it; None for one that was taken off."""
    if shall_be == "gone":
        return None
    return job_id if shall_be == "started" else {"job_id": job_id, "desired_state": shall_be}


def _is_near(job: dict[str, Any]) -> bool:
    if job["task_type"] == "FULL_TRANS":
        return bool(job["status"] == jobs.COPIED)
    is_told = not (job["delay"] or {}).get("silent")
    return job["status"] == jobs.FOLLOWING and is_told and job["delay_seconds"] <= MAX_DELAY_SECONDS


def _bag(schedule: Schedule, state: State) -> Mapping[str, Any]:
    """The outputs by Python's names."""
    return plugin.bag(state["outputs"]) if schedule.front == "native" else state["outputs"]


def _claim(before: Mapping[str, Any] | None, after: Mapping[str, Any], truths: list[Truth]) -> Claim:
    known = from_state(before).records if before else {}
    records = from_state(after).records
    synced = {job_id for job_id, record in records.items() if record.is_synced}
    new = synced.difference(job_id for job_id, record in known.items() if record.is_synced)
    return Claim(tuple(sorted(new)), after["ready"], tuple(sorted(after["job_statuses"].keys() - synced)), tuple(truths))
