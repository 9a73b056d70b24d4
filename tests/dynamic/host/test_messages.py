"""Lines on the resource's row: they reach the engine, or the log where no engine takes them."""

from __future__ import annotations

import logging
import socket
import sys
from typing import Any

import pytest

from pulumi_drs_start.dynamic import host

from .conftest import URN, Engine, MakeHost


def tell(_props: dict[str, Any]) -> dict[str, Any]:
    call = host.current_call()
    call.info("two jobs were started")
    call.warn("one is paused")
    return {"is_done": True}


def test_messages_go_to_the_row_of_the_resource(make_host: MakeHost, engine: Engine) -> None:
    make_host(tell).create()

    assert engine.told() == [("INFO", "two jobs were started"), ("WARNING", "one is paused")]
    assert {message.urn for message in engine.messages} == {URN}
    assert not any(message.ephemeral for message in engine.messages)


def test_progress_is_told_when_it_changes_and_not_kept(make_host: MakeHost, engine: Engine) -> None:
    def hook(_props: dict[str, Any]) -> dict[str, Any]:
        call = host.current_call()
        for text in ("1 of 2", "1 of 2", "2 of 2"):
            call.progress(text)
        return {}

    make_host(hook).create()

    assert engine.told() == [("INFO", "1 of 2"), ("INFO", "2 of 2")]
    assert all(message.ephemeral for message in engine.messages)


@pytest.mark.parametrize("arguments", [[], ["tests/host"], ["not an address"], [":50051"], ["127.0.0.1:"]])
def test_without_an_engine_messages_go_to_the_log(
    make_host: MakeHost, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, arguments: list[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["host", *arguments])

    with caplog.at_level(logging.INFO, "pulumi_drs_start"):
        make_host(tell).create()

    assert caplog.messages == ["two jobs were started", "one is paused"]


def test_without_a_host_messages_go_to_the_log(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "pulumi_drs_start"):
        tell({})

    assert caplog.messages == ["two jobs were started", "one is paused"]
    assert engine.messages == []


def test_a_message_that_the_engine_refuses_stops_nothing(make_host: MakeHost, engine: Engine) -> None:
    engine.refuses = True

    assert make_host(tell).create() == {"is_done": True, "__provider": "probe"}

    assert len(engine.messages) == 2


def test_an_engine_that_is_gone_stops_nothing(make_host: MakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setattr(sys, "argv", ["host", f"127.0.0.1:{port}"])

    assert make_host(tell).create()["is_done"] is True
