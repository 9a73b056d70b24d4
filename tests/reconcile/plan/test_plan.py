"""A plan as a whole."""

from __future__ import annotations

from pulumi_drs_start.drs.calls.models import MISSING_STATUS
from pulumi_drs_start.reconcile.actual import ActualJob
from pulumi_drs_start.reconcile.declared import DesiredJob, Goal
from pulumi_drs_start.reconcile.plan import Plan, Reason, make_cases, make_plan
from pulumi_drs_start.reconcile.record import Action, JobRecord

NOW = 1_800_000_000.0


def plan_for(known: dict[str, JobRecord] | None = None, **statuses: str) -> Plan:
    actual = {job_id: ActualJob(job_id, status) for job_id, status in statuses.items()}
    return make_plan(make_cases([DesiredJob(job_id) for job_id in statuses], actual, known or {}, Goal.RUNNING, NOW))


def test_jobs_are_started_in_the_order_asked() -> None:
    assert plan_for(c="CONFIGURATION", a="CONFIGURATION", b="CONFIGURATION").to_start == ("c", "a", "b")


def test_a_mixed_list_is_sorted_by_what_is_to_be_done() -> None:
    plan = plan_for(a="CONFIGURATION", b="STARTJOBING", c="INCRE_TRANSFER_STARTED", d="CREATE_FAILED")
    found = [plan.jobs(action) for action in (Action.START, Action.WAIT, Action.NOTHING, Action.FAIL)]
    assert found == [("a",), ("b",), ("c",), ("d",)]


def test_a_missing_job_does_not_hide_the_others() -> None:
    plan = plan_for(gone=MISSING_STATUS, a="CONFIGURATION")
    assert plan.to_start == ("a",)
    assert plan.decisions["gone"].why.reason is Reason.UNKNOWN_JOB


def test_the_next_preview_starts_nothing_that_was_accepted_a_minute_ago() -> None:
    assert plan_for({"a": JobRecord(accepted_at=NOW - 60)}, a="CONFIGURATION").to_start == ()


def test_no_jobs_need_no_plan() -> None:
    assert plan_for() == Plan()
