"""
The campaign's command line: `python -m tests.faults [--schedules N] [--seed S] [--workers W] [--replay SEED] [--build NAME]`.

Prints a table of violations by kind of fault, and every failing seed with its smallest schedule. Ends with 1 if any.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from . import exhaustive
from .campaign import Outcome, Tally, Worker, run_all, shrink
from .schedule import make_schedule

COLUMNS = {
    "double": "double calls",
    "lost": "lost jobs",
    "not converged": "not converged",
    "not synced": "synced too soon",
    "needless": "needless calls",
    "secret": "secrets",
}
SHRUNK = 5
"""Failing seeds that are made small; of more, the first are enough to begin with."""

# Wide enough for the table in a log file, too.
console = Console(width=None if sys.stdout.isatty() else 130, highlight=False, soft_wrap=True)


def main() -> int:
    """Run it; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Seeded schedules of faults, kills and drift.")
    parser.add_argument("--schedules", type=int, default=500, metavar="N", help="how many; default 500")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the first seed; default 1")
    parser.add_argument("--workers", type=int, default=4, metavar="W", help="schedules at a time; default 4")
    parser.add_argument("--replay", type=int, metavar="SEED", help="run this one seed again, in detail")
    parser.add_argument("--build", metavar="NAME", help="a deliberately broken build, see tests/faults/broken.py")
    parser.add_argument("--exhaustive", action="store_true", help="kill everywhere in small worlds instead, see exhaustive.py")
    arguments = parser.parse_args()
    if arguments.exhaustive:
        return exhaustive.main(arguments.workers, arguments.build)
    if arguments.replay is not None:
        return _replay(arguments.replay, arguments.build)
    return _campaign(range(arguments.seed, arguments.seed + arguments.schedules), arguments.workers, arguments.build)


def _replay(seed: int, build: str | None) -> int:
    with Worker(build) as worker:
        outcome = worker.run(make_schedule(seed))
        _show(outcome)
        if not outcome.violations:
            console.print("nothing went wrong")
            return 0
        console.print()
        _show_smallest(outcome, worker)
    return 1


def _campaign(seeds: range, workers: int, build: str | None) -> int:
    began = time.monotonic()
    total, tallies = Tally(), defaultdict[str, Tally](Tally)
    failing: list[Outcome] = []
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("schedules", total=len(seeds))
        for outcome in run_all(map(make_schedule, seeds), workers, build):
            progress.advance(bar)
            for feature in outcome.schedule.features():
                tallies[feature].add(outcome)
            total.add(outcome)
            if outcome.violations:
                failing.append(outcome)
    console.print(_table(tallies, total))
    console.print(
        f"{total.schedules} schedules from seed {seeds.start}: {total.jobs:,} jobs, {total.faults:,} faults, {total.kills:,} "
        f"processes killed, {total.starts:,} starts (named {total.requests:,} times in start calls)"
    )
    console.print(f"{len(failing)} schedules with something wrong, in {time.monotonic() - began:.0f} s")
    if failing:
        failing.sort(key=lambda outcome: outcome.schedule.seed)
        console.print(f"failing seeds: {', '.join(str(outcome.schedule.seed) for outcome in failing)}")
        with Worker(build) as worker:
            for outcome in failing[:SHRUNK]:
                console.print(f"\n[bold]python -m tests.faults --replay {outcome.schedule.seed}[/]")
                _show(outcome)
                _show_smallest(outcome, worker)
    return 1 if failing else 0


def _table(tallies: dict[str, Tally], total: Tally) -> Table:
    table = Table("fault")
    for column in ("schedules", *COLUMNS.values()):
        table.add_column(column, justify="right")
    for feature, tally in [*sorted(tallies.items()), ("all", total)]:
        if feature == "all":
            table.add_section()
        counts = (tally.violations[kind] for kind in COLUMNS)
        table.add_row(feature, str(tally.schedules), *(f"[red]{count}[/]" if count else "0" for count in counts))
    return table


def _show_smallest(outcome: Outcome, worker: Worker) -> None:
    smallest = shrink(outcome, worker.run)
    if smallest is None:
        console.print("run again, it did not go wrong")
        return
    console.print("the smallest schedule that goes wrong alike:")
    _show(smallest)


def _show(outcome: Outcome) -> None:
    console.print(outcome.schedule.describe(), markup=False)
    for kind, words in outcome.violations[:6]:
        console.print(f"  {kind}: {words}", markup=False)
    if len(outcome.violations) > 6:
        console.print(f"  and {len(outcome.violations) - 6} more")


if __name__ == "__main__":
    sys.exit(main())
