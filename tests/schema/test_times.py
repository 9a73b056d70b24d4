"""Points in time as programs write them, as DRS takes them and as people read them."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pulumi_drs_start.schema.times import iso_to_seconds, parse_start_time, seconds_to_iso, to_iso

SMALLEST, LARGEST = 100_000_000_000, 99_999_999_999_999
# 2026-12-01T01:00:00Z, from `date -u -d @1796086800`.
INSTANT = 1_796_086_800_000

zones = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.integers(SMALLEST, LARGEST)


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [
        ("2026-12-01T01:00:00Z", INSTANT),
        ("2026-12-01T01:00:00z", INSTANT),
        ("2026-12-01t01:00:00Z", INSTANT),
        ("2026-12-01 01:00:00Z", INSTANT),
        ("2026-12-01T01:00Z", INSTANT),
        ("  2026-12-01T01:00:00Z\n", INSTANT),
        ("2026-12-01T02:00:00+01:00", INSTANT),
        ("2026-12-01T02:00:00+0100", INSTANT),
        ("2026-11-30T17:00:00-08:00", INSTANT),
        ("2026-12-01T06:45:00+05:45", INSTANT),
        ("2026-12-01T01:00:00-00:00", INSTANT),
        ("2026-12-01T01:00:00.5Z", INSTANT + 500),
        ("2026-12-01T01:00:00.050Z", INSTANT + 50),
        ("2026-12-01T01:00:00.001999999Z", INSTANT + 1),
        ("2028-02-29T00:00:00Z", 1_835_395_200_000),
        (str(INSTANT), INSTANT),
        (f" {INSTANT} ", INSTANT),
        (INSTANT, INSTANT),
        (float(INSTANT), INSTANT),
        (SMALLEST, SMALLEST),
        (LARGEST, LARGEST),
        (f"{SMALLEST}", SMALLEST),
        (f"{LARGEST}", LARGEST),
    ],
)
def test_a_time_is_understood(written: Any, milliseconds: int) -> None:
    """Every number arrives as a float: Pulumi's wire has no others."""
    understood = parse_start_time(written)

    assert understood == milliseconds
    assert type(understood) is int


SECONDS = "looks like seconds: multiply by 1000"
TOO_LARGE = "looks like micro- or nanoseconds"
NO_ZONE = 'has no time zone, or is incomplete: write it in full with its zone, such as "2026-12-01T02:00:00+01:00"'
WORDS = 'must be a time such as "2026-12-01T02:00:00+01:00", or milliseconds since the epoch; words such as tomorrow'
NO_TIME = 'must be a time such as "2026-12-01T02:00:00+01:00", or milliseconds since the epoch'
NO_DATE = "is not a time of the calendar: write one such as"


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        pytest.param(1_796_090_400, SECONDS, id="seconds"),
        pytest.param("1796090400", SECONDS, id="seconds as text"),
        pytest.param(1_796_090_400.0, SECONDS, id="seconds as they arrive"),
        pytest.param(1_796_090_400.5, SECONDS, id="seconds with a fraction"),
        pytest.param(1_796_090_400_000.5, SECONDS, id="half a millisecond"),
        pytest.param(SMALLEST - 1, SECONDS, id="one less than the smallest"),
        pytest.param(0, SECONDS, id="zero"),
        pytest.param("0", SECONDS, id="the zero that DRS takes for now"),
        pytest.param(-INSTANT, SECONDS, id="before the epoch"),
        pytest.param(LARGEST + 1, TOO_LARGE, id="one more than the largest"),
        pytest.param(1_796_090_400_000_000, TOO_LARGE, id="microseconds"),
        pytest.param("1796090400000000000", TOO_LARGE, id="nanoseconds as text"),
        pytest.param(1e300, TOO_LARGE, id="a huge float"),
        pytest.param("1970-01-01T00:00:00Z", "milliseconds since the epoch", id="the epoch"),
        pytest.param("9999-12-31T23:59:59Z", "milliseconds since the epoch", id="the last year"),
        pytest.param("2026-12-01T02:00:00", NO_ZONE, id="no zone"),
        pytest.param("2026-12-01 02:00", NO_ZONE, id="no zone, no seconds"),
        pytest.param("2026-12-01", NO_ZONE, id="a date"),
        pytest.param("2026-12-01T02:00:00 Europe/Berlin", NO_ZONE, id="a zone by name"),
        pytest.param("2026-12-01T02:00:00+1", NO_ZONE, id="a zone cut short"),
        pytest.param("tomorrow", WORDS, id="a word"),
        pytest.param("now", WORDS, id="now"),
        pytest.param("", WORDS, id="an empty text"),
        pytest.param("2h", WORDS, id="a duration"),
        pytest.param("-1", WORDS, id="a negative text"),
        pytest.param("1796090400000.0", WORDS, id="a float as text"),
        pytest.param("1_796_090_400_000", WORDS, id="digits in groups"),
        pytest.param("01.12.2026 02:00", WORDS, id="a German date"),
        pytest.param("nan", WORDS, id="nan as text"),
        pytest.param("\u0661" * 13, WORDS, id="digits that are not ours"),
        pytest.param("2026-12-01T0\u0662:00:00Z", WORDS, id="an Arabic digit"),
        pytest.param(True, NO_TIME, id="True"),
        pytest.param(False, NO_TIME, id="False"),
        pytest.param(None, NO_TIME, id="None"),
        pytest.param([INSTANT], NO_TIME, id="a list"),
        pytest.param({"at": INSTANT}, NO_TIME, id="a dict"),
        pytest.param(datetime(2026, 12, 1, tzinfo=timezone.utc), NO_TIME, id="a datetime"),
        pytest.param("2026-02-29T00:00:00Z", NO_DATE, id="a day that is not"),
        pytest.param("2026-13-01T00:00:00Z", NO_DATE, id="a month that is not"),
        pytest.param("2026-12-01T25:00:00Z", NO_DATE, id="an hour that is not"),
        pytest.param("2026-12-01T23:59:60Z", NO_DATE, id="a leap second"),
        pytest.param("2026-12-01T00:00:00+24:00", NO_DATE, id="a zone that is not"),
        pytest.param("0000-12-01T00:00:00Z", NO_DATE, id="the year zero"),
    ],
)
def test_what_is_no_time_is_refused_with_a_hint(wrong: Any, hint: str) -> None:
    with pytest.raises(ValueError, match=r"^(must|is|has)\b") as refused:
        parse_start_time(wrong)

    assert hint in str(refused.value)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="must be whole milliseconds since the epoch"):
        parse_start_time(wrong)


