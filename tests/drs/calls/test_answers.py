"""Answers that are not what they should be: refused in words, broken, endless, or not DRS at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pulumi_drs_start.drs.calls import client as calls
from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.calls.wire_rows import Rows
from pulumi_drs_start.drs.errors import (
    DrsError,
    JobBusyError,
    JobUnknownError,
    OneJobOnlyError,
    PermissionDeniedError,
    RedirectedError,
    ServiceFaultError,
    ServiceRefusedError,
    ThrottledError,
    UnreadableAnswerError,
    WrongStatusError,
)
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.drs.text import clean_text
from pulumi_drs_start.sandbox import Fault, Sandbox, faults, make_job

READ = "batch-status"


def failure(sandbox: Sandbox, client: DrsClient, fault: Fault) -> DrsError:
    """What reading one job comes to when this goes wrong every time."""
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(fault)
    with pytest.raises(DrsError) as caught:
        client.get_statuses(["a"], TimeBudget(20))
    return caught.value


def answer(status: int, body: Any = None, **options: Any) -> Fault:
    return faults.answer(READ, status, body, times=None, **options)


BROKEN = {
    "wrong types": {"count": "many", "results": {"0": None}},
    "an empty object": {},
    "a list": [],
    "a number": 5,
    "null": None,
    "a row that is none": {"results": [None]},
    "a row that is a word": {"results": ["a"]},
    "a status that is an object": {"results": [{"id": "a", "status": {"value": "PAUSING"}}]},
    "results that are null": {"results": None},
    "another call's answer": {"total_record": 0, "jobs": []},
    "half of it": '{"count": 1, "results": [{"id": "a", "sta',
    "nothing": "",
    "blanks": "  \n",
    "deeply nested": "[" * 100_000,
    "deeply nested, in a row": '{"results": [{"id": "a", "x": ' + "[" * 100_000 + "]" * 100_000 + "}]}",
    "a number without end": '{"results": [{"id": "a", "status": ' + "1" * 10_000 + "}]}",
    "not UTF-8": "\udcff\udcfe",
    "a web page": "<html><head><title>Maintenance</title></head></html>",
}


@pytest.mark.parametrize("body", [json.dumps(b) if not isinstance(b, str) else b for b in BROKEN.values()], ids=BROKEN)
def test_a_good_status_with_an_unreadable_body_is_repeated_and_then_told(sandbox: Sandbox, client: DrsClient, body: str) -> None:
    error = failure(sandbox, client, answer(200, body))
    assert isinstance(error, UnreadableAnswerError)
    assert len(str(error)) < 600
    assert len(sandbox.calls(READ)) == client.retry.attempts


@pytest.mark.parametrize("body", ["", "[" * 100_000, "<html><title>Bad\nGateway</title>", "[]", '{"error_code": ["x"]}', "null"])
@pytest.mark.parametrize("status", [400, 404, 500, 502])
def test_a_bad_status_is_understood_whatever_the_body(sandbox: Sandbox, client: DrsClient, status: int, body: str) -> None:
    error = failure(sandbox, client, answer(status, body))
    assert isinstance(error, ServiceRefusedError)
    assert (error.code, error.status) == (f"HTTP {status}", status)
    assert len(error.text) <= 300


def test_one_unreadable_answer_is_survived(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job("a"))
    for fault in (faults.misshapen(READ), faults.html(READ, 200), faults.truncate(READ)):
        sandbox.inject(fault)
    assert client.get_statuses(["a"], budget)["a"].status == "CONFIGURATION"


def test_a_web_page_is_named_by_its_title(sandbox: Sandbox, client: DrsClient) -> None:
    assert 'a web page, "502"' in str(failure(sandbox, client, faults.html(READ, times=None)))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(sandbox: Sandbox, client: DrsClient, status: int) -> None:
    target = f"{sandbox.url}/v3/{sandbox.project_id}/jobs/batch-detail"
    error = failure(sandbox, client, answer(status, headers={"Location": target}))
    assert isinstance(error, RedirectedError)
    assert sandbox.calls("batch-detail") == []


def test_a_redirect_is_told_at_once(sandbox: Sandbox, client: DrsClient) -> None:
    """It won't change by itself: most likely the endpoint is wrong."""
    error = failure(sandbox, client, answer(302, headers={"Location": "/"}))
    assert "drs:endpoint" in str(error)
    assert len(sandbox.calls(READ)) == 1


