"""
A short campaign: seeded schedules and scenarios as `python -m tests.faults` runs by the hundred, and small schedules made by
Hypothesis.
"""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .campaign import Outcome, Worker, run_all
from .scenarios.make import make_scenario
from .schedule import Schedule, from_json, make_schedule

SEEDS = range(1, 17)
SCENARIO_SEEDS = range(1, 17)


def small_schedules() -> st.SearchStrategy[Schedule]:
    """The campaign's schedules with few jobs, made of choices that Hypothesis can shrink."""

    def make(rng: random.Random) -> Schedule:
        return make_schedule(0, rng, most_jobs=12, may_stick=False)

    return st.randoms(use_true_random=False).map(make)


def test_seeded_schedules_converge() -> None:
    failed = [outcome for outcome in run_all(map(make_schedule, SEEDS), workers=4) if outcome.violations]

    assert not failed, _told(failed)


def test_seeded_scenarios_end_as_they_should() -> None:
    failed = [outcome for outcome in run_all(map(make_scenario, SCENARIO_SEEDS), workers=4) if outcome.violations]

    assert not failed, _told(failed)


def _told(failed: list[Outcome]) -> str:
    return "\n".join(f"{outcome.case.describe()}\n{outcome.violations}" for outcome in failed)


@settings(
    max_examples=6,
    deadline=None,
    # Nothing is written into the repository; a failure prints the schedule.
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(schedule=small_schedules())
def test_any_small_schedule_converges(worker: Worker, schedule: Schedule) -> None:
    outcome = worker.run(schedule)

    assert not outcome.violations, f"{schedule.describe()}\n{outcome.violations}"


def test_a_seed_always_gives_the_same_schedule() -> None:
    """Otherwise a failing seed would not replay."""
    assert [make_schedule(seed) for seed in SEEDS] == [make_schedule(seed) for seed in SEEDS]


def test_a_schedule_survives_the_way_to_its_worker() -> None:
    for seed in SEEDS:
        schedule = make_schedule(seed)
        assert from_json(schedule.to_json()) == schedule
