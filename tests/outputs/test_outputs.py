"""What is written to the state is what the next operation remembers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_drs_start.drs.models import JobStatus
from pulumi_drs_start.memory import Memory, Patience
from pulumi_drs_start.outcome import Result, observe, outcome_of
from pulumi_drs_start.outputs import after_refresh, memories_of, to_outputs
from pulumi_drs_start.plan import DesiredJob, Goal

STATUSES = ["STARTJOBING", "INCRE_TRANSFER_STARTED", "PAUSING", "FULL_TRANSFER_FAILED", "RELEASE_RESOURCE_COMPLETE", "DELETED"]


def stored(status: str, memory: Memory) -> dict[str, object]:
    """The outputs after an operation that found this status, as the state keeps them."""
    outcome = outcome_of(DesiredJob("a"), JobStatus("a", status), memory, Goal.RUNNING, Patience(), 1000.0, None)
    rows = json.loads(json.dumps(to_outputs({}, Result({"a": outcome}))))
    rows["job_statuses"]["a"] = {name: value for name, value in rows["job_statuses"]["a"].items() if value is not None}
    return rows


@given(st.lists(st.sampled_from(STATUSES), min_size=1, max_size=6))
def test_a_job_once_seen_started_is_never_forgotten(history: list[str]) -> None:
    memory = Memory(accepted_at=999.0, accepted_now=True)
    for status in history:
        outputs = stored(status, memory)
        statuses = {"a": JobStatus("a", status)}
        seen = observe([DesiredJob("a")], statuses, memories_of(outputs), Goal.RUNNING, 1000.0)
        outputs = {**outputs, **to_outputs({}, after_refresh(outputs, seen))}
        memory = memories_of(outputs)["a"]
        assert memory.was_started


@pytest.mark.parametrize("name", ["accepted_at", "lost_at"])
def test_a_start_that_no_status_proves_yet_is_remembered_with_its_time(name: str) -> None:
    memory = Memory(**{name: 990.5})  # type: ignore[arg-type]

    assert getattr(memories_of(stored("CONFIGURATION", memory))["a"], name) == 990.5


def test_a_start_that_the_status_proves_needs_no_memory() -> None:
    assert stored("STARTJOBING", Memory(accepted_at=990.0, accepted_now=True))["remembered"] == {}


def test_a_job_that_was_over_before_we_came_is_not_remembered_as_started() -> None:
    assert not memories_of(stored("RELEASE_RESOURCE_COMPLETE", Memory()))["a"].was_started


@pytest.mark.parametrize("damaged", [None, [], "x", {"a": None}, {"a": {"phase": 7}}])
def test_damaged_state_is_read_as_nothing_known(damaged: object) -> None:
    assert all(memory.accepted_at is None for memory in memories_of({"job_statuses": damaged}).values())
