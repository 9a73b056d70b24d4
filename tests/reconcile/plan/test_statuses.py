"""What each status means: the table of the design, written out once more by hand."""

from __future__ import annotations

import pytest

from pulumi_drs_start.drs.calls.models import MISSING_STATUS
from pulumi_drs_start.reconcile.phase import STARTED_PHASES, Phase, phase_of

PHASES = {
    "pending": ["CREATING"],
    "startable": ["CONFIGURATION"],
    "scheduled": ["WAITING_FOR_START"],
    "starting": ["STARTJOBING"],
    "running": [
        "FULL_TRANSFER_STARTED",
        "FULL_TRANSFER_COMPLETE",
        "INCRE_TRANSFER_STARTED",
        "CHANGE_JOB_STARTED",
        "CHILD_TRANSFER_STARTING",
        "CHILD_TRANSFER_STARTED",
        "CHILD_TRANSFER_COMPLETE",
        "CHILD_TRANSFER_FAILED",
        "RELEASE_CHILD_TRANSFER_STARTED",
        "RELEASE_CHILD_TRANSFER_COMPLETE",
        "REBUILD_NODE_STARTED",
        "REBUILD_NODE_FAILED",
        "NODE_UPGRADE_START",
        "NODE_UPGRADE_COMPLETE",
        "NODE_UPGRADE_FAILED",
        "A_STATUS_OF_NEXT_YEAR",
    ],
    "paused": ["PAUSING", "PAUSEING"],
    "failed": ["FULL_TRANSFER_FAILED", "INCRE_TRANSFER_FAILED", "CHANGE_JOB_FAILED"],
    "start_failed": ["START_JOB_FAILED", "STARTJOB_FAILED"],
    "ended": ["RELEASE_RESOURCE_STARTED", "RELEASE_RESOURCE_FAILED", "RELEASE_RESOURCE_COMPLETE", "DELETED"],
    "dead": ["CREATE_FAILED"],
    "missing": [MISSING_STATUS],
}


@pytest.mark.parametrize(("phase", "status"), [(phase, status) for phase, all_of in PHASES.items() for status in all_of])
def test_a_status_has_the_phase_that_the_design_gives_it(phase: str, status: str) -> None:
    assert phase_of(status).value == phase


def test_every_phase_is_in_the_table() -> None:
    assert {phase.value for phase in Phase} == PHASES.keys()


def test_a_phase_reads_as_its_word() -> None:
    assert f"{Phase.START_FAILED}" == "start_failed"


def test_only_a_job_that_was_started_can_be_in_a_started_phase() -> None:
    assert {phase.value for phase in STARTED_PHASES} == {"starting", "running", "paused", "failed"}
