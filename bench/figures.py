"""What samples come to: medians of ratios, and whether the targets are met."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from .candidates import BASELINE, COMMANDS, FIRST, OURS, REST, Sample

# Samples of each candidate, by its name and the number of jobs; those of one position were taken in turn.
Samples = Mapping[tuple[str, int], Sequence[Sample]]


@dataclass(frozen=True, slots=True)
class Figures:
    """The samples of a run, and what can be asked of them."""

    samples: Samples
    sizes: Sequence[int]

    def has(self, candidate: str, size: int, command: str = FIRST) -> bool:
        """Whether that was measured."""
        return bool(self.samples.get((candidate, size))) and command in self.samples[candidate, size][0].usages

    def seconds(self, candidate: str, size: int, command: str) -> float:
        """Wall time, the median."""
        return median(sample.usages[command].seconds for sample in self.samples[candidate, size])

    def to_baseline(self, candidate: str, size: int, command: str) -> float:
        """Wall time as a multiple of the baseline's: each run against the baseline's beside it, and of that the median."""
        pairs = zip(self.samples[candidate, size], self.samples[BASELINE.name, size], strict=False)
        return median(mine.usages[command].seconds / baseline.usages[command].seconds for mine, baseline in pairs)

    def memory(self, candidate: str, size: int) -> float:
        """Peak memory, bytes."""
        return median(sample.memory_bytes for sample in self.samples[candidate, size])

    def state(self, candidate: str, size: int) -> int | None:
        """The size of the state file, bytes."""
        return self.samples[candidate, size][0].state_bytes

    def calls(self, candidate: str, size: int, command: str) -> Mapping[str, float]:
        """Calls by kind; the most of all runs."""
        usages = [sample.usages[command] for sample in self.samples[candidate, size]]
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
    sizes, ours, baseline = figures.sizes, OURS.name, BASELINE.name
    found = []
    for size in sizes:
        calls = figures.calls(ours, size, FIRST)
        starts = math.ceil(size / 100)
        found.append(Target(f"start calls, {_jobs(size)}", calls.get("batch-starting", 0), starts, "a batch was sent twice"))
        cause = "a start was looked at more often than a machine at rest would have"
        found.append(Target(f"all calls of an `up`, {_jobs(size)}", sum(calls.values()), 12 + size / 10, cause))
    for command, claim in ((FIRST, "`up`"), (REST, "preview at rest")):
        for size in sizes:
            limit = 1.2 if size <= 1000 else 1.3
            measured = figures.to_baseline(ours, size, command)
            found.append(Target(f"{claim}, {_jobs(size)}, times the baseline", measured, limit, _FIXED_COST))
    for command in COMMANDS:
        growth = figures.growth(lambda size, command=command: figures.seconds(ours, size, command))
        of_baseline = figures.growth(lambda size, command=command: figures.seconds(baseline, size, command))
        cause = f"the same of the baseline is {of_baseline:.2f}"
        found.append(Target(f"growth of the time of {command}{_AS_FAST}", growth, 1.0, cause))
    others: dict[str, Callable[[int], float]] = {
        "calls": lambda size: sum(figures.calls(ours, size, FIRST).values()),
        "memory": lambda size: figures.memory(ours, size),
        "the state file": lambda size: figures.state(ours, size) or 0,
    }
    for name, measure in others.items():
        found.append(Target(f"growth of {name}{_AS_FAST}", figures.growth(measure), 1.0, "more per job with more jobs"))
    if len(sizes) > 1:
        first, last = sizes[0], sizes[-1]
        grown, cause = _memory_growth(figures, ours), f"the same of the baseline is {_memory_growth(figures, baseline):.2f}"
        found.append(Target(f"memory of {_jobs(last)}, in that of {_jobs(first)}", grown, 1.5, cause))
    return found


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count:,} jobs"


def _memory_growth(figures: Figures, candidate: str) -> float:
    return figures.memory(candidate, figures.sizes[-1]) / figures.memory(candidate, figures.sizes[0])