def test_a_body_without_end_is_cut_off(sandbox: Sandbox, make_client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "LARGEST_ANSWER", 1 << 20)
    error = failure(sandbox, make_client(), faults.endless(READ, times=None))
    assert "larger than 1 MiB" in str(error)


CODES = [
    ("DRS.M00004", 500, ServiceFaultError),
    ("DRS.M00004", 422, ServiceFaultError),
    ("DRS.M01501", 422, ServiceFaultError),
    ("DRS.M01503", 400, ThrottledError),
    ("APIGW.0308", 429, ThrottledError),
    ("DRS.M01504", 202, JobBusyError),
    ("DRS.M01504", 400, JobBusyError),
    ("DRS.M00304", 400, WrongStatusError),
    ("DRS.M05003", 400, JobUnknownError),
    ("DRS.M05004", 400, JobUnknownError),
    ("DRS.M00289", 400, JobUnknownError),
    ("DRS.M00299", 400, OneJobOnlyError),
    ("DRS.M00101", 404, PermissionDeniedError),
    ("DRS.M00102", 403, PermissionDeniedError),
    ("DRS.M00103", 401, PermissionDeniedError),
    ("DRS.M00105", 400, PermissionDeniedError),
    ("DRS.M00261", 403, PermissionDeniedError),
    ("SOMETHING.NEW", 403, PermissionDeniedError),
    ("SOMETHING.NEW", 408, ServiceFaultError),
    ("SOMETHING.NEW", 504, ServiceFaultError),
    ("DRS.M00202", 400, ServiceRefusedError),
]


@pytest.mark.parametrize(("code", "status", "kind"), CODES)
def test_a_code_makes_the_error_of_its_kind(
    sandbox: Sandbox, make_client: Any, start: Any, code: str, status: int, kind: type[DrsError]
) -> None:
    client = make_client()
    sandbox.inject(faults.refuse("batch-starting", code, status, times=None))
    with pytest.raises(ServiceRefusedError) as caught:
        client.start_jobs(start("a"), TimeBudget(20))
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.status) == (code, status)


@pytest.mark.parametrize(
    ("code", "status", "retryable", "effect_unknown"),
    [
        ("DRS.M00004", 500, True, True),
        ("DRS.M01503", 400, True, False),
        ("DRS.M01504", 202, True, False),
        ("DRS.M00304", 400, False, False),
        ("DRS.M00103", 401, False, False),
        ("DRS.M00202", 400, False, False),
    ],
)
def test_an_error_says_whether_to_repeat_and_whether_it_may_have_had_an_effect(
    sandbox: Sandbox, client: DrsClient, start: Any, code: str, status: int, retryable: bool, effect_unknown: bool
) -> None:
    sandbox.inject(faults.refuse("batch-starting", code, status, times=None))
    with pytest.raises(DrsError) as caught:
        client.start_jobs(start("a"), TimeBudget(20))
    assert (caught.value.retryable, caught.value.effect_unknown) == (retryable, effect_unknown)


def test_the_gateway_s_request_id_is_kept(sandbox: Sandbox, client: DrsClient) -> None:
    body = {"error_code": "APIGW.0101", "error_msg": "no such API", "request_id": "4e6f"}
    error = failure(sandbox, client, answer(404, body))
    assert isinstance(error, ServiceRefusedError)
    assert error.request_id == "4e6f"
    assert str(error) == "APIGW.0101: no such API (request 4e6f)"


def test_the_request_id_of_the_header_is_kept(sandbox: Sandbox, client: DrsClient) -> None:
    error = failure(sandbox, client, answer(404, {"error_code": "X.1"}, headers={"X-Request-Id": "5b1e"}))
    assert isinstance(error, ServiceRefusedError)
    assert error.request_id == "5b1e"


def test_a_refusal_in_the_shape_of_a_success_names_its_jobs(sandbox: Sandbox, client: DrsClient, start: Any) -> None:
    sandbox.set_policy(bad_row="reject-results")
    sandbox.add_jobs(make_job("a"), make_job("b", status="PAUSING"))
    with pytest.raises(WrongStatusError) as caught:
        client.start_jobs(start("a", "b"), TimeBudget(20))
    assert caught.value.job_id == "b"
    assert caught.value.status == 400
    assert caught.value.by_job.keys() == {"b"}


