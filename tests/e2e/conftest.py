"""Programs run by the real pulumi command, in a folder and a home of their own, against a sandbox."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job
from pulumi_drs_start.schema.dialect import PYTHON, YAML, Dialect

from .programs import TYPE, Batch, batch, in_python, in_yaml, with_python_names
from .warm import warm_python

ROOT = Path(__file__).parents[2]

both_fronts = pytest.mark.parametrize("front", ["dynamic", "native"], indirect=True)
"""Marks tests that run twice: with a program in Python and its dynamic provider, and with one in YAML and the plugin."""

warm_if_native = pytest.mark.parametrize("front", [pytest.param("dynamic", marks=pytest.mark.cold), "native"], indirect=True)
"""Marks tests for both fronts whose Pythons are cold where the program is in Python."""

_begun: list[int] = []
"""The sessions of commands that this process has begun and not ended."""

# Calls that change something.
_ACTIONS = ("batch-starting", "batch-precheck", "batch-pause-task", "batch-retry-task", "batch-jobs")


@pytest.fixture(scope="session")
def engine() -> str:
    """See `find_engine`."""
    return find_engine()


def find_engine() -> str:
    """The folder of a real pulumi command; built if there is none."""
    script = ROOT / ".ci" / "engine.py"
    return subprocess.run([sys.executable, script], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(start_seconds=0.1, full_seconds=3600) as running:
        yield running


def actions(sandbox: Sandbox) -> list[tuple[str, str, list[str]]]:
    """The calls that would change something: which, in which project, for which jobs."""
    return [(call["operation"], call["project_id"], call["jobs"]) for call in sandbox.calls() if call["operation"] in _ACTIONS]


def hide(sandbox: Sandbox, *job_ids: str) -> None:
    """Move jobs to another project, so that DRS does not know them in theirs any more."""
    sandbox.add_jobs(*(make_job(job_id, project_id=sandbox.account.other_project_id) for job_id in job_ids))


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something to happen in another process."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@dataclass
class Run:
    """What a command printed, and how it ended."""

    output: str
    exit_code: int

    def __contains__(self, text: str) -> bool:
        return text in self.output

    def events(self) -> list[dict[str, Any]]:
        """The events of a command run with --json."""
        return [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]

    def diagnostics(self, name: str = "batch") -> list[str]:
        """What a preview run with --json said on a resource's own row."""
        told = json.loads(self.output[self.output.index("{") :]).get("diagnostics") or []
        return [one["message"].strip() for one in told if one.get("urn", "").endswith(f"::{name}")]

    def warnings(self) -> list[str]:
        """What a command run with --json warned of, on whatever row."""
        if self.output.lstrip().startswith("{\n"):
            told = json.loads(self.output).get("diagnostics") or []
        else:
            told = [event["diagnosticEvent"] for event in self.events() if "diagnosticEvent" in event]
        return [one["message"].strip().removeprefix("warning: ") for one in told if one["severity"] == "warning"]

    def said(self, name: str = "batch") -> list[str]:
        """What a command run with --json said on a resource's own row, passing remarks included."""
        told = [event["diagnosticEvent"] for event in self.events() if "diagnosticEvent" in event]
        return [event["message"].strip() for event in told if event.get("urn", "").endswith(f"::{name}")]


@dataclass
class Stack:
    """A project in Python with one stack, and the commands a user would type."""

    folder: Path
    environment: dict[str, str]
    dialect: ClassVar[Dialect] = PYTHON
    type_name: ClassVar[str] = "pulumi-python:dynamic/drs:JobBatchStart"

    def program(self, text: str) -> None:
        """Make this the project's program."""
        head = "import pulumi\nfrom pulumi_drs_start import *\n"
        (self.folder / "__main__.py").write_text(head + textwrap.dedent(text))

    def declares(self, *batches: Batch) -> None:
        """Make the program declare these resources; of one called `batch`, it exports `programs.EXPORTS`."""
        self.program(in_python(batches))

    def starts(self, *jobs: Any, **inputs: Any) -> None:
        """Make the program declare one resource with these jobs, see `programs.batch`."""
        self.declares(batch("batch", *jobs, **inputs))

    def run(self, *arguments: str, **environment: str) -> Run:
        ended = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=self.folder,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        return Run(ended.stdout, ended.returncode)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command, in a session of its own, and do not wait for it."""
        begun = subprocess.Popen(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        _begun.append(begun.pid)
        return begun

    def up(self, *arguments: str, **environment: str) -> Run:
        return self.run("up", "--yes", "--skip-preview", *arguments, **environment)

    def preview(self, *arguments: str, **environment: str) -> Run:
        return self.run("preview", *arguments, **environment)

    def refresh(self, *arguments: str, **environment: str) -> Run:
        answer = [] if "--preview-only" in arguments else ["--yes"]
        return self.run("refresh", *answer, *arguments, **environment)

    def destroy(self, *arguments: str, **environment: str) -> Run:
        return self.run("destroy", "--yes", "--skip-preview", *arguments, **environment)

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets shown."""
        return json.loads(self.run("stack", "output", "--json", "--show-secrets").output)

    def outcomes(self) -> dict[str, str]:
        """Each job's outcome, as the state has it."""
        return {job_id: row["outcome"] for job_id, row in self.resource()["outputs"]["job_statuses"].items()}

    def later(self, seconds: float) -> dict[str, str]:
        """The environment of a command of a cold stack for which it is so much later, as far as this package asks."""
        (self.folder / "sitecustomize.py").write_text(
            textwrap.dedent(f"""
                import sys
                import time

                now = time.time

                def later():
                    # Not for all: gRPC hands what this says to code that has a clock of its own.
                    caller = sys._getframe(1).f_globals.get("__name__", "")
                    return now() + ({seconds!r} if caller.startswith("pulumi_drs_start") else 0)

                time.time = later
            """)
        )
        return {"PYTHONPATH": str(self.folder)}

    def rests(self) -> bool:
        """Whether a preview finds nothing to do."""
        return self.preview("--expect-no-changes").exit_code == 0

    def urn(self, name: str) -> str:
        """The urn of a resource of this name."""
        return f"urn:pulumi:dev::jobs::{self.type_name}::{name}"

    def resource(self, type_name: str = "JobBatchStart") -> dict[str, Any]:
        """The state of the first resource of this type."""
        state = json.loads(self.run("stack", "export").output)
        return next(r for r in state["deployment"].get("resources", []) if r["type"].endswith(type_name))


