"""Operations against a sandbox whose time passes fifty times as fast, and ours with it: numbers can be those of real life."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.clock import Clock
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.drs.http.retry import RetryPolicy
from pulumi_drs_start.reconcile.converge import converge
from pulumi_drs_start.reconcile.declared import DesiredJob, Goal
from pulumi_drs_start.reconcile.observe import StatusReader
from pulumi_drs_start.reconcile.outcome import Result
from pulumi_drs_start.reconcile.send import BatchLimit
from pulumi_drs_start.sandbox import Sandbox

SPEED = 50.0
_BEGUN = time.monotonic()

Run = Callable[..., Result]


class FastClock(Clock):
    """Seconds that pass fifty times as fast."""

    def monotonic(self) -> float:
        return (time.monotonic() - _BEGUN) * SPEED

    def time(self) -> float:
        return 1_800_000_000.0 + self.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / SPEED)


CLOCK = FastClock()


@pytest.fixture
def now() -> Callable[[], float]:
    """The time of these tests."""
    return CLOCK.time


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox whose jobs take five seconds to start, and then run for good."""
    with Sandbox(speed=SPEED, start_seconds=5, full_seconds=1e6) as running:
        yield running


@pytest.fixture
def client(make_client: Any) -> DrsClient:
    """Repeats a call for up to a quarter of a minute."""
    client: DrsClient = make_client(retry=RetryPolicy(attempts=5))
    return client


@pytest.fixture
def run(client: DrsClient) -> Run:
    """Converges jobs; `desired` are fields of every job; `timeout`, `goal` and what else `converge` takes may be others."""

    def run_(*job_ids: str, timeout: float = 600, is_wanted: Callable[[], bool] = lambda: True, **options: Any) -> Result:
        budget = TimeBudget(timeout, clock=CLOCK, is_wanted=is_wanted)
        options = {"goal": Goal.RUNNING, "now": CLOCK.time, **options}
        fields = options.pop("desired", {})
        if "batch_size" in options:
            options["batch"] = BatchLimit(options.pop("batch_size"))
        desired = [DesiredJob(job_id, **fields) for job_id in job_ids]
        return converge(StatusReader(options.pop("client", client)), desired, budget=budget, **options)

    return run_
