"""
Makes a scenario from a seed. The same seed gives the same one on every Python: nothing depends on the order of a set or a hash.

Each scenario first picks which kinds of trouble there may be, so that rare ones meet, and no kind hides the others. Its programs
come of small edits, see `edits`. What the judge may rely on:

- The last step is a quiet ``up`` of the whole program in stack 0, an hour after all that happened before. Others are at rest.
- A resource that is protected in any program is in every later one, by the same name, and protected no more in the last one: what
  shall be deleted in the end can be. Only a step in the middle may try to delete it, or to give it another name.
- Every job comes to an end: none is being created for ever, and none fails again whenever it is resumed.
- Who waits for copies gets them: with ``wait_for="synced"`` no job waits for a time that does not come.
- With `Scenario.open_lag_seconds` the sandbox takes a second start for a good one. There nobody else acts, no state is lost, it
  is one stack, and the lag is over before each step: who starts a job twice has no excuse.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from .. import jobs
from ..kinds import PAUSE, RESUME, START, STOP
from ..schedule import CANCELS, FRONTS, LONG_REST_SECONDS, MOMENTS, Kill, make_faults, make_policy
from .edits import EDITS, SIDES, World, rename, without, wrong_with
from .openings import OPENINGS, Opening
from .scenario import ACTS, COMMANDS, MISTAKES, Act, Job, Program, Resource, Scenario, Step

CHANCE = 0.25
"""Of each feature, to be picked for a scenario."""

EVENTS = (
    "wire faults",
    "kills",
    "cancels",
    "drift",
    "others before",
    "others during",
    "stale reads",
    "lag",
    "mistakes",
    "state lost",
    "old state",
    "two stacks",
    "replace",
    "targets",
    "continue-on-error",
    "refreshes",
    "previews",
    "destroys",
    "back and forth",
    "troubled jobs",
    "synced",
    "small batches",
    "tiny pages",
    "short patience",
    "shuffled threads",
)
FEATURES = (*EVENTS, *EDITS)

THEMES = (
    ("wire faults", "kills", "lag"),
    ("on_destroy", "renames", "merges", "splits"),
    ("on_destroy", "moves", "depends_on"),
    ("on_destroy", "removals", "retain_on_delete"),
    ("on_destroy", "removals", "destroys", "wire faults"),
    ("on_destroy", "replace", "kills"),
    ("on_destroy", "two stacks", "state lost"),
    ("desired states", "old state"),
    ("desired states", "back and forth", "mistakes"),
    ("schedules", "others before"),
    ("others during", "stale reads"),
    ("others before", "drift", "refreshes"),
    ("found lists", "drift", "tiny pages"),
    ("targets", "removals", "renames"),
    ("continue-on-error", "removals", "troubled jobs"),
    ("protect", "replace", "destroys"),
    ("cancels", "small batches", "aliases"),
    ("short timeouts", "wire faults", "resume"),
)
"""What has to meet for some of the states in `rare`, which chance alone would seldom bring together."""
OPENING_CHANCE = 0.25
"""Of a scenario to begin in one of the ways of `openings`."""
THEME_CHANCE = 0.7
"""Of a scenario to have a theme, and of what belongs to it to happen where it can."""

OF_MOST = ("schedules", "desired states", "on_destroy", "resume", "on_failure", "wait_for", "depends_on", "retain_on_delete")
OF_ONE = ("found lists", "two owners", "protect", "short timeouts", "place")
"""Edits that the first program has behind it already, of most of its resources and of one."""

CONSOLE, DRIFT = ACTS[:6], ACTS[6:]

HEALTHY = {"fresh": 40, "running": 14, "fresh_incremental": 5, "running_full": 3, "slow": 2, "creating": 3, "starting": 1}
TROUBLED = {
    **HEALTHY,
    "paused": 4,
    "failed": 4,
    "fails_full": 2,
    "start_failed": 3,
    "refused_once": 3,
    "busy_twice": 3,
    "throttled_twice": 2,
    "faulty_once": 2,
    "missing": 3,
    "ended": 2,
    "dead": 2,
    "refused": 2,
    "unchecked": 2,
    "scheduled": 2,
    "upgrading": 1,
}
COPYING = {"fresh": 10, "running": 4, "fresh_incremental": 2, "near": 4, "shrinks": 3, "copies_once": 2}

FAST_POLICY = {"lag_looks": 0, "start_looks": 0}
"""What takes a number of looks does not come to rest while nobody looks."""


@dataclass(frozen=True, slots=True)
class _Chance:
    """Where chance comes from, and which features it has picked, those of a theme among them."""

    rng: random.Random
    features: tuple[str, ...]
    theme: tuple[str, ...]

    def takes(self, feature: str, chance: float) -> bool:
        """Whether such a thing happens here."""
        return feature in self.features and self.rng.random() < (THEME_CHANCE if feature in self.theme else chance)


def make_scenario(seed: int, rng: random.Random | None = None, most_jobs: int = 40) -> Scenario:
    """The scenario of a seed.

    Args:
        seed: names the scenario, and makes it unless `rng` does.
        rng: where chance comes from instead.
        most_jobs: on all lists together.
    """
    rng = rng or random.Random(seed)  # noqa: S311 - a scenario is no secret
    theme = rng.choice(THEMES) if rng.random() < THEME_CHANCE else ()
    chance = _Chance(rng, _features(rng, theme), theme)
    open_lag = rng.choice((4, 12)) if _is_lag_open(chance) else 0
    kinds = _kinds(chance, most_jobs)
    opening = _opening(chance, most_jobs, open_lag)
    kinds = (*opening.kinds, *kinds[len(opening.kinds) :])
    front = "native" if "cancels" in chance.features else rng.choice(FRONTS)
    steps = _steps(chance, len(kinds), open_lag, opening.steps)
    return Scenario(
        seed=seed,
        jobs=kinds,
        steps=tuple(steps),
        policy=_policy(chance, open_lag) | opening.policy,
        front=front,
        finds_host=front == "native" or rng.random() < 0.7,
        open_lag_seconds=open_lag,
        hurried=tuple(name for name in ("short patience", "shuffled threads", "tiny pages") if name in chance.features),
        features=chance.features,
    )


def wrong(scenario: Scenario) -> Iterator[str]:
    """Why a scenario is not valid, in words; nothing if it is."""
    may_share = "two owners" in scenario.features
    protected: list[str] = []
    for number, step in enumerate(scenario.steps):
        yield from (f"step {number}: {words}" for words in wrong_with(step.program, len(scenario.jobs), may_share))
        protected += [one.name for one in step.program if one.protect]
        acts = (*step.before, *step.during)
        exports = [index for index, earlier in enumerate(scenario.steps[:number]) if earlier.stack == step.stack]
        if step.command not in COMMANDS or (step.mistake or MISTAKES[0]) not in MISTAKES:
            yield f"step {number}: {step.command} with {step.mistake}"
        if not all(act.what in ACTS and 0 <= act.job < len(scenario.jobs) for act in acts):
            yield f"step {number}: {acts}"
        if step.kill and step.kill.moment in CANCELS and scenario.front != "native":
            yield f"step {number}: {step.kill} in a program in Python"
        if (step.state or "").startswith("then") and int((step.state or "")[5:]) not in exports:
            yield f"step {number}: state {step.state}"
        if step.state == "copied" and step.stack != 1:
            yield f"step {number}: a copied state in stack 0"
        named = {*step.targets, *step.replaces}
        if not named <= {one.name for earlier in scenario.steps[: number + 1] for one in earlier.program}:
            yield f"step {number}: nobody knows all of {sorted(named)}"
    last = scenario.steps[-1]
    plain = Step(last.program, rest_seconds=LONG_REST_SECONDS)
    names = {one.name for one in last.program}
    if last != plain or any(one.protect for one in last.program) or not names.issuperset(protected):
        yield "the last step is no quiet up that can delete what is gone"


def _features(rng: random.Random, theme: tuple[str, ...]) -> tuple[str, ...]:
    picked = [feature for feature in FEATURES if rng.random() < CHANCE or feature in theme]
    if "synced" in picked:
        # A time that does not come is waited for until the timeout.
        unable = ("schedules", "troubled jobs")
        picked = [feature for feature in picked if feature not in unable]
    return tuple(picked)


def _is_lag_open(chance: _Chance) -> bool:
    """Whether a second start is taken; see the top."""
    excuses = ("drift", "others before", "others during", "stale reads", "state lost", "old state", "two stacks")
    return "lag" in chance.features and not any(feature in chance.features for feature in excuses)


def _opening(chance: _Chance, most_jobs: int, open_lag: float) -> Opening:
    """How it begins, if that is not left to chance."""
    is_plain = open_lag or "synced" in chance.features or most_jobs < 3
    if is_plain or chance.rng.random() >= OPENING_CHANCE:
        return Opening((), ())
    return chance.rng.choice(OPENINGS)(chance.rng)


def _kinds(chance: _Chance, most_jobs: int) -> tuple[str, ...]:
    rng, features = chance.rng, chance.features
    count = min(most_jobs, rng.choices((rng.randint(1, 4), rng.randint(2, 12), 40), (6, 6, 1))[0])
    weights = COPYING if "synced" in features else TROUBLED if "troubled jobs" in features else HEALTHY
    if {"desired states", "on_destroy"}.intersection(features):
        # What runs can be paused and stopped.
        weights = weights | {"running": 30}
    kinds = rng.choices(list(weights), list(weights.values()), k=count)
    if "resume" in features or "desired states" in features:
        kinds = [jobs.CALM.get(kind, kind) for kind in kinds]
    if "found lists" in features:
        # Who looks finds at least one.
        kinds[: len(SIDES)] = ["fresh"] * min(len(kinds), len(SIDES))
    return tuple(kinds)


def _policy(chance: _Chance, open_lag: float) -> dict[str, Any]:
    rng, features = chance.rng, chance.features
    policy = make_policy(rng, open_lag > 0) | FAST_POLICY | {"start_seconds": rng.choice((0, 1, 5, 20))}
    left_out = [] if "lag" in features else ["lag_seconds"]
    left_out += [] if "small batches" in features else ["max_batch", "max_batch_reads"]
    policy = {name: value for name, value in policy.items() if name not in left_out}
    if "small batches" in features:
        policy |= {"max_batch": rng.choice((1, 2, 7))}
    if "stale reads" in features:
        policy |= {"stale_seconds": rng.choice((5, 20, 60)), "stale_share": rng.choice((0.3, 0.5, 1.0))}
    if "resume" in features or "desired states" in features:
        policy |= {"resume_seconds": rng.choice((0, 5, 30))}
    if "synced" in features:
        policy |= {"full_seconds": 5}
        # So many calls take longer than two readings of a delay may be apart.
        policy |= {"max_batch_reads": 10} if policy.get("max_batch_reads") == 1 else {}
    return policy


def _steps(chance: _Chance, count: int, open_lag: float, opening: tuple[Step, ...]) -> list[Step]:
    rng = chance.rng
    world = World(count, can_sync="synced" in chance.features)
    program = _first_program(chance, world)
    steps = list(opening)
    for number in range(rng.choices((1, 2, 3, 4, 5), (1, 4, 6, 5, 3))[0]):
        if number:
            program = _edited(chance, program, world, rng.choices((0, 1, 2, 3, 5), (1, 4, 4, 3, 2))[0])
            program = _as_before(chance, program, steps, world)
        world = _guarding(world, program)
        tried = _without_protected(chance, program, world) if number else program
        steps.append(_step(chance, steps, tried, world, open_lag))
    program = _edited(chance, program, world, rng.choices((0, 1, 2, 4), (1, 3, 3, 1))[0])
    return [*steps, Step(_last_program(rng, program), rest_seconds=LONG_REST_SECONDS)]


def _first_program(chance: _Chance, world: World) -> Program:
    rng = chance.rng
    order = rng.sample(range(world.jobs), world.jobs)
    if world.jobs > 2 and rng.random() < 0.5:
        # Some come later.
        order = order[: rng.randint(2, world.jobs)]
    count = min(len(order), rng.choices((1, 2, 3, 4), (4, 4, 2, 1))[0])
    program: Program = tuple(
        Resource(f"r{number}", tuple(Job(index) for index in order[number::count]), {}) for number in range(count)
    )
    for feature in OF_MOST:
        for _ in range(count):
            program = EDITS[feature](rng, program, world) if chance.takes(feature, 0.6) else program
    for feature in OF_ONE:
        program = EDITS[feature](rng, program, world) if chance.takes(feature, 0.4) else program
    return program


def _edited(chance: _Chance, program: Program, world: World, times: int) -> Program:
    able = [feature for feature in EDITS if feature in chance.features]
    themes = [feature for feature in able if feature in chance.theme] or able
    for _ in range(times if able else 0):
        program = EDITS[chance.rng.choice(themes if chance.rng.random() < 0.5 else able)](chance.rng, program, world)
    return program


def _guarding(world: World, program: Program) -> World:
    guarded = dict.fromkeys((*world.guarded, *(one.name for one in program if one.protect)))
    return replace(world, guarded=tuple(guarded))


def _as_before(chance: _Chance, program: Program, steps: list[Step], world: World) -> Program:
    """Back to what the program was once, if what is protected stays."""
    if not chance.takes("back and forth", 0.4):
        return program
    before = chance.rng.choice(steps).program
    names = [one.name for one in before]
    return before if all(name in names for name in world.guarded) else program


def _without_protected(chance: _Chance, program: Program, world: World) -> Program:
    """The program of one step, in which a protected resource is gone or has another name. Pulumi does not let it go."""
    protected = [one.name for one in program if one.protect]
    if not protected or len(program) < 2 or not chance.takes("protect", 0.4):
        return program
    if chance.rng.random() < 0.5:
        return without(program, (chance.rng.choice(protected),))
    other = rename(chance.rng, program, replace(world, guarded=tuple(one.name for one in program if not one.protect)))
    return tuple(one if one in program else replace(one, protect=False) for one in other)


def _last_program(rng: random.Random, program: Program) -> Program:
    """With which what is declared can be had, but for jobs that are elsewhere once in a while."""
    is_strange = rng.random() < 0.2
    return tuple(
        replace(
            one,
            protect=False,
            is_elsewhere=one.is_elsewhere and is_strange,
            inputs={name: value for name, value in one.inputs.items() if name != "timeout"},
        )
        for one in program
    )


def _step(chance: _Chance, steps: list[Step], program: Program, world: World, open_lag: float) -> Step:
    """Any but the last one."""
    rng = chance.rng
    step = _command(chance, steps, Step(program))
    step = _state(chance, steps, step)
    rest = rng.choice((0.0, 0.0, 2.0, 120.0, LONG_REST_SECONDS))
    step = replace(step, rest_seconds=max(rest, open_lag * 2) if steps else rest)
    asks = [START, *([RESUME] if "resume" in chance.features else []), *([PAUSE, STOP] if steps else [])]
    return replace(
        step,
        mistake=rng.choice(MISTAKES) if chance.takes("mistakes", 0.4) else None,
        before=tuple(_acts(chance, world, open_lag)),
        during=tuple(_acts_during(chance, world)),
        faults=tuple(make_faults(rng, asks)) if chance.takes("wire faults", 0.7) else (),
        kill=_kill(chance),
    )


def _command(chance: _Chance, steps: list[Step], step: Step) -> Step:
    rng = chance.rng
    commands = ["up"] * 6
    commands += ["preview"] * 2 if "previews" in chance.features else []
    commands += ["refresh"] * 3 if "refreshes" in chance.features and steps else []
    commands += ["destroy"] * 2 if "destroys" in chance.features and steps else []
    command = rng.choice(commands)
    options: list[str] = []
    if command == "refresh":
        options += ["--preview-only"] if rng.random() < 0.3 else []
    elif chance.takes("refreshes", 0.4):
        options.append("--refresh")
    if command in ("up", "destroy") and chance.takes("continue-on-error", 0.6):
        options.append("--continue-on-error")
    names = [one.name for one in step.program]
    before = [one.name for one in steps[-1].program if one.name not in names] if steps else []
    targets = rng.sample(names + before, rng.randint(1, len(names + before))) if chance.takes("targets", 0.4) else []
    replaces: list[str] = []
    if command in ("up", "preview") and steps and chance.takes("replace", 0.4):
        able = [name for name in names if name in targets] if targets else names
        replaces = rng.sample(able, min(len(able), rng.randint(1, 2)))
    return replace(step, command=command, options=tuple(options), targets=tuple(targets), replaces=tuple(replaces))


def _state(chance: _Chance, steps: list[Step], step: Step) -> Step:
    """Which stack it is, and what becomes of its state."""
    if not steps:
        return step
    if chance.takes("two stacks", 0.4):
        is_copied = chance.rng.random() < 0.6 and all(one.stack != 1 for one in steps)
        return replace(step, stack=1, state="copied" if is_copied else None)
    if chance.takes("state lost", 0.3):
        return replace(step, state="lost")
    # The export after the last step is what is there already.
    exports = [number for number, one in enumerate(steps) if one.stack == 0][:-1]
    if exports and chance.takes("old state", 0.6):
        return replace(step, state=f"then {chance.rng.choice(exports)}")
    return step


def _able(chance: _Chance, what: str, world: World) -> list[int]:
    """The jobs that others may do this to."""
    is_gone = what in ("delete", "recreate")
    return list(range(len(SIDES) if is_gone and "found lists" in chance.features else 0, world.jobs))


def _act(chance: _Chance, kinds: tuple[str, ...], world: World) -> Act | None:
    what = chance.rng.choice([kind for kind in kinds if kind != "schedule" or "synced" not in chance.features])
    able = _able(chance, what, world)
    return Act(what, chance.rng.choice(able)) if able else None


def _acts(chance: _Chance, world: World, open_lag: float) -> Iterator[Act]:
    """What others do before a step."""
    for feature, kinds in (("drift", DRIFT), ("others before", CONSOLE)):
        if not open_lag and chance.takes(feature, 0.5):
            for _ in range(chance.rng.randint(1, 3)):
                if act := _act(chance, kinds, world):
                    yield act


def _acts_during(chance: _Chance, world: World) -> Iterator[Act]:
    if not chance.takes("others during", 0.6):
        return
    for _ in range(chance.rng.randint(1, 4)):
        if act := _act(chance, ACTS, world):
            # The first calls look and ask; those after them look again.
            call = chance.rng.choice((1, 2, 2, 3, 3, 4, 4, 5, 6, 8, 12))
            yield replace(act, call=call, moment=chance.rng.choice(("before", "answered")))


def _kill(chance: _Chance) -> Kill | None:
    rng = chance.rng
    if chance.takes("cancels", 0.5):
        return Kill(rng.choice(CANCELS), rng.randint(1, 400))
    if chance.takes("kills", 0.5):
        moment = rng.choice((*MOMENTS, *MOMENTS, "time"))
        return Kill(moment, rng.randint(1, 400) if moment == "time" else rng.randint(1, 10))
    return None
