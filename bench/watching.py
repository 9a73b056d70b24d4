"""Run a command, its wall time, and the peak memory of the plugin that it starts (or of itself, where there is none)."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

SAMPLE_SECONDS = 0.1
# Pulumi's host of dynamic resources, and the plugin of this package.
_PLUGINS = (b"pulumi/dynamic", b"pulumi.dynamic", b"pulumi-resource-drs")
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


@dataclass(slots=True)
class Usage:
    """What a command took."""

    seconds: float
    memory_bytes: int
    exit_code: int
    output: str
    calls: Counter[str] = field(default_factory=Counter)


def watch(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Usage:
    """Run it to its end. Nothing that it started outlives it."""
    output = folder / ".output"
    ended, peaks = Event(), {}
    with output.open("w") as file:
        started = time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
        sampler = Thread(target=_sample, args=(process.pid, peaks, ended))
        sampler.start()
        try:
            exit_code = process.wait()
            seconds = time.monotonic() - started
        finally:
            ended.set()
            sampler.join()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return Usage(seconds, max(peaks.values(), default=0), exit_code, output.read_text(errors="replace"))


def _sample(pid: int, peaks: dict[int, int], ended: Event) -> None:
    """Note the peak of the plugin's memory, as the kernel keeps it."""
    while not ended.wait(SAMPLE_SECONDS):
        for one in _family(pid):
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{one}/cmdline").read_bytes()
                is_plugin = any(name in words for name in _PLUGINS)
                if (is_plugin or b"bench.vendor" in words) and (peak := _PEAK.search(Path(f"/proc/{one}/status").read_text())):
                    peaks[one] = max(peaks.get(one, 0), int(peak[1]) * 1024)


def _family(pid: int) -> Iterator[int]:
    """A process and its descendants."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in children.read_text().split():
                yield from _family(int(child))
