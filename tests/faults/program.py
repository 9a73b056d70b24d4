"""
What runs in the process of one command: a program's resources, handed to the provider's own hooks as Pulumi's host does it.

Bags arrive as the host delivers them: numbers as floats, without the Nones of dicts. What a resource came to is reported
as soon as it is known, as the host answers the engine, so that a kill later in the process does not take it back.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pulumi_drs_start.provider import JobBatchStartProvider
from pulumi_drs_start.reconcile.record import Action, GracePeriods
from pulumi_drs_start.schema.state import from_state

from . import broken, hosting, wire
from .schedule import Kill

AT_ONCE = 4
"""Calls that Pulumi's host serves at the same time."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of a program.

    Attributes:
        name: its name.
        declared: its inputs, as the program gives them.
        state: what the engine has of it: ``id``, ``inputs``, ``outputs``; None if nothing.
    """

    name: str
    declared: Mapping[str, Any]
    state: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Command:
    """One command of one program.

    Attributes:
        program: its name.
        resources: of the program.
        what: ``up``, ``preview`` or ``destroy``.
        environment: variables for the provider's configuration.
        is_alone: no other program has the same jobs.
        finds_host: the package finds the internals of Pulumi's host; see `hosting`.
        kill: when to die.
        build: which of `broken.BUILDS` to be, or None for the package as it is.
    """

    program: str
    resources: tuple[Resource, ...]
    what: str
    environment: Mapping[str, str]
    is_alone: bool
    finds_host: bool
    kill: Kill | None = None
    build: str | None = None


class _NoStackConfig:
    def get(self, _key: str) -> None:
        return None


class _Request:
    config = _NoStackConfig()


def run_forked(command: Command, report: Path, output: Path) -> int:
    """Run a command in a process of its own; returns the process id. Must be called without other threads.

    Args:
        command: what to do.
        report: takes a line of JSON for everything that is known.
        output: takes all that the process prints and logs.
    """
    pid = os.fork()
    if pid:
        return pid
    try:
        _run(command, report, output)
    except BaseException:  # noqa: BLE001 - nothing may unwind into the parent's frames
        traceback.print_exc()
        os._exit(70)
    os._exit(0)


def _run(command: Command, report: Path, output: Path) -> None:
    printed = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    sys.stdout = sys.stderr = os.fdopen(printed, "w", buffering=1)
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, force=True)
    for name in [name for name in os.environ if name.startswith(("OS_", "DRS_"))]:
        del os.environ[name]
    os.environ.update(command.environment)
    reported = os.open(report, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(fact: Mapping[str, Any]) -> None:
        os.write(reported, json.dumps(fact).encode() + b"\n")

    watch = wire.Watch(command.kill, note)
    wire.watch_with(watch)
    if command.build is not None:
        broken.BUILDS[command.build]()
    hosting.is_the_command("pulumi", command.what)
    provider = JobBatchStartProvider()
    provider.configure(_Request())  # type: ignore[arg-type]
    places = threading.Semaphore(AT_ONCE)

    def work(resource: Resource) -> None:
        with places:
            result = _operate(provider, resource, command, watch)
            watch.moment("unsaved")
            note({"resource": resource.name, **result, "paused": watch.paused(command.is_alone)})

    threads = [threading.Thread(target=work, args=(resource,)) for resource in command.resources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _operate(provider: JobBatchStartProvider, resource: Resource, command: Command, watch: wire.Watch) -> dict[str, Any]:
    """What the engine does about one resource; the result is what it would save and show."""
    state = resource.state or {"id": None, "inputs": {}, "outputs": {}}
    outputs = _delivered(state["outputs"])
    watch.begin(_knowledge_of(outputs))
    serve = partial(hosting.serve, urn=hosting.urn_of(command.program, resource.name), is_found=command.finds_host)
    try:
        if command.what == "destroy":
            if state["id"] is None:
                return {"is_gone": True}
            served = serve(provider.delete, state["id"], outputs)
            return {"failure": served.failure} if served.failure else {"is_gone": True}
        served = serve(provider.check, _delivered(state["inputs"]), _delivered(resource.declared))
        if served.failure or served.result.failures:
            return {"failure": served.failure or "; ".join(failure.reason for failure in served.result.failures)}
        inputs = _delivered(served.result.inputs)
        if state["id"] is None:
            changes, act = True, partial(serve, provider.create, inputs)
        else:
            served = serve(provider.diff, state["id"], outputs, inputs)
            if served.failure:
                return {"failure": served.failure}
            # The engine updates a resource that is saved as failed, whatever diff says.
            changes = served.result.changes or state.get("is_failed", False)
            act = partial(serve, provider.update, state["id"], outputs, inputs)
        if command.what == "preview" or not changes:
            return {"changes": changes}
        return {"changes": True, **_saved(state, inputs, act())}
    except Exception as exc:  # noqa: BLE001 - whatever it is, the judge wants it
        return {"failure": str(exc), "crash": "".join(traceback.format_exception(exc))}


def _saved(state: Mapping[str, Any], inputs: Mapping[str, Any], served: hosting.Served) -> dict[str, Any]:
    """What the engine saves of a resource that was created or updated."""
    if served.saved is not None:
        id_, outputs = served.saved
        # Of a failed update it keeps the old inputs beside the new outputs.
        kept = inputs if state["id"] is None else state["inputs"]
        return {
            "failure": served.failure,
            "state": {"id": id_, "inputs": kept, "outputs": _delivered(outputs), "is_failed": True},
        }
    if served.failure:
        return {"failure": served.failure}
    outputs = _delivered(served.result.outs)
    id_ = state["id"] or served.result.id
    return {"failure": outputs.get("__unreported_failure"), "state": {"id": id_, "inputs": inputs, "outputs": outputs}}


def _knowledge_of(outputs: Mapping[str, Any]) -> wire.Knowledge:
    """What the state says was accepted so shortly ago that a status without a trace of it is no reason to ask again."""
    grace, accepted = GracePeriods(), {}
    for job_id, record in from_state(outputs).records.items():
        action = record.request.action
        if record.accepted_at is not None:
            seconds = grace.resume_seconds if action is Action.RESUME else grace.lag_seconds
            why = "sent although the state remembers that DRS accepted it"
            accepted["start" if action.is_start else action.value, job_id] = (why, record.accepted_at + seconds)
    return wire.Knowledge(accepted=accepted)


def _delivered(value: Any) -> Any:
    """A bag as the host hands it over."""
    if isinstance(value, Mapping):
        return {key: _delivered(part) for key, part in value.items() if part is not None}
    if isinstance(value, (list, tuple)):
        return [_delivered(part) for part in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
