"""Pulumi's own dynamic host, served over real gRPC, with a provider that does what the test says; and an engine to talk to."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.dynamic import CreateResult, ResourceProvider
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, provider_pb2_grpc

URN = "urn:pulumi:stack::project::pulumi-python:dynamic/drs:JobBatchStart::batch"
AS_IT_IS = "as it is"
ANSWER_SECONDS = 20

Hook = Callable[[dict[str, Any]], dict[str, Any]]
MakeHost = Callable[..., "Host"]


class _Probe(ResourceProvider):
    """A provider whose create is the test's own function, from the bag to the outputs."""

    def __init__(self, hook: Hook) -> None:
        self.hook = hook

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult("id", self.hook(props))


@dataclass
class Host:
    """A host that is being served, and its client, in the engine's place."""

    servicer: Any
    stub: Any

    @property
    def cancel_function(self) -> Any:
        return type(self.servicer).Cancel

    def configure(self, config: Mapping[str, str] | None = None) -> None:
        """What the engine does before all else of a command, with the stack's configuration."""
        args = struct_pb2.Struct()
        args.update(config or {})
        self.stub.Configure(provider_pb2.ConfigureRequest(args=args), timeout=ANSWER_SECONDS)

    def begin_create(self, **fields: Any) -> Any:
        """A call of the hook that goes on meanwhile."""
        properties = struct_pb2.Struct()
        properties["__provider"] = "probe"
        return self.stub.Create.future(
            provider_pb2.CreateRequest(**{"urn": URN, "properties": properties, **fields}), timeout=ANSWER_SECONDS
        )

    def create(self, **fields: Any) -> dict[str, Any]:
        """Call the hook, for its outputs."""
        return dict(self.begin_create(**fields).result().properties)

    def cancel(self) -> Any:
        """What the engine does at the first Ctrl-C; the call, for what came beside its empty answer."""
        _, call = self.stub.Cancel.with_call(empty_pb2.Empty(), timeout=ANSWER_SECONDS)
        return call


def load_host(cancel: str | None = AS_IT_IS) -> ModuleType:
    """The module of the host of the SDK that is installed, not started; with another Cancel, or with none."""
    spec = importlib.util.find_spec("pulumi.dynamic.__main__")
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(spec.loader.get_source(spec.name))  # type: ignore[union-attr]
    # The last line would serve it for ever.
    assert ast.unparse(tree.body.pop()) == "main()"
    if cancel != AS_IT_IS:
        servicer = next(
            node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "DynamicResourceProviderServicer"
        )
        servicer.body = [node for node in servicer.body if getattr(node, "name", None) != "Cancel"]
        servicer.body += ast.parse(cancel or "").body
    module = importlib.util.module_from_spec(spec)
    exec(compile(tree, spec.origin, "exec"), module.__dict__)  # noqa: S102 - the SDK's own source
    return module


@pytest.fixture
def serving() -> Iterator[Callable[..., str]]:
    """Serves a servicer on loopback, as its add_…_to_server function says; gives the address."""
    with ExitStack() as running:

        def serve(add: Callable[[Any, grpc.Server], None], servicer: Any) -> str:
            pool = running.enter_context(futures.ThreadPoolExecutor(4))
            server = grpc.server(pool)
            add(servicer, server)
            port = server.add_insecure_port("127.0.0.1:0")
            server.start()
            running.callback(lambda: server.stop(None).wait())
            return f"127.0.0.1:{port}"

        yield serve


@pytest.fixture
def make_host(serving: Callable[..., str]) -> Iterator[MakeHost]:
    """Serves a host whose create is this hook, and whose Cancel may be another."""
    with ExitStack() as channels:

        def make(hook: Hook, cancel: str | None = AS_IT_IS) -> Host:
            module = load_host(cancel)
            module._PROVIDER_CACHE["probe"] = _Probe(hook)
            servicer = module.DynamicResourceProviderServicer()
            address = serving(provider_pb2_grpc.add_ResourceProviderServicer_to_server, servicer)
            channel = channels.enter_context(grpc.insecure_channel(address))
            return Host(servicer, provider_pb2_grpc.ResourceProviderStub(channel))

        yield make


@dataclass
class Engine(engine_pb2_grpc.EngineServicer):  # type: ignore[misc]
    """Takes messages for the display, or refuses them."""

    refuses: bool = False
    messages: list[Any] = field(default_factory=list)

    def Log(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802 - gRPC's name
        self.messages.append(request)
        if self.refuses:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no such resource")
        return empty_pb2.Empty()

    def told(self) -> list[tuple[str, str]]:
        """Severity and text of every message."""
        return [(engine_pb2.LogSeverity.Name(one.severity), one.message) for one in self.messages]


@pytest.fixture
def engine(serving: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The engine that has started this process, as far as its arguments tell."""
    engine = Engine()
    monkeypatch.setattr(sys, "argv", ["host", serving(engine_pb2_grpc.add_EngineServicer_to_server, engine)])
    return engine
