"""`make demo` does what it claims, and leaves nothing behind however it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from pulumi_drs_start.sandbox import SandboxAdmin

from .conftest import EXAMPLES, ROOT, bare_environment

pytestmark = pytest.mark.engine


class DemoRun:
    """A run of the demo, all of whose processes and files can be told from others."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.mark = f"DEMO_OF_TEST={uuid.uuid4().hex}"
        name, _, value = self.mark.partition("=")
        # A developer's own pulumi and cloud, which the demo must not use.
        foreign = {"OS_AUTH_URL": "https://iam.invalid/v3", "OS_PASSWORD": "x", "PULUMI_BACKEND_URL": "file:///nowhere"}
        self.process = subprocess.Popen(
            [sys.executable, EXAMPLES / "demo.py", *arguments],
            cwd=ROOT,
            env={**bare_environment(), **foreign, "TMPDIR": str(folder), name: value},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read_until(self, text: str) -> str:
        """What it prints up to the line with this text."""
        lines = []
        for line in self.process.stdout or ():
            lines.append(line)
            if text in line:
                return "".join(lines)
        raise AssertionError(f"{text!r} was not printed:\n{''.join(lines)}")

    def finish(self) -> str:
        """What it still prints until it ends."""
        output, _ = self.process.communicate(timeout=120)
        return output

    def left_processes(self) -> list[str]:
        """Commands that run with the environment of this demo."""
        if not Path("/proc/self/environ").exists():
            listed = subprocess.run(["ps", "-A", "-E", "-o", "command="], check=True, stdout=subprocess.PIPE, text=True).stdout
            return [line for line in listed.splitlines() if self.mark in line]
        left = []
        for environ in Path("/proc").glob("[0-9]*/environ"):
            try:
                if self.mark.encode() in environ.read_bytes():
                    left.append((environ.parent / "cmdline").read_text().replace("\0", " "))
            except OSError:  # gone meanwhile, or somebody else's
                continue
        return left


@pytest.fixture
def demo(request: pytest.FixtureRequest, engine: str, tmp_path: Path) -> Iterator[DemoRun]:  # noqa: ARG001 - so that no demo builds it
    run = DemoRun(tmp_path, *getattr(request, "param", ()))
    yield run
    if run.process.poll() is None:
        run.process.terminate()
        run.process.communicate(timeout=60)
    if run.process.stdout:
        run.process.stdout.close()


def test_the_demo_shows_what_it_claims(demo: DemoRun) -> None:
    output = demo.finish()

    assert demo.process.returncode == 0, output
    for claim in (
        "each of the 10 jobs was started once",
        "the 2 running jobs were left alone",
        "no start was sent: 1 before, 1 after",
        "preview names this job and no other",
        "one call to start jobs was made: 1 before, 2 after",
        "and it named only this job",
        "all 12 jobs are still running",
    ):
        assert f"checked: {claim}" in output
    assert len(re.findall(r"^crm-orders +[0-9a-z-]{36} +\w+ +running +started *$", output, re.M)) == 1
    assert len(re.findall(r"^name +id +status +phase +outcome *$", output, re.M)) == 4
    assert os.listdir(demo.folder) == []  # noqa: PTH208
    assert demo.left_processes() == []


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("Find pulumi", signal.SIGINT),
        ("listening on", signal.SIGTERM),
        ("JobBatchStart nightly creating", signal.SIGINT),
        ("Destroying", signal.SIGTERM),
    ],
)
def test_an_interrupted_demo_leaves_nothing_behind(demo: DemoRun, moment: str, number: signal.Signals) -> None:
    demo.read_until(moment)
    demo.process.send_signal(number)
    output = demo.finish()

    assert demo.process.returncode == 130, output
    assert "Traceback" not in output
    assert demo.left_processes() == []
    assert os.listdir(demo.folder) == []  # noqa: PTH208


@pytest.mark.parametrize("demo", [["--keep"]], indirect=True)
def test_the_sandbox_of_a_demo_can_be_kept_open(demo: DemoRun) -> None:
    output = demo.read_until("export DRS_ENDPOINT=")
    assert "All checks passed" in output
    (url,) = set(re.findall(r"(?:browser|move them): (http://127\.0\.0\.1:\d+/)$", output, re.M))
    assert "<title>DRS sandbox</title>" in requests.get(url, headers={"Accept": "text/html"}, timeout=10).text
    assert {job["status"] for job in SandboxAdmin(url).jobs().values()} >= {"CONFIGURATION", "INCRE_TRANSFER_STARTED"}

    demo.process.send_signal(signal.SIGINT)
    assert "The sandbox is closed." in demo.finish()
    assert demo.process.returncode == 0
    assert demo.left_processes() == []
    assert os.listdir(demo.folder) == []  # noqa: PTH208
