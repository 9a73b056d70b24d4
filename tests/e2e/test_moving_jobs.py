"""Resources are renamed, split, merged and replaced, and jobs move between them: none is stopped that is still declared."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id

from .conftest import Stack, actions, both_fronts
from .programs import Batch, batch

pytestmark = pytest.mark.engine

A, B, C = sorted(make_job_id(label) for label in "abc")

# Said where the program that runs is not the whole of it.
PART_ONLY = "not known whole"


def stopping(name: str, *job_ids: str, deletes_first: bool = False, **more: Any) -> Batch:
    """A resource that stops its jobs when it is deleted."""
    return batch(name, *job_ids, on_destroy="stop", options={"delete_before_replace": True} if deletes_first else {}, **more)


def stops(sandbox: Sandbox) -> dict[str, int]:
    return {job_id: job["stops"] for job_id, job in sandbox.jobs().items()}


def goes_through(stack: Stack, *programs: Sequence[Batch], **environment: str) -> None:
    """Each program in turn is brought up without a failure."""
    for program in programs:
        stack.declares(*program)
        run = stack.up(**environment)
        assert run.exit_code == 0, run.output


@pytest.fixture
def jobs(sandbox: Sandbox) -> Sandbox:
    """Three jobs, unstarted."""
    sandbox.add_jobs(make_job(A), make_job(B), make_job(C))
    return sandbox


@both_fronts
def test_a_job_that_moves_to_a_resource_after_its_own_is_not_stopped(jobs: Sandbox, stack: Stack) -> None:
    goes_through(
        stack,
        [stopping("first", A, B), stopping("second", C, after="first")],
        [stopping("first", A), stopping("second", B, C, after="first")],
        # Now the place it comes from goes as well.
        [stopping("third", A), stopping("fourth", B, C, after="third")],
    )

    assert stops(jobs) == {A: 0, B: 0, C: 0}
    assert stack.rests()


def test_splitting_and_merging_resources_stops_nothing(jobs: Sandbox, stack: Stack) -> None:
    goes_through(
        stack,
        [stopping("whole", A, B)],
        [stopping("one", A), stopping("two", B, after="one")],
        [stopping("two", A, B)],
        [stopping("merged", A, B, C)],
    )

    assert stops(jobs) == {A: 0, B: 0, C: 0}
    assert {job["starts"] for job in jobs.jobs().values()} == {1}
    assert stack.rests()


def by_name(sandbox: Sandbox) -> dict[str, str]:
    """An environment with the project's name where the id was."""
    return {"OS_PROJECT_ID": "", "OS_PROJECT_NAME": sandbox.account.project_name}


@both_fronts
def test_a_renamed_resource_may_spell_its_project_in_another_way(jobs: Sandbox, stack: Stack) -> None:
    goes_through(
        stack,
        [stopping("by_name", A)],
        [stopping("by_id", A, project_id=jobs.project_id)],
        [stopping("by_name_again", A)],
        **by_name(jobs),
    )

    assert stops(jobs)[A] == 0


def test_a_renamed_resource_may_meet_another_spelling_in_the_environment(jobs: Sandbox, stack: Stack) -> None:
    goes_through(stack, [stopping("old", A)], **by_name(jobs))
    goes_through(stack, [stopping("new", A)])
    goes_through(stack, [stopping("newer", A)], **by_name(jobs))

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

    goes_through(
        stack,
        [stopping("old", A)],
        [stopping("in_cloud", A, cloud="here")],
        [stopping("new", A)],
        OS_CLIENT_CONFIG_FILE=str(clouds),
    )

    assert stops(jobs)[A] == 0


@both_fronts
def test_a_target_that_hides_the_new_place_of_a_job_stops_nothing_and_says_why(jobs: Sandbox, stack: Stack) -> None:
    goes_through(stack, [stopping("old", A), stopping("other", B)])
    stack.declares(stopping("new", A), stopping("other", B))

    run = stack.up("--target", stack.urn("old"))

    assert PART_ONLY in run
    assert "--target" in run
    assert stops(jobs)[A] == 0
    rest = stack.up()
    assert rest.exit_code == 0, rest.output
    assert stops(jobs) == {A: 0, B: 0, C: 0}


def test_destroying_a_target_leaves_its_jobs_and_says_why(jobs: Sandbox, stack: Stack) -> None:
    goes_through(stack, [stopping("first", A), stopping("second", A, B)])

    run = stack.destroy("--target", stack.urn("first"))

    assert PART_ONLY in run
    assert stops(jobs)[A] == 0
    rest = stack.destroy()
    assert rest.exit_code == 0, rest.output
    assert stops(jobs) == {A: 1, B: 1, C: 0}


@pytest.mark.parametrize(
    ("front", "deletes_first"),
    [("dynamic", False), ("dynamic", True), ("native", True)],
    ids=["create first", "delete first", "delete first, native"],
    indirect=["front"],
)
def test_a_resource_that_is_replaced_stops_nothing_in_either_order(jobs: Sandbox, stack: Stack, deletes_first: bool) -> None:
    goes_through(stack, [stopping("batch", A, deletes_first=deletes_first)])

    run = stack.up("--replace", stack.urn("batch"))

    assert run.exit_code == 0, run.output
    assert "replaced" in run
    assert stops(jobs)[A] == 0


@both_fronts
def test_a_job_that_moves_on_while_its_resource_is_deleted_before_it_is_replaced_is_not_stopped(
    jobs: Sandbox, stack: Stack
) -> None:
    """The old resource is deleted before the program has come to the new place of its job."""
    goes_through(stack, [stopping("first", A, B, deletes_first=True), stopping("second", C, after="first")])
    stack.declares(stopping("first", A, deletes_first=True), stopping("second", B, C, after="first"))

    run = stack.up("--replace", stack.urn("first"))

    assert run.exit_code == 0, run.output
    assert stops(jobs) == {A: 0, B: 0, C: 0}


@both_fronts
def test_a_resource_that_is_gone_stops_the_jobs_that_nobody_else_declares(jobs: Sandbox, stack: Stack) -> None:
    goes_through(stack, [stopping("one", A, B), stopping("two", C)], [stopping("two", B, C)])

    assert stops(jobs) == {A: 1, B: 0, C: 0}


def test_destroy_stops_a_job_that_two_resources_declare(jobs: Sandbox, stack: Stack) -> None:
    goes_through(stack, [stopping("one", A), stopping("two", A, B)])

    run = stack.destroy()

    assert run.exit_code == 0, run.output
    assert stops(jobs) == {A: 1, B: 1, C: 0}


def test_two_projects_are_two_places_though_their_jobs_are_named_alike(jobs: Sandbox, make_stack: Callable[..., Stack]) -> None:
    """A resource elsewhere that names the same id protects nothing here."""
    stack = make_stack(jobs)
    there = stopping("there", A, project_id=jobs.account.other_project_id, on_failure="record")
    goes_through(stack, [stopping("here", A)], [there])

    assert stops(jobs)[A] == 1
    assert {project for _, project, _ in actions(jobs)} == {jobs.project_id}
