"""The modelled engine does what the real one does: states, calls and exits of commands are the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.conftest import find_engine

from ..campaign import ROOT
from ..clock import FILE
from ..schedule import FRONTS
from .cases import CASES, NOT_MODELLED, QUICK, scenario_of
from .compare import differences
from .history import Call, Done, Operation, Saved
from .scenario import Scenario, Step

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


@pytest.mark.engine
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("name", "front"), [(name, front) for name in CHOSEN for front in FRONTS if (name, front) not in NOT_MODELLED]
)
def test_the_model_does_what_the_engine_does(compare: Callable[[Scenario], list[str]], name: str, front: str) -> None:
    found = compare(scenario_of(name, front))

    assert not found, "\n".join(found)


def test_what_a_model_does_otherwise_is_told() -> None:
    start = Call("batch-starting", None, ("a",), ("a",), {}, 200, None, True, 0.0)
    right = Done(Step(()), after={"r": Saved("1", {"jobs": ["a"]}, {"ready": True})}, calls=[start], texts={"output": ""})
    wrong = {
        "end": replace(right, ended="failed"),
        "is_failed": replace(right, after={"r": Saved("2", {"jobs": ["a"]}, {"ready": True}, is_failed=True)}),
        "ready": replace(right, after={"r": Saved("2", {"jobs": ["a"]}, {"ready": False})}),
        "operations": replace(right, operations=[Operation("r", "delete")]),
        "acting calls": replace(right, calls=[start, start]),
    }

    assert not list(differences(0, right, right))
    for words, one in wrong.items():
        assert words in "".join(differences(0, one, right))
