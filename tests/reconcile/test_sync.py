"""Which readings of its copy make a job synced, and how often they are taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_drs_start.drs.calls.models import CopyProgress
from pulumi_drs_start.reconcile.actual import ActualJob
from pulumi_drs_start.reconcile.declared import Declared, SyncGoal
from pulumi_drs_start.reconcile.record import JobRecord
from pulumi_drs_start.reconcile.recorded import Recorded
from pulumi_drs_start.reconcile.sync import SyncWatch, is_copied, is_within

FOLLOWING, FULL, COPIED = "INCRE_TRANSFER_STARTED", "FULL_TRANSFER_STARTED", "FULL_TRANSFER_COMPLETE"
STOPPING, OVER = "RELEASE_RESOURCE_STARTED", "RELEASE_RESOURCE_COMPLETE"
GOAL = SyncGoal(10, 60)


def at(delay: float | None, status: str = FOLLOWING) -> ActualJob:
    """A job of which DRS tells that delay."""
    return ActualJob("a", status, copy=CopyProgress(100, delay))


def copied(status: str, percent: float | None = None, once: bool | None = True) -> ActualJob:
    return ActualJob("a", status, copy=CopyProgress(percent, None, once))


def caught_up_at(readings: Sequence[tuple[float, ActualJob]], goal: SyncGoal = GOAL, seconds: float = 0) -> float | None:
    """When the job had caught up, of readings at these times; each takes so many seconds."""
    watch = SyncWatch(goal)
    return next((when for when, job in readings if watch.take([job], when, when + seconds)), None)


def every(step: float, *delays: float | None) -> list[tuple[float, ActualJob]]:
    """A reading each so many seconds."""
    return [(step * index, at(delay)) for index, delay in enumerate(delays)]


# -- one reading ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("job", "is_good"),
    [
        pytest.param(at(0), True, id="not behind"),
        pytest.param(at(10), True, id="as far behind as it may be"),
        pytest.param(at(10.001), False, id="a thousandth of a second more"),
        pytest.param(at(340), False, id="far behind"),
        pytest.param(at(-1), False, id="less than nothing"),
        pytest.param(at(None), False, id="not told"),
        pytest.param(ActualJob("a", FOLLOWING), False, id="not asked"),
        *(pytest.param(at(0, status), False, id=status) for status in (FULL, COPIED, "INCRE_TRANSFER_FAILED", "PAUSING")),
        *(pytest.param(at(0, status), False, id=status) for status in ("CHANGE_JOB_STARTED", "NODE_UPGRADE_START", OVER)),
    ],
)
def test_one_reading(job: ActualJob, is_good: bool) -> None:
    assert is_within(job, 10) is is_good
    assert caught_up_at([(0, job)], SyncGoal(10, 0)) == (0 if is_good else None)


@pytest.mark.parametrize(
    ("job", "is_complete"),
    [
        pytest.param(copied(FULL, 100), False, id="in its full copy"),
        pytest.param(copied(COPIED), True, id="complete"),
        pytest.param(copied(STOPPING, 100), True, id="complete, and ending"),
        pytest.param(copied(OVER, 100), True, id="complete, and over"),
        pytest.param(copied(OVER, 99), False, id="over before it was complete"),
        pytest.param(copied(OVER), False, id="over, and DRS does not tell how far it came"),
        pytest.param(copied("FULL_TRANSFER_FAILED", 100), False, id="failed"),
        pytest.param(copied("PAUSING", 100), False, id="paused"),
        pytest.param(copied(COPIED, 100, once=False), False, id="complete, and about to follow"),
        pytest.param(copied(COPIED, 100, once=None), False, id="complete, and DRS does not tell what comes then"),
        pytest.param(copied(OVER, 100, once=None), False, id="over, and DRS does not tell whether it was to follow"),
        pytest.param(ActualJob("a", COPIED), False, id="not asked"),
    ],
)
def test_a_copy_that_is_made_once(job: ActualJob, is_complete: bool) -> None:
    assert is_copied(job) is is_complete
    assert caught_up_at([(0, job)]) == (0 if is_complete else None)


# -- a period ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("readings", "when"),
    [
        pytest.param(every(15, 9, 3, 0, 10, 0), 60, id="good all the time"),
        pytest.param(every(15, 9, 3, 0, 10), None, id="not for long enough"),
        pytest.param(every(15, 340, 9, 3, 0, 10, 0), 75, id="from the second reading on"),
        pytest.param(every(15, 0, 0, 11, 0, 0, 0, 0, 0), 105, id="a rise begins it anew"),
        pytest.param(every(15, 0, 0, 0, 0, 11, 0), None, id="a rise at its very end"),
        pytest.param(every(15, 0, 0, None, 0, 0, 0, 0, 0), 105, id="silence begins it anew"),
        pytest.param(every(30, 0, 0, 0), 60, id="with one reading in it"),
        pytest.param(every(31, 0, 0, 0, 0, 0), None, id="too much may happen between two readings"),
        pytest.param([*every(15, 0, 0), (30, at(0, "CHANGE_JOB_STARTED")), (45, at(0)), (60, at(0))], None, id="another status"),
    ],
)
def test_a_period(readings: Sequence[tuple[float, ActualJob]], when: float | None) -> None:
    assert caught_up_at(readings) == when


def test_a_slow_answer_makes_no_period_longer() -> None:
    assert caught_up_at(every(30, 0, 0, 0), seconds=12) is None
    assert caught_up_at([*every(30, 0, 0, 0), (72, at(0))], seconds=12) == 72


def test_no_delay_at_all_may_be_asked_for() -> None:
    none = SyncGoal(0, 60)
    assert caught_up_at(every(15, 0, 0, 0, 0, 0), none) == 60
    assert caught_up_at(every(15, 0, 0, 0.001, 0, 0), none) is None


def test_one_good_reading_is_enough_where_nothing_has_to_be_stable() -> None:
    assert caught_up_at(every(15, 340, 0), SyncGoal(10, 0)) == 15


def test_jobs_do_not_depend_on_each_other() -> None:
    watch = SyncWatch(GOAL)
    others = [replace(at(delay), job_id="b") for delay in (0, 340, 0, 340, 0)]
    assert [watch.take([at(0), other], 15 * index, 15 * index) for index, other in enumerate(others)][-1] == {"a"}
    assert watch.lags.keys() == {"b"}


def test_what_is_forgotten_begins_anew() -> None:
    watch = SyncWatch(GOAL)
    for when in (0, 15, 30, 45):
        watch.take([at(0)], when, when)
    watch.forget("a")
    assert watch.take([at(0)], 60, 60) == set()
    assert watch.lags["a"].good_seconds == 0


@pytest.mark.parametrize(("delays", "trend"), [((9, 8), -1), ((8, 9), 1), ((8, 8), 0), ((None, 8), 0), ((8, None), 0), ((8,), 0)])
def test_the_trend(delays: tuple[float | None, ...], trend: int) -> None:
    watch = SyncWatch(GOAL)
    for index, delay in enumerate(delays):
        watch.take([at(delay)], index, index)
    assert (watch.lags["a"].trend, watch.lags["a"].delay_seconds) == (trend, delays[-1])


moments = st.lists(st.tuples(st.floats(0, 40), st.floats(0, 5), st.none() | st.floats(-1, 20)), max_size=60)


@given(moments, st.floats(0, 15), st.floats(0, 120))
def test_nothing_is_synced_unless_every_reading_of_its_period_was_good(
    steps: list[tuple[float, float, float | None]], max_delay: float, stable_seconds: float
) -> None:
    watch, now = SyncWatch(SyncGoal(max_delay, stable_seconds)), 0.0
    good_since: float | None = None
    for pause, seconds, delay in steps:
        asked_at, now = now + pause, now + pause + seconds
        is_good = delay is not None and 0 <= delay <= max_delay
        good_since = (now if good_since is None else good_since) if is_good else None
        if watch.take([at(delay)], asked_at, now):
            assert good_since is not None
            assert stable_seconds == 0 or asked_at - good_since >= stable_seconds
            return


# -- how often -----------------------------------------------------------------------------------------------------


def polled(delay_at: list[float], goal: SyncGoal = GOAL, seconds: float = 8 * 3600, usual: float = 60) -> list[float]:
    """When a delay that goes round these values, one a second, is read; until it has caught up or the time is over."""
    watch, now, times = SyncWatch(goal), 0.0, list[float]()
    while now < seconds:
        times.append(now)
        if watch.take([at(delay_at[int(now) % len(delay_at)])], now, now):
            break
        now += watch.next_reading_seconds(usual, now)
    return times


def test_a_good_period_is_read_several_times_and_at_its_end() -> None:
    assert polled([0]) == [0, 15, 30, 45, 60]


def test_a_long_one_is_read_in_close_steps_all_the_same() -> None:
    times = polled([0], SyncGoal(10, 3600))
    assert max(later - one for one, later in pairwise(times)) <= 50


def test_without_a_good_reading_nothing_is_read_more_often_than_usual() -> None:
    assert polled([340], seconds=600) == list(range(0, 600, 60))


@pytest.mark.parametrize("up", [30, 45, 59])
@pytest.mark.parametrize("good", [5, 20, 31, 45, 58])
def test_a_delay_that_flaps_for_hours_is_never_taken_for_a_stable_one_and_costs_few_readings(good: int, up: int) -> None:
    times = polled([0] * good + [340] * up)
    assert times[-1] >= 8 * 3600 - 60
    assert len(times) < 950


def test_a_copy_that_flapped_for_hours_and_is_stable_at_last_is_noticed_within_minutes() -> None:
    times = polled([0, 340] * 2000 + [0] * 4000)
    assert 4000 < times[-1] < 4000 + 300 + 120


# -- goals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "holds"),
    [
        pytest.param(SyncGoal(10, 60), True, id="the same"),
        pytest.param(SyncGoal(20, 30), True, id="less strict"),
        pytest.param(SyncGoal(9, 60), False, id="a smaller delay"),
        pytest.param(SyncGoal(10, 61), False, id="a longer period"),
        pytest.param(SyncGoal(100, 61), False, id="a larger delay for longer"),
    ],
)
def test_to_have_caught_up_once_is_no_proof_of_a_stricter_limit(now: SyncGoal, holds: bool) -> None:
    recorded = Recorded(Declared(sync=GOAL), records={"a": JobRecord(was_started=True, is_synced=True)})
    assert recorded.records_for(Declared(sync=now)) == {"a": JobRecord(was_started=True, is_synced=holds)}
