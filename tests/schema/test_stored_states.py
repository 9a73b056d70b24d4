"""
A state of every format, as a resource left it, is still read, and a refresh that finds nothing new writes it as it was.

The files are never written anew: a format that is changed needs a new version and a file of its own.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pulumi_drs_start.drs.calls.models import CopyProgress
from pulumi_drs_start.reconcile.actual import ActualJob
from pulumi_drs_start.reconcile.declared import Declared, DesiredJob, DesiredState, OnDestroy, OnFailure, Place
from pulumi_drs_start.reconcile.outcome import refreshed, result_of
from pulumi_drs_start.reconcile.plan import make_cases
from pulumi_drs_start.reconcile.record import Action, JobRecord, Request
from pulumi_drs_start.reconcile.recorded import Recorded, RecordedRow
from pulumi_drs_start.schema.messages import Messages
from pulumi_drs_start.schema.state import FORMAT_VERSION, StateError, from_state, to_state

FOLDER = Path(__file__).parent / "states"


def stored(version: int) -> dict[str, Any]:
    state: dict[str, Any] = json.loads((FOLDER / f"format-{version}.json").read_text(encoding="utf-8"))
    return state


READ_AT = 1_795_876_810.0
"""When the state of format 1 was written, in seconds since the epoch."""

PAUSED = "a7a9dc5b-cf71-adb2-edc2-0281406jb0a5"
ONE, TWO, THREE = 4_099_770_000_000, 4_099_773_600_000, 4_099_777_200_000
SENT_AT = (1_795_876_792_814 / 1000, 1_795_876_792_815 / 1000)

RECORDED = Recorded(
    declared=Declared(
        jobs=(
            DesiredJob(PAUSED, state=DesiredState.PAUSED),
            DesiredJob("cancelled", TWO),
            DesiredJob("failed-to-start"),
            DesiredJob("gone"),
            DesiredJob("lost"),
            DesiredJob("moved", 4_102_354_800_000),
            DesiredJob("not-shown"),
            DesiredJob("not-shown-schedule", THREE),
            DesiredJob("refused"),
            DesiredJob("running"),
            DesiredJob("scheduled", ONE),
            DesiredJob("starting"),
            DesiredJob("stopped", state=DesiredState.STOPPED),
        ),
        listed=(
            *(PAUSED, "cancelled", "failed-to-start", "gone", "lost", "moved", "not-shown", "not-shown-schedule"),
            *("refused", "running", "scheduled", "starting", "stopped"),
        ),
        count=13,
        timeout_seconds=8.0,
        on_failure=OnFailure.RECORD,
        on_destroy=OnDestroy.PAUSE,
        inputs={
            name: stored(1)[name]
            for name in (
                *("jobs", "wait_for", "max_delay", "stable_for", "timeout", "resume", "precheck", "on_failure", "on_destroy"),
            )
        },
    ),
    rows={
        PAUSED: RecordedRow("paused", "paused", name="crm-paused"),
        "cancelled": RecordedRow(
            "ended",
            "failed",
            error_message="it was to start at 2099-12-01T02:00:00Z and has ended without having been started: its schedule was "
            "cancelled",
            advice="create a new job, or take it off the list",
            name="crm-cancelled",
        ),
        "failed-to-start": RecordedRow(
            "start_failed",
            "failed",
            error_message="Can not connect to the source database.",
            advice="fix the cause that DRS reports, then restart it in the DRS console or with resume=True",
            name="crm-failed-to-start",
        ),
        "gone": RecordedRow(
            "missing",
            "failed",
            error_message="it is not known to DRS",
            advice='"gone" is not a job id (36 characters); to use a name: find_jobs(name="gone")',
            name="crm-gone",
        ),
        "lost": RecordedRow(
            "startable",
            "failed",
            error_message="it may be started already: the answer to the call was lost, and the time limit of 8s was reached",
            advice="run pulumi up again: it reads the status before it sends anything",
        ),
        "moved": RecordedRow(
            "scheduled",
            "failed",
            error_code="DRS.M00304",
            error_message="This operation is not allowed in the current task status: it is scheduled for 2100-01-01T00:00:00Z "
            "and shall start at 2099-12-01T01:00:00Z",
            advice="change its time in the DRS console, or set start_time to 2100-01-01T00:00:00Z",
            name="crm-moved",
        ),
        "not-shown": RecordedRow("startable", "unchanged", advice="run pulumi up to wait for it"),
        "not-shown-schedule": RecordedRow(
            "startable", "unchanged", advice="run pulumi up to wait for it", name="crm-not-shown-schedule"
        ),
        "refused": RecordedRow(
            "startable",
            "failed",
            error_code="DRS.M00103",
            error_message="You do not have the permission to perform this operation. Check the IAM permissions.",
            advice="ask whoever administers IAM for DRS FullAccess and VPC FullAccess in the project of this job",
            name="crm-refused",
        ),
        "running": RecordedRow("running", "unchanged", name="crm-running"),
        "scheduled": RecordedRow("scheduled", "unchanged", name="crm-scheduled"),
        "starting": RecordedRow("starting", "unchanged", advice="run pulumi up to wait for it", name="crm-starting"),
        "stopped": RecordedRow("ended", "stopped", name="crm-stopped"),
    },
    records={
        PAUSED: JobRecord(was_started=True, paused_here=True),
        "cancelled": JobRecord(scheduled_for=TWO, ended_unstarted=True, was_ended=True, ended_unsynced=True),
        "failed-to-start": JobRecord(),
        "gone": JobRecord(was_started=True),
        "lost": JobRecord(lost_at=SENT_AT[1]),
        "moved": JobRecord(scheduled_for=4_102_444_800_000),
        "not-shown": JobRecord(accepted_at=SENT_AT[0], is_unfinished=True),
        "not-shown-schedule": JobRecord(request=Request(Action.SCHEDULE, THREE), accepted_at=SENT_AT[0], is_unfinished=True),
        "refused": JobRecord(),
        "running": JobRecord(was_started=True, is_synced=True),
        "scheduled": JobRecord(scheduled_for=ONE),
        "starting": JobRecord(was_started=True, is_unfinished=True),
        "stopped": JobRecord(was_started=True, was_ended=True, stopped_here=True),
    },
    place=Place("https://drs.eu-de.otc.t-systems.com", "0123456789abcdef0123456789abcdef"),
)


def test_every_format_there_was_has_its_file() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == [f"format-{n}.json" for n in range(1, FORMAT_VERSION + 1)]


def test_what_a_state_of_format_1_records() -> None:
    recorded = from_state(stored(1))

    assert recorded.declared == RECORDED.declared
    assert recorded.rows == RECORDED.rows
    assert recorded.records == RECORDED.records
    assert recorded == RECORDED


def test_a_refresh_that_finds_nothing_new_writes_the_state_as_it_was() -> None:
    state = stored(1)
    recorded, rows = from_state(state), state["job_statuses"]
    # DRS tells the time of scheduled jobs, and why a job failed to start.
    reasons = {"failed-to-start": rows["failed-to-start"]["error_message"]}
    times = {"moved": 4_102_444_800_000, "scheduled": ONE}
    actual = {
        job_id: ActualJob(job_id, row["status"], None, reasons.get(job_id), times.get(job_id), row["name"])
        for job_id, row in rows.items()
    }
    # The copy of one job had to catch up in an operation before.
    actual["running"] = replace(actual["running"], copy=CopyProgress(100.0, 2.0))

    seen = result_of(make_cases(recorded.declared.jobs, actual, recorded.records, recorded.declared.goal, READ_AT))
    inputs = {name: value for name, value in state.items() if name not in to_state({}, seen, Messages())}

    assert to_state(inputs, refreshed(recorded, seen), Messages()) == state


@pytest.mark.parametrize("version", [FORMAT_VERSION + 1, 1.5, "2", None, [1]])
def test_a_state_of_an_unknown_format_is_refused_with_what_to_do(version: Any) -> None:
    with pytest.raises(StateError, match=r"the state of this resource has format .*install the version that wrote it"):
        from_state({**stored(1), "__format": version})


def test_a_number_read_as_a_float_is_the_same_format() -> None:
    """Pulumi's wire knows no other numbers."""
    assert from_state({**stored(1), "__format": 1.0}) == RECORDED
