"""Inputs in normal form, and what is said of those that are wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_drs_start.reconcile.declared import Declared, DesiredJob, DesiredState
from pulumi_drs_start.schema.inputs import parse_inputs
from pulumi_drs_start.schema.values import seconds

UNKNOWN = object()


def check(**declared: Any) -> Any:
    return parse_inputs(declared, lambda value: value is UNKNOWN)


def test_what_is_left_out_has_the_same_default_in_both_forms() -> None:
    """The table of fields has it in words, `Declared` as a value."""
    declared = check(jobs=["a"]).declared

    assert declared == replace(Declared(), jobs=(DesiredJob("a"),), listed=("a",), count=1, inputs=declared.inputs)


def test_jobs_are_sorted_dicts() -> None:
    assert check(jobs=["b", {"job_id": "a"}]).declared.inputs["jobs"] == ["a", "b"]


@given(st.permutations(["a", "b", "c", "d"]))
def test_the_order_of_jobs_makes_no_difference(jobs: list[str]) -> None:
    assert check(jobs=jobs).declared.inputs == check(jobs=["a", "b", "c", "d"]).declared.inputs


def test_defaults_are_filled_in() -> None:
    inputs = check(jobs=["a"]).declared.inputs

    assert inputs == {
        "jobs": ["a"],
        "wait_for": "running",
        "timeout": "60m",
        "resume": False,
        "precheck": False,
        "on_failure": "fail",
        "on_destroy": "leave",
    }


def test_normal_form_is_stable() -> None:
    once = check(jobs=["b", "a"], timeout="1h", region=" eu-de ").declared.inputs

    assert check(**once).declared.inputs == once


@pytest.mark.parametrize(("text", "length"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1h30m", 5400)])
def test_a_duration_is_understood(text: str, length: float) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize("wrong", ["", "0s", "5", "soon", "5 minutes", "1.5h", "-3m", 90, None, ["90s"]])
def test_what_is_no_duration_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="must be a duration such as"):
        seconds(wrong)


def test_durations_that_mean_the_same_are_the_same() -> None:
    assert (
        check(jobs=["a"], timeout="3600s").declared.inputs["timeout"]
        == check(jobs=["a"], timeout="1h").declared.inputs["timeout"]
    )


@pytest.mark.parametrize(
    ("jobs", "problem"),
    [
        ([], "jobs names no job: give at least one"),
        (None, "jobs names no job: give at least one"),
        ("a", "jobs must be a list of jobs; got a string"),
        (["a", 7.0], "jobs[1] must be a job id, JobStartArgs or a dict; got a float"),
        (["a", ""], "jobs[1].job_id is empty"),
        (["a", "b\n"], "jobs[1].job_id is not a job id"),
        ([{"job_id": None}], "jobs[0].job_id is missing"),
        (["a", "b", "a"], "jobs[2].job_id is the same as jobs[0].job_id"),
        ([{"job_id": "a", "start_time": "1796090400"}], "jobs[0].start_time must be milliseconds since the epoch"),
        ([{"job_id": "a", "start_time": "2026-12-01T02:00:00"}], "jobs[0].start_time has no time zone"),
        ([{"job_id": "a", "start_time": "tomorrow"}], "jobs[0].start_time must be a time such as"),
    ],
)
def test_a_wrong_job_is_named_by_its_place(jobs: Any, problem: str) -> None:
    problems = check(jobs=jobs).problems

    assert len(problems) == 1
    assert problems[0].startswith(problem)


def test_every_problem_is_found_at_once() -> None:
    assert len(check(jobs=["a", "a", ""], wait_for="x", timeout="y", cloud="", colour="red").problems) == 6


@pytest.mark.parametrize("name", ["wait_for", "timeout", "on_failure", "start_time", "on_destroy"])
def test_a_text_is_not_quoted_because_it_may_be_secret(name: str) -> None:
    (problem,) = check(jobs=["a"], **{name: "hunter2"}).problems

    assert "hunter2" not in problem


def test_a_number_is_shown_as_it_was_written() -> None:
    assert check(jobs=["a"], timeout=60.0).problems[0].endswith("got 60")


@pytest.mark.parametrize("jobs", [UNKNOWN, [UNKNOWN], [{"job_id": UNKNOWN}], ["a", UNKNOWN]])
def test_unknown_values_pass_where_they_are(jobs: Any) -> None:
    checked = check(jobs=jobs)

    assert checked.declared.has_unknowns
    assert checked.problems == ()


def test_known_jobs_beside_unknown_ones_are_checked_and_counted() -> None:
    checked = check(jobs=[UNKNOWN, "b", {"job_id": UNKNOWN}, "a"])

    assert checked.declared.inputs["jobs"] == ["a", "b", UNKNOWN, {"job_id": UNKNOWN}]
    assert [job.job_id for job in checked.declared.jobs] == ["a", "b"]
    assert check(jobs=[UNKNOWN, ""]).problems == ("jobs[1].job_id is empty",)


def found(*jobs: str, listed: list[str], others: list[str]) -> Any:
    """What a query found: jobs, and others that match but for their status; and what is on the list so far."""
    declared = {"jobs": list(jobs), "__found": {"query": "find_jobs", "other_status": others, "of_total": 9}}
    return parse_inputs(declared, lambda value: value is UNKNOWN, listed)


def ids(checked: Any) -> list[str]:
    return list(checked.declared.inputs["jobs"])


def test_a_job_on_the_list_stays_there_when_only_its_status_no_longer_matches() -> None:
    assert ids(found("b", listed=["a", "b"], others=["a", "c"])) == ["a", "b"]
    assert ids(found(listed=["a"], others=["a"])) == ["a"]


def test_a_job_that_was_never_on_the_list_is_not_put_there_by_a_status_it_does_not_have() -> None:
    assert ids(found("b", listed=[], others=["a"])) == ["b"]


def test_a_job_that_matches_no_more_leaves_the_list() -> None:
    assert ids(found("b", listed=["a", "b"], others=[])) == ["b"]


def test_a_query_that_finds_nothing_is_no_empty_list() -> None:
    (problem,) = found(listed=[], others=["a"]).problems

    assert problem == (
        "jobs names no job: find_jobs matched none of the 9 jobs it looked through; "
        "1 match but for the status: leave status out to take those over too"
    )


class CountedId(str):
    """An id that counts how often ids are compared."""

    __slots__ = ()
    __hash__ = str.__hash__
    comparisons = 0

    def __eq__(self, other: object) -> bool:
        CountedId.comparisons += 1
        return str.__eq__(self, other)


@pytest.mark.parametrize("share_on_list", [0, 0.5, 1])
def test_the_work_grows_no_faster_than_the_number_of_jobs(share_on_list: float) -> None:
    count = 1000
    # Twice each, because the program and the state do not share their texts.
    others, listed = ([CountedId(f"job-{number}") for number in range(count)] for _ in range(2))
    jobs = [CountedId(f"job-{number}") for number in range(count, 2 * count)]
    CountedId.comparisons = 0

    checked = found(*jobs, listed=listed[: int(count * share_on_list)], others=others)

    assert len(checked.declared.inputs["jobs"]) == count + int(count * share_on_list)
    assert CountedId.comparisons < 10 * count


@pytest.mark.parametrize(
    ("on_destroy", "targets"),
    [("leave", []), ("pause", [DesiredState.PAUSED]), ("stop", [DesiredState.STOPPED]), (UNKNOWN, []), (None, [])],
)
def test_the_jobs_of_a_deleted_resource_are_left_unless_something_else_is_asked(
    on_destroy: Any, targets: list[DesiredState]
) -> None:
    assert [job.state for job in check(on_destroy=on_destroy, jobs=["a"]).declared.to_retire()] == targets
