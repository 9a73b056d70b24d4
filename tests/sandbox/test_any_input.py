"""No input makes the sandbox fail: requests generated from its own OpenAPI description, and bodies of any shape."""

from __future__ import annotations

import json
import string

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id

IDS = ["a", "b", make_job_id("c")]
OPERATIONS = ["jobs", "jobs/batch-jobs", "jobs/batch-rpo-and-rto"] + [
    f"jobs/batch-{name}"
    for name in ("starting", "status", "detail", "progress", "precheck", "precheck-result", "pause-task", "retry-task")
]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
quick = settings(
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def shared():
    with Sandbox(rpo_and_rto=True) as sandbox:
        sandbox.add_jobs(*(make_job(job_id) for job_id in IDS))
        user = {"name": sandbox.username, "password": sandbox.password, "domain": {"name": sandbox.domain_name}}
        auth = {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"id": sandbox.project_id}},
        }
        with requests.Session() as http:
            http.trust_env = False
            answer = http.post(f"{sandbox.auth_url}/auth/tokens", json={"auth": auth}, timeout=10)
            http.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]
            yield sandbox, http


def test_described_requests_get_described_answers(shared):
    sandbox, http = shared
    schema = schemathesis.openapi.from_url(f"{sandbox.url}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) >= 16

    @given(case=st.one_of([operation.as_strategy() for operation in operations]))
    @settings(quick, max_examples=300)
    def check(case):
        if "project_id" in case.path_parameters:
            case.path_parameters["project_id"] = sandbox.project_id
        case.call_and_validate(session=http, checks=CHECKS)

    check()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(IDS),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["job_id", "start_time", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
bodies = st.fixed_dictionaries({"jobs": anything}, optional={"page_req": anything, "cur_page": anything, "per_page": anything})


@given(
    operation=st.sampled_from(OPERATIONS),
    body=st.binary(max_size=40) | (bodies | anything).map(lambda content: json.dumps(content).encode()),
    method=st.sampled_from(["POST", "DELETE", "GET", "PUT"]),
)
@settings(quick, max_examples=300)
def test_bodies_of_any_shape_never_cause_a_server_error(shared, operation, body, method):
    sandbox, http = shared
    url = f"{sandbox.url}/v3/{sandbox.project_id}/{operation}"
    answer = http.request(method, url, data=body, headers={"Content-Type": "application/json"}, timeout=10)
    assert answer.status_code in (200, 202, 400, 404, 405)
    if answer.status_code == 400:
        assert set(answer.json()) == {"error_code", "error_msg"}


@given(body=bodies | anything, path=st.text(string.ascii_letters + "/_-%.", max_size=12))
@settings(quick, max_examples=100)
def test_control_calls_of_any_shape_never_cause_a_server_error(shared, body, path):
    sandbox, http = shared
    for name in ("jobs", "status", "delay", "faults", "advance", "tokens/revoke", "policy"):
        method = "PATCH" if name == "policy" else "POST"
        answer = http.request(method, f"{sandbox.url}/_sandbox/{name}", data=json.dumps(body), timeout=10)
        assert answer.status_code in (200, 400)
    assert http.get(f"{sandbox.url}/{path}", timeout=10).status_code < 500
