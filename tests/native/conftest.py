"""The servicer, served over real gRPC against a sandbox, and a program that calls it as Pulumi's engine does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from pulumi_drs_start.native import servicer as servicer_module
from pulumi_drs_start.native import wire
from pulumi_drs_start.native.servicer import Servicer
from pulumi_drs_start.operations import asking, command
from pulumi_drs_start.operations.connections import Connections
from pulumi_drs_start.sandbox import Sandbox
from tests.dynamic.host.conftest import Engine, engine, serving

__all__ = ["Engine", "engine", "serving"]

URN = "urn:pulumi:dev::jobs::drs:index:JobBatchStart::batch"
ANSWER_SECONDS = 30


def struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(values)
    return made


@dataclass
class Program:
    """One resource of a program in some language, and its state. Every command is a process of its own.

    Attributes:
        stub: of the servicer of the last command.
        inputs: of the state.
        outputs: of the state.
    """

    start: Callable[[], Any]
    id: str = ""
    inputs: struct_pb2.Struct = field(default_factory=struct_pb2.Struct)
    outputs: struct_pb2.Struct = field(default_factory=struct_pb2.Struct)
    stub: Any = None

    def begin(self, **config: Any) -> Any:
        """Begin a command."""
        self.stub = self.start()
        return self.stub.Configure(provider_pb2.ConfigureRequest(args=struct(config), acceptSecrets=True), timeout=ANSWER_SECONDS)

    def check(self, **inputs: Any) -> Any:
        request = provider_pb2.CheckRequest(urn=URN, olds=self.inputs, news=struct(inputs))
        return self.stub.Check(request, timeout=ANSWER_SECONDS)

    def diff(self, checked: Any) -> Any:
        request = provider_pb2.DiffRequest(id=self.id, urn=URN, olds=self.outputs, news=checked.inputs, old_inputs=self.inputs)
        return self.stub.Diff(request, timeout=ANSWER_SECONDS)

    def run(self, *, preview: bool = False, **inputs: Any) -> dict[str, Any] | None:
        """What the engine does in a preview or an up; gives the outputs, None where nothing changes."""
        checked = self.check(**inputs)
        assert not checked.failures
        if not self.id:
            request: Any = provider_pb2.CreateRequest(urn=URN, properties=checked.inputs, preview=preview)
            return self._save(self.stub.Create, request, checked.inputs)
        if self.diff(checked).changes == provider_pb2.DiffResponse.DIFF_NONE:
            return None
        request = provider_pb2.UpdateRequest(
            id=self.id, urn=URN, olds=self.outputs, news=checked.inputs, old_inputs=self.inputs, preview=preview
        )
        return self._save(self.stub.Update, request, checked.inputs)

    def _save(self, call: Any, request: Any, inputs: struct_pb2.Struct) -> dict[str, Any]:
        try:
            answer = call(request, timeout=ANSWER_SECONDS)
        except grpc.RpcError as exc:
            failed = init_failure(exc)
            self.id, self.inputs, self.outputs = failed.id, inputs, failed.properties
            raise
        if not request.preview:
            self.id, self.inputs, self.outputs = getattr(answer, "id", self.id) or self.id, inputs, answer.properties
        return wire.plain(answer.properties)[0]

    def invoke(self, function: str, **arguments: Any) -> Any:
        """Call a function."""
        return self.stub.Invoke(
            provider_pb2.InvokeRequest(tok=f"drs:index:{function}", args=struct(arguments)), timeout=ANSWER_SECONDS
        )

    def cancel(self) -> None:
        self.stub.Cancel(empty_pb2.Empty(), timeout=ANSWER_SECONDS)


def init_failure(error: grpc.RpcError) -> Any:
    """What the engine saves of a resource that failed in part."""
    trailers = dict(error.trailing_metadata())  # type: ignore[attr-defined]
    failed = provider_pb2.ErrorResourceInitFailed()
    assert status_pb2.Status.FromString(trailers["grpc-status-details-bin"]).details[0].Unpack(failed)
    return failed


@pytest.fixture(autouse=True)
def _plain_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that this process serves: the tests have no pulumi among their ancestors."""
    monkeypatch.setattr(command, "pulumi_arguments", lambda: ("pulumi", "up"))


@pytest.fixture
def program(sandbox: Sandbox, serving: Callable[..., str], engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """A program whose environment points at the sandbox; `engine` takes what is told."""
    assert not engine.messages
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    with ExitStack() as open_ones:

        def start() -> Any:
            connections = open_ones.enter_context(closing(Connections()))
            for module in (servicer_module, asking):
                monkeypatch.setattr(module, "process_connections", lambda: connections)
            address = serving(provider_pb2_grpc.add_ResourceProviderServicer_to_server, Servicer())
            return provider_pb2_grpc.ResourceProviderStub(open_ones.enter_context(grpc.insecure_channel(address)))

        program = Program(start)
        program.begin()
        yield program
