"""Resuming, pausing, stopping and pre-checking: the calls beside batch-starting that change jobs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.calls.models import ActionAnswer
from pulumi_drs_start.drs.errors import (
    DrsError,
    JobBusyError,
    JobUnknownError,
    PermissionDeniedError,
    ServiceRefusedError,
    UnreadableAnswerError,
    WrongStatusError,
)
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.sandbox import Sandbox, faults, make_job, make_job_id

A, B, GONE = make_job_id("a"), make_job_id("b"), make_job_id("gone")


@dataclass(frozen=True)
class Operation:
    """One of the calls, and jobs to try it on."""

    call: str
    act: Callable[[DrsClient, list[str], TimeBudget], ActionAnswer]
    good_status: str
    bad_status: str
    status: int
    afterwards: str


OPERATIONS = [
    Operation("batch-retry-task", DrsClient.resume_jobs, "PAUSING", "CONFIGURATION", 200, "FULL_TRANSFER_STARTED"),
    Operation("batch-pause-task", DrsClient.pause_jobs, "INCRE_TRANSFER_STARTED", "PAUSING", 200, "PAUSING"),
    Operation("batch-jobs", DrsClient.stop_jobs, "INCRE_TRANSFER_STARTED", "RELEASE_RESOURCE_COMPLETE", 202, "RELEASE_RESOURCE_"),
    Operation("batch-precheck", DrsClient.precheck_jobs, "CONFIGURATION", "PAUSING", 200, "CONFIGURATION"),
]
every_operation = pytest.mark.parametrize("op", OPERATIONS, ids=[op.call for op in OPERATIONS])


@pytest.fixture
def sent(client: DrsClient, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, Any]]:
    """Method, call and body of everything that the client sends."""
    seen: list[tuple[str, str, Any]] = []
    request = client._session.request

    def spy(method: str, url: str, **options: Any) -> Any:
        seen.append((method, url.rpartition("/")[2], json.loads(options["data"])))
        return request(method, url, **options)

    monkeypatch.setattr(client._session, "request", spy)
    return seen


@every_operation
def test_what_drs_does_and_what_it_does_not_do_are_told_apart(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, op: Operation
) -> None:
    sandbox.add_jobs(make_job(A, status=op.good_status), make_job(B, status=op.bad_status))
    answer = op.act(client, [A, B, GONE], budget)
    assert answer.accepted == {A}
    assert {job_id: type(error) for job_id, error in answer.refused.items()} == {B: WrongStatusError, GONE: JobUnknownError}
    assert answer.unanswered == frozenset()
    assert sandbox.job(A)["status"].startswith(op.afterwards)
    assert [call["status"] for call in sandbox.calls(op.call)] == [op.status]


def test_resuming_goes_on_and_does_not_start_anew(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job(A, status="PAUSING"))
    client.resume_jobs([A], budget)
    assert (sandbox.job(A)["retries"], sandbox.job(A)["starts"]) == (1, 0)


def test_resuming_does_not_say_that_objects_were_edited(client: DrsClient, sent: list[Any], budget: TimeBudget) -> None:
    client.resume_jobs([A], budget)
    assert sent == [("POST", "batch-retry-task", {"jobs": [{"job_id": A}]})]


def test_a_pause_lets_the_capture_of_logs_go_on(client: DrsClient, sent: list[Any], budget: TimeBudget) -> None:
    client.pause_jobs([A], budget)
    assert sent == [("POST", "batch-pause-task", {"jobs": [{"job_id": A, "pause_mode": "target"}]})]


def test_a_stop_is_a_delete_with_a_body_and_deletes_nothing(client: DrsClient, sent: list[Any], budget: TimeBudget) -> None:
    client.stop_jobs([A, B], budget)
    jobs = [{"job_id": A, "delete_type": "terminate"}, {"job_id": B, "delete_type": "terminate"}]
    assert sent == [("DELETE", "batch-jobs", {"jobs": jobs})]


def test_a_stop_uses_no_force(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job(A, status="STARTJOBING", then=[]))
    assert client.stop_jobs([A], budget).refused.keys() == {A}


def test_a_job_that_was_stopped_is_still_there(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job(A, status="PAUSING"))
    client.stop_jobs([A], budget)
    sandbox.advance(1)
    assert client.get_statuses([A], budget)[A].status == "RELEASE_RESOURCE_COMPLETE"


def test_a_precheck_is_one_for_starting(client: DrsClient, sent: list[Any], budget: TimeBudget) -> None:
    client.precheck_jobs([A], budget)
    assert sent == [("POST", "batch-precheck", {"jobs": [{"job_id": A, "precheck_mode": "forStartJob"}]})]


@pytest.mark.parametrize("policy", ["job", "own"])
def test_the_ids_of_accepted_prechecks_are_kept(sandbox: Sandbox, client: DrsClient, budget: TimeBudget, policy: Any) -> None:
    sandbox.set_policy(precheck_id=policy)
    sandbox.add_jobs(make_job(A), make_job(B, status="PAUSING"))
    answer = client.precheck_jobs([A, B], budget)
    assert answer.precheck_ids.keys() == {A}
    assert (answer.precheck_ids[A] == A) == (policy == "job")


@pytest.mark.parametrize("precheck_id", [None, "", {"odd": 1}])
def test_an_accepted_precheck_may_lack_an_id(sandbox: Sandbox, client: DrsClient, budget: TimeBudget, precheck_id: Any) -> None:
    row = {"id": A, "status": "success", "precheck_id": precheck_id}
    sandbox.inject(faults.answer("batch-precheck", 200, {"count": 1, "results": [row]}))
    assert client.precheck_jobs([A], budget) == ActionAnswer(frozenset({A}), {}, frozenset(), {})


def test_a_refused_precheck_has_no_id_whatever_its_row_says(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    row = {"id": A, "status": "failed", "error_code": "DRS.M00304", "precheck_id": "old"}
    sandbox.inject(faults.answer("batch-precheck", 200, {"count": 1, "results": [row]}))
    answer = client.precheck_jobs([A], budget)
    assert (answer.refused.keys(), answer.precheck_ids) == ({A}, {})


@every_operation
def test_a_refused_row_carries_code_text_and_job(sandbox: Sandbox, client: DrsClient, budget: TimeBudget, op: Operation) -> None:
    sandbox.add_jobs(make_job(A, status=op.good_status))
    sandbox.inject(faults.refuse_row(op.call, "DRS.M01504", job_id=A, message="Wait a little."))
    refusal = op.act(client, [A], budget).refused[A]
    assert (type(refusal), refusal.code, refusal.text, refusal.job_id) == (JobBusyError, "DRS.M01504", "Wait a little.", A)
    assert len(sandbox.calls(op.call)) == 1


@every_operation
def test_a_job_without_a_row_is_unanswered_and_strangers_are_ignored(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, op: Operation
) -> None:
    rows = [{"id": GONE, "status": "success"}, {"id": A, "status": "success"}, {"id": A, "status": "failed"}, {}]
    sandbox.inject(faults.answer(op.call, op.status, {"count": 4, "results": rows}))
    answer = op.act(client, [A, B], budget)
    assert (answer.accepted, dict(answer.refused), answer.unanswered) == ({A}, {}, {B})


@every_operation
def test_no_jobs_need_no_call(sandbox: Sandbox, client: DrsClient, budget: TimeBudget, op: Operation) -> None:
    answer = op.act(client, [], budget)
    assert (answer.accepted, dict(answer.refused), answer.unanswered) == (frozenset(), {}, frozenset())
    assert sandbox.calls(op.call) == []


@every_operation
def test_a_call_refused_as_a_whole_is_an_error_that_names_its_jobs(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, op: Operation
) -> None:
    sandbox.set_policy(bad_row="reject-results")
    sandbox.add_jobs(make_job(A, status=op.good_status), make_job(B, status=op.bad_status))
    with pytest.raises(WrongStatusError) as caught:
        op.act(client, [A, B], budget)
    assert caught.value.by_job.keys() == {B}
    assert not caught.value.effect_unknown
    assert sandbox.job(A)["status"] == op.good_status


def test_an_id_that_breaks_the_uuid_rule_refuses_the_whole_pause(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job(A, status="INCRE_TRANSFER_STARTED"), make_job("short", status="INCRE_TRANSFER_STARTED"))
    with pytest.raises(ServiceRefusedError, match=r"DRS\.M00202: The job ID short") as caught:
        client.pause_jobs([A, "short"], budget)
    assert not caught.value.effect_unknown
    assert sandbox.job(A)["pauses"] == 0


@every_operation
@pytest.mark.parametrize("fault", [faults.too_frequent, lambda call: faults.throttled(call, 0), faults.expire_token])
def test_a_call_that_drs_did_not_act_on_is_sent_again(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, op: Operation, fault: Any
) -> None:
    sandbox.add_jobs(make_job(A, status=op.good_status))
    sandbox.inject(fault(op.call))
    assert op.act(client, [A], budget).accepted == {A}
    assert len(sandbox.calls(op.call)) == 2
    assert len({call["method"] for call in sandbox.calls(op.call)}) == 1


@every_operation
@pytest.mark.parametrize("fault", [faults.drop_after, faults.truncate, faults.server_error, faults.html])
def test_a_call_whose_answer_is_lost_is_not_sent_again(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, op: Operation, fault: Any
) -> None:
    sandbox.add_jobs(make_job(A, status=op.good_status))
    sandbox.inject(fault(op.call))
    with pytest.raises(DrsError) as caught:
        op.act(client, [A], budget)
    assert caught.value.effect_unknown
    assert len(sandbox.calls(op.call)) == 1


@every_operation
def test_an_answer_of_another_shape_is_a_lost_answer(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, op: Operation
) -> None:
    sandbox.add_jobs(make_job(A, status=op.good_status))
    sandbox.inject(faults.misshapen(op.call))
    with pytest.raises(UnreadableAnswerError) as caught:
        op.act(client, [A], budget)
    assert caught.value.effect_unknown
    assert len(sandbox.calls(op.call)) == 1


@every_operation
def test_a_call_refused_for_a_busy_job_is_left_to_the_caller(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, op: Operation
) -> None:
    sandbox.inject(faults.refuse(op.call, "DRS.M01504", times=None))
    with pytest.raises(JobBusyError):
        op.act(client, [A, B], budget)
    assert len(sandbox.calls(op.call)) == 1


@every_operation
def test_a_missing_permission_is_told(sandbox: Sandbox, client: DrsClient, budget: TimeBudget, op: Operation) -> None:
    sandbox.inject(faults.refuse(op.call, "DRS.M00103", times=None))
    with pytest.raises(PermissionDeniedError):
        op.act(client, [A], budget)
    assert len(sandbox.calls(op.call)) == 1
