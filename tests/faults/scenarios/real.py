"""
Runs scenarios with the real engine: every step is a `pulumi` command, and what was seen of it is told as of the modelled one.

Time is the campaign's in the sandbox and in the processes that serve resources, see `inside`. A killed command is one whose
processes all die; the user then does what he has to, ``pulumi cancel``.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pulumi_drs_start.sandbox import SandboxAdmin
from tests.e2e.conftest import ROOT, Stack, YamlStack, environment_of, make_project
from tests.e2e.programs import Batch, Expression, batch
from tests.e2e.warm import warm_python

from .. import clock, hosting
from ..forking import HUNG_SECONDS
from ..schedule import CANCELS
from . import inside
from .command import settings_for
from .history import OLD, Done, Saved
from .scenario import Resource, Scenario, Step
from .stack import Stacks


class Real(Stacks):
    """Runs scenarios with the real engine. The state of a stack is the deployment that Pulumi has stored.

    Args:
        sandbox: the sandbox.
        folder: for everything; emptied before each scenario.
        project: with a new stack, to be copied.
        path: the folders that come first on PATH; in the first is the plugin.
        environment: of all of Pulumi's processes, see `whereabouts`.
    """

    def __init__(
        self, sandbox: SandboxAdmin, folder: Path, project: Path, path: tuple[Path, ...], environment: Mapping[str, str]
    ) -> None:
        super().__init__(sandbox, folder)
        self._project, self._path, self._environment = project, path, environment

    def run_steps(self, scenario: Scenario, states: list[dict[str, Any]]) -> list[Done]:
        shutil.rmtree(self._folder)
        self._folder.mkdir()
        return super().run_steps(scenario, states)

    def _carry_out(
        self,
        scenario: Scenario,
        done: Done,
        declared: Mapping[str, Any],
        state: dict[str, Any],
        *,
        is_alone: bool,  # noqa: ARG002 - nobody asks here what a program must know
    ) -> None:
        step = done.step
        stack = self._stack(scenario, step)
        if _stored(stack).get("resources") != state.get("resources"):
            self._import(stack, state)
        stack.declares(*(_batch(stack, one, declared[one.name]) for one in step.program))
        report = self._folder / "report"
        report.unlink(missing_ok=True)
        how, output = self._run_pulumi(scenario, step, stack, report)
        lines = report.read_text("utf-8").splitlines() if report.exists() else []
        state.clear()
        state.update(_stored(stack))
        self._take(done, how, lines, state, scenario)
        done.texts = {"output": output, "state": json.dumps(state)}

    def _saved(self, scenario: Scenario, state: Mapping[str, Any]) -> dict[str, Saved]:
        saved: dict[str, Any] = {}
        for one in state.get("resources") or ():
            if not one["type"].endswith(":JobBatchStart"):
                continue
            key, is_pending = _name(one["urn"]), bool(one.get("delete"))
            while is_pending and (key in saved or not key.endswith(OLD)):
                key += OLD
            saved[key] = {
                "id": one["id"],
                "inputs": _without_provider(one.get("inputs", {})),
                "outputs": _without_provider(one.get("outputs", {})),
                "is_failed": bool(one.get("initErrors")),
                "protect": bool(one.get("protect")),
                "retain_on_delete": bool(one.get("retainOnDelete")),
                "depends_on": tuple(map(_name, one.get("dependencies") or ())),
                "is_pending": is_pending,
            }
        return super()._saved(scenario, saved)

    def _stack(self, scenario: Scenario, step: Step) -> Stack:
        folder = self._folder / f"project-{step.stack}"
        if not folder.exists():
            shutil.copytree(self._project, folder)
        home = {"PULUMI_HOME": str(self._folder / "home"), "PULUMI_BACKEND_URL": f"file://{folder}"}
        settings = hosting.environment_of(settings_for(self._sandbox.url, step.mistake))
        environment = {**environment_of(*self._path), **home, **self._environment, **settings}
        return YamlStack(folder, environment, self._path[0]) if scenario.front == "native" else Stack(folder, environment)

    def _import(self, stack: Stack, state: Mapping[str, Any]) -> None:
        file = self._folder / "export.json"
        file.write_text(json.dumps({"version": 3, "deployment": state}))
        imported = stack.run("stack", "import", "--file", str(file))
        if imported.exit_code:
            raise AssertionError(imported.output)

    def _run_pulumi(self, scenario: Scenario, step: Step, stack: Stack, report: Path) -> tuple[str, str]:
        """How it ended, and what it printed."""
        todo = {"scenario": scenario.to_json(), "step": scenario.steps.index(step), "sandbox": self._sandbox.url}
        stack.environment[inside.VARIABLE] = json.dumps({**todo, "report": str(report)})
        file = self._folder / "output"
        with file.open("w") as printed:
            process = subprocess.Popen(
                ["pulumi", *_words(step, stack), "--non-interactive", "--color=never"],
                cwd=stack.folder,
                env=stack.environment,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            how = _wait(process, report, step)
        if how in ("killed", "hung"):
            stack.run("cancel", "--yes")
        return how, file.read_text("utf-8", "replace")


@contextmanager
def ready(engine: str, python: Path, sandbox: SandboxAdmin) -> Iterator[Real]:
    """The real engine, which must share the clock of this process.

    Args:
        engine: the folder of `pulumi`.
        python: the folder of Python.
        sandbox: the sandbox.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sitecustomize.py").write_text(inside.SITE)
        (folder / "new").mkdir()
        (folder / "scenario").mkdir()
        environment = {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]), clock.FILE: os.environ[clock.FILE]}
        project = make_project(engine, folder / "new")
        with warm_python(python, environment_of() | environment) as warm:
            yield Real(sandbox, folder / "scenario", project, (warm, python, Path(engine)), environment)


