"""
What Pulumi's dynamic-provider host does not hand to a provider: the resource's URN, its row in the display, clean error
texts, and partial failure.

A dynamic provider's methods get plain values only. The host that called them has the rest in local variables, found here by
walking up the stack; answers that the host can't express (an error without a traceback, a resource saved although it failed)
are put into the gRPC status beside the exception. All of this leans on the host's internals, so it stays in this module, and
whatever is not found is done without: messages go to the log, errors keep the host's own form, and `report_partial_failure`
returns False, so that the caller can report in the fallback way.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from pulumi.runtime import rpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, status_pb2

log = logging.getLogger(__name__)

# Of grpc's status codes: what the engine expects of a failed provider call.
_UNKNOWN = 2
_STATUS_TRAILER = "grpc-status-details-bin"
_PROVIDER_KEY = "__provider"


class HookFailedError(Exception):
    """An expected failure, told in words. Where the host allows it, the user sees the words alone."""


@dataclass(slots=True)
class Call:
    """The engine's call that is being served.

    Attributes:
        urn: of the resource, or None if it can't be found out.
        timeout_seconds: of ``custom_timeouts``; 0 if none.
        conceal: takes what is secret out of a text that is shown or kept.
    """

    urn: str | None = None
    timeout_seconds: float = 0.0
    conceal: Callable[[str], str] = lambda text: text
    _context: Any = None
    _provider_key: Any = None
    _last_progress: str = field(default="")

    def is_wanted(self) -> bool:
        """False when the user asked to cancel, or the engine gave up on this call."""
        if self._context is None:
            return True
        return not _cancelled.is_set() and bool(self._context.is_active())

    def info(self, message: str) -> None:
        """A line on the resource's row."""
        self._log(engine_pb2.INFO, message)

    def warn(self, message: str) -> None:
        """A warning on the resource's row."""
        self._log(engine_pb2.WARNING, message)

    def progress(self, message: str) -> None:
        """What is going on right now; not kept in the summary."""
        if message != self._last_progress:
            self._last_progress = message
            self._log(engine_pb2.INFO, message, ephemeral=True)

    def _log(self, severity: Any, message: str, *, ephemeral: bool = False) -> None:
        message = self.conceal(message)
        engine = _engine()
        if engine is None or self.urn is None:
            log.info("%s", message)
            return
        try:
            engine.Log(engine_pb2.LogRequest(severity=severity, message=message, urn=self.urn, ephemeral=ephemeral), timeout=5)
        except (grpc.RpcError, ValueError) as exc:
            # The message is only lost to the display; the operation matters more.
            log.debug("the engine took no message: %s", exc)


_cancelled = threading.Event()


def _listen_for_cancel(servicer: Any) -> None:
    """Hear of the first Ctrl-C: the engine then calls the host's Cancel, which does nothing, and waits for us without end.

    The host's method is registered with its server already, so it is not replaced but given another body. The other
    body needs no names of this module, because it runs in the host's.
    """

    def cancel(self: Any, request: Any, context: Any) -> Any:  # noqa: ARG001 - the host's signature
        import sys

        from google.protobuf import empty_pb2

        host = sys.modules.get("pulumi_drs_start.host")
        if host is not None:
            host._cancelled.set()
        return empty_pb2.Empty()

    theirs = getattr(type(servicer), "Cancel", None)
    code = getattr(theirs, "__code__", None)
    if code is not None and code.co_varnames[: code.co_argcount] == ("self", "request", "context") and not code.co_freevars:
        theirs.__code__ = cancel.__code__  # type: ignore[union-attr]


def current_call() -> Call:
    """The call being served by the frames above, or an empty one."""
    context, request, props, servicer = _host_variables()
    if context is None:
        return Call()
    _listen_for_cancel(servicer)
    return Call(
        urn=getattr(request, "urn", None) or None,
        timeout_seconds=float(getattr(request, "timeout", 0) or 0),
        _context=context,
        _provider_key=props.get(_PROVIDER_KEY),
    )


def report_error(call: Call, message: str) -> None:
    """Make the exception that follows reach the user as `message` alone."""
    _set_status(call, status_pb2.Status(code=_UNKNOWN, message=call.conceal(message)))


def report_partial_failure(call: Call, resource_id: str, outputs: Mapping[str, Any], reasons: Sequence[str]) -> bool:
    """Make the exception that follows save the resource with these outputs, and fail the command with these reasons.

    Returns:
        False where the host does not allow it: then no exception may follow, or the resource is lost.
    """
    if call._context is None or call._provider_key is None:
        return False
    reasons = [call.conceal(reason) for reason in reasons]
    failure = provider_pb2.ErrorResourceInitFailed(
        id=resource_id, properties=_to_struct({**outputs, _PROVIDER_KEY: call._provider_key}), reasons=reasons
    )
    status = status_pb2.Status(code=_UNKNOWN, message=" ".join(reasons))
    status.details.add().Pack(failure)
    return _set_status(call, status)


def _set_status(call: Call, status: Any) -> bool:
    if call._context is None:
        return False
    call._context.set_trailing_metadata(((_STATUS_TRAILER, status.SerializeToString()),))
    return True


def _to_struct(values: Mapping[str, Any]) -> Any:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(rpc.serialize_properties(dict(values), {}))
    finally:
        loop.close()


def _host_variables() -> tuple[Any, Any, Mapping[str, Any], Any]:
    """The host's ``context``, ``request``, deserialised bag and ``self``, from the frame that called the provider."""
    frame = sys._getframe(1)
    while frame is not None:
        values = frame.f_locals
        context = values.get("context")
        if isinstance(context, grpc.ServicerContext) and "request" in values:
            bag = values.get("props") or values.get("news") or {}
            return context, values["request"], bag, values.get("self")
        if frame.f_back is None:
            break
        frame = frame.f_back
    return None, None, {}, None


_engine_lock = threading.Lock()
_engine_stub: Any = None
_engine_process = 0


def _engine() -> Any:
    """The engine that started this plugin; its address is the plugin's first argument."""
    global _engine_stub, _engine_process
    with _engine_lock:
        if _engine_process != os.getpid():
            _engine_process = os.getpid()
            address = sys.argv[1] if len(sys.argv) > 1 else ""
            host, _, port = address.rpartition(":")
            is_address = bool(host) and port.isdigit()
            _engine_stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address)) if is_address else None
        return _engine_stub
