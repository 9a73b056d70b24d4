"""Measure, and write the table and the chart: `make bench`, or `make bench SIZES="1 10"` for a short one."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from .candidates import BASELINE, OTHERS, OURS, Candidate, Sample
from .environment import Environment, environment
from .figures import Figures, targets
from .report import write

SIZES = (1, 10, 100, 1000, 5000)
REPEATS = 3


def main() -> None:
    """Measure each size: ours and the baseline in turn, then the others."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of jobs (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="runs of ours and the baseline (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    options = parser.parse_args()
    started = time.monotonic()
    samples: dict[tuple[str, int], list[Sample]] = {}
    with environment() as here:
        print("warming up", flush=True)
        for candidate in (BASELINE, OURS):
            candidate.run(here, here.seed(1))
        for size in sorted(options.sizes):
            for candidate in _in_turn(options.repeats, size):
                samples.setdefault((candidate.name, size), []).append(_measure(here, candidate, size))
    figures = Figures(samples, sorted(options.sizes))
    print(write(figures, options.out, (time.monotonic() - started) / 60))
    for target in targets(figures):
        if not target.is_met:
            print(f"missed: {target.claim}: {target.measured:.4g}, at most {target.limit:.4g}")
    print(f"written to {options.out}")


def _in_turn(repeats: int, size: int) -> list[Candidate]:
    others = [candidate for candidate in OTHERS if candidate.largest is None or size <= candidate.largest]
    return [BASELINE, OURS] * repeats + others


def _measure(here: Environment, candidate: Candidate, size: int) -> Sample:
    sample = candidate.run(here, here.seed(size))
    times = ", ".join(f"{command} {usage.seconds:.1f} s" for command, usage in sample.usages.items())
    print(f"{size:,} jobs, {candidate.name}: {times}", flush=True)
    return sample


if __name__ == "__main__":
    main()
