"""
Schedules: what happens in one run of the campaign, as plain data made from a seed.

The same generator serves the seeded campaign and Hypothesis: both hand it a `random.Random`, Hypothesis one that it can shrink.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from . import jobs
from .kinds import KINDS, PAUSE, PROGRESS, RESUME, START, STATUS, STOP

MOMENTS = ("before", "sent", "answered", "unsaved")
FRONTS = ("dynamic", "native")
CANCELS = ("cancelled", "abandoned")
CANCELS_AT_A_CALL = ("cancelled at", "abandoned at")
NATIVE_EVERY = 3
"""Each third schedule drives the native front, the others the dynamic one."""
REFRESHED_SHARE = 0.15
"""Of the ups after the first."""
SYNCED_EVERY = 8
"""Each eighth schedule is about copies that have to catch up: they take long."""
LONG_REST_SECONDS = 3600.0
"""Outlasts what the package remembers of an accepted start."""


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """A fault on the wire: one of `kinds.KINDS`, for calls of one operation, so often, after so many good calls."""

    kind: str
    operation: str
    times: int = 1
    skip: int = 0


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL for the process of an ``up``.

    Attributes:
        program: which of the programs that run at once.
        moment: around the HTTP call number `call`: before it, when it is sent and not answered, when it is answered, or when its
            answer is lost; or ``unsaved``: when a resource is done and the engine does not know yet; or ``done``: likewise, when
            the resource number `call` is done; or ``time``: after so many real milliseconds. After so many, too, the user cancels
            the command once (``cancelled``), so that it saves what is known, or twice (``abandoned``), so that the engine takes
            no answer any more; with ``at``, just before the call of that number is sent. These are of the native front.
        call: the number of the call, from 1, or the milliseconds.
    """

    moment: str
    call: int
    program: int = 0


