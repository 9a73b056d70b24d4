"""
The campaign's command line: `python -m tests.faults [--schedules N] [--scenarios N] [--seed S] [--workers W] [--build NAME]`.

Prints a table of violations by kind of trouble for each of the two, every failing seed with the smallest case that goes wrong
alike, and how often scenarios came to the rare states that they are for. Ends with 1 if anything went wrong, or if many scenarios
did not come to one of those states. `--replay SEED` runs one schedule again, and `--replay-scenario SEED` one scenario.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from . import exhaustive
from .campaign import Case, Outcome, Tally, Worker, run_all, shrink
from .scenarios import judge as scenario_judge
from .scenarios.make import make_scenario
from .scenarios.rare import RARE
from .scenarios.scenario import Scenario
from .schedule import make_schedule

SHRUNK = 5
"""Failing seeds that are made small; of more, the first are enough to begin with."""

ENOUGH_FOR_RARE = 300
"""Of so many scenarios some come to each of the rare states."""

# Wide enough for the table in a log file, too.
console = Console(width=None if sys.stdout.isatty() else 130, highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Kind:
    """What is run: schedules or scenarios.

    Attributes:
        name: of one.
        replay: the option that runs one again.
        make: makes one from a seed.
        columns: a kind of violation -> its heading.
    """

    name: str
    replay: str
    make: Callable[[int], Case]
    columns: dict[str, str]


SCHEDULES = Kind(
    "schedule",
    "--replay",
    make_schedule,
    {
        "double": "double calls",
        "lost": "lost jobs",
        "not converged": "not converged",
        "not synced": "synced too soon",
        "needless": "needless calls",
        "secret": "secrets",
    },
)
SCENARIOS = Kind("scenario", "--replay-scenario", make_scenario, {name: name for name in scenario_judge.VIOLATIONS})


@dataclass(slots=True)
class _Sums:
    """What came of all of one kind."""

    total: Tally = field(default_factory=Tally)
    by_feature: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    rare: Counter[str] = field(default_factory=Counter)
    failing: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        for feature in _features(outcome.case):
            self.by_feature[feature].add(outcome)
        self.total.add(outcome)
        self.rare.update(outcome.rare)
        if outcome.violations:
            self.failing.append(outcome)


def main() -> int:
    """Run it; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Seeded schedules and scenarios of trouble.")
    parser.add_argument("--schedules", type=int, default=300, metavar="N", help="how many of one program; default 300")
    parser.add_argument("--scenarios", type=int, default=300, metavar="N", help="how many of changing programs; default 300")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the first seed of each; default 1")
    parser.add_argument("--workers", type=int, default=4, metavar="W", help="how many at a time; default 4")
    parser.add_argument("--replay", type=int, metavar="SEED", help="run the schedule of this one seed again, in detail")
    parser.add_argument("--replay-scenario", type=int, metavar="SEED", help="the same for a scenario")
    parser.add_argument("--build", metavar="NAME", help="a deliberately broken build, see tests/faults/broken.py")
    parser.add_argument("--exhaustive", action="store_true", help="kill everywhere in small worlds instead, see exhaustive.py")
    arguments = parser.parse_args()
    if arguments.exhaustive:
        return exhaustive.main(arguments.workers, arguments.build)
    if arguments.replay is not None:
        return _replay(SCHEDULES, arguments.replay, arguments.build)
    if arguments.replay_scenario is not None:
        return _replay(SCENARIOS, arguments.replay_scenario, arguments.build)
    is_wrong = False
    for kind, count in ((SCHEDULES, arguments.schedules), (SCENARIOS, arguments.scenarios)):
        if count:
            is_wrong |= _campaign(kind, range(arguments.seed, arguments.seed + count), arguments.workers, arguments.build)
    return int(is_wrong)


def _replay(kind: Kind, seed: int, build: str | None) -> int:
    with Worker(build) as worker:
        outcome = worker.run(kind.make(seed))
        _show(outcome)
        if not outcome.violations:
            console.print("nothing went wrong")
            return 0
        console.print()
        _show_smallest(kind, outcome, worker)
    return 1


def _campaign(kind: Kind, seeds: range, workers: int, build: str | None) -> bool:
    """Run them; whether anything is wrong."""
    began = time.monotonic()
    sums = _Sums()
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task(f"{kind.name}s", total=len(seeds))
        for outcome in run_all(map(kind.make, seeds), workers, build):
            progress.advance(bar)
            sums.add(outcome)
    total = sums.total
    console.print(_table(kind, sums))
    console.print(
        f"{total.cases} {kind.name}s from seed {seeds.start}: {total.jobs:,} jobs, {total.faults:,} faults, {total.kills:,} "
        f"processes killed, {total.starts:,} starts (named {total.requests:,} times in start calls)"
    )
    console.print(f"{len(sums.failing)} {kind.name}s with something wrong, in {time.monotonic() - began:.0f} s")
    missed = _show_rare(sums.rare, len(seeds)) if kind is SCENARIOS else False
    if sums.failing:
        failing = sorted(sums.failing, key=lambda outcome: outcome.case.seed)
        console.print(f"failing seeds: {', '.join(str(outcome.case.seed) for outcome in failing)}")
        with Worker(build) as worker:
            for outcome in failing[:SHRUNK]:
                console.print(f"\n[bold]python -m tests.faults {kind.replay} {outcome.case.seed}[/]")
                _show(outcome)
                _show_smallest(kind, outcome, worker)
    return bool(sums.failing or missed)


def _features(case: Case) -> list[str]:
    """The rows of the table that it counts in."""
    return [*case.features, f"front: {case.front}"] if isinstance(case, Scenario) else case.features()


def _table(kind: Kind, sums: _Sums) -> Table:
    table = Table("trouble")
    for column in (f"{kind.name}s", *kind.columns.values(), "seconds each"):
        table.add_column(column, justify="right")
    for feature, tally in [*sorted(sums.by_feature.items()), ("all", sums.total)]:
        if feature == "all":
            table.add_section()
        counts = (tally.violations[name] for name in kind.columns)
        shown = (f"[red]{count}[/]" if count else "0" for count in counts)
        table.add_row(feature, str(tally.cases), *shown, f"{tally.seconds / tally.cases:.1f}")
    return table


def _show_rare(reached: Counter[str], scenarios: int) -> bool:
    """Show how often each rare state was reached; whether one should have been and was not."""
    table = Table("sometimes", title="rare states")
    table.add_column("scenarios", justify="right")
    for name in RARE:
        table.add_row(name, str(reached[name]) if reached[name] else "[red]never[/]")
    console.print(table)
    missed = [name for name in RARE if not reached[name]]
    if missed and scenarios >= ENOUGH_FOR_RARE:
        console.print(f"[red]never reached, so nothing is known of it:[/] {'; '.join(missed)}")
    return bool(missed) and scenarios >= ENOUGH_FOR_RARE


def _show_smallest(kind: Kind, outcome: Outcome, worker: Worker) -> None:
    smallest = shrink(outcome, worker.run)
    if smallest is None:
        console.print("run again, it did not go wrong")
        return
    console.print(f"the smallest {kind.name} that goes wrong alike:")
    _show(smallest)


def _show(outcome: Outcome) -> None:
    console.print(outcome.case.describe(), markup=False)
    for kind, words in outcome.violations[:6]:
        console.print(f"  {kind}: {words}", markup=False)
    if len(outcome.violations) > 6:
        console.print(f"  and {len(outcome.violations) - 6} more")


if __name__ == "__main__":
    sys.exit(main())
