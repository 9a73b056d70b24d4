"""The oldest Pulumi SDK we support, where the host's internals look different."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import ROOT, Stack, wait_until
from .test_failures import check_the_fallback

pytestmark = pytest.mark.engine


@pytest.fixture(scope="session")
def oldest_python(made_once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """The python of an environment with this package and the oldest SDK it allows."""
    oldest = re.search(r'"pulumi>=([\d.]+)', (ROOT / "pyproject.toml").read_text())
    assert oldest
    wanted = f"pulumi=={oldest[1]}.*" if oldest[1].count(".") == 1 else f"pulumi=={oldest[1]}"

    def fill(folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", wanted, ROOT], check=True)

    return made_once("oldest", fill) / "bin" / "python"


def test_partial_failure_and_clean_errors_work_with_the_oldest_sdk(
    sandbox: Sandbox, make_stack: Callable[..., Stack], oldest_python: Path
) -> None:
    stack = make_stack(sandbox, python=oldest_python)
    sandbox.add_jobs(make_job("a"), make_job("b", refuse_start={"code": "DRS.M00305", "message": "The source is gone."}))
    stack.starts("a", "b")

    first = stack.up()
    refreshed = stack.refresh()
    second = stack.up()
    sandbox.add_jobs(make_job("b"))
    third = stack.up()

    for run in (first, second):
        assert run.exit_code != 0
        assert "* job b could not be started: DRS.M00305: The source is gone." in run
        assert "Traceback" not in run
        assert "Exception calling application" not in run
    assert "unhealthy state" in refreshed
    assert third.exit_code == 0, third.output
    assert stack.preview("--expect-no-changes").exit_code == 0
    assert sandbox.job("a")["starts"] == 1
    wrong = stack.preview(OS_PASSWORD="not-the-password")
    assert "Exception calling application" not in wrong
    assert "OS_PASSWORD" in wrong


def test_ctrl_c_ends_the_wait_with_the_oldest_sdk(
    sandbox: Sandbox, make_stack: Callable[..., Stack], oldest_python: Path
) -> None:
    stack = make_stack(sandbox, python=oldest_python)
    sandbox.add_jobs(make_job("slow", start_seconds=3600))
    stack.starts("slow")
    running = stack.begin("up", "--yes", "--skip-preview")
    wait_until(lambda: sandbox.job("slow")["starts"] == 1)

    running.send_signal(signal.SIGINT)
    output, _ = running.communicate(timeout=30)

    assert "when the operation was cancelled" in output
    assert stack.outcomes() == {"slow": "started"}


def test_the_fallback_works_with_the_oldest_sdk(sandbox: Sandbox, make_stack: Callable[..., Stack], oldest_python: Path) -> None:
    check_the_fallback(sandbox, make_stack(sandbox, python=oldest_python))


def test_secret_arguments_of_a_job_stay_secret_with_the_oldest_sdk(
    sandbox: Sandbox, make_stack: Callable[..., Stack], oldest_python: Path
) -> None:
    stack = make_stack(sandbox, python=oldest_python)
    sandbox.add_jobs(make_job("a"), make_job("b"))
    stack.program("""
        batch = JobBatchStart("batch", jobs={JobStartArgs(job_id=pulumi.Output.secret("a"), desired_state="started"), "b"})
        pulumi.export("job_statuses", batch.job_statuses)
    """)

    preview, up, again = stack.preview(), stack.up(), stack.up("--expect-no-changes")

    assert preview.exit_code == 0, preview.output
    assert up.exit_code == 0, up.output
    assert again.exit_code == 0, again.output
    assert [sandbox.job(job_id)["starts"] for job_id in "ab"] == [1, 1]
    assert stack.run("stack", "output", "job_statuses").output.strip() == "[secret]"
    assert set(stack.outputs()["job_statuses"]) == {"a", "b"}
