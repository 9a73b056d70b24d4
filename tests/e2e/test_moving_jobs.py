"""Resources are renamed, split, merged and replaced, and jobs move between them: none is stopped that is still declared."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id

from .conftest import Stack, actions

pytestmark = pytest.mark.engine

A, B, C = sorted(make_job_id(label) for label in "abc")

# Said where the program that runs is not the whole of it.
PART_ONLY = "not known whole"


def batch(name: str, *job_ids: str, after: str = "", more: str = "") -> str:
    """A resource that stops its jobs when it is deleted, in a variable of its name."""
    opts = f", opts=pulumi.ResourceOptions(depends_on=[{after}])" if after else ""
    return f"{name} = JobBatchStart({name!r}, jobs={list(job_ids)!r}, on_destroy='stop'{more}{opts})\n"


def stops(sandbox: Sandbox) -> dict[str, int]:
    return {job_id: job["stops"] for job_id, job in sandbox.jobs().items()}


def goes_through(stack: Stack, *programs: str, **environment: str) -> None:
    """Each program in turn is brought up without a failure."""
    for program in programs:
        stack.program(program)
        run = stack.up(**environment)
        assert run.exit_code == 0, run.output


@pytest.fixture
def jobs(sandbox: Sandbox) -> Sandbox:
    """Three jobs, unstarted."""
    sandbox.add_jobs(make_job(A), make_job(B), make_job(C))
    return sandbox


def test_a_job_that_moves_to_a_resource_after_its_own_is_not_stopped(jobs: Sandbox, stack: Stack) -> None:
    goes_through(
        stack,
        batch("first", A, B) + batch("second", C, after="first"),
        batch("first", A) + batch("second", B, C, after="first"),
        # Now the place it comes from goes as well.
        batch("third", A) + batch("fourth", B, C, after="third"),
    )

    assert stops(jobs) == {A: 0, B: 0, C: 0}
    assert stack.rests()


def test_splitting_and_merging_resources_stops_nothing(jobs: Sandbox, stack: Stack) -> None:
    goes_through(
        stack,
        batch("whole", A, B),
        batch("one", A) + batch("two", B, after="one"),
        batch("two", A, B),
        batch("merged", A, B, C),
    )

    assert stops(jobs) == {A: 0, B: 0, C: 0}
    assert {job["starts"] for job in jobs.jobs().values()} == {1}
    assert stack.rests()


def by_name(sandbox: Sandbox) -> dict[str, str]:
    """An environment with the project's name where the id was."""
    return {"OS_PROJECT_ID": "", "OS_PROJECT_NAME": sandbox.account.project_name}


def test_a_renamed_resource_may_spell_its_project_in_another_way(jobs: Sandbox, stack: Stack) -> None:
    by_id = f", project_id={jobs.project_id!r}"

    goes_through(
        stack,
        batch("by_name", A),
        batch("by_id", A, more=by_id),
        batch("by_name_again", A),
        **by_name(jobs),
    )

    assert stops(jobs)[A] == 0


def test_a_renamed_resource_may_meet_another_spelling_in_the_environment(jobs: Sandbox, stack: Stack) -> None:
    goes_through(stack, batch("old", A), **by_name(jobs))
    goes_through(stack, batch("new", A))
    goes_through(stack, batch("newer", A), **by_name(jobs))

    assert stops(jobs)[A] == 0


def test_a_renamed_resource_may_find_its_place_in_clouds_yaml(jobs: Sandbox, stack: Stack) -> None:
    entry = {
        "auth": {
            "auth_url": jobs.auth_url,
            "username": jobs.username,
            "password": jobs.password,
            "user_domain_name": jobs.domain_name,
            "project_name": jobs.account.project_name,
        },
        "region_name": jobs.account.region,
        "drs_endpoint_override": f"{jobs.url}/v3/",
    }
    clouds = stack.folder / "clouds.yaml"
    clouds.write_text(json.dumps({"clouds": {"here": entry}}))
    in_cloud = ", cloud='here'"

    goes_through(
        stack,
        batch("old", A),
        batch("in_cloud", A, more=in_cloud),
        batch("new", A),
        OS_CLIENT_CONFIG_FILE=str(clouds),
    )

    assert stops(jobs)[A] == 0


def test_a_target_that_hides_the_new_place_of_a_job_stops_nothing_and_says_why(jobs: Sandbox, stack: Stack) -> None:
    goes_through(stack, batch("old", A) + batch("other", B))
    stack.program(batch("new", A) + batch("other", B))

    run = stack.up("--target", stack.urn("old"))

    assert PART_ONLY in run
    assert "--target" in run
    assert stops(jobs)[A] == 0
    rest = stack.up()
    assert rest.exit_code == 0, rest.output
    assert stops(jobs) == {A: 0, B: 0, C: 0}


def test_destroying_a_target_leaves_its_jobs_and_says_why(jobs: Sandbox, stack: Stack) -> None:
    goes_through(stack, batch("first", A) + batch("second", A, B))

    run = stack.destroy("--target", stack.urn("first"))

    assert PART_ONLY in run
    assert stops(jobs)[A] == 0
    rest = stack.destroy()
    assert rest.exit_code == 0, rest.output
    assert stops(jobs) == {A: 1, B: 1, C: 0}


@pytest.mark.parametrize(
    "opts", ["", ", opts=pulumi.ResourceOptions(delete_before_replace=True)"], ids=["create first", "delete first"]
)
def test_a_resource_that_is_replaced_stops_nothing_in_either_order(jobs: Sandbox, stack: Stack, opts: str) -> None:
    goes_through(stack, batch("batch", A, more=opts))

    run = stack.up("--replace", stack.urn("batch"))

    assert run.exit_code == 0, run.output
    assert "replaced" in run
    assert stops(jobs)[A] == 0


def test_a_job_that_moves_on_while_its_resource_is_deleted_before_it_is_replaced_is_not_stopped(
    jobs: Sandbox, stack: Stack
) -> None:
    """The old resource is deleted before the program has come to the new place of its job."""
    first = (
        "first = JobBatchStart('first', jobs={}, on_destroy='stop', opts=pulumi.ResourceOptions(delete_before_replace=True))\n"
    )
    goes_through(stack, first.format([A, B]) + batch("second", C, after="first"))
    stack.program(first.format([A]) + batch("second", B, C, after="first"))

    run = stack.up("--replace", stack.urn("first"))

    assert run.exit_code == 0, run.output
    assert stops(jobs) == {A: 0, B: 0, C: 0}


def test_a_resource_that_is_gone_stops_the_jobs_that_nobody_else_declares(jobs: Sandbox, stack: Stack) -> None:
    goes_through(stack, batch("one", A, B) + batch("two", C), batch("two", B, C))

    assert stops(jobs) == {A: 1, B: 0, C: 0}


def test_destroy_stops_a_job_that_two_resources_declare(jobs: Sandbox, stack: Stack) -> None:
    goes_through(stack, batch("one", A) + batch("two", A, B))

    run = stack.destroy()

    assert run.exit_code == 0, run.output
    assert stops(jobs) == {A: 1, B: 1, C: 0}


def test_two_projects_are_two_places_though_their_jobs_are_named_alike(jobs: Sandbox, make_stack: Callable[..., Stack]) -> None:
    """A resource elsewhere that names the same id protects nothing here."""
    stack = make_stack(jobs)
    elsewhere = f", project_id={jobs.account.other_project_id!r}, on_failure='record'"
    goes_through(stack, batch("here", A), batch("there", A, more=elsewhere))

    assert stops(jobs)[A] == 1
    assert {project for _, project, _ in actions(jobs)} == {jobs.project_id}
