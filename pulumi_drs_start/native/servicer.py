"""
The provider protocol: takes requests of Pulumi's engine apart, calls the core, and puts its answers together.
"""

from __future__ import annotations

import json
import logging
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from .. import engine
from ..drs.text import redacted
from ..operations.asking import Asker
from ..operations.bags import AppliedBag, BagLifecycle, new_resource_id
from ..operations.connections import process_connections
from ..operations.lifecycle import Lifecycle, expected_error
from ..operations.operation import Foretold
from ..reconcile.phase import Phase
from ..schema.dialect import YAML
from ..schema.fields import FOUND, INPUT_NAMES, OUTPUTS, PLACE_INPUTS
from ..schema.messages import Messages
from . import asked, wire
from .configuration import checked_configuration, configuration_of, secret_configuration
from .differences import detailed
from .schema import make_schema
from .searches import Searches

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Call(engine.EngineCall):
    """A call that is being served. What will be done is kept, by resource, until it shows whether this is a preview."""

    messages: Messages = field(default_factory=lambda: Messages(YAML))
    context: Any = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    foretold: dict[str, Foretold] = field(default_factory=dict)

    def is_wanted(self) -> bool:
        """False as soon as the user has cancelled, or the engine has given up on the call."""
        return not self.cancelled.is_set() and bool(self.context.is_active())

    def foretell(self, plan: Foretold) -> None:
        """See `Operation.foretell`."""
        self.foretold[self.resource] = plan

    def show_foretold(self, *, is_preview: bool) -> None:
        """Show what an earlier call of the same command foretold of this resource."""
        if plan := self.foretold.pop(self.resource, None):
            self.show(plan, is_preview=is_preview)


@dataclass
class _PartialFailureError(Exception):
    """Some jobs failed, and the resource is to be saved all the same."""

    resource: dict[str, Any]
    reasons: Sequence[str]


