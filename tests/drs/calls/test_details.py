"""What is read of jobs beside their statuses: schedules and reasons, whose rows hold passwords, and lags."""

from __future__ import annotations

import json
import logging
import traceback
from typing import Any

import pytest

from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.calls.models import JobDetail, ReplicationLag
from pulumi_drs_start.drs.errors import (
    PermissionDeniedError,
    RedirectedError,
    ServiceFaultError,
    ServiceRefusedError,
    UnreachableError,
    UnreadableAnswerError,
)
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.sandbox import Sandbox, faults, make_job
from pulumi_drs_start.sandbox.jobs import SECRET

READ, LAGS, PROGRESS = "batch-detail", "batch-rpo-and-rto", "batch-progress"
LATER = "4102444800000"


def ids(count: int) -> list[str]:
    return [f"job-{index:03}" for index in range(count)]


def answer(*rows: Any, call: str = READ, status: int = 200, **options: Any) -> Any:
    return faults.answer(call, status, {"count": len(rows), "results": list(rows)}, **{"times": None, **options})


def read_row(sandbox: Sandbox, client: DrsClient, budget: TimeBudget, **fields: Any) -> JobDetail:
    """The detail of one job whose row has these fields."""
    sandbox.inject(answer({"id": "a", **fields}))
    return client.get_details(["a"], budget)["a"]


# -- details -------------------------------------------------------------------------------------------------------


