"""What goes wrong on the wire: seen with an HTTP client, and with a bare socket where it is the connection that matters."""

from __future__ import annotations

import json
import socket
import time

import pytest
import requests

from pulumi_drs_start.sandbox import faults, make_job


@pytest.fixture(autouse=True)
def jobs(sandbox, api):
    sandbox.add_jobs(make_job("a", stuck=True), make_job("b", stuck=True))
    api.login()
    sandbox.clear_calls()


def raw_answer(api, body):
    """All bytes the server sends before the connection ends."""
    host, port = api.sandbox.url.removeprefix("http://").split(":")
    payload = json.dumps(body).encode()
    head = (
        f"POST /v3/{api.sandbox.project_id}/jobs/batch-starting HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"X-Auth-Token: {api.token}\r\nContent-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
    )
    received = b""
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(head.encode() + payload)
        while chunk := connection.recv(65536):
            received += chunk
    return received


def test_a_drop_before_the_effect_leaves_the_job_alone(sandbox, api):
    sandbox.inject(faults.drop_before("batch-starting"))
    assert raw_answer(api, {"jobs": [{"job_id": "a"}]}) == b""
    assert (sandbox.job("a")["starts"], sandbox.job("a")["start_requests"]) == (0, 0)


def test_a_drop_after_the_effect_loses_only_the_answer(sandbox, api):
    sandbox.inject(faults.drop_after("batch-starting"))
    assert raw_answer(api, {"jobs": [{"job_id": "a"}]}) == b""
    assert sandbox.job("a")["starts"] == 1


def test_a_drop_can_be_a_reset(sandbox, api):
    sandbox.inject(faults.drop_after("batch-starting", reset=True))
    with pytest.raises(ConnectionResetError):
        raw_answer(api, {"jobs": [{"job_id": "a"}]})


def test_a_client_sees_a_connection_error_and_the_log_says_dropped(sandbox, api):
    sandbox.inject(faults.drop_after("batch-starting"))
    with pytest.raises(requests.ConnectionError):
        api.start("a")
    assert [call["status"] for call in sandbox.calls()] == ["dropped"]


def test_a_truncated_answer_promises_more_than_it_holds(sandbox, api):
    sandbox.inject(faults.truncate("batch-starting"))
    head, _, body = raw_answer(api, {"jobs": [{"job_id": "a"}]}).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 202")
    assert 0 < len(body) < int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert sandbox.job("a")["starts"] == 1


def test_throttling_says_when_to_come_back(sandbox, api):
    sandbox.inject(faults.throttled("batch-starting", retry_after=7))
    answer = api.start("a")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert sandbox.job("a")["starts"] == 0


def test_drs_throttles_with_400(sandbox, api):
    sandbox.inject(faults.too_frequent("batch-starting"))
    answer = api.start("a")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "DRS.M01503")


def test_iam_can_be_throttled(sandbox, api):
    sandbox.inject(faults.throttled("tokens"))
    assert [api.login().status_code for _ in range(2)] == [429, 201]


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_any_status_can_be_answered(sandbox, api, status):
    sandbox.inject(faults.server_error("batch-status", status))
    assert [api.call("batch-status", {"jobs": ["a"]}).status_code for _ in range(2)] == [status, 200]


def test_an_answer_can_replace_the_real_one_after_the_effect(sandbox, api):
    sandbox.inject(faults.server_error("batch-starting", 504, when="after"))
    assert api.start("a").status_code == 504
    assert sandbox.job("a")["starts"] == 1


def test_a_proxy_answers_html(sandbox, api):
    sandbox.inject(faults.html("any"))
    answer = api.call("batch-status", {"jobs": ["a"]})
    assert answer.headers["Content-Type"] == "text/html"
    assert answer.text.startswith("<html>")


def test_a_misshapen_answer_is_json_of_the_wrong_types(sandbox, api):
    sandbox.inject(faults.misshapen("batch-status"))
    assert isinstance(api.call("batch-status", {"jobs": ["a"]}).json()["results"], dict)


def test_a_row_is_refused_and_its_job_left_alone(sandbox, api):
    sandbox.inject(faults.refuse_row("batch-starting", "DRS.M01503", job_id="a"))
    rows = api.start("a", "b").json()["results"]
    assert [row.get("error_code") for row in rows] == ["DRS.M01503", None]
    assert (sandbox.job("a")["starts"], sandbox.job("b")["starts"]) == (0, 1)


def test_several_rows_are_refused_in_one_call(sandbox, api):
    for job_id in ("a", "b"):
        sandbox.inject(faults.refuse_row("batch-starting", job_id=job_id))
    assert {row["error_code"] for row in api.start("a", "b").json()["results"]} == {"DRS.M01504"}


