"""The table and the chart: `benchmark.md` and `benchmark.png`."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from pathlib import Path

from .baseline import CALLS_AT_ONCE, JOBS_PER_CALL
from .candidates import BASELINE, BATCH, COMMANDS, FIRST, LOOP, NATIVE, OTHERS, OURS, PER_JOB, REST
from .environment import LATENCY_SECONDS, START_SECONDS
from .figures import Figures, targets

_CANDIDATES = (OURS, *OTHERS)
_NOT_RUN, _NONE = "not run", "none"
_BAR_WIDTH = 50


def write(figures: Figures, folder: Path, minutes: float) -> str:
    """Write both files; return the text."""
    folder.mkdir(parents=True, exist_ok=True)
    text = markdown(figures, minutes)
    (folder / "benchmark.md").write_text(text, encoding="utf-8")
    _draw(figures, folder / "benchmark.png")
    return text


def markdown(figures: Figures, minutes: float) -> str:
    """All that was measured, in words and tables."""
    repeats = max(len(samples) for samples in figures.samples.values())
    parts = [
        "# Benchmark",
        "`make bench` writes this page and its chart anew.",
        *_targets(figures),
        "## Wall time",
        "Multiples of the baseline, the same command on the same number of jobs.\n"
        "A script of the vendor's SDK has no preview, no refresh, no state, and no record of what it did: "
        "it is set against the baseline of a whole `pulumi up`.\n"
        f"*{_NOT_RUN}*: so many jobs, one a call or one a resource, would take too long. Nothing is extrapolated.",
        *_tables(figures, _time),
        "The baseline itself, in seconds, to see what the multiples are of:",
        _baseline_table(figures),
        "```text\n" + _text_chart(figures) + "\n```",
        "![The first `up`, times the baseline, and calls per job](benchmark.png)",
        "## Calls",
        "All calls to DRS and IAM, by kind, of a first `up` (its preview included) and of a preview at rest, by number of jobs.",
        _call_table(figures, FIRST),
        "At rest:",
        _call_table(figures, REST),
        "## Memory and state",
        "Peak memory of the plugin (of a script: its own), as a multiple of the baseline's with as many jobs, "
        "and the state file likewise.",
        _table(
            figures,
            "memory",
            lambda candidate, size: f"{figures.memory(candidate, size) / figures.memory(BASELINE.name, size):.2f}",
        ),
        _table(figures, "state file", lambda candidate, size: _state(figures, candidate, size)),
        _how(minutes, repeats),
    ]
    return "\n\n".join(parts) + "\n"


def _targets(figures: Figures) -> list[str]:
    found = targets(figures)
    missed = [target for target in found if not target.is_met]
    rows = [
        (target.claim, f"{target.measured:.4g}", f"{target.limit:.4g}", "met" if target.is_met else "**missed**")
        for target in found
    ]
    parts = ["## Targets", f"{len(found) - len(missed)} of {len(found)} met.", _rows(("", "measured", "at most", ""), rows)]
    if missed:
        parts += ["Why not all:", "\n".join(f"- {target.claim}: {target.cause}." for target in missed)]
    return parts


def _tables(figures: Figures, cell: Callable[[Figures, str, int, str], str]) -> list[str]:
    return [
        _table(figures, command, lambda candidate, size, c=command: cell(figures, candidate, size, c), command)
        for command in COMMANDS
    ]


def _time(figures: Figures, candidate: str, size: int, command: str) -> str:
    return f"{figures.to_baseline(candidate, size, command):.2f}"


def _table(figures: Figures, title: str, cell: Callable[[str, int], str], command: str = FIRST) -> str:
    rows = []
    for candidate in _CANDIDATES:
        if not any(figures.has(candidate.name, size, command) for size in figures.sizes):
            continue
        cells = [cell(candidate.name, size) if figures.has(candidate.name, size, command) else _NOT_RUN for size in figures.sizes]
        rows.append((candidate.name, *cells))
    return _rows((title, *(f"{size:,}" for size in figures.sizes)), rows)


def _baseline_table(figures: Figures) -> str:
    rows = [
        (command, *(f"{figures.seconds(BASELINE.name, size, command):.1f}" for size in figures.sizes)) for command in COMMANDS
    ]
    return _rows(("baseline, seconds", *(f"{size:,}" for size in figures.sizes)), rows)


def _call_table(figures: Figures, command: str) -> str:
    rows = []
    for candidate in _CANDIDATES:
        measured = [size for size in figures.sizes if figures.has(candidate.name, size, command)]
        kinds = sorted({kind for size in measured for kind in figures.calls(candidate.name, size, command)})
        for kind in kinds:
            cells = [
                f"{figures.calls(candidate.name, size, command).get(kind, 0):,}" if size in measured else _NOT_RUN
                for size in figures.sizes
            ]
            rows.append((candidate.name, kind, *cells))
    return _rows(("", "call", *(f"{size:,}" for size in figures.sizes)), rows)


def _state(figures: Figures, candidate: str, size: int) -> str:
    state, baseline = figures.state(candidate, size), figures.state(BASELINE.name, size)
    return _NONE if state is None or baseline is None else f"{state / baseline:.2f}"


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text_chart(figures: Figures) -> str:
    """Bars of the first `up`, on one scale."""
    bars = [
        (f"{size:>5,} {candidate.name}", figures.to_baseline(candidate.name, size, FIRST))
        for size in figures.sizes
        for candidate in _CANDIDATES
        if figures.has(candidate.name, size)
    ]
    longest, width = max(value for _, value in bars), max(len(label) for label, _ in bars)
    lines = [f"{label:<{width}} {'█' * max(1, round(value / longest * _BAR_WIDTH))} {value:.2f}" for label, value in bars]
    return "\n".join(["First `up`, times the baseline (1.00 = the baseline)", *lines])


def _draw(figures: Figures, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (times, calls) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    for candidate in _CANDIDATES:
        sizes = [size for size in figures.sizes if figures.has(candidate.name, size)]
        times.plot(sizes, [figures.to_baseline(candidate.name, size, FIRST) for size in sizes], marker="o", label=candidate.name)
        per_job = [sum(figures.calls(candidate.name, size, FIRST).values()) / size for size in sizes]
        calls.plot(sizes, per_job, marker="o", label=candidate.name)
    times.axhline(1.0, color="grey", linestyle=":", label="baseline")
    times.set(title="First up: wall time, times the baseline", xlabel="jobs", xscale="log", ylim=(0, None))
    calls.set(title="First up: calls per job", xlabel="jobs", xscale="log", yscale="log")
    times.legend()
    for axes in (times, calls):
        axes.set_xticks(figures.sizes, [f"{size:,}" for size in figures.sizes])
        axes.grid(visible=True, alpha=0.3)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def _how(minutes: float, repeats: int) -> str:
    limits = ", ".join(f"*{candidate.name}* up to {candidate.largest} jobs" for candidate in _CANDIDATES if candidate.largest)
    machine = f"{os.cpu_count()} cores ({platform.system()} {platform.machine()}, Python {platform.python_version()})"
    lines = [
        f"One run of {minutes:.0f} minutes on {machine}, with the sandbox, the engine and the program on the same cores.",
        "The real `pulumi`: `up --yes` (preview and update), the same again, `preview`, `preview` after 1 % of the jobs "
        "(at least one) were set back to CONFIGURATION, `refresh --yes --skip-preview`.",
        f"The sandbox adds {LATENCY_SECONDS * 1000:.0f} ms to each call, and a start takes {START_SECONDS:g} s. "
        "Its log of calls gives the calls.",
        f"*{BASELINE.name}*: a dynamic resource with inputs and outputs of the same size. "
        "It asks nothing, and sleeps as long as the calls that nobody can do without: "
        "a login per process, a look for each preview, refresh and operation, one call however many jobs there are; "
        f"for the first `up` a start call per {JOBS_PER_CALL} jobs, {CALLS_AT_ONCE} at once, the time a start takes, "
        "and a last look. Nobody works for the answers: neither the service nor the plugin.",
        f"*{OURS.name}*: one `JobBatchStart` with all jobs.",
        f"*{NATIVE.name}*: the same resource in a program in YAML, which is served by the plugin.",
        f"*{BATCH.name}* and *{LOOP.name}*: scripts with the vendor's SDK for Python. They sign, so need no login. "
        "The first starts all jobs in one call, however many, and polls them together twice a second. "
        "The second makes a call per job, to look, to start and to poll. A second run of them finds every job running.",
        f"*{PER_JOB.name}*: a program with a plain dynamic resource per job, that logs in, starts it and polls twice a second. "
        "It looks at no job in a preview, so it sees no drift.",
        f"{limits}. *{OURS.name}* and the baseline are measured in turn ({repeats} of each), the others once; medians are given.",
        "Memory is the peak resident set that the kernel notes for the plugin's process.",
    ]
    return "## How it was measured\n\n" + "\n".join(f"- {line}" for line in lines)
