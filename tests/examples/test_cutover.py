"""`examples/cutover`: a stack that waits for copies, and another one that switches over behind a gate."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import EXAMPLES, Project, jobs_in_readme

pytestmark = pytest.mark.engine

ORDERS, BILLING, STOCK = jobs_in_readme("cutover")
README = (EXAMPLES / "cutover" / "README.md").read_text(encoding="utf-8")
SET_UP, *_ = re.findall(r"```sh\n(.*?)```", README, re.S)
OLD, NEW = "mysql://10.0.0.152:3306", "mysql://192.168.0.20:3306"
OPTIONS = {"up": ("--yes", "--skip-preview"), "destroy": ("--yes", "--skip-preview")}


@dataclass
class Night:
    """Both projects, each with a stack."""

    project: Project
    sandbox: Sandbox

    def pulumi(self, stack: str, command: str, *options: str) -> str:
        """What a command that succeeds prints."""
        return self.project.pulumi("-C", stack, command, *OPTIONS.get(command, ()), *options)

    def refused(self, stack: str, command: str) -> str:
        """What a command that fails prints."""
        said = self.project.refused("-C", stack, command, *OPTIONS.get(command, ()))
        assert "Traceback" not in said
        return said

    def configure(self, stack: str, name: str, value: str) -> None:
        self.pulumi(stack, "config", "set", name, value)

    def outputs(self, stack: str) -> dict[str, Any]:
        outputs: dict[str, Any] = json.loads(self.pulumi(stack, "stack", "output", "--json"))
        return outputs

    def rests(self, stack: str) -> bool:
        """Whether preview and up find nothing to do."""
        self.pulumi(stack, "preview", "--expect-no-changes")
        self.pulumi(stack, "up", "--expect-no-changes")
        return True

    @property
    def database(self) -> str:
        """What the application uses."""
        return (self.project.folder / "application.txt").read_text(encoding="utf-8").strip()

    def statuses(self) -> set[str]:
        return {job["status"] for job in self.sandbox.jobs().values()}

    def stops(self) -> list[list[str]]:
        """The jobs of each request to stop some."""
        return [sorted(call["jobs"]) for call in self.sandbox.calls("batch-jobs")]


@pytest.fixture
def night(sandbox: Sandbox, make_example: Callable[[str], Project]) -> Night:
    """The projects as the README sets them up; but nobody waits for five minutes here."""
    sandbox.add_jobs(
        make_job(ORDERS, name="crm-orders", full_seconds=0, delay={"seconds": 340, "falls": 70}),
        make_job(BILLING, name="crm-billing", full_seconds=0),
        make_job(STOCK, name="crm-stock", full_seconds=0),
    )
    night = Night(make_example("cutover"), sandbox)
    for command in SET_UP.replace("5m", "1s").splitlines():
        ended = night.project.run("sh", "-c", command)
        assert ended.returncode == 0, ended.stderr
    assert night.database == OLD
    return night


def test_the_night_from_the_start_of_the_jobs_to_their_end(night: Night) -> None:
    sandbox = night.sandbox

    # Before the copies have caught up there is nothing to switch over to.
    assert "run pulumi up there until it succeeds" in night.refused("switch", "preview")

    said = night.pulumi("replicate", "up")
    assert re.search(r"2 of 3 synced; crm-orders \(9f1c6f6e…\) is \d+ s behind, falling", said)
    assert "3 jobs: started 3, synced 3" in said
    outputs = night.outputs("replicate")
    assert outputs["ready"] is True
    assert outputs["problems"] == {}
    assert sorted(outputs["job_ids"]) == sorted(outputs["statuses"]) == sorted([ORDERS, BILLING, STOCK])
    assert night.rests("replicate")

    # Somebody still writes to the source.
    sandbox.set_delay(ORDERS, seconds=52, falls=0)
    for command in ("preview", "up"):
        closed = night.refused("switch", command)
        assert "1 of 3 jobs is not synced (max_delay is 0s). crm-orders (9f1c6f6e…) is 52 s behind." in closed
    assert night.database == OLD

    sandbox.set_delay(ORDERS, seconds=0)
    night.pulumi("switch", "preview")
    assert night.database == OLD
    night.pulumi("switch", "up")
    assert night.database == NEW
    assert night.outputs("switch") == {"database": NEW}
    assert night.rests("switch")
    assert night.rests("replicate")
    assert night.stops() == []

    night.configure("switch", "finish", "true")
    preview = night.pulumi("switch", "preview")
    assert "will STOP 3 jobs FOR GOOD: " in preview
    assert night.stops() == []
    night.pulumi("switch", "up")
    assert night.stops() == [sorted([ORDERS, BILLING, STOCK])]
    assert night.statuses() == {"RELEASE_RESOURCE_COMPLETE"}
    assert night.database == NEW

    assert night.rests("switch")
    assert night.rests("replicate")
    for stack in ("switch", "replicate"):
        night.pulumi(stack, "destroy")
    assert night.database == NEW
    assert len(night.stops()) == 1
    assert len(sandbox.calls("batch-starting")) == 1
