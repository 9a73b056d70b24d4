"""
Runs a scenario with the real engine: every step is a `pulumi` command, and what was seen of it is told as of the modelled one.

The clock is as fast as in the campaign, in the sandbox and in the processes that serve resources (see `inside`). A command takes a
second or two, which are minutes then: what a scenario comes to must not depend on how long commands take.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pulumi_drs_start.sandbox import Sandbox
from tests.e2e.conftest import ROOT, Stack, YamlStack, environment_of
from tests.e2e.programs import Batch, Expression, batch, with_python_names

from .. import clock, jobs, kinds
from ..schedule import CANCELS
from . import inside
from .history import Call, Done, Operation, Saved
from .scenario import Resource, Scenario, Step

HUNG_SECONDS = 40.0
"""Real seconds after which a command is taken for hung."""

_EMPTY = json.dumps({"version": 3, "deployment": {}})
_CHANGES = {"create", "update", "replace", "create-replacement", "delete", "delete-replaced"}


def site(folder: Path) -> dict[str, str]:
    """The environment of Pythons, warm ones included, that let `inside` in; `folder` takes what makes them."""
    (folder / "sitecustomize.py").write_text(inside.SITE)
    return {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}


class Real:
    """Runs one scenario.

    Args:
        sandbox: as new.
        new_project: a project with a new stack, to be copied.
        folder: empty, for all that comes into being.
        path: folders that come first on PATH: of Python and the plugin, and of pulumi.
        environment: see `site`.
    """

    def __init__(
        self, sandbox: Sandbox, new_project: Path, folder: Path, path: tuple[Path, ...], environment: Mapping[str, str]
    ) -> None:
        self._sandbox, self._new_project, self._folder, self._path = sandbox, new_project, folder, path
        self._environment = environment
        self._stacks: dict[int, Stack] = {}
        self._exports: list[Any] = []

    def run(self, scenario: Scenario) -> list[Done]:
        """All steps."""
        self._sandbox.set_policy(speed=clock.SPEED, **scenario.policy)
        self._sandbox.add_jobs(*jobs.declare(scenario.jobs, scenario.open_lag_seconds))
        return [self._run(scenario, step) for step in scenario.steps]

    def _run(self, scenario: Scenario, step: Step) -> Done:
        stack = self._stack(scenario, step.stack)
        self._travel(step, stack)
        if step.rest_seconds:
            self._sandbox.advance(step.rest_seconds)
        stack.declares(*(_declared(scenario, one, self._sandbox) for one in step.program))
        for fault in step.faults:
            self._sandbox.inject(**kinds.make_fault(fault.kind, fault.operation, fault.times, fault.skip))
        report = self._folder / "report"
        report.unlink(missing_ok=True)
        done = Done(step, before=_saved(stack), facts_before=self._sandbox.jobs())
        number = len(self._sandbox.calls())
        done.ended, done.texts["output"] = self._command(step, stack, report)
        self._sandbox.clear_faults()
        done.after, done.facts_after = _saved(stack), self._sandbox.jobs()
        done.calls = [_call(call) for call in self._sandbox.calls()[number:]]
        facts = [json.loads(line) for line in report.read_text().splitlines()] if report.exists() else []
        for fact in (fact["operation"] for fact in facts if "operation" in fact):
            done.operations.append(Operation(fact["resource"], fact["what"], "failed" if fact["failed"] else None))
        self._exports.append(_checkpoint(stack))
        return done

    def _stack(self, scenario: Scenario, number: int) -> Stack:
        if number not in self._stacks:
            folder = Path(shutil.copytree(self._new_project, self._folder / f"project{number}"))
            home = {"PULUMI_HOME": str(self._folder / f"home{number}"), "PULUMI_BACKEND_URL": f"file://{folder}"}
            environment = {**environment_of(*self._path), **home, **self._sandbox.environment, **self._environment}
            native = scenario.front == "native"
            self._stacks[number] = YamlStack(folder, environment, self._path[0]) if native else Stack(folder, environment)
        return self._stacks[number]

    def _travel(self, step: Step, stack: Stack) -> None:
        """See `Step.state`."""
        if step.state is None:
            return
        if step.state == "copied":
            state = _checkpoint(self._stacks[1 - step.stack])
        else:
            state = None if step.state == "lost" else self._exports[int(step.state.split()[1])]
        file = self._folder / "export.json"
        file.write_text(json.dumps({"version": 3, "deployment": state}) if state else _EMPTY)
        imported = stack.run("stack", "import", "--file", str(file))
        if imported.exit_code:
            raise AssertionError(imported.output)

    def _command(self, step: Step, stack: Stack, report: Path) -> tuple[str, str]:
        kill = step.kill if step.kill and step.kill.moment not in CANCELS else None
        now = (self._sandbox.now(), time.monotonic())
        todo = {"report": str(report), "clock": now, "kill": asdict(kill) if kill else None}
        stack.environment[inside.VARIABLE] = json.dumps(todo)
        began = time.monotonic()
        output = self._folder / "output"
        with output.open("w") as printed:
            process = subprocess.Popen(
                ["pulumi", *_arguments(step, stack), "--non-interactive", "--color=never"],
                cwd=stack.folder,
                env=stack.environment | _mistaken(step, self._sandbox),
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            is_killed = False
            while process.poll() is None:
                if dying := _dying(report):
                    os.killpg(process.pid, signal.SIGKILL)
                    os.kill(dying, signal.SIGKILL)
                    is_killed = True
                    process.wait()
                elif time.monotonic() - began > HUNG_SECONDS:
                    os.killpg(process.pid, signal.SIGKILL)
                    return "hung", output.read_text()
                time.sleep(0.01)
        if is_killed:
            stack.run("cancel", "--yes")
            return "killed", output.read_text()
        return "failed" if process.returncode else "ok", output.read_text()


def _dying(report: Path) -> int | None:
    """The process that has come to its end, see `inside`."""
    for line in report.read_text().splitlines() if report.exists() else ():
        if '"dying"' in line:
            return int(json.loads(line)["dying"])
    return None


def _arguments(step: Step, stack: Stack) -> list[str]:
    is_preview = step.command == "preview" or "--preview-only" in step.options
    words = [step.command, *([] if is_preview else ["--yes", "--skip-preview"]), *step.options]
    for option, names in (("--target", step.targets), ("--replace", step.replaces)):
        words += [word for name in names for word in (option, stack.urn(name))]
    return words


def _mistaken(step: Step, sandbox: Sandbox) -> dict[str, str]:
    wrong = {
        "password": {"OS_PASSWORD": "wrong"},
        "project": {"OS_PROJECT_ID": "f" * 32},
        "endpoint": {"DRS_ENDPOINT": sandbox.url + "/nowhere"},
        "region": {"OS_REGION_NAME": "eu-nowhere"},
    }
    return wrong.get(step.mistake or "", {})


def _declared(scenario: Scenario, one: Resource, sandbox: Sandbox) -> Batch:
    ids = jobs.job_ids(scenario.jobs)
    options: dict[str, Any] = {name: True for name in ("protect", "retain_on_delete") if getattr(one, name)}
    if one.depends_on:
        options["depends_on"] = Expression(f"[{', '.join(one.depends_on)}]", [f"${{{name}}}" for name in one.depends_on])
    if one.aliases:
        names = [f"pulumi.Alias(name={name!r})" for name in one.aliases]
        options["aliases"] = Expression(f"[{', '.join(names)}]", [{"name": name} for name in one.aliases])
    listed = []
    for job in one.jobs:
        fields = {"desired_state": job.desired_state, "start_time": job.start_time}
        fields = {name: value for name, value in fields.items() if value is not None}
        listed.append({"job_id": ids[job.index], **fields} if fields else ids[job.index])
    place = {"project_id": sandbox.account.other_project_id} if one.is_elsewhere else {}
    return batch(one.name, *listed, options=options, **one.inputs, **place)


def _checkpoint(stack: Stack) -> Any:
    file = stack.folder / ".pulumi" / "stacks" / "jobs" / "dev.json"
    return json.loads(file.read_text())["checkpoint"].get("latest")


def _saved(stack: Stack) -> dict[str, Saved]:
    saved: dict[str, Saved] = {}
    for one in (_checkpoint(stack) or {}).get("resources") or []:
        if one["type"] != stack.type_name:
            continue
        name = one["urn"].rpartition("::")[2]
        is_pending = bool(one.get("delete"))
        saved[f"{name} (old)" if is_pending else name] = Saved(
            one["id"],
            _bag(one.get("inputs")),
            _bag(one.get("outputs")),
            bool(one.get("initErrors")),
            bool(one.get("protect")),
            bool(one.get("retainOnDelete")),
            tuple(urn.rpartition("::")[2] for urn in one.get("dependencies") or ()),
            is_pending,
        )
    return saved


def _bag(values: Mapping[str, Any] | None) -> dict[str, Any]:
    bag: dict[str, Any] = with_python_names({name: value for name, value in (values or {}).items() if name != "__provider"})
    return bag


def _call(call: Mapping[str, Any]) -> Call:
    return Call(
        call["operation"],
        call["project_id"],
        tuple(call["jobs"]),
        tuple(call.get("done", ())),
        {},
        call["status"],
        call["fault"],
        True,
        call["time"] if "time" in call else 0.0,
    )