@dataclass(frozen=True, slots=True)
class Up:
    """One ``up`` of every program at once, and what happens before and while it runs.

    Attributes:
        rest_seconds: passes before, at once.
        drift: job index -> what becomes of a job before, if it runs then: ``back`` to CONFIGURATION, or ``paused``.
        declares: job index -> what the program declares the job to be from now on: ``paused``, ``stopped``, ``started``, or
            ``gone`` where it is taken off its list.
        meanwhile: (real milliseconds, job index, what becomes of the job while it runs): ``paused``, or one of
            `jobs.DISTURBANCES`.
        refreshes: the command reads all statuses first.
    """

    faults: tuple[FaultSpec, ...] = ()
    kills: tuple[Kill, ...] = ()
    rest_seconds: float = 0.0
    drift: tuple[tuple[int, str], ...] = ()
    declares: tuple[tuple[int, str], ...] = ()
    meanwhile: tuple[tuple[int, int, str], ...] = ()
    refreshes: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """All of it.

    Attributes:
        jobs: the kind of every job.
        ups: in their order; the last has neither faults nor kills.
        policy: of the sandbox.
        programs: how many declare the same jobs at the same time.
        resources: how many a program spreads its jobs over.
        open_lag_seconds: see `jobs.declare`.
        front: one of `FRONTS`.
        finds_host: the package finds the internals of Pulumi's host; see `hosting`. Of the dynamic front.
        life: ``plain``; ``scheduled``: every job has a time that never comes; ``resume``: what is paused or failed is resumed;
            ``desired``: some jobs are declared paused or stopped after a while; ``synced``: copies have to catch up, and are
            calm from the last up on.
        on_destroy: what becomes of the jobs in the end.
        ends: if that is not ``leave``, the ``destroy`` commands in their order; the last has neither faults nor kills.
    """

    seed: int
    jobs: tuple[str, ...]
    ups: tuple[Up, ...]
    policy: dict[str, Any] = field(default_factory=dict)
    wait_for: str = "running"
    on_failure: str = "fail"
    timeout: str = "60m"
    programs: int = 1
    resources: int = 1
    open_lag_seconds: float = 0.0
    front: str = "dynamic"
    finds_host: bool = True
    life: str = "plain"
    on_destroy: str = "leave"
    ends: tuple[Up, ...] = ()

    @property
    def needs_real_time(self) -> bool:
        """Several programs act at once, or something happens while copies are waited for: at moments in real time."""
        return self.programs > 1 or self.life == "synced"

    def declared(self, number: int) -> list[str]:
        """What every job is declared to be in the up of that number, from 0; see `Up.declares`."""
        declared = ["started"] * len(self.jobs)
        for up in self.ups[: number + 1]:
            for index, what in up.declares:
                declared[index] = what
        for first in range(min(self.resources, len(declared))):
            own = range(first, len(declared), self.resources)
            if all(declared[index] == "gone" for index in own):
                # A resource keeps its last job.
                declared[first] = "started"
        return declared

    def features(self) -> list[str]:
        """What the campaign's table counts this schedule under."""
        found = {fault.kind for up in (*self.ups, *self.ends) for fault in up.faults}
        stops = {kill.moment for up in (*self.ups, *self.ends) for kill in up.kills}
        found |= {moment if moment in CANCELS else f"killed ({moment})" for moment in stops}
        found |= {f"drift ({what})" for up in self.ups for _, what in up.drift}
        found |= {f"declared {what}" for up in self.ups for _, what in up.declares}
        found |= {f"copy {what}" for up in self.ups for _, _, what in up.meanwhile}
        found |= {"two programs at once"} if self.programs > 1 else set()
        found |= {"several resources"} if self.resources > 1 else set()
        found |= set() if self.finds_host else {"fallback for partial failure"}
        lags = self.open_lag_seconds or self.policy.get("lag_seconds") or self.policy.get("lag_looks")
        found |= {"lag"} if lags else set()
        found |= {"jobs that can't start"} if any(jobs.KINDS[kind].fails for kind in self.jobs) else set()
        found |= {"small batches"} if self.policy.get("max_batch") else set()
        found |= {self.life} if self.life != "plain" else set()
        found |= {f"destroyed ({self.on_destroy})"} if self.ends else set()
        found |= {"refreshed first"} if any(up.refreshes for up in self.ups) else set()
        return [*(sorted(found) or ["nothing wrong"]), f"front: {self.front}"]

    def to_json(self) -> str:
        """For the process that runs it."""
        return json.dumps(asdict(self))

    def describe(self) -> str:
        """For a person; only what differs from the default."""
        lines = [f"seed {self.seed}: {len(self.jobs)} jobs {dict(Counter(self.jobs))}"]
        plain = Schedule(self.seed, (), ())
        names = ("policy", "wait_for", "on_failure", "timeout", "programs", "resources", "open_lag_seconds", "finds_host")
        names += ("life", "on_destroy", "front")
        lines += [f"  {name}: {getattr(self, name)}" for name in names if getattr(self, name) != getattr(plain, name)]
        lines += [f"  up {number}: {up}" for number, up in enumerate(self.ups, 1)]
        lines += [f"  destroy {number}: {end}" for number, end in enumerate(self.ends, 1)]
        return "\n".join(lines)


def from_json(text: str) -> Schedule:
    """The reverse of `Schedule.to_json`."""
    raw = json.loads(text)

    def read(up: Any) -> Up:
        return Up(
            tuple(FaultSpec(**fault) for fault in up["faults"]),
            tuple(Kill(**kill) for kill in up["kills"]),
            up["rest_seconds"],
            tuple((index, what) for index, what in up["drift"]),
            tuple((index, what) for index, what in up["declares"]),
            tuple((after, index, what) for after, index, what in up["meanwhile"]),
            up["refreshes"],
        )

    lists = {"ups": tuple(map(read, raw["ups"])), "ends": tuple(map(read, raw["ends"]))}
    return Schedule(**{**raw, "jobs": tuple(raw["jobs"]), **lists})


