"""Answers to a start that never arrive: settled by reading, with one accepted start per job."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_drs_start.reconcile.declared import Goal
from pulumi_drs_start.sandbox import Sandbox, faults, make_job
from tests.reconcile.converge.conftest import said

START = "batch-starting"

WITH_EFFECT = {
    "dropped": faults.drop_after,
    "reset": lambda op, **o: faults.drop_after(op, reset=True, **o),
    "truncated": faults.truncate,
    "misshapen": faults.misshapen,
    "a page with 200": lambda op, **o: faults.html(op, 200, when="after", **o),
    "a page with 502": lambda op, **o: faults.html(op, 502, when="after", **o),
    "504": lambda op, **o: faults.answer(op, 504, when="after", **o),
    "408": lambda op, **o: faults.answer(op, 408, when="after", **o),
    "M00004": lambda op, **o: faults.server_error(op, when="after", **o),
    "M01501": lambda op, **o: faults.refuse(op, "DRS.M01501", when="after", **o),
    "no row": lambda op, **o: faults.missing_rows(op, rows=99, **o),
}
WITHOUT_EFFECT = {
    "dropped": faults.drop_before,
    "reset": lambda op, **o: faults.drop_before(op, reset=True, **o),
    "a page with 502": faults.html,
    "503": lambda op, **o: faults.answer(op, 503, **o),
    "M00004": faults.server_error,
    "a page with 200": lambda op, **o: faults.html(op, 200, **o),
}
HARMLESS = {
    "M01503": faults.too_frequent,
    "429": faults.throttled,
    "a revoked token": faults.expire_token,
}


def starts(sandbox: Sandbox) -> dict[str, int]:
    return {job_id: job["starts"] for job_id, job in sandbox.jobs().items()}


@pytest.mark.parametrize("lag", [0, 8])
@pytest.mark.parametrize("fault", WITH_EFFECT.values(), ids=WITH_EFFECT)
def test_a_start_that_had_its_effect_is_never_sent_again(sandbox: Sandbox, run: Any, fault: Any, lag: float) -> None:
    sandbox.set_policy(lag_seconds=lag)
    sandbox.add_jobs(make_job("a"), make_job("b"))
    sandbox.inject(fault(START))

    result = run("a", "b")

    assert {job.outcome for job in result.jobs.values()} == {"started"}
    assert [sandbox.job(job_id)["start_requests"] for job_id in "ab"] == [1, 1]


@pytest.mark.parametrize("fault", WITHOUT_EFFECT.values(), ids=WITHOUT_EFFECT)
def test_a_start_that_had_no_effect_is_sent_again_once_that_is_clear(sandbox: Sandbox, run: Any, fault: Any) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    sandbox.inject(fault(START))

    result = run("a", "b")

    assert {job.outcome for job in result.jobs.values()} == {"started"}
    assert starts(sandbox) == {"a": 1, "b": 1}
    first, second = sandbox.calls(START)
    assert second["sandbox_time"] - first["sandbox_time"] >= 20


@pytest.mark.parametrize("fault", HARMLESS.values(), ids=HARMLESS)
def test_a_start_that_drs_did_not_look_at_is_sent_again_at_once(sandbox: Sandbox, run: Any, fault: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(fault(START))

    assert run("a").jobs["a"].outcome == "started"

    first, second = sandbox.calls(START)
    assert second["sandbox_time"] - first["sandbox_time"] < 15


@pytest.mark.parametrize("fault", [faults.drop_after, faults.drop_before], ids=["after", "before"])
def test_only_the_batch_whose_answer_was_lost_is_in_doubt(sandbox: Sandbox, run: Any, fault: Any) -> None:
    ids = [f"job-{index}" for index in range(6)]
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids))
    sandbox.inject(fault(START, skip=1))

    run(*ids, batch_size=2)

    assert set(starts(sandbox).values()) == {1}
    requests = {job_id: sandbox.job(job_id)["start_requests"] for job_id in ids}
    assert {job_id for job_id, count in requests.items() if count > 1} <= {"job-2", "job-3"}


@pytest.mark.parametrize("goal", Goal)
def test_a_job_without_a_row_is_settled_by_reading(sandbox: Sandbox, run: Any, goal: Goal) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    sandbox.inject(faults.missing_rows(START, job_id="b"))
    result = run("a", "b", goal=goal)
    assert {job.outcome for job in result.jobs.values()} == {"started"}
    assert sandbox.job("b")["start_requests"] == 1


def test_answers_lost_again_and_again_end_after_bounded_tries(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.drop_before(START, times=None))
    result = run("a", timeout=3600)
    assert [job.job_id for job in result.failed] == ["a"]
    assert "broke" in (said(result.failed[0]) or "")
    assert len(sandbox.calls(START)) == 5


def test_two_lost_answers_in_a_row_still_start_once(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.drop_before(START))
    sandbox.inject(faults.drop_after(START))
    assert run("a").jobs["a"].outcome == "started"
    assert sandbox.job("a")["starts"] == 1
    assert len(sandbox.calls(START)) == 2


def test_a_server_that_asks_for_time_with_its_error_gets_it(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.answer(START, 503, headers={"Retry-After": "60"}))
    run("a")
    first, second = sandbox.calls(START)
    assert second["sandbox_time"] - first["sandbox_time"] >= 60


def test_a_look_from_before_the_doubt_was_over_does_not_end_it(sandbox: Sandbox, run: Any) -> None:
    """The answer to it may take longer than the doubt lasts."""
    sandbox.add_jobs(make_job("a", lag_seconds=18))
    sandbox.inject(faults.drop_after(START))
    sandbox.inject(faults.delay("batch-status", 0.6, when="after", skip=1))
    assert run("a").jobs["a"].outcome == "started"
    assert sandbox.job("a")["start_requests"] == 1


def test_rows_of_strangers_in_an_answer_change_nothing(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.extra_rows(START, rows=3))
    assert run("a").jobs.keys() == {"a"}


@pytest.mark.parametrize("lag", [{"lag_seconds": 80}, {"lag_looks": 4}, {"lag_seconds": 30, "lag_looks": 2}])
def test_an_accepted_job_that_lags_is_waited_for_and_not_started_again(sandbox: Sandbox, run: Any, lag: dict[str, float]) -> None:
    sandbox.add_jobs(make_job("a", **lag))
    assert run("a").jobs["a"].outcome == "started"
    assert sandbox.job("a")["start_requests"] == 1