def test_faults_come_in_order_and_so_often(sandbox, api):
    sandbox.inject(faults.server_error("batch-status", 503, times=2))
    sandbox.inject(faults.server_error("batch-status", 502))
    assert [api.call("batch-status", {"jobs": ["a"]}).status_code for _ in range(4)] == [503, 503, 502, 200]


def test_a_fault_can_let_calls_pass_first(sandbox, api):
    sandbox.inject(faults.server_error("batch-status", skip=1))
    assert [api.call("batch-status", {"jobs": ["a"]}).status_code for _ in range(3)] == [200, 500, 200]


def test_a_fault_can_last_forever(sandbox, api):
    sandbox.inject(faults.server_error("batch-status", times=None))
    assert {api.call("batch-status", {"jobs": ["a"]}).status_code for _ in range(5)} == {500}
    sandbox.clear_faults()
    assert api.call("batch-status", {"jobs": ["a"]}).status_code == 200


def test_a_fault_can_be_for_one_operation_and_one_job(sandbox, api):
    sandbox.inject(faults.server_error("batch-status", job_id="a"))
    codes = [api.start("a").status_code] + [api.call("batch-status", {"jobs": [job_id]}).status_code for job_id in "ba"]
    assert codes == [202, 200, 500]


@pytest.mark.usefixtures("api")
def test_faults_left_are_listed(sandbox):
    sandbox.inject(faults.drop_after("batch-starting", times=2, skip=1))
    (left,) = sandbox.faults()
    assert (left["kind"], left["times"], left["skip"]) == ("drop", 2, 1)


def test_a_fault_can_be_injected_by_its_fields(sandbox, api):
    sandbox.inject("answer", operation="batch-status", status=418, body={"teapot": True})
    answer = api.call("batch-status", {"jobs": ["a"]})
    assert (answer.status_code, answer.json()) == (418, {"teapot": True})


def test_a_token_can_die_in_use(sandbox, api):
    sandbox.inject(faults.expire_token("batch-starting"))
    answer = api.start("a")
    assert (answer.status_code, answer.json()["error_code"]) == (403, "DRS.M00100")
    api.login()
    assert api.start("a").status_code == 202


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_can_take_its_time(sandbox, api, when):
    sandbox.inject(faults.delay("batch-starting", 0.2, when))
    began = time.monotonic()
    assert api.start("a").status_code == 202
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(("when", "starts"), [("before", 0), ("after", 1)])
def test_a_hanging_call_is_given_up_by_the_client(sandbox, api, when, starts):
    sandbox.inject(faults.delay("batch-starting", 600, when))
    with pytest.raises(requests.Timeout):
        api.start("a", timeout=0.3)
    assert sandbox.job("a")["starts"] == starts


def test_a_sandbox_ends_at_once_though_a_call_hangs(sandbox, api):
    sandbox.inject(faults.delay("batch-starting", 600))
    with pytest.raises(requests.Timeout):
        api.start("a", timeout=0.1)
    began = time.monotonic()
    sandbox.stop()
    assert time.monotonic() - began < 2


def test_a_row_can_be_missing(sandbox, api):
    sandbox.inject(faults.missing_rows("batch-status", job_id="a"))
    answer = api.call("batch-status", {"jobs": ["a", "b"]}).json()
    assert (answer["count"], [row["id"] for row in answer["results"]]) == (1, ["b"])


def test_rows_nobody_asked_for_can_appear(sandbox, api):
    sandbox.inject(faults.extra_rows("batch-starting", rows=2))
    assert len(api.start("a").json()["results"]) == 3


def test_a_body_can_be_endless(sandbox, api):
    sandbox.inject(faults.endless("batch-status"))
    with api.call("batch-status", {"jobs": ["a"]}, stream=True) as answer:
        read = 0
        for chunk in answer.iter_content(1 << 20):
            read += len(chunk)
            if read > 20_000_000:
                break
    assert read > 20_000_000
    assert api.call("batch-status", {"jobs": ["a"]}).status_code == 200


def test_a_gigantic_body_is_cut_off(sandbox, api):
    sandbox.inject(faults.endless("batch-status", size=1_000_000))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api.call("batch-status", {"jobs": ["a"]})


def test_latency_is_added_to_every_call(sandbox, api):
    sandbox.set_policy(latency_ms=150)
    began = time.monotonic()
    api.call("batch-status", {"jobs": ["a"]})
    assert time.monotonic() - began >= 0.15
