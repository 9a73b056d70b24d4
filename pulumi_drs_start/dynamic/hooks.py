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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
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

from ..drs.calls.client import DrsClient
from ..drs.calls.models import JobStatus
from ..drs.errors import AuthenticationError, DrsError, OperationEndedError
from ..drs.http.budget import TimeBudget
from ..operations import command
from ..operations.declarations import DeclaredJobs
from ..reconcile.converge import BatchLimit, converge
from ..reconcile.observe import StatusReader
from ..reconcile.outcome import Result, observe
from ..reconcile.place import Place
from ..reconcile.plan import DesiredJob, Goal, Plan, make_plan
from ..reconcile.record import Action, JobRecord
from ..schema import messages
from ..schema.inputs import PLACES, Checked, check_inputs, desired_jobs, goal_of, jobs_to_retire, listed_ids, parse_duration
from ..schema.state import after_refresh, failed_jobs, records_of, rows_of, to_outputs, unfinished_jobs
from ..settings import CONFIG_KEYS, Overrides, Settings, SettingsError, load_settings, shared_token_source, user_agent
from ..settings.logs import log_where_asked
from . import host
from .secrecy import REPEATING, SECRET_INPUTS, concealing

log = logging.getLogger(__name__)

# Preview and refresh only read. They must not hang for the hour that an operation may take.
READ_LIMIT_SECONDS = 120.0
# check and diff of one resource follow each other at once; the second look is not needed.
FRESH_SECONDS = 10.0
# How many such looks are kept.
MOST_RECENT = 100

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _in_words(
    hook: Callable[Concatenate[Hooks, host.Call, _P], _R],
) -> Callable[Concatenate[Hooks, _P], _R]:
    """Hand the hook the call it serves. Expected errors reach the user as words; unexpected ones keep their traceback."""

    @functools.wraps(hook)
    def wrapper(self: Hooks, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        call = host.current_call()
        call.conceal = concealing(bag for bag in args if isinstance(bag, Mapping))
        try:
            return hook(self, call, *args, **kwargs)
        except SettingsError as exc:
            text = str(exc)
        except ElsewhereError as exc:
            text = str(exc)
        except DrsError as exc:
            # Without its causes: one of them may quote what IAM echoed.
            log.debug("the hook failed: %s: %s", type(exc).__name__, exc)
            text = messages.explain(exc)
        host.report_error(call, text)
        # Not chained: where the host shows a traceback all the same, the text says it all, and a cause may quote an answer.
        raise host.HookFailedError(call.conceal(text)) from None

    return wrapper


class ElsewhereError(Exception):
    """The jobs are at another place than the configuration is for, and can't be dealt with there."""


class Hooks:
    """What `provider.JobBatchStartProvider` does."""

    def __init__(self) -> None:
        self._config: dict[str, str] = {}

    def configure(self, req: ConfigureRequest) -> None:
        """Keep the stack configuration. Problems are reported by the hooks, where they can be told in words."""
        log_where_asked()
        found = {key: req.config.get(f"drs:{key}") for key in CONFIG_KEYS}
        self._config = {key: value for key, value in found.items() if value is not None}

    @_in_words
    def check(self, call: host.Call, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Check and normalise the inputs; add ``place``, and ``to_start`` and ``to_resume``, the drift to show."""
        checked = check_inputs(_declared(news), _is_unknown, listed_ids(olds))
        if checked.problems:
            # An empty property name, because the host prints the value of any other, secret or not.
            return CheckResult(news, [CheckFailure("", problem) for problem in checked.problems])
        inputs = checked.inputs
        jobs = desired_jobs(inputs)
        added: dict[str, Any] = {"to_start": {}}
        if not listed_ids(inputs) or _place_is_unknown(inputs):
            _declared_jobs.declare(call.urn or "", None, ())
            if not olds:
                _tell_plan(call, Plan(), unknown=_count_unknown(inputs))
        else:
            budget = _reading(call)
            try:
                connection = self._connect(call, inputs, _recorded_place(inputs, olds))
            except SettingsError as exc:
                texts = (*exc.problems, exc.hint) if exc.hint else exc.problems
                return CheckResult(news, [CheckFailure("", text) for text in texts])
            place = connection.find_place(budget)
            added["place"] = place.to_output()
            _declared_jobs.declare(call.urn or "", place if _are_ids_known(inputs) else None, listed_ids(inputs))
            statuses = connection.look([job.job_id for job in jobs], budget)
            plan = make_plan(jobs, statuses, {}, goal_of(inputs), time.time())
            if olds:
                # At creation all of it is new, and listing it would make the next drift look like a change of the list.
                seen_at = datetime.now(timezone.utc).isoformat(timespec="seconds")
                to_do = {"to_start": plan.to_start, "to_resume": plan.jobs(Action.RESUME)}
                added |= {
                    name: {job_id: f"{statuses[job_id].status} at {seen_at}" for job_id in ids}
                    for name, ids in to_do.items()
                    if ids or name in added
                }
            else:
                _tell_plan(call, plan, unknown=_count_unknown(inputs))
                _tell_unknowns(call, inputs, statuses)
                if warning := messages.on_destroy_in_words(inputs["on_destroy"], len(jobs)):
                    call.warn(warning)
        if checked.found:
            added["found"] = {"other_status": list(checked.found)}
        if news.get(SECRET_INPUTS):
            # Kept, so that what has the same name in the outputs is encrypted.
            added = {name: news[name] for name in REPEATING if name in news} | added | {SECRET_INPUTS: news[SECRET_INPUTS]}
        return CheckResult({**inputs, **added}, [])

    @_in_words
    def diff(self, call: host.Call, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Whether ``up`` would act: inputs that changed, jobs that are not as they should be, failures to try again."""
        checked = _checked(news, olds)
        inputs = checked.inputs
        if _place_is_unknown(inputs):
            if line := messages.retirement_in_words([job.job_id for job in jobs_to_retire(olds)], str(olds.get("on_destroy"))):
                call.warn(
                    f"where the jobs are is not known yet; if that is another place, the resource is replaced, and that {line}"
                )
            return DiffResult(changes=True)
        replaces = _replaces(news, olds)
        if replaces:
            _declared_jobs.is_replaced(call.urn or "")
            self._tell_replacement(call, replaces, olds)
            return DiffResult(changes=True, replaces=replaces)
        jobs = desired_jobs(inputs)
        connection = self._connect(call, inputs, Place.from_output(news.get("place")))
        connection.warn_if_elsewhere(call)
        statuses = connection.look([job.job_id for job in jobs], _reading(call), may_be_recent=True) if jobs else {}
        plan = make_plan(jobs, statuses, records_of(olds), goal_of(inputs), time.time())
        changes = checked.has_unknowns or _would_change(plan, olds, inputs) or _differ(olds, news, inputs)
        if changes:
            declared = set(listed_ids(inputs))
            left = [job_id for job_id in listed_ids(olds) if job_id not in declared]
            # One of the ids that are not known yet may be that of a job on the list so far.
            _tell_plan(call, plan, left if _are_ids_known(inputs) else (), _count_unknown(inputs))
            _tell_unknowns(call, inputs, statuses)
            for line in messages.refusals_in_words(plan, rows_of(olds)):
                call.warn(line)
            on_destroy = str(inputs["on_destroy"])
            if on_destroy != olds.get("on_destroy") and (warning := messages.on_destroy_in_words(on_destroy, len(declared))):
                call.warn(warning)
        else:
            for line in messages.impossible_in_words(plan):
                call.warn(line)
        _warn(call, observe(jobs, statuses, records_of(olds), goal_of(inputs), time.time()))
        return DiffResult(changes=changes)

    @_in_words
    def create(self, call: host.Call, props: dict[str, Any]) -> CreateResult:
        """Start what is not started yet. Jobs that run already are taken over as they are."""
        resource_id = f"drs-{uuid.uuid4().hex}"
        return CreateResult(resource_id, self._converge(call, resource_id, props, {}))

    @_in_words
    def update(self, call: host.Call, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Start what is missing now, and pause or stop what is declared so. What is taken off the list is left as it is."""
        return UpdateResult(self._converge(call, id_, news, olds))

    @_in_words
    def read(self, call: host.Call, id_: str, props: dict[str, Any]) -> ReadResult:
        """Bring the statuses up to date. Failures of the last operation stay until their jobs run."""
        checked = _checked(props, props)
        if checked.problems:
            # Nobody has checked the inputs of a resource that is only looked up by its id.
            raise SettingsError(checked.problems)
        inputs = checked.inputs
        jobs = desired_jobs(inputs)
        connection = self._connect(call, inputs, Place.from_output(props.get("place")))
        connection.warn_if_elsewhere(call)
        statuses = connection.look([job.job_id for job in jobs], _reading(call))
        result = after_refresh(props, observe(jobs, statuses, records_of(props), goal_of(inputs), time.time()))
        outputs = to_outputs(_kept(props) | inputs, result)
        _warn(call, result)
        reasons = messages.reasons_for_failure(result, 0, "pulumi up")
        if reasons and inputs["on_failure"] == "record":
            for reason in reasons:
                call.warn(reason)
        elif reasons and host.report_partial_failure(call, id_, outputs, reasons):
            raise host.HookFailedError(call.conceal("\n".join(reasons)))
        return ReadResult(id_, outputs)

    @_in_words
    def delete(self, call: host.Call, _id: str, props: dict[str, Any]) -> None:
        """Leave the jobs as they are, or pause or stop them, where ``on_destroy`` says so. To leave them needs no login."""
        listed = listed_ids(props)
        place = Place.from_output(props.get("place"))
        jobs = jobs_to_retire(props)
        if jobs:
            jobs = self._not_declared(call, place, jobs, str(props.get("on_destroy")))
        if not jobs:
            call.info(messages.left_in_words(listed))
            return
        checked = _checked(props, props)
        # A time limit of a state that was written by hand may be wrong: that must not keep the resource from going.
        inputs = checked.inputs if not checked.problems else _checked({"jobs": props.get("jobs")}, {}).inputs
        # Done means seen, also where an `up` would have returned sooner.
        result, timeout_seconds = self._bring_about(call, inputs, jobs, records_of(props), place, Goal.RUNNING)
        call.info(messages.result_in_words(result))
        if reasons := messages.reasons_for_failure(result, timeout_seconds, "pulumi destroy"):
            raise _unfinished_destroy(call, reasons)

    def _converge(self, call: host.Call, resource_id: str, props: Mapping[str, Any], olds: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out what is declared and return the outputs; fail the command, with the resource saved, if some jobs failed."""
        _declared_jobs.is_made(call.urn or "")
        inputs = _checked(props, olds).inputs
        place = Place.from_output(props.get("place"))
        result, timeout_seconds = self._bring_about(call, inputs, desired_jobs(inputs), records_of(olds), place, goal_of(inputs))
        outputs = to_outputs(_kept(props) | inputs, result)
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
            raise host.HookFailedError(call.conceal("\n".join(reasons)))
        # The resource's constructor fails the program with this, after the state was saved.
        return {**outputs, "unreported_failure": call.conceal("\n".join(reasons))}

    def _bring_about(
        self,
        call: host.Call,
        inputs: Mapping[str, Any],
        jobs: Sequence[DesiredJob],
        records: Mapping[str, JobRecord],
        place: Place | None,
        goal: Goal,
    ) -> tuple[Result, float]:
        """Converge these jobs, within the time limit that goes with them; seconds."""
        timeout_seconds = call.timeout_seconds or parse_duration(inputs["timeout"])
        connection = self._connect(call, inputs, place)
        with connection.explaining():
            result = converge(
                connection.reader,
                jobs,
                seen=connection.just_seen([job.job_id for job in jobs]),
                budget=TimeBudget(timeout_seconds, is_wanted=call.is_wanted, on_wait=call.progress),
                goal=goal,
                records=records,
                batch=connection.batch,
                on_progress=lambda progress: call.progress(messages.progress_in_words(progress)),
            )
        return result, timeout_seconds

    def _not_declared(
        self, call: host.Call, place: Place | None, jobs: Sequence[DesiredJob], on_destroy: str
    ) -> list[DesiredJob]:
        """Those that may be paused or stopped: without the jobs that this program declares, or may declare, all the same.

        A resource that gets another name is deleted under the old one after it was created under the new one.
        """
        urn = call.urn or ""
        if place is None:
            call.warn(
                messages.not_retired_in_words([job.job_id for job in jobs], on_destroy, "the state does not say where they are")
            )
            return []
        if _declared_jobs.declares(urn, place):
            # It is only made anew, at the same place: what is no longer on its list was taken off, and that stops nothing.
            return []
        theirs = _declared_jobs.at(place)
        if declared := [job.job_id for job in jobs if job.job_id in theirs]:
            call.warn(messages.declared_elsewhere_in_words(declared))
        left = [job for job in jobs if job.job_id not in theirs]
        if left and (why := _declared_jobs.why_unsure(urn) or _why_partial(call)):
            call.warn(messages.not_retired_in_words([job.job_id for job in left], on_destroy, why))
            return []
        return left

    def _tell_replacement(self, call: host.Call, replaces: Sequence[str], olds: Mapping[str, Any]) -> None:
        place = Place.from_output(olds.get("place"))
        theirs = _declared_jobs.at(place) if place else frozenset()
        retired = [job.job_id for job in jobs_to_retire(olds) if job.job_id not in theirs]
        where = f", away from {place}" if place else ""
        on_destroy = str(olds.get("on_destroy"))
        if retired and (why := _why_partial(call)):
            call.warn(messages.not_retired_in_words(retired, on_destroy, why))
        elif line := messages.retirement_in_words(retired, on_destroy):
            call.warn(f"the resource will be replaced, because {' and '.join(replaces)} changed{where}: {line}")

    def _settings(self, overrides: Overrides) -> Settings:
        return load_settings(self._config, os.environ, overrides)

    def _connect(self, call: host.Call, inputs: Mapping[str, Any], place: Place | None) -> _Connection:
        """A connection to where the jobs are.

        Args:
            call: which the connection is for.
            inputs: of the resource.
            place: where its jobs were the last time; None where nobody has looked yet.
        """
        own = Overrides(**{name: inputs.get(name) for name in PLACES})
        if place is None:
            return _connection_for(self._settings(own))
        there = Overrides(own.region, place.project_id, place.endpoint, own.cloud)
        try:
            settings = self._settings(own)
        except SettingsError:
            # What is missing may be what the state knows.
            return _connection_for(self._settings(there))
        if settings.endpoint == place.endpoint and settings.project_id in (None, place.project_id):
            connection = _connection_for(settings)
            try:
                if settings.project_id or connection.find_place(_reading(call)) == place:
                    return connection
            except AuthenticationError as exc:
                log.debug("nothing tells the project of the configuration: %s", exc)
        return _connection_for(self._settings(there), elsewhere=(place, settings))


@dataclass(slots=True)
class _Connection:
    """A client of DRS, and what it was last told: shared by all resources of the process.

    Attributes:
        elsewhere: where the jobs are, and the settings of this command, which are for another place.
    """

    settings: Settings
    client: DrsClient
    reader: StatusReader
    batch: BatchLimit
    elsewhere: tuple[Place, Settings] | None = None
    _recent: dict[tuple[str, ...], tuple[float, dict[str, JobStatus]]] = field(default_factory=dict)

    def find_place(self, budget: TimeBudget) -> Place:
        """Where the jobs are; logs in where only a login tells the project."""
        return Place(self.settings.endpoint, self.client.get_project_id(budget))

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """An error here may be due to settings for another place: then it names both."""
        try:
            yield
        except OperationEndedError:
            raise
        except DrsError as exc:
            if self.elsewhere is None:
                raise
            log.debug("the login does not help elsewhere: %s: %s", type(exc).__name__, exc)
            text = messages.elsewhere_in_words(*self.elsewhere, exc)
        else:
            return
        raise ElsewhereError(text)

    def warn_if_elsewhere(self, call: host.Call) -> None:
        """Say that the jobs are dealt with where they are, and not where the settings of this command are for."""
        if self.elsewhere is not None:
            call.warn(messages.elsewhere_in_words(*self.elsewhere))

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
        with self.explaining():
            statuses = self.reader.read(job_ids, budget)
        if not may_be_recent:
            self._recent[key] = (asked_at, statuses)
            while len(self._recent) > MOST_RECENT:
                self._recent.pop(next(iter(self._recent)), None)
        return statuses


# One for the process: a resource of an older state may be served by another instance of the provider.
_declared_jobs = DeclaredJobs()

_connections: dict[Settings, _Connection] = {}
_connections_lock = threading.Lock()


def _connection_for(settings: Settings, elsewhere: tuple[Place, Settings] | None = None) -> _Connection:
    with _connections_lock:
        if settings not in _connections:
            client = DrsClient(
                settings.endpoint,
                shared_token_source(settings),
                language=settings.language,
                ca_cert=settings.ca_cert,
                user_agent=user_agent(),
            )
            _connections[settings] = _Connection(settings, client, StatusReader(client), BatchLimit(settings.batch_size))
        connection = _connections[settings]
    return replace(connection, elsewhere=elsewhere) if elsewhere else connection


def _why_partial(call: host.Call) -> str | None:
    """Why this command does not know the whole program. Where no host is found, there is no command to look for."""
    return command.why_partial(command.pulumi_arguments(), os.environ) if call.urn else None


def _reading(call: host.Call) -> TimeBudget:
    """The time for a command that only reads."""
    return TimeBudget(READ_LIMIT_SECONDS, is_wanted=call.is_wanted, on_wait=call.progress)


def _declared(bag: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs in one of the host's bags, which also carry outputs and the host's own keys."""
    return {name: value for name, value in bag.items() if name not in _NOT_DECLARED}


_NOT_DECLARED = {
    *("__provider", "to_start", "to_resume", "job_statuses", "summary", "ready", "records", "unreported_failure"),
    *("place", SECRET_INPUTS),
}


def _kept(bag: Mapping[str, Any]) -> dict[str, Any]:
    """What the inputs tell the outputs beside what was declared."""
    return {name: bag[name] for name in ("place", SECRET_INPUTS) if bag.get(name) is not None}


def _checked(bag: Mapping[str, Any], olds: Mapping[str, Any]) -> Checked:
    """Inputs that were checked before; those of a state written long ago may not be in today's normal form."""
    return check_inputs(_declared(bag), _is_unknown, listed_ids(olds))


def _recorded_place(inputs: Mapping[str, Any], olds: Mapping[str, Any]) -> Place | None:
    """Where the jobs are according to the inputs of the last time, if the program still says the same of that."""
    is_same = all(inputs.get(name) == olds.get(name) for name in PLACES)
    return Place.from_output(olds.get("place")) if is_same else None


def _replaces(news: Mapping[str, Any], olds: Mapping[str, Any]) -> list[str]:
    """The inputs because of which the jobs are to be looked for elsewhere. Another name for the same place changes nothing."""
    before, after = Place.from_output(olds.get("place")), Place.from_output(news.get("place"))
    if before is None or after is None or before == after:
        return []
    return [name for name in PLACES if news.get(name) != olds.get(name)] or ["place"]


def _unfinished_destroy(call: host.Call, reasons: Sequence[str]) -> host.HookFailedError:
    text = "\n".join([*reasons, messages.WAY_OUT_OF_DESTROY])
    host.report_error(call, text)
    return host.HookFailedError(call.conceal(text))


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


def _differ(olds: Mapping[str, Any], news: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
    """Whether an input differs from the one that the outputs carry, or is secret now and was not."""
    after = {name: value for name, value in inputs.items() if name != "found"}
    before = {name: value for name, value in _declared(olds).items() if name != "found"}
    return before != after or news.get(SECRET_INPUTS) != olds.get(SECRET_INPUTS)


def _warn(call: host.Call, result: Result) -> None:
    for line in messages.attention_in_words(result.jobs.values()):
        call.warn(line)


def _tell_plan(call: host.Call, plan: Plan, left: Sequence[str] = (), unknown: int | None = 0) -> None:
    text = messages.plan_in_words(plan, unknown)
    if left:
        text += f"; {messages.unlisted_in_words(left)}"
    call.info(text)
    for line in messages.plan_warnings(plan):
        call.warn(line)


def _tell_unknowns(call: host.Call, inputs: Mapping[str, Any], statuses: Mapping[str, JobStatus]) -> None:
    """What may be paused, stopped or resumed, or not be started, once all inputs are known."""
    names = [name for name in ("on_destroy", "resume", "precheck") if _is_unknown(inputs.get(name))]
    jobs = inputs.get("jobs")
    states = [job for job in jobs if isinstance(job, Mapping)] if isinstance(jobs, list) else []
    doubtful = [job["job_id"] for job in states if _is_unknown(job.get("desired_state")) and isinstance(job.get("job_id"), str)]
    for line in messages.unknowns_in_words(names, doubtful, statuses.values()):
        call.warn(line)
