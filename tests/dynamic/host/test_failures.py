"""What the engine is told of a call that failed."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2, status_pb2

from pulumi_drs_start.dynamic import host

from .conftest import Host, MakeHost

OUTPUTS = {"ready": False, "job_statuses": {"a": {"phase": "failed"}}}


def status_of(served: Host) -> Any:
    """The status beside the failure, which the engine prefers to what the host says; None if there is none."""
    with pytest.raises(grpc.RpcError) as failure:
        served.create()
    beside = dict(failure.value.trailing_metadata())
    text = beside.get("grpc-status-details-bin")
    return status_pb2.Status.FromString(text) if text else None


def test_an_expected_error_reaches_the_engine_as_its_words_alone(make_host: MakeHost) -> None:
    def hook(_props: dict[str, Any]) -> dict[str, Any]:
        raise host.failure(host.current_call(), "the password is wrong\nset OS_PASSWORD")

    status = status_of(make_host(hook))

    assert status.message == "the password is wrong\nset OS_PASSWORD"
    assert status.code == grpc.StatusCode.UNKNOWN.value[0]
    assert not status.details


def test_a_partial_failure_saves_the_resource_with_its_provider(make_host: MakeHost) -> None:
    def hook(_props: dict[str, Any]) -> dict[str, Any]:
        assert host.report_partial_failure(host.current_call(), "drs-1", OUTPUTS, ["a failed", "b failed"])
        raise host.HookFailedError("whatever the host makes of this")

    status = status_of(make_host(hook))

    saved = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(saved)
    assert saved.id == "drs-1"
    assert list(saved.reasons) == ["a failed", "b failed"]
    assert rpc.deserialize_properties(saved.properties) == {**OUTPUTS, "__provider": "probe"}


def test_without_a_provider_key_a_partial_failure_is_not_possible(make_host: MakeHost) -> None:
    """The engine would save a resource that nothing could ever be done with."""
    answers = []

    def hook(props: dict[str, Any]) -> dict[str, Any]:
        del props["__provider"]
        answers.append(host.report_partial_failure(host.current_call(), "drs-1", OUTPUTS, ["a failed"]))
        raise host.HookFailedError("a failed")

    assert status_of(make_host(hook)) is None
    assert answers == [False]


def test_without_the_hosts_context_a_partial_failure_is_not_possible() -> None:
    call = host.current_call()

    assert str(host.failure(call, "goes nowhere, and harms nobody")) == "goes nowhere, and harms nobody"

    assert host.report_partial_failure(call, "drs-1", OUTPUTS, ["a failed"]) is False
