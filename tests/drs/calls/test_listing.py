"""The list of jobs: all of them, whatever their engine, however DRS pages, shifts and misshapes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pulumi_drs_start.drs.calls import listing
from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.calls.listing import JobListing, ListAnswer, read_pages
from pulumi_drs_start.drs.errors import (
    OutOfTimeError,
    PermissionDeniedError,
    ServiceFaultError,
    ThrottledError,
    UnreadableAnswerError,
    refusal_for,
)
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.sandbox import Sandbox, faults, make_job

LIST = "jobs"


def ids(*numbers: int) -> list[str]:
    return [f"job-{number:04}" for number in numbers]


def page(*job_ids: str, total: Any = None) -> ListAnswer:
    return ListAnswer.model_validate({"total_record": total, "jobs": [{"id": job_id} for job_id in job_ids]})


def pages(*answers: ListAnswer) -> tuple[Callable[[int], ListAnswer], list[int]]:
    """A service that gives these answers one after the other, and empty pages then; which pages it was asked for."""
    asked: list[int] = []

    def ask(number: int) -> ListAnswer:
        asked.append(number)
        return answers[len(asked) - 1] if len(asked) <= len(answers) else page()

    return ask, asked


def read(ask: Callable[[int], ListAnswer]) -> list[str]:
    return [job.job_id for job in read_pages(ask)]


# -- against the sandbox -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 250])
def test_every_job_is_listed_though_a_page_has_a_hundred(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, count: int
) -> None:
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(*range(count))))

    listed = client.list_jobs(budget, db_use_type="migration")

    assert [job.job_id for job in listed] == ids(*range(count))
    assert len(sandbox.calls(LIST)) == max(1, -(-count // 100))


def test_jobs_of_every_engine_are_listed_though_drs_lists_mysql_by_default(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget
) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b", engine_type="postgresql"))

    assert [job.job_id for job in client.list_jobs(budget, db_use_type="migration")] == ["a", "b"]
    assert [job.job_id for job in client.list_jobs(budget, db_use_type="migration", engine_type="mysql")] == ["a"]


def test_drs_narrows_the_list_by_kind_project_and_tags(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(
        make_job("plain"),
        make_job("sync", db_use_type="sync"),
        make_job("theirs", enterprise_project_id="e-1"),
        make_job("tagged", tags={"env": "prod", "team": "crm"}),
    )

    def listed(**filters: Any) -> list[str]:
        return [job.job_id for job in client.list_jobs(budget, **{"db_use_type": "migration", **filters})]

    assert listed(db_use_type="sync") == ["sync"]
    assert listed(enterprise_project_id="e-1") == ["theirs"]
    assert listed(tags={"env": "prod", "team": "crm"}) == ["tagged"]
    assert listed(tags={}) == ["plain", "theirs", "tagged"]
    assert listed(name="plain") == ["plain"]


def test_what_is_known_of_a_job_and_its_children(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(
        make_job("p", name="dr", db_use_type="cloudDataGuard", is_parent=True, multi_write=True),
        make_job("c1", name="dr-1", db_use_type="cloudDataGuard", parent_id="p", role="forward", status="PAUSING"),
        make_job("c2", name="dr-2", db_use_type="cloudDataGuard", parent_id="p", role="backward", job_direction="down"),
    )

    common = {"db_use_type": "cloudDataGuard", "engine_type": "mysql", "task_type": "FULL_INCR_TRANS"}
    children = (
        JobListing(job_id="c1", name="dr-1", status="PAUSING", **common, job_direction="up"),
        JobListing(job_id="c2", name="dr-2", status="CONFIGURATION", **common, job_direction="down"),
    )
    assert client.list_jobs(budget, db_use_type="cloudDataGuard") == [
        JobListing(job_id="p", name="dr", status="CONFIGURATION", **common, job_direction="up", children=children)
    ]


def parents(*job_ids: str) -> list[dict[str, Any]]:
    """Dual-active parents, each with a child."""
    common = {"db_use_type": "cloudDataGuard", "multi_write": True}
    return [
        job
        for job_id in job_ids
        for job in (make_job(job_id, is_parent=True, **common), make_job(f"{job_id}-1", parent_id=job_id, **common))
    ]


def test_one_family_is_asked_for_by_its_id_and_several_with_the_whole_list(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget
) -> None:
    sandbox.add_jobs(*parents(*ids(*range(150))))

    one = client.get_families(ids(140), budget)
    assert [(job_id, [child.job_id for child in job.children]) for job_id, job in one.items()] == [("job-0140", ["job-0140-1"])]
    assert len(sandbox.calls(LIST)) == 1

    assert client.get_families(ids(3, 140), budget).keys() == set(ids(*range(150)))
    assert len(sandbox.calls(LIST)) == 3


def test_families_that_drs_does_not_list_are_left_out(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    # The list finds "lonely" by its name too.
    sandbox.add_jobs(make_job("lonely", name="nobody", db_use_type="cloudDataGuard"), *parents("p"))

    assert "nobody" not in client.get_families(["nobody"], budget)
    assert client.get_families(["lonely"], budget)["lonely"].children == ()
    assert client.get_families(["nobody", "p"], budget).keys() == {"lonely", "p"}


@pytest.mark.parametrize("fault", [faults.too_frequent(LIST), faults.server_error(LIST), faults.drop_after(LIST)])
def test_a_page_that_fails_is_asked_for_again(sandbox: Sandbox, client: DrsClient, budget: TimeBudget, fault: Any) -> None:
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(*range(150))))
    sandbox.inject(fault.model_copy(update={"skip": 1}))

    assert [job.job_id for job in client.list_jobs(budget, db_use_type="migration")] == ids(*range(150))
    assert len(sandbox.calls(LIST)) == 3


@pytest.mark.parametrize(
    ("fault", "error", "calls"),
    [
        (faults.too_frequent(LIST, times=None), ThrottledError, 4),
        (faults.server_error(LIST, times=None), ServiceFaultError, 4),
        (faults.html(LIST, 200, times=None), UnreadableAnswerError, 4),
        (faults.refuse(LIST, "DRS.M00102", times=None), PermissionDeniedError, 1),
    ],
)
def test_a_list_that_can_not_be_read_is_an_error_and_no_empty_list(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, fault: Any, error: type[Exception], calls: int
) -> None:
    sandbox.inject(fault)

    with pytest.raises(error):
        client.list_jobs(budget, db_use_type="migration")
    assert len(sandbox.calls(LIST)) == calls


def test_an_old_token_is_renewed(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.expire_token(LIST))

    assert [job.job_id for job in client.list_jobs(budget, db_use_type="migration")] == ["a"]


def test_the_time_limit_counts(sandbox: Sandbox, client: DrsClient) -> None:
    del sandbox
    with pytest.raises(OutOfTimeError):
        client.list_jobs(TimeBudget(0), db_use_type="migration")


@pytest.mark.parametrize("code", ["DRS.M00002", "DRS.M00211"])
def test_a_refusal_that_says_there_are_no_rows_is_an_empty_list(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, code: str
) -> None:
    sandbox.inject(faults.refuse(LIST, code, times=None))

    assert client.list_jobs(budget, db_use_type="migration") == []


# -- pages ---------------------------------------------------------------------------------------------------------------


def test_a_job_seen_on_two_pages_is_listed_once_and_as_last_seen() -> None:
    first = page(*ids(*range(100)), total=101)
    again = ListAnswer.model_validate(
        {"total_record": 101, "jobs": [{"id": "job-0099", "status": "STARTJOBING"}, {"id": "job-0100"}]}
    )
    ask, asked = pages(first, again)

    listed = read_pages(ask)

    assert [job.job_id for job in listed] == ids(*range(101))
    assert listed[99].status == "STARTJOBING"
    assert asked == [1, 2]


def test_a_job_that_slipped_between_two_pages_is_found_by_reading_again() -> None:
    """A job of page 1 ended after it was read, and the first of page 2 took a place on page 1."""
    left = ids(*range(1, 150))
    ask, asked = pages(
        page(*ids(*range(100)), total=150),
        page(*ids(*range(101, 150)), total=149),
        page(*left[:100], total=149),
        page(*left[100:], total=149),
    )

    assert read(ask) == left
    assert asked == [1, 2, 1, 2]


def test_a_list_that_never_comes_to_rest_is_read_thrice() -> None:
    answers = []
    for step in range(8):
        answers.append(page(*ids(*range(step, step + 100)), total=150))
        answers.append(page(*ids(*range(step + 101, step + 150)), total=149))
    ask, asked = pages(*answers)

    assert len(read(ask)) == 149
    assert asked == [1, 2] * 3


def test_pages_smaller_than_asked_for_are_no_end() -> None:
    ask, asked = pages(
        page(*ids(*range(50)), total=120), page(*ids(*range(50, 100)), total=120), page(*ids(*range(100, 120)), total=120)
    )

    assert read(ask) == ids(*range(120))
    assert asked == [1, 2, 3]


@pytest.mark.parametrize("total", [None, "many", True, -1, 1.5, [], {"value": 3}, "9" * 5000])
def test_without_a_usable_total_a_short_page_is_the_end(total: Any) -> None:
    ask, asked = pages(page(*ids(*range(100)), total=total), page("last", total=total))

    assert read(ask) == [*ids(*range(100)), "last"]
    assert asked == [1, 2]


def test_a_total_may_be_a_text() -> None:
    ask, asked = pages(page(*ids(*range(100)), total="100"))

    assert read(ask) == ids(*range(100))
    assert asked == [1]


def test_a_total_that_is_too_large_costs_a_few_calls_and_no_job() -> None:
    whole = {1: page(*ids(*range(100)), total=999), 2: page("last", total=999)}
    asked: list[int] = []

    def ask(number: int) -> ListAnswer:
        asked.append(number)
        return whole.get(number, page(total=999))

    assert read(ask) == [*ids(*range(100)), "last"]
    assert asked == [1, 2, 3] * 2


def test_the_same_page_again_and_again_is_the_end() -> None:
    assert read(lambda _: page(*ids(*range(100)), total=10**8)) == ids(*range(100))


def test_a_page_beyond_the_last_may_be_refused() -> None:
    def ask(number: int) -> ListAnswer:
        if number > 1:
            raise refusal_for("DRS.M00211", "The page number exceeds the limit.", status=400)
        return page(*ids(*range(100)), total=120)

    assert read(ask) == ids(*range(100))


def test_a_list_without_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_PAGES", 7)
    asked: list[int] = []

    def ask(number: int) -> ListAnswer:
        asked.append(number)
        return page(*ids(*range(number * 100, number * 100 + 100)), total=10**8)

    with pytest.raises(UnreadableAnswerError, match="did not come to an end"):
        read(ask)
    assert asked == [1, 2, 3, 4, 5, 6, 7]


# -- rows ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        5,
        None,
        {"total_record": 1},
        {"total_record": 1, "jobs": None},
        {"jobs": None},
        {"jobs": {"0": {"id": "a"}}},
        {"jobs": ["a"]},
        {"jobs": [None]},
        {"count": 1, "results": [{"id": "a", "status": "CONFIGURATION"}]},
    ],
)
def test_an_answer_of_another_shape_is_repeated_and_then_told(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, body: Any
) -> None:
    sandbox.inject(faults.answer(LIST, 200, json.dumps(body), times=None))

    with pytest.raises(UnreadableAnswerError, match="not documented"):
        client.list_jobs(budget, db_use_type="migration")
    assert len(sandbox.calls(LIST)) == client.retry.attempts


@pytest.mark.parametrize("body", [{"total_record": 0, "jobs": None}, {"total_record": "0", "jobs": []}, {"jobs": []}])
def test_no_jobs_may_be_said_in_several_ways(sandbox: Sandbox, client: DrsClient, budget: TimeBudget, body: Any) -> None:
    sandbox.inject(faults.answer(LIST, 200, body, times=None))

    assert client.list_jobs(budget, db_use_type="migration") == []


def test_odd_types_and_unknown_fields_do_not_cost_a_job(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    odd = {"id": "a", "name": None, "status": 5, "engine_type": ["mysql"], "children": "none", "error_msg": {}, "more": 1}
    parent = {"id": "b", "children": [None, "c", {"name": "no id"}, {"id": 7}, {"id": "c1", "status": "PAUSING"}]}
    sandbox.inject(faults.answer(LIST, 200, {"total_record": 2, "jobs": [odd, parent]}, times=None))

    assert client.list_jobs(budget, db_use_type="migration") == [
        JobListing(job_id="a", status="5"),
        JobListing(job_id="b", children=(JobListing(job_id="c1", status="PAUSING"),)),
    ]


def test_rows_without_a_usable_id_are_no_jobs() -> None:
    rows = [{"id": odd} for odd in (None, "", 5, ["a"], "a\x1b[2J", " a", "a\nb", "x" * 200)]
    answer = ListAnswer.model_validate({"total_record": 9, "jobs": [*rows, {"id": "a"}]})

    assert read(lambda number: answer if number == 1 else page()) == ["a"]


def test_texts_are_made_fit_to_be_shown() -> None:
    answer = ListAnswer.model_validate({"total_record": 1, "jobs": [{"id": "a", "name": "\x1b[31mred\u202e\n" + "x" * 5000}]})

    (job,) = read_pages(lambda _: answer)

    assert job.name.startswith("red x")
    assert len(job.name) <= 1000


def test_children_of_children_without_end_are_unreadable() -> None:
    row: dict[str, Any] = {"id": "a"}
    for _ in range(400):
        row = {"id": "a", "children": [row]}

    with pytest.raises(ValidationError):
        ListAnswer.model_validate({"total_record": 1, "jobs": [row]})


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_row = st.fixed_dictionaries({}, optional={"id": _json, "name": _json, "status": _json, "children": _json | st.lists(_json)})


@given(total=_json, rows=st.lists(_row | _json, max_size=4) | _json)
def test_any_answer_is_read_or_refused(total: Any, rows: Any) -> None:
    try:
        answer = ListAnswer.model_validate({"total_record": total, "jobs": rows})
    except ValidationError:
        return

    listed = read_pages(lambda number: answer if number == 1 else page())

    assert all(isinstance(job.job_id, str) and job.job_id for job in listed)
    assert len({job.job_id for job in listed}) == len(listed)
