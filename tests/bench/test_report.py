"""What the benchmark says of its figures: ratios of one run, nothing extrapolated, no miss hidden."""

from __future__ import annotations

from collections import Counter

from bench.candidates import COMMANDS, Sample
from bench.figures import Figures, targets
from bench.report import markdown
from bench.watching import Usage


def sample(seconds: float, memory_bytes: int = 100, **calls: int) -> Sample:
    return Sample({command: Usage(seconds, memory_bytes, 0, "", Counter(calls)) for command in COMMANDS}, 1000)


def figures(ours_seconds: float = 2.0, **calls: int) -> Figures:
    calls = calls or {"tokens": 1}
    samples = {("baseline", size): [sample(2.0), sample(1.0)] for size in (1, 1000)}
    samples |= {("ours", size): [sample(ours_seconds, **calls), sample(ours_seconds / 2, **calls)] for size in (1, 1000)}
    return Figures(samples | {("resource per job", 1): [sample(3.0)]}, (1, 1000))


def verdicts(figures: Figures) -> dict[str, bool]:
    return {target.claim: target.is_met for target in targets(figures)}


def test_each_run_is_set_against_the_baseline_beside_it() -> None:
    assert figures(ours_seconds=3.0).to_baseline("ours", 1000, "first up") == 1.5


def test_a_missed_target_is_told_with_its_cause() -> None:
    text = markdown(figures(ours_seconds=3.0), 1)
    assert "| `up`, 1,000 jobs, times the baseline | 1.5 | 1.2 | **missed** |" in text
    assert "- `up`, 1,000 jobs, times the baseline: loading this package" in text


def test_met_targets_need_no_cause() -> None:
    assert "Why not all" not in markdown(figures(), 1)


def test_what_was_not_run_is_said_to_be_so() -> None:
    assert "| resource per job | 1.50 | not run |" in markdown(figures(), 1)


def test_start_calls_are_counted_against_the_number_of_batches() -> None:
    met = verdicts(figures(**{"batch-starting": 10}))
    assert (met["start calls, 1 job"], met["start calls, 1,000 jobs"]) == (False, True)


def test_calls_of_every_kind_count() -> None:
    met = verdicts(figures(**{"batch-starting": 1, "batch-status": 12}))
    assert (met["all calls of an `up`, 1 job"], met["all calls of an `up`, 1,000 jobs"]) == (False, True)


def test_growth_is_measured_against_the_number_of_jobs() -> None:
    both = {("ours", 1): [sample(1.0)], ("ours", 10): [sample(20.0)]}
    assert Figures(both, (1, 10)).growth(lambda size: both["ours", size][0].usages["first up"].seconds) == 2.0
