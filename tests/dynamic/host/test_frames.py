"""Whose frames are taken for the host's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from pulumi_drs_start.dynamic import host

from .conftest import ANSWER_SECONDS, URN, MakeHost

FOREIGN_URN = "urn:pulumi:of::another::program::x"


def facts_of(call: host.Call) -> dict[str, Any]:
    return {"urn": call.resource, "timeout": call.timeout_seconds}


class UsersOwnService(provider_pb2_grpc.ResourceProviderServicer):  # type: ignore[misc]
    """A gRPC program that looks up jobs while it serves a call, and names its variables as the host does."""

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - gRPC's names
        props = {"__provider": "theirs"}
        self.seen = host.current_call()
        self.is_reported = host.report_partial_failure(self.seen, "id", props, ["a reason"])
        return provider_pb2.CreateResponse()

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return empty_pb2.Empty()


def test_a_call_of_the_host_is_known_by_its_urn_and_time_limit(make_host: MakeHost) -> None:
    served = make_host(lambda _: facts_of(host.current_call()))

    told = served.create(timeout=90.0)

    assert told["urn"] == URN
    assert told["timeout"] == 90


def test_a_call_without_a_urn_or_a_time_limit_has_none(make_host: MakeHost) -> None:
    served = make_host(lambda _: {"has_none": host.current_call().resource == "", "timeout": host.current_call().timeout_seconds})

    told = served.create(urn="")

    assert told["has_none"] is True
    assert told["timeout"] == 0


def test_outside_of_any_host_there_is_an_empty_call_that_is_wanted() -> None:
    call = host.current_call()

    assert call.resource == ""
    assert call.timeout_seconds == 0
    assert call.is_wanted()


def test_a_frame_that_only_looks_like_the_hosts_is_not_taken(serving: Callable[..., str]) -> None:
    service = UsersOwnService()
    code = UsersOwnService.Cancel.__code__
    address = serving(provider_pb2_grpc.add_ResourceProviderServicer_to_server, service)

    with grpc.insecure_channel(address) as channel:
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        _, call = stub.Create.with_call(provider_pb2.CreateRequest(urn=FOREIGN_URN), timeout=ANSWER_SECONDS)

    assert service.seen.resource == ""
    assert service.is_reported is False
    assert not call.trailing_metadata()
    assert UsersOwnService.Cancel.__code__ is code


def test_the_hosts_frame_is_found_behind_one_that_looks_like_it(make_host: MakeHost) -> None:
    def in_between(request: Any, context: Any) -> dict[str, Any]:  # noqa: ARG001 - what the walk finds first
        return facts_of(host.current_call())

    def hook(_props: dict[str, Any]) -> dict[str, Any]:
        context = host.current_call()._context
        return in_between(provider_pb2.CreateRequest(urn=FOREIGN_URN), context)

    assert make_host(hook).create()["urn"] == URN