@dataclass
class YamlStack(Stack):
    """A project in YAML, with the plugin of this folder. Its state and outputs are given with Python's names."""

    plugin: Path
    dialect: ClassVar[Dialect] = YAML
    type_name: ClassVar[str] = TYPE

    def declare(self, resources: Mapping[str, Any], **rest: Any) -> None:
        """Make this the project's program. It is written as JSON, which is YAML too."""
        plugins = {"providers": [{"name": "drs", "path": str(self.plugin)}]}
        program = {"name": "jobs", "runtime": "yaml", "plugins": plugins, "resources": resources, **rest}
        (self.folder / "Pulumi.yaml").write_text(json.dumps(program, indent=1))

    def program(self, text: str) -> None:
        raise NotImplementedError("a program in Python is for the dynamic front alone")

    def declares(self, *batches: Batch) -> None:
        self.declare(**in_yaml(batches))

    def outputs(self) -> dict[str, Any]:
        return with_python_names(super().outputs())

    def resource(self, type_name: str = "JobBatchStart") -> dict[str, Any]:
        state = super().resource(type_name)
        return {**state, **{name: with_python_names(state[name]) for name in ("inputs", "outputs")}}


def environment_of(*path: Path | str) -> dict[str, str]:
    """What every process of a stack has: nothing of the user's, and these folders first on PATH."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "OS_", "DRS_", "PYTHON"))}
    return {
        **ours,
        "PATH": os.pathsep.join([*map(str, path), os.environ["PATH"]]),
        "PULUMI_CONFIG_PASSPHRASE": "correct horse",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_STACK": "dev",
        "PYTHONDONTWRITEBYTECODE": "1",
        # A pulumi command lives for a second: collecting its garbage costs more than keeping it.
        "GOGC": "400",
    }


@pytest.fixture(scope="session")
def warm() -> Iterator[Path]:
    """The folder of a `python3` that has imported everything already."""
    with warm_python(Path(sys.executable).parent, environment_of()) as folder:
        yield folder


@pytest.fixture(scope="session")
def new_project(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a new stack, to be copied: `pulumi stack init` takes half a second."""
    return make_project(engine, tmp_path_factory.mktemp("new"))


def make_project(engine: str, home: Path) -> Path:
    """A project with a new stack, in a folder of this one."""
    folder = home / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: jobs\nruntime: python\n")
    variables = {"PULUMI_HOME": str(home), "PULUMI_BACKEND_URL": f"file://{folder}"}
    made = Stack(folder, {**environment_of(engine), **variables}).run("stack", "init", "dev")
    assert made.exit_code == 0, made.output
    return folder


@pytest.fixture
def front(request: pytest.FixtureRequest) -> str:
    """Which front the test's stacks use; see `both_fronts`."""
    return str(getattr(request, "param", "dynamic"))


@pytest.fixture
def make_stack(
    request: pytest.FixtureRequest, engine: str, new_project: Path, tmp_path: Path, front: str
) -> Iterator[Callable[..., Stack]]:
    """
    Makes stacks that share nothing with the user's pulumi.

    Their Pythons are warm (see `warm`), but for those of another environment, and of tests marked as cold: where processes are
    killed or interrupted, where Python is to obey the environment, where secrets are looked for, and of some that are there
    to show the whole as it is.
    """

    def make(sandbox: Sandbox, *, python: Path | None = None, project: str = "project") -> Stack:
        folder = Path(shutil.copytree(new_project, tmp_path / project))
        path = [(python or Path(sys.executable)).parent, engine]
        if python is None and request.node.get_closest_marker("cold") is None:
            path.insert(0, request.getfixturevalue("warm"))
        home = {"PULUMI_HOME": str(tmp_path / "home"), "PULUMI_BACKEND_URL": f"file://{folder}"}
        environment = {**environment_of(*path), **home, **sandbox.environment}
        return Stack(folder, environment) if front == "dynamic" else YamlStack(folder, environment, Path(path[0]))

    yield make
    while _begun:
        # A host of Pulumi's outlives a command that is killed, in a process group of its own.
        subprocess.run(["pkill", "-KILL", "-s", str(_begun.pop())], check=False)


@pytest.fixture
def stack(make_stack: Callable[..., Stack], sandbox: Sandbox) -> Stack:
    """A stack whose environment points at the sandbox."""
    return make_stack(sandbox)
