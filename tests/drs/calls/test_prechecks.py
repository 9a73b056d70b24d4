"""Results of pre-checks, whose rows do not say which job they are of."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.calls.models import Finding, PrecheckResult, PrecheckResults
from pulumi_drs_start.drs.calls.prechecks import match_rows
from pulumi_drs_start.drs.calls.wire_rows import PrecheckRow
from pulumi_drs_start.drs.errors import (
    JobUnknownError,
    ServiceRefusedError,
    UnreachableError,
    UnreadableAnswerError,
    WrongStatusError,
)
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.sandbox import Sandbox, faults, make_job, make_job_id

READ = "batch-precheck-result"
A, B, C, GONE = (make_job_id(label) for label in ("a", "b", "c", "gone"))
PASSED = {"item": "binlog", "result": "PASSED"}
ALARM = {"item": "version", "result": "ALARM", "failed_reason": "The version is old."}
FAILED = {"item": "charset", "result": "FAILED", "failed_reason": "Character sets differ."}


def ids(count: int) -> list[str]:
    return [make_job_id(f"job-{index}") for index in range(count)]


def job(job_id: str, *items: dict[str, str]) -> dict[str, Any]:
    return make_job(job_id, precheck=list(items))


@pytest.fixture(autouse=True)
def quick(sandbox: Sandbox) -> None:
    """Pre-checks end at once."""
    sandbox.set_policy(precheck_seconds=0)


def check(client: DrsClient, budget: TimeBudget, *job_ids: str) -> PrecheckResults:
    """Ask for pre-checks, and read their results knowing their ids."""
    prechecks = client.precheck_jobs(job_ids, budget).precheck_ids
    return client.get_precheck_results({job_id: prechecks[job_id] for job_id in job_ids}, budget)


def answer(*rows: dict[str, Any], **options: Any) -> Any:
    return faults.answer(READ, 200, {"count": len(rows), "results": list(rows)}, **{"times": None, **options})


policies = pytest.mark.parametrize("policy", ["job", "own"])


@policies
@pytest.mark.parametrize("order", ["request", "reversed"])
def test_each_job_has_its_own_result(sandbox: Sandbox, client: DrsClient, budget: TimeBudget, policy: Any, order: Any) -> None:
    sandbox.set_policy(precheck_id=policy, row_order=order)
    sandbox.add_jobs(job(A, PASSED), job(B, PASSED, FAILED), job(C, PASSED, ALARM))

    results = check(client, budget, A, B, C)

    assert results.refused == {}
    assert results.found == {
        A: PrecheckResult(True, True, (), ()),
        B: PrecheckResult(True, False, (Finding("charset", "Character sets differ."),), ()),
        C: PrecheckResult(True, True, (), (Finding("version", "The version is old."),)),
    }
    assert len(sandbox.calls(READ)) == 1


def test_a_precheck_that_goes_on_has_not_passed_yet(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.set_policy(precheck_looks=2)
    sandbox.add_jobs(job(A, PASSED, ALARM))
    prechecks = client.precheck_jobs([A], budget).precheck_ids
    results = [client.get_precheck_results(prechecks, budget).found[A] for _ in range(3)]
    assert [(result.is_done, result.has_passed) for result in results] == [(False, False), (False, False), (True, True)]
    assert [len(result.alarms) for result in results] == [0, 0, 1]


def test_failures_show_before_the_end(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.set_policy(precheck_looks=2)
    sandbox.add_jobs(job(A, FAILED, PASSED))
    prechecks = client.precheck_jobs([A], budget).precheck_ids
    results = [client.get_precheck_results(prechecks, budget).found[A] for _ in range(2)]
    assert [(result.is_done, len(result.failed)) for result in results] == [(False, 0), (False, 1)]


@policies
def test_results_are_found_without_knowing_the_ids_of_prechecks(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, policy: Any
) -> None:
    sandbox.set_policy(precheck_id=policy)
    sandbox.add_jobs(job(A, PASSED), job(B, FAILED), job(C, ALARM))
    own = client.precheck_jobs([A, B, C], budget).precheck_ids

    results = client.get_precheck_results({A: None, B: None, C: own[C]}, budget)

    assert {job_id: result.has_passed for job_id, result in results.found.items()} == {A: True, B: False, C: True}
    alone = [call["jobs"] for call in sandbox.calls(READ)[1:]]
    assert alone == ([] if policy == "job" else [[A], [B]])


@policies
def test_a_job_that_was_not_checked_is_refused_whatever_is_known_of_it(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, policy: Any
) -> None:
    """DRS names the job where there is no pre-check to name."""
    sandbox.set_policy(precheck_id=policy)
    sandbox.add_jobs(job(A, PASSED), job(B), job(C))
    own = client.precheck_jobs([A], budget).precheck_ids

    results = client.get_precheck_results({A: own[A], B: "another", C: None, GONE: None}, budget)

    assert results.found.keys() == {A}
    kinds = {job_id: (type(error), error.job_id) for job_id, error in results.refused.items()}
    assert kinds == {B: (WrongStatusError, B), C: (WrongStatusError, C), GONE: (JobUnknownError, GONE)}


def test_a_job_without_a_row_is_in_neither(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.set_policy(precheck_id="own")
    sandbox.add_jobs(job(A, PASSED), job(B, PASSED))
    own = client.precheck_jobs([A, B], budget).precheck_ids
    sandbox.inject(faults.missing_rows(READ, times=None))

    results = client.get_precheck_results(own, budget)

    assert (results.found.keys(), results.refused) == ({A}, {})
    assert len(sandbox.calls(READ)) == 1


def test_a_row_of_an_older_precheck_is_not_taken_for_the_new_one(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.inject(answer({"precheck_id": "old", "process": "100%", "result": True}))
    assert client.get_precheck_results({A: "new"}, budget) == PrecheckResults({}, {})


def test_rows_of_strangers_are_ignored(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(job(A, PASSED))
    client.precheck_jobs([A], budget)
    sandbox.inject(faults.extra_rows(READ, rows=2))
    assert client.get_precheck_results({A: None}, budget).found.keys() == {A}


def test_no_jobs_need_no_call(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    assert client.get_precheck_results({}, budget) == PrecheckResults({}, {})
    assert sandbox.calls(READ) == []


def row(precheck_id: str | None, **fields: Any) -> PrecheckRow:
    return PrecheckRow.model_validate({"precheck_id": precheck_id, **fields})


def test_the_id_of_a_precheck_goes_before_that_of_a_job() -> None:
    by_precheck, by_job = row("p"), row("a")
    assert match_rows([by_job, by_precheck], ["a", "b"], {"a": "p", "b": None}) == {"a": by_precheck}


def test_a_precheck_that_two_jobs_share_is_nobody_s() -> None:
    assert match_rows([row("p")], ["a", "b"], {"a": "p", "b": "p"}) == {}


def test_the_only_row_of_several_jobs_is_nobody_s() -> None:
    assert match_rows([row("x")], ["a", "b"], {"a": None, "b": None}) == {}


def test_the_only_row_of_one_job_is_that_job_s() -> None:
    only = row("x")
    assert match_rows([only], ["a"], {"a": None, "b": None}) == {"a": only}


def test_of_two_rows_for_one_job_none_is_guessed() -> None:
    assert match_rows([row("x"), row("y")], ["a"], {"a": None}) == {}


# -- calls that are refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", [True, False])
def test_an_id_that_breaks_the_uuid_rule_does_not_hide_the_others(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, known: bool
) -> None:
    every = [*ids(5), "short", *ids(9)[5:], "shorter"]
    sandbox.set_policy(precheck_id="own")
    sandbox.add_jobs(*(job(job_id, PASSED) for job_id in every))
    own = client.precheck_jobs(every, budget).precheck_ids

    results = client.get_precheck_results({job_id: own[job_id] if known else None for job_id in every}, budget)

    assert results.found.keys() == set(ids(9))
    assert {job_id: (error.code, job_id in error.text) for job_id, error in results.refused.items()} == {
        "short": ("DRS.M00202", True),
        "shorter": ("DRS.M00202", True),
    }


def test_the_only_job_may_be_the_one_that_drs_objects_to(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(job("short", PASSED))
    assert check(client, budget, "short").refused["short"].code == "DRS.M00202"


def test_a_call_refused_for_an_unknown_job_refuses_that_job_alone(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget
) -> None:
    sandbox.add_jobs(job(A, PASSED), job(B, PASSED))
    client.precheck_jobs([A, B], budget)
    sandbox.inject(faults.refuse(READ, "DRS.M05003", job_id=GONE, times=None))
    results = client.get_precheck_results({A: A, GONE: None, B: B}, budget)
    assert results.found.keys() == {A, B}
    assert {job_id: type(error) for job_id, error in results.refused.items()} == {GONE: JobUnknownError}


def test_a_refusal_of_every_single_job_is_the_call_s_and_not_the_jobs(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget
) -> None:
    sandbox.inject(faults.refuse(READ, "DRS.M00007", times=None))
    with pytest.raises(ServiceRefusedError, match=r"DRS\.M00007"):
        client.get_precheck_results(dict.fromkeys(ids(200)), budget)
    assert len(sandbox.calls(READ)) < 30


def test_a_smaller_batch_is_found_out_and_remembered(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.set_policy(max_batch_reads=10)
    sandbox.add_jobs(*(job(job_id, PASSED) for job_id in ids(45)))
    assert len(check(client, budget, *ids(45)).found) == 45

    sandbox.clear_calls()
    client.get_precheck_results({job_id: job_id for job_id in ids(45)}, budget)

    assert {call["status"] for call in sandbox.calls(READ)} == {200}


@pytest.mark.parametrize("fault", [faults.too_frequent, faults.drop_after, faults.server_error, faults.misshapen])
def test_reading_survives_what_passes(sandbox: Sandbox, client: DrsClient, budget: TimeBudget, fault: Any) -> None:
    sandbox.add_jobs(job(A, PASSED))
    sandbox.inject(fault(READ))
    assert check(client, budget, A).found[A].has_passed


@pytest.mark.parametrize(("fault", "kind"), [(faults.drop_before, UnreachableError), (faults.misshapen, UnreadableAnswerError)])
def test_what_does_not_pass_is_an_error(sandbox: Sandbox, client: DrsClient, budget: TimeBudget, fault: Any, kind: type) -> None:
    sandbox.inject(fault(READ, times=None))
    with pytest.raises(kind):
        client.get_precheck_results({A: None}, budget)


# -- what a row says -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "is_done", "has_passed"),
    [
        ({"process": "100%", "result": True, "total_passed_rate": "100%"}, True, True),
        ({"process": "100%", "result": "true"}, True, True),
        ({"process": 100, "result": True}, True, True),
        ({"process": "100%", "result": True, "total_passed_rate": "90%"}, True, True),
        ({"process": "100%", "result": False, "total_passed_rate": "100%"}, True, False),
        ({"process": "100%", "total_passed_rate": "100%"}, True, True),
        ({"process": "100%", "result": None, "total_passed_rate": "99%"}, True, False),
        ({"process": "100%", "result": {"odd": 1}, "total_passed_rate": "100%"}, True, True),
        ({"process": "100%"}, True, False),
        ({"process": "99%", "result": True, "total_passed_rate": "100%"}, False, False),
        ({"process": None, "result": True}, False, False),
        ({"process": ["100%"], "result": True}, False, False),
        ({"process": "100%", "result": True, "precheck_result": [FAILED]}, True, False),
        ({"process": "100%", "result": True, "precheck_result": [{"result": "failed"}]}, True, False),
        ({"process": "100%", "result": True, "precheck_result": [ALARM]}, True, True),
        ({"process": "100%", "result": True, "precheck_result": "odd"}, True, True),
    ],
)
def test_a_precheck_has_passed_when_drs_says_so_and_no_item_failed(
    fields: dict[str, Any], is_done: bool, has_passed: bool
) -> None:
    result = row("p", **fields).to_result()
    assert (result.is_done, result.has_passed) == (is_done, has_passed)


def test_the_subtasks_that_failed_are_named() -> None:
    item = {**FAILED, "failed_sub_jobs": [{"id": "1", "name": "shard-1"}, {"id": "2"}, {"id": {}}, None]}
    assert row("p", precheck_result=[item]).to_result().failed == (
        Finding("charset", "Character sets differ. (subtasks: shard-1, 2)"),
    )


def test_text_of_findings_is_made_harmless() -> None:
    item = {"item": "a\x1b[31mred", "result": "FAILED", "failed_reason": "b\r\n\u202ec" + "x" * 5000}
    (finding,) = row("p", precheck_result=[item]).to_result().failed
    assert (finding.item + finding.reason).isprintable()
    assert len(finding.reason) <= 1000


def test_an_odd_item_does_not_hide_the_others(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    items = [None, "odd", {"item": {}, "result": "FAILED"}, {**FAILED, "failed_reason": [1], "failed_sub_jobs": 5}]
    sandbox.inject(answer(None, {"precheck_id": A, "process": "100%", "result": False, "precheck_result": items}))
    assert client.get_precheck_results({A: A}, budget).found[A].failed == (
        Finding("an item without a name", ""),
        Finding("charset", ""),
    )
