"""
What Pulumi's dynamic-provider host does not hand to a provider: the resource's URN, its row in the display, clean error
texts, and partial failure.

A dynamic provider's methods get plain values only. The host that called them has the rest in local variables, found here by
walking up the stack to a frame of ``pulumi.dynamic``; answers that the host can't express (an error without a traceback, a
resource saved although it failed) are put into the gRPC status beside the exception; and its Cancel, which does nothing, is made
to tell us. All reliance on the host's internals is in this module: the names of those variables, ``__provider`` in a bag,
the body of ``Cancel``, and ``_config``, which is another object for each command.

Whatever is not found is done without: messages go to the log, errors keep the host's own form, only the second Ctrl-C is heard,
and `report_partial_failure` returns False, so that the caller can report in the fallback way.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import CodeType, FrameType, FunctionType
from typing import Any

import grpc
from pulumi.runtime import rpc

from .. import engine
from ..engine import EngineCall, report_failure
from ..operations.operation import Foretold

_PROVIDER_KEY = "__provider"


class HookFailedError(Exception):
    """An expected failure, as a plain message. Where the host allows it, the user sees the message alone."""


@dataclass(slots=True)
class Call(EngineCall):
    """The engine's call that is being served.

    Attributes:
        is_preview: the program runs in a preview.
    """

    is_preview: bool = False
    _context: Any = None
    _provider_key: Any = None
    _earlier_cancel: _Cancel | None = None

    def is_wanted(self) -> bool:
        """False when the user asked to cancel, or the engine gave up on this call."""
        if self._context is None:
            return True
        return _last_cancel is self._earlier_cancel and bool(self._context.is_active())

    def foretell(self, plan: Foretold) -> None:
        """See `Operation.foretell`."""
        self.show(plan, is_preview=self.is_preview)


@dataclass(frozen=True, slots=True, eq=False)
class _Cancel:
    """A first Ctrl-C, and what the host was configured with as it came.

    The engine configures the host once, at the beginning of a command, and the host keeps that in an object of its own.
    So a call that comes later belongs to the cancelled command as long as that object is the same. A process that serves one
    command after the other (a host under a debugger) starts each of them uncancelled, and none has to be forgotten in time.
    """

    configuration: Any


_last_cancel: _Cancel | None = None


def _hear_cancel(servicer: Any) -> None:
    global _last_cancel
    _last_cancel = _Cancel(getattr(servicer, "_config", None))


def _listen_for_cancel(servicer: Any) -> None:
    """Hear of the first Ctrl-C: the engine then calls the host's Cancel, which does nothing, and waits for us without end.

    The host's method is registered with its server already, so it is not replaced but given another body, which calls the
    original one. What that needs is in its defaults, because it runs among the host's names.

    A Cancel other than the one that does nothing is left alone: it may hold locks, or be the same function as other methods.
    With such a host only the second Ctrl-C is heard, when the engine gives up on the call.
    """

    def cancel(self: Any, request: Any, context: Any, *, heard: Any, original: Any) -> Any:
        heard(self)
        return original(self, request, context)

    theirs = getattr(type(servicer), "Cancel", None)
    if not isinstance(theirs, FunctionType):
        return
    code = theirs.__code__
    if _does_nothing(code):
        # First what the new body needs: it may be called at once. A second thread here does the same again, no more.
        theirs.__kwdefaults__ = {"heard": _hear_cancel, "original": FunctionType(code, theirs.__globals__)}
        theirs.__code__ = cancel.__code__


def _does_nothing(code: CodeType) -> bool:
    """Whether this is the body of the Cancel that we know: ``return empty_pb2.Empty()``."""
    return (
        code.co_names == ("empty_pb2", "Empty")
        and code.co_varnames == ("self", "request", "context")
        and code.co_argcount == len(code.co_varnames)
        and not code.co_freevars
        and not code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR)
    )


def current_call() -> Call:
    """The call being served by the frames above, or an empty one."""
    context, request, props, servicer = _host_variables()
    if context is None:
        return Call()
    _listen_for_cancel(servicer)
    last = _last_cancel
    is_earlier = last is not None and last.configuration is not getattr(servicer, "_config", None)
    return Call(
        resource=getattr(request, "urn", None) or "",
        timeout_seconds=float(getattr(request, "timeout", 0) or 0),
        _context=context,
        _provider_key=props.get(_PROVIDER_KEY),
        _earlier_cancel=last if is_earlier else None,
    )


def failure(call: Call, message: str) -> HookFailedError:
    """An exception that reaches the user as `message` alone."""
    message = call.conceal(message)
    if call._context is not None:
        report_failure(call._context, message)
    return HookFailedError(message)


def report_partial_failure(call: Call, resource_id: str, outputs: Mapping[str, Any], reasons: Sequence[str]) -> bool:
    """Make the exception that follows save the resource with these outputs, and fail the command with these reasons.

    Returns:
        False where the host does not allow it: then no exception may follow, or the resource is lost.
    """
    if call._context is None or call._provider_key is None:
        return False
    properties = _to_struct({**outputs, _PROVIDER_KEY: call._provider_key})
    engine.report_partial_failure(
        call._context, [call.conceal(reason) for reason in reasons], id=resource_id, properties=properties
    )
    return True


def _to_struct(values: Mapping[str, Any]) -> Any:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(rpc.serialize_properties(dict(values), {}))
    finally:
        loop.close()


def _host_variables() -> tuple[Any, Any, Mapping[str, Any], Any]:
    """The host's ``context``, ``request``, deserialised bag and ``self``, from the frame that called the provider."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        values = frame.f_locals if _is_of_the_host(frame) else {}
        context = values.get("context")
        if isinstance(context, grpc.ServicerContext) and "request" in values:
            bag = values.get("props") or values.get("news") or {}
            return context, values["request"], bag, values.get("self")
        frame = frame.f_back
    return None, None, {}, None


def _is_of_the_host(frame: FrameType) -> bool:
    """Whether its code is a module of ``pulumi.dynamic``; the one that runs as ``__main__`` is known by its spec alone."""
    return str(getattr(frame.f_globals.get("__spec__"), "name", "")).startswith("pulumi.dynamic.")
