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
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import provider_pb2, status_pb2

from pulumi_drs_start.dynamic import host
from pulumi_drs_start.operations import command
from pulumi_drs_start.provider import JobBatchStartProvider
from pulumi_drs_start.settings import keys

from .front import FailedError, State

_VARIABLES = {key.config: key.environment[0] for key in keys.KEYS.values() if key.config and key.environment}

PROVIDER = {"__provider": "pickled"}
"""What every bag of the real host carries besides."""


class _NoConfig:
    def get(self, _key: str) -> None:
        return None


class _Configuration:
    config = _NoConfig()


NO_CONFIG: Any = _Configuration()
"""That of a stack that is configured by the environment alone."""


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


def environment_of(settings: Mapping[str, str]) -> dict[str, str]:
    """The variables that say the same as these keys of a stack's configuration."""
    return {_VARIABLES[key]: value for key, value in settings.items()}


def urn_of(program: str, resource: str) -> str:
    """The engine's name for a resource."""
    return f"urn:pulumi:{program}::faults::pulumi-python:dynamic/drs:JobBatchStart::{resource}"


class Hosted:
    """A resource of a program in Python: a `front.Front`.

    Args:
        provider: whose hooks are called.
        urn: of the resource.
        is_found: the package finds the host's internals.
    """

    def __init__(self, provider: JobBatchStartProvider, urn: str, *, is_found: bool) -> None:
        self._provider, self._urn, self._is_found = provider, urn, is_found

    def check(self, state: State, declared: Mapping[str, Any]) -> dict[str, Any]:
        """See `front.Front`, as of all of these."""
        checked = self._serve(self._provider.check, delivered(state["inputs"]), delivered(declared))
        if checked.failures:
            raise FailedError("; ".join(failure.reason for failure in checked.failures))
        return delivered(checked.inputs)

    def difference(self, state: State, inputs: Mapping[str, Any]) -> str | None:
        answer = self._serve(self._provider.diff, state["id"], delivered(state["outputs"]), inputs)
        return "replace" if answer.replaces else "update" if answer.changes else None

    def preview(self, state: State, inputs: Mapping[str, Any]) -> None:
        pass

    def apply(self, state: State, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        if state["id"] is None:
            created = self._serve(self._provider.create, inputs)
            return created.id, delivered(created.outs)
        updated = self._serve(self._provider.update, state["id"], delivered(state["outputs"]), inputs)
        return state["id"], delivered(updated.outs)

    def read(self, state: State) -> dict[str, Any]:
        return delivered(self._serve(self._provider.read, state["id"], delivered(state["outputs"])).outs)

    def delete(self, state: State) -> None:
        self._serve(self._provider.delete, state["id"], delivered(state["outputs"]))

    def bag(self, outputs: Mapping[str, Any]) -> Mapping[str, Any]:
        return outputs

    def _serve(self, hook: Callable[..., Any], *arguments: Any) -> Any:
        """Call a hook as the host does."""
        context = _Context()
        try:
            if not self._is_found:
                return hook(*arguments)
            return _as_the_host_does(hook, arguments, context, _Request(self._urn), {**arguments[-1], **PROVIDER})
        except host.HookFailedError as exc:
            raise _read_status(context, str(exc)) from None


def delivered(value: Any) -> Any:
    """A bag as the host hands it over: numbers as floats, without the Nones of dicts."""
    if isinstance(value, Mapping):
        return {key: delivered(part) for key, part in value.items() if part is not None}
    if isinstance(value, (list, tuple)):
        return [delivered(part) for part in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


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


def _read_status(context: _Context, text: str) -> FailedError:
    """What the engine makes of a failed call."""
    for _, value in context.trailing:
        return failed_call(value)
    return FailedError(text)


def failed_call(value: bytes) -> FailedError:
    """The failure that is told by a gRPC status."""
    status = status_pb2.Status.FromString(value)
    for detail in status.details:
        failed = provider_pb2.ErrorResourceInitFailed()
        if detail.Unpack(failed):
            return FailedError("\n".join(failed.reasons), (failed.id, MessageToDict(failed.properties)))
    return FailedError(status.message)
