"""Calls that are made at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import pytest

from pulumi_drs_start.drs.calls.client import READ_BATCH, DrsClient
from pulumi_drs_start.drs.errors import CancelledError, OutOfTimeError
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.drs.http.concurrency import MOST_AT_ONCE, ConcurrencyLimit, map_concurrently
from pulumi_drs_start.sandbox import Sandbox, faults, make_job


def most_at_once(limit: ConcurrencyLimit, threads: int = 2 * MOST_AT_ONCE) -> int:
    """How many of these threads were in the limit together."""
    inside, most, lock = 0, 0, threading.Lock()
    # As many as pass at once go on together; fewer after a moment.
    gate = threading.Barrier(MOST_AT_ONCE)

    def pass_through(_: int) -> None:
        nonlocal inside, most
        with limit.one(TimeBudget(30)):
            with lock:
                inside += 1
                most = max(most, inside)
            with suppress(threading.BrokenBarrierError):
                gate.wait(0.2)
            with lock:
                inside -= 1

    workers = [threading.Thread(target=pass_through, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return most


def test_no_more_threads_pass_than_the_limit() -> None:
    assert most_at_once(ConcurrencyLimit()) == MOST_AT_ONCE


def test_one_thread_passes_at_a_time_while_throttled() -> None:
    limit = ConcurrencyLimit()
    limit.serialize()
    assert most_at_once(limit, 3) == 1


def test_as_many_pass_as_before_after_a_minute_without_a_throttle() -> None:
    now = [0.0]
    limit = ConcurrencyLimit(clock=lambda: now[0])
    limit.serialize()
    now[0] = 30
    limit.serialize()
    now[0] = 89
    assert most_at_once(limit, 3) == 1
    now[0] = 91
    assert most_at_once(limit) == MOST_AT_ONCE


def test_who_waits_while_throttled_is_let_in_when_that_is_over() -> None:
    now = [0.0]
    limit = ConcurrencyLimit(clock=lambda: now[0])
    limit.serialize()
    with limit.one(TimeBudget(5)):
        threading.Timer(0.2, lambda: now.__setitem__(0, 61.0)).start()
        with limit.one(TimeBudget(5)):
            assert now[0] > 60


def test_waiting_for_the_limit_ends_with_the_budget() -> None:
    limit = ConcurrencyLimit(1)
    with limit.one(TimeBudget(5)):
        begun = time.monotonic()
        with pytest.raises(OutOfTimeError, match=r"the time limit of 0\.3s was reached"), limit.one(TimeBudget(0.3)):
            pass
        assert time.monotonic() - begun < 1


def test_waiting_for_the_limit_ends_with_a_cancellation() -> None:
    limit = ConcurrencyLimit(1)
    begun = time.monotonic()
    budget = TimeBudget(60, is_wanted=lambda: time.monotonic() < begun + 0.3)
    with limit.one(TimeBudget(5)), pytest.raises(CancelledError), limit.one(budget):
        pass
    assert time.monotonic() - begun < 1


def test_waiting_for_the_limit_is_told_when_drs_asked_to_slow_down() -> None:
    limit, told = ConcurrencyLimit(2), []
    for is_throttled in (False, True):
        if is_throttled:
            limit.serialize()
        with limit.one(TimeBudget(5)), suppress(OutOfTimeError), limit.one(TimeBudget(0.5, on_wait=told.append)):
            pass
    assert told == ["DRS asked us to slow down: waiting for the end of another call"]


def test_results_come_in_order_and_exceptions_hide_no_result() -> None:
    def invert(number: int) -> float:
        return 1 / number

    first, second, third = map_concurrently(invert, [1, 0, 2])
    assert (first, third) == (1, 0.5)
    assert isinstance(second, ZeroDivisionError)


def test_pages_after_the_first_are_read_at_the_same_time(sandbox: Sandbox, client: DrsClient) -> None:
    job_ids = [f"j{number}" for number in range(4 * READ_BATCH + 1)]
    sandbox.add_jobs(*(make_job(job_id) for job_id in job_ids))
    sandbox.set_policy(latency_ms=1000)

    assert set(client.get_statuses(job_ids, TimeBudget(60))) == set(job_ids)

    arrivals = [call["time"] for call in sandbox.calls("batch-status")]
    assert len(arrivals) == 5
    assert arrivals[1] - arrivals[0] > 0.5
    assert arrivals[4] - arrivals[1] < 1


def test_once_drs_asks_to_slow_down_calls_follow_one_another(sandbox: Sandbox, make_client: Callable[..., DrsClient]) -> None:
    client = make_client()
    job_ids = [f"j{number}" for number in range(2 * READ_BATCH + 1)]
    sandbox.add_jobs(*(make_job(job_id) for job_id in job_ids))
    sandbox.inject(faults.too_frequent("batch-status"))
    sandbox.set_policy(latency_ms=200)

    assert set(client.get_statuses(job_ids, TimeBudget(60))) == set(job_ids)

    arrivals = [call["time"] for call in sandbox.calls("batch-status")]
    # Half of it, because the wall clock of the log may be set back while the latency passes.
    assert min(later - earlier for earlier, later in pairwise(arrivals)) > 0.1
