"""Statuses of any number of jobs, however DRS pages, orders, loses and adds rows."""

from __future__ import annotations

import pytest

from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.calls.models import MISSING_STATUS, JobStatus
from pulumi_drs_start.drs.errors import ServiceRefusedError, UnreadableAnswerError
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.sandbox import Sandbox, faults, make_job

READ = "batch-status"


def ids(count: int, kind: str = "job") -> list[str]:
    return [f"{kind}-{index:03}" for index in range(count)]


def words(statuses: dict[str, JobStatus]) -> dict[str, str]:
    return {job_id: status.status for job_id, status in statuses.items()}


@pytest.mark.parametrize("count", [1, 5, 6, 101, 1200])
def test_every_status_arrives_though_a_page_has_five_rows_by_default(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, count: int
) -> None:
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(count)))
    assert words(client.get_statuses(ids(count), budget)) == dict.fromkeys(ids(count), "CONFIGURATION")


def test_statuses_of_no_jobs_need_no_call(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    assert client.get_statuses([], budget) == {}
    assert sandbox.calls(READ) == []


def test_rows_are_matched_by_id_and_not_by_order(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.set_policy(row_order="reversed")
    sandbox.add_jobs(make_job("a"), make_job("b", status="PAUSING"))
    assert words(client.get_statuses(["a", "b"], budget)) == {"a": "CONFIGURATION", "b": "PAUSING"}


@pytest.mark.parametrize("total", [1, 7, 150])
@pytest.mark.parametrize("share", ["all", "none", "some"])
@pytest.mark.parametrize("policy", ["row", "reject", "omit"])
@pytest.mark.parametrize("code", ["DRS.M05003", "DRS.M00289"])
def test_unknown_jobs_are_missing_and_known_ones_are_read(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, policy: str, share: str, total: int, code: str
) -> None:
    every = {"all": 1, "none": total + 1, "some": 3}[share]
    unknown = set(ids(total)[every - 1 :: every])
    sandbox.set_policy(unknown_in_status=policy, unknown_code=code)
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(total) if job_id not in unknown))

    statuses = client.get_statuses(ids(total), budget)

    assert words(statuses) == {job_id: MISSING_STATUS if job_id in unknown else "CONFIGURATION" for job_id in ids(total)}
    assert len(sandbox.calls(READ)) <= 3


@pytest.mark.parametrize("total", [1, 7, 150])
def test_jobs_that_read_deleted_are_shown_as_drs_says(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, total: int
) -> None:
    sandbox.set_policy(unknown_in_status="deleted")
    assert words(client.get_statuses(ids(total), budget)) == dict.fromkeys(ids(total), "DELETED")


def test_unknown_jobs_are_found_when_the_refusal_names_none(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(8)))
    for job_id in ("job-002", "job-005"):
        sandbox.inject(faults.refuse(READ, "DRS.M05003", job_id=job_id, times=None))

    statuses = words(client.get_statuses(ids(8), budget))

    assert {job_id for job_id, status in statuses.items() if status == MISSING_STATUS} == {"job-002", "job-005"}


def test_a_missing_job_keeps_the_words_of_drs(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job("a"))
    gone = client.get_statuses(["a", "gone"], budget)["gone"]
    assert (gone.error_code, gone.error_message) == ("DRS.M05003", "The task does not exist.")


@pytest.mark.parametrize("count", [1, 3])
def test_a_row_that_is_missing_once_is_asked_for_again(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, count: int
) -> None:
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(count)))
    sandbox.inject(faults.missing_rows(READ))
    assert words(client.get_statuses(ids(count), budget)) == dict.fromkeys(ids(count), "CONFIGURATION")


def test_only_the_missing_rows_are_asked_for_again(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(4)))
    sandbox.inject(faults.missing_rows(READ, job_id="job-001"))
    client.get_statuses(ids(4), budget)
    assert [call["jobs"] for call in sandbox.calls(READ)] == [ids(4), ["job-001"]]


def test_rows_of_strangers_are_ignored(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.extra_rows(READ, rows=3))
    assert words(client.get_statuses(["a"], budget)) == {"a": "CONFIGURATION"}


