"""Kills everywhere in a few small worlds, and what broken builds come to there that go wrong after some kills alone."""

from __future__ import annotations

import pytest

from .campaign import Worker
from .exhaustive import WORLDS, World, ask

BY_NAME = {(world.name, world.schedule.front): world for world in WORLDS}
START, STOP = BY_NAME["start now", "dynamic"], BY_NAME["start, then stop", "dynamic"]

# build -> (a world that exposes it, what must be noticed, after which kills)
CASES: dict[str, tuple[World, str, set[str]]] = {
    "start_again_after_a_kill": (START, "needless", {"sent 4"}),
    "stop_again_after_a_kill": (STOP, "needless", {"nothing, then sent 4"}),
    "note_starts_too_early": (START, "lost", {"before 4"}),
}


def test_kills_everywhere_are_survived() -> None:
    with Worker(is_exhaustive=True) as worker:
        found = ask(worker, START)

    assert not found.violations
    assert found.pairs > 200


@pytest.mark.parametrize("build", CASES)
def test_a_build_that_is_broken_after_some_kills_alone_is_noticed(build: str) -> None:
    world, kind, kills = CASES[build]

    with Worker(build, is_exhaustive=True) as worker:
        violations = ask(worker, world).violations

    assert "nothing" not in {killed for killed, _, _ in violations}
    assert kills <= {killed for killed, noticed, _ in violations if noticed == kind}
