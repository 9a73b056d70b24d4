"""`examples/resume-and-destroy`: jobs that are resumed, and paused or stopped with the stack."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import Project, jobs_in_readme

pytestmark = pytest.mark.engine

# The README names two of the rehearsal, then two of production.
REHEARSAL, PAUSED_REHEARSAL, PRODUCTION, FAILED_PRODUCTION = jobs_in_readme("resume-and-destroy")


@pytest.fixture
def project(sandbox: Sandbox, make_example: Callable[[str], Project]) -> Project:
    sandbox.add_jobs(
        make_job(REHEARSAL),
        make_job(PAUSED_REHEARSAL, status="PAUSING"),
        make_job(PRODUCTION),
        make_job(FAILED_PRODUCTION, status="INCRE_TRANSFER_FAILED", task_type="INCR_TRANS"),
    )
    project = make_example("resume-and-destroy")
    project.follow_readme()
    # The README takes the guard off at the end; in the beginning it is on.
    project.pulumi("config", "rm", "protect")
    return project


def ended(sandbox: Sandbox) -> dict[str, tuple[int, int]]:
    """How often each job was paused and stopped."""
    return {job_id: (job["pauses"], job["stops"]) for job_id, job in sandbox.jobs().items()}


NONE_ENDED = dict.fromkeys((REHEARSAL, PAUSED_REHEARSAL, PRODUCTION, FAILED_PRODUCTION), (0, 0))


def test_paused_and_failed_jobs_are_resumed(project: Project, sandbox: Sandbox) -> None:
    preview = project.pulumi("preview")
    assert "resume 1 job" in preview
    assert sandbox.calls("batch-retry-task") == []

    project.up()

    assert {job_id: (job["starts"], job["retries"]) for job_id, job in sandbox.jobs().items()} == {
        REHEARSAL: (1, 0),
        PAUSED_REHEARSAL: (0, 1),
        PRODUCTION: (1, 0),
        FAILED_PRODUCTION: (0, 1),
    }
    outputs = project.outputs()
    assert (outputs["rehearsal_ready"], outputs["production_ready"]) == (True, True)
    assert project.stays()
    assert ended(sandbox) == NONE_ENDED


def test_a_job_that_cannot_be_started_is_recorded_and_tried_again(project: Project, sandbox: Sandbox) -> None:
    sandbox.set_status(PRODUCTION, "CREATE_FAILED")

    project.up()

    outputs = project.outputs()
    assert outputs["production_ready"] is False
    assert list(outputs["production_problems"]) == [PRODUCTION]
    assert outputs["rehearsal_ready"] is True

    sandbox.set_status(PRODUCTION, "CONFIGURATION")
    project.up()

    assert project.outputs()["production_ready"] is True
    assert sandbox.job(PRODUCTION)["starts"] == 1
    assert project.stays()


def test_with_the_guard_destroy_is_refused_at_its_preview(project: Project, sandbox: Sandbox) -> None:
    project.up()

    output = project.refused("destroy", "--yes")

    assert "protected" in output
    assert ended(sandbox) == NONE_ENDED


def test_the_guard_holds_without_a_preview_too_but_for_its_own_batch_only(project: Project, sandbox: Sandbox) -> None:
    project.up()

    output = project.refused("destroy", "--yes", "--skip-preview")

    assert "protected" in output
    assert ended(sandbox) == {**NONE_ENDED, PRODUCTION: (1, 0), FAILED_PRODUCTION: (1, 0)}


def test_without_the_guard_destroy_stops_the_rehearsal_and_pauses_production(project: Project, sandbox: Sandbox) -> None:
    first_preview = project.pulumi("preview")
    assert "will STOP 2 jobs FOR GOOD" in first_preview
    project.up()
    project.configure(protect="false")
    project.up()
    project.pulumi("destroy", "--preview-only")
    assert ended(sandbox) == NONE_ENDED

    project.destroy()

    assert project.resources() == []
    assert ended(sandbox) == {REHEARSAL: (0, 1), PAUSED_REHEARSAL: (0, 1), PRODUCTION: (1, 0), FAILED_PRODUCTION: (1, 0)}


def test_a_job_taken_off_the_list_goes_on(project: Project, sandbox: Sandbox) -> None:
    project.up()
    project.pulumi("config", "rm", "--path", "rehearsal[1]")

    preview = project.pulumi("preview")
    assert f"stops managing job {PAUSED_REHEARSAL}, which is left as it is" in preview
    project.up()

    assert ended(sandbox) == NONE_ENDED
    assert project.stays()