@pytest.mark.parametrize("code", ["DRS.M00202", "DRS.M00300", "DRS.M00002"])
def test_an_id_that_drs_objects_to_does_not_hide_the_others(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, code: str
) -> None:
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(6)))
    sandbox.inject(faults.refuse(READ, code, job_id="no id at all", times=None))

    statuses = client.get_statuses([*ids(6), "no id at all"], budget)

    assert words(statuses) == {**dict.fromkeys(ids(6), "CONFIGURATION"), "no id at all": MISSING_STATUS}
    assert statuses["no id at all"].error_code == code


@pytest.mark.parametrize("code", ["DRS.M01501", "DRS.M01504", "DRS.M06007"])
def test_a_row_without_a_status_does_not_hide_the_others(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, code: str
) -> None:
    rows = [{"id": "a", "status": "PAUSING"}, {"id": "b", "error_code": code, "error_message": "no luck"}]
    sandbox.inject(faults.answer(READ, 200, {"count": 2, "results": rows}, times=None))

    statuses = client.get_statuses(["a", "b"], budget)

    assert statuses["a"].status == "PAUSING"
    assert statuses["b"] == JobStatus("b", MISSING_STATUS, code, "no luck")


def test_a_row_with_a_passing_error_is_read_again(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    rows = [{"id": "a", "status": "CONFIGURATION"}, {"id": "b", "error_code": "DRS.M01501", "error_message": "no luck"}]
    sandbox.inject(faults.answer(READ, 200, {"count": 2, "results": rows}))
    assert words(client.get_statuses(["a", "b"], budget)) == {"a": "CONFIGURATION", "b": "CONFIGURATION"}


def test_a_refusal_of_every_single_job_is_the_call_s_and_not_the_jobs(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget
) -> None:
    sandbox.inject(faults.refuse(READ, "DRS.M00007", times=None))
    with pytest.raises(ServiceRefusedError) as caught:
        client.get_statuses(ids(300), budget)
    assert caught.value.code == "DRS.M00007"
    assert len(sandbox.calls(READ)) < 30


def test_a_call_to_nowhere_is_not_cut_into_smaller_ones(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.inject(faults.refuse(READ, "APIGW.0101", times=None))
    with pytest.raises(ServiceRefusedError, match=r"APIGW\.0101"):
        client.get_statuses(ids(100), budget)
    assert len(sandbox.calls(READ)) == 1


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_a_smaller_read_batch_is_found_out_and_remembered(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, limit: int
) -> None:
    sandbox.set_policy(max_batch_reads=limit)
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(130)))
    assert words(client.get_statuses(ids(130), budget)) == dict.fromkeys(ids(130), "CONFIGURATION")

    sandbox.clear_calls()
    client.get_statuses(ids(130), budget)

    assert {call["status"] for call in sandbox.calls(READ)} == {200}


def test_an_unknown_job_is_not_mistaken_for_a_batch_that_is_too_large(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget
) -> None:
    sandbox.set_policy(unknown_in_status="reject")
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(20)))
    client.get_statuses([*ids(20), "gone"], budget)

    sandbox.clear_calls()
    client.get_statuses(ids(20), budget)

    assert len(sandbox.calls(READ)) == 1


def test_a_job_with_an_odd_id_is_not_mistaken_for_a_batch_that_is_too_large(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget
) -> None:
    sandbox.inject(faults.refuse(READ, "DRS.M00202", job_id="odd", times=None))
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(20)))
    client.get_statuses([*ids(20), "odd"], budget)

    sandbox.clear_calls()
    client.get_statuses(ids(20), budget)

    assert len(sandbox.calls(READ)) == 1


def test_reasons_of_failed_jobs_are_read_beyond_one_page(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    failure = {"code": "DRS.M01501", "message": "The disk is full."}
    sandbox.add_jobs(*(make_job(job_id, status="START_JOB_FAILED", fail_start=failure) for job_id in ids(120)))
    reasons = {job_id: detail.failed_reason for job_id, detail in client.get_details(ids(120), budget).items()}
    assert reasons == dict.fromkeys(ids(120), "The disk is full.")


def test_a_row_without_status_and_error_is_no_status(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.inject(faults.answer(READ, 200, {"count": 1, "results": [{"id": "a"}]}, times=None))
    with pytest.raises(UnreadableAnswerError, match="without a status for job a"):
        client.get_statuses(["a"], budget)
