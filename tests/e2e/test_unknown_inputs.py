"""Inputs that only `up` will know: preview says what it can't say, and above all what may be stopped."""

from __future__ import annotations

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id

from .conftest import Stack, actions, both_fronts
from .programs import Expression, batch

pytestmark = pytest.mark.engine

A, B = sorted((make_job_id("a"), make_job_id("b")))

# Its outputs are known after an `up` has created it, and in no preview before.
MAKER = batch("made", "maker")
TEXT_LATER = Expression("made.job_statuses.apply(lambda rows: rows['maker']['name'])", '${made.jobStatuses["maker"].name}')
TRUE_LATER = Expression("made.ready", "${made.ready}")


def make(sandbox: Sandbox, text: str = "whatever") -> Expression:
    """Add the job of `MAKER`, which gives this text."""
    sandbox.add_jobs(make_job("maker", name=text, status="INCRE_TRANSFER_STARTED"))
    return TEXT_LATER


@both_fronts
def test_a_state_that_is_not_known_yet_may_be_a_stop(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B, status="INCRE_TRANSFER_STARTED"))
    stack.starts(A)
    stack.up()
    sandbox.clear_calls()
    later = make(sandbox, "started")
    stack.declares(
        MAKER,
        batch("batch", {"job_id": A, "desired_state": later}),
        batch("new", {"job_id": B, "desired_state": later}),
    )

    preview, up = stack.preview(), stack.up()

    assert preview.exit_code == 0, preview.output
    for job_id in (A, B):
        assert f"{stack.dialect.name('desired_state')} of job {job_id} is not known yet" in preview
    assert "STOPPED FOR GOOD" in preview
    assert up.exit_code == 0, up.output
    assert actions(sandbox) == []
    assert stack.rests()


def test_a_stop_that_preview_could_not_know_happens_after_the_warning(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    stack.starts(A, B)
    stack.up()
    stack.declares(MAKER, batch("batch", {"job_id": A, "desired_state": make(sandbox, "stopped")}, B))

    preview, up = stack.preview(), stack.up()

    assert f"{stack.dialect.name('desired_state')} of job {A} is not known yet" in preview
    assert "STOPPED FOR GOOD" in preview
    assert up.exit_code == 0, up.output
    assert (sandbox.job(A)["stops"], sandbox.job(B)["stops"]) == (1, 0)


@both_fronts
def test_what_becomes_of_the_jobs_of_a_deleted_resource_may_not_be_known_yet(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    stack.starts(A)
    stack.up()
    later = make(sandbox, "stop")
    stack.declares(MAKER, batch("batch", A, on_destroy=later), batch("new", B, on_destroy=later))

    preview, up = stack.preview("--json"), stack.up()

    assert preview.exit_code == 0, preview.output
    for name in ("batch", "new"):
        told = f"{stack.dialect.name('on_destroy')} is not known yet"
        assert any(told in text for text in preview.diagnostics(name)), preview.output
    assert up.exit_code == 0, up.output


@both_fronts
def test_ids_that_are_not_known_yet_stop_nothing(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    stack.starts(A, B, on_destroy="stop")
    stack.up()
    sandbox.clear_calls()
    stack.declares(MAKER, batch("batch", make(sandbox, A), on_destroy="stop"))

    preview, up = stack.preview(), stack.up()

    assert preview.exit_code == 0, preview.output
    assert "STOP" not in preview
    assert up.exit_code == 0, up.output
    assert f"stops managing job {B}" in up
    assert actions(sandbox) == []


@both_fronts
def test_resume_that_is_not_known_yet_is_said_where_it_matters(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B, status="INCRE_TRANSFER_FAILED"))
    stack.starts(A, B)
    stack.up()
    make(sandbox)
    stack.declares(MAKER, batch("batch", A, B, resume=TRUE_LATER))

    failed = stack.preview()
    sandbox.set_status(B, "PAUSING")
    paused = stack.preview()
    sandbox.set_status(B, "INCRE_TRANSFER_STARTED")
    running = stack.preview()

    assert "resume is not known yet" in failed
    assert "resume is not known yet" in paused
    assert "resume is not known yet" not in running


def test_a_precheck_that_is_not_known_yet_is_said_where_a_job_is_to_be_started(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    stack.starts(A)
    stack.up()
    make(sandbox)
    stack.declares(MAKER, batch("batch", A, precheck=TRUE_LATER), batch("new", B, precheck=TRUE_LATER))

    running = stack.preview("--json")
    sandbox.set_status(A, "CONFIGURATION")
    unstarted = stack.preview("--json")
    up = stack.up()

    def is_said(text: list[str]) -> bool:
        return "precheck is not known yet" in "\n".join(text)

    assert is_said(running.diagnostics("new")), running.output
    assert not is_said(running.diagnostics("batch"))
    assert is_said(unstarted.diagnostics("batch")), unstarted.output
    assert up.exit_code == 0, up.output
    assert len(sandbox.calls("batch-precheck")) == 2
