"""`python -m tests.mutants`: which changes of the code no fast test notices."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .mutations import Mutant, mutants_of
from .running import PACKAGE, ROOT, Recorder, load, outcome, record


def sampled(paths: Sequence[Path], count: int | None, seed: int) -> list[Mutant]:
    """All changes of these files, or so many of them, the same ones for a seed."""
    mutants = [mutant for path in paths for mutant in mutants_of(path)]
    if count is None or count >= len(mutants):
        return mutants
    return random.Random(seed).sample(mutants, count)  # noqa: S311 - no secret


def main() -> int:
    """Try them; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, default=[PACKAGE / "reconcile"], help="files or folders")
    parser.add_argument("--sample", type=int, default=150, help="how many changes to try (%(default)s)")
    parser.add_argument("--all", action="store_true", help="try every change")
    parser.add_argument("--seed", type=int, default=1, help="which sample (%(default)s)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="at the same time (%(default)s)")
    options = parser.parse_args()
    files = [file.resolve() for path in options.paths for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
    mutants = sampled(files, None if options.all else options.sample, options.seed)
    load()
    recorder = record()
    if recorder is None:
        print("The tests fail without any change.")
        return 2
    print(f"{len(mutants)} changes of {len(files)} files, {len(recorder.functions)} tests", flush=True)
    found = _try_all(mutants, recorder, options.workers)
    print(f"\n{', '.join(f'{count} {name}' for name, count in found.most_common())}")
    return 1 if found["survived"] + found["not run"] else 0


def _try_all(mutants: Sequence[Mutant], recorder: Recorder, workers: int) -> Counter[str]:
    """Try changes, some at a time, and print those that nobody noticed."""
    results: Any = multiprocessing.SimpleQueue()
    shares = [mutants[number::workers] for number in range(workers)]
    processes = [multiprocessing.get_context("fork").Process(target=_try, args=(share, recorder, results)) for share in shares]
    for process in processes:
        process.start()
    found: Counter[str] = Counter()
    for number in range(1, len(mutants) + 1):
        mutant, name = results.get()
        found[name] += 1
        if name in ("survived", "not run"):
            print(f"\n{mutant.path.relative_to(ROOT)}:{mutant.line} {name}\n{mutant.diff()}", flush=True)
        if number % 25 == 0:
            print(f"\n{number} tried, {found['survived'] + found['not run']} not noticed", flush=True)
    for process in processes:
        process.join()
    return found


def _try(mutants: Sequence[Mutant], recorder: Recorder, results: Any) -> None:
    for mutant in mutants:
        results.put((mutant, outcome(mutant, recorder)))


if __name__ == "__main__":
    sys.exit(main())
