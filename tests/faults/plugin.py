"""
A stand-in for Pulumi's engine before the plugin, which runs in this process: requests and answers are those of the wire.

States are kept as the wire has them: camelCase, numbers as floats, and no value that is null.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2, struct_pb2
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2

from pulumi_drs_start.native import wire
from pulumi_drs_start.native.servicer import Servicer

from . import clock
from .front import FailedError, State
from .hosting import failed_call

TYPE = "drs:index:JobBatchStart"


class _AbortedError(Exception):
    """How a call ends that the servicer aborts."""


class _Context(grpc.ServicerContext):  # type: ignore[misc]
    """The part of a call's context that the servicer uses."""

    def __init__(self, abandoned: threading.Event) -> None:
        self._abandoned = abandoned
        self.trailing: dict[str, bytes] = {}

    def is_active(self) -> bool:
        return not self._abandoned.is_set()

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        self.trailing = dict(trailing_metadata)

    def abort(self, code: Any, details: str) -> NoReturn:
        raise _AbortedError(code, details)


_Context.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]


class Plugin:
    """The plugin of one command, configured as an explicit provider is.

    Args:
        settings: the configuration.

    Attributes:
        is_over: the user has cancelled the command, and the engine begins nothing more.
        is_abandoned: he has cancelled it twice, and the engine takes no more answers.
    """

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._servicer = Servicer()
        self._abandoned = threading.Event()
        self._cancelled_at: tuple[float, float] | None = None
        self.is_over = False
        news = {**settings, "password": rpc.wrap_rpc_secret(settings["password"])}
        checked = self.call("CheckConfig", provider_pb2.CheckRequest(urn="urn:provider", news=_struct(news)))
        if checked.failures:
            raise FailedError("; ".join(failure.reason for failure in checked.failures))
        self.call("Configure", provider_pb2.ConfigureRequest(args=checked.inputs, acceptSecrets=True))

    def call(self, method: str, request: Any) -> Any:
        """Make a call. Raises FailedError."""
        context = _Context(self._abandoned)
        try:
            return getattr(self._servicer, method)(request, context)
        except _AbortedError as exc:
            for value in context.trailing.values():
                raise failed_call(value) from None
            raise FailedError(str(exc.args[1])) from None

    def statuses(self, job_ids: list[str]) -> dict[str, str]:
        """What a program is told of jobs that asks for them. Raises FailedError."""
        rows = self._invoke("getJobStatuses", {"jobIds": job_ids})["statuses"]
        return {job_id: row["status"] for job_id, row in rows.items()}

    def find(self, name: str) -> list[str]:
        """The jobs of this name. Raises FailedError."""
        found: list[str] = self._invoke("findJobs", {"name": name})["jobIds"]
        return found

    def _invoke(self, function: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        asked = provider_pb2.InvokeRequest(tok=f"drs:index:{function}", args=_struct(arguments))
        answer = self.call("Invoke", asked)
        if answer.failures:
            raise FailedError("; ".join(failure.reason for failure in answer.failures))
        return MessageToDict(getattr(answer, "return"))

    def interrupt(self, moment: str, after_seconds: float) -> None:
        """Cancel the command after so many real seconds: once where it is ``cancelled``, twice where it is ``abandoned``."""
        threading.Timer(after_seconds, self.cancel, (moment,)).start()

    def cancel(self, moment: str) -> None:
        """Cancel the command now; see `interrupt`."""
        self.is_over, self._cancelled_at = True, (clock.real_monotonic(), clock.now())
        if moment == "abandoned":
            self._abandoned.set()
        else:
            self.call("Cancel", empty_pb2.Empty())

    @property
    def is_abandoned(self) -> bool:
        return self._abandoned.is_set()

    @property
    def seconds_since_cancel(self) -> float:
        """Real seconds; 0 where nobody has cancelled. Where time stands still, a minute of waiting counts as two of them."""
        if self._cancelled_at is None:
            return 0.0
        real, now = self._cancelled_at
        return max(clock.real_monotonic() - real, 0.0 if clock.runs() else (clock.now() - now) / 30)


class Plugged:
    """A resource of a program in any language: a `front.Front`.

    Args:
        plugin: that serves it.
        program: its name.
        name: of the resource.
    """

    def __init__(self, plugin: Plugin, program: str, name: str) -> None:
        self._plugin = plugin
        self._resource = {"urn": f"urn:pulumi:{program}::faults::{TYPE}::{name}", "name": name, "type": TYPE}

    def check(self, state: State, declared: Mapping[str, Any]) -> dict[str, Any]:
        """See `front.Front`, as of all of these."""
        checked = self._call("Check", provider_pb2.CheckRequest, olds=state["inputs"], news=_camel_case(declared))
        if checked.failures:
            raise FailedError("; ".join(failure.reason for failure in checked.failures))
        return MessageToDict(checked.inputs)

    def difference(self, state: State, inputs: Mapping[str, Any]) -> str | None:
        answer = self._call("Diff", provider_pb2.DiffRequest, **_known(state), news=inputs)
        if answer.changes != provider_pb2.DiffResponse.DIFF_SOME:
            return None
        _check_shown(answer, state["inputs"], inputs)
        return "replace" if answer.replaces else "update"

    def preview(self, state: State, inputs: Mapping[str, Any]) -> None:
        self._change(state, inputs, preview=True)

    def apply(self, state: State, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        answer = self._change(state, inputs)
        return state["id"] or answer.id, MessageToDict(answer.properties)

    def _change(self, state: State, inputs: Mapping[str, Any], **options: Any) -> Any:
        if state["id"] is None:
            return self._call("Create", provider_pb2.CreateRequest, properties=inputs, **options)
        return self._call("Update", provider_pb2.UpdateRequest, **_known(state), news=inputs, **options)

    def read(self, state: State) -> dict[str, Any]:
        request = {"id": state["id"], "properties": state["outputs"], "inputs": state["inputs"]}
        answer = self._call("Read", provider_pb2.ReadRequest, **request)
        if (answer.id, MessageToDict(answer.inputs)) != (state["id"], state["inputs"]):
            raise AssertionError("a refresh changes what is declared")
        return MessageToDict(answer.properties)

    def delete(self, state: State) -> None:
        request = {"id": state["id"], "properties": state["outputs"], "old_inputs": state["inputs"]}
        self._call("Delete", provider_pb2.DeleteRequest, **request)

    def bag(self, outputs: Mapping[str, Any]) -> Mapping[str, Any]:
        return bag(outputs)

    def _call(self, method: str, request: Callable[..., Any], **fields: Any) -> Any:
        structs = {name: _struct(value) if isinstance(value, Mapping) else value for name, value in fields.items()}
        return self._plugin.call(method, request(**self._resource, **structs))


def bag(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Outputs by Python's names."""
    return wire.to_bag(_struct(outputs))


def _known(state: State) -> dict[str, Any]:
    return {"id": state["id"], "olds": state["outputs"], "old_inputs": state["inputs"]}


def _struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(values)
    return struct


def _camel_case(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {re.sub("_(.)", lambda found: found[1].upper(), name): _camel_case(part) for name, part in value.items()}
    return [_camel_case(part) for part in value] if isinstance(value, list) else value


def _check_shown(answer: Any, olds: Mapping[str, Any], news: Mapping[str, Any]) -> None:
    """Without a path into inputs the engine shows no change."""
    for path in answer.detailedDiff:
        name, _, place = path.removesuffix("]").partition("[")
        longest = max(len(inputs.get(name, ())) for inputs in (olds, news)) if place else 0
        if (name not in olds and name not in news) or int(place or -1) >= longest:
            raise AssertionError(f"{path} is no input")
    if not answer.hasDetailedDiff or not answer.detailedDiff:
        raise AssertionError("a change that is not shown")