def test_a_detail_has_what_statuses_do_not_tell(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    failure = {"code": "DRS.M01501", "message": "The disk is full."}
    sandbox.add_jobs(
        make_job("plain", name="crm-orders"),
        make_job("scheduled", status="WAITING_FOR_START", start_time=LATER),
        make_job("failed", status="START_JOB_FAILED", fail_start=failure),
        make_job("parent", multi_write=True, is_parent=True),
        make_job("child", multi_write=True, parent_id="parent", role="backward", job_direction="down"),
    )
    details = client.get_details(["plain", "scheduled", "failed", "parent", "child"], budget)
    assert details == {
        "plain": JobDetail("plain", job_direction="up", name="crm-orders", copies_once=False),
        "scheduled": JobDetail("scheduled", start_time=LATER, job_direction="up", copies_once=False),
        "failed": JobDetail("failed", failed_reason="The disk is full.", job_direction="up", copies_once=False),
        "parent": JobDetail("parent", multi_write=True, job_direction="up", copies_once=False),
        "child": JobDetail("child", multi_write=True, parent_id="parent", job_direction="down", copies_once=False),
    }


@pytest.mark.parametrize(
    ("start_time", "read"),
    [
        (LATER, LATER),
        (int(LATER), LATER),
        (float(LATER), LATER),
        (f" {LATER} ", LATER),
        ("0", None),
        (0, None),
        ("", None),
        (None, None),
        ("-1", None),
        ("soon", None),
        ("2030-01-01 00:00:00", None),
        ("nan", None),
        ("1_000", None),
        (True, None),
        ([LATER], None),
        ({"ms": LATER}, None),
        ("9" * 30, None),
        ("9" * 500, None),
    ],
)
def test_a_schedule_is_read_whatever_its_type(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, start_time: Any, read: str | None
) -> None:
    assert read_row(sandbox, client, budget, inst_info={"start_time": start_time}).start_time == read


@pytest.mark.parametrize("fields", [{}, {"inst_info": {}}, {"inst_info": None}, {"inst_info": "odd"}, {"start_time": LATER}])
def test_a_row_without_a_schedule_is_a_job_without_one(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, fields: dict[str, Any]
) -> None:
    assert read_row(sandbox, client, budget, **fields) == JobDetail("a")


@pytest.mark.parametrize("odd", [None, "", [], {"text": "x"}, ["x"]])
def test_fields_of_odd_types_are_not_known(sandbox: Sandbox, client: DrsClient, budget: TimeBudget, odd: Any) -> None:
    fields = dict.fromkeys(("name", "failed_reason", "multi_write", "parent_id", "job_direction", "inst_info", "error_code"), odd)
    assert read_row(sandbox, client, budget, **fields) == JobDetail("a")


@pytest.mark.parametrize(("multi_write", "read"), [(True, True), ("true", True), (False, False), ("false", False), (1, False)])
def test_multi_write_may_be_a_word(sandbox: Sandbox, client: DrsClient, budget: TimeBudget, multi_write: Any, read: bool) -> None:
    assert read_row(sandbox, client, budget, multi_write=multi_write).multi_write is read


def test_odd_rows_do_not_hide_the_others(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    good = {"id": "b", "inst_info": {"start_time": LATER}}
    sandbox.inject(answer(None, "odd", {"id": {}}, {}, {"id": "a", "inst_info": [1], "multi_write": {}}, good))
    assert client.get_details(["a", "b"], budget) == {"a": JobDetail("a"), "b": JobDetail("b", LATER)}


def test_text_is_made_harmless(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    detail = read_row(sandbox, client, budget, failed_reason="a\x1b[31mb\r\n\u202ec", name="crm\x1b[2J-\n" + "x" * 2000)
    assert detail.failed_reason == "a b c"
    assert detail.name is not None
    assert detail.name.startswith("crm - xx")
    assert len(detail.name) == 1000


def test_rows_of_strangers_are_ignored(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.extra_rows(READ, rows=3))
    assert client.get_details(["a"], budget).keys() == {"a"}


def test_a_row_that_is_missing_once_is_asked_for_again(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    sandbox.inject(faults.missing_rows(READ, job_id="b"))
    assert client.get_details(["a", "b"], budget).keys() == {"a", "b"}
    assert [call["jobs"] for call in sandbox.calls(READ)] == [["a", "b"], ["b"]]


@pytest.mark.parametrize("policy", ["row", "reject", "deleted", "omit"])
@pytest.mark.parametrize("code", ["DRS.M05003", "DRS.M00289"])
@pytest.mark.parametrize("known", [0, 1, 6])
def test_jobs_that_drs_does_not_know_are_left_out(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, policy: Any, code: str, known: int
) -> None:
    sandbox.set_policy(unknown_in_detail=policy, unknown_code=code)
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(known)))
    assert client.get_details([*ids(known), "gone", "lost"], budget).keys() == set(ids(known))
    assert len(sandbox.calls(READ)) <= 3


def test_a_job_whose_row_has_an_error_is_left_out(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.inject(answer({"id": "a", "error_code": "DRS.M06007", "error_message": "no luck"}, {"id": "b"}))
    assert client.get_details(["a", "b"], budget) == {"b": JobDetail("b")}
    assert client.get_details(["a"], budget) == {}


def test_a_row_with_a_passing_error_is_read_again(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(answer({"id": "a", "error_code": "DRS.M01501"}, times=1))
    assert client.get_details(["a"], budget).keys() == {"a"}


def test_an_id_that_drs_objects_to_does_not_hide_the_others(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(6)))
    sandbox.inject(faults.refuse(READ, "DRS.M00202", job_id="odd id", times=None))
    assert client.get_details([*ids(6), "odd id"], budget).keys() == set(ids(6))


@pytest.mark.parametrize("count", [1, 2, 300])
def test_a_refusal_of_every_single_job_is_an_error(sandbox: Sandbox, client: DrsClient, budget: TimeBudget, count: int) -> None:
    sandbox.inject(faults.refuse(READ, "DRS.M00007", times=None))
    with pytest.raises(ServiceRefusedError, match=r"DRS\.M00007"):
        client.get_details(ids(count), budget)
    assert len(sandbox.calls(READ)) < 30


def test_a_thousand_details_take_few_calls(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(1000)))
    assert client.get_details(ids(1000), budget).keys() == set(ids(1000))
    assert len(sandbox.calls(READ)) == 2
    assert all(call["page"]["per_page"] == 0 for call in sandbox.calls(READ))


def test_a_smaller_batch_is_found_out_and_remembered(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.set_policy(max_batch_reads=20)
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(90)))
    assert client.get_details(ids(90), budget).keys() == set(ids(90))

    sandbox.clear_calls()
    client.get_details(ids(90), budget)

    assert {call["status"] for call in sandbox.calls(READ)} == {200}


def test_how_many_statuses_drs_takes_says_nothing_about_details(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(20)))
    sandbox.set_policy(max_batch_reads=1)
    client.get_details(ids(20), budget)
    sandbox.set_policy(max_batch_reads=None)
    client.get_statuses(ids(20), budget)
    assert len(sandbox.calls("batch-status")) == 1


