"""Scenarios that are made from seeds are valid, as various as they should be, and the same wherever they are made."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from .edits import SIDES
from .make import FEATURES, make_scenario, wrong
from .scenario import ACTS, COMMANDS, MISTAKES, Scenario, from_json
from .smaller import size, smaller

SEEDS = range(1, 301)
FEW = range(1, 11)
ROOT = Path(__file__).resolve().parents[3]
PRINT = f"""
from tests.faults.scenarios.make import make_scenario
for seed in range({FEW.start}, {FEW.stop}):
    print(make_scenario(seed).to_json())
"""


@pytest.fixture(scope="module")
def scenarios() -> list[Scenario]:
    return [make_scenario(seed) for seed in SEEDS]


def test_scenarios_are_valid(scenarios: list[Scenario]) -> None:
    assert {one.seed: found for one in scenarios if (found := list(wrong(one)))} == {}


def test_a_scenario_survives_the_way_to_its_worker(scenarios: list[Scenario]) -> None:
    assert all(from_json(one.to_json()) == one for one in scenarios)


def test_a_seed_gives_the_same_scenario_in_every_process() -> None:
    """Otherwise a failing seed would not replay."""
    command = [sys.executable, "-c", PRINT]
    for hash_seed in ("0", "1"):
        done = subprocess.run(command, cwd=ROOT, env={"PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines() == [make_scenario(seed).to_json() for seed in FEW]


def _met(scenario: Scenario) -> Iterator[str]:
    """All that there is in a scenario, by name."""
    yield from (*scenario.features, *scenario.hurried, scenario.front)
    for step in scenario.steps:
        yield from (step.command, *step.options, step.state or "", step.mistake or "", *(act.what for act in step.before))
        yield from (f"{act.what} meanwhile" for act in step.during)
        yield step.kill.moment if step.kill else ""
        yield f"stack {step.stack}"
        yield from ("--target",) if step.targets else ()
        yield from ("--replace",) if step.replaces else ()
        for one in step.program:
            yield from (f"finds {one.found}", f"alias: {bool(one.aliases)}", f"depends: {bool(one.depends_on)}")
            yield from (f"{name}={value}" for name, value in one.inputs.items())
            yield from (f"{job.desired_state}, {job.start_time}" for job in one.jobs)


def test_nothing_is_left_to_later_seeds(scenarios: list[Scenario]) -> None:
    met = {what for one in scenarios for what in _met(one)}

    assert met >= {*FEATURES, *COMMANDS, *MISTAKES, *ACTS, *(f"{act} meanwhile" for act in ACTS)}
    assert met >= {"--refresh", "--preview-only", "--continue-on-error", "--target", "--replace"}
    assert met >= {"lost", "copied", "then 0", "then 1", "stack 1", "dynamic", "native"}
    assert met >= {"before", "sent", "answered", "unsaved", "time", "cancelled", "abandoned"}
    assert met >= {"alias: True", "depends: True", *(f"finds {side}" for side in SIDES)}
    assert met >= {"on_destroy=pause", "on_destroy=stop", "resume=True", "on_failure=record"}
    assert met >= {"wait_for=synced", "wait_for=accepted", "timeout=10s"}
    assert met >= {"None, None", "None, past", "None, soon", "None, never", "paused, None", "stopped, None", "started, None"}


@pytest.mark.parametrize("seed", FEW)
def test_smaller_variants_are_valid_and_smaller(seed: int) -> None:
    scenario = make_scenario(seed)

    for variant in smaller(scenario):
        assert list(wrong(variant)) == []
        assert size(variant) < size(scenario)
        assert from_json(variant.to_json()) == variant


@pytest.mark.parametrize("seed", FEW)
def test_what_goes_wrong_anywhere_gets_as_small_as_one_job(seed: int) -> None:
    scenario = make_scenario(seed)

    while found := list(islice(smaller(scenario), 1)):
        (scenario,) = found

    assert len(scenario.steps) == 1
    assert len(scenario.jobs) <= len(SIDES)