def make_schedule(seed: int, rng: random.Random | None = None, most_jobs: int = 300, may_stick: bool = True) -> Schedule:
    """The schedule of a seed.

    Args:
        seed: names the schedule, and makes it unless `rng` does.
        rng: where chance comes from instead.
        most_jobs: the largest batch.
        may_stick: with jobs that keep every ``up`` until its timeout, now and then.
    """
    is_about_copies = rng is None and seed % SYNCED_EVERY == 0
    is_native = seed % NATIVE_EVERY == 0 if rng is None else rng.random() < 1 / NATIVE_EVERY
    rng = rng or random.Random(seed)  # noqa: S311 - a schedule is no secret
    schedule = _make_synced(seed, rng) if is_about_copies else _make(seed, rng, most_jobs, may_stick)
    if is_native:
        ups, ends = (tuple(_with_cancels(rng, up) for up in which) for which in (schedule.ups, schedule.ends))
        schedule = replace(schedule, front="native", finds_host=True, ups=ups, ends=ends)
    later = (replace(up, refreshes=rng.random() < REFRESHED_SHARE) for up in schedule.ups[1:])
    return replace(schedule, ups=(schedule.ups[0], *later))


def _with_cancels(rng: random.Random, up: Up) -> Up:
    """Let the user cancel some of the commands that would be killed."""
    kills = (
        Kill(rng.choice(CANCELS), kill.call if kill.moment == "time" else rng.randint(1, 400), kill.program)
        if rng.random() < 0.4
        else kill
        for kill in up.kills
    )
    return replace(up, kills=tuple(kills))


def _make(seed: int, rng: random.Random, most_jobs: int, may_stick: bool) -> Schedule:
    """A schedule of any life but ``synced``."""
    programs = rng.choices((1, 2), (4, 1))[0]
    resources = 1 if programs > 1 else rng.choices((1, 2, 4), (6, 1, 1))[0]
    open_lag = rng.choice((0, 0, 4, 12)) if programs == 1 else 0
    wait_for = rng.choices(("running", "accepted"), (3, 1))[0]
    policy = make_policy(rng, open_lag > 0)
    is_stuck = may_stick and rng.random() < 0.04
    kinds = _kinds(rng, most_jobs, policy, wait_for)
    if is_stuck:
        kinds = ("creating_stuck", *kinds[1:])
    life = rng.choices(("plain", "scheduled", "resume", "desired"), (8, 2, 2, 3))[0]
    if life == "scheduled":
        open_lag = 0
    if life in ("resume", "desired"):
        kinds = tuple(jobs.CALM.get(kind, kind) for kind in kinds)
        policy["resume_seconds"] = rng.choice((0, 5, 30))
    on_destroy = rng.choices(("leave", "pause", "stop"), (4, 1, 1))[0]
    if life == "desired" or on_destroy == "pause":
        # Such a lag does not pass while nobody looks, and nobody knows of it for so long.
        policy |= {"lag_looks": 0, "start_looks": 0}
    asks = (RESUME if life == "resume" else START,)
    count = rng.choices((2, 3, 4), (3, 4, 2))[0] if life == "desired" else rng.choices((1, 2, 3, 4), (1, 4, 3, 1))[0]
    ups: list[Up] = []
    for number in range(count):
        if life == "desired" and number:
            asks = (PAUSE, STOP, RESUME)
        can_drift = () if life == "desired" else kinds
        ups.append(_up(rng, number, count, can_drift, ups, programs, open_lag, asks))
    if life == "desired":
        ups = _declare(rng, ups, len(kinds))
    if len(kinds) > resources and rng.random() < 0.15:
        gone = (rng.randrange(len(kinds)), "gone")
        ups[-1] = replace(ups[-1], declares=(*ups[-1].declares, gone))
    ends: list[Up] = []
    if on_destroy != "leave":
        asks = (PAUSE if on_destroy == "pause" else STOP,)
        count = rng.choices((1, 2, 3), (1, 4, 2))[0]
        for number in range(count):
            end = _up(rng, number, count, (), ends, programs, 0, asks)
            if number < count - 1 and rng.random() < 0.3:
                # A job that is not shown must not be taken for one that is over.
                unseen = FaultSpec("missing rows", STATUS, rng.choice((2, 4, 12)), rng.choice((0, 0, 1)))
                end = replace(end, faults=(*end.faults, unseen))
            ends.append(end)
    return Schedule(
        seed=seed,
        jobs=kinds,
        ups=tuple(ups),
        policy=policy,
        wait_for=wait_for,
        on_failure=rng.choices(("fail", "record"), (3, 1))[0],
        # Enough for everything that ends; what does not is waited for so long in real seconds.
        timeout="8m" if is_stuck else "60m",
        programs=programs,
        resources=resources,
        open_lag_seconds=open_lag,
        finds_host=rng.random() < 0.7,
        life=life,
        on_destroy=on_destroy,
        ends=tuple(ends),
    )


