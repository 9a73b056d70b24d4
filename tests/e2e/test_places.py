"""Jobs are where the state says they are, whatever the shell says of a later command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id

from .conftest import Stack, actions, both_fronts

pytestmark = pytest.mark.engine

A, B = sorted((make_job_id("a"), make_job_id("b")))
RUNS = "INCRE_TRANSFER_STARTED"

PLACES = pytest.mark.parametrize(
    ("front", "elsewhere"), [("dynamic", "project"), ("dynamic", "endpoint"), ("native", "endpoint")], indirect=True
)


@pytest.fixture
def other_sandbox() -> Iterator[Sandbox]:
    """Another DRS and IAM, where jobs of the same ids run."""
    with Sandbox(start_seconds=0.1, full_seconds=3600) as running:
        running.add_jobs(make_job(A, status=RUNS), make_job(B, status=RUNS))
        yield running


@dataclass
class Elsewhere:
    """A shell that is set up for another place."""

    environment: dict[str, str]
    names: tuple[str, str]
    """What tells the two places apart: here, and there."""


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest, sandbox: Sandbox, other_sandbox: Sandbox) -> Elsewhere:
    if request.param == "project":
        other = sandbox.account.other_project_id
        return Elsewhere({"OS_PROJECT_ID": other}, (sandbox.project_id, other))
    return Elsewhere({"DRS_ENDPOINT": other_sandbox.url, "OS_AUTH_URL": other_sandbox.auth_url}, (sandbox.url, other_sandbox.url))


@PLACES
def test_a_shell_for_another_place_neither_reads_nor_starts_anything_there(
    sandbox: Sandbox, other_sandbox: Sandbox, stack: Stack, elsewhere: Elsewhere
) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    stack.starts(A, B)
    stack.up()
    sandbox.set_status(B, "CONFIGURATION")
    sandbox.clear_calls()

    preview = stack.preview(**elsewhere.environment)
    refresh = stack.refresh(**elsewhere.environment)
    refreshed = stack.resource()["outputs"]["job_statuses"][B]["status"]
    up = stack.up(**elsewhere.environment)

    acted = {
        "preview": (preview, f"will start 1 job: {B}" in preview),
        "refresh": (refresh, refreshed == "CONFIGURATION"),
        "up": (up, sandbox.job(B)["starts"] == 2),
    }
    for command, (run, has_acted) in acted.items():
        # It refuses and names both places, or it does its work at the first.
        is_refused = run.exit_code != 0 and all(name in run for name in elsewhere.names)
        assert is_refused or (run.exit_code == 0 and has_acted), f"{command}: {run.output}"
    assert {project for _, project, _ in actions(sandbox)} <= {sandbox.project_id}
    assert actions(other_sandbox) == []


@PLACES
def test_a_destroy_from_a_shell_for_another_place_never_leaves_a_job_behind_in_silence(
    sandbox: Sandbox, other_sandbox: Sandbox, stack: Stack, elsewhere: Elsewhere
) -> None:
    sandbox.add_jobs(make_job(A))
    stack.starts(A, on_destroy="stop")
    stack.up()

    run = stack.destroy(**elsewhere.environment)

    if run.exit_code == 0:
        assert sandbox.job(A)["stops"] == 1, run.output
    else:
        assert all(name in run for name in elsewhere.names), run.output
        # The way out is the right shell.
        assert stack.destroy().exit_code == 0
        assert sandbox.job(A)["stops"] == 1
    assert actions(other_sandbox) == []
    assert {project for _, project, _ in actions(sandbox)} == {sandbox.project_id}


def test_the_state_says_where_the_jobs_are(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A))
    stack.starts(A)

    up = stack.up(OS_PROJECT_ID="", OS_PROJECT_NAME=sandbox.account.project_name)

    assert up.exit_code == 0, up.output
    recorded = json.dumps(stack.resource()["outputs"])
    assert sandbox.url in recorded
    assert sandbox.project_id in recorded


@both_fronts
def test_another_project_replaces_the_resource_and_another_spelling_does_not(sandbox: Sandbox, stack: Stack) -> None:
    by_name = {"OS_PROJECT_ID": "", "OS_PROJECT_NAME": sandbox.account.project_name}
    sandbox.add_jobs(make_job(A))
    stack.starts(A, on_destroy="stop")
    stack.up(**by_name)

    other_shell = stack.preview("--expect-no-changes")
    stack.starts(A, on_destroy="stop", project_id=sandbox.project_id)
    same, up = stack.preview(**by_name), stack.up(**by_name)
    stack.starts(A, on_destroy="stop", project_id=sandbox.account.other_project_id)
    another = stack.preview(**by_name)

    assert other_shell.exit_code == 0, other_shell.output
    assert "replace" not in same
    assert up.exit_code == 0, up.output
    assert sandbox.job(A)["stops"] == 0
    assert "replace" in another
