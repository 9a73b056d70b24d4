"""Projects of this repository, run by the real pulumi in a folder of their own against a sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pulumi_drs_start.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def bare_environment() -> dict[str, str]:
    """The environment without a developer's clouds and stacks."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "DRS_", "PULUMI_"))}


@dataclass
class Project:
    """A project with one stack."""

    folder: Path
    environment: dict[str, str]

    def pulumi(self, *arguments: str) -> str:
        """The output of a command that succeeds."""
        command = ["pulumi", *arguments, "--non-interactive", "--color=never"]
        ended = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        outputs: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json"))
        return outputs

    def resources(self) -> list[dict[str, Any]]:
        """What the stack consists of."""
        resources: list[dict[str, Any]] = json.loads(self.pulumi("stack", "export"))["deployment"].get("resources", [])
        return resources


@pytest.fixture(scope="session")
def engine() -> str:
    """The folder of a real pulumi; built if there is none."""
    finding = subprocess.run([sys.executable, ROOT / ".ci" / "engine.py"], check=True, stdout=subprocess.PIPE, text=True)
    return finding.stdout.strip()


@pytest.fixture
def make_project(engine: str, tmp_path: Path, sandbox: Sandbox) -> Callable[[Path], Project]:
    """Makes a project with a stack of the one in a folder. What it writes is beside it."""

    def make(folder: Path) -> Project:
        environment = {
            **bare_environment(),
            **sandbox.environment,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), engine, os.environ["PATH"]]),
            "PULUMI_HOME": str(tmp_path / "home"),
            "PULUMI_BACKEND_URL": tmp_path.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        project = Project(folder, environment)
        project.pulumi("stack", "init", "test")
        return project

    return make
