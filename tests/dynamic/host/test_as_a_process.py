"""The host of the installed SDK in a process of its own, as the engine starts it, with our provider in it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime import rpc
from pulumi.runtime.proto import engine_pb2_grpc, provider_pb2, provider_pb2_grpc, status_pb2

from pulumi_drs_start.provider import JobBatchStartProvider
from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import ANSWER_SECONDS, URN, Engine


@contextmanager
def running_host(engine_address: str, environment: dict[str, str]) -> Iterator[Any]:
    """Its client."""
    command = [sys.executable, "-u", "-m", "pulumi.dynamic", engine_address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, **environment}) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield provider_pb2_grpc.ResourceProviderStub(channel)
        finally:
            process.kill()


def test_the_hosts_frames_are_found_where_it_is_the_main_module(sandbox: Sandbox, serving: Callable[..., str]) -> None:
    sandbox.add_jobs(make_job("slow", start_seconds=3600))
    engine = Engine()
    bag = struct_pb2.Struct()
    bag.update({"__provider": serialize_provider(JobBatchStartProvider()), "jobs": ["slow"]})

    with running_host(serving(engine_pb2_grpc.add_EngineServicer_to_server, engine), sandbox.environment) as stub:
        stub.Configure(provider_pb2.ConfigureRequest(), timeout=ANSWER_SECONDS)
        checked = stub.Check(provider_pb2.CheckRequest(urn=URN, news=bag), timeout=ANSWER_SECONDS)
        running = stub.Create.future(provider_pb2.CreateRequest(urn=URN, properties=checked.inputs), timeout=ANSWER_SECONDS)
        deadline = time.monotonic() + ANSWER_SECONDS
        while not sandbox.job("slow")["starts"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        stub.Cancel(empty_pb2.Empty(), timeout=ANSWER_SECONDS)
        with pytest.raises(grpc.RpcError) as failure:
            running.result()

    status = status_pb2.Status.FromString(dict(failure.value.trailing_metadata())["grpc-status-details-bin"])
    saved = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(saved)
    assert "when the operation was cancelled" in "".join(saved.reasons)
    outputs = rpc.deserialize_properties(saved.properties)
    assert outputs["__provider"] == bag["__provider"]
    assert outputs["job_statuses"]["slow"]["outcome"] == "started"
    assert {message.urn for message in engine.messages} == {URN}
