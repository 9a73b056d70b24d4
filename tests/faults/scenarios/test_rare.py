"""Rare states are told apart from ordinary ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ..schedule import Kill
from .history import History, Operation, Saved
from .made import FOLLOWING, FRESH, RUNNING, SINCE, bag, call, facts, good, row
from .rare import RARE, reached
from .scenario import Job, Resource


def killed_before_it_was_saved(history: History) -> None:
    first = history.steps[0]
    first.ended, first.operations = "killed", []


def lost_answer(history: History) -> None:
    first = history.steps[0]
    history.scenario = replace(history.scenario, policy={"lag_seconds": 5})
    first.step, first.ended = replace(first.step, kill=Kill("answered", 3)), "killed"
    first.calls = [call("batch-starting", FRESH, at=10, status=None, fault="drop")]


def split(history: History) -> None:
    history.steps[0].calls.insert(0, call("batch-starting", FRESH, RUNNING, at=9, done=(), status=400))


def failed(history: History) -> None:
    outputs = bag({FRESH: row(FOLLOWING), RUNNING: row(FOLLOWING, "failed")}, RUNNING)
    history.steps[1].operations.append(Operation("r", "update", "job could not be started", outputs))


def others_between(history: History) -> None:
    calls = [call("batch-status", FRESH, at=8, done=()), call("batch-starting", FRESH, at=9, is_ours=False)]
    history.steps[0].calls[:0] = calls


def renamed(history: History) -> None:
    last = history.steps[1]
    last.step = replace(last.step, program=(Resource("new", (Job(0), Job(1)), aliases=("r",)),))
    last.after = {"new": last.before["r"]}


def spared(history: History) -> None:
    last = history.steps[1]
    last.before = {**last.before, "gone": Saved("gone", {}, bag({RUNNING: row(FOLLOWING)}, on_destroy="stop"))}
    last.operations.append(Operation("gone", "delete"))


def lost(history: History) -> None:
    history.steps[1].step = replace(history.steps[1].step, state="lost")


def cancelled(history: History) -> None:
    first = history.steps[0]
    first.step, first.ended = replace(first.step, kill=Kill("cancelled", 300)), "failed"


def misoperation(history: History) -> None:
    history.steps[1].step = replace(history.steps[1].step, mistake="password")
    history.steps[1].facts_before = facts({**SINCE, RUNNING: [(0.0, "PAUSING")]})


def waited_in_vain(history: History) -> None:
    outputs = bag({FRESH: row(FOLLOWING), RUNNING: row("STARTJOBING")}, RUNNING, __records={RUNNING: {"is_unfinished": True}})
    history.steps[1].operations.append(Operation("r", "update", outputs=outputs))


REACHED: dict[Callable[[History], None], str] = {
    killed_before_it_was_saved: "killed after acceptance",
    lost_answer: "lost answer lag and kill",
    split: "batch split to one",
    failed: "failed while updating",
    others_between: "others between look and call",
    renamed: "alias kept a record",
    spared: "spared by another",
    lost: "state lost while jobs run",
    cancelled: "cancelled within a batch",
    misoperation: "misoperation while paused",
    waited_in_vain: "time limit reached",
}


def test_an_ordinary_history_reaches_none() -> None:
    assert reached(good()) == set()


@pytest.mark.parametrize("change", REACHED, ids=lambda change: change.__name__)
def test_a_rare_state_is_recognised(change: Callable[[History], None]) -> None:
    history = good()
    change(history)

    assert REACHED[change] in reached(history)


def test_no_name_comes_twice() -> None:
    assert len(set(RARE)) == len(RARE)
