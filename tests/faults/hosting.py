"""
A stand-in for Pulumi's dynamic-provider host, as the package's `host` finds it: in the frames above a hook.

With it partial failures take the way that users of a current SDK get: an exception whose gRPC status carries the resource to
be saved. Without it, as with a host whose internals have changed, they take the documented fallback.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from types import FunctionType
from typing import Any

import grpc
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2, status_pb2

from pulumi_drs_start.dynamic import host
from pulumi_drs_start.operations import command

PROVIDER = {"__provider": "pickled"}
"""What every bag of the real host carries besides."""


@dataclass(frozen=True, slots=True)
class Served:
    """What a call of a hook came to.

    Attributes:
        result: what it returned.
        failure: what the user is told went wrong.
        saved: (id, outputs) of a resource that is saved although the hook failed.
    """

    result: Any = None
    failure: str | None = None
    saved: tuple[str, dict[str, Any]] | None = None


class _Context(grpc.ServicerContext):  # type: ignore[misc]
    """The part of a call's context that the package uses."""

    trailing: tuple[tuple[str, bytes], ...] = ()

    def is_active(self) -> bool:
        return True

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        self.trailing = trailing_metadata


_Context.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class _Request:
    urn: str
    timeout: float = 0.0


def is_the_command(*words: str) -> None:
    """Let the command line of Pulumi, which this process has not above it, be this one."""
    command.pulumi_arguments = lambda: words  # type: ignore[assignment]


def urn_of(program: str, resource: str) -> str:
    """The engine's name for a resource."""
    return f"urn:pulumi:{program}::faults::pulumi-python:dynamic/drs:JobBatchStart::{resource}"


def serve(hook: Callable[..., Any], *arguments: Any, urn: str, is_found: bool) -> Served:
    """Call a hook as the host does.

    Args:
        hook: of the provider.
        arguments: its own; the last is a bag.
        urn: of the resource.
        is_found: the package finds the host's internals.
    """
    context = _Context()
    try:
        if is_found:
            return Served(_as_the_host_does(hook, arguments, context, _Request(urn), {**arguments[-1], **PROVIDER}))
        return Served(hook(*arguments))
    except host.HookFailedError as exc:
        return _read_status(context, str(exc))


def _call_the_hook(
    hook: Callable[..., Any],
    arguments: tuple[Any, ...],
    context: _Context,  # noqa: ARG001 - found by its name, in this frame
    request: _Request,  # noqa: ARG001
    props: Mapping[str, Any],
) -> Any:
    return hook(*arguments[:-1], props)


# Among the names of the host's own module, whose frames are the only ones that the package takes.
_as_the_host_does = FunctionType(_call_the_hook.__code__, {"__spec__": find_spec("pulumi.dynamic.__main__")})


def _read_status(context: _Context, text: str) -> Served:
    """What the engine makes of a failed call."""
    for _, value in context.trailing:
        status = status_pb2.Status.FromString(value)
        for detail in status.details:
            failed = provider_pb2.ErrorResourceInitFailed()
            if detail.Unpack(failed):
                outputs = rpc.deserialize_properties(failed.properties)
                return Served(None, "\n".join(failed.reasons), (failed.id, outputs))
        return Served(None, status.message)
    return Served(None, text)
