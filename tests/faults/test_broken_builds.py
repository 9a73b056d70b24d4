"""
The campaign can fail: each deliberately broken build is noticed, by a schedule that the package itself passes.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle

import pytest

from .broken import BUILDS
from .campaign import Case, Worker
from .scenarios.exposing import CASES as SCENARIOS
from .scenarios.judge import VIOLATIONS
from .schedule import FRONTS, FaultSpec, Kill, Schedule, Up
from .test_exhaustive import CASES as AFTER_KILLS

LOST_ANSWER = Up(faults=(FaultSpec("drop after", "batch-starting"),))
LOST_PAUSE = FaultSpec("drop after", "batch-pause-task")
# Twice: rows that are missing once are asked for again.
MISSING_ROWS = Up(faults=(FaultSpec("missing rows", "batch-status", times=2),))
CANCELLED = Up(kills=(Kill("cancelled at", 6),))
QUIET = Up()
REFRESHED = Up(refreshes=True)


def declaring(what: str) -> Up:
    """An up from which on the first job is declared to be that."""
    return Up(declares=((0, what),))


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
    "leave_what_shall_rest": (Schedule(11, ("running",), (QUIET,), on_destroy="stop", ends=(QUIET,)), {"lost", "not converged"}),
    "call_the_unseen_done": (
        Schedule(12, ("running",) * 2, (QUIET,), on_destroy="stop", ends=(MISSING_ROWS, QUIET)),
        {"lost", "not converged"},
    ),
    "let_go_at_any_price": (
        Schedule(13, ("start_failed", "running"), (QUIET,), on_destroy="stop", ends=(QUIET,)),
        {"not converged"},
    ),
    "leave_what_is_starting": (
        Schedule(14, ("fresh",), (QUIET,), {"start_looks": 8}, wait_for="accepted", on_destroy="pause", ends=(QUIET,)),
        {"lost", "not converged"},
    ),
    "stop_what_leaves": (Schedule(15, ("running",) * 2, (QUIET, declaring("gone"))), {"double"}),
    "start_whatever_is_declared": (
        Schedule(16, ("running",) * 2, (QUIET, declaring("stopped")), life="desired"),
        {"lost", "not converged"},
    ),
    "forget_our_pauses": (
        Schedule(17, ("running",), (QUIET, declaring("paused"), declaring("started")), life="desired"),
        {"lost"},
    ),
    "claim_every_pause": (
        Schedule(18, ("paused",), (QUIET, declaring("paused"), declaring("started")), life="desired"),
        {"double"},
    ),
    "pause_again_after_a_lost_answer": (
        Schedule(19, ("running",), (QUIET, replace(declaring("paused"), faults=(LOST_PAUSE,)), QUIET), life="desired"),
        {"needless"},
    ),
    "believe_one_good_reading": (
        Schedule(20, ("flaps", "near"), (QUIET, QUIET), wait_for="synced", timeout="3m", life="synced"),
        {"not synced"},
    ),
    "wait_for_a_start_alone": (
        Schedule(21, ("stalls", "near"), (QUIET, QUIET), wait_for="synced", timeout="3m", life="synced"),
        {"not synced"},
    ),
    "ask_for_every_copy": (Schedule(22, ("running",), (QUIET,)), {"needless"}),
    "forget_at_a_refresh": (
        Schedule(23, ("fresh",) * 5, (QUIET, REFRESHED), wait_for="accepted", open_lag_seconds=600),
        {"double", "needless"},
    ),
    "save_no_part": (
        Schedule(24, ("fresh", "dead"), (QUIET, QUIET), wait_for="accepted", open_lag_seconds=600, front="native"),
        {"double", "not converged"},
    ),
    "hide_changes": (Schedule(25, ("running",) * 2, (QUIET, declaring("stopped")), life="desired", front="native"), {"lost"}),
    "wait_on_when_cancelled": (
        Schedule(26, ("fresh",), (CANCELLED, Up(rest_seconds=3600)), {"start_seconds": 500}, front="native"),
        {"not converged"},
    ),
    "tell_of_no_job": (Schedule(27, ("running",), (QUIET,), front="native"), {"not converged"}),
}


EXPOSED = [(build, case, noticed) for cases in (CASES, SCENARIOS) for build, (case, noticed) in cases.items()]
# What is about the native front is for it alone.
BOTH_FRONTS = [
    (build, schedule, front) for build, (schedule, _) in CASES.items() for front in FRONTS if front in ("native", schedule.front)
]
ONE_FRONT = [(build, scenario, front) for (build, (scenario, _)), front in zip(SCENARIOS.items(), cycle(FRONTS), strict=False)]


@pytest.mark.parametrize(("build", "case", "noticed"), EXPOSED)
def test_broken_build_is_noticed(build: str, case: Case, noticed: set[str]) -> None:
    with Worker(build) as worker:
        assert noticed <= {kind for kind, _ in worker.run(case).violations}


@pytest.mark.parametrize(("_build", "case", "front"), [*BOTH_FRONTS, *ONE_FRONT])
def test_the_package_itself_passes(worker: Worker, _build: str, case: Case, front: str) -> None:
    assert worker.run(replace(case, front=front)).violations == ()


def test_every_oracle_of_the_scenarios_notices_a_broken_build() -> None:
    assert set().union(*(noticed for _, noticed in SCENARIOS.values())) == set(VIOLATIONS)


def test_every_broken_build_has_something_that_exposes_it() -> None:
    assert CASES.keys() | SCENARIOS.keys() | AFTER_KILLS.keys() == BUILDS.keys()
