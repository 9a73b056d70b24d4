"""DRS_LOG: what is asked of DRS, on demand."""

from __future__ import annotations

import re

import pytest

from pulumi_drs_start.sandbox import Account, Sandbox, make_job

from .conftest import Stack

pytestmark = pytest.mark.engine


def test_calls_are_logged_where_asked_and_tokens_as_a_hash(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"))
    stack.program(
        """
        get_job_statuses(["a"])
        JobBatchStart("batch", jobs=["a"])
        """
    )

    quiet, told = stack.preview(), stack.preview(DRS_LOG="debug")

    assert "pulumi_drs_start.drs" not in quiet
    # Once in the program, and once in the provider.
    calls = [line for line in told.output.splitlines() if "/jobs/batch-status" in line and "@" not in line]
    assert len(calls) >= 2, told.output
    assert Account().password not in told
    assert all(re.search(r"batch-status token=[0-9a-f]{8}: 200, ", line) for line in calls), calls
