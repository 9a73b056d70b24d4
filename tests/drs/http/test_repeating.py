"""What is repeated, how long is waited, and when it ends."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.clock import format_seconds
from pulumi_drs_start.drs.errors import CancelledError, DrsError, OutOfTimeError, ServiceFaultError, ThrottledError
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.drs.http.exchange import _retry_after
from pulumi_drs_start.drs.http.retry import RetryPolicy
from pulumi_drs_start.sandbox import Fault, Sandbox, faults, make_job
from tests.drs.conftest import VirtualClock

READ, START = "batch-status", "batch-starting"
PASSING = {
    "M01503": faults.too_frequent,
    "429": faults.throttled,
    "408": lambda op: faults.answer(op, 408),
    "500": faults.server_error,
    "502 of a proxy": faults.html,
    "503": lambda op: faults.answer(op, 503),
    "504": lambda op: faults.html(op, 504),
    "M01501": lambda op: faults.refuse(op, "DRS.M01501"),
    "dropped before": faults.drop_before,
    "dropped after": faults.drop_after,
    "reset": lambda op: faults.drop_before(op, reset=True),
    "truncated": faults.truncate,
    "misshapen": faults.misshapen,
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_reading_survives_what_passes(sandbox: Sandbox, client: DrsClient, fault: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(fault(READ))
    sandbox.inject(fault(READ))
    assert client.get_statuses(["a"], VirtualClock().budget(60))["a"].status == "CONFIGURATION"
    assert len(sandbox.calls(READ)) == 3


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_reading_is_given_up_after_bounded_attempts(sandbox: Sandbox, client: DrsClient, fault: Any) -> None:
    forever: Fault = fault(READ)
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(forever.model_copy(update={"times": None}))
    with pytest.raises(DrsError) as caught:
        client.get_statuses(["a"], VirtualClock().budget(60))
    assert caught.value.retryable
    assert len(sandbox.calls(READ)) == client.retry.attempts


@pytest.mark.parametrize("fault", [faults.too_frequent, faults.throttled], ids=["M01503", "429"])
def test_a_start_that_was_throttled_is_sent_again(sandbox: Sandbox, client: DrsClient, start: Any, fault: Any) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(fault(START))
    assert client.start_jobs(start("a"), VirtualClock().budget(60)).accepted == {"a"}


@pytest.mark.parametrize("fault", [f for name, f in PASSING.items() if name not in ("M01503", "429")])
def test_a_start_that_may_have_had_its_effect_is_not_sent_again(
    sandbox: Sandbox, client: DrsClient, start: Any, fault: Any
) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(fault(START))
    with pytest.raises(DrsError) as caught:
        client.start_jobs(start("a"), VirtualClock().budget(60))
    assert caught.value.effect_unknown
    assert len(sandbox.calls(START)) == 1


def test_a_start_refused_for_a_busy_job_is_left_to_the_caller(sandbox: Sandbox, client: DrsClient, start: Any) -> None:
    """It may stay busy for long, and the other jobs of the call are waiting."""
    sandbox.inject(faults.refuse(START, "DRS.M01504", times=None))
    with pytest.raises(DrsError):
        client.start_jobs(start("a", "b"), VirtualClock().budget(60))
    assert len(sandbox.calls(START)) == 1


@pytest.mark.parametrize("code", ["DRS.M00304", "DRS.M00202", "DRS.M05003", "DRS.M00299", "DRS.M00103", "DRS.M00261"])
def test_a_start_that_is_refused_for_good_is_sent_once(sandbox: Sandbox, client: DrsClient, start: Any, code: str) -> None:
    sandbox.inject(faults.refuse(START, code, times=None))
    with pytest.raises(DrsError):
        client.start_jobs(start("a"), VirtualClock().budget(60))
    assert len(sandbox.calls(START)) == 1


@pytest.mark.parametrize("retry_after", ["3", "3.5"])
def test_retry_after_in_seconds_is_waited_for(sandbox: Sandbox, client: DrsClient, retry_after: str) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.throttled(READ, retry_after))
    clock = VirtualClock()
    client.get_statuses(["a"], clock.budget(60))
    assert float(retry_after) <= clock.now <= float(retry_after) + 1


def test_retry_after_as_a_date_is_waited_for(sandbox: Sandbox, client: DrsClient) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.throttled(READ, format_datetime(datetime.now(timezone.utc) + timedelta(seconds=30), usegmt=True)))
    clock = VirtualClock()
    client.get_statuses(["a"], clock.budget(60))
    assert 25 < clock.now < 32


def test_retry_after_counts_for_server_errors_too(sandbox: Sandbox, client: DrsClient) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.answer(READ, 503, headers={"Retry-After": "7"}))
    clock = VirtualClock()
    client.get_statuses(["a"], clock.budget(60))
    assert 7 <= clock.now <= 8


def test_a_wait_longer_than_the_time_left_ends_with_what_drs_said(sandbox: Sandbox, client: DrsClient) -> None:
    sandbox.inject(faults.throttled(READ, 3600))
    clock = VirtualClock()
    with pytest.raises(ThrottledError) as caught:
        client.get_statuses(["a"], clock.budget(60))
    assert caught.value.retry_after_seconds == 3600
    assert clock.now == 0


@pytest.mark.parametrize("value", ["Wed, 21 Oct 2015 07:28:00 GMT", "-5", "0"])
def test_a_retry_after_in_the_past_means_now(value: str) -> None:
    assert _retry_after(value) == 0


@pytest.mark.parametrize("value", ["", "soon", "nan", "inf", "1e999", "Thu, 99 Xyz 0000 99:99:99 GMT", None])
def test_a_retry_after_that_says_nothing_is_ignored(value: str | None) -> None:
    assert _retry_after(value) is None


def test_a_date_without_a_zone_is_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        there = _retry_after(format_datetime(datetime.now(timezone.utc).replace(tzinfo=None) + timedelta(seconds=30)))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert there is not None
    assert 25 < there <= 30


@given(st.text())
def test_no_retry_after_breaks_us(value: str) -> None:
    seconds = _retry_after(value)
    assert seconds is None or 0 <= seconds < float("inf")


@given(st.integers(1, 2000), st.floats(0, 1, exclude_max=True))
def test_waits_grow_within_their_bounds(attempt: int, chance: float) -> None:
    policy = RetryPolicy(first_wait_seconds=0.5, longest_wait_seconds=30, jitter=lambda: chance)
    ceiling = min(30.0, 0.5 * 2.0 ** min(attempt - 1, 100))
    assert ceiling / 2 <= policy.wait_seconds(attempt) <= ceiling


def test_clients_that_fail_together_do_not_come_back_together() -> None:
    early, late = (RetryPolicy(jitter=lambda chance=chance: chance) for chance in (0.0, 0.9))  # type: ignore[misc]
    assert early.wait_seconds(3) < late.wait_seconds(3)
    assert early.wait_seconds(3, 10) != late.wait_seconds(3, 10)


@given(st.floats(0, 1e6), st.integers(1, 50))
def test_nobody_comes_back_sooner_than_asked(asked: float, attempt: int) -> None:
    assert RetryPolicy().wait_seconds(attempt, asked) >= asked


def test_the_budget_ends_the_repeats(sandbox: Sandbox, make_client: Any) -> None:
    client = make_client(retry=RetryPolicy(attempts=1000, first_wait_seconds=20, longest_wait_seconds=20, jitter=lambda: 0.0))
    sandbox.inject(faults.server_error(READ, times=None))
    clock = VirtualClock()
    # An exchange may take what is left, in real seconds: never less than 5 here.
    with pytest.raises(ServiceFaultError):
        client.get_statuses(["a"], clock.budget(205))
    assert clock.now == 200
    assert len(sandbox.calls(READ)) == 21


def test_no_call_is_made_when_time_is_up(sandbox: Sandbox, client: DrsClient) -> None:
    with pytest.raises(OutOfTimeError, match="the time limit of 0s was reached"):
        client.get_statuses(["a"], TimeBudget(0))
    assert sandbox.calls(READ) == []


def test_a_hanging_answer_ends_with_the_budget(sandbox: Sandbox, client: DrsClient) -> None:
    sandbox.inject(faults.delay(READ, 60, times=None))
    begun = time.monotonic()
    with pytest.raises(DrsError):
        client.get_statuses(["a"], TimeBudget(0.3))
    assert time.monotonic() - begun < 1.5


def test_nothing_is_repeated_for_nobody(sandbox: Sandbox, client: DrsClient) -> None:
    sandbox.inject(faults.server_error(READ, times=None))
    with pytest.raises(CancelledError):
        client.get_statuses(["a"], VirtualClock().budget(60, is_wanted=lambda: not sandbox.calls(READ)))
    assert len(sandbox.calls(READ)) == 1


def test_a_long_pause_looks_up_now_and_then() -> None:
    """So that a cancellation is noticed."""
    clock = VirtualClock()
    with pytest.raises(CancelledError):
        clock.budget(3600, is_wanted=lambda: clock.now < 10).pause(1000)
    assert clock.now < 11


def test_a_pause_ends_with_the_budget() -> None:
    clock = VirtualClock()
    with pytest.raises(OutOfTimeError):
        clock.budget(5).pause(1000)
    assert clock.now == pytest.approx(5)


def test_a_pause_takes_as_long_as_asked() -> None:
    clock = VirtualClock()
    clock.budget(5).pause(2)
    assert clock.now == pytest.approx(2)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.5, "0.5s"), (90, "90s"), (60, "60s"), (120, "2m"), (3600, "60m"), (7200, "2h"), (5400, "90m")]
)
def test_durations_read_as_a_user_would_type_them(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text
