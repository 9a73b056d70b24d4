"""Measure, and write the table and the chart: `make bench`, or `make bench SIZES="1 10"` for a short one."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from .figures import Figures, targets
from .report import write
from .ways import FLOOR, OTHERS, OURS, Sample, Way
from .world import World, world

SIZES = (1, 10, 100, 1000, 5000)
REPEATS = 3


def main() -> None:
    """Measure each size: ours and the floor in turn, then the others."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of jobs (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="runs of ours and the floor (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    options = parser.parse_args()
    started = time.monotonic()
    samples: dict[tuple[str, int], list[Sample]] = {}
    with world() as here:
        print("warming up", flush=True)
        for way in (FLOOR, OURS):
            way.run(here, here.seed(1))
        for size in sorted(options.sizes):
            for way in _in_turn(options.repeats, size):
                samples.setdefault((way.name, size), []).append(_measure(here, way, size))
    figures = Figures(samples, sorted(options.sizes))
    print(write(figures, options.out, (time.monotonic() - started) / 60))
    for target in targets(figures):
        if not target.is_met:
            print(f"missed: {target.claim}: {target.measured:.4g}, at most {target.limit:.4g}")
    print(f"written to {options.out}")


def _in_turn(repeats: int, size: int) -> list[Way]:
    others = [way for way in OTHERS if way.largest is None or size <= way.largest]
    return [FLOOR, OURS] * repeats + others


def _measure(here: World, way: Way, size: int) -> Sample:
    sample = way.run(here, here.seed(size))
    times = ", ".join(f"{command} {usage.seconds:.1f} s" for command, usage in sample.usages.items())
    print(f"{size:,} jobs, {way.name}: {times}", flush=True)
    return sample


if __name__ == "__main__":
    main()
