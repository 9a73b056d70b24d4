"""
Runs a scenario: the world around the commands, and the states that they leave.

Every command is a process of its own, forked from this one. A killed one leaves what a killed plugin leaves: nothing of a
resource that was being created, the old state of one that was being updated.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from pulumi_drs_start.sandbox import SandboxAdmin

from .. import clock, forking, jobs, kinds, plugin
from ..engine import LAST_CALL_SECONDS, NEVER, SETTLED_SECONDS
from .command import Task, run_task, settings_for
from .console import CLIENT, Console
from .history import Call, Done, History, Operation, Saved
from .scenario import Scenario, Step

SOON_SECONDS = 120.0
UNKNOWN_JOB = jobs.job_ids(("nobody",))[0]
# What the sandbox knows of a job beside what was declared of it.
_COUNTED = {"progress", "delay_seconds", "starts", "start_requests", "retries", "pauses", "stops", "looks", "is_busy"}
_COUNTED |= {"actual_start_time", "failed_reason", "next", "history", "status", "then", "delay"}


class Stacks:
    """Runs scenarios against one sandbox.

    Args:
        sandbox: the sandbox.
        folder: for states and outputs; emptied before each scenario.
        build: a broken build to run instead of the package as it is.
    """

    def __init__(self, sandbox: SandboxAdmin, folder: Path, build: str | None = None) -> None:
        self._sandbox, self._folder, self._build = sandbox, folder, build

    def run(self, scenario: Scenario) -> History:
        """Run a scenario, and what is asked afterwards."""
        states: list[dict[str, Any]] = [{}, {}]
        has_copy = any(step.stack for step in scenario.steps)
        steps = self.run_steps(scenario, states)
        last = scenario.steps[-1]
        quiet = Step(last.program, rest_seconds=SETTLED_SECONDS)
        again = self.command(scenario, quiet, states, is_alone=not has_copy)
        preview = self.command(scenario, replace(quiet, command="preview", rest_seconds=0.0), states, is_alone=not has_copy)
        self._begin(scenario, steps[-1].facts_before)
        fresh = self.command(scenario, quiet, [{}, {}], is_alone=True)
        return History(scenario, steps, again, preview, fresh)

    def run_steps(self, scenario: Scenario, states: list[dict[str, Any]]) -> list[Done]:
        """Run its steps alone; `states` are those of two new stacks, and are brought up to date."""
        for leftover in self._folder.iterdir():
            leftover.unlink()
        clock.begin(runs=False)
        self._begin(scenario)
        steps: list[Done] = []
        exports: list[dict[str, Any]] = []
        has_copy = any(step.stack for step in scenario.steps)
        for step in scenario.steps:
            self._travel(step, states, exports)
            steps.append(self.command(scenario, step, states, is_alone=not has_copy))
            exports.append(copy.deepcopy(states[step.stack]))
        return steps

    def command(self, scenario: Scenario, step: Step, states: list[dict[str, Any]], *, is_alone: bool) -> Done:
        """Make one step; `states` are those of the stacks, and are brought up to date."""
        self._rest(step.rest_seconds)
        ids = jobs.job_ids(scenario.jobs)
        console = Console(self._sandbox, ids, [scenario.name_of(index) for index in range(len(ids))])
        for act in step.before:
            console.act(act)
        for fault in step.faults:
            self._sandbox.inject(**kinds.make_fault(fault.kind, fault.operation, fault.times, fault.skip))
        self._sandbox.clear_calls()
        state = states[step.stack]
        done = Done(step, before=self._saved(scenario, state), facts_before=self._sandbox.jobs(), began=self._now())
        self._carry_out(scenario, done, self._declared(step, ids), state, is_alone=is_alone)
        done.ended_at, done.facts_after = self._now(), self._sandbox.jobs()
        done.faults = sum(fault.times for fault in step.faults) - sum(fault["times"] for fault in self._sandbox.faults())
        self._sandbox.clear_faults()
        done.calls = [_call(entry) for entry in self._sandbox.calls()]
        return done

    def _now(self) -> float:
        """The sandbox's time, which is also that of the calls in its log."""
        return clock.now()

    def _carry_out(
        self, scenario: Scenario, done: Done, declared: Mapping[str, Any], state: dict[str, Any], *, is_alone: bool
    ) -> None:
        """Make the command of a step, and note what came of it and of the state."""
        step = done.step
        task = Task(
            f"stack-{step.stack}",
            scenario,
            step,
            declared,
            state,
            settings_for(self._sandbox.url, step.mistake),
            self._sandbox.url,
            is_alone,
            self._build,
        )
        report, output = self._folder / "report", self._folder / "output"
        report.unlink(missing_ok=True)
        # A process may be killed before it writes anything.
        output.write_text("", "utf-8")
        (how,) = forking.wait([(forking.fork(partial(run_task, task), report, output), step.kill)])
        if how == "killed":
            clock.real_sleep(LAST_CALL_SECONDS)
        lines = report.read_text("utf-8").splitlines() if report.exists() else []
        self._take(done, "ok" if how == "done" else how, lines, state, scenario)
        done.texts = {"output": output.read_text("utf-8", "replace"), "state": json.dumps(state)}

    def _begin(self, scenario: Scenario, facts: Mapping[str, Any] | None = None) -> None:
        """The world as it is declared, or once more as it was."""
        self._sandbox.reset()
        self._sandbox.set_policy(**scenario.policy)
        declared = jobs.declare(scenario.jobs, scenario.open_lag_seconds)
        names = dict(zip(jobs.job_ids(scenario.jobs), map(scenario.name_of, range(len(scenario.jobs))), strict=True))
        declared = [{**job, "name": names[job["id"]]} for job in declared]
        if facts is None:
            self._sandbox.add_jobs(*declared)
            self._soon = clock.now() + SOON_SECONDS
            return
        self._sandbox.add_jobs(*(_as_it_was(job) for job in facts.values()))
        deleted = [job for job in declared if job["id"] not in facts]
        self._sandbox.add_jobs(*deleted)
        console = Console(self._sandbox, list(names), list(names.values()))
        for job in deleted:
            console.delete(job["id"])

    def _travel(self, step: Step, states: list[dict[str, Any]], exports: list[dict[str, Any]]) -> None:
        """Let a stack's state go back in time, get lost, or be copied."""
        if step.state == "lost":
            states[step.stack] = {}
        elif step.state == "copied":
            states[step.stack] = copy.deepcopy(states[1 - step.stack])
        elif step.state is not None:
            states[step.stack] = copy.deepcopy(exports[int(step.state.removeprefix("then "))])

    def _declared(self, step: Step, ids: list[str]) -> dict[str, dict[str, Any]]:
        declared = {resource.name: self._inputs(resource, ids) for resource in step.program}
        if step.mistake == "unknown id":
            next(iter(declared.values()))["jobs"].append(UNKNOWN_JOB)
        elif step.mistake == "malformed time":
            next(iter(declared.values()))["start_time"] = "tomorrow"
        return declared

    def _inputs(self, resource: Any, ids: list[str]) -> dict[str, Any]:
        listed: list[Any] = []
        times = {"past": "2020-01-01T00:00:00Z", "never": NEVER, "soon": _iso(self._soon)}
        for job in resource.jobs:
            more = {"desired_state": job.desired_state, "start_time": times.get(job.start_time)}
            given = {name: value for name, value in more.items() if value is not None}
            listed.append({"job_id": ids[job.index], **given} if given else ids[job.index])
        place = {"project_id": self._other_project} if resource.is_elsewhere else {}
        return {"jobs": listed, **place, **resource.inputs}

    _other_project = settings_for("", "project")["projectId"]

    def _rest(self, seconds: float) -> None:
        if seconds:
            clock.jump(seconds)

    def _saved(self, scenario: Scenario, state: Mapping[str, Any]) -> dict[str, Saved]:
        """A state with Python's names."""
        return {
            key: Saved(**{**saved, "inputs": _bag(scenario, saved["inputs"]), "outputs": _bag(scenario, saved["outputs"])})
            for key, saved in copy.deepcopy(dict(state)).items()
        }

    def _take(self, done: Done, how: str, lines: list[str], state: dict[str, Any], scenario: Scenario) -> None:
        """Read what a process reported, and save what the engine would save."""
        declared: dict[str, Any] = {}
        done.ended = how
        for line in lines:
            fact = json.loads(line)
            if "declared" in fact:
                declared |= fact["declared"]
            elif "operation" in fact:
                told = fact["operation"]
                outputs = None if told["outputs"] is None else _bag(scenario, told["outputs"])
                done.operations.append(Operation(**{**told, "outputs": outputs}))
            elif "save" in fact:
                key, saved = fact["save"]
                if saved is None:
                    state.pop(key, None)
                else:
                    state[key] = saved
            elif "change" in fact:
                done.changes.add(fact["change"])
            elif "token" in fact:
                done.tokens.add(fact["token"])
            elif "needless" in fact:
                done.needless.append(fact["needless"])
            elif "acted" in fact:
                done.acted.append(tuple(fact["acted"]))
                if fact["deleted"]:
                    done.facts_deleted[fact["deleted"]["id"]] = fact["deleted"]
            elif "crash" in fact:
                done.operations.append(Operation("", "cancel", crash=fact["crash"]))
            elif "ended" in fact and how == "ok":
                done.ended = fact["ended"]
        done.declared, done.after = declared, self._saved(scenario, state)


def _as_it_was(job: Mapping[str, Any]) -> dict[str, Any]:
    """A job to be declared again, so that it stands where it stood."""
    declared = {name: value for name, value in job.items() if name not in _COUNTED}
    # What was ahead of it when it was declared is still ahead only where it has not moved.
    then = {"then": job["then"]} if job["then"] and job["history"][0][1] == job["status"] else {}
    return {**declared, **then, "status": job["status"], "delay": job["delay"]}


def _bag(scenario: Scenario, bag: Mapping[str, Any]) -> Mapping[str, Any]:
    return plugin.bag(bag) if scenario.front == "native" else bag


def _call(entry: Mapping[str, Any]) -> Call:
    return Call(
        entry["operation"],
        entry["project_id"],
        tuple(entry["jobs"]),
        tuple(entry["done"]),
        entry["start_times"],
        entry["status"],
        entry["fault"],
        entry["client"] != CLIENT,
        entry["sandbox_time"],
    )


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
