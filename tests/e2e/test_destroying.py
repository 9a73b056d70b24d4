"""Deleting a resource: what `on_destroy` asks for is done and seen, or the command fails by name."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_drs_start.sandbox import Sandbox, faults, make_job, make_job_id

from .conftest import Run, Stack, actions, both_fronts, hide
from .programs import batch

pytestmark = pytest.mark.engine

A, B = sorted((make_job_id("a"), make_job_id("b")))


def is_kept(stack: Stack, run: Run) -> bool:
    """Whether the command failed, and the resource is still in the state."""
    return run.exit_code != 0 and stack.resource()["urn"].endswith("::batch")


@pytest.mark.parametrize(
    ("front", "on_destroy"), [("dynamic", "pause"), ("dynamic", "stop"), ("native", "stop")], indirect=["front"]
)
def test_a_job_that_drs_does_not_show_is_not_called_done(sandbox: Sandbox, stack: Stack, on_destroy: str) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    stack.starts(A, B, on_destroy=on_destroy)
    stack.up()
    hide(sandbox, A)

    run = stack.destroy()

    assert is_kept(stack, run), run.output
    assert A in run
    assert stack.dialect.setting("on_destroy", "leave") in run
    assert sandbox.job(B)["pauses"] + sandbox.job(B)["stops"] == 1
    # What it advises works, though the job is missing then, too.
    stack.starts(A, B, on_destroy="leave", on_failure="record")
    stack.up()
    out = stack.destroy()
    assert out.exit_code == 0, out.output


@pytest.mark.parametrize(
    ("on_destroy", "said"),
    [("stop", {"unknown_in_status": "deleted"}), ("pause", {"unknown_code": "DRS.M05004"})],
    ids=["status", "code"],
)
def test_a_job_that_drs_says_is_deleted_is_done(sandbox: Sandbox, stack: Stack, on_destroy: str, said: dict[str, Any]) -> None:
    sandbox.add_jobs(make_job(A))
    stack.starts(A, on_destroy=on_destroy)
    stack.up()
    sandbox.set_policy(**said)
    hide(sandbox, A)

    run = stack.destroy()

    assert run.exit_code == 0, run.output


def test_a_job_seen_ended_before_it_disappeared_is_done(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A))
    stack.starts(A, on_destroy="stop")
    stack.up()
    sandbox.set_status(A, "RELEASE_RESOURCE_COMPLETE")
    stack.refresh()
    hide(sandbox, A)

    run = stack.destroy()

    assert run.exit_code == 0, run.output
    assert [action for action, _, _ in actions(sandbox)] == ["batch-starting"]


@both_fronts
def test_a_refused_stop_fails_by_name_and_is_asked_again_by_the_next_destroy(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    stack.starts(A, B, on_destroy="stop")
    up = stack.run("up", "--yes")
    sandbox.inject(faults.refuse_row("batch-jobs", "DRS.M00307", job_id=B, times=None))

    run = stack.destroy()

    setting = stack.dialect.setting("on_destroy", "stop")
    assert f"{setting}: pulumi destroy, or taking the resource out of the program, will STOP 2 jobs FOR GOOD" in up
    assert is_kept(stack, run), run.output
    assert f"job {B} could not be stopped" in run
    assert "DRS.M00307" in run
    sandbox.clear_faults()
    again = stack.destroy()
    assert again.exit_code == 0, again.output
    assert {job_id: job["stops"] for job_id, job in sandbox.jobs().items()} == {A: 1, B: 1}


def test_a_pause_that_the_status_does_not_allow_fails_by_name(sandbox: Sandbox, stack: Stack) -> None:
    """Only for now, perhaps: so it is asked again as long as there is time."""
    sandbox.add_jobs(make_job(A))
    stack.starts(A, on_destroy="pause", timeout="10s")
    stack.up()
    sandbox.inject(faults.refuse_row("batch-pause-task", "DRS.M00304", job_id=A, times=None))

    run = stack.destroy()

    assert is_kept(stack, run), run.output
    assert f"job {A} could not be paused" in run
    assert "DRS.M00304" in run


@pytest.mark.parametrize(("deletes_first", "stops"), [(False, 1), (True, 0)], ids=["create first", "delete first"])
def test_a_replacement_that_stops_is_announced_in_capitals(
    sandbox: Sandbox, stack: Stack, deletes_first: bool, stops: int
) -> None:
    """Where it is deleted first, the rest of the program may still declare the job: then it is left, and that is said."""
    options = {"delete_before_replace": deletes_first}
    other = sandbox.account.other_project_id
    sandbox.add_jobs(make_job(A), make_job(B, project_id=other))
    stack.declares(batch("batch", A, on_destroy="stop", project_id=sandbox.project_id, options=options))
    stack.up()
    stack.declares(batch("batch", B, on_destroy="stop", project_id=other, options=options))

    preview, up = stack.preview(), stack.up()

    assert f"STOP 1 job FOR GOOD: {A}" in preview
    assert up.exit_code == 0, up.output
    assert (sandbox.job(A)["stops"], sandbox.job(B)["stops"]) == (stops, 0)
    left = f'job {A} is left as it is in spite of on_destroy="stop": the resource is deleted before its replacement is created'
    assert stops or left in up
    assert ("batch-jobs", other) not in {(action, project) for action, project, _ in actions(sandbox)}