def test_details_of_no_jobs_need_no_call(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    assert client.get_details([], budget) == {}
    assert sandbox.calls(READ) == []


# -- passwords -----------------------------------------------------------------------------------------------------

CUT_OFF = json.dumps({"results": [{"source_endpoint": {"db_password": SECRET}, "id": "a"}]})[:-20]
LEAKS = {
    "wrong types": {"results": {"0": {"id": "a", "db_password": SECRET}}},
    "a password in place of rows": {"results": SECRET},
    "a password in place of all": f'"{SECRET}"',
    "half of it": CUT_OFF,
    "a web page": f"<html><head><title>{SECRET}</title></head></html>",
}


def said(error: BaseException) -> str:
    """All that an error says, its causes and what it carries included."""
    parts = traceback.format_exception(error)
    seen: BaseException | None = error
    while seen is not None:
        parts += [repr(seen.args), repr(getattr(seen, "__dict__", {})), str(getattr(seen, "doc", ""))]
        errors = getattr(seen, "errors", None)
        parts.append(str(errors()) if callable(errors) else "")
        seen = seen.__cause__ or seen.__context__
    return "\n".join(parts)


def test_the_sandbox_s_rows_hold_passwords(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the tests below would prove nothing."""
    contents: list[str] = []
    monkeypatch.setattr("json.loads", lambda text, loads=json.loads, **o: contents.append(str(text)) or loads(text, **o))
    sandbox.add_jobs(make_job("a"))
    client.get_details(["a"], budget)
    assert any(SECRET in content for content in contents)


def test_passwords_do_not_leave_the_reading_of_details(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox.add_jobs(make_job("a"))
    details = client.get_details(["a"], budget)
    assert details.keys() == {"a"}
    assert SECRET not in repr(details) + caplog.text


@pytest.mark.parametrize("status", [200, 400, 502])
@pytest.mark.parametrize("body", LEAKS.values(), ids=LEAKS)
def test_passwords_are_not_quoted_from_answers_that_are_not_understood(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, caplog: pytest.LogCaptureFixture, body: Any, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox.inject(faults.answer(READ, status, body, times=None))
    with pytest.raises((UnreadableAnswerError, ServiceRefusedError)) as caught:
        client.get_details(["a"], budget)
    assert READ in str(caught.value) or f"HTTP {status}" in str(caught.value)
    assert SECRET not in said(caught.value) + caplog.text


def test_a_refusal_with_rows_of_details_quotes_none(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    rows = [{"db_password": SECRET, "id": "a"}, "odd"]
    sandbox.inject(answer(*rows, status=400))
    with pytest.raises(ServiceRefusedError) as caught:
        client.get_details(["a"], budget)
    assert SECRET not in said(caught.value)


def test_a_hidden_failure_keeps_its_kind(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.inject(faults.answer(READ, 503, "busy", headers={"Retry-After": "0"}, times=None))
    with pytest.raises(ServiceFaultError) as caught:
        client.get_details(["a"], budget)
    assert (caught.value.status, caught.value.retry_after_seconds) == (503, 0)
    assert len(sandbox.calls(READ)) == client.retry.attempts


def test_a_refusal_of_drs_keeps_its_words(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.inject(faults.refuse(READ, "DRS.M00103", times=None))
    with pytest.raises(PermissionDeniedError, match="Check the IAM permissions"):
        client.get_details(["a"], budget)


def test_a_redirect_keeps_its_advice(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.inject(faults.answer(READ, 302, headers={"Location": "/"}, times=None))
    with pytest.raises(RedirectedError, match="drs:endpoint"):
        client.get_details(["a"], budget)


# -- lags ----------------------------------------------------------------------------------------------------------


def replicating(job_id: str, **fields: Any) -> dict[str, Any]:
    return make_job(job_id, status="INCRE_TRANSFER_STARTED", **fields)


def test_rpo_and_rto_are_read_where_there_is_a_call_for_them(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.set_policy(rpo_and_rto=True, row_order="reversed")
    sandbox.add_jobs(replicating("a", rpo_ms=1500, rto_ms=70_000), replicating("b"))
    assert client.get_replication_lags(["a", "b", "gone"], budget) == {
        "a": ReplicationLag(1500, 70_000),
        "b": ReplicationLag(0, 0),
        "gone": ReplicationLag(),
    }
    assert sandbox.calls(PROGRESS) == []


def test_progress_tells_the_rpo_where_there_is_no_such_call(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(replicating("a", rpo_ms=61_000, rto_ms=5), make_job("b"))
    assert client.get_replication_lags(["a", "b", "gone"], budget) == {
        "a": ReplicationLag(61_000, None),
        "b": ReplicationLag(),
        "gone": ReplicationLag(),
    }


def test_a_missing_call_is_remembered(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(*(replicating(job_id) for job_id in ids(30)))
    for _ in range(3):
        client.get_replication_lags(ids(30), budget)
    assert (len(sandbox.calls(LAGS)), len(sandbox.calls(PROGRESS))) == (1, 3)


MISSING_CALL = [
    (404, "APIGW.0101"),
    (404, "APIG.0101"),
    (404, ""),
    (405, "APIGW.0103"),
    (403, "APIGW.0302"),
    (400, "APIG.0106"),
    (400, ""),
]


@pytest.mark.parametrize(("status", "code"), MISSING_CALL)
@pytest.mark.parametrize("count", [1, 9])
def test_a_missing_call_is_known_by_its_refusal(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, status: int, code: str, count: int
) -> None:
    sandbox.set_policy(rpo_and_rto=True)
    sandbox.add_jobs(*(replicating(job_id, rpo_ms=2000, rto_ms=9) for job_id in ids(count)))
    body = {"error_code": code, "error_msg": "no"} if code else "<html></html>"
    sandbox.inject(faults.answer(LAGS, status, body, times=None))
    assert client.get_replication_lags(ids(count), budget) == dict.fromkeys(ids(count), ReplicationLag(2000, None))

    sandbox.clear_calls()
    client.get_replication_lags(ids(count), budget)

    assert sandbox.calls(LAGS) == []


@pytest.mark.parametrize("code", ["DRS.M00102", "DRS.M00103", "DRS.M00007", "DRS.M00304", "DRS.M05003", "DRS.M01504"])
def test_another_refusal_is_neither_an_error_nor_a_missing_call(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, code: str
) -> None:
    sandbox.set_policy(rpo_and_rto=True)
    sandbox.add_jobs(replicating("a", rpo_ms=7), replicating("b", rpo_ms=8))
    refusal = faults.refuse(LAGS, code, times=None)
    sandbox.inject(refusal)
    assert client.get_replication_lags(["a", "b"], budget) == {"a": ReplicationLag(), "b": ReplicationLag()}
    assert sandbox.calls(PROGRESS) == []

    sandbox.clear_faults()

    assert client.get_replication_lags(["a", "b"], budget) == {"a": ReplicationLag(7, 0), "b": ReplicationLag(8, 0)}


def test_a_refusal_of_progress_is_no_error_either(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.inject(faults.refuse(PROGRESS, "APIGW.0101", times=None))
    assert client.get_replication_lags(["a"], budget) == {"a": ReplicationLag()}


def test_a_job_that_drs_objects_to_does_not_hide_the_lags_of_others(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget
) -> None:
    sandbox.set_policy(rpo_and_rto=True)
    sandbox.add_jobs(replicating("a", rpo_ms=7))
    sandbox.inject(faults.refuse(LAGS, "DRS.M00202", job_id="odd id", times=None))
    assert client.get_replication_lags(["a", "odd id"], budget) == {"a": ReplicationLag(7, 0), "odd id": ReplicationLag()}


def test_a_call_about_recovery_names_ten_jobs_at_most(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    """Huawei asks for that."""
    sandbox.set_policy(rpo_and_rto=True)
    sandbox.add_jobs(*(replicating(job_id, rpo_ms=1) for job_id in ids(25)))
    assert client.get_replication_lags(ids(25), budget) == dict.fromkeys(ids(25), ReplicationLag(1, 0))
    # After the first they are made at the same time.
    assert sorted(len(call["jobs"]) for call in sandbox.calls(LAGS)) == [5, 10, 10]


@pytest.mark.parametrize("is_served", [True, False])
@pytest.mark.parametrize("fault", [faults.drop_before, faults.misshapen])
def test_lags_that_can_t_be_asked_for_are_an_error(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, is_served: bool, fault: Any
) -> None:
    sandbox.set_policy(rpo_and_rto=is_served)
    sandbox.add_jobs(replicating("a"))
    sandbox.inject(fault(LAGS if is_served else PROGRESS, times=None))
    with pytest.raises((UnreachableError, UnreadableAnswerError)):
        client.get_replication_lags(["a"], budget)


@pytest.mark.parametrize("is_served", [True, False])
@pytest.mark.parametrize("fault", [faults.too_frequent, faults.drop_after, faults.server_error])
def test_reading_lags_survives_what_passes(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, is_served: bool, fault: Any
) -> None:
    sandbox.set_policy(rpo_and_rto=is_served)
    sandbox.add_jobs(replicating("a", rpo_ms=3000))
    sandbox.inject(fault(LAGS if is_served else PROGRESS))
    assert client.get_replication_lags(["a"], budget)["a"].rpo_ms == 3000


@pytest.mark.parametrize(
    ("delay", "lag"),
    [
        ("0", 0),
        ("59999", 59_999),
        (1500, 1500),
        ("1500.2", 1501),
        ("NA", None),
        ("", None),
        (None, None),
        ("-1", None),
        ("inf", None),
        ("1e300", None),
        ({}, None),
        (True, None),
    ],
)
def test_a_delay_is_milliseconds_or_not_known(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, delay: Any, lag: int | None
) -> None:
    row = {"job_id": "a", "rpo_info": {"delay": delay}, "rto_info": {"delay": "5"}}
    sandbox.inject(answer(row, call=LAGS, status=202))
    assert client.get_replication_lags(["a"], budget) == {"a": ReplicationLag(lag, 5)}


@pytest.mark.parametrize(
    "row", [{}, {"rpo_info": None}, {"rpo_info": "NA", "rto_info": []}, {"rpo_info": {"delay": "5"}, "error_code": "DRS.M00304"}]
)
def test_a_row_that_tells_no_lag_is_one_not_known(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, row: dict[str, Any]
) -> None:
    sandbox.inject(answer(None, {"job_id": "a", **row}, call=LAGS, status=202))
    assert client.get_replication_lags(["a"], budget) == {"a": ReplicationLag()}


@pytest.mark.parametrize(
    ("delay", "lag"), [("61", 61_000), (2, 2000), ("0.5", 500), ("0", 0), ("-1", None), ("", None), ("x", None)]
)
def test_a_delay_of_progress_is_seconds_or_not_known(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, delay: Any, lag: int | None
) -> None:
    sandbox.inject(answer({"job_id": "a", "incre_trans_delay": delay}, call=PROGRESS, status=202))
    assert client.get_replication_lags(["a"], budget) == {"a": ReplicationLag(lag, None)}


def test_lags_of_no_jobs_need_no_call(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    assert client.get_replication_lags([], budget) == {}
    assert sandbox.calls(LAGS) == sandbox.calls(PROGRESS) == []
