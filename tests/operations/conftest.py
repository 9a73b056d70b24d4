"""A resource and its state, driven as the engine drives a front: through checks and diffs, with the state kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from pulumi_drs_start.operations import command
from pulumi_drs_start.operations.connections import Connections
from pulumi_drs_start.operations.lifecycle import Applied, Checked, Difference, Lifecycle
from pulumi_drs_start.operations.operation import Foretold
from pulumi_drs_start.reconcile.recorded import Recorded
from pulumi_drs_start.sandbox import Sandbox
from pulumi_drs_start.schema.inputs import Parsed, parse_inputs, recorded_ids
from pulumi_drs_start.schema.messages import Messages
from pulumi_drs_start.schema.state import from_state, place_to_state, to_state

UNKNOWN = "value that only up knows"
NewCommand = Callable[..., Lifecycle]
# Calls that change something.
_ACTIONS = ("batch-starting", "batch-precheck", "batch-pause-task", "batch-retry-task", "batch-jobs")


@dataclass
class Operation:
    """A call of the engine, and what it was told."""

    resource: str = ""
    timeout_seconds: float = 0.0
    is_preview: bool = True
    is_wanted: Callable[[], bool] = lambda: True
    messages: Messages = field(default_factory=Messages)
    conceal: Callable[[str], str] = lambda text: text
    infos: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)

    def info(self, message: str) -> None:
        self.infos.append(message)

    def foretell(self, plan: Foretold) -> None:
        self.infos += filter(None, ["; ".join(filter(None, [plan.plan if self.is_preview else "", plan.beside]))])
        self.warnings += plan.warnings if self.is_preview else ()

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def progress(self, message: str) -> None:
        self.waits.append(message)


@dataclass
class Resource:
    """One resource of a program.

    Attributes:
        lifecycle: of the process, or of another one.
        urn: its name.
        state: what the last operation left; empty before the first.
        operation: the last call.
    """

    lifecycle: Lifecycle
    urn: str = "batch"
    state: dict[str, Any] = field(default_factory=dict)
    operation: Operation = field(default_factory=Operation)

    def call(self, **options: Any) -> Operation:
        self.operation = Operation(self.urn, **options)
        return self.operation

    def parse(self, inputs: Mapping[str, Any]) -> Parsed:
        parsed = parse_inputs(inputs, lambda value: value == UNKNOWN, recorded_ids(self.state))
        assert not parsed.problems
        return parsed

    @property
    def recorded(self) -> Recorded:
        return from_state(self.state)

    def check(self, inputs: Mapping[str, Any], **options: Any) -> Checked:
        return self.lifecycle.check(self.call(**options), self.parse(inputs).declared, self.recorded)

    def preview(self, inputs: Mapping[str, Any], **options: Any) -> Difference:
        """What the engine does before it updates a resource."""
        place = self.check(inputs, **options).place
        return self.lifecycle.diff(self.call(**options), self.parse(inputs).declared, self.recorded, place)

    def up(self, inputs: Mapping[str, Any], **options: Any) -> Applied:
        """Create the resource, or update it whatever a preview would say."""
        parsed, place = self.parse(inputs), self.check(inputs).place
        applied = self.lifecycle.apply(self.call(**options), parsed.declared, self.recorded, place)
        assert place is not None
        self._keep({**parsed.declared.inputs, "__place": place_to_state(place, is_confirmed=applied.is_place_confirmed)}, applied)
        return applied

    def refresh(self, **options: Any) -> Applied:
        applied = self.lifecycle.refresh(self.call(**options), self.recorded)
        kept = parse_inputs(self.state).declared.inputs
        self._keep({**kept, "__place": self.state["__place"]}, applied)
        return applied

    def delete(self, **options: Any) -> tuple[str, ...]:
        return self.lifecycle.retire(self.call(**options), self.recorded)

    def outcomes(self) -> dict[str, str]:
        return {job_id: row["outcome"] for job_id, row in self.state["job_statuses"].items()}

    def _keep(self, kept: dict[str, Any], applied: Applied) -> None:
        self.state = json.loads(json.dumps(to_state(kept, applied.result, Messages())))


def actions(sandbox: Sandbox) -> list[tuple[str, list[str]]]:
    """The calls that would change something, and for which jobs."""
    return [(call["operation"], sorted(call["jobs"])) for call in sandbox.calls() if call["operation"] in _ACTIONS]


def calls(sandbox: Sandbox) -> list[str]:
    """All calls of DRS; without logins."""
    return [call["operation"] for call in sandbox.calls() if call["operation"] != "tokens"]


@pytest.fixture(autouse=True)
def _plain_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that this process serves: the tests have no pulumi among their ancestors."""
    monkeypatch.setattr(command, "pulumi_arguments", lambda: ("pulumi", "up"))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Jobs that are started run at once, and are stopped and resumed at once."""
    with Sandbox(start_seconds=0, full_seconds=0, complete_seconds=0, stop_seconds=0, precheck_seconds=0) as running:
        yield running


@pytest.fixture
def new_command(sandbox: Sandbox) -> Iterator[NewCommand]:
    """Makes the lifecycle of another command, which knows nothing of what earlier ones declared; variables may differ."""
    with ExitStack() as open_ones:

        def make(environment: Mapping[str, str] | None = None, **variables: str) -> Lifecycle:
            connections = open_ones.enter_context(closing(Connections()))
            return Lifecycle(connections, {}, {**(sandbox.environment if environment is None else environment), **variables})

        yield make


@pytest.fixture
def resource(new_command: NewCommand) -> Resource:
    return Resource(new_command())
