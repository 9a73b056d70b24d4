"""What samples come to: medians of ratios, and whether the targets are met."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from .ways import COMMANDS, FIRST, FLOOR, OURS, REST, Sample

# Samples of each way, by its name and the number of jobs; those of one position were taken in turn.
Samples = Mapping[tuple[str, int], Sequence[Sample]]


@dataclass(frozen=True, slots=True)
class Figures:
    """The samples of a run, and what can be asked of them."""

    samples: Samples
    sizes: Sequence[int]

    def has(self, way: str, size: int, command: str = FIRST) -> bool:
        """Whether that was measured."""
        return bool(self.samples.get((way, size))) and command in self.samples[way, size][0].usages

    def seconds(self, way: str, size: int, command: str) -> float:
        """Wall time, the median."""
        return median(sample.usages[command].seconds for sample in self.samples[way, size])

    def to_floor(self, way: str, size: int, command: str) -> float:
        """Wall time as a multiple of the floor's: each run against the floor's beside it, and of that the median."""
        pairs = zip(self.samples[way, size], self.samples[FLOOR.name, size], strict=False)
        return median(mine.usages[command].seconds / floor.usages[command].seconds for mine, floor in pairs)

    def record(self, way: str, size: int) -> float:
        """Peak record, bytes."""
        return median(sample.memory_bytes for sample in self.samples[way, size])

    def state(self, way: str, size: int) -> int | None:
        """The size of the state file, bytes."""
        return self.samples[way, size][0].state_bytes

    def calls(self, way: str, size: int, command: str) -> Mapping[str, float]:
        """Calls by kind; the most of all runs."""
        usages = [sample.usages[command] for sample in self.samples[way, size]]
        kinds = sorted({kind for usage in usages for kind in usage.calls})
        return {kind: max(usage.calls[kind] for usage in usages) for kind in kinds}

    def growth(self, measure: Callable[[int], float]) -> float:
        """How much faster than the number of jobs something grows, where it grows fastest; 1 or less is linear."""
        steps = list(pairwise(self.sizes))
        return max(((measure(more) / measure(few)) / (more / few) for few, more in steps), default=0.0)


@dataclass(frozen=True, slots=True)
class Target:
    """A claim, what was measured, and the reason in case it is missed."""

    claim: str
    measured: float
    limit: float
    cause: str

    @property
    def is_met(self) -> bool:
        """Whether the claim is true."""
        return self.measured <= self.limit


_AS_FAST = ", in that of the number of jobs"
_FIXED_COST = (
    "loading this package with its HTTP and login libraries takes 0.15 s in a plugin, "
    "of which an `up` has two, preview and update; before a start two looks ask for the details of the jobs, "
    "which alone tell of a schedule and of a dual-active pair"
)


def targets(figures: Figures) -> list[Target]:
    """Every target that can be judged with the sizes of this run."""
    sizes, ours, floor = figures.sizes, OURS.name, FLOOR.name
    found = []
    for size in sizes:
        calls = figures.calls(ours, size, FIRST)
        starts = math.ceil(size / 100)
        found.append(Target(f"start calls, {_jobs(size)}", calls.get("batch-starting", 0), starts, "a batch was sent twice"))
        cause = "a start was looked at more often than a machine at rest would have"
        found.append(Target(f"all calls of an `up`, {_jobs(size)}", sum(calls.values()), 12 + size / 10, cause))
    for size, limit in ((1000, 1.2), (5000, 1.3)):
        if size in sizes:
            measured = figures.to_floor(ours, size, FIRST)
            found.append(Target(f"`up` of {size:,} jobs, in floors", measured, limit, _FIXED_COST))
    for size in sizes:
        measured = figures.to_floor(ours, size, REST)
        found.append(Target(f"preview at rest, {_jobs(size)}, in floors", measured, 1.3, _FIXED_COST))
    for command in COMMANDS:
        growth = figures.growth(lambda size, command=command: figures.seconds(ours, size, command))
        of_floor = figures.growth(lambda size, command=command: figures.seconds(floor, size, command))
        cause = f"the same of the floor is {of_floor:.2f}"
        found.append(Target(f"growth of the time of {command}{_AS_FAST}", growth, 1.0, cause))
    others: dict[str, Callable[[int], float]] = {
        "calls": lambda size: sum(figures.calls(ours, size, FIRST).values()),
        "record": lambda size: figures.record(ours, size),
        "the state file": lambda size: figures.state(ours, size) or 0,
    }
    for name, measure in others.items():
        found.append(Target(f"growth of {name}{_AS_FAST}", figures.growth(measure), 1.0, "more per job with more jobs"))
    if len(sizes) > 1:
        first, last = sizes[0], sizes[-1]
        grown, cause = _memory_growth(figures, ours), f"the same of the floor is {_memory_growth(figures, floor):.2f}"
        found.append(Target(f"record of {_jobs(last)}, in that of {_jobs(first)}", grown, 1.5, cause))
    return found


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count:,} jobs"


def _memory_growth(figures: Figures, way: str) -> float:
    return figures.record(way, figures.sizes[-1]) / figures.record(way, figures.sizes[0])
