"""
Kills everywhere: small worlds in which a command is killed at every moment there is, and the next command at every moment too.

A moment is around each HTTP call (before it is sent; sent and not answered; answered), and when a resource is done and not yet
saved. Which there are is taken down from a run that is not killed, together with the world that each would leave behind: the
sandbox, the saved states, the clock. Kills that leave the same world have the same future, so only the first of them is gone on
from; that it does leave this world is checked. Thus none is left out, and few have to be run.

For that all must be the same each time: time stands still until somebody sleeps, and calls are made one after the other.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from .campaign import Worker, spread
from .engine import Engine, Run
from .judge import judge
from .kinds import START, STATUS
from .schedule import CANCELS_AT_A_CALL, FRONTS, LONG_REST_SECONDS, FaultSpec, Kill, Schedule, Up, from_json

QUIET = Up()
LEFT_TO_CHANCE = "left to chance"
"""A kind of violation besides those of the judge: a kill left another world behind than was there at its moment."""
SHOWN = 6
"""Violations of a world; of more, the first are enough to begin with."""
THREE_TIMES = (QUIET, QUIET, QUIET)


@dataclass(frozen=True, slots=True)
class World:
    """A schedule without kills, and where they belong.

    Attributes:
        name: for a person.
        schedule: that runs.
        first: the number of the first step that is killed, from 0; ``destroy`` commands follow on the last ``up``.
        second: that of the second.
        has_pairs: both are killed in one schedule. Where it goes on differently after each kill, that would be too many.
    """

    name: str
    schedule: Schedule
    first: int = 0
    second: int = 1
    has_pairs: bool = True

    def killed(self, kills: tuple[Kill | None, ...]) -> Schedule:
        """The schedule with a kill of the first step, or one of each."""
        steps = [*self.schedule.ups, *self.schedule.ends]
        for number, kill in zip((self.first, self.second), kills):  # noqa: B905 - the second may be left alone
            steps[number] = replace(steps[number], kills=(kill,) if kill else ())
        count = len(self.schedule.ups)
        return replace(self.schedule, ups=tuple(steps[:count]), ends=tuple(steps[count:]))


@dataclass(slots=True)
class Found:
    """What came of all kills in a world.

    Attributes:
        points: moments at which one of the two steps was killed alone, or cancelled.
        pairs: of a moment in the first step and one in the second.
        runs: that this took.
        violations: (kills, one of `judge.VIOLATIONS` or `LEFT_TO_CHANCE`, in words).
    """

    points: int = 0
    pairs: int = 0
    runs: int = 0
    violations: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, other: Found) -> None:
        """Count another one in."""
        self.points += other.points
        self.pairs += other.pairs
        self.runs += other.runs
        self.violations += other.violations

    def __str__(self) -> str:
        return f"{self.points} kills, {self.pairs} pairs of kills ({self.runs} runs), {len(self.violations)} violations"


def explore(engine: Engine, world: World) -> Found:
    """Kill everywhere."""
    return _Explorer(engine, world).explore()


class _Explorer:
    def __init__(self, engine: Engine, world: World) -> None:
        self._engine = engine
        self._world = world
        self._found = Found()
        self._known: set[str] = set()
        """The worlds after the second step from which it was gone on."""

    def explore(self) -> Found:
        world, found = self._world, self._found
        quiet = self._run((), watched=(world.first, world.second))
        firsts = list(_moments(quiet.seen[world.first]))
        seconds = self._go_on(None, quiet)
        found.points = len(firsts) + seconds
        pairs = {quiet.left[world.first]: seconds}
        for kill, left in firsts:
            if left not in pairs:
                ran = self._run((kill,), left, watched=(world.second,) if world.has_pairs else ())
                pairs[left] = self._go_on(kill, ran) if world.has_pairs else 0
            found.pairs += pairs[left] * world.has_pairs
        for kill in _cancels(world.schedule.front, firsts) if world.has_pairs else ():
            # What is left is known only afterwards: the command does not end at once.
            ran = self._run((kill,), watched=(world.second,), known=pairs)
            left = ran.left[world.first]
            if left not in pairs:
                pairs[left] = self._go_on(kill, ran)
            found.points += 1
            found.pairs += pairs[left]
        return found

    def _go_on(self, first: Kill | None, ran: Run) -> int:
        """After the first step, in which that was done, kill the second at every moment; how many there are."""
        self._known.add(ran.left[self._world.second])
        moments = list(_moments(ran.seen[self._world.second]))
        for kill, left in moments:
            if left not in self._known:
                self._known.add(left)
                self._run((first, kill), left)
        return len(moments)

    def _run(
        self,
        kills: tuple[Kill | None, ...],
        expected: str | None = None,
        watched: tuple[int, ...] = (),
        known: Collection[str] = (),
    ) -> Run:
        """Run the schedule with kills, and judge it.

        Args:
            kills: of the first step, and of the second.
            expected: the world that the last of them must leave.
            watched: see `Engine.run`.
            known: worlds after the first step from which it was gone on already.
        """
        schedule, first = self._world.killed(kills), self._world.first
        run = self._engine.run(schedule, watched, lambda run: len(run.left) == first + 1 and run.left[first] in known)
        self._found.runs += 1
        words = ", then ".join(f"{kill.moment} {kill.call}" if kill else "nothing" for kill in kills) or "nothing"
        self._found.violations += [(words, *violation) for violation in judge(schedule, run).violations]
        left = run.left[(self._world.first, self._world.second)[len(kills) - 1]] if kills else None
        if expected is not None and left != expected:
            self._found.violations.append((words, LEFT_TO_CHANCE, _difference(expected, left or "")))
        return run


def _difference(expected: str, left: str) -> str:
    """Where two texts part."""
    at = next((at for at, (one, other) in enumerate(zip(expected, left)) if one != other), 0)  # noqa: B905 - either may be longer
    return f"…{expected[max(0, at - 60) : at]}[{expected[at : at + 40]}] became [{left[at : at + 40]}]"


def _moments(seen: list[tuple[Kill, str]]) -> Iterator[tuple[Kill, str]]:
    """The moments that were seen. A call that is only sent will leave what it leaves when its answer comes or is lost."""
    for kill, left in seen:
        if kill.moment in ("answered", "lost"):
            yield replace(kill, moment="sent"), left
        yield kill, left


def _cancels(front: str, firsts: list[tuple[Kill, str]]) -> Iterator[Kill]:
    for kill, _ in firsts:
        if front == "native" and kill.moment == "before":
            yield from (replace(kill, moment=moment) for moment in CANCELS_AT_A_CALL)


def read_world(text: str) -> World:
    """The world that `ask` names to a worker."""
    raw = json.loads(text)
    return World(**{**raw, "schedule": from_json(json.dumps(raw["schedule"]))})


def ask(worker: Worker, world: World) -> Found:
    """Let a worker explore a world."""
    answer = worker.ask(json.dumps(asdict(world)))
    answer["violations"] = [tuple(violation) for violation in answer["violations"]]
    return Found(**answer)


def explore_all(worlds: list[World], workers: int, build: str | None = None) -> Iterator[tuple[World, Found]]:
    """Explore worlds on so many workers; outcomes come as they are ready."""
    everyone = [Worker(build, is_exhaustive=True) for _ in range(workers)]
    return spread(worlds, everyone, lambda worker, world: (world, ask(worker, world)))


def main(workers: int, build: str | None) -> int:
    """Explore all worlds, and print a line for each; the exit code."""
    began, total = time.monotonic(), Found()
    for world, found in explore_all(WORLDS, workers, build):
        total.add(found)
        print(f"{world.name}, {world.schedule.front}: {found}", flush=True)
        for kills, kind, words in found.violations[:SHOWN]:
            print(f"  killed {kills}: {kind}: {words}")
    print(f"{len(WORLDS)} worlds: {total}, in {time.monotonic() - began:.0f} s")
    return 1 if total.violations else 0


def _declaring(*what: tuple[int, str]) -> Up:
    """What was begun before has come to an end by then."""
    return Up(declares=what, rest_seconds=LONG_REST_SECONDS)


def _worlds() -> Iterator[World]:
    """Those of the dynamic front."""

    def world(name: str, kinds: str, *ups: Up, first: int = 0, second: int = 1, has_pairs: bool = True, **fields: Any) -> World:
        return World(name, Schedule(0, tuple(kinds.split()), ups or THREE_TIMES, **fields), first, second, has_pairs)

    lost, expired = Up((FaultSpec("drop after", START),)), Up((FaultSpec("expired token", STATUS, skip=1),))
    pause, stop = _declaring((0, "paused")), _declaring((0, "stopped"))
    yield world("start now", "fresh fresh running")
    yield world("start at a time", "fresh fresh running", life="scheduled")
    yield world("start shows late", "fresh fresh running", policy={"lag_looks": 1})
    yield world("accepted", "fresh fresh running", wait_for="accepted", policy={"lag_seconds": 15})
    yield world("answer lost, start shows late", "fresh fresh", lost, lost, QUIET, policy={"lag_seconds": 5})
    yield world("token expires", "fresh running", expired, expired, QUIET, policy={"start_seconds": 5})
    refreshed = (Up(refreshes=True),) * 2
    yield world("refreshed", "fresh running", QUIET, *refreshed, wait_for="accepted", policy={"lag_seconds": 15})
    yield world("being created", "creating fresh")
    yield world("resume", "paused failed fresh", life="resume")
    later: dict[str, Any] = {"first": 1, "second": 2}
    both, again = _declaring((0, "paused"), (1, "stopped")), _declaring((0, "started"))
    yield world("pause and stop", "running running fresh", QUIET, both, QUIET, QUIET, life="desired", **later)
    yield world("pause, then start", "running fresh", QUIET, pause, again, QUIET, life="desired", **later)
    yield world("start again", "running fresh", QUIET, pause, again, QUIET, QUIET, life="desired", first=2, second=3)
    yield world("start, then pause", "fresh fresh", QUIET, pause, QUIET, life="desired")
    yield world("start, then stop", "fresh fresh", QUIET, stop, QUIET, life="desired")
    yield world("off the list", "fresh fresh running", QUIET, Up(declares=((0, "gone"),)), QUIET, life="desired")
    yield world("refused and failing", "fresh refused fails_start")
    yield world("recorded failures", "fresh fails_start dead", on_failure="record")
    yield world("one at a time", "fresh fresh running", policy={"max_batch": 1})
    yield world("refused as a whole", "fresh refused fresh", on_failure="record", policy={"bad_row": "reject"})
    yield world("two resources", "fresh fresh running", resources=2)
    yield world("synced", "near copies_once", has_pairs=False, wait_for="synced", timeout="5m", life="synced")
    later["ends"] = THREE_TIMES
    yield world("destroy (pause)", "running_full fresh start_failed", QUIET, on_destroy="pause", **later)
    yield world("destroy (stop)", "running_full fresh", QUIET, on_destroy="stop", **later)
    yield world("destroy two resources", "running_full fresh running", QUIET, on_destroy="stop", resources=2, **later)
    ends = (Up(rest_seconds=LONG_REST_SECONDS), QUIET)
    yield world("start, then destroy", "fresh running", QUIET, QUIET, second=2, on_destroy="pause", ends=ends)


WORLDS = [replace(world, schedule=replace(world.schedule, front=front)) for world in _worlds() for front in FRONTS]
