"""`python -m pulumi_drs_start.sandbox`, as a process of its own."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from pulumi_drs_start.sandbox import Account, Policy, SandboxAdmin, make_job

COMMAND = [sys.executable, "-m", "pulumi_drs_start.sandbox"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def start(tmp_path):
    processes = []

    def start(*arguments):
        ready = tmp_path / "ready.json"
        command = [*COMMAND, "--ready-file", str(ready), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        processes.append(process)
        deadline = time.monotonic() + 30
        while not ready.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        return process, json.loads(ready.read_text()) if ready.exists() else None

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_ends_quietly(start, number):
    process, ready = start("--seed-jobs", "2")
    assert requests.get(ready["environment"]["OS_AUTH_URL"], timeout=5).status_code == 200
    assert len(SandboxAdmin(ready["url"]).jobs()) == 2

    process.send_signal(number)
    output, errors = process.communicate(timeout=5)

    assert (process.returncode, errors) == (0, "")
    assert output.splitlines()[0] == f"DRS sandbox listening on {ready['url']}"
    assert f"export DRS_ENDPOINT={ready['url']}" in output


def test_jobs_come_from_a_file(start, tmp_path):
    path = tmp_path / "jobs.json"
    path.write_text(json.dumps([make_job("a", status="PAUSING")]))
    _, ready = start("--jobs", str(path), "--policy", "lag_looks=2", "--speed", "10")
    admin = SandboxAdmin(ready["url"])
    assert admin.job("a")["status"] == "PAUSING"
    assert (admin.policy()["lag_looks"], admin.policy()["speed"]) == (2, 10)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--host", "0.0.0.0"], "--allow-remote"),  # noqa: S104  # refused, that is the point
        (["--policy", "nonsense=1"], "nonsense"),
        (["--policy", "lag_looks=many"], "lag_looks"),
        (["--jobs", "missing.json"], "missing.json"),
    ],
)
def test_a_wrong_argument_is_named(arguments, complaint):
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, cwd=ROOT, timeout=30, check=False)
    assert done.returncode == 2
    assert complaint in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("missing", ["uvicorn", "starlette", "fastapi"])
def test_without_its_extra_it_says_what_to_install(missing):
    program = (
        "import runpy, sys; "
        f"sys.modules.update(dict.fromkeys([{missing!r}, 'uvicorn'])); "
        "runpy.run_module('pulumi_drs_start.sandbox', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=30, check=False)
    assert done.returncode == 2
    assert "needs the package's extra of its name: in the checkout, pip install '.[sandbox]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_job_is_named_at_the_start(start):
    process, ready = start("--seed-jobs", "23")
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=5)
    assert re.findall(r"^# job (\S+) \S+$", output, re.M) == ready["jobs"]
    assert f"# Watch it in a browser: {ready['url']}/" in output


def test_the_help_describes_every_policy():
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, cwd=ROOT, timeout=30, check=True)
    for name, field in Policy.model_fields.items():
        assert re.search(rf"^  {name}=.*\n +{re.escape(field.description)}$", done.stdout, re.M), name
    assert "reschedule=refuse  (accept, refuse)" in done.stdout
    assert Account().password not in done.stdout