def _wait(process: subprocess.Popen[bytes], report: Path, step: Step) -> str:
    """Wait for a command, and kill or interrupt it where that is scheduled; how it ended."""
    began = clock.real_monotonic()
    served: float | None = None
    interrupts = 0 if step.kill is None or step.kill.moment not in CANCELS else 1 + CANCELS.index(step.kill.moment)
    while process.poll() is None:
        clock.real_sleep(0.005)
        now = clock.real_monotonic()
        lines = report.read_text("utf-8").splitlines() if report.exists() else []
        dying = next((int(json.loads(line)["dying"]) for line in lines if '"dying"' in line), None)
        if dying is not None or now - began > HUNG_SECONDS:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if dying is not None:
                os.kill(dying, signal.SIGKILL)
            return "killed" if dying is not None else "hung"
        served = now if lines and served is None else served
        if interrupts and step.kill and served is not None and (now - served) * 1000 >= step.kill.call:
            process.send_signal(signal.SIGINT)
            interrupts -= 1
    return "failed" if process.returncode else "ok"


def _words(step: Step, stack: Stack) -> list[str]:
    is_preview = step.command == "preview" or "--preview-only" in step.options
    words = [step.command, *([] if is_preview else ["--yes", "--skip-preview"]), *step.options]
    for option, names in (("--target", step.targets), ("--replace", step.replaces)):
        words += [word for name in names for word in (option, stack.urn(name))]
    return words


def _batch(stack: Stack, one: Resource, declared: Mapping[str, Any]) -> Batch:
    options: dict[str, Any] = {name: True for name in ("protect", "retain_on_delete") if getattr(one, name)}
    if one.depends_on:
        options["depends_on"] = Expression(f"[{', '.join(one.depends_on)}]", [f"${{{name}}}" for name in one.depends_on])
    if one.aliases:
        # Programs in YAML may not give the name alone.
        options["aliases"] = [stack.urn(name) for name in one.aliases]
    inputs = dict(declared)
    listed = inputs.pop("jobs")
    if one.found is not None:
        pattern = f"{one.found}-*"
        invoked = {"function": "drs:index:findJobs", "arguments": {"name": pattern}, "return": "jobIds"}
        inputs["jobs"] = Expression(f"find_jobs(name={pattern!r})", {"fn::invoke": invoked})
        listed = []
    return batch(one.name, *listed, options=options, **inputs)


def _stored(stack: Stack) -> dict[str, Any]:
    file = stack.folder / ".pulumi" / "stacks" / "jobs" / "dev.json"
    return json.loads(file.read_text("utf-8"))["checkpoint"].get("latest") or {}


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _without_provider(bag: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in bag.items() if name != "__provider"}
