"""
What runs inside the processes of Pulumi's host of dynamic resources and of the plugin, when the engine is the real one.

It makes time pass as fast as in the campaign, stops the process around the call at which the command is to die, and reports
what the engine asked for. It comes in as Python starts, see `SITE`; what a process is to do stands in its environment, so that
it is the same for one that was forked from a warm Python.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from pulumi_drs_start.native.servicer import Servicer
from pulumi_drs_start.provider import JobBatchStartProvider

from .. import clock, wire
from ..schedule import Kill

SITE = """\
import os
import sys

# Processes that serve resources, and the one from which warm Pythons are forked; not a user's program.
if not {"pulumi.dynamic", "pulumi_drs_start", "pulumi-resource-drs", "server.py"}.isdisjoint(map(os.path.basename, sys.orig_argv)):
    from tests.faults import clock

    # Not for gRPC, which hands what it is told to code that has a clock of its own.
    clock.install_for("pulumi_drs_start", "tenacity", "tests.faults")
    from tests.faults.scenarios import inside

    inside.install()
"""
"""The text of a `sitecustomize.py`."""

VARIABLE = "SCENARIO_STEP"
"""Of the environment: JSON with ``report``, a file; ``clock``, see `clock.take_over`; and ``kill``, what `Kill` takes, or null."""

_HOOKS = {name.capitalize(): name for name in ("check", "create", "update", "read", "delete")}


class _Watch(wire.Watch):
    """As in the campaign; but the process stops, so that pulumi can be killed before it."""

    def moment(self, moment: str) -> None:
        kill = self._kill
        if kill is not None and kill.moment == moment and (moment == "unsaved" or self._calls == kill.call):
            self._note({"dying": os.getpid()})
            os.kill(os.getpid(), signal.SIGSTOP)
            while True:
                clock.real_sleep(1)


def install() -> None:
    """Get into this process, which has installed the clock."""
    wire.install()
    for method, what in _HOOKS.items():
        setattr(Servicer, method, _watched(getattr(Servicer, method), what, lambda args: args[1]))
        setattr(JobBatchStartProvider, what, _watched(getattr(JobBatchStartProvider, what), what, lambda _: _request()))


def _request() -> Any:
    """The request that Pulumi's host is serving, from the frames above."""
    frame = sys._getframe(1)
    while frame is not None:
        if "request" in frame.f_locals and "context" in frame.f_locals:
            return frame.f_locals["request"]
        frame = frame.f_back
    raise AssertionError("no host called")


_step: tuple[_Watch, Callable[[Mapping[str, Any]], None]] | None = None


def _begin() -> tuple[_Watch, Callable[[Mapping[str, Any]], None]]:
    """What this process is to do; the same for all of its calls."""
    global _step
    if _step is None:
        step = json.loads(os.environ[VARIABLE])
        clock.take_over(*step["clock"])
        report = os.open(step["report"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        def note(fact: Mapping[str, Any]) -> None:
            os.write(report, json.dumps(fact).encode() + b"\n")

        _step = _Watch(Kill(**step["kill"]) if step["kill"] else None, note), note
        wire.watch_with(_step[0])
    return _step


def _watched(hook: Callable[..., Any], what: str, request_of: Callable[[Any], Any]) -> Callable[..., Any]:
    @wraps(hook)
    def watched(*args: Any) -> Any:
        watch, note = _begin()
        request = request_of(args)
        if getattr(request, "preview", False):
            return hook(*args)
        watch.begin(wire.Knowledge())
        fact = {"resource": request.urn.rpartition("::")[2], "what": what, "failed": True}
        try:
            answer = hook(*args)
            fact["failed"] = bool(getattr(answer, "failures", None))
            return answer
        finally:
            if what != "check":
                watch.moment("unsaved")
            note({"operation": fact})

    return watched
