"""`examples/cutover`: a stack that waits for copies, and one that switches behind a gate. `test_cutover_night` has the night."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import EXAMPLES, Project, jobs_in_readme

pytestmark = pytest.mark.engine

ORDERS, BILLING, STOCK = JOBS = jobs_in_readme("cutover")
OLD, NEW = "mysql://10.0.0.152:3306", "mysql://192.168.0.20:3306"
FOLLOWS, OVER = "INCRE_TRANSFER_STARTED", "RELEASE_RESOURCE_COMPLETE"
SET_UP = re.findall(r"```sh\n(.*?)```", (EXAMPLES / "cutover" / "README.md").read_text(encoding="utf-8"), re.S)[0]


@dataclass
class Night:
    """Both projects, each with a stack."""

    project: Project
    sandbox: Sandbox

    def run(self, commands: str) -> str:
        """What commands print that succeed, one a line, as a person would type them."""
        return "".join(self._run(command, is_to_fail=False) for command in commands.splitlines())

    def refused(self, command: str) -> str:
        """What a command prints that fails."""
        said = self._run(command.strip(), is_to_fail=True)
        assert "Traceback" not in said
        return said

    def _run(self, command: str, *, is_to_fail: bool) -> str:
        options = ""
        if command.startswith("pulumi"):
            verb = command.split()[3]
            options = f" --non-interactive --color=never{' --yes --skip-preview' if verb in ('up', 'destroy') else ''}"
        ended = self.project.run("sh", "-c", command + options)
        assert (ended.returncode != 0) == is_to_fail, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    def rests(self, stack: str) -> bool:
        """Whether preview and up find nothing to do."""
        self.run(f"pulumi -C {stack} preview --expect-no-changes\npulumi -C {stack} up --expect-no-changes")
        return True

    @property
    def database(self) -> str:
        """What the application uses."""
        return (self.project.folder / "application.txt").read_text(encoding="utf-8").strip()

    def statuses(self) -> set[str]:
        """How DRS shows the jobs."""
        return {job["status"] for job in self.sandbox.jobs().values()}

    def stops(self) -> list[list[str]]:
        """The jobs of each request to stop some."""
        return [sorted(call["jobs"]) for call in self.sandbox.calls("batch-jobs")]


@pytest.fixture
def night(sandbox: Sandbox, make_example: Callable[[str], Project]) -> Night:
    """The projects as the README sets them up; but nobody waits for minutes here."""
    names = ("crm-orders", "crm-billing", "crm-stock")
    sandbox.add_jobs(*(make_job(job_id, name=name, full_seconds=0, delay={}) for job_id, name in zip(JOBS, names, strict=True)))
    night = Night(make_example("cutover"), sandbox)
    commands = SET_UP.replace("5m", "1s").splitlines()
    night.run("\n".join(command for command in commands if " config set " not in command))
    for stack in ("replicate", "switch"):
        # Together, because a command for each takes seconds.
        values = re.findall(rf"^pulumi -C {stack} config set (?:--path )?(\S+) (\S+)$", "\n".join(commands), re.M)
        night.run(f"pulumi -C {stack} config set-all --path{''.join(f' --plaintext {name}={value}' for name, value in values)}")
    assert night.database == OLD
    return night


def test_before_the_switch_every_job_has_to_run_and_nothing_can_be_finished(night: Night) -> None:
    assert "run pulumi up there until it succeeds" in night.refused("pulumi -C switch preview")
    night.run("pulumi -C replicate up\npulumi -C switch config set finish true")

    for command in ("pulumi -C switch preview", "pulumi -C switch up"):
        assert "finish is for an application that uses mysql://192.168.0.20:3306" in night.refused(command)
    night.run("pulumi -C switch config rm finish")
    night.sandbox.set_status(STOCK, OVER, then=[])
    for command in ("pulumi -C switch preview", "pulumi -C switch up"):
        assert f"crm-stock (c6a3f0de…) is in {OVER}. Nothing was changed." in night.refused(command)

    assert night.database == OLD
    assert night.stops() == []


def test_after_the_switch_the_way_back_is_open_and_only_what_is_over_passes_the_gate(night: Night) -> None:
    night.run("pulumi -C replicate up\npulumi -C switch up")
    assert night.database == NEW
    night.sandbox.set_status(BILLING, "PAUSING")
    night.run("pulumi -C switch config set finish true")
    assert "crm-billing (0b7e7a52…) is in PAUSING" in night.refused("pulumi -C switch up")
    assert night.stops() == []

    night.run("pulumi -C switch config set back true")
    assert "finish is for an application" in night.refused("pulumi -C switch up")
    night.run("pulumi -C switch config rm finish\npulumi -C switch up")
    assert night.database == OLD
    assert night.rests("switch")
    night.run("pulumi -C switch config rm back")
    assert "crm-billing (0b7e7a52…) is in PAUSING" in night.refused("pulumi -C switch up")
    night.sandbox.set_status(BILLING, FOLLOWS)
    night.run("pulumi -C switch up")
    night.run("pulumi -C switch destroy")
    assert night.database == NEW
    assert night.stops() == []

    night.run("pulumi -C switch config set finish true\npulumi -C switch up")
    assert night.stops() == [sorted(JOBS)]
    # DRS forgets jobs that are over.
    other = night.sandbox.account.other_project_id
    night.sandbox.add_jobs(*(make_job(job_id, project_id=other) for job_id in JOBS))
    assert night.rests("switch")
