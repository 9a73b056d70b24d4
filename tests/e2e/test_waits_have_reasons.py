"""While an operation waits, the resource's row says what for."""

from __future__ import annotations

import time

import pytest

from pulumi_drs_start.sandbox import Sandbox, faults, make_job, make_job_id

from .conftest import Run, Stack, both_fronts

pytestmark = pytest.mark.engine

A, B = sorted((make_job_id("a"), make_job_id("b")))


def row(run: Run) -> str:
    """All that was said on the row of the resource, passing remarks included."""
    return "\n".join(run.said())


@both_fronts
def test_a_lost_answer_is_named_while_it_is_settled_and_a_status_settles_it(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A, lag_seconds=4), make_job(B))
    sandbox.inject(faults.drop_after("batch-starting"))
    stack.starts(A, B)
    begun = time.monotonic()

    run = stack.up("--json")

    assert run.exit_code == 0, run.output
    assert time.monotonic() - begun < 45
    assert "the answer to the start of" in row(run)
    assert "watching DRS" in row(run)
    assert [sandbox.job(job_id)["start_requests"] for job_id in (A, B)] == [1, 1]


def test_a_lost_answer_without_an_effect_is_named_as_well(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A))
    sandbox.inject(faults.drop_before("batch-starting"))
    stack.starts(A, timeout="8s")

    run = stack.up("--json")

    assert "the answer to the start of" in row(run)
    assert "watching DRS" in row(run)


@pytest.mark.parametrize(
    ("front", "fault"),
    [
        ("dynamic", faults.throttled("batch-starting", retry_after=3)),
        ("dynamic", faults.too_frequent("batch-starting")),
        ("native", faults.too_frequent("batch-starting")),
    ],
    ids=["429", "DRS.M01503", "DRS.M01503, native"],
    indirect=["front"],
)
def test_a_throttled_start_says_that_drs_asked_for_patience(sandbox: Sandbox, stack: Stack, fault: faults.Fault) -> None:
    sandbox.add_jobs(make_job(A))
    sandbox.inject(fault)
    stack.starts(A)

    run = stack.up("--json")

    assert run.exit_code == 0, run.output
    assert "slow down" in row(run)


@pytest.mark.parametrize(("code", "word"), [("DRS.M01504", "busy"), ("DRS.M00304", "DRS.M00304")])
def test_a_start_that_is_asked_again_says_why_and_when(sandbox: Sandbox, stack: Stack, code: str, word: str) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    sandbox.inject(faults.refuse_row("batch-starting", code, job_id=A, times=None))
    stack.starts(A, B, timeout="10s")

    run = stack.up("--json")

    about = [line for line in run.said() if A in line and word in line and "again in" in line]
    assert about, row(run)
    assert sandbox.job(B)["starts"] == 1


def test_a_wait_without_trouble_gives_no_such_reason(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A, start_seconds=2))
    stack.starts(A)

    run = stack.up("--json")

    assert run.exit_code == 0, run.output
    for words in ("the answer to", "slow down", "busy", "again in"):
        assert words not in row(run)