def _make_synced(seed: int, rng: random.Random) -> Schedule:
    """A schedule in which copies have to catch up. Few jobs, whose true delays are watched while it runs."""
    kinds = tuple(rng.choices(list(jobs.SYNCED_KINDS), list(jobs.SYNCED_KINDS.values()), k=rng.randint(1, 12)))
    # They reach the phase that is waited for well before the timeout, and none needs somebody to look for that.
    policy = make_policy(rng, has_open_lag=True) | {"start_seconds": rng.choice((0, 5)), "start_looks": 0, "full_seconds": 5}
    if policy.get("max_batch_reads") == 1:
        # So many calls take longer than two readings of a period may be apart, in a time that runs so fast.
        del policy["max_batch_reads"]
    count = rng.choices((1, 2, 3), (1, 4, 2))[0]
    ups: list[Up] = []
    for number in range(count):
        up = replace(_up(rng, number, count, (), ups, 1, 0, (START, PROGRESS)), rest_seconds=0.0)
        if number < count - 1:
            able = [index for index, kind in enumerate(kinds) if "status" in jobs.KINDS[kind].fields or kind == "fresh"]
            picked = rng.sample(able, min(len(able), rng.randint(0, 3)))
            what = ("paused", *jobs.DISTURBANCES)
            up = replace(up, meanwhile=tuple((rng.randint(50, 2500), index, rng.choice(what)) for index in picked))
            if not up.kills and rng.random() < 0.4:
                # In the wait, which others do not have.
                up = replace(up, kills=(Kill("time", rng.randint(300, 3000)),))
        ups.append(up)
    return Schedule(
        seed=seed,
        jobs=kinds,
        ups=tuple(ups),
        policy=policy,
        wait_for="synced",
        on_failure=rng.choice(("fail", "record")),
        timeout="5m",
        resources=rng.choice((1, 1, 2)),
        finds_host=rng.random() < 0.7,
        life="synced",
    )


def _declare(rng: random.Random, ups: list[Up], jobs_in_all: int) -> list[Up]:
    """Let some jobs be declared paused or stopped from some up on, and some of the paused ones started again later."""
    declaring: list[Up] = ups[:1]
    paused: list[int] = []
    for number, up in enumerate(ups[1:], 1):
        declares: dict[int, str] = {}
        if number == 1 or rng.random() < 0.5:
            for index in paused:
                if rng.random() < 0.7:
                    declares[index] = "started"
            if number == 1 or rng.random() < 0.3:
                for index in rng.sample(range(jobs_in_all), rng.randint(1, min(jobs_in_all, 8))):
                    declares.setdefault(index, rng.choice(("paused", "paused", "stopped")))
            stopped = {index for earlier in declaring for index, what in earlier.declares if what == "stopped"}
            declares = {index: what for index, what in declares.items() if index not in stopped}
            paused = [index for index in {**dict.fromkeys(paused), **declares} if declares.get(index, "paused") == "paused"]
        # What was begun before has come to an end: else nobody could say what is to be expected.
        rest = LONG_REST_SECONDS if declares else up.rest_seconds
        declaring.append(replace(up, declares=tuple(sorted(declares.items())), rest_seconds=rest))
    return declaring


