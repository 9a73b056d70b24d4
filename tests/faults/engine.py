"""
Runs a schedule: the part of Pulumi's engine, and of the world around it, that the campaign needs.

The engine's state is a JSON file per program. Every command is a process of its own, forked from this one; a killed one leaves
what a killed plugin leaves: nothing of a resource that was being created, the old state of one that was being updated.
"""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pulumi_drs_start.sandbox import Account, SandboxAdmin

from . import clock, jobs, wrongs
from .program import Command, Resource, run_forked
from .schedule import Kill, Schedule, Up

HUNG_SECONDS = 90.0
"""Real seconds after which a command is taken for hung: the longest timeout of a schedule, and half of it again."""

NEVER = "2100-01-01T00:00:00Z"
"""The time of scheduled jobs; that of the kind ``scheduled`` too."""

SETTLED_SECONDS = 600.0
"""Enough for every started job to be seen running."""


@dataclass(slots=True)
class Ran:
    """A command of one program that was run.

    Attributes:
        results: resource -> what it came to; those that a killed process did not get to are absent.
        ended: ``done``, ``killed``, ``crashed``, ``hung``.
    """

    results: dict[str, dict[str, Any]]
    ended: str


@dataclass(slots=True)
class Run:
    """All that is to be judged.

    Attributes:
        expected_starts: job id -> how often it must have been started in the end.
        expected_retries: job id -> how often it must have been resumed in the end.
        last: of each program, the last ``up``.
        previews: of each program, those after it: at once, and when everything has come to rest.
        stacks: of each program, its states by resource.
        stacks_before_the_end: the same, before the first ``destroy``.
        facts: of the sandbox: job id -> its counters, after the previews.
        end: of each program, the last ``destroy``.
        end_facts: of the sandbox, after that.
        needless: notes of starts that were needless.
        crashes: tracebacks of errors that no hook may show.
        tokens: that were used.
        texts: everything that was printed, logged and stored.
        faults: how many happened; those scheduled for calls that never came did not.
        kills: how many processes were really killed.
    """

    expected_starts: dict[str, int]
    expected_retries: dict[str, int]
    last: list[Ran] = field(default_factory=list)
    previews: list[list[Ran]] = field(default_factory=list)
    stacks: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    end: list[Ran] = field(default_factory=list)
    end_facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    needless: list[dict[str, str]] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)
    stacks_before_the_end: list[dict[str, Any]] = field(default_factory=list)
    faults: int = 0
    kills: int = 0


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
        account = Account()
        self._environment = {
            "OS_AUTH_URL": f"{sandbox.url}/v3",
            "OS_USERNAME": account.username,
            "OS_PASSWORD": account.password,
            "OS_USER_DOMAIN_NAME": account.domain_name,
            "OS_PROJECT_ID": account.project_id,
            "DRS_ENDPOINT": sandbox.url,
        }

    def run(self, schedule: Schedule) -> Run:
        """Run a schedule from its first ``up`` to the previews after the last."""
        for leftover in self._folder.iterdir():
            leftover.unlink()
        self._sandbox.reset()
        self._sandbox.set_policy(speed=clock.SPEED, **schedule.policy)
        self._sandbox.add_jobs(*jobs.declare(schedule.jobs, schedule.open_lag_seconds))
        ids = jobs.job_ids(schedule.jobs)
        kinds = {job_id: jobs.kind_of(name, schedule.life) for job_id, name in zip(ids, schedule.jobs, strict=True)}
        starts, retries = ({job_id: getattr(kind, name) for job_id, kind in kinds.items()} for name in ("starts", "retries"))
        run = Run(starts, retries)
        run.stacks = [{} for _ in range(schedule.programs)]
        for up in schedule.ups:
            run.last = self._with_faults(schedule, up, ids, run, "up")
        at_once = self._command(schedule, ids, run, "preview")
        self._rest(SETTLED_SECONDS)
        at_rest = self._command(schedule, ids, run, "preview")
        run.previews = [list(pair) for pair in zip(at_once, at_rest, strict=True)]
        run.facts = self._sandbox.jobs()
        run.stacks_before_the_end = [dict(stack) for stack in run.stacks]
        for end in schedule.ends:
            run.end = self._with_faults(schedule, end, ids, run, "destroy")
        run.end_facts = self._sandbox.jobs()
        run.texts |= {path.name: path.read_text("utf-8", "replace") for path in self._folder.glob("*.log")}
        run.texts |= {path.name: path.read_text("utf-8") for path in self._folder.glob("*.state.json")}
        return run

    def _with_faults(self, schedule: Schedule, up: Up, ids: list[str], run: Run, what: str) -> list[Ran]:
        """A command of every program, and what happens before and meanwhile."""
        self._let_pass(up, ids, run, schedule.life)
        for fault in up.faults:
            self._sandbox.inject(**wrongs.make_fault(fault.kind, fault.operation, fault.times, fault.skip))
        ran = self._command(schedule, ids, run, what, up.kills)
        left = sum(fault["times"] for fault in self._sandbox.faults())
        run.faults += sum(fault.times for fault in up.faults) - left
        run.kills += sum(one.ended == "killed" for one in ran)
        self._sandbox.clear_faults()
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
                run.expected_starts[ids[index]] = job["starts"] + 1
            else:
                self._sandbox.set_status(ids[index], "PAUSING")
                if life == "resume":
                    run.expected_retries[ids[index]] = job["retries"] + 1
        # A start accepted a moment ago is believed rather than the status; that moment is over.
        self._rest(up.rest_seconds)

    def _rest(self, seconds: float) -> None:
        if seconds:
            self._sandbox.advance(seconds)
            clock.jump(seconds)

    def _command(self, schedule: Schedule, ids: list[str], run: Run, what: str, kills: tuple[Kill, ...] = ()) -> list[Ran]:
        """Every program at once."""
        reports, pids = [], []
        for program in range(schedule.programs):
            kill = next((kill for kill in kills if kill.program == program), None)
            report = self._folder / f"{program}.report"
            report.unlink(missing_ok=True)
            resources = self._resources(schedule, ids, program)
            command = Command(f"program-{program}", resources, what, self._environment, schedule.finds_host, kill, self._build)
            pids.append((run_forked(command, report, self._folder / f"{program}.log"), kill))
            reports.append(report)
        ended = _wait(pids)
        return [self._take(program, report, how, run) for program, (report, how) in enumerate(zip(reports, ended, strict=True))]

    def _resources(self, schedule: Schedule, ids: list[str], program: int) -> tuple[Resource, ...]:
        state = self._load(program)
        resources = []
        for number in range(schedule.resources):
            if own := ids[number :: schedule.resources]:
                name = f"r{number}"
                inputs = {
                    "jobs": own,
                    "wait_for": schedule.wait_for,
                    "timeout": schedule.timeout,
                    "on_failure": schedule.on_failure,
                    "on_destroy": schedule.on_destroy,
                    "resume": schedule.life == "resume",
                }
                if schedule.life == "scheduled":
                    inputs["start_time"] = NEVER
                resources.append(Resource(name, inputs, state.get(name)))
        return tuple(resources)

    def _take(self, program: int, report: Path, how: str, run: Run) -> Ran:
        """Read what a process reported, and save what the engine would save."""
        ran, state = Ran({}, how), self._load(program)
        for line in report.read_text("utf-8").splitlines() if report.exists() else ():
            fact = json.loads(line)
            if "token" in fact:
                run.tokens.add(fact["token"])
            elif "needless" in fact:
                run.needless.append(fact["needless"])
            else:
                ran.results[fact["resource"]] = fact
                if "state" in fact:
                    state[fact["resource"]] = fact["state"]
                if fact.get("is_gone"):
                    del state[fact["resource"]]
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


def _wait(running: list[tuple[int, Kill | None]]) -> list[str]:
    """Wait for processes, and kill those whose time is scheduled. How each ended, in order."""
    started = clock.real_monotonic()
    ended: dict[int, str] = {}
    while len(ended) < len(running):
        for pid, kill in running:
            if pid in ended:
                continue
            passed = clock.real_monotonic() - started
            if passed > HUNG_SECONDS:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                ended[pid] = "hung"
                continue
            if kill is not None and kill.moment == "time" and passed * 1000 >= kill.call:
                os.kill(pid, signal.SIGKILL)
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                code = os.waitstatus_to_exitcode(status)
                ended[pid] = "done" if code == 0 else "killed" if code == -signal.SIGKILL else "crashed"
        clock.real_sleep(0.002)
    return [ended[pid] for pid, _ in running]
