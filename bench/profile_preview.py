"""Where our own time goes in a preview at rest, without the engine: `python -m bench.profile_preview 5000`."""

from __future__ import annotations

import cProfile
import os
import pstats
import sys
import time
from typing import Any, NamedTuple

from pulumi_drs_start.provider import JobBatchStartProvider
from pulumi_drs_start.sandbox import Sandbox, SandboxAdmin, make_job, make_job_id

LINES = 25


class _Request(NamedTuple):
    """What Pulumi's host hands to configure."""

    config: dict[str, str]


def profile(count: int) -> None:
    """Create a resource of so many jobs, then check and diff it as a preview does, and print what took the time."""
    with Sandbox(start_seconds=0, full_seconds=3600) as sandbox:
        os.environ.update(sandbox.environment)
        job_ids = [make_job_id(f"bench-{number}") for number in range(count)]
        SandboxAdmin(sandbox.url).add_jobs(*(make_job(job_id) for job_id in job_ids))
        inputs: dict[str, Any] = {"jobs": job_ids}
        provider = JobBatchStartProvider()
        provider.configure(_Request({}))  # type: ignore[arg-type]
        checked = provider.check({}, inputs).inputs
        created = provider.create(checked)
        olds: dict[str, Any] = dict(created.outs or {})
        profiler = cProfile.Profile()
        wall, cpu = time.perf_counter(), time.thread_time()
        profiler.enable()
        news = provider.check(olds, inputs).inputs
        difference = provider.diff(str(created.id), olds, news)
        profiler.disable()
        wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
        print(f"{count:,} jobs at rest ({'changes' if difference.changes else 'no change'}): {cpu:.3f} s CPU in {wall:.3f} s")
        pstats.Stats(profiler).sort_stats("tottime").print_stats(LINES)


if __name__ == "__main__":
    profile(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
