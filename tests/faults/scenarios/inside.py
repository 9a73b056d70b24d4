"""
What runs inside the processes of Pulumi's host of dynamic resources and of the plugin, when the engine is the real one.

They have the campaign's time, others act around their calls, and at the call at which the command is to die such a process stops,
so that pulumi can be killed before it. What the engine asked for is reported. It comes in as Python starts, see `SITE`; what a
process is to do stands in its environment, so that it is the same for one that is forked from a warm Python.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from pulumi_drs_start.drs.http import retry
from pulumi_drs_start.native.servicer import Servicer
from pulumi_drs_start.operations import lifecycle
from pulumi_drs_start.provider import JobBatchStartProvider

from .. import clock, wire
from . import command
from .scenario import from_json

SITE = """\
import os
import sys

# Processes that serve resources, and the one from which warm Pythons are forked; not a user's program.
SERVERS = {"pulumi.dynamic", "pulumi_drs_start", "pulumi-resource-drs", "server.py"}
if not SERVERS.isdisjoint(map(os.path.basename, sys.orig_argv)):
    from tests.faults import clock

    # Not for gRPC, which hands what it is told to code that has a clock of its own.
    clock.install_for("pulumi_drs_start", "tests.faults")
    from tests.faults.scenarios import inside

    inside.install()
"""
"""The text of a `sitecustomize.py`."""

VARIABLE = "FAULTS_STEP"
"""Of the environment: JSON with ``scenario``, ``step``, its number, ``sandbox``, its URL, and ``report``, a file."""

SPEED = 5.0

_HOOKS = {name.capitalize(): name for name in ("check", "create", "update", "read", "delete")}


class _Watch(command.Watch):
    """As in the modelled engine; but the process stops."""

    def die(self) -> None:
        self._note({"dying": os.getpid()})
        os.kill(os.getpid(), signal.SIGSTOP)
        while True:
            clock.real_sleep(1)


def install() -> None:
    """Get into this process."""
    # A machine with so many processes takes its time: timeouts, which no case is about, are not quite as fast.
    clock.SPEED = SPEED
    wire.install()
    for method, what in _HOOKS.items():
        setattr(Servicer, method, _watched(getattr(Servicer, method), what, lambda args: args[1]))
        setattr(JobBatchStartProvider, what, _watched(getattr(JobBatchStartProvider, what), what, lambda _: _request()))


def _request() -> Any:
    """The request that Pulumi's host is serving, from the frames above."""
    frame = sys._getframe(1)
    while "request" not in frame.f_locals or "context" not in frame.f_locals:
        if frame.f_back is None:
            raise AssertionError("no host called")
        frame = frame.f_back
    return frame.f_locals["request"]


_beginning = threading.Lock()
_begun: tuple[_Watch, Callable[[Mapping[str, Any]], None]] | None = None


def _begin() -> tuple[_Watch, Callable[[Mapping[str, Any]], None]]:
    """What watches this process, and what takes its notes; the same for all of its calls."""
    global _begun
    with _beginning:
        if _begun is None:
            _begun = _made()
    return _begun


def _made() -> tuple[_Watch, Callable[[Mapping[str, Any]], None]]:
    todo = json.loads(os.environ[VARIABLE])
    scenario = from_json(todo["scenario"])
    report = os.open(todo["report"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(fact: Mapping[str, Any]) -> None:
        os.write(report, json.dumps(fact).encode() + b"\n")

    watch = _Watch(scenario, scenario.steps[todo["step"]], todo["sandbox"], note)
    wire.watch_with(watch)
    command.hurry(scenario)
    # As in the campaign's worker.
    retry.FIRST_CONTACT_SECONDS *= SPEED
    lifecycle.READ_LIMIT_SECONDS *= 10
    return watch, note


def _watched(hook: Callable[..., Any], what: str, request_of: Callable[[Any], Any]) -> Callable[..., Any]:
    @wraps(hook)
    def watched(*args: Any) -> Any:
        watch, note = _begin()
        watch.begin(wire.Knowledge())
        request = request_of(args)
        if getattr(request, "preview", False):
            return hook(*args)
        fact = {"resource": request.urn.rpartition("::")[2], "what": what, "failure": "failed", "outputs": None}
        try:
            answer = hook(*args)
            if not getattr(answer, "failures", None):
                fact["failure"] = None
        finally:
            if what != "check":
                watch.moment("unsaved")
            note({"operation": fact})
        return answer

    return watched
