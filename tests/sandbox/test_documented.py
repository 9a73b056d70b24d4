"""docs/sandbox.md: its commands do what it says, and it leaves nothing out."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pulumi_drs_start.sandbox import Policy, SandboxAdmin
from pulumi_drs_start.sandbox.__main__ import _shown, _words
from pulumi_drs_start.sandbox.admin_routes import router

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
ORDERS = "8efd6168-a055-d1e4-5863-c237eb3jbfea"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.M | re.S)


START, NAMES, *COMMANDS = blocks("sh")


@pytest.fixture
def port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture
def started(port):
    """The sandbox of the page, at another port, and the output of its start."""
    # What is installed here is installed with the extra.
    command = (
        START.replace("8765", str(port)).replace("pip install '.[sandbox]'\n", "exec ").replace("exec python", "exec python3")
    )
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with subprocess.Popen(
        ["bash", "-c", command], cwd=ROOT, env={**os.environ, "PATH": path}, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.terminate()


def test_it_prints_what_the_page_shows(started, port):
    (sample,) = blocks("text")
    printed = [started.stdout.readline() for _ in range(9 + 12)]
    pattern = "(?:.*\n)*".join(map(re.escape, sample.replace("8765", str(port)).split("…\n")))
    assert re.fullmatch(pattern, "".join(printed)), printed
    assert "pip install '.[sandbox]'" in START


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_its_commands_do_what_it_says(started, port):
    for line in started.stdout:
        if "# job" in line:
            break
    sandbox = SandboxAdmin(f"http://127.0.0.1:{port}")

    def run(command):
        script = f"set -e\n{NAMES}{command.replace('curl ', 'curl --fail-with-body -sS ')}".replace("8765", str(port))
        subprocess.run(["bash", "-c", script], check=True, stdout=subprocess.PIPE, timeout=30)

    unstart, pause, fail, refuse, reset, policy = COMMANDS
    sandbox.set_status(ORDERS, "INCRE_TRANSFER_STARTED")
    run(unstart)
    assert sandbox.job(ORDERS)["status"] == "CONFIGURATION"
    run(pause)
    assert sandbox.job(ORDERS)["status"] == "PAUSING"
    run(fail)
    assert (sandbox.job(ORDERS)["status"], sandbox.job(ORDERS)["failed_reason"]) == ("FULL_TRANSFER_FAILED", "disk full")
    run(refuse)
    assert sandbox.faults() == [
        {"kind": "row", "operation": "batch-starting", "code": "DRS.M00304", "job_id": ORDERS, "times": 1}
    ]
    run(reset)
    assert (sandbox.job(ORDERS)["status"], len(sandbox.jobs()), sandbox.faults()) == ("CONFIGURATION", 12, [])
    run(policy)
    assert (sandbox.policy()["full_seconds"], sandbox.policy()["speed"]) == (60, 10)


def test_the_jobs_of_its_sample_do_what_it_says(api, sandbox):
    (sample,) = blocks("json")
    orders, customers, billing, ledger, archive = jobs = json.loads(sample)
    sandbox.add_jobs(*jobs)
    sandbox.set_policy(start_seconds=0, speed=20)
    assert [job["name"] for job in sandbox.jobs().values()] == ["crm-orders", "crm-customers", "billing", "ledger", "archive"]
    assert sandbox.job(customers["id"])["status"] == "PAUSING"

    def start(*some):
        return [row["status"] for row in api.start(*(job["id"] for job in some)).json()["results"]]

    assert start(orders, billing, ledger, archive) == ["success", "success", "failed", "failed"]
    assert start(ledger, archive) == ["success", "failed"]
    assert sandbox.job(billing["id"])["failed_reason"] == "The source can't be reached."
    deadline = time.monotonic() + 20
    while sandbox.job(orders["id"])["status"] != "INCRE_TRANSFER_STARTED":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert 0 < sandbox.job(orders["id"])["delay_seconds"] <= 340


def test_every_policy_is_in_its_table_and_described():
    for name, field in Policy.model_fields.items():
        words = ", ".join(f"`{word}`" for word in _words(field.annotation))
        default = f"`{_shown(field.default)}`" if _shown(field.default) else "none"
        assert f"| `{name}` | {default} | {field.description}{f': {words}' if words else ''} |\n" in TEXT + "\n"
    assert len(re.findall(r"^\| `\w+` \|", TEXT, re.M)) == len(Policy.model_fields)


def test_every_control_call_is_in_its_table():
    told = {
        (method, path)
        for methods, path in re.findall(r"^\| ((?:`?[A-Z]+`?,? )+)(/_sandbox[\w/]*)` \|", TEXT, re.M)
        for method in re.findall("[A-Z]+", methods)
    }
    assert told == {(method, route.path) for route in router.routes for method in route.methods}
