"""Inputs in normal form, and what is said of those that are wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_drs_start.reconcile.declared import Declared, DesiredJob, DesiredState
from pulumi_drs_start.schema.dialect import YAML
from pulumi_drs_start.schema.fields import SECRET_INPUTS
from pulumi_drs_start.schema.inputs import parse_inputs
from pulumi_drs_start.schema.values import looks_like_job_id, seconds

UNKNOWN = object()
NO_ID = "is not a job id (36 characters, as the DRS console shows it)"
NO_DURATION = 'must be a duration such as "90s", "30m" or "2h", more than zero'


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
        "max_delay": "10s",
        "stable_for": "60s",
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
        ([], "jobs is empty: give at least one job"),
        (None, "jobs is empty: give at least one job"),
        ("a", 'jobs must be a list of jobs; got "a"'),
        (["a", 7.0], "jobs[1] must be a job id, JobStartArgs or a dict; got 7"),
        ([["a"]], "jobs[0] must be a job id, JobStartArgs or a dict; got a list"),
        (["a", ""], "jobs[1] is empty"),
        (["crm orders"], f'jobs[0] "crm orders" {NO_ID}; to use a name: find_jobs(name="crm orders")'),
        ([{"job_id": "crm/1"}], f'jobs[0].job_id "crm/1" {NO_ID}; to use a name: find_jobs(name="crm/1")'),
        (["a", "b\n"], f'jobs[1] "b\\n" {NO_ID}; take away the blanks around it'),
        ([{"job_id": None}], "jobs[0].job_id is missing"),
        ([{"job_id": 7}], "jobs[0].job_id must be a job id, a string; got 7"),
        ([{"job_id": "a", "state": "x"}], "jobs[0].state is not a field of a job"),
        (["a", "b", {"job_id": "a"}], 'jobs[2] "a" is the same job as jobs[0]: name each job once'),
        ([{"job_id": "a", "start_time": "1796090400"}], "jobs[0].start_time must be milliseconds since the epoch"),
        ([{"job_id": "a", "start_time": "2026-12-01T02:00:00"}], 'jobs[0].start_time "2026-12-01T02:00:00" has no time zone'),
        ([{"job_id": "a", "start_time": "tomorrow"}], "jobs[0].start_time must be a time such as"),
    ],
)
def test_a_wrong_job_is_named_by_its_place(jobs: Any, problem: str) -> None:
    problems = check(jobs=jobs).problems

    assert len(problems) == 1
    assert problems[0].startswith(problem)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("9f1c6f6e-5d5e-4d8c-9a1e-1268453jb101", True),
        ("9F1C6F6E-5D5E-4D8C-9A1E-1268453JB101", True),
        ("9f1c6f6e-5d5e-4d8c-9a1e-1268453jb10", False),
        ("9f1c6f6e-5d5e-4d8c-9a1e-1268453jb101\n", False),
        ("9f1c6f6e5d5e4d8c9a1e1268453jb1010000", False),
        ("9f1c6f6e-5d5e-4d8c-9a1e-1268453jb1\u0661\u0661", False),
        ("crm-orders", False),
    ],
)
def test_ids_of_drs_have_a_form_of_their_own(text: str, is_one: bool) -> None:
    assert looks_like_job_id(text) is is_one


def test_every_problem_is_found_at_once() -> None:
    assert len(check(jobs=["a", "a", ""], wait_for="x", timeout="y", cloud="", colour="red").problems) == 6


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        ({"wait_for": "runing"}, 'wait_for must be "running", "accepted" or "synced"; got "runing"; did you mean "running"?'),
        (
            {"wait_for": "Accepted"},
            'wait_for must be "running", "accepted" or "synced"; got "Accepted"; did you mean "accepted"?',
        ),
        ({"on_destroy": "delete"}, 'on_destroy must be "leave", "pause" or "stop"; got "delete"'),
        ({"on_failure": 5.0}, 'on_failure must be "fail" or "record"; got 5'),
        ({"resume": "true"}, 'resume must be True or False; got "true"; did you mean True?'),
        ({"resume": 1.0}, "resume must be True or False; got 1"),
        ({"timeout": "30"}, f'timeout {NO_DURATION}; got "30"'),
        ({"timeout": "0s"}, f'timeout {NO_DURATION}; got "0s"'),
        ({"timeout": 60.0}, f"timeout {NO_DURATION}; got 60"),
        ({"timeout": 0.5}, f"timeout {NO_DURATION}; got 0.5"),
        ({"timeout": True}, f"timeout {NO_DURATION}; got True"),
        ({"timeout": ["1h"]}, f"timeout {NO_DURATION}; got a list"),
        ({"timeout": "1h" * 60}, f'timeout {NO_DURATION}; got "{"1h" * 40}…"'),
        ({"timeout": "\x1b[31m1h\n\u202e"}, f'timeout {NO_DURATION}; got "\\x1b[31m1h\\n\\u202e"'),
        ({"region": 5.0}, "region must be a string; got 5"),
        ({"region": " "}, "region is empty: leave it out, or give a value"),
        (
            {"start_time": 1796090400.0},
            "start_time must be milliseconds since the epoch; so small a number looks like seconds: multiply by 1000; "
            "got 1796090400",
        ),
        ({"start_time": "2026-02-29T00:00:00Z"}, 'start_time "2026-02-29T00:00:00Z" is not a time of the calendar: write one'),
    ],
)
def test_a_wrong_value_is_shown(inputs: dict[str, Any], problem: str) -> None:
    (said,) = check(jobs=["a"], **inputs).problems

    assert said.startswith(problem)
    assert problem.startswith(said) or said.endswith("since the epoch")


HUSH = "hunter2 hush"


@pytest.mark.parametrize(
    "inputs",
    [
        *({name: HUSH} for name in ("wait_for", "timeout", "resume", "on_failure", "start_time", "on_destroy", "jobs")),
        {"jobs": [HUSH]},
        {"jobs": [{"job_id": HUSH}]},
        {"jobs": [{"job_id": "a", HUSH: "x"}]},
        {"jobs": [{"job_id": "a", "start_time": HUSH}]},
        {"jobs": [{"job_id": "a", "desired_state": HUSH}]},
        {"jobs": ["hunter2", "hunter2"]},
        {"start_time": "2026-12-01T02:00:00 hunter2"},
        {"start_time": "2026-12-32T02:00:00.72Z"},
        {"start_time": 72.0},
        {"start_time": 72e15},
        {"timeout": 72.0},
        {"region": 72.0},
    ],
    ids=str,
)
def test_a_secret_value_is_not_shown(inputs: dict[str, Any]) -> None:
    """The name tells the program's author where to look."""
    (name,) = inputs
    given = {"jobs": ["a"], **inputs}

    open_problems = check(**given).problems
    (problem,) = check(**given, **{SECRET_INPUTS: f"cloud {name}"}).problems

    assert problem.startswith(name)
    assert any(part in said for said in open_problems for part in ("hunter2", "72"))
    assert not any(part in problem for part in ("hunter2", "hush", "72"))


