"""
What both fronts tell Pulumi's engine beside their answers: lines on a resource's row, and failures that keep the resource.

The engine listens at an address that it gives its plugins. An answer that fails in part is a gRPC status with the outputs in it.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, status_pb2

from .operations.operation import Foretold
from .operations.secrecy import concealing
from .schema.inputs import secret_names
from .schema.messages import Messages

log = logging.getLogger(__name__)

VERSION: str = sys.modules[__name__.partition(".")[0]].__version__
"""Of this package, which does not import its own top: programs find everything there."""

# Of grpc's status codes: what the engine expects of a failed provider call.
_UNKNOWN = 2
_STATUS_TRAILER = "grpc-status-details-bin"


@dataclass(slots=True)
class EngineCall:
    """A call of the engine that is being served: an `Operation`, but for who says whether it is still wanted.

    Attributes:
        resource: its URN; empty if it can't be found out.
        timeout_seconds: of ``customTimeouts``; 0 if none.
        messages: in the spelling of the program.
        warned: what this command has warned of already, by resource; it is not said twice.
        conceal: takes what is secret out of a text that is shown or kept.
    """

    resource: str = ""
    timeout_seconds: float = 0.0
    messages: Messages = field(default_factory=Messages)
    warned: set[tuple[str, str]] = field(default_factory=set)
    conceal: Callable[[str], str] = lambda text: text
    _last_progress: str = field(default="")

    def keep_secret(self, bags: Sequence[Mapping[str, Any]]) -> None:
        """Name nothing that is secret in these inputs and outputs."""
        self.conceal = concealing(bags)
        self.messages.names.is_secret = any("jobs" in secret_names(bag) for bag in bags)

    def show(self, told: Foretold, *, is_preview: bool) -> None:
        """What will be done."""
        parts = filter(None, [told.plan if is_preview else "", told.beside])
        if shown := "; ".join(parts):
            self.info(shown)
        for warning in told.warnings if is_preview else ():
            self.warn(warning)

    def info(self, message: str) -> None:
        """A line on the resource's row."""
        self.say(engine_pb2.INFO, message)

    def warn(self, message: str) -> None:
        """A warning on the resource's row."""
        if (self.resource, message) in self.warned:
            return
        self.warned.add((self.resource, message))
        self.say(engine_pb2.WARNING, message)

    def progress(self, message: str) -> None:
        """What is going on right now; not kept in the summary."""
        if message != self._last_progress:
            self._last_progress = message
            self.say(engine_pb2.INFO, message, ephemeral=True)

    def say(self, severity: Any, message: str, *, ephemeral: bool = False) -> None:
        """A line of any kind on the resource's row; in the log where there is none."""
        message = self.conceal(message)
        if not self.resource or not tell(severity, message, self.resource, ephemeral=ephemeral):
            log.info("%s", message)


def tell(severity: Any, message: str, resource: str = "", *, ephemeral: bool = False) -> bool:
    """Show a line on the row of a resource, or of the stack; False where no engine is at hand."""
    engine = _engine_at(sys.argv[1] if len(sys.argv) > 1 else "", os.getpid())
    if engine is None:
        return False
    request = engine_pb2.LogRequest(severity=severity, message=message, urn=resource, ephemeral=ephemeral)
    try:
        engine.Log(request, timeout=5)
    except (grpc.RpcError, ValueError) as exc:
        # The message is only lost to the display; the operation matters more.
        log.debug("the engine took no message: %s", exc)
    return True


def report_failure(context: Any, message: str) -> None:
    """Make the error of this call read as `message` alone."""
    _set_status(context, status_pb2.Status(code=_UNKNOWN, message=message))


def report_partial_failure(context: Any, reasons: Sequence[str], **resource: Any) -> None:
    """Make the error of this call save the resource (its `id`, `properties`, …), and fail the command with these reasons."""
    status = status_pb2.Status(code=_UNKNOWN, message=" ".join(reasons))
    status.details.add().Pack(provider_pb2.ErrorResourceInitFailed(reasons=reasons, **resource))
    _set_status(context, status)


def _set_status(context: Any, status: Any) -> None:
    context.set_trailing_metadata(((_STATUS_TRAILER, status.SerializeToString()),))


@functools.cache
def _engine_at(address: str, _process: int) -> Any:
    # A channel of the process that this one was forked from is of no use here.
    host, _, port = address.rpartition(":")
    return engine_pb2_grpc.EngineStub(grpc.insecure_channel(address)) if host and port.isdigit() else None