class _FailedError(Exception):
    """A call failed, and the text says it all."""


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """One provider of a program, for one command: the engine starts a process for each."""

    def __init__(self) -> None:
        self._configuration: Mapping[str, str] = {}
        self._bags = self._with_configuration()
        self._cancelled = threading.Event()
        self._foretold: dict[str, Foretold] = {}
        self._warned: set[tuple[str, str]] = set()
        self._searches = Searches()

    # The plugin and its configuration

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - gRPC's names
        """Which version this is."""
        return plugin_pb2.PluginInfo(version=engine.VERSION)

    def GetSchema(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """What resources and functions there are."""
        return provider_pb2.GetSchemaResponse(schema=json.dumps(make_schema()))

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Say what is wrong with the configuration whatever resources add to it."""
        with self._serving(request, context) as call:
            problems, warnings = checked_configuration(request.urn, request.news)
            for warning in warnings:
                call.warn(warning)
            return provider_pb2.CheckResponse(inputs=secret_configuration(request.news), failures=_failures(problems))

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Another configuration is no reason to replace resources: each finds out itself whether its jobs are elsewhere."""
        changes = configuration_of(request.old_inputs or request.olds) != configuration_of(request.news)
        return provider_pb2.DiffResponse(changes=_changes(changes))

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Take the configuration. What is incomplete is told where it is needed: resources may complete it."""
        self._configuration = configuration_of(request.args)
        self._bags = self._with_configuration()
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """End every wait, and save what is known."""
        self._cancelled.set()
        return empty_pb2.Empty()

    # The resource

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Check and normalise the inputs, and find out how the jobs stand."""
        olds, news = wire.to_bag(request.olds), wire.to_bag(request.news)
        with self._serving(request, context, olds, news) as call:
            if found := self._searches.that_gave(news.get("jobs")):
                news[FOUND] = found
            checked = self._bags.check(call, olds, news)
            if checked.problems:
                return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(checked.problems))
            return provider_pb2.CheckResponse(inputs=wire.from_bag(checked.inputs))

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Whether ``up`` would act, and on what."""
        olds, news = wire.to_bag(request.olds), wire.to_bag(request.news)
        with self._serving(request, context, olds, news) as call:
            difference = self._bags.diff(call, olds, news)
            response = provider_pb2.DiffResponse(changes=_changes(difference.changes))
            if difference.changes:
                response.hasDetailedDiff = True
                response.replaces.extend(map(YAML.name, difference.replaces))
                for path, change in detailed(wire.to_bag(request.old_inputs), news, difference).items():
                    response.detailedDiff[path].CopyFrom(change)
            return response

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Start what is not started yet. Jobs that run already are taken over as they are."""
        news = wire.to_bag(request.properties)
        with self._serving(request, context, news) as call:
            call.show_foretold(is_preview=request.preview)
            if request.preview:
                return provider_pb2.CreateResponse(properties=_previewed(news))
            resource_id = new_resource_id()
            applied = self._bags.apply(call, {}, news)
            return provider_pb2.CreateResponse(id=resource_id, properties=_saved(applied, id=resource_id))

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Start what is missing now, and pause or stop what is declared so."""
        olds, news = wire.to_bag(request.olds), wire.to_bag(request.news)
        with self._serving(request, context, olds, news) as call:
            call.show_foretold(is_preview=request.preview)
            if request.preview:
                return provider_pb2.UpdateResponse(properties=_previewed(news))
            applied = self._bags.apply(call, olds, news)
            return provider_pb2.UpdateResponse(properties=_saved(applied, id=request.id))

    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Bring the statuses up to date; of a resource that is looked up by its id, or imported, read them."""
        olds, inputs = wire.to_bag(request.properties), request.inputs
        is_new = "job_statuses" not in olds
        if is_new:
            given = {name: olds[name] for name in PLACE_INPUTS if name in olds}
            olds = {**given, "jobs": [part.strip() for part in request.id.split(",")]}
            inputs = wire.from_bag(olds)
        with self._serving(request, context, olds) as call:
            read = self._bags.read(call, olds)
            if is_new:
                _check_found(call, read)
            return provider_pb2.ReadResponse(id=request.id, inputs=inputs, properties=_saved(read, id=request.id, inputs=inputs))

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Leave the jobs as they are, or pause or stop them, where ``onDestroy`` says so."""
        olds = wire.to_bag(request.properties)
        with self._serving(request, context, olds) as call:
            if failures := self._bags.delete(call, olds):
                raise _FailedError("\n".join(failures))
            return empty_pb2.Empty()

    # Functions

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Ask DRS for a program."""
        with self._serving(request, context) as call:
            asker = Asker(self._configuration, call.messages, call.is_wanted)
            return asked.answer(request.tok, request.args, asker, self._searches)

    def _with_configuration(self) -> BagLifecycle:
        return BagLifecycle(Lifecycle(process_connections(), self._configuration), wire.is_unknown)

    @contextmanager
    def _serving(self, request: Any, context: Any, *bags: Mapping[str, Any]) -> Iterator[_Call]:
        """The call, for the core; every error as an answer of the engine's protocol."""
        call = _Call(
            resource=getattr(request, "urn", ""),
            timeout_seconds=float(getattr(request, "timeout", 0)),
            warned=self._warned,
            context=context,
            cancelled=self._cancelled,
            foretold=self._foretold,
        )
        call.keep_secret(bags)
        try:
            yield call
        except _PartialFailureError as exc:
            reasons = [call.conceal(reason) for reason in exc.reasons]
            engine.report_partial_failure(context, reasons, **exc.resource)
            _fail(context, " ".join(reasons))
        except _FailedError as exc:
            _fail(context, call.conceal(str(exc)))
        except Exception as exc:  # noqa: BLE001 - gRPC's own words for it would say less
            text = expected_error(exc, call.messages)
            if text is None:
                text = redacted(traceback.format_exc())
            _fail(context, call.conceal(text))


def _fail(context: Any, text: str) -> NoReturn:
    context.abort(grpc.StatusCode.UNKNOWN, text)
    raise AssertionError


def _changes(is_change: bool) -> Any:
    return provider_pb2.DiffResponse.DIFF_SOME if is_change else provider_pb2.DiffResponse.DIFF_NONE


def _failures(problems: Sequence[str]) -> list[Any]:
    # Without the name of a property, because its value would be printed, secret or not.
    return [provider_pb2.CheckFailure(property="", reason=problem) for problem in problems]


def _saved(applied: AppliedBag, **resource: Any) -> Any:
    """The outputs. If some jobs failed, the command fails, and the resource is saved with them. Raises _PartialFailureError."""
    properties = wire.from_outputs(applied.outputs)
    if applied.failures:
        raise _PartialFailureError({**resource, "properties": properties}, applied.failures)
    return properties


def _previewed(news: Mapping[str, Any]) -> Any:
    """What outputs are known in a preview: the inputs."""
    known = {name: value for name, value in news.items() if name in INPUT_NAMES}
    return wire.from_outputs({**news, **known, **{output.name: wire.UNKNOWN for output in OUTPUTS}})


def _check_found(call: _Call, read: AppliedBag) -> None:
    """Refuse to take over what DRS does not know. Raises _FailedError."""
    rows = read.outputs["job_statuses"]
    if missing := [job_id for job_id, row in rows.items() if row["phase"] == Phase.MISSING.value]:
        raise _FailedError(call.messages.not_imported(missing))
