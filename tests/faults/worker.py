"""
A process that runs schedules and scenarios: one per line on its input, a verdict per line on its output.

It has no threads, so that it can fork the commands; hence it is a process of its own and not a part of pytest. The sandbox is
a process of its own as well, and the package is imported once, before all forks.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import clock


def fork_sandbox() -> tuple[int, str]:
    """Start a sandbox in a process that ends with this one. Its id and URL."""
    read_url, write_url = os.pipe()
    read_life, _write_life = os.pipe()
    pid = os.fork()
    if pid == 0:
        from pulumi_drs_start.sandbox import Sandbox
        from pulumi_drs_start.sandbox.clock import Clock

        clock.rule(Clock)
        # Only the parent may hold the end whose closing tells that it is gone.
        os.close(_write_life)
        with Sandbox() as sandbox:
            os.write(write_url, sandbox.url.encode())
            os.close(write_url)
            os.read(read_life, 1)
        os._exit(0)
    os.close(write_url)
    os.close(read_life)
    url = os.read(read_url, 1000).decode()
    os.close(read_url)
    return pid, url


def main() -> None:
    """Serve until the input ends."""
    is_exhaustive = "--exhaustive" in sys.argv
    build = next((word for word in sys.argv[1:] if word != "--exhaustive"), None)
    if is_exhaustive:
        clock.be_exact()
    sandbox_process, url = fork_sandbox()
    clock.install()

    # Only now: the package takes hold of the clock as it is imported.
    # What it imports when it is first needed is imported here, once rather than by each command.
    import keystoneauth1.identity.v3
    import keystoneauth1.loading
    import keystoneauth1.session
    import tenacity  # noqa: F401

    from pulumi_drs_start.drs.http import concurrency, retry, transport  # noqa: F401
    from pulumi_drs_start.dynamic import hooks  # noqa: F401
    from pulumi_drs_start.operations import lifecycle
    from pulumi_drs_start.reconcile import converge
    from pulumi_drs_start.sandbox import SandboxAdmin

    from . import schedule, wire
    from .engine import Engine
    from .exhaustive import explore, read_world
    from .judge import judge
    from .scenarios import rare, scenario
    from .scenarios.judge import judge as judge_history
    from .scenarios.stack import Stacks

    keystoneauth1.loading.get_plugin_loader("v3password")
    # The sandbox is never out of reach. What keeps a connection waiting is the machine, whose time passes no faster.
    retry.FIRST_CONTACT_SECONDS *= clock.SPEED
    # Two seconds of a busy machine are no two minutes of a DRS that does not answer.
    lifecycle.READ_LIMIT_SECONDS *= 10
    wire.install()
    if is_exhaustive:
        # One call after the other.
        concurrency.MOST_AT_ONCE = 1
        # Each poll makes a world of its own, as it is later then. A few polls of a wait show what many would.
        converge.SHORTEST_POLL_SECONDS, converge.POLL_AFTER_FRACTION = 2.0, 3.0
        converge.LONGEST_POLL_IN_DOUBT_SECONDS = converge.LONGEST_POLL_SECONDS
    gc.freeze()

    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(SandboxAdmin(url), Path(folder), build)
        stacks = Stacks(SandboxAdmin(url), Path(folder), build)

        def run(line: str) -> dict[str, Any]:
            kind, _, text = line.partition(" ")
            if kind == "schedule":
                case = schedule.from_json(text)
                return asdict(judge(case, engine.run(case)))
            history = stacks.run(scenario.from_json(text))
            return {**asdict(judge_history(history)), "rare": sorted(rare.reached(history))}

        for line in sys.stdin:
            started = clock.real_monotonic()
            answer = asdict(explore(engine, read_world(line))) if is_exhaustive else run(line)
            seconds = {} if is_exhaustive else {"seconds": clock.real_monotonic() - started}
            print(json.dumps({**answer, **seconds}), flush=True)
    os.kill(sandbox_process, signal.SIGKILL)
    os.waitpid(sandbox_process, 0)


if __name__ == "__main__":
    main()
