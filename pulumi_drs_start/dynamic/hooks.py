"""
The hooks that Pulumi's dynamic-provider host calls: they take bags, call the lifecycle, and return bags.
"""

from __future__ import annotations

import functools
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    UpdateResult,
)
from pulumi.output import Unknown
from pulumi.runtime.rpc import UNKNOWN

from ..operations import command
from ..operations.connections import process_connections
from ..operations.lifecycle import Applied, Checked, Lifecycle, expected_error
from ..reconcile.actual import ActualJob
from ..reconcile.declared import Declared
from ..reconcile.phase import Phase
from ..reconcile.record import Action
from ..schema.fields import (
    ALREADY_RUNNING,
    FOUND,
    PLACE,
    PREVIEW,
    REPEATING,
    SECRET_INPUTS,
    TO_RESUME,
    TO_START,
    UNREPORTED_FAILURE,
)
from ..schema.inputs import found_names, parse_inputs, recorded_ids, secret_names
from ..schema.state import from_state, place_from_state, place_to_state, to_state
from ..settings import CONFIG_KEYS, SettingsError, log_where_asked
from . import host
from .secrecy import concealing

log = logging.getLogger(__name__)

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _hook(method: Callable[Concatenate[Hooks, host.Call, _P], _R]) -> Callable[Concatenate[Hooks, _P], _R]:
    """Pass the current call to the hook, and report expected errors as plain messages; others keep their traceback."""

    @functools.wraps(method)
    def wrapper(self: Hooks, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        call = host.current_call()
        call.warned, call.is_preview = self._warned, self._is_preview
        bags = [bag for bag in args if isinstance(bag, Mapping)]
        call.conceal = concealing(bags)
        call.messages.names.is_secret = any("jobs" in secret_names(bag) for bag in bags)
        try:
            return method(self, call, *args, **kwargs)
        except Exception as exc:
            text = expected_error(exc, call.messages)
            if text is None:
                raise
            log.debug("the hook failed: %s: %s", type(exc).__name__, exc)
        # Not chained: where the host shows a traceback all the same, the text says it all, and a cause may quote an answer.
        raise host.failure(call, text) from None

    return wrapper


class Hooks:
    """What `provider.JobBatchStartProvider` does."""

    def __init__(self) -> None:
        self._lifecycle = Lifecycle(process_connections(), {})
        self._warned: set[tuple[str, str]] = set()
        # Whatever comes after a check of the same command is a preview if that was one.
        self._is_preview = False

    def configure(self, req: ConfigureRequest) -> None:
        """Take the stack's configuration. The hooks report what is wrong with it, where plain messages are possible."""
        log_where_asked()
        self._warned = set()
        found = {key: req.config.get(f"drs:{key}") for key in CONFIG_KEYS}
        self._lifecycle = Lifecycle(process_connections(), {key: value for key, value in found.items() if value is not None})

    @_hook
    def check(self, call: host.Call, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Check and normalise the inputs. Adds what later calls need, and in a preview what is to be shown."""
        call.is_preview = self._is_preview = bool(news.get(PREVIEW))
        call.messages.names.learn(found_names(news))
        inputs = parse_inputs(news, _is_unknown, recorded_ids(olds))
        if inputs.problems:
            return _refused(news, inputs.problems)
        try:
            checked = self._lifecycle.check(call, inputs.declared, from_state(olds))
        except SettingsError as exc:
            return _refused(news, [call.conceal(problem) for problem in exc.problems])
        added: dict[str, Any] = {}
        # Where a plan is saved or followed, an input that only the preview has would violate it.
        if call.is_preview and not command.has_plan(command.pulumi_arguments()):
            added = _to_show(checked, is_new=not olds)
        if checked.place:
            added[PLACE] = place_to_state(checked.place)
        if olds and inputs.other_found:
            # After an update that failed in part, Pulumi gives the old inputs here, and the new outputs to what comes next:
            # these have jobs on the list that are missing here.
            added[FOUND] = {"other_status": list(inputs.other_found)}
        if news.get(SECRET_INPUTS):
            # Kept, so that what has the same name in the outputs is encrypted.
            added |= {name: news[name] for name in (*REPEATING, SECRET_INPUTS) if name in news}
        return CheckResult({**inputs.declared.inputs, **added}, [])

    @_hook
    def diff(self, call: host.Call, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Whether ``up`` would act."""
        declared, place = _declared(news, olds), place_from_state(news.get(PLACE))
        difference = self._lifecycle.diff(call, declared, from_state(olds), place)
        has_other_secrets = news.get(SECRET_INPUTS) != olds.get(SECRET_INPUTS)
        return DiffResult(changes=difference.changes or has_other_secrets, replaces=list(difference.replaces))

    @_hook
    def create(self, call: host.Call, props: dict[str, Any]) -> CreateResult:
        """Start what is not started yet. Jobs that run already are taken over as they are."""
        resource_id = f"drs-{uuid.uuid4().hex}"
        return CreateResult(resource_id, self._apply(call, resource_id, props, {}))

    @_hook
    def update(self, call: host.Call, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Start what is missing now, and pause or stop what is declared so."""
        return UpdateResult(self._apply(call, id_, news, olds))

    @_hook
    def read(self, call: host.Call, id_: str, props: dict[str, Any]) -> ReadResult:
        """Bring the statuses up to date."""
        recorded = from_state(props)
        if recorded.problems:
            raise SettingsError(recorded.problems)
        applied = self._lifecycle.refresh(call, recorded)
        outputs = _outputs(call, props, recorded.declared, applied)
        if applied.failures and host.report_partial_failure(call, id_, outputs, applied.failures):
            raise host.HookFailedError(call.conceal("\n".join(applied.failures)))
        return ReadResult(id_, outputs)

    @_hook
    def delete(self, call: host.Call, _id: str, props: dict[str, Any]) -> None:
        """Leave the jobs as they are, or pause or stop them, where ``on_destroy`` says so."""
        if failures := self._lifecycle.retire(call, from_state(props)):
            raise host.failure(call, "\n".join(failures))

    def _apply(self, call: host.Call, resource_id: str, props: Mapping[str, Any], olds: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out what is declared and return the outputs. If some jobs failed, fail the command with the resource saved."""
        declared = _declared(props, olds)
        applied = self._lifecycle.apply(call, declared, from_state(olds), place_from_state(props.get(PLACE)))
        outputs = _outputs(call, props, declared, applied)
        if not applied.failures:
            return outputs
        text = call.conceal("\n".join(applied.failures))
        if host.report_partial_failure(call, resource_id, outputs, applied.failures):
            raise host.HookFailedError(text)
        # The resource's constructor fails the program with this, after the state was saved.
        return {**outputs, UNREPORTED_FAILURE: text}


def _is_unknown(value: Any) -> bool:
    return value == UNKNOWN or isinstance(value, Unknown)


def _declared(news: Mapping[str, Any], olds: Mapping[str, Any]) -> Declared:
    """What inputs declare that were checked before."""
    return parse_inputs(news, _is_unknown, recorded_ids(olds)).declared


def _refused(news: dict[str, Any], problems: Sequence[str]) -> CheckResult:
    # An empty property name, because the host prints the value of any other, secret or not.
    return CheckResult(news, [CheckFailure("", problem) for problem in problems])


def _to_show(checked: Checked, *, is_new: bool) -> dict[str, Any]:
    """Inputs that make Pulumi show each job that is to be started or resumed, and of a new resource those that run."""
    plan, actual = checked.plan, checked.actual
    shown: dict[str, Sequence[str]] = {TO_START: plan.to_start, TO_RESUME: plan.jobs(Action.RESUME)}
    if is_new:
        shown[ALREADY_RUNNING] = [one for one in plan.jobs(Action.NOTHING) if actual[one].phase is Phase.RUNNING]
    return {name: {job_id: _shown(actual[job_id]) for job_id in ids} for name, ids in shown.items() if ids}


def _shown(job: ActualJob) -> str:
    return f"{job.name} is in {job.status}" if job.name else job.status


def _outputs(call: host.Call, props: Mapping[str, Any], declared: Declared, applied: Applied) -> dict[str, Any]:
    kept = {name: props[name] for name in (PLACE, SECRET_INPUTS) if props.get(name) is not None}
    return to_state({**kept, **declared.inputs}, applied.result, call.messages)
