"""A sandbox is for this machine's programs: not for other machines, and not for web pages that are open on this one."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from pulumi_drs_start.sandbox import Sandbox, make_job

ROOT = Path(__file__).parents[2]
CALLS = [("POST", "/_sandbox/reset"), ("GET", "/_sandbox"), ("GET", "/openapi.json"), ("POST", "/v3/auth/tokens"), ("GET", "/")]
OF_OTHER_SITES = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]
ODD_HOSTS = ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "192.0.2.1", "[fe80::1]", "[", ""]


def call(sandbox, method, path, headers):
    with requests.Session() as http:
        http.trust_env = False
        return http.request(method, f"{sandbox.url}{path}", headers=headers, data=b"{}", timeout=10)


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("headers", OF_OTHER_SITES)
def test_a_page_of_another_site_is_not_heard(sandbox, method, path, headers):
    sandbox.add_jobs(make_job("a"))
    answer = call(sandbox, method, path, {"Content-Type": "text/plain", **headers})
    assert (answer.status_code, "other sites" in answer.json()["error"]) == (403, True)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert set(sandbox.jobs()) == {"a"}
    assert sandbox.calls() == []


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("host", ODD_HOSTS)
def test_a_name_that_somebody_pointed_at_this_machine_is_not_served(sandbox, method, path, host):
    assert call(sandbox, method, path, {"Host": host}).status_code in (400, 403)
    assert sandbox.calls() == []


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "127.1.2.3:5000", "[::1]:80"])
def test_every_name_of_this_machine_is_served(sandbox, host):
    assert call(sandbox, "GET", "/v3", {"Host": host}).status_code == 200


def test_its_own_page_is_heard(sandbox):
    """The one at /docs."""
    assert call(sandbox, "GET", "/openapi.json", {"Origin": sandbox.url, "Sec-Fetch-Site": "same-origin"}).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])  # noqa: S104  # refused, that is the point
def test_other_machines_are_let_in_on_request_only(host):
    with pytest.raises(ValueError, match="allow_remote"):
        Sandbox(host=host)


def test_letting_other_machines_in_is_warned_of(tmp_path):
    ready = tmp_path / "ready"
    command = [sys.executable, "-m", "pulumi_drs_start.sandbox", "--host", "0.0.0.0", "--allow-remote"]  # noqa: S104  # as above
    with subprocess.Popen(
        [*command, "--ready-file", str(ready)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while not ready.exists():
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
    assert "Warning: 0.0.0.0 lets other machines in" in errors