def problem_with(text: str) -> str | None:
    try:
        parse_start_time(text)
    except ValueError as exc:
        return str(exc)
    return None


@given(st.text(min_size=12, max_size=30))
def test_a_text_that_is_no_time_is_refused_without_quoting_it(text: str) -> None:
    """It may be secret."""
    assume(not text.strip().isdecimal())

    problem = problem_with(text)

    assert problem is not None
    assert text not in problem


@given(st.from_regex(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2})?(\.\d{1,9})? ?([Zz]|[+-]\d{2}:?\d{2})", fullmatch=True))
def test_whatever_looks_like_a_time_is_one_or_is_refused_in_words(text: str) -> None:
    problem = problem_with(text)

    assert problem is None or "milliseconds since the epoch" in problem


@given(instants)
def test_what_is_written_is_read_again(milliseconds: int) -> None:
    text = to_iso(milliseconds)

    assert text.endswith("Z")
    assert parse_start_time(text) == milliseconds


@given(instants, zones)
def test_an_instant_is_the_same_in_every_zone(milliseconds: int, zone: timezone) -> None:
    """Against the standard library, which is asked for the text here and not for the instant."""
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
    text = (epoch + timedelta(milliseconds=milliseconds)).astimezone(zone).isoformat(timespec="milliseconds")

    assert parse_start_time(text) == milliseconds


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(INSTANT, "2026-12-01T01:00:00Z"), (INSTANT + 50, "2026-12-01T01:00:00.050Z"), (SMALLEST, "1973-03-03T09:46:40Z")],
)
def test_a_fraction_is_shown_only_where_there_is_one(milliseconds: int, text: str) -> None:
    assert to_iso(milliseconds) == text


@given(st.floats(SMALLEST / 1000, LARGEST / 1000))
def test_seconds_survive_the_state_to_the_millisecond(seconds: float) -> None:
    # Half a millisecond, and what a float of that size can't tell apart (8 microseconds in the year 3058).
    closest = 0.0005 + 2 * math.ulp(seconds)

    assert iso_to_seconds(seconds_to_iso(seconds)) == pytest.approx(seconds, abs=closest, rel=0)


def test_half_a_millisecond_of_a_far_year_is_close_enough() -> None:
    """Found by a random search: the two floats are 0.50354 ms apart."""
    assert iso_to_seconds(seconds_to_iso(34359738368.4375)) == 34359738368.438


@pytest.mark.parametrize("other", [None, 7, True, "", "tomorrow", "2026-12-01", ["2026-12-01T01:00:00Z"], {}])
def test_anything_else_in_the_state_is_no_time(other: Any) -> None:
    assert iso_to_seconds(other) is None


@pytest.mark.parametrize("seconds", [0.0, 0.5, 990.5])
def test_times_at_the_epoch_are_kept_too(seconds: float) -> None:
    """A machine without a clock begins there."""
    assert iso_to_seconds(seconds_to_iso(seconds)) == seconds