def test_a_refusal_in_the_shape_of_a_success_may_name_several_jobs(sandbox: Sandbox, client: DrsClient, start: Any) -> None:
    sandbox.set_policy(bad_row="reject-results")
    sandbox.add_jobs(make_job("a"), make_job("b", status="PAUSING"))
    with pytest.raises(ServiceRefusedError) as caught:
        client.start_jobs(start("a", "gone", "b"), TimeBudget(20))
    assert {job_id: error.code for job_id, error in caught.value.by_job.items()} == {"gone": "DRS.M05003", "b": "DRS.M00304"}


NASTY = "a\x1b[31mred\x1b[0m\x1b]0;title\x07 \x9b2J\r\nb\x00\u202eevil\u2066\ud800 end"


def test_text_of_the_service_is_made_harmless(sandbox: Sandbox, client: DrsClient) -> None:
    error = failure(sandbox, client, answer(404, {"error_code": f"X{NASTY}", "error_msg": NASTY, "request_id": NASTY}))
    assert isinstance(error, ServiceRefusedError)
    said = str(error) + error.code + error.text + str(error.request_id)
    assert said.isprintable()
    said.encode()


def test_statuses_are_made_harmless_too(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.inject(answer(200, {"results": [{"id": "a", "status": NASTY, "error_message": NASTY}]}))
    status = client.get_statuses(["a"], budget)["a"]
    assert (status.status + str(status.error_message)).isprintable()


@given(st.text(), st.integers(1, 50))
def test_cleaned_text_is_one_short_line_that_can_be_encoded(text: str, limit: int) -> None:
    cleaned = clean_text(text, limit)
    assert len(cleaned) <= limit
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or "\u202a" <= c <= "\u202e" for c in cleaned)
    cleaned.encode()


def test_a_long_text_is_cut() -> None:
    assert clean_text("x" * 5000) == "x" * 999 + "…"


@pytest.mark.parametrize("spelling", ["error_msg", "error_message"])
def test_both_spellings_of_an_error_text_are_read(spelling: str) -> None:
    assert Rows.model_validate({"results": [{"id": "a", spelling: "why"}]}).results[0].error_text == "why"


def test_a_code_that_is_a_number_does_not_cost_the_row() -> None:
    assert Rows.model_validate({"results": [{"id": "a", "error_code": 17}]}).results[0].error_code == "17"


def test_an_id_that_is_a_number_names_its_job(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.inject(answer(200, {"results": [{"id": 5, "status": "PAUSING"}]}))
    assert client.get_statuses(["5"], budget)["5"].status == "PAUSING"


@pytest.mark.parametrize("odd", [{"value": 1}, ["x"], True, None, 1.5])
@pytest.mark.parametrize("field", ["id", "status", "precheck_id", "error_code", "error_message"])
def test_an_odd_field_costs_itself_and_not_the_answer(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, field: str, odd: Any
) -> None:
    rows = [{"id": "a", "status": "PAUSING"}, {"id": "b", "status": "PAUSING", field: odd}]
    sandbox.inject(answer(200, {"results": rows}))
    assert client.get_statuses(["a", "b"], budget)["a"].status == "PAUSING"


def test_an_odd_field_of_a_refusal_does_not_cost_its_code(sandbox: Sandbox, client: DrsClient) -> None:
    error = failure(sandbox, client, answer(404, {"error_code": "X.1", "error_msg": {"en": "no"}, "request_id": ["5b1e"]}))
    assert isinstance(error, ServiceRefusedError)
    assert (error.code, error.text) == ("X.1", "")


def test_fields_nobody_knows_are_ignored() -> None:
    assert Rows.model_validate({"results": [{"id": "a", "order_id": {}}], "x": 1}).results[0].id == "a"


def test_what_was_sent_is_not_quoted_when_a_shape_is_wrong() -> None:
    """Rows of details hold database passwords."""
    with pytest.raises(ValidationError) as caught:
        Rows.model_validate({"results": ["hunter2"]})
    assert "hunter2" not in str(caught.value)
