"""What is written to the state is what the next operation remembers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_drs_start.drs.models import JobStatus
from pulumi_drs_start.memory import Action, Memory, Patience, Request
from pulumi_drs_start.outcome import JobOutcome, Result, observe, outcome_of
from pulumi_drs_start.outputs import after_refresh, leaving_memories, memories_of, to_outputs
from pulumi_drs_start.plan import DesiredJob, Goal
from pulumi_drs_start.status import Phase

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


REQUESTS = st.one_of(
    st.sampled_from([Action.START, Action.RESUME, Action.PAUSE, Action.STOP]).map(Request),
    st.integers(1_700_000_000_000, 4_000_000_000_000).map(lambda ms: Request(Action.SCHEDULE, ms)),
)
TIMES = st.none() | st.integers(0, 2_000_000_000_000).map(lambda ms: ms / 1000)


@given(REQUESTS, TIMES, TIMES)
def test_what_was_asked_and_not_proved_survives_the_state(request: Request, accepted: float | None, lost: float | None) -> None:
    outcome = JobOutcome("a", "X", Phase.RUNNING, "failed", False, request=request, accepted_at=accepted, lost_at=lost)

    outputs = json.loads(json.dumps(to_outputs({}, Result({"a": outcome}))))

    memory = memories_of(outputs)["a"]
    assert (memory.accepted_at, memory.lost_at) == (accepted, lost)
    if accepted is not None or lost is not None:
        assert memory.request == request


def test_a_request_of_a_later_version_explains_nothing() -> None:
    outputs = {"job_statuses": {}, "remembered": {"a": {"request": "clone", "accepted_at": "2026-01-01T00:00:00Z"}}}

    assert memories_of(outputs)["a"].accepted_at is None


def test_a_job_that_could_not_be_brought_to_rest_is_not_forgotten() -> None:
    left = JobOutcome("a", "X", Phase.RUNNING, "failed", False)
    at_rest = JobOutcome("b", "PAUSING", Phase.PAUSED, "paused", True)

    outputs = to_outputs({}, Result({}, leaving={"a": left, "b": at_rest}))

    assert list(leaving_memories(outputs)) == ["a"]
    assert outputs["job_statuses"] == {}
    assert outputs["summary"] == {"total": 0}