def _kinds(rng: random.Random, most_jobs: int, policy: dict[str, Any], wait_for: str) -> tuple[str, ...]:
    count = rng.choices((1, rng.randint(1, 5), rng.randint(3, 40), rng.randint(30, 300)), (1, 4, 4, 1))[0]
    count = min(count, most_jobs, 20 if policy.get("max_batch_reads") == 1 else 300)
    names = [name for name, kind in jobs.KINDS.items() if kind.weight]
    if wait_for == "accepted":
        # Whether its failure shows before the operation returns is left to chance.
        names.remove("fails_start")
    if rng.random() < 0.3:
        names = [name for name in names if not jobs.KINDS[name].fails]
    return tuple(rng.choices(names, [jobs.KINDS[name].weight for name in names], k=count))


def make_policy(rng: random.Random, has_open_lag: bool) -> dict[str, Any]:
    """A policy of the sandbox, without a lag of its own where the jobs have one."""
    choices: dict[str, tuple[Any, ...]] = {
        "lag_seconds": (0,) if has_open_lag else (0, 0, 1, 5, 15, 30),
        "lag_looks": (0,) if has_open_lag else (0, 0, 1, 3),
        "start_seconds": (0, 1, 5, 20, 60),
        "start_looks": (0, 0, 2),
        "full_seconds": (5, jobs.NEVER),
        "unknown_in_status": ("row", "reject", "deleted", "omit"),
        "unknown_code": ("DRS.M05003", "DRS.M00289"),
        "bad_row": ("row", "reject", "reject-results"),
        "max_batch": (None, None, None, 1, 2, 7, 40),
        "max_batch_reads": (None, None, None, 1, 10, 60),
        "row_order": ("request", "reversed", "shuffled"),
        "second_start_code": ("DRS.M01504", "DRS.M00304"),
        "bad_token": ("drs", "gateway"),
        "token_lifetime": (86400, 86400, 120),
        "latency_ms": (0, 0, 2),
        "seed": (rng.randint(0, 99),),
    }
    chosen = {name: rng.choice(values) for name, values in choices.items()}
    return {name: value for name, value in chosen.items() if value is not None}


def make_faults(rng: random.Random, asks: Sequence[str]) -> list[FaultSpec]:
    """Faults on the wire, of calls that ask for something and others."""
    faults = []
    for _ in range(rng.choices((0, 1, 2, 4), (1, 3, 3, 2))[0]):
        operation = rng.choice((rng.choice(asks), rng.choice(asks), STATUS, "any"))
        times, skip = rng.choice((1, 1, 2, 3, 12)), rng.choice((0, 0, 1, 3))
        faults.append(FaultSpec(rng.choice(list(KINDS)), operation, times, skip))
    return faults


def _up(
    rng: random.Random,
    number: int,
    count: int,
    kinds: tuple[str, ...],
    before: list[Up],
    programs: int,
    open_lag: float,
    asks: Sequence[str],
) -> Up:
    is_last = number == count - 1
    faults: list[FaultSpec] = []
    kills: list[Kill] = []
    if not is_last:
        faults = make_faults(rng, asks)
        for program in range(programs):
            if rng.random() < 0.4:
                moment = rng.choice((*MOMENTS, "time"))
                kills.append(Kill(moment, rng.randint(1, 400) if moment == "time" else rng.randint(1, 9), program))
    rest = rng.choice((0.0, 0.0, 2.0, LONG_REST_SECONDS))
    drift: tuple[tuple[int, str], ...] = ()
    if kinds and number > 0 and rng.random() < 0.3:
        able = [index for index, kind in enumerate(kinds) if kind in jobs.CAN_DRIFT]
        picked = rng.sample(able, min(len(able), rng.randint(1, 5)))
        drift = tuple((index, rng.choice(("back", "back", "paused"))) for index in sorted(picked))
        rest = LONG_REST_SECONDS if drift else rest
    if open_lag and before and before[-1].kills:
        # Nobody can know of a start whose process was killed: only refusing it, as DRS does, or the end of the lag helps.
        rest = max(rest, open_lag * 2)
    return Up(tuple(faults), tuple(kills), rest, drift)
