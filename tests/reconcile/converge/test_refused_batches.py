"""Calls refused as a whole: the offender ends alone, everybody else starts, and DRS is not asked needlessly often."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_drs_start.sandbox import Sandbox, faults, make_job

START = "batch-starting"


def ids(count: int) -> list[str]:
    return [f"job-{index:03}" for index in range(count)]


def started_once(sandbox: Sandbox) -> set[str]:
    jobs = sandbox.jobs()
    assert {job["starts"] for job in jobs.values()} <= {0, 1}
    return {job_id for job_id, job in jobs.items() if job["starts"]}


@pytest.mark.parametrize("bad_row", ["reject", "reject-results"])
@pytest.mark.parametrize("place", [0, 7, 19])
def test_the_offender_fails_alone_wherever_it_stands(sandbox: Sandbox, run: Any, bad_row: Any, place: int) -> None:
    sandbox.set_policy(bad_row=bad_row)
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(20)))
    offender = ids(20)[place]
    sandbox.add_jobs(make_job(offender, refuse_start="DRS.M06020"))

    result = run(*ids(20))

    assert [(job.job_id, job.error_code) for job in result.failed] == [(offender, "DRS.M06020")]
    assert started_once(sandbox) == set(ids(20)) - {offender}


def test_one_offender_among_a_hundred_costs_few_calls(sandbox: Sandbox, run: Any) -> None:
    sandbox.set_policy(bad_row="reject")
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(100)), make_job("job-050", refuse_start="DRS.M06020"))
    run(*ids(100))
    assert len(sandbox.calls(START)) <= 16


def test_offenders_that_the_refusal_names_cost_one_call_more(sandbox: Sandbox, run: Any) -> None:
    sandbox.set_policy(bad_row="reject-results")
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(100)))
    sandbox.add_jobs(*(make_job(job_id, refuse_start="DRS.M06020") for job_id in ids(100)[::3]))
    result = run(*ids(100))
    assert {job.job_id for job in result.failed} == set(ids(100)[::3])
    assert len(sandbox.calls(START)) == 2


def test_a_refusal_that_names_every_job_is_no_endless_descent(sandbox: Sandbox, run: Any) -> None:
    sandbox.set_policy(bad_row="reject-results")
    sandbox.add_jobs(*(make_job(job_id, refuse_start="DRS.M06020") for job_id in ids(1200)))
    result = run(*ids(1200), batch_size=1200)
    assert len(result.failed) == 1200
    assert len(sandbox.calls(START)) == 1


@pytest.mark.parametrize("count", [2, 5])
def test_several_offenders_all_fail_alone(sandbox: Sandbox, run: Any, count: int) -> None:
    sandbox.set_policy(bad_row="reject")
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(40)))
    offenders = ids(40)[3 :: 40 // count][:count]
    sandbox.add_jobs(*(make_job(job_id, refuse_start="DRS.M00202") for job_id in offenders))
    result = run(*ids(40))
    assert [job.job_id for job in result.failed] == offenders
    assert started_once(sandbox) == set(ids(40)) - set(offenders)


def test_a_job_that_is_not_ready_does_not_make_drs_refuse_its_neighbours_twice(sandbox: Sandbox, run: Any) -> None:
    """A wrong status may be about to change, so it is tried again: alone."""
    sandbox.set_policy(bad_row="reject")
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(16)), make_job("job-005", prechecked=False))
    result = run(*ids(16))
    assert [(job.job_id, job.error_code) for job in result.failed] == [("job-005", "DRS.M00304")]
    first_alone = next(i for i, call in enumerate(sandbox.calls(START)) if call["jobs"] == ["job-005"])
    assert all(call["jobs"] == ["job-005"] for call in sandbox.calls(START)[first_alone:] if "job-005" in call["jobs"])


def test_when_no_job_is_ready_the_calls_stay_in_proportion(sandbox: Sandbox, run: Any) -> None:
    sandbox.set_policy(bad_row="reject")
    sandbox.add_jobs(*(make_job(job_id, prechecked=False) for job_id in ids(30)))
    result = run(*ids(30))
    assert len(result.failed) == 30
    assert len(sandbox.calls(START)) <= 4 * 30


@pytest.mark.parametrize("limit", [1, 2, 7, 64])
def test_a_smaller_batch_limit_is_found_out(sandbox: Sandbox, run: Any, limit: int) -> None:
    sandbox.set_policy(max_batch=limit)
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(100)))

    result = run(*ids(100))

    assert {job.outcome for job in result.jobs.values()} == {"started"}
    assert started_once(sandbox) == set(ids(100))


def test_a_limit_of_one_is_understood_from_its_code(sandbox: Sandbox, run: Any) -> None:
    sandbox.set_policy(max_batch=1)
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(12)))
    run(*ids(12))
    assert len(sandbox.calls(START)) == 13


def test_a_limit_once_found_is_kept_to(sandbox: Sandbox, run: Any) -> None:
    sandbox.set_policy(max_batch=10)
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(300)))
    run(*ids(300))
    statuses = [call["status"] for call in sandbox.calls(START)]
    last_refusal = max(index for index, status in enumerate(statuses) if status != 202)
    assert last_refusal < 10


def test_an_offender_is_not_mistaken_for_a_limit(sandbox: Sandbox, run: Any) -> None:
    sandbox.set_policy(bad_row="reject")
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(32)), make_job("job-003", refuse_start="DRS.M00202"))
    run(*ids(32), batch_size=16)
    assert max(len(call["jobs"]) for call in sandbox.calls(START) if call["status"] == 202) == 16


def test_a_limit_and_an_offender_together_are_both_found(sandbox: Sandbox, run: Any) -> None:
    sandbox.set_policy(bad_row="reject", max_batch=8)
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(50)), make_job("job-020", refuse_start="DRS.M00202"))
    result = run(*ids(50))
    assert [job.job_id for job in result.failed] == ["job-020"]
    assert started_once(sandbox) == set(ids(50)) - {"job-020"}


@pytest.mark.parametrize("bad_row", ["row", "reject", "reject-results"])
def test_a_job_deleted_between_look_and_start_fails_alone(sandbox: Sandbox, run: Any, bad_row: Any) -> None:
    sandbox.set_policy(bad_row=bad_row)
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(9)))
    rows = [{"id": job_id, "status": "CONFIGURATION"} for job_id in [*ids(9), "gone"]]
    sandbox.inject(faults.answer("batch-status", 200, {"count": 10, "results": rows}))
    result = run(*ids(9), "gone")
    assert [job.job_id for job in result.failed] == ["gone"]
    assert started_once(sandbox) == set(ids(9))


def test_a_call_refused_whole_for_a_busy_job_starts_the_others(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(8)))
    sandbox.inject(faults.refuse(START, "DRS.M01504", job_id="job-002", times=None))
    result = run(*ids(8))
    assert [(job.job_id, job.error_code) for job in result.failed] == [("job-002", "DRS.M01504")]
    assert started_once(sandbox) == set(ids(8)) - {"job-002"}


def test_throttling_in_the_middle_of_the_halves_loses_nobody(sandbox: Sandbox, run: Any) -> None:
    sandbox.set_policy(bad_row="reject")
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(16)), make_job("job-009", refuse_start="DRS.M06020"))
    sandbox.inject(faults.throttled(START, 1, skip=2, times=2))
    result = run(*ids(16))
    assert [job.job_id for job in result.failed] == ["job-009"]
    assert started_once(sandbox) == set(ids(16)) - {"job-009"}


@pytest.mark.parametrize("fault", [faults.drop_after, faults.drop_before], ids=["after", "before"])
def test_a_lost_answer_in_the_middle_of_the_halves_starts_nobody_twice(sandbox: Sandbox, run: Any, fault: Any) -> None:
    sandbox.set_policy(bad_row="reject")
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids(16)), make_job("job-009", refuse_start="DRS.M06020"))
    sandbox.inject(fault(START, skip=1))
    result = run(*ids(16))
    assert [job.job_id for job in result.failed] == ["job-009"]
    assert started_once(sandbox) == set(ids(16)) - {"job-009"}


def test_one_batch_goes_first_and_the_others_go_together(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(*(make_job(job_id) for job_id in "abcd"))
    sandbox.set_policy(latency_ms=300)

    result = run("a", "b", "c", "d", batch_size=1)

    arrivals = [call["time"] for call in sandbox.calls("batch-starting")]
    assert len(arrivals) == 4
    assert arrivals[1] - arrivals[0] >= 0.3
    assert arrivals[3] - arrivals[1] < 0.3
    assert {job.outcome for job in result.jobs.values()} == {"started"}


def test_what_goes_together_is_kept_although_one_batch_ends_the_operation(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(*(make_job(job_id) for job_id in "abcd"))
    sandbox.inject(faults.refuse("batch-starting", "DRS.M00103", status=401, job_id="b"))
    sandbox.inject(faults.drop_after("batch-starting", job_id="c"))

    result = run("a", "b", "c", "d", batch_size=1)

    assert [result.jobs[job_id].outcome for job_id in "abd"] == ["started", "failed", "started"]
    assert result.jobs["c"].record.lost_at is not None
    assert [sandbox.job(job_id)["starts"] for job_id in "abcd"] == [1, 0, 1, 1]


def test_a_refusal_of_one_job_is_recorded_before_an_error_for_all_ends_the_operation(sandbox: Sandbox, run: Any) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"), make_job("c"))
    sandbox.inject(faults.refuse(START, "DRS.M00103", job_id="b", times=None))
    sandbox.inject(faults.refuse(START, "DRS.M05003", job_id="c", times=None))

    result = run("a", "b", "c", batch_size=1)

    assert {job_id: job.error_code for job_id, job in result.jobs.items()} == {"a": None, "b": "DRS.M00103", "c": "DRS.M05003"}
