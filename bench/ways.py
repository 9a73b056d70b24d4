"""The ways to start jobs that are measured, and what is measured of each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from .watching import Usage
from .world import BenchError, World

FIRST, SECOND, REST, DRIFT, REFRESH = "first up", "second up", "preview at rest", "preview, 1 % drift", "refresh"
COMMANDS = (FIRST, SECOND, REST, DRIFT, REFRESH)


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of one way: what each command took. Scripts have no preview, no refresh and no state."""

    usages: Mapping[str, Usage]
    state_bytes: int | None

    @property
    def memory_bytes(self) -> int:
        """The peak of the plugin, or of the script."""
        return max(usage.memory_bytes for usage in self.usages.values())


@dataclass(frozen=True, slots=True)
class Way:
    """One way to start jobs.

    Attributes:
        name: in the table.
        run: does it all once, for jobs that are seeded.
        largest: more jobs would take too long; they are not run.
    """

    name: str
    run: Callable[[World, list[str]], Sample]
    largest: int | None = None


def _pulumi(program: str, world: World, job_ids: list[str]) -> Sample:
    project = world.new_project(program)
    run = partial(world.run, project, "pulumi")
    flags = ("--non-interactive", "--color=never", "--suppress-progress")
    usages = {FIRST: run("up", "--yes", *flags)}
    state_bytes = world.state_bytes()
    _check_running(world, job_ids)
    usages[SECOND] = run("up", "--yes", *flags)
    usages[REST] = run("preview", *flags)
    world.drift(job_ids)
    usages[DRIFT] = run("preview", *flags)
    usages[REFRESH] = run("refresh", "--yes", "--skip-preview", *flags)
    world.remove(project)
    return Sample(usages, state_bytes)


def _script(way: str, world: World, job_ids: list[str]) -> Sample:
    command = (sys.executable, "-m", "bench.vendor", way)
    usages = {FIRST: world.run(world.folder, *command)}
    _check_running(world, job_ids)
    usages[SECOND] = world.run(world.folder, *command)
    return Sample(usages, None)


def _floor(world: World, _job_ids: list[str]) -> Sample:
    # It asks DRS nothing: there is no job to check afterwards, and no drift that it could see.
    return _pulumi("floor", world, [])


def _check_running(world: World, job_ids: list[str]) -> None:
    jobs: dict[str, dict[str, Any]] = world.sandbox.jobs()
    wrong = [job_id for job_id in job_ids if jobs[job_id]["starts"] != 1 or jobs[job_id]["status"] != "FULL_TRANSFER_STARTED"]
    if wrong:
        raise BenchError(f"{len(wrong)} of {len(job_ids)} jobs were not started once and running, {wrong[0]} for one")


OURS, FLOOR = Way("ours", partial(_pulumi, "ours")), Way("floor", _floor)
OTHERS = (
    Way("SDK, one batch", partial(_script, "batch")),
    Way("SDK, loop", partial(_script, "loop"), largest=100),
    Way("resource per job", partial(_pulumi, "naive"), largest=100),
)
