"""
The hooks Pulumi calls: check, diff, create, read, update, delete.

Thin: each finds its settings, asks `plan` and `converge`, and puts the answer into the host's form.
"""

from __future__ import annotations

import functools
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
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
    UpdateResult,
)

from . import host, messages
from .converge import converge
from .drs.client import DrsClient
from .drs.errors import DrsError
from .drs.models import JobStatus
from .drs.retry import TimeBudget
from .inputs import PLACES, Checked, check_inputs, desired_jobs, goal_of, leaving_jobs, listed_ids, parse_duration
from .logs import log_where_asked
from .look import Looker
from .memory import Action, Memory
from .outcome import Result, observe
from .outputs import after_refresh, failed_jobs, leaving_memories, memories_of, rows_of, to_outputs, unfinished_jobs
from .plan import DesiredJob, Plan, Target, make_plan
from .settings import CONFIG_KEYS, Overrides, Settings, SettingsError, load_settings, shared_token_source, user_agent

log = logging.getLogger(__name__)

# Preview and refresh only read. They must not hang for the hour that an operation may take.
READ_LIMIT_SECONDS = 120.0
# check and diff of one resource follow each other at once; the second look is not needed.
FRESH_SECONDS = 10.0

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _in_words(
    hook: Callable[Concatenate[Hooks, host.Call, _P], _R],
) -> Callable[Concatenate[Hooks, _P], _R]:
    """Hand the hook the call it serves. Expected errors reach the user as words; unexpected ones keep their traceback."""

    @functools.wraps(hook)
    def wrapper(self: Hooks, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
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


class Hooks:
    """What `provider.JobBatchStartProvider` does."""

    def configure(self, req: ConfigureRequest) -> None:
        """Keep the stack configuration. Problems are reported by the hooks, where they can be told in words."""
        log_where_asked()
        found = {key: req.config.get(f"drs:{key}") for key in CONFIG_KEYS}
        self._config: dict[str, str] = {key: value for key, value in found.items() if value is not None}

    @_in_words
    def check(self, call: host.Call, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Check and normalise the inputs; add ``to_start`` and ``to_resume``, the drift that a structured diff should show."""
        checked = check_inputs(_declared(news), _is_unknown, listed_ids(olds))
        if checked.problems:
            # An empty property name, because the host prints the value of any other, secret or not.
            return CheckResult(news, [CheckFailure("", problem) for problem in checked.problems])
        inputs = checked.inputs
        jobs = desired_jobs(inputs)
        drift: dict[str, dict[str, str]] = {"to_start": {}}
        if not olds and not jobs and checked.has_unknowns:
            _tell_plan(call, Plan(), unknown=_count_unknown(inputs))
        elif jobs and not _place_is_unknown(inputs):
            try:
                connection = self._connect(inputs)
            except SettingsError as exc:
                texts = (*exc.problems, exc.hint) if exc.hint else exc.problems
                return CheckResult(news, [CheckFailure("", text) for text in texts])
            _declare(connection.settings, (job.job_id for job in jobs))
            statuses = connection.look([job.job_id for job in jobs], TimeBudget(READ_LIMIT_SECONDS, is_wanted=call.is_wanted))
            plan = make_plan(jobs, statuses, {}, goal_of(inputs), time.time())
            if olds:
                # At creation all of it is new, and listing it would make the next drift look like a change of the list.
                seen_at = datetime.now(timezone.utc).isoformat(timespec="seconds")
                to_do = {"to_start": plan.to_start, "to_resume": plan.jobs(Action.RESUME)}
                drift |= {
                    name: {job_id: f"{statuses[job_id].status} at {seen_at}" for job_id in ids}
                    for name, ids in to_do.items()
                    if ids or name in drift
                }
            else:
                _tell_plan(call, plan, unknown=_count_unknown(inputs))
                if warning := messages.on_destroy_in_words(inputs["on_destroy"], len(jobs)):
                    call.warn(warning)
        found = {"found": {"other_status": list(checked.found)}} if checked.found else {}
        return CheckResult({**inputs, **drift, **found}, [])

    @_in_words
    def diff(self, call: host.Call, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Whether ``up`` would act: inputs that changed, jobs that are not as they should be, failures to try again."""
        checked = _checked(news, olds)
        inputs = checked.inputs
        if _place_is_unknown(inputs):
            return DiffResult(changes=True)
        replaces = self._replaces(inputs, olds)
        if replaces:
            if warning := messages.on_destroy_in_words(str(olds.get("on_destroy")), len(listed_ids(olds))):
                call.warn(f"it will be replaced, because {' and '.join(replaces)} changed. {warning}")
            return DiffResult(changes=True, replaces=replaces)
        are_ids_known = _are_ids_known(inputs)
        # One of the ids that are not known yet may be that of a job on the list so far.
        jobs = _with_leaving(inputs, olds) if are_ids_known else desired_jobs(inputs)
        budget = TimeBudget(READ_LIMIT_SECONDS, is_wanted=call.is_wanted)
        statuses = self._connect(inputs).look([job.job_id for job in jobs], budget, may_be_recent=True) if jobs else {}
        plan = make_plan(jobs, statuses, memories_of(olds), goal_of(inputs), time.time())
        changes = checked.has_unknowns or _would_change(plan, olds, inputs) or _differ(olds, inputs)
        declared = set(listed_ids(inputs))
        if changes:
            left = [job_id for job_id in listed_ids(olds) if job_id not in declared and job_id not in plan.leaving]
            _tell_plan(call, plan, left if are_ids_known else (), _count_unknown(inputs))
            for line in messages.refusals_in_words(plan, rows_of(olds)):
                call.warn(line)
            on_destroy = str(inputs["on_destroy"])
            if left and not are_ids_known and (warning := messages.doubtful_stops_in_words(on_destroy)):
                call.warn(warning)
            if on_destroy != olds.get("on_destroy") and (warning := messages.on_destroy_in_words(on_destroy, len(declared))):
                call.warn(warning)
        still_declared = [job for job in jobs if job.job_id in declared]
        _warn(call, observe(still_declared, statuses, memories_of(olds), goal_of(inputs), time.time()))
        return DiffResult(changes=changes)

    @_in_words
    def create(self, call: host.Call, props: dict[str, Any]) -> CreateResult:
        """Start what is not started yet. Jobs that run already are taken over as they are."""
        resource_id = f"drs-{uuid.uuid4().hex}"
        return CreateResult(resource_id, self._converge(call, resource_id, props, {}))

    @_in_words
    def update(self, call: host.Call, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Start what is missing now, and bring to rest what is declared no more, if that was asked for."""
        return UpdateResult(self._converge(call, id_, news, olds))

    @_in_words
    def read(self, call: host.Call, id_: str, props: dict[str, Any]) -> ReadResult:
        """Bring the statuses up to date. Failures of the last operation stay until their jobs run."""
        checked = _checked(props, props)
        if checked.problems and "job_statuses" not in props:
            # A resource that is only looked up by its id: nobody has checked its inputs.
            raise SettingsError(checked.problems)
        inputs = checked.inputs
        jobs = desired_jobs(inputs)
        connection = self._connect(inputs)
        statuses = connection.look([job.job_id for job in jobs], TimeBudget(READ_LIMIT_SECONDS, is_wanted=call.is_wanted))
        result = after_refresh(props, observe(jobs, statuses, memories_of(props), goal_of(inputs), time.time()))
        outputs = to_outputs(inputs, result)
        outputs["remembered"] |= leaving_memories(props)
        _warn(call, result)
        reasons = messages.reasons_for_failure(result, 0)
        if reasons and inputs.get("on_failure") == "fail" and host.report_partial_failure(call, id_, outputs, reasons):
            raise host.HookFailedError("\n".join(reasons))
        return ReadResult(id_, outputs)

    @_in_words
    def delete(self, call: host.Call, _id: str, props: dict[str, Any]) -> None:
        """Leave the jobs as they are, or pause or stop them, where ``on_destroy`` says so. To leave them needs no login."""
        job_ids = list(dict.fromkeys([*listed_ids(props), *leaving_memories(props)]))
        jobs = self._without_declared(call, props, leaving_jobs(props, job_ids))
        if not jobs:
            call.info(f"{messages.count_jobs(len(job_ids))} left as they are" if len(job_ids) != 1 else "1 job left as it is")
            return
        inputs = _checked(props, props).inputs
        result, timeout_seconds = self._bring_about(call, inputs, jobs, memories_of(props))
        call.info(f"{messages.count_jobs(len(jobs))}: {messages.leaving_in_words(result.leaving.values())}")
        if reasons := messages.reasons_for_failure(result, timeout_seconds, "pulumi destroy"):
            raise _unfinished_destroy(reasons)

    def _converge(self, call: host.Call, resource_id: str, props: Mapping[str, Any], olds: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out what is declared and return the outputs; fail the command, with the resource saved, if some jobs failed."""
        inputs = _checked(props, olds).inputs
        jobs = self._without_declared(call, inputs, _with_leaving(inputs, olds))
        result, timeout_seconds = self._bring_about(call, inputs, jobs, memories_of(olds))
        outputs = to_outputs(inputs, result)
        call.info(messages.result_in_words(result))
        if not olds:
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

    def _bring_about(
        self, call: host.Call, inputs: Mapping[str, Any], jobs: Sequence[DesiredJob], memories: Mapping[str, Memory]
    ) -> tuple[Result, float]:
        """Converge these jobs, within the time limit that goes with them; seconds."""
        timeout_seconds = call.timeout_seconds or parse_duration(inputs["timeout"])
        connection = self._connect(inputs)
        result = converge(
            connection.looker,
            jobs,
            seen=connection.just_seen([job.job_id for job in jobs]),
            budget=TimeBudget(timeout_seconds, is_wanted=call.is_wanted),
            goal=goal_of(inputs),
            memories=memories,
            batch_size=connection.settings.batch_size,
            on_progress=lambda progress: call.progress(messages.progress_in_words(progress)),
        )
        return result, timeout_seconds

    def _without_declared(self, call: host.Call, inputs: Mapping[str, Any], jobs: Sequence[DesiredJob]) -> list[DesiredJob]:
        """Without the jobs that would be brought to rest although this program declares them, in another resource.

        A resource that gets another name is deleted under the old one after it was created under the new one.
        """
        leaving = {job.job_id for job in jobs if job.target is not Target.STARTED}
        theirs = leaving & _declared_jobs(self._settings(inputs)) if leaving else set()
        if theirs:
            ids = [job.job_id for job in jobs if job.job_id in theirs]
            call.warn(messages.declared_elsewhere_in_words(ids))
        return [job for job in jobs if job.job_id not in theirs]

    def _replaces(self, inputs: Mapping[str, Any], olds: Mapping[str, Any]) -> list[str]:
        """The inputs because of which the jobs are to be looked for elsewhere.

        Naming the place that was meant all along is no other place.
        """
        changed = [name for name in PLACES if inputs.get(name) != olds.get(name)]
        if not changed:
            return []
        try:
            before, after = self._settings(olds), self._settings(inputs)
        except SettingsError:
            return changed
        return [] if before.place == after.place else changed

    def _settings(self, inputs: Mapping[str, Any]) -> Settings:
        overrides = Overrides(**{name: inputs.get(name) for name in PLACES})
        return load_settings(self._config, os.environ, overrides)

    def _connect(self, inputs: Mapping[str, Any]) -> _Connection:
        return _connection_for(self._settings(inputs))


@dataclass(slots=True)
class _Connection:
    """A client of DRS, and what it was last told: shared by all resources of the process."""

    settings: Settings
    looker: Looker
    _recent: dict[tuple[str, ...], tuple[float, dict[str, JobStatus]]]

    def just_seen(self, job_ids: Sequence[str]) -> tuple[float, dict[str, JobStatus]] | None:
        """What check has just got, and when (wall clock); nothing where more than a moment has passed."""
        seen = self._recent.pop(tuple(job_ids), None)
        age = time.monotonic() - seen[0] if seen else FRESH_SECONDS
        return (time.time() - age, seen[1]) if seen and age < FRESH_SECONDS else None

    def look(self, job_ids: Sequence[str], budget: TimeBudget, *, may_be_recent: bool = False) -> dict[str, JobStatus]:
        """The statuses of jobs; with `may_be_recent`, those that check or read have just got."""
        key = tuple(job_ids)
        seen = self._recent.pop(key, None)
        if may_be_recent and seen and time.monotonic() - seen[0] < FRESH_SECONDS:
            return seen[1]
        asked_at = time.monotonic()
        statuses = self.looker.look(job_ids, budget)
        if not may_be_recent:
            self._recent[key] = (asked_at, statuses)
        return statuses


# What the resources of this program have declared since this process began, by the place of the jobs.
_declared_at: dict[Any, set[str]] = {}
_declared_lock = threading.Lock()


def _declare(settings: Settings, job_ids: Iterable[str]) -> None:
    with _declared_lock:
        _declared_at.setdefault(settings.place, set()).update(job_ids)


def _declared_jobs(settings: Settings) -> set[str]:
    with _declared_lock:
        return set(_declared_at.get(settings.place, ()))


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
            _connections[settings] = _Connection(settings, Looker(client), {})
        return _connections[settings]


def _declared(bag: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs in one of the host's bags, which also carry outputs and the host's own keys."""
    return {name: value for name, value in bag.items() if name not in _NOT_DECLARED}


_NOT_DECLARED = {
    *("__provider", "to_start", "to_resume", "job_statuses", "summary", "ready", "remembered", "unreported_failure"),
}


def _checked(bag: Mapping[str, Any], olds: Mapping[str, Any]) -> Checked:
    """Inputs that were checked before; those of a state written long ago may not be in today's normal form."""
    return check_inputs(_declared(bag), _is_unknown, listed_ids(olds))


def _with_leaving(inputs: Mapping[str, Any], olds: Mapping[str, Any]) -> list[DesiredJob]:
    """What is asked: the declared jobs, and those that are declared no more."""
    declared = set(listed_ids(inputs))
    gone = [job_id for job_id in dict.fromkeys([*listed_ids(olds), *leaving_memories(olds)]) if job_id not in declared]
    return [*desired_jobs(inputs), *leaving_jobs(inputs, gone)]


def _unfinished_destroy(reasons: Sequence[str]) -> host.HookFailedError:
    hint = 'To let the jobs go as they are, set on_destroy="leave", run pulumi up, and destroy then.'
    return host.HookFailedError("\n".join([*reasons, hint]))


def _is_unknown(value: Any) -> bool:
    return isinstance(value, pulumi.output.Unknown) or value == pulumi.runtime.rpc.UNKNOWN


def _place_is_unknown(inputs: Mapping[str, Any]) -> bool:
    return any(_is_unknown(inputs.get(name)) for name in PLACES)


def _are_ids_known(inputs: Mapping[str, Any]) -> bool:
    jobs = inputs.get("jobs")
    return isinstance(jobs, list) and len(listed_ids(inputs)) == len(jobs) and not any(map(_is_unknown, listed_ids(inputs)))


def _count_unknown(inputs: Mapping[str, Any]) -> int | None:
    """How many jobs something is not known of yet; None if not even their number is known."""
    jobs = inputs.get("jobs")
    return len(jobs) - len(desired_jobs(inputs)) if isinstance(jobs, list) else None


def _would_change(plan: Plan, olds: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
    """Whether ``up`` would do something about the jobs, or has something new to say of them."""
    if plan.would_act or unfinished_jobs(olds).intersection(plan.jobs(Action.WAIT)):
        return True
    failed = {job_id: phase for job_id, phase in failed_jobs(olds).items() if job_id in plan.decisions}
    impossible = plan.impossible
    if inputs["on_failure"] == "fail":
        return bool(impossible or failed)
    # Recorded and beyond our help: saying so at each run would make a difference that never goes away.
    return any(failed.get(job_id) != plan.decisions[job_id].phase.value for job_id in impossible) or any(
        job_id not in impossible and plan.decisions[job_id].is_fulfilled for job_id in failed
    )


def _differ(olds: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
    """Whether an input differs from the one that the outputs carry."""
    news = {name: value for name, value in inputs.items() if name != "found"}
    before = {name: value for name, value in _declared(olds).items() if name != "found"}
    return before != news


def _warn(call: host.Call, result: Result) -> None:
    for line in messages.attention_in_words(result.jobs.values()):
        call.warn(line)


def _tell_plan(call: host.Call, plan: Plan, left: Sequence[str] = (), unknown: int | None = 0) -> None:
    text = messages.plan_in_words(plan, unknown)
    if left:
        text += f"; no longer looks after {messages.count_jobs(len(left))} ({messages.name_jobs(left)}), left as they are"
    call.info(text)
    for line in messages.plan_warnings(plan):
        call.warn(line)
