"""Projects of this repository, run by the real pulumi in a folder of their own against a sandbox."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pulumi_drs_start.sandbox import Sandbox
from tests.e2e.conftest import warm  # noqa: F401  # a fixture

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
# What developers' own stacks and commands have left in an example.
_MADE = shutil.ignore_patterns("Pulumi.*.yaml", "__pycache__", ".venv", "node_modules", "sdks")
JOB_ID = re.compile(r"\b[0-9a-z]{8}(?:-[0-9a-z]{4}){3}-[0-9a-z]{12}\b")


def bare_environment() -> dict[str, str]:
    """The environment without a developer's clouds and stacks."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "DRS_", "PULUMI_", "PYTHON"))}


def copied(folder: Path, to: Path) -> Path:
    """A copy of a project, as git has it."""
    return Path(shutil.copytree(folder, to, ignore=_MADE))


def link_plugin(folder: Path) -> None:
    """Put the plugin where a project in another language than Python has it."""
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(Path(sys.executable).parent)


def jobs_in_readme(name: str) -> list[str]:
    """The ids of jobs in an example's README, each once, in the order of the text."""
    return list(dict.fromkeys(JOB_ID.findall((EXAMPLES / name / "README.md").read_text(encoding="utf-8"))))


@dataclass
class Project:
    """A project with one stack."""

    folder: Path
    environment: dict[str, str]

    def run(self, *command: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """A command, run in the project's folder."""
        return subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=seconds)

    def pulumi(self, *arguments: str) -> str:
        """What a pulumi command that succeeds prints."""
        ended = self.run("pulumi", *arguments, "--non-interactive", "--color=never")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def refused(self, *arguments: str) -> str:
        """What a pulumi command that fails prints."""
        ended = self.run("pulumi", *arguments, "--non-interactive", "--color=never")
        assert ended.returncode != 0, ended.stdout
        return ended.stdout + ended.stderr

    def follow_readme(self) -> None:
        """Set the configuration as the commands of the project's README do it."""
        readme = (self.folder / "README.md").read_text(encoding="utf-8")
        commands = re.findall(r"^pulumi config set (?:--path )?(.+)", readme, re.M)
        self._set([tuple(shlex.split(command)) for command in commands])

    def configure(self, **values: Any) -> None:
        """Set the configuration; lists and dicts path by path."""
        self._set(list(_paths(values)))

    def _set(self, pairs: list[tuple[str, ...]]) -> None:
        # Together, because a command for each takes seconds.
        assert pairs
        values = [part for path, value in pairs for part in ("--plaintext", f"{path}={value}")]
        self.pulumi("config", "set-all", "--path", *values)

    def up(self) -> str:
        """`pulumi up`."""
        return self.pulumi("up", "--yes", "--skip-preview")

    def destroy(self) -> str:
        """`pulumi destroy`."""
        return self.pulumi("destroy", "--yes", "--skip-preview")

    def stays(self) -> bool:
        """Whether preview and up find nothing to do."""
        self.pulumi("preview", "--expect-no-changes")
        self.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
        return True

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        outputs: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json"))
        return outputs

    def resources(self) -> list[dict[str, Any]]:
        """What the stack consists of."""
        resources: list[dict[str, Any]] = json.loads(self.pulumi("stack", "export"))["deployment"].get("resources", [])
        return resources


def run_through(project: Project, sandbox: Sandbox) -> None:
    """What a user does with the project: start, start again, destroy."""
    project.up()
    outputs = project.outputs()
    total = len(sandbox.jobs())
    assert outputs == {"ready": True, "summary": {"running": total, "total": total}, "problems": {}}
    assert {job["starts"] for job in sandbox.jobs().values()} == {1}

    assert project.stays()
    project.destroy()
    assert project.resources() == []
    assert {job["status"] for job in sandbox.jobs().values()} == {"FULL_TRANSFER_STARTED"}
    assert len(sandbox.calls("batch-starting")) == 1


def _paths(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _paths(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _paths(item, f"{path}[{index}]")
    else:
        yield path, value


@pytest.fixture(scope="session")
def engine() -> str:
    """The folder of a real pulumi; built if there is none."""
    finding = subprocess.run([sys.executable, ROOT / ".ci" / "engine.py"], check=True, stdout=subprocess.PIPE, text=True)
    return finding.stdout.strip()


@pytest.fixture
def make_project(request: pytest.FixtureRequest, engine: str, tmp_path: Path, sandbox: Sandbox) -> Callable[[Path], Project]:
    """Makes a project with a stack of the one in a folder, warm as in `tests/e2e`. What it writes is beside it."""

    def make(folder: Path) -> Project:
        path = [Path(sys.executable).parent, engine, os.environ["PATH"]]
        if request.node.get_closest_marker("cold") is None:
            path.insert(0, request.getfixturevalue("warm"))
        environment = {
            **bare_environment(),
            **sandbox.environment,
            "PATH": os.pathsep.join(map(str, path)),
            "PULUMI_HOME": str(tmp_path / "home"),
            "PULUMI_BACKEND_URL": tmp_path.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PYTHONDONTWRITEBYTECODE": "1",
            "GOGC": "400",
        }
        project = Project(folder, environment)
        if (folder / "Pulumi.yaml").exists():  # else a script makes it, and the stack as well
            project.pulumi("stack", "init", "test")
        return project

    return make


@pytest.fixture
def make_example(make_project: Callable[[Path], Project], tmp_path: Path) -> Callable[[str], Project]:
    """Makes a project with a stack of a copy of an example."""
    return lambda name: make_project(copied(EXAMPLES / name, tmp_path / name))
