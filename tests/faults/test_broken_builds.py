"""
The campaign can fail: each deliberately broken build is noticed, by a schedule that the package itself passes.
"""

from __future__ import annotations

import pytest

from .campaign import Outcome, Worker
from .schedule import FaultSpec, Schedule, Up

LOST_ANSWER = Up(faults=(FaultSpec("drop after", "batch-starting"),))
QUIET = Up()

# build -> (a schedule that exposes it, what must be noticed)
CASES: dict[str, tuple[Schedule, set[str]]] = {
    "repeat_after_a_lost_answer": (
        Schedule(1, ("fresh",) * 5, (LOST_ANSWER, QUIET), open_lag_seconds=12),
        {"double", "needless"},
    ),
    "forget_accepted_starts": (
        Schedule(2, ("fresh",) * 5, (QUIET, QUIET), wait_for="accepted", open_lag_seconds=600),
        {"double", "needless", "not converged"},
    ),
    "ignore_failed_rows": (
        Schedule(3, ("fresh", "busy_twice", "throttled_twice"), (QUIET, QUIET), timeout="2m"),
        {"lost", "not converged"},
    ),
    "blame_the_whole_batch": (
        Schedule(4, ("fresh", "fresh", "refused", "fresh"), (QUIET,), {"bad_row": "reject"}),
        {"lost", "not converged"},
    ),
    "log_the_token": (Schedule(5, ("fresh",), (QUIET,)), {"secret"}),
    "believe_every_status": (
        Schedule(6, ("fresh",) * 5, (LOST_ANSWER, QUIET), open_lag_seconds=12),
        {"double"},
    ),
    "start_everything": (Schedule(7, ("fresh", "running", "paused"), (QUIET,)), {"needless"}),
    "never_mind_the_time": (Schedule(8, ("fresh", "running"), (QUIET,), life="scheduled"), {"not converged"}),
    "resume_uninvited": (Schedule(9, ("fresh", "paused"), (QUIET,)), {"double"}),
    "stop_instead_of_pausing": (Schedule(10, ("running_full",), (QUIET,), on_destroy="pause", ends=(QUIET,)), {"double", "lost"}),
    "forget_what_leaves": (Schedule(11, ("running",), (QUIET,), on_destroy="stop", ends=(QUIET,)), {"lost"}),
}


def run(schedule: Schedule, build: str | None = None) -> Outcome:
    with Worker(build) as worker:
        return worker.run(schedule)


@pytest.mark.parametrize("build", CASES)
def test_broken_build_is_noticed(build: str) -> None:
    schedule, noticed = CASES[build]

    assert noticed <= {kind for kind, _ in run(schedule, build).wrongs}


@pytest.mark.parametrize("build", CASES)
def test_the_package_itself_passes(build: str) -> None:
    schedule, _ = CASES[build]

    assert run(schedule).wrongs == ()
