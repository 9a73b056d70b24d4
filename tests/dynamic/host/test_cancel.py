"""The first Ctrl-C: heard where the host's Cancel is the one that does nothing; any other is left as it was."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc

from pulumi_drs_start.dynamic import host

from .conftest import MakeHost

COUNTING = """
def Cancel(self, request, context):
    self.cancels = getattr(self, "cancels", 0) + 1
    context.set_trailing_metadata((("said", "by the original"),))
    return empty_pb2.Empty()
"""
OTHER_NAMES = """
def Cancel(self, req, ctx):
    return empty_pb2.Empty()
"""
NOT_A_FUNCTION = """
class Quiet:
    def __call__(self, request, context):
        return empty_pb2.Empty()
Cancel = Quiet()
"""
COROUTINE = """
async def Cancel(self, request, context):
    return empty_pb2.Empty()
"""
WRAPPED = """
def _noted(fn):
    def wrapper(self, request, context):
        self.cancels = getattr(self, "cancels", 0) + 1
        return fn(self, request, context)
    return wrapper

@_noted
def Cancel(self, request, context):
    return empty_pb2.Empty()
"""
CLOSURE = """
def _made(checked):
    def Cancel(self, request, context):
        return checked(empty_pb2.Empty())
    return Cancel

Cancel = _made(lambda answer: answer)
"""


class Patient:
    """A hook that works until it is not wanted any more, for ten seconds at most."""

    def __init__(self) -> None:
        self.has_begun = threading.Event()
        self.was_wanted: bool | None = None
        self.has_ended = threading.Event()

    def __call__(self, _props: dict[str, Any]) -> dict[str, Any]:
        call = host.current_call()
        self.has_begun.set()
        deadline = time.monotonic() + 10
        while call.is_wanted() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.was_wanted = call.is_wanted()
        self.has_ended.set()
        return {"was_wanted": self.was_wanted}


@pytest.fixture
def patient() -> Patient:
    return Patient()


def is_wanted(_props: dict[str, Any]) -> dict[str, Any]:
    return {"was_wanted": host.current_call().is_wanted()}


def test_the_first_ctrl_c_ends_a_call_that_runs(make_host: MakeHost, patient: Patient) -> None:
    served = make_host(patient)
    running = served.begin_create()
    assert patient.has_begun.wait(10)

    served.cancel()

    assert running.result().properties["was_wanted"] is False


def test_calls_that_come_after_the_cancel_are_not_wanted_either(make_host: MakeHost) -> None:
    """The engine may have sent one before it knew."""
    served = make_host(is_wanted)
    assert served.create()["was_wanted"] is True

    served.cancel()

    assert served.create()["was_wanted"] is False
    assert served.create()["was_wanted"] is False


def test_the_next_command_that_the_process_serves_is_wanted(make_host: MakeHost) -> None:
    served = make_host(is_wanted)
    served.configure()
    served.create()
    served.cancel()
    assert served.create()["was_wanted"] is False

    served.configure()

    assert served.create()["was_wanted"] is True
    served.cancel()
    assert served.create()["was_wanted"] is False


def test_a_cancel_ends_a_call_that_began_before_the_host_was_configured_again(make_host: MakeHost, patient: Patient) -> None:
    served = make_host(patient)
    served.configure()
    running = served.begin_create()
    assert patient.has_begun.wait(10)

    served.configure()
    served.cancel()

    assert running.result().properties["was_wanted"] is False


def test_configuring_again_does_not_revive_a_call_that_was_cancelled(make_host: MakeHost) -> None:
    has_begun, goes_on = threading.Event(), threading.Event()

    def hook(_props: dict[str, Any]) -> dict[str, Any]:
        call = host.current_call()
        has_begun.set()
        goes_on.wait(10)
        return {"was_wanted": call.is_wanted()}

    served = make_host(hook)
    running = served.begin_create()
    assert has_begun.wait(10)

    served.cancel()
    served.configure()
    goes_on.set()

    assert running.result().properties["was_wanted"] is False


def test_the_known_cancel_is_given_another_body_once(make_host: MakeHost) -> None:
    served = make_host(is_wanted)
    known = served.cancel_function.__code__
    served.create()
    first = served.cancel_function.__code__

    served.create()

    assert first is not known
    assert served.cancel_function.__code__ is first


def test_calls_at_once_patch_it_once(make_host: MakeHost) -> None:
    """Whichever thread is the second, the original is what is called behind the new body."""
    served = make_host(is_wanted)
    for running in [served.begin_create() for _ in range(20)]:
        running.result()

    served.cancel()

    assert served.create()["was_wanted"] is False


def test_the_new_body_returns_what_the_original_does(make_host: MakeHost) -> None:
    served = make_host(is_wanted)
    served.create()
    answer = empty_pb2.Empty()
    served.cancel_function.__globals__["empty_pb2"] = type("Other", (), {"Empty": staticmethod(lambda: answer)})

    assert served.servicer.Cancel(empty_pb2.Empty(), None) is answer


def test_the_new_body_needs_no_name_of_our_module(make_host: MakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    served = make_host(is_wanted)
    served.create()
    monkeypatch.delitem(sys.modules, host.__name__)

    served.cancel()

    assert served.create()["was_wanted"] is False


@pytest.mark.parametrize("cancel", [COUNTING, WRAPPED], ids=["itself", "wrapped"])
def test_a_cancel_that_does_something_still_does_it(make_host: MakeHost, cancel: str) -> None:
    served = make_host(is_wanted, cancel)
    code = served.cancel_function.__code__
    served.create()

    call = served.cancel()

    assert served.servicer.cancels == 1
    assert served.cancel_function.__code__ is code
    if cancel == COUNTING:
        assert dict(call.trailing_metadata()) == {"said": "by the original"}


def test_a_cancel_that_fails_still_fails_as_it_did(make_host: MakeHost) -> None:
    served = make_host(is_wanted, "def Cancel(self, request, context):\n    context.abort(grpc.StatusCode.ABORTED, 'not now')")
    served.create()

    with pytest.raises(grpc.RpcError) as failure:
        served.cancel()

    assert failure.value.code() == grpc.StatusCode.ABORTED
    assert failure.value.details() == "not now"


@pytest.mark.parametrize("cancel", [COUNTING, OTHER_NAMES, NOT_A_FUNCTION, None], ids=["counting", "names", "object", "none"])
def test_where_the_cancel_is_another_the_second_ctrl_c_ends_a_call(
    make_host: MakeHost, patient: Patient, cancel: str | None
) -> None:
    served = make_host(patient, cancel)
    running = served.begin_create()
    assert patient.has_begun.wait(10)
    if cancel is not None:
        served.cancel()
    time.sleep(0.1)
    assert not patient.has_ended.is_set()

    running.cancel()

    assert patient.has_ended.wait(20)
    assert patient.was_wanted is False


@pytest.mark.parametrize("cancel", [OTHER_NAMES, COROUTINE, CLOSURE], ids=["names", "coroutine", "closure"])
def test_a_cancel_of_another_form_is_left_alone(make_host: MakeHost, cancel: str) -> None:
    served = make_host(is_wanted, cancel)
    code = served.cancel_function.__code__

    assert served.create()["was_wanted"] is True

    assert served.cancel_function.__code__ is code


def test_without_a_cancel_that_of_all_grpc_services_stays_as_it_is(make_host: MakeHost) -> None:
    code = provider_pb2_grpc.ResourceProviderServicer.Cancel.__code__
    served = make_host(is_wanted, None)

    assert served.create()["was_wanted"] is True

    assert provider_pb2_grpc.ResourceProviderServicer.Cancel.__code__ is code
    with pytest.raises(grpc.RpcError) as failure:
        served.cancel()
    assert failure.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_a_call_that_the_engine_gave_up_is_not_wanted(make_host: MakeHost, patient: Patient) -> None:
    running = make_host(patient).begin_create()
    assert patient.has_begun.wait(10)

    running.cancel()

    assert patient.has_ended.wait(20)
    assert patient.was_wanted is False
