"""What `docs/guides/cutover-night.md` says of each step is so: its commands do it, and print what is shown there."""

from __future__ import annotations

import json
import re

import pytest

from tests.docs.pages import ROOT, read, texts

from .test_cutover import FOLLOWS, JOBS, NEW, OLD, ORDERS, OVER, Night, night  # noqa: F401  # a fixture

PAGE = "guides/cutover-night.md"
PLAN, START, MORE_TIME, ASK, SWITCH, CHECK, BACK, NOT_BACK, FINISH, STOP, DESTROY = texts(PAGE, "sh")
PLANNED, ROW, STARTED, TOO_LATE, CLOSED, SWITCHED, ANNOUNCED, STOPPED = map(str.strip, texts(PAGE, "text"))
TEXT = read(PAGE)
MESSAGES = (ROOT / "tests" / "messages" / "messages.txt").read_text(encoding="utf-8")
PROGRAM = (ROOT / "examples" / "cutover" / "switch" / "__main__.py").read_text(encoding="utf-8")


def alike(text: str) -> str:
    """A text whose delays, time limits, statuses and blanks are the same in all."""
    text = re.sub(r"\b[\d,]+ (s behind|%)", r"0 \1", " ".join(text.split()))
    return re.sub(r"\bis in [A-Z_]+", "is in STATUS", re.sub(r"\b\d+[smh]\b", "0s", text))


@pytest.mark.engine
def test_the_night_from_the_start_of_the_jobs_to_their_end(night: Night) -> None:  # noqa: F811
    sandbox = night.sandbox
    sandbox.set_delay(ORDERS, seconds=340, falls=70)

    assert PLANNED in night.run(PLAN)
    said = night.run(START)
    assert alike(ROW) in alike(said)
    assert STARTED in said
    told = json.loads(night.run("pulumi -C replicate stack output --json"))
    assert (told["job_ids"], told["ready"], told["problems"]) == (sorted(JOBS), True, {})
    assert {row["status"] for row in told["statuses"].values()} == {FOLLOWS}
    assert night.rests("replicate")

    # Somebody still writes to the source.
    sandbox.set_delay(ORDERS, seconds=52, falls=0)
    for command in (ASK, SWITCH):
        assert CLOSED in night.refused(command)
    assert night.database == OLD

    sandbox.set_delay(ORDERS, seconds=0)
    night.run(ASK)
    assert night.database == OLD
    assert alike(SWITCHED) in alike(night.run(SWITCH))
    assert night.database == NEW
    assert NEW in night.run(CHECK)
    assert night.rests("switch")
    assert night.rests("replicate")

    night.run(BACK)
    assert night.database == OLD
    night.run(NOT_BACK + SWITCH)
    assert night.database == NEW

    assert ANNOUNCED in night.run(FINISH)
    assert night.stops() == []
    assert STOPPED in night.run(STOP)
    assert night.stops() == [sorted(JOBS)]
    assert night.statuses() == {OVER}
    assert night.rests("switch")
    assert night.rests("replicate")

    night.run(DESTROY)
    assert night.database == NEW
    assert len(night.stops()) == 1
    assert len(sandbox.calls("batch-starting")) == 1


@pytest.mark.engine
def test_at_the_time_limit_and_after_a_pause_the_same_command_waits_on(night: Night) -> None:  # noqa: F811
    night.sandbox.set_delay(ORDERS, seconds=340)
    night.run("pulumi -C replicate config set timeout 8s")
    assert alike(TOO_LATE) in alike(night.refused(START))
    night.run(MORE_TIME)

    night.sandbox.set_status(ORDERS, "PAUSING")
    assert "job crm-orders (9f1c6f6e…) could not be synced: it is paused and stays paused" in night.refused(START)
    night.sandbox.set_status(ORDERS, FOLLOWS)
    night.sandbox.set_delay(ORDERS, seconds=0)

    assert "3 jobs: unchanged 3, synced 3" in night.run(START)
    assert len(night.sandbox.calls("batch-starting")) == 1


def test_every_message_of_the_tables_is_one_that_is_said() -> None:
    told = [phrase for row in re.findall(r"^\| (`.*?) \|", TEXT, re.M) for phrase in re.findall(r"`(.+?)`", row)]
    said = alike(MESSAGES + PROGRAM)

    assert len(told) > 15
    assert [phrase for phrase in told if alike(phrase) not in said] == []
