"""Who may call, and what a malformed call is told."""

from __future__ import annotations

import json
import re

import pytest

from pulumi_drs_start.sandbox import make_job


@pytest.mark.parametrize("token", [None, "", "made-up"])
def test_an_unknown_token_is_403(api, token):
    answer = api.start("a", headers={"X-Auth-Token": token})
    assert (answer.status_code, answer.json()["error_code"]) == (403, "DRS.M00100")


def test_an_expired_token_is_403(sandbox, api):
    sandbox.set_policy(token_lifetime=60)
    api.login()
    sandbox.advance(61)
    assert api.start("a").json()["error_code"] == "DRS.M00100"


def test_revoked_tokens_are_403(sandbox, api):
    api.login()
    assert sandbox.revoke_tokens() == 1
    assert api.start("a").json()["error_code"] == "DRS.M00100"


def test_a_new_token_does_not_end_the_old_one(api):
    api.login()
    old = api.token
    api.login()
    assert api.start("a", headers={"X-Auth-Token": old}).status_code == 202


def test_the_gateway_may_refuse_a_token_with_401(sandbox, api):
    sandbox.set_policy(bad_token="gateway")
    answer = api.start("a", headers={"X-Auth-Token": "made-up"})
    assert answer.status_code == 401
    assert answer.json()["error_code"].startswith("APIGW.")
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


def test_a_token_of_another_project_is_refused(sandbox, api):
    api.login({"project": {"id": sandbox.account.other_project_id}})
    answer = api.start("a")
    assert (answer.status_code, answer.json()["error_code"]) == (403, "DRS.M00261")


@pytest.mark.parametrize("scope", [None, {}, "domain"])
def test_a_token_without_a_project_is_refused(sandbox, api, scope):
    api.login({"domain": {"name": sandbox.domain_name}} if scope == "domain" else scope)
    assert api.start("a").json()["error_code"] == "DRS.M00261"


@pytest.mark.usefixtures("sandbox")
def test_the_content_type_is_mandatory(api):
    answer = api.call("batch-starting", data=b'{"jobs": [{"job_id": "a"}]}', headers={"Content-Type": None})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "DRS.M00300")


def test_who_may_not_call_is_not_told_what_is_wrong_with_the_body(api):
    answer = api.call("batch-starting", data=b"{", headers={"X-Auth-Token": "made-up"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "DRS.M00201"),
        (b"{", "DRS.M00007"),
        (b"\xff\xfe\x00", "DRS.M00007"),
        (b"[" * 100_000, "DRS.M00007"),
        (b"9" * 5000, "DRS.M00007"),
        (b"[]", "DRS.M00200"),
        (b"null", "DRS.M0020[01]"),  # versions of FastAPI differ
        (b'"jobs"', "DRS.M00200"),
        (b"{}", "DRS.M00201"),
        (b'{"jobs": []}', "DRS.M00201"),
        (b'{"jobs": {}}', "DRS.M00200"),
        (b'{"jobs": ["a"]}', "DRS.M00200"),
        (b'{"jobs": [{}]}', "DRS.M00201"),
        (b'{"jobs": [{"job_id": 1}]}', "DRS.M00200"),
        (b'{"jobs": [{"job_id": ""}]}', "DRS.M00202"),
        (b'{"jobs": [{"job_id": "a/b"}]}', "DRS.M00202"),
        (b'{"jobs": [{"job_id": "\\ud800"}]}', "DRS.M00200"),
        (b'{"jobs": [{"job_id": "a", "start_time": 1796090400000}]}', "DRS.M00200"),
        (b'{"jobs": [{"job_id": "a", "start_time": "tomorrow"}]}', "DRS.M00202"),
        (b'{"jobs": [{"job_id": "a"}, {"job_id": "a"}]}', "DRS.M00301"),
    ],
)
def test_a_malformed_body_is_400_in_the_services_envelope(sandbox, api, body, code):
    sandbox.add_jobs(make_job("a"))
    answer = api.call("batch-starting", data=body)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error_code", "error_msg"}
    assert re.fullmatch(code, answer.json()["error_code"])
    assert sandbox.job("a")["starts"] == 0


def test_ids_are_strings_in_queries(api):
    assert api.call("batch-status", {"jobs": [{"job_id": "a"}]}).json()["error_code"] == "DRS.M00200"


def test_unknown_fields_are_let_through(sandbox, api):
    sandbox.add_jobs(make_job("a"))
    assert api.call("batch-starting", {"jobs": [{"job_id": "a", "x": 1}], "y": 2}).status_code == 202


@pytest.mark.parametrize(("operation", "body"), [("batch-starting", {"jobs": [{"job_id": "a"}, {"job_id": "b"}]})])
@pytest.mark.parametrize(("limit", "code"), [(1, "DRS.M00299")])
def test_a_call_may_allow_one_job_only(sandbox, api, operation, body, limit, code):
    sandbox.set_policy(max_batch=limit)
    assert api.call(operation, body).json()["error_code"] == code


def test_a_batch_may_be_too_large(sandbox, api):
    sandbox.set_policy(max_batch=2, max_batch_reads=3)
    assert api.start("a", "b", "c").json()["error_code"] == "DRS.M00202"
    assert api.call("batch-status", {"jobs": ["a", "b", "c"]}).status_code == 200
    assert api.call("batch-status", {"jobs": ["a", "b", "c", "d"]}).status_code == 400


def test_texts_come_in_chinese_on_request(api):
    english, chinese = (
        api.start("unknown", headers={"X-Language": language}).json()["results"][0]["error_msg"]
        for language in ("en-us", "zh-cn")
    )
    assert english == "The task does not exist."
    assert chinese == "任务不存在。"


def test_every_answer_has_a_request_id(api):
    assert len(api.start("a").headers["X-Request-Id"]) == 32


def test_an_unknown_path_is_answered_by_the_gateway(api):
    answer = api.call("batch-nothing", {})
    assert (answer.status_code, answer.json()["error_code"]) == (404, "APIGW.0101")


def test_a_body_has_an_end(api):
    answer = api.call("batch-starting", data=b" " * (12 * 1024 * 1024 + 1))
    assert answer.status_code == 413


def test_the_log_knows_jobs_and_times_but_no_secrets(sandbox, api):
    sandbox.add_jobs(make_job("a"), make_job("b"))
    api.start("a", "b", start_time="99999999999999")
    log = sandbox.calls()
    assert [(call["operation"], call["method"], call["status"]) for call in log] == [
        ("tokens", "POST", 201),
        ("batch-starting", "POST", 202),
    ]
    assert log[1]["jobs"] == ["a", "b"]
    assert log[1]["start_times"] == {"a": "99999999999999", "b": "99999999999999"}
    written = json.dumps(log)
    assert api.token not in written
    assert sandbox.password not in written


def test_the_log_names_the_caller_in_short(sandbox, api):
    api.session.headers["User-Agent"] = "console/1.0 " + "x" * 1000
    api.start("a")
    assert {call["client"] for call in sandbox.calls()} == {("console/1.0 " + "x" * 1000)[:200]}


def test_the_log_can_be_filtered_and_cleared(sandbox, api):
    api.start("a")
    assert [call["operation"] for call in sandbox.calls("batch-starting")] == ["batch-starting"]
    sandbox.clear_calls()
    assert sandbox.calls() == []
