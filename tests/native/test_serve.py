"""The plugin as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc

import pulumi_drs_start

NO_ENGINE = "127.0.0.1:1"


@pytest.fixture
def plugin() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "pulumi_drs_start", NO_ENGINE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def test_it_tells_its_port_and_serves_there(plugin: subprocess.Popen[str]) -> None:
    assert plugin.stdout is not None
    port = int(plugin.stdout.readline())

    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        info = provider_pb2_grpc.ResourceProviderStub(channel).GetPluginInfo(empty_pb2.Empty(), timeout=20)

    assert info.version == pulumi_drs_start.__version__


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_once_and_without_a_word_when_it_is_asked_to(plugin: subprocess.Popen[str], number: signal.Signals) -> None:
    assert plugin.stdout is not None
    assert plugin.stderr is not None
    plugin.stdout.readline()

    plugin.send_signal(number)

    assert plugin.wait(timeout=10) == 0
    assert plugin.stderr.read() == ""


def test_it_ends_when_the_engine_is_gone(tmp_path: Path) -> None:
    # It is gone when the plugin has told its port, by which time that knows whose plugin it is.
    port = tmp_path / "port"
    engine = f"{sys.executable} -m pulumi_drs_start {NO_ENGINE} >{port} 2>&1 & echo $!; until [ -s {port} ]; do sleep 0.1; done"
    pid = int(subprocess.run(["sh", "-c", engine], stdout=subprocess.PIPE, text=True, check=True).stdout)

    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.2)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("it goes on without an engine")
