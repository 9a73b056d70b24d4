"""The candidates: ways to start jobs that are measured, and what is measured of each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from .environment import BenchError, Environment
from .watching import Usage

FIRST, SECOND, REST, DRIFT, REFRESH = "first up", "second up", "preview at rest", "preview, 1 % drift", "refresh"
COMMANDS = (FIRST, SECOND, REST, DRIFT, REFRESH)


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of one candidate: what each command took. Scripts have no preview, no refresh and no state."""

    usages: Mapping[str, Usage]
    state_bytes: int | None

    @property
    def memory_bytes(self) -> int:
        """The peak of the plugin, or of the script."""
        return max(usage.memory_bytes for usage in self.usages.values())


@dataclass(frozen=True, slots=True)
class Candidate:
    """One candidate to start jobs.

    Attributes:
        name: in the table.
        run: does it all once, for jobs that are seeded.
        largest: more jobs would take too long; they are not run.
    """

    name: str
    run: Callable[[Environment, list[str]], Sample]
    largest: int | None = None


def _pulumi(program: str, environment: Environment, job_ids: list[str]) -> Sample:
    project = environment.new_project(program, job_ids)
    run = partial(environment.run, project, "pulumi")
    flags = ("--non-interactive", "--color=never", "--suppress-progress")
    usages = {FIRST: run("up", "--yes", *flags)}
    state_bytes = environment.state_bytes()
    _check_running(environment, job_ids)
    usages[SECOND] = run("up", "--yes", *flags)
    usages[REST] = run("preview", *flags)
    environment.drift(job_ids)
    usages[DRIFT] = run("preview", *flags)
    usages[REFRESH] = run("refresh", "--yes", "--skip-preview", *flags)
    environment.remove(project)
    return Sample(usages, state_bytes)


def _script(candidate: str, environment: Environment, job_ids: list[str]) -> Sample:
    command = (sys.executable, "-m", "bench.vendor", candidate)
    usages = {FIRST: environment.run(environment.folder, *command)}
    _check_running(environment, job_ids)
    usages[SECOND] = environment.run(environment.folder, *command)
    return Sample(usages, None)


def _baseline(environment: Environment, _job_ids: list[str]) -> Sample:
    # It asks DRS nothing: there is no job to check afterwards, and no drift that it could see.
    return _pulumi("baseline", environment, [])


def _check_running(environment: Environment, job_ids: list[str]) -> None:
    jobs: dict[str, dict[str, Any]] = environment.sandbox.jobs()
    wrong = [job_id for job_id in job_ids if jobs[job_id]["starts"] != 1 or jobs[job_id]["status"] != "FULL_TRANSFER_STARTED"]
    if wrong:
        raise BenchError(f"{len(wrong)} of {len(job_ids)} jobs were not started once and running, {wrong[0]} for one")


OURS, BASELINE = Candidate("ours", partial(_pulumi, "ours")), Candidate("baseline", _baseline)
NATIVE = Candidate("ours, native", partial(_pulumi, "native"))
BATCH, LOOP = (
    Candidate("SDK, one batch", partial(_script, "batch")),
    Candidate("SDK, loop", partial(_script, "loop"), largest=100),
)
PER_JOB = Candidate("resource per job", partial(_pulumi, "naive"), largest=100)
OTHERS = (NATIVE, BATCH, LOOP, PER_JOB)
