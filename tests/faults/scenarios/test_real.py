"""The modelled engine does what the real one does: states, calls and exits of commands are the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import find_engine

from ..campaign import ROOT
from ..clock import FILE
from ..schedule import FRONTS
from .cases import CASES, NOT_MODELLED, QUICK, scenario_of
from .scenario import Scenario

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

CHOSEN = CASES if os.environ.get("REAL") == "all" else QUICK


@pytest.fixture(scope="module")
def compare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Scenario], list[str]]]:
    """Tells what the engines differ in."""
    clock: Path = tmp_path_factory.mktemp("real") / "clock"
    clock.touch()
    command = [sys.executable, "-m", "tests.faults.scenarios.compare", find_engine()]
    environment = {**os.environ, FILE: str(clock)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True) as process:

        def differences(scenario: Scenario) -> list[str]:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(scenario.to_json() + "\n")
            process.stdin.flush()
            found: list[str] = json.loads(process.stdout.readline())
            return found

        yield differences
        assert process.stdin is not None
        process.stdin.close()


@pytest.mark.parametrize(
    ("name", "front"), [(name, front) for name in CHOSEN for front in FRONTS if (name, front) not in NOT_MODELLED]
)
def test_the_model_does_what_the_engine_does(compare: Callable[[Scenario], list[str]], name: str, front: str) -> None:
    found = compare(scenario_of(name, front))

    assert not found, "\n".join(found)