def test_what_is_secret_in_one_input_says_nothing_of_another() -> None:
    assert check(jobs=["a"], timeout="30", **{SECRET_INPUTS: "jobs start_time"}).problems[0].endswith('got "30"')


def test_another_language_is_told_of_its_own_spelling() -> None:
    problems = parse_inputs({"jobs": ["crm orders"], "on_failure": "?", "resume": "TRUE"}, dialect=YAML).problems

    assert problems[0].endswith("to use a name: findJobs with name: crm orders")
    assert problems[1] == 'resume must be true or false; got "TRUE"; did you mean true?'
    assert problems[2] == 'onFailure must be "fail" or "record"; got "?"'


@pytest.mark.parametrize("jobs", [UNKNOWN, [UNKNOWN], [{"job_id": UNKNOWN}], ["a", UNKNOWN]])
def test_unknown_values_pass_where_they_are(jobs: Any) -> None:
    checked = check(jobs=jobs)

    assert checked.declared.has_unknowns
    assert checked.problems == ()


def test_known_jobs_beside_unknown_ones_are_checked_and_counted() -> None:
    checked = check(jobs=[UNKNOWN, "b", {"job_id": UNKNOWN}, "a"])

    assert checked.declared.inputs["jobs"] == ["a", "b", UNKNOWN, {"job_id": UNKNOWN}]
    assert [job.job_id for job in checked.declared.jobs] == ["a", "b"]
    assert check(jobs=[UNKNOWN, ""]).problems == ("jobs[1] is empty",)


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
        "jobs is empty: find_jobs found none: 1 of 9 matches, but has another status; leave status out to take it over too"
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
