"""
The hooks Pulumi calls: check, diff, create, read, update, delete.

Thin: each finds its settings, asks `plan` and `converge`, and puts the answer into the host's form. The module path and the
class name are in users' state files (the provider is pickled as a reference to them): they must never change.
"""

from __future__ import annotations

import functools
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Concatenate, ParamSpec, TypeVar

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from . import host, messages
from .converge import converge
from .drs.client import DrsClient
from .drs.errors import DrsError
from .drs.models import JobStatus
from .drs.retry import TimeBudget
from .inputs import PLACES, check_inputs, desired_jobs, goal_of, parse_duration
from .outcome import Result, observe
from .outputs import after_refresh, failed_jobs, memories_of, to_outputs, unfinished_jobs
from .plan import Memory, Plan, make_plan
from .settings import CONFIG_KEYS, Overrides, Settings, SettingsError, load_settings, shared_token_source, user_agent
from .status import Phase

log = logging.getLogger(__name__)

# Preview and refresh only read. They must not hang for the hour that an operation may take.
READ_LIMIT_SECONDS = 120.0
# check and diff of one resource follow each other at once; the second look is not needed.
FRESH_SECONDS = 10.0

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _in_words(
    hook: Callable[Concatenate[JobBatchStartProvider, host.Call, _P], _R],
) -> Callable[Concatenate[JobBatchStartProvider, _P], _R]:
    """Hand the hook the call it serves. Expected errors reach the user as words; unexpected ones keep their traceback."""

    @functools.wraps(hook)
    def wrapper(self: JobBatchStartProvider, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        call = host.current_call()
        try:
            return hook(self, call, *args, **kwargs)
        except SettingsError as exc:
            text = str(exc)
        except DrsError as exc:
            # Without its causes: one of them may quote what IAM echoed.
            log.debug("the hook failed: %s: %s", type(exc).__name__, exc)
            text = messages.explain(exc)
        host.report_error(call, text)
        # Not chained: where the host shows a traceback all the same, the text says it all, and a cause may quote an answer.
        raise host.HookFailedError(text) from None

    return wrapper


class JobBatchStartProvider(ResourceProvider):
    """Starts DRS jobs. Holds no values of its own: it is pickled into the state."""

    # The pickle is a name, no secret; in the open it is readable in state and diffs.
    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Keep the stack configuration. Problems are reported by the hooks, where they can be told in words."""
        found = {key: req.config.get(f"drs:{key}") for key in CONFIG_KEYS}
        self._config: dict[str, str] = {key: value for key, value in found.items() if value is not None}

    @_in_words
    def check(self, call: host.Call, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Check and normalise the inputs; add ``to_start``, the drift that a structured diff should show."""
        checked = check_inputs(_declared(news), _is_unknown)
        if checked.problems:
            # An empty property name, because the host prints the value of any other, secret or not.
            return CheckResult(news, [CheckFailure("", problem) for problem in checked.problems])
        inputs = checked.inputs
        jobs = desired_jobs(inputs)
        to_start: dict[str, str] = {}
        if jobs and not _place_is_unknown(inputs):
            try:
                connection = self._connect(inputs)
            except SettingsError as exc:
                texts = (*exc.problems, exc.hint) if exc.hint else exc.problems
                return CheckResult(news, [CheckFailure("", text) for text in texts])
            statuses = connection.look([job.job_id for job in jobs], TimeBudget(READ_LIMIT_SECONDS, is_wanted=call.is_wanted))
            plan = make_plan(jobs, statuses, {}, goal_of(inputs), time.time())
            if olds:
                # At creation all of it is new, and listing it would make the next drift look like a change of the list.
                seen_at = datetime.now(timezone.utc).isoformat(timespec="seconds")
                to_start = {job_id: f"{statuses[job_id].status} at {seen_at}" for job_id in plan.start}
            else:
                _tell_plan(call, plan)
        return CheckResult({**inputs, "to_start": to_start}, [])

    @_in_words
    def diff(self, call: host.Call, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Whether ``up`` would act: inputs that changed, jobs that are not as they should be, failures to try again."""
        # Checked inputs are in normal form already; those of a state written long ago may not be.
        checked = check_inputs(_declared(news), _is_unknown)
        if checked.has_unknowns:
            return DiffResult(changes=True)
        inputs = checked.inputs
        replaces = [name for name in PLACES if inputs.get(name) != olds.get(name)]
        if replaces:
            return DiffResult(changes=True, replaces=replaces)
        jobs = desired_jobs(inputs)
        budget = TimeBudget(READ_LIMIT_SECONDS, is_wanted=call.is_wanted)
        statuses = self._connect(inputs).look([job.job_id for job in jobs], budget, may_be_recent=True)
        plan = make_plan(jobs, statuses, memories_of(olds), goal_of(inputs), time.time())
        unfinished = unfinished_jobs(olds)
        would_act = bool(plan.start or plan.impossible) or any(
            # A job on its way is no drift, unless an operation gave up waiting for it.
            plan.decisions[job_id].phase is Phase.PENDING or job_id in unfinished
            for job_id in plan.wait
        )
        declared = {job.job_id for job in jobs}
        tries_again = bool(declared.intersection(failed_jobs(olds)))
        changes = would_act or tries_again or _differ(olds, inputs)
        if changes:
            _tell_plan(call, plan, removed=[j.job_id for j in desired_jobs(olds) if j.job_id not in declared])
        _warn(call, observe(jobs, statuses, memories_of(olds), goal_of(inputs), time.time()))
        return DiffResult(changes=changes)

    @_in_words
    def create(self, call: host.Call, props: dict[str, Any]) -> CreateResult:
        """Start what is not started yet. Jobs that run already are taken over as they are."""
        resource_id = f"drs-{uuid.uuid4().hex}"
        return CreateResult(resource_id, self._converge(call, resource_id, props, {}))

    @_in_words
    def update(self, call: host.Call, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Start what is missing now."""
        return UpdateResult(self._converge(call, id_, news, memories_of(olds)))

    @_in_words
    def read(self, call: host.Call, id_: str, props: dict[str, Any]) -> ReadResult:
        """Bring the statuses up to date. Failures of the last operation stay until their jobs run."""
        inputs = check_inputs(_declared(props), _is_unknown).inputs
        jobs = desired_jobs(inputs)
        connection = self._connect(inputs)
        statuses = connection.look([job.job_id for job in jobs], TimeBudget(READ_LIMIT_SECONDS, is_wanted=call.is_wanted))
        result = after_refresh(props, observe(jobs, statuses, memories_of(props), goal_of(inputs), time.time()))
        outputs = to_outputs(inputs, result.jobs.values())
        _warn(call, result)
        reasons = messages.reasons_for_failure(result, 0)
        if reasons and inputs.get("on_failure") == "fail" and host.report_partial_failure(call, id_, outputs, reasons):
            raise host.HookFailedError("\n".join(reasons))
        return ReadResult(id_, outputs)

    @_in_words
    def delete(self, call: host.Call, _id: str, props: dict[str, Any]) -> None:
        """Leave the jobs as they are: ending a replication is not what removing a declaration means. Needs no login."""
        jobs = desired_jobs(props)
        call.info(f"{messages.count_jobs(len(jobs))} left as they are" if len(jobs) != 1 else "1 job left as it is")

    def _converge(
        self, call: host.Call, resource_id: str, props: Mapping[str, Any], memories: Mapping[str, Memory]
    ) -> dict[str, Any]:
        """Start jobs and return the outputs; fail the command, with the resource saved, if some could not be started."""
        inputs = check_inputs(_declared(props), _is_unknown).inputs
        timeout_seconds = call.timeout_seconds or parse_duration(inputs["timeout"])
        connection = self._connect(inputs)
        result = converge(
            connection.client,
            desired_jobs(inputs),
            budget=TimeBudget(timeout_seconds, is_wanted=call.is_wanted),
            goal=goal_of(inputs),
            memories=memories,
            batch_size=connection.settings.batch_size,
            on_progress=lambda progress: call.progress(messages.progress_in_words(progress)),
        )
        outputs = to_outputs(inputs, result.jobs.values())
        call.info(messages.result_in_words(result))
        if not memories:
            # Before an update, diff has said so.
            _warn(call, result)
        reasons = messages.reasons_for_failure(result, timeout_seconds)
        if not reasons:
            return outputs
        is_expected = result.ended_by is None or isinstance(result.ended_by, DrsError)
        if inputs["on_failure"] == "record" and is_expected:
            for reason in reasons:
                call.warn(reason)
            return outputs
        if host.report_partial_failure(call, resource_id, outputs, reasons):
            raise host.HookFailedError("\n".join(reasons))
        # The resource's constructor fails the program with this, after the state was saved.
        return {**outputs, "unreported_failure": "\n".join(reasons)}

    def _connect(self, inputs: Mapping[str, Any]) -> _Connection:
        overrides = Overrides(**{name: inputs.get(name) for name in PLACES})
        return _connection_for(load_settings(self._config, os.environ, overrides))


@dataclass(slots=True)
class _Connection:
    """A client of DRS, and what it was last told: shared by all resources of the process."""

    settings: Settings
    client: DrsClient
    _recent: dict[tuple[str, ...], tuple[float, dict[str, JobStatus]]]

    def look(self, job_ids: Sequence[str], budget: TimeBudget, *, may_be_recent: bool = False) -> dict[str, JobStatus]:
        """The statuses of jobs; with `may_be_recent`, those that check or read have just got."""
        key = tuple(job_ids)
        seen = self._recent.pop(key, None)
        if may_be_recent and seen and time.monotonic() - seen[0] < FRESH_SECONDS:
            return seen[1]
        statuses = self.client.get_statuses(job_ids, budget)
        if not may_be_recent:
            self._recent[key] = (time.monotonic(), statuses)
        return statuses


_connections: dict[Settings, _Connection] = {}
_connections_lock = threading.Lock()


def _connection_for(settings: Settings) -> _Connection:
    with _connections_lock:
        if settings not in _connections:
            client = DrsClient(
                settings.endpoint,
                shared_token_source(settings),
                language=settings.language,
                ca_cert=settings.ca_cert,
                user_agent=user_agent(),
            )
            _connections[settings] = _Connection(settings, client, {})
        return _connections[settings]


def _declared(bag: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs in one of the host's bags, which also carry outputs and the host's own keys."""
    return {name: value for name, value in bag.items() if name not in _NOT_DECLARED}


_NOT_DECLARED = {"__provider", "to_start", "job_statuses", "summary", "ready", "unconfirmed_starts", "unreported_failure"}


def _is_unknown(value: Any) -> bool:
    return isinstance(value, pulumi.output.Unknown) or value == pulumi.runtime.rpc.UNKNOWN


def _place_is_unknown(inputs: Mapping[str, Any]) -> bool:
    return any(_is_unknown(inputs.get(name)) for name in PLACES)


def _differ(olds: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
    """Whether an input differs from the one that the outputs carry."""
    return any(olds.get(name) != value for name, value in inputs.items()) or any(name not in inputs for name in _declared(olds))


def _warn(call: host.Call, result: Result) -> None:
    for line in messages.attention_in_words(result.jobs.values()):
        call.warn(line)


def _tell_plan(call: host.Call, plan: Plan, removed: Sequence[str] = ()) -> None:
    text = messages.plan_in_words(plan)
    if removed:
        text += f"; no longer looks after {messages.count_jobs(len(removed))} ({messages.name_jobs(removed)}), left as they are"
    call.info(text)
    for line in messages.impossible_in_words(plan):
        call.warn(line)
