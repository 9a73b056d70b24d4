"""Programs in YAML, run by the real pulumi command with the plugin of this environment, in a project of their own."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pulumi_drs_start.sandbox import Sandbox
from tests.e2e.conftest import Stack, environment_of

PLUGIN = "pulumi-resource-drs"
TYPE = "drs:index:JobBatchStart"


@dataclass
class YamlStack(Stack):
    """A project in YAML. Programs are given as JSON, which is YAML too."""

    def declare(self, resources: Mapping[str, Any], **rest: Any) -> None:
        """Make this the project's program."""
        plugins = {"providers": [{"name": "drs", "path": str(Path(sys.executable).parent)}]}
        program = {"name": "jobs", "runtime": "yaml", "plugins": plugins, "resources": resources, **rest}
        (self.folder / "Pulumi.yaml").write_text(json.dumps(program, indent=1))

    def starts(self, *jobs: Any, **inputs: Any) -> None:
        """Make the program declare one resource with these jobs, with inputs by Pulumi's names."""
        self.declare(
            {"batch": {"type": TYPE, "properties": {"jobs": list(jobs), **inputs}}},
            outputs={"statuses": "${batch.jobStatuses}", "ready": "${batch.ready}"},
        )

    def outcomes(self) -> dict[str, str]:
        return {job_id: row["outcome"] for job_id, row in self.resource()["outputs"]["jobStatuses"].items()}

    def urn(self, name: str) -> str:
        return f"urn:pulumi:dev::jobs::{TYPE}::{name}"


@pytest.fixture
def make_stack(engine: str, new_project: Path, tmp_path: Path) -> Callable[..., YamlStack]:
    """Makes stacks that share nothing with the user's pulumi."""

    def make(sandbox: Sandbox, project: str = "project", **environment: str) -> YamlStack:
        folder = Path(shutil.copytree(new_project, tmp_path / project))
        home = {"PULUMI_HOME": str(tmp_path / "home"), "PULUMI_BACKEND_URL": f"file://{folder}"}
        return YamlStack(folder, {**environment_of(engine), **home, **sandbox.environment, **environment})

    return make


@pytest.fixture
def stack(make_stack: Callable[..., YamlStack], sandbox: Sandbox) -> YamlStack:
    """A stack whose environment points at the sandbox."""
    return make_stack(sandbox)
