"""Thousands of jobs in one resource: few calls, and texts that stay short."""

from __future__ import annotations

import json

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id

from .conftest import Stack

pytestmark = pytest.mark.engine

JOBS = 5000
LONGEST_LINE = 650


def declare(stack: Stack, job_ids: list[str]) -> None:
    (stack.folder / "jobs.json").write_text(json.dumps(job_ids))
    stack.program(
        "import json, pathlib\n"
        "batch = JobBatchStart('batch', jobs=json.loads(pathlib.Path('jobs.json').read_text()))\n"
        "pulumi.export('summary', batch.summary)\n"
    )


def said(output: str) -> list[str]:
    """The lines about jobs: everything but Pulumi's own frame."""
    return [line.strip() for line in output.splitlines() if "job" in line]


def test_5000_jobs_preview_fail_and_mend_in_few_words_and_calls(sandbox: Sandbox, stack: Stack) -> None:
    job_ids = sorted(make_job_id(f"job-{number}") for number in range(JOBS))
    refused = job_ids[::500]
    sandbox.add_jobs(
        *(make_job(job_id, refuse_start={"code": "DRS.M00305"} if job_id in refused else None) for job_id in job_ids)
    )
    declare(stack, job_ids)

    preview = stack.preview()
    assert f"will start 5,000 jobs: {', '.join(job_ids[:3])} and 4,997 more" in preview
    assert len(preview.output) < 2500, preview.output

    up = stack.up()
    assert up.exit_code != 0
    assert "5,000 jobs: started 4,990, failed 10" in up
    assert "10 jobs could not be started" in up
    assert f"These are: {', '.join(refused[:9])} and {refused[9]}." in up
    assert len(up.output) < 4000, up.output
    assert len(sandbox.calls("batch-starting")) == JOBS / 100
    assert len(sandbox.calls()) <= 12 + JOBS / 10

    again = stack.preview()
    assert "will start 10 jobs" in again
    assert "4,990 jobs are running" in again
    assert len(again.output) < 3500, again.output
    assert all(len(line) < LONGEST_LINE for run in (preview, up, again) for line in said(run.output))
