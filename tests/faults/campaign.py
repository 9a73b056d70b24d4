"""
Many schedules and scenarios, spread over worker processes; a failing one is made as small as it can be.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from . import shrink as schedules
from .scenarios import smaller as scenarios
from .scenarios.scenario import Scenario
from .schedule import Schedule

Case = Schedule | Scenario

ROOT = Path(__file__).resolve().parents[2]
SHRINK_SECONDS = 90.0

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a schedule or a scenario: see `judge.Verdict`, and `scenarios.rare` for the rare states that it reached."""

    case: Case
    violations: tuple[tuple[str, str], ...]
    starts: int
    requests: int
    faults: int
    kills: int
    seconds: float
    rare: tuple[str, ...] = ()


class WorkerDiedError(Exception):
    """The campaign itself is broken; the worker's traceback is on the error output."""


class Worker:
    """A worker process; one at a time.

    Args:
        build: a broken build to run instead of the package as it is.
        is_exhaustive: it takes worlds rather than schedules, see `exhaustive`.
    """

    def __init__(self, build: str | None = None, *, is_exhaustive: bool = False) -> None:
        words = [*([build] if build else []), *(["--exhaustive"] if is_exhaustive else [])]
        command = [sys.executable, "-m", "tests.faults.worker", *words]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, case: Case) -> Outcome:
        """Run a schedule or a scenario."""
        answer = self.ask(f"{type(case).__name__.lower()} {case.to_json()}")
        violations = tuple((kind, words) for kind, words in answer.pop("violations"))
        return Outcome(case, violations, rare=tuple(answer.pop("rare", ())), **answer)

    def ask(self, line: str) -> dict[str, Any]:
        """Hand the process a line, and read its answer."""
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise WorkerDiedError(line)
        process.stdin.write(line + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            raise WorkerDiedError(line)
        read: dict[str, Any] = json.loads(answer)
        return read

    def stop(self) -> None:
        """End the process, its sandbox included."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def run_all(cases: Iterable[Case], workers: int, build: str | None = None) -> Iterator[Outcome]:
    """Run them on so many workers; outcomes come as they are ready."""
    return spread(cases, [Worker(build) for _ in range(workers)], Worker.run)


def spread(items: Iterable[Item], everyone: list[Worker], do: Callable[[Worker, Item], Result]) -> Iterator[Result]:
    """Let workers do something with each item; results come as they are ready."""
    idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
    for worker in everyone:
        idle.put(worker)

    def run(item: Item) -> Result:
        worker = idle.get()
        try:
            return do(worker, item)
        finally:
            idle.put(worker)

    try:
        with ThreadPoolExecutor(len(everyone)) as threads:
            for done in as_completed([threads.submit(run, item) for item in items]):
                yield done.result()
    finally:
        for worker in everyone:
            worker.stop()


def shrink(outcome: Outcome, run: Callable[[Case], Outcome]) -> Outcome | None:
    """A smaller case that goes wrong in the same way, as small as it gets in `SHRINK_SECONDS`.

    None if the case itself does not go wrong again: then chance has a part in it, and smaller ones would tell nothing.
    """
    until = time.monotonic() + SHRINK_SECONDS

    def goes_wrong(case: Case) -> Outcome | None:
        tried = run(case)
        return tried if {kind for kind, _ in outcome.violations} & {kind for kind, _ in tried.violations} else None

    found = goes_wrong(outcome.case)
    improved = found is not None
    while found is not None and improved:
        improved = False
        for candidate in _smaller(found.case):
            if time.monotonic() > until:
                return found
            if (better := goes_wrong(candidate)) is not None:
                found, improved = better, True
                break
    return found


def _smaller(case: Case) -> Iterator[Case]:
    yield from schedules.smaller(case) if isinstance(case, Schedule) else scenarios.smaller(case)


@dataclass(slots=True)
class Tally:
    """Sums over cases; `violations` counts those in which something of a kind went wrong."""

    cases: int = 0
    jobs: int = 0
    starts: int = 0
    requests: int = 0
    faults: int = 0
    kills: int = 0
    seconds: float = 0.0
    violations: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Count one in."""
        self.cases += 1
        self.jobs += len(outcome.case.jobs)
        self.starts += outcome.starts
        self.requests += outcome.requests
        self.faults += outcome.faults
        self.kills += outcome.kills
        self.seconds += outcome.seconds
        self.violations.update({kind for kind, _ in outcome.violations})
