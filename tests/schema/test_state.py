"""What is written to the state is what the next operation remembers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_drs_start.reconcile.actual import ActualJob
from pulumi_drs_start.reconcile.declared import DesiredJob, DesiredState, Goal
from pulumi_drs_start.reconcile.outcome import JobOutcome, Result, outcome_of, refreshed, result_of
from pulumi_drs_start.reconcile.phase import Phase
from pulumi_drs_start.reconcile.plan import Case, make_cases
from pulumi_drs_start.reconcile.record import Action, JobRecord, Request
from pulumi_drs_start.schema.messages import Messages
from pulumi_drs_start.schema.state import from_state, to_state


def to_outputs(result: Result) -> dict[str, Any]:
    """The outputs as the state keeps them."""
    outputs: dict[str, Any] = json.loads(json.dumps(to_state({}, result, Messages())))
    return outputs


def records_of(outputs: dict[str, Any]) -> Mapping[str, JobRecord]:
    return from_state(outputs).records


STATUSES = ["STARTJOBING", "INCRE_TRANSFER_STARTED", "PAUSING", "FULL_TRANSFER_FAILED", "RELEASE_RESOURCE_COMPLETE", "DELETED"]


def stored(status: str, record: JobRecord) -> dict[str, Any]:
    """The outputs after an operation that found this status, as the state keeps them."""
    outcome = outcome_of(Case(DesiredJob("a"), ActualJob("a", status), record, Goal.RUNNING, 1000.0))
    rows = to_outputs(Result({"a": outcome}))
    rows["job_statuses"]["a"] = {name: value for name, value in rows["job_statuses"]["a"].items() if value is not None}
    return rows


@given(st.lists(st.sampled_from(STATUSES), min_size=1, max_size=6))
def test_a_job_once_seen_started_is_never_forgotten(history: list[str]) -> None:
    record = JobRecord(accepted_at=999.0, accepted_now=True)
    for status in history:
        outputs = stored(status, record)
        statuses = {"a": ActualJob("a", status)}
        seen = result_of(make_cases([DesiredJob("a")], statuses, records_of(outputs), Goal.RUNNING, 1000.0))
        outputs = {**outputs, **to_outputs(refreshed(from_state(outputs), seen))}
        record = records_of(outputs)["a"]
        assert record.was_started


def test_a_job_that_ran_is_no_failure_when_it_ends_while_nobody_looks() -> None:
    """Between two operations DRS did not show it once: only the state still knows that it ran."""
    running = stored_record("INCRE_TRANSFER_STARTED", JobRecord())
    not_shown = stored_record("MISSING", running)

    over = outcome_of(Case(DesiredJob("a"), ActualJob("a", "RELEASE_RESOURCE_COMPLETE"), not_shown, Goal.RUNNING, 1000.0))

    assert not_shown.was_started
    assert (over.outcome, over.is_fulfilled) == ("unchanged", True)


@pytest.mark.parametrize("name", ["accepted_at", "lost_at"])
def test_a_start_that_no_status_proves_yet_is_remembered_with_its_time(name: str) -> None:
    record = JobRecord(**{name: 990.5})  # type: ignore[arg-type]

    assert getattr(records_of(stored("CONFIGURATION", record))["a"], name) == 990.5


def test_a_start_that_the_status_proves_needs_no_record() -> None:
    assert stored("STARTJOBING", JobRecord(accepted_at=990.0, accepted_now=True))["__records"] == {}


def test_a_job_that_was_over_before_we_came_is_not_remembered_as_started() -> None:
    assert not records_of(stored("RELEASE_RESOURCE_COMPLETE", JobRecord()))["a"].was_started


@pytest.mark.parametrize("damaged", [None, [], "x", {"a": None}, {"a": {"phase": 7}}])
def test_damaged_state_is_read_as_nothing_known(damaged: object) -> None:
    assert all(record.accepted_at is None for record in records_of({"job_statuses": damaged}).values())


REQUESTS = st.one_of(
    st.sampled_from([Action.START, Action.RESUME, Action.PAUSE, Action.STOP]).map(Request),
    st.integers(1_700_000_000_000, 4_000_000_000_000).map(lambda ms: Request(Action.SCHEDULE, ms)),
)
TIMES = st.none() | st.integers(0, 2_000_000_000_000).map(lambda ms: ms / 1000)


@given(REQUESTS, TIMES, TIMES)
def test_what_was_asked_and_not_proved_survives_the_state(request: Request, accepted: float | None, lost: float | None) -> None:
    outcome = JobOutcome(
        "a", "X", Phase.RUNNING, "failed", False, record=JobRecord(request=request, accepted_at=accepted, lost_at=lost)
    )

    outputs = to_outputs(Result({"a": outcome}))

    record = records_of(outputs)["a"]
    assert (record.accepted_at, record.lost_at) == (accepted, lost)
    if accepted is not None or lost is not None:
        assert record.request == request


def test_a_request_of_a_later_version_explains_nothing() -> None:
    outputs = {"job_statuses": {}, "__records": {"a": {"request": "clone", "accepted_at": "2026-01-01T00:00:00Z"}}}

    assert records_of(outputs)["a"].accepted_at is None


def stored_record(status: str, record: JobRecord, *, now: float = 1000.0, **desired: Any) -> JobRecord:
    """What is known of a job after an operation, and after a refresh that found the same."""
    job = DesiredJob("a", **desired)
    outcome = outcome_of(Case(job, ActualJob("a", status, start_time=record.scheduled_for), record, Goal.RUNNING, now))
    return records_of(to_outputs(Result({"a": outcome})))["a"]


def test_a_pause_of_ours_is_remembered_until_the_job_runs() -> None:
    paused = stored_record("PAUSING", JobRecord(request=Request(Action.PAUSE), accepted_at=990.0), state=DesiredState.PAUSED)
    assert paused.paused_here
    assert stored_record("MISSING", paused).paused_here
    assert stored_record("PAUSING", paused).paused_here
    assert not stored_record("INCRE_TRANSFER_STARTED", paused).paused_here
    assert not stored_record("PAUSING", JobRecord(), state=DesiredState.PAUSED).paused_here


def test_a_stop_that_was_declared_is_remembered() -> None:
    stopped = stored_record("RELEASE_RESOURCE_COMPLETE", JobRecord(was_started=True), state=DesiredState.STOPPED)
    assert stopped.stopped_here
    assert stored_record("MISSING", stopped).stopped_here
    assert not stored_record("RELEASE_RESOURCE_COMPLETE", JobRecord(was_started=True)).stopped_here


def test_a_job_that_was_seen_over_is_remembered_when_drs_forgets_it() -> None:
    ended = stored_record("RELEASE_RESOURCE_COMPLETE", JobRecord(was_started=True))
    assert ended.was_ended
    assert stored_record("MISSING", ended).was_ended
    assert not stored_record("RELEASE_RESOURCE_STARTED", JobRecord(was_started=True)).was_ended
    assert not stored_record("MISSING", JobRecord(was_started=True)).was_ended


def test_a_schedule_that_was_seen_cancelled_stays_so_after_its_time() -> None:
    scheduled = stored_record("WAITING_FOR_START", JobRecord(scheduled_for=2_000_000))
    assert (scheduled.scheduled_for, scheduled.was_started) == (2_000_000, False)
    cancelled = stored_record("RELEASE_RESOURCE_COMPLETE", scheduled)
    assert cancelled.ended_unstarted
    assert stored_record("RELEASE_RESOURCE_COMPLETE", cancelled, now=5000.0).ended_unstarted


def test_a_schedule_whose_time_has_passed_when_the_job_is_over_is_remembered_as_started() -> None:
    scheduled = stored_record("WAITING_FOR_START", JobRecord(scheduled_for=2_000_000))
    assert stored_record("RELEASE_RESOURCE_COMPLETE", scheduled, now=2000.0).was_started


@pytest.mark.parametrize("status", ["RELEASE_RESOURCE_COMPLETE", "MISSING", "START_JOB_FAILED", "CREATE_FAILED"])
def test_a_refresh_that_finds_a_job_lost_records_a_failure(status: str) -> None:
    recorded = {"job_statuses": {"a": {"outcome": "scheduled", "phase": "scheduled"}}, "__records": {}}
    seen = result_of(make_cases([DesiredJob("a")], {"a": ActualJob("a", status)}, records_of(recorded), Goal.RUNNING, 1000.0))

    assert [job.job_id for job in refreshed(from_state(recorded), seen).failed] == ["a"]


def test_a_refresh_that_finds_a_job_unstarted_records_no_failure() -> None:
    recorded = {"job_statuses": {"a": {"outcome": "started", "phase": "running"}}, "__records": {}}
    seen = result_of(
        make_cases([DesiredJob("a")], {"a": ActualJob("a", "CONFIGURATION")}, records_of(recorded), Goal.RUNNING, 1000.0)
    )

    assert refreshed(from_state(recorded), seen).failed == []
