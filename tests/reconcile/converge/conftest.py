"""Operations against a sandbox on a virtual clock: whoever sleeps moves the time of both, so waits cost next to nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.clock import Clock
from pulumi_drs_start.drs.http import budget
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.drs.http.retry import RetryPolicy
from pulumi_drs_start.reconcile.converge import converge
from pulumi_drs_start.reconcile.declared import DesiredJob, Goal
from pulumi_drs_start.reconcile.observe import StatusReader
from pulumi_drs_start.reconcile.outcome import JobOutcome, Result
from pulumi_drs_start.reconcile.send import BatchLimit
from pulumi_drs_start.sandbox import Sandbox
from pulumi_drs_start.schema.messages import Messages

Run = Callable[..., Result]


def said(outcome: JobOutcome) -> str | None:
    """What is said to be wrong with a job."""
    wrong = Messages().wrong(outcome) if outcome.problem else None
    return wrong.message if wrong else None


def advice(outcome: JobOutcome) -> str:
    """What is said to do about it."""
    wrong = Messages().wrong(outcome)
    return wrong.advice if wrong else ""


class VirtualClock(Clock):
    """The clock of the machine, moved ahead by every sleep, and the sandbox's with it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._skipped = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self._skipped

    def time(self) -> float:
        return time.time() + self._skipped

    def sleep(self, seconds: float) -> None:
        self._sandbox.advance(seconds)
        self._skipped += seconds


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox whose jobs take five seconds to start, and then run for good."""
    with Sandbox(start_seconds=5, full_seconds=1e6) as running:
        yield running


@pytest.fixture
def clock(sandbox: Sandbox) -> VirtualClock:
    """The time of these tests."""
    return VirtualClock(sandbox)


@pytest.fixture(autouse=True)
def _few_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sleep in parts is a call of the sandbox for each of them."""
    monkeypatch.setattr(budget, "SLICE_SECONDS", 5.0)


@pytest.fixture
def now(clock: VirtualClock) -> Callable[[], float]:
    """Seconds since the epoch, as these tests have them."""
    return clock.time


@pytest.fixture
def client(make_client: Any) -> DrsClient:
    """Repeats a call for up to a quarter of a minute."""
    client: DrsClient = make_client(retry=RetryPolicy(attempts=5))
    return client


@pytest.fixture
def run(client: DrsClient, clock: VirtualClock) -> Run:
    """Converges jobs; `desired` are fields of every job; `timeout`, `goal` and what else `converge` takes may be others."""

    def run_(*job_ids: str, timeout: float = 600, is_wanted: Callable[[], bool] = lambda: True, **options: Any) -> Result:
        options = {"goal": Goal.RUNNING, **options}
        fields = options.pop("desired", {})
        if "batch_size" in options:
            options["batch"] = BatchLimit(options.pop("batch_size"))
        desired = [DesiredJob(job_id, **fields) for job_id in job_ids]
        return converge(
            StatusReader(options.pop("client", client)),
            desired,
            budget=TimeBudget(timeout, clock=clock, is_wanted=is_wanted),
            **options,
        )

    return run_
