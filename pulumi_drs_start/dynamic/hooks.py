"""
The hooks that Pulumi's dynamic-provider host calls: they take bags, call the lifecycle, and return bags.
"""

from __future__ import annotations

import functools
import logging
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
from ..operations.bags import BagLifecycle, new_resource_id
from ..operations.connections import process_connections
from ..operations.lifecycle import Checked, Lifecycle, expected_error
from ..reconcile.actual import ActualJob
from ..reconcile.phase import Phase
from ..reconcile.record import Action
from ..schema.fields import ALREADY_RUNNING, PREVIEW, TO_RESUME, TO_START, UNREPORTED_FAILURE
from ..settings import CONFIG_KEYS, log_where_asked
from . import host

log = logging.getLogger(__name__)

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _hook(method: Callable[Concatenate[Hooks, host.Call, _P], _R]) -> Callable[Concatenate[Hooks, _P], _R]:
    """Pass the current call to the hook, and report expected errors as plain messages; others keep their traceback."""

    @functools.wraps(method)
    def wrapper(self: Hooks, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        call = host.current_call()
        call.warned, call.is_preview = self._warned, self._is_preview
        call.keep_secret([bag for bag in args if isinstance(bag, Mapping)])
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
        self._take({})
        # Whatever comes after a check of the same command is a preview if that was one.
        self._is_preview = False

    def configure(self, req: ConfigureRequest) -> None:
        """Take the stack's configuration. The hooks report what is wrong with it, where plain messages are possible."""
        log_where_asked()
        found = {key: req.config.get(f"drs:{key}") for key in CONFIG_KEYS}
        self._take({key: value for key, value in found.items() if value is not None})

    def _take(self, config: Mapping[str, str]) -> None:
        self._bags = BagLifecycle(Lifecycle(process_connections(), config), _is_unknown)
        self._warned: set[tuple[str, str]] = set()

    @_hook
    def check(self, call: host.Call, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Check and normalise the inputs. Adds what later calls need, and in a preview what is to be shown."""
        call.is_preview = self._is_preview = bool(news.get(PREVIEW))
        checked = self._bags.check(call, olds, news)
        if checked.problems:
            return _refused(news, checked.problems)
        # Where a plan is saved or followed, an input that only the preview has would violate it.
        is_to_show = call.is_preview and not command.has_plan(command.pulumi_arguments())
        shown = _to_show(checked.checked, is_new=not olds) if is_to_show else {}
        return CheckResult({**shown, **checked.inputs}, [])

    @_hook
    def diff(self, call: host.Call, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Whether ``up`` would act."""
        difference = self._bags.diff(call, olds, news)
        return DiffResult(changes=difference.changes, replaces=list(difference.replaces))

    @_hook
    def create(self, call: host.Call, props: dict[str, Any]) -> CreateResult:
        """Start what is not started yet. Jobs that run already are taken over as they are."""
        resource_id = new_resource_id()
        return CreateResult(resource_id, self._apply(call, resource_id, {}, props))

    @_hook
    def update(self, call: host.Call, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Start what is missing now, and pause or stop what is declared so."""
        return UpdateResult(self._apply(call, id_, olds, news))

    @_hook
    def read(self, call: host.Call, id_: str, props: dict[str, Any]) -> ReadResult:
        """Bring the statuses up to date."""
        read = self._bags.read(call, props)
        if read.failures and host.report_partial_failure(call, id_, read.outputs, read.failures):
            raise host.HookFailedError(call.conceal("\n".join(read.failures)))
        return ReadResult(id_, read.outputs)

    @_hook
    def delete(self, call: host.Call, _id: str, props: dict[str, Any]) -> None:
        """Leave the jobs as they are, or pause or stop them, where ``on_destroy`` says so."""
        if failures := self._bags.delete(call, props):
            raise host.failure(call, "\n".join(failures))

    def _apply(self, call: host.Call, resource_id: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out what is declared and return the outputs. If some jobs failed, fail the command with the resource saved."""
        applied = self._bags.apply(call, olds, news)
        if not applied.failures:
            return applied.outputs
        text = call.conceal("\n".join(applied.failures))
        if host.report_partial_failure(call, resource_id, applied.outputs, applied.failures):
            raise host.HookFailedError(text)
        # The resource's constructor fails the program with this, after the state was saved.
        return {**applied.outputs, UNREPORTED_FAILURE: text}


def _is_unknown(value: Any) -> bool:
    return value == UNKNOWN or isinstance(value, Unknown)


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
