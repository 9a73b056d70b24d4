"""
The life of a resource, for any front: check, diff, apply, refresh, retire.

A front parses what Pulumi gives it, calls one of these with an `Operation`, and puts the answer into its host's form.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from ..drs.errors import AuthenticationError, DrsError, OperationEndedError
from ..drs.http.budget import TimeBudget
from ..reconcile.actual import ActualJob
from ..reconcile.converge import converge, read_copies
from ..reconcile.declared import Declared, DesiredJob, Goal, OnFailure, Place
from ..reconcile.outcome import JobOutcome, Result, refreshed, result_of
from ..reconcile.phase import DELETED_STATUS, Phase
from ..reconcile.plan import Case, Plan, make_cases, make_plan
from ..reconcile.record import Action
from ..reconcile.recorded import Recorded
from ..schema.fields import PLACE_INPUTS
from ..schema.messages import Messages
from ..schema.state import StateError
from ..settings import Overrides, SettingsError, load_settings
from . import command
from .connections import Connection, Connections, ElsewhereError
from .operation import Foretold, Operation

log = logging.getLogger(__name__)

# Preview and refresh only read. They must not hang for the hour that an operation may take.
READ_LIMIT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Checked:
    """What `Lifecycle.check` found: what ``up`` would do, and how the jobs stand.

    Attributes:
        place: where the jobs are; None if that is not known yet.
        is_place_confirmed: DRS knows one of the jobs there, or has known one.
    """

    place: Place | None = None
    is_place_confirmed: bool = False
    plan: Plan = field(default_factory=Plan)
    actual: Mapping[str, ActualJob] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """What `Lifecycle.diff` found.

    Attributes:
        changes: ``up`` would act.
        replaces: the inputs because of which the resource is replaced.
        jobs: of the jobs that are not what is declared, or were not the last time, those that ``up`` deals with.
    """

    changes: bool
    replaces: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    """What an operation came to.

    Attributes:
        failures: why the command fails: a sentence per cause, none if it succeeds.
        place: where the jobs are, if the state did not say so.
        is_place_confirmed: DRS knows one of the jobs there, or has known one.
    """

    result: Result
    failures: tuple[str, ...] = ()
    place: Place | None = None
    is_place_confirmed: bool = True


def expected_error(error: Exception, messages: Messages) -> str | None:
    """The text of an error that users are told without a traceback; None for a defect of this package."""
    if isinstance(error, DrsError):
        return messages.dialect.respelled(messages.error(error))
    return messages.dialect.respelled(str(error)) if isinstance(error, (SettingsError, StateError, ElsewhereError)) else None


class Lifecycle:
    """The hooks of a resource, without a host.

    Every method may raise DrsError, SettingsError and ElsewhereError; see `expected_error`.
    """

    def __init__(self, connections: Connections, config: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> None:
        """
        Args:
            connections: what all resources of the process share.
            config: the stack's configuration by bare names: ``region``, ``projectId``, …
            environment: environment variables.
        """
        self._connections = connections
        self._config = config
        self._environment = environment

    def check(self, operation: Operation, declared: Declared, recorded: Recorded) -> Checked:
        """Find out where the jobs are and how they stand; for a new resource, tell what ``up`` will do."""
        operation.messages.names.learn(recorded.names, are_old=True)
        registry = self._connections.declared
        if not declared.listed or not declared.is_place_known:
            registry.declare(operation.resource, None, ())
            if not recorded.exists:
                _tell_plan(operation, Plan(), unknown=declared.unknown_count)
            return Checked()
        budget = _reading(operation)
        is_same_place = declared.overrides == recorded.declared.overrides
        connection = self._connect(operation, declared, recorded.home if is_same_place else None)
        place = connection.find_place(budget)
        registry.declare(operation.resource, place if declared.are_ids_known else None, declared.listed)
        before = set(recorded.declared.listed)
        actual = _read(operation, connection, declared, budget, new=[one for one in _ids(declared.jobs) if one not in before])
        cases = make_cases(declared.jobs, actual, recorded.records_for(declared), declared.goal, time.time())
        plan = make_plan(cases)
        if not recorded.exists:
            _tell_plan(operation, plan, unknown=declared.unknown_count)
            _warn(operation, operation.messages.unknowns(declared, actual.values()))
            _warn(operation, [operation.messages.on_destroy(declared)])
            _warn(operation, _attention(operation, cases, plan))
        return Checked(place, place == recorded.home or _is_home(actual.values()), plan, actual)

    def diff(self, operation: Operation, declared: Declared, recorded: Recorded, place: Place | None) -> Difference:
        """Whether ``up`` would act: inputs that changed, jobs that are not what is declared, failures to try again.

        `place` is where `check` found the jobs.
        """
        messages = operation.messages
        messages.names.learn(recorded.names, are_old=True)
        if not declared.is_place_known:
            retired = _ids(recorded.declared.to_retire())
            _warn(operation, [messages.may_be_replaced(retired, recorded.declared.on_destroy)])
            return Difference(changes=True)
        if replaces := _replaces(declared, recorded, place):
            self._connections.declared.is_replaced(operation.resource)
            self._tell_replacement(operation, replaces, recorded)
            return Difference(changes=True, replaces=replaces)
        connection = self._connect(operation, declared, place)
        _warn_if_elsewhere(operation, connection)
        # What `check` was told a moment ago is good enough.
        recent = connection.just_read(_ids(declared.jobs))
        actual = recent[1] if recent else _read(operation, connection, declared, _reading(operation))
        messages.names.learn(connection.reader.names(_ids(declared.jobs)))
        cases = make_cases(declared.jobs, actual, recorded.records_for(declared), declared.goal, time.time())
        plan = make_plan(cases)
        has_changed = declared.has_unknowns or declared.inputs != recorded.declared.inputs
        changes = has_changed or _would_change(plan, declared, recorded)
        if changes:
            taken_off = set(recorded.declared.listed).difference(declared.listed)
            # One of the ids that are not known yet may be that of a job on the list so far.
            left = [job_id for job_id in recorded.declared.listed if job_id in taken_off] if declared.are_ids_known else []
            _tell_plan(operation, plan, left, declared.unknown_count, messages.failed_before(plan, recorded))
            _warn(operation, messages.unknowns(declared, actual.values()))
            if declared.on_destroy is not recorded.declared.on_destroy:
                _warn(operation, [messages.on_destroy(declared)])
        else:
            _warn(operation, messages.impossible(plan))
        _warn(operation, _attention(operation, cases, plan))
        news = recorded.unfinished.union(recorded.failed)
        concerned = [one for one, decision in plan.decisions.items() if not decision.is_fulfilled or one in news]
        return Difference(changes, jobs=tuple(concerned) if changes else ())

    def apply(self, operation: Operation, declared: Declared, recorded: Recorded, place: Place | None) -> Applied:
        """Bring the jobs to their declared state. What is taken off the list is left as it is."""
        self._connections.declared.is_made(operation.resource)
        operation.messages.names.learn(recorded.names, are_old=True)
        result, failures = self._converge(operation, declared, recorded, place, declared.jobs, declared.goal)
        _warn(operation, operation.messages.attention(list(result.jobs.values())))
        is_expected = result.ended_by is None or isinstance(result.ended_by, DrsError)
        applied = _applied(operation, result, failures, is_tolerated=declared.on_failure is OnFailure.RECORD and is_expected)
        return replace(applied, is_place_confirmed=recorded.home == place or _is_home(result.jobs.values()))

    def refresh(self, operation: Operation, recorded: Recorded) -> Applied:
        """Read how the jobs stand. Failures of the last operation stay until their jobs run."""
        declared, messages = recorded.declared, operation.messages
        messages.names.learn(recorded.names, are_old=True)
        connection = self._connect(operation, declared, recorded.home)
        _warn_if_elsewhere(operation, connection)
        budget = _reading(operation)
        with connection.explaining(messages):
            found = None if recorded.home else connection.find_place(budget)
        # Of a resource that is only looked up by its id, or imported, nothing is recorded.
        new = [] if recorded.rows else _ids(declared.jobs)
        actual = _read(operation, connection, declared, budget, new)
        cases = make_cases(declared.jobs, actual, recorded.records, declared.goal, time.time())
        if declared.goal is Goal.SYNCED:
            cases = _with_copies(operation, connection, cases, budget)
        result = refreshed(recorded, result_of(cases))
        _warn(operation, messages.attention(list(result.jobs.values())))
        failures = messages.failures(result, 0)
        applied = _applied(operation, result, failures, is_tolerated=declared.on_failure is OnFailure.RECORD)
        return replace(applied, place=found, is_place_confirmed=found is None or _is_home(actual.values()))

    def retire(self, operation: Operation, recorded: Recorded) -> tuple[str, ...]:
        """Leave the jobs of a deleted resource as they are, or pause or stop them where ``on_destroy`` says so.

        To leave them needs no login.

        Returns:
            Why the resource can't be deleted yet, a sentence per cause; nothing if it can.
        """
        declared, messages = recorded.declared, operation.messages
        messages.names.learn(recorded.names, are_old=True)
        jobs = self._not_declared(operation, recorded)
        if not jobs:
            operation.info(messages.left(declared.listed))
            return ()
        # Done means seen, also where an `up` would have returned sooner.
        _, failures = self._converge(operation, declared, recorded, recorded.place, jobs, Goal.RUNNING, "pulumi destroy")
        return (*failures, messages.way_out_of_destroy) if failures else ()

    def _converge(
        self,
        operation: Operation,
        declared: Declared,
        recorded: Recorded,
        place: Place | None,
        jobs: Sequence[DesiredJob],
        goal: Goal,
        command_name: str = "pulumi up",
    ) -> tuple[Result, list[str]]:
        """Bring jobs to their state and say what became of them. The second value is why the command fails."""
        messages = operation.messages
        connection = self._connect(operation, declared, place)
        connection.reader.learn(messages.names.known)
        messages.names.learn(connection.reader.names(_ids(jobs)))
        timeout_seconds = operation.timeout_seconds or declared.timeout_seconds
        with connection.explaining(messages):
            result = converge(
                connection.reader,
                jobs,
                seen=connection.just_read(_ids(jobs)),
                budget=TimeBudget(timeout_seconds, is_wanted=operation.is_wanted, on_wait=operation.progress),
                goal=goal,
                sync=declared.sync,
                records=recorded.records_for(declared),
                batch=connection.batch,
                on_progress=lambda progress: operation.progress(messages.progress(progress)),
            )
        messages.names.learn(connection.reader.names(_ids(jobs)))
        operation.info(messages.result(result))
        return result, messages.failures(result, timeout_seconds, command_name)

    def _not_declared(self, operation: Operation, recorded: Recorded) -> list[DesiredJob]:
        """The jobs that may be paused or stopped: without those that this program declares, or may declare, all the same.

        A resource that gets another name is deleted under the old one after it was created under the new one.
        """
        registry, messages = self._connections.declared, operation.messages
        place, on_destroy, jobs = recorded.place, recorded.declared.on_destroy, recorded.declared.to_retire()
        if not jobs:
            return []
        if place is None:
            operation.warn(messages.not_retired(_ids(jobs), on_destroy, "the state does not say where the jobs are"))
            return []
        if registry.declares(operation.resource, place):
            # It is only made anew, at the same place: what is no longer on its list was taken off, and that stops nothing.
            return []
        theirs = registry.at(place, _ids(jobs))
        if declared := [job.job_id for job in jobs if job.job_id in theirs]:
            operation.warn(messages.left_to_another(declared))
        left = [job for job in jobs if job.job_id not in theirs]
        if left and (why := registry.why_unsure(operation.resource) or self._why_partial(operation)):
            operation.warn(messages.not_retired(_ids(left), on_destroy, why))
            return []
        return left

    def _tell_replacement(self, operation: Operation, replaces: Sequence[str], recorded: Recorded) -> None:
        messages, place, on_destroy = operation.messages, recorded.place, recorded.declared.on_destroy
        concerned = _ids(recorded.declared.to_retire())
        theirs = self._connections.declared.at(place, concerned) if place else frozenset()
        retired = [job_id for job_id in concerned if job_id not in theirs]
        if retired and (why := self._why_partial(operation)):
            operation.warn(messages.not_retired(retired, on_destroy, why))
        else:
            _warn(operation, [messages.replaced(replaces, place, retired, on_destroy)])

    def _why_partial(self, operation: Operation) -> str | None:
        """Why this command does not know the whole program. Where no engine is at work, there is no command to ask about."""
        return command.why_partial(command.pulumi_arguments(), self._environment) if operation.resource else None

    def _connect(self, operation: Operation, declared: Declared, place: Place | None) -> Connection:
        """A connection to where the jobs are. `place` is where they were the last time; None where nobody has found out yet."""
        own, connections = declared.overrides, self._connections
        settings_for = partial(load_settings, self._config, self._environment)
        if place is None:
            return connections.to(settings_for(own))
        there = Overrides(own.region, place.project_id, place.endpoint, own.cloud)
        try:
            settings = settings_for(own)
        except SettingsError:
            # What is missing may be what the state knows.
            return connections.to(settings_for(there))
        if settings.endpoint == place.endpoint and settings.project_id in (None, place.project_id):
            connection = connections.to(settings)
            try:
                if settings.project_id or connection.find_place(_reading(operation)) == place:
                    return connection
            except AuthenticationError as exc:
                log.debug("nothing tells the project of the configuration: %s", exc)
        return connections.to(settings_for(there), elsewhere=(place, settings))


def _ids(jobs: Sequence[DesiredJob]) -> list[str]:
    return [job.job_id for job in jobs]


def _is_home(jobs: Iterable[ActualJob | JobOutcome]) -> bool:
    """Whether DRS knows one of these jobs. It may call a job deleted that never was in the project."""
    return any(job.phase is not Phase.MISSING and job.status != DELETED_STATUS for job in jobs)


def _reading(operation: Operation) -> TimeBudget:
    """The time for a command that only reads."""
    return TimeBudget(READ_LIMIT_SECONDS, is_wanted=operation.is_wanted, on_wait=operation.progress)


def _read(
    operation: Operation, connection: Connection, declared: Declared, budget: TimeBudget, new: Sequence[str] = ()
) -> dict[str, ActualJob]:
    """How the declared jobs stand. The names of new ones are asked for; those of others come with what is asked anyway."""
    names = operation.messages.names
    connection.reader.learn(names.known)
    with connection.explaining(operation.messages):
        actual = connection.read(_ids(declared.jobs), budget, new)
    names.learn(connection.reader.names(_ids(declared.jobs)))
    return actual


def _with_copies(operation: Operation, connection: Connection, cases: list[Case], budget: TimeBudget) -> list[Case]:
    """The same cases, with how far the copies are. Nobody goes without a status because DRS does not tell that."""
    try:
        return read_copies(connection.reader, cases, budget)
    except OperationEndedError:
        raise
    except DrsError as exc:
        operation.warn(operation.messages.silent(str(exc)))
        return cases


def _attention(operation: Operation, cases: Sequence[Case], plan: Plan) -> list[str]:
    """What nothing is done about, but somebody should know. Jobs that are what was declared, at rest all of them, need none."""
    open_cases = [case for case in cases if not plan.decisions[case.desired.job_id].is_fulfilled]
    return operation.messages.attention(list(result_of(open_cases).jobs.values()))


def _replaces(declared: Declared, recorded: Recorded, place: Place | None) -> tuple[str, ...]:
    """The inputs because of which the jobs are to be looked for elsewhere. Another name for the same place changes nothing."""
    home = recorded.home
    if home is None or place is None or home == place:
        return ()
    before, after = recorded.declared.overrides, declared.overrides
    changed = tuple(name for name in PLACE_INPUTS if getattr(before, name) != getattr(after, name))
    # With the same inputs: Pulumi knows nothing else by name.
    return changed or tuple(name for name in ("endpoint", "project_id") if getattr(home, name) != getattr(place, name))


def _would_change(plan: Plan, declared: Declared, recorded: Recorded) -> bool:
    """Whether ``up`` would do something about the jobs, or has something new to say of them."""
    # What has arrived since the last operation ended is to be recorded: until then the resource is not ready.
    arrived = {job_id for job_id, decision in plan.decisions.items() if decision.is_fulfilled}
    if plan.would_act or recorded.unfinished.intersection(arrived.union(plan.jobs(Action.WAIT))):
        return True
    failed = {job_id: phase for job_id, phase in recorded.failed.items() if job_id in plan.decisions}
    impossible = plan.jobs(Action.FAIL)
    if declared.on_failure is OnFailure.FAIL:
        return bool(impossible or failed)
    # Recorded and beyond our help: saying so at each run would be a difference that never goes away. What came otherwise is news.
    return failed != {job_id: plan.decisions[job_id].phase.value for job_id in impossible}


def _applied(operation: Operation, result: Result, failures: Sequence[str], *, is_tolerated: bool) -> Applied:
    if not is_tolerated:
        return Applied(result, tuple(failures))
    _warn(operation, failures)
    return Applied(result)


def _warn(operation: Operation, lines: Sequence[str]) -> None:
    for line in filter(None, lines):
        operation.warn(line)


def _warn_if_elsewhere(operation: Operation, connection: Connection) -> None:
    """Say that the jobs are dealt with where they are, and not where the settings of this command are for."""
    if connection.elsewhere is not None:
        operation.warn(operation.messages.elsewhere(*connection.elsewhere))


def _tell_plan(
    operation: Operation, plan: Plan, left: Sequence[str] = (), unknown: int | None = 0, failed_before: Sequence[str] = ()
) -> None:
    """Say what will be done. Of what can't be done `Lifecycle.apply` will tell, except in a preview."""
    messages = operation.messages
    beside = messages.taken_off(left) if left else ""
    operation.foretell(Foretold(messages.plan(plan, unknown), (*messages.impossible(plan), *failed_before), beside))
    _warn(operation, messages.plan_warnings(plan))
