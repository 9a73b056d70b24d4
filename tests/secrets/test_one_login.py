"""Forty resources of one program log in once: IAM throttles logins, and locks accounts that try a wrong password too often."""

from __future__ import annotations

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import Scene

pytestmark = [pytest.mark.engine, pytest.mark.cold]
FORTY = [f"job-{number}" for number in range(40)]


def test_forty_resources_log_in_once_per_process(sandbox: Sandbox, scene: Scene) -> None:
    sandbox.add_jobs(*(make_job(job_id) for job_id in FORTY))
    scene.stack.program(f"""
        for job_id in {FORTY!r}:
            JobBatchStart(job_id, jobs=[job_id])
    """)

    up = scene.run("up", "--yes", "--skip-preview")

    assert up.exit_code == 0, up.output
    assert {sandbox.job(job_id)["starts"] for job_id in FORTY} == {1}
    assert len(sandbox.calls("tokens")) == 1
    sandbox.clear_calls()

    # A wrong password is tried once as well, however many wait for it.
    wrong = scene.run("refresh", "--yes", "--skip-preview", OS_PASSWORD="not-the-password")

    assert wrong.exit_code != 0
    assert len(sandbox.calls("tokens")) == 1
    assert scene.leaks() == []
