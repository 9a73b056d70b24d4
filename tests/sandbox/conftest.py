"""Builders and a plain HTTP client: what these tests know of DRS they know from the documentation, not from our client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from pulumi_drs_start.sandbox import Sandbox

SandboxFactory = Callable[..., Sandbox]


class Api:
    """DRS and IAM over HTTP, with nothing done for the caller but the login."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.trust_env = False
        self.token = ""

    def login(self, scope: Any = "project", **user: Any) -> requests.Response:
        sandbox = self.sandbox
        who = {"name": sandbox.username, "password": sandbox.password, "domain": {"name": sandbox.domain_name}} | user
        auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": who}}}
        if scope == "project":
            scope = {"project": {"id": sandbox.project_id}}
        if scope is not None:
            auth["scope"] = scope
        answer = self.session.post(f"{sandbox.auth_url}/auth/tokens", json={"auth": auth}, timeout=10)
        self.token = answer.headers.get("X-Subject-Token", "")
        return answer

    def call(self, operation: str, body: Any = None, *, method: str = "POST", **options: Any) -> requests.Response:
        if not self.token:
            self.login()
        headers = {"X-Auth-Token": self.token, "Content-Type": "application/json"} | options.pop("headers", {})
        headers = {name: value for name, value in headers.items() if value is not None}
        project_id = options.pop("project_id", self.sandbox.project_id)
        url = f"{self.sandbox.url}/v3/{project_id}/{operation if operation == 'jobs' else 'jobs/' + operation}"
        if "data" not in options:
            options["json"] = body
        return self.session.request(method, url, headers=headers, timeout=options.pop("timeout", 10), **options)

    def start(self, *job_ids: str, start_time: str | None = None, **options: Any) -> requests.Response:
        extra = {} if start_time is None else {"start_time": start_time}
        return self.call("batch-starting", {"jobs": [{"job_id": job_id, **extra} for job_id in job_ids]}, **options)

    def rows(self, operation: str, *job_ids: str, **page: int) -> list[dict[str, Any]]:
        body: dict[str, Any] = {"jobs": list(job_ids)}
        if operation in ("batch-status", "batch-detail"):
            body["page_req"] = page or {"per_page": 0}
        return self.call(operation, body).json()["results"]

    def status(self, job_id: str) -> str:
        return self.rows("batch-status", job_id)[0]["status"]


@pytest.fixture
def make_sandbox() -> Iterator[SandboxFactory]:
    """Sandboxes with options, stopped at the end of the test."""
    started: list[Sandbox] = []

    def make(**options: Any) -> Sandbox:
        sandbox = Sandbox(**options).start()
        started.append(sandbox)
        return sandbox

    yield make
    for sandbox in started:
        sandbox.stop()


@pytest.fixture
def sandbox(make_sandbox: SandboxFactory) -> Sandbox:
    return make_sandbox()


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[Api]:
    api = Api(sandbox)
    yield api
    api.session.close()
