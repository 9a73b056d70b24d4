"""A stack with one resource, driven as the engine drives a provider: over gRPC, with either front behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, ClassVar

import grpc
import pytest
from google.protobuf import struct_pb2
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from pulumi_drs_start.native import wire
from pulumi_drs_start.native.servicer import Servicer
from pulumi_drs_start.operations import command
from pulumi_drs_start.operations.connections import process_connections
from pulumi_drs_start.provider import JobBatchStartProvider
from pulumi_drs_start.sandbox import Sandbox
from pulumi_drs_start.schema.dialect import PYTHON, YAML, Dialect
from tests.dynamic.host.conftest import ANSWER_SECONDS, URN, Engine, MakeHost, engine, make_host, serving

__all__ = ["Engine", "engine", "make_host", "serving"]

PROVIDER = serialize_provider(JobBatchStartProvider())
NONE, SOME = provider_pb2.DiffResponse.DIFF_NONE, provider_pb2.DiffResponse.DIFF_SOME


class FailedError(Exception):
    """A call failed.

    Attributes:
        message: as the user reads it.
        saved: of a resource that is saved all the same: its id, outputs and the reasons.
    """

    def __init__(self, error: grpc.RpcError) -> None:
        text = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
        status = status_pb2.Status.FromString(text) if text else None
        self.message: str = status.message if status else error.details()
        self.saved: Any = None
        if status and status.details:
            self.saved = provider_pb2.ErrorResourceInitFailed()
            status.details[0].Unpack(self.saved)
        super().__init__(self.message)


@dataclass
class Stack:
    """A stack with one resource, as the engine deals with it.

    Attributes:
        stub: of the provider.
        resource_id: empty before the resource is created.
        inputs: as the state has them.
        outputs: as the state has them.
    """

    stub: Any
    resource_id: str = ""
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    dialect: ClassVar[Dialect] = PYTHON

    def struct(self, bag: Mapping[str, Any]) -> struct_pb2.Struct:
        """The wire form of inputs or outputs."""
        struct = struct_pb2.Struct()
        struct.update({**bag, "__provider": PROVIDER})
        return struct

    def bag(self, struct: struct_pb2.Struct) -> dict[str, Any]:
        """Inputs or outputs by Python's names."""
        bag: dict[str, Any] = rpc.deserialize_properties(struct, True)
        assert bag.pop("__provider") == PROVIDER
        return bag

    def ask(self, method: str, **fields: Any) -> Any:
        bags = {name: self.struct(value) if isinstance(value, Mapping) else value for name, value in fields.items()}
        request = getattr(provider_pb2, f"{method}Request")(urn=URN, **bags)
        try:
            return getattr(self.stub, method)(request, timeout=ANSWER_SECONDS)
        except grpc.RpcError as exc:
            raise FailedError(exc) from None

    def check(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.ask("Check", news=inputs, **({"olds": self.outputs} if self.outputs else {}))
        assert list(answer.failures) == []
        return self.bag(answer.inputs)

    def problems(self, inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        return [(failure.property, failure.reason) for failure in self.ask("Check", news=inputs).failures]

    def diff(self, inputs: Mapping[str, Any]) -> Any:
        checked = self.check(inputs)
        return self.ask("Diff", id=self.resource_id, olds=self.outputs, old_inputs=self.inputs, news=checked)

    def up(self, inputs: Mapping[str, Any], timeout: float = 0) -> dict[str, Any]:
        """Create or update; give the outputs. A resource that is saved although it failed is kept, as the engine does."""
        checked = self.check(inputs)
        try:
            if self.resource_id:
                state = {"id": self.resource_id, "olds": self.outputs, "old_inputs": self.inputs}
                answer = self.ask("Update", **state, news=checked, timeout=timeout)
            else:
                answer = self.ask("Create", properties=checked, timeout=timeout)
                self.resource_id = answer.id
            self.inputs = checked
            return self._keep(answer.properties)
        except FailedError as exc:
            self._save(exc)
            raise

    def refresh(self) -> dict[str, Any]:
        try:
            answer = self.ask("Read", id=self.resource_id, properties=self.outputs, inputs=self.inputs)
            return self._keep(answer.properties)
        except FailedError as exc:
            self._save(exc)
            raise

    def delete(self) -> None:
        self.ask("Delete", id=self.resource_id, properties=self.outputs)

    def _keep(self, properties: Any) -> dict[str, Any]:
        self.outputs = self.bag(properties)
        return self.outputs

    def _save(self, failed: FailedError) -> None:
        if failed.saved is not None:
            self.resource_id = failed.saved.id
            self._keep(failed.saved.properties)


@dataclass
class NativeStack(Stack):
    """A stack whose provider is the plugin. Bags have Python's names here, and those of other languages on the wire."""

    dialect: ClassVar[Dialect] = YAML

    def struct(self, bag: Mapping[str, Any]) -> struct_pb2.Struct:
        return wire.from_bag(bag)

    def bag(self, struct: struct_pb2.Struct) -> dict[str, Any]:
        return wire.to_bag(struct)


@pytest.fixture(params=["dynamic", "native"])
def front(request: pytest.FixtureRequest) -> str:
    """Which front serves the stack."""
    return str(request.param)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(start_seconds=0, full_seconds=0, complete_seconds=0, stop_seconds=0) as running:
        yield running


@pytest.fixture
def new_command(front: str, make_host: MakeHost, serving: Callable[..., str]) -> Iterator[Callable[..., Any]]:
    """Gives the stub of a new provider, as the engine starts one for every command. A host loads it by the name in the bags."""
    with ExitStack() as channels:

        def start(**config: str) -> Any:
            _forget()
            if front == "dynamic":
                host = make_host(dict)
                host.configure({f"drs:{name}": value for name, value in config.items()})
                return host.stub
            address = serving(provider_pb2_grpc.add_ResourceProviderServicer_to_server, Servicer())
            stub = provider_pb2_grpc.ResourceProviderStub(channels.enter_context(grpc.insecure_channel(address)))
            stub.Configure(provider_pb2.ConfigureRequest(args=wire.struct_of(config)), timeout=ANSWER_SECONDS)
            return stub

        yield start
    _forget()


def _forget() -> None:
    """What one process keeps for all of its providers; here each has its own."""
    process_connections().close()
    process_connections.cache_clear()


@pytest.fixture
def stack(
    new_command: Callable[..., Any],
    front: str,
    sandbox: Sandbox,
    engine: Engine,  # noqa: ARG001 - takes the messages
    monkeypatch: pytest.MonkeyPatch,
) -> Stack:
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    # The command that the provider serves: the tests have no pulumi among their ancestors.
    monkeypatch.setattr(command, "pulumi_arguments", lambda: ("pulumi", "up"))
    return (Stack if front == "dynamic" else NativeStack)(new_command())
