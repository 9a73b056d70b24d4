"""
A process that runs scenarios with the modelled engine and with the real one, and tells what they differ in.

    python -m tests.faults.scenarios.compare ENGINE        the folder of `pulumi`

A scenario per line of the input gives a line of the output: a list of differences, empty if the model is right. The variable
`clock.FILE` of its environment must name an empty file.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import clock
from ..worker import fork_sandbox

if TYPE_CHECKING:
    from .history import Call, Done, Saved

SAID = 1500
"""The characters at the end of what a command has printed that are shown."""

_LOGIN = ("tokens", "domains", "projects", "catalog")
_ACTING = ("batch-starting", "batch-retry-task", "batch-pause-task", "batch-jobs")


def main() -> None:
    """Serve until the input ends."""
    sandbox_process, url = fork_sandbox()
    clock.install()

    # Only now: the package takes hold of the clock as it is imported.
    import keystoneauth1.identity.v3
    import keystoneauth1.session  # noqa: F401

    from pulumi_drs_start.drs.http import retry
    from pulumi_drs_start.operations import lifecycle
    from pulumi_drs_start.sandbox import SandboxAdmin

    from .. import wire
    from . import real
    from .scenario import from_json
    from .stack import Stacks

    wire.install()
    retry.FIRST_CONTACT_SECONDS *= clock.SPEED
    lifecycle.READ_LIMIT_SECONDS *= 10
    sandbox = SandboxAdmin(url)
    with tempfile.TemporaryDirectory() as folder, real.ready(sys.argv[1], Path(sys.executable).parent, sandbox) as pulumi:
        model = Stacks(sandbox, Path(folder))
        for line in sys.stdin:
            scenario = from_json(line)
            pairs = zip(model.run_steps(scenario, [{}, {}]), pulumi.run_steps(scenario, [{}, {}]), strict=True)
            print(json.dumps([words for number, pair in enumerate(pairs) for words in differences(number, *pair)]), flush=True)
    os.kill(sandbox_process, signal.SIGKILL)
    os.waitpid(sandbox_process, 0)


def differences(number: int, model: Done, real: Done) -> Iterator[str]:
    """In what a step with the modelled engine differs from the same step with the real one."""
    found = list(_unlike("", _seen(model), _seen(real)))
    for words in found:
        yield f"step {number} ({model.step.command}): {words}"
    if found:
        yield f"pulumi said:\n{real.texts['output'][-SAID:]}"


def _unlike(place: str, modelled: Any, true: Any) -> Iterator[str]:
    """The places in which two values differ."""
    if isinstance(modelled, dict) and isinstance(true, dict):
        for name in {**modelled, **true}:
            yield from _unlike(f"{place}, {name}".removeprefix(", "), modelled.get(name), true.get(name))
    elif modelled != true:
        yield f"{place}: {modelled} in the model, really {true}"


def _seen(done: Done) -> dict[str, Any]:
    from .command import ENGINE_SAYS

    ours = [call for call in done.calls if call.is_ours and call.operation not in _LOGIN]
    acting = [_call(call) for call in ours if call.operation in _ACTING]
    asked = [one for one in done.operations if not (one.failure or "").startswith(ENGINE_SAYS)]
    operations = [f"{one.what} {one.resource}{' fails' if one.failure else ''}" for one in asked]
    seen = {
        "end": done.ended,
        "state": {key: _state(saved) for key, saved in sorted(done.after.items())},
        "statuses": {job_id: facts["status"] for job_id, facts in done.facts_after.items()},
    }
    reads = [f"{call.operation} {sorted(call.jobs)}" for call in ours]
    if _is_in_order(done):
        # A call that is repeated is one that waits.
        reads = [call for before, call in zip(["", *reads], reads, strict=False) if call != before]
        return {**seen, "operations": operations, "acting calls": acting, "calls": reads}
    return {**seen, "operations": sorted(operations), "acting calls": sorted(acting), "calls": sorted(set(reads))}


def _is_in_order(done: Done) -> bool:
    """Nothing happens at the same time: every resource but one depends on another one, and no two on the same."""
    step = done.step
    if step.command == "refresh" or "--refresh" in step.options:
        return len(done.before) < 2
    groups = [[tuple(one.depends_on) for one in resources] for resources in (step.program, done.before.values())]
    return all(group.count(()) < 2 and len(set(group)) == len(group) for group in groups)


def _call(call: Call) -> str:
    return (
        f"{call.operation} {sorted(call.jobs)} {sorted(call.done)} {sorted(call.start_times.items())} {call.status} {call.fault}"
    )


def _state(saved: Saved) -> Mapping[str, Any]:
    return {
        name: _plain(getattr(saved, name))
        for name in ("inputs", "outputs", "is_failed", "protect", "retain_on_delete", "depends_on", "is_pending")
    }


def _plain(value: Any) -> Any:
    """Without Nones, which the one keeps and the other does not, and what Python's provider looks like."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in sorted(value.items()) if part is not None and name != "__provider"}
    return [_plain(part) for part in value] if isinstance(value, (list, tuple)) else value


if __name__ == "__main__":
    main()
