"""
The life of a resource in bags: plain values by name, in Python's spelling, as fronts get them of Pulumi and give them back.

Each method parses bags, calls `lifecycle`, and makes a bag of the answer.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..reconcile.declared import Declared
from ..schema.fields import FOUND, PLACE, REPEATING, SECRET_INPUTS
from ..schema.inputs import found_names, parse_inputs, recorded_ids
from ..schema.state import from_state, place_from_state, place_to_state, to_state
from ..settings import SettingsError
from .lifecycle import Applied, Checked, Difference, Lifecycle
from .operation import Operation

Bag = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CheckedBag:
    """Inputs in normal form with what later calls need; or as they were, and what is wrong with them."""

    inputs: dict[str, Any]
    problems: Sequence[str] = ()
    checked: Checked = field(default_factory=Checked)


@dataclass(frozen=True, slots=True)
class AppliedBag:
    """Outputs, and why the command fails: a sentence per cause, none if it succeeds."""

    outputs: dict[str, Any]
    failures: Sequence[str] = ()


def new_resource_id() -> str:
    """An id for a resource that is created. It says nothing of its jobs, which may change."""
    return f"drs-{uuid.uuid4().hex}"


class BagLifecycle:
    """`Lifecycle` for fronts. Every method may raise what `lifecycle.expected_error` knows."""

    def __init__(self, lifecycle: Lifecycle, is_unknown: Callable[[Any], bool]) -> None:
        self._lifecycle = lifecycle
        self._is_unknown = is_unknown

    def check(self, operation: Operation, olds: Bag, news: dict[str, Any]) -> CheckedBag:
        """Check and normalise inputs. `olds` are those of the last time; empty for a new resource."""
        operation.messages.names.learn(found_names(news))
        inputs = parse_inputs(news, self._is_unknown, recorded_ids(olds), operation.messages.dialect)
        if inputs.problems:
            return CheckedBag(news, inputs.problems)
        try:
            checked = self._lifecycle.check(operation, inputs.declared, from_state(olds))
        except SettingsError as exc:
            respelled = map(operation.messages.dialect.respelled, exc.problems)
            return CheckedBag(news, [operation.conceal(problem) for problem in respelled])
        added: dict[str, Any] = {}
        if checked.place:
            added[PLACE] = place_to_state(checked.place, is_confirmed=checked.is_place_confirmed)
        if olds and inputs.other_found:
            # After an update that failed in part, Pulumi gives the old inputs here, and the new outputs to what comes next:
            # these have jobs on the list that are missing here.
            added[FOUND] = {"other_status": list(inputs.other_found)}
        if news.get(SECRET_INPUTS):
            # Kept, so that what has the same name in the outputs is encrypted.
            added |= {name: news[name] for name in (*REPEATING, SECRET_INPUTS) if name in news}
        return CheckedBag({**inputs.declared.inputs, **added}, (), checked)

    def diff(self, operation: Operation, olds: Bag, news: Bag) -> Difference:
        """Whether ``up`` would act; `olds` are outputs, and `news` inputs that were checked."""
        place = place_from_state(news.get(PLACE))
        difference = self._lifecycle.diff(operation, self._declared(news, olds), from_state(olds), place)
        has_other_secrets = news.get(SECRET_INPUTS) != olds.get(SECRET_INPUTS)
        return replace(difference, changes=difference.changes or has_other_secrets)

    def apply(self, operation: Operation, olds: Bag, news: Bag) -> AppliedBag:
        """Bring the jobs to what is declared. `olds` are outputs, empty to create; `news` inputs that were checked."""
        declared = self._declared(news, olds)
        applied = self._lifecycle.apply(operation, declared, from_state(olds), place_from_state(news.get(PLACE)))
        return _outputs(operation, news, declared, applied)

    def read(self, operation: Operation, olds: Bag) -> AppliedBag:
        """Bring the statuses in outputs up to date."""
        recorded = from_state(olds, operation.messages.dialect)
        if recorded.problems:
            raise SettingsError(recorded.problems)
        return _outputs(operation, olds, recorded.declared, self._lifecycle.refresh(operation, recorded))

    def delete(self, operation: Operation, olds: Bag) -> Sequence[str]:
        """Leave the jobs of outputs as they are, or pause or stop them; why the resource can't be deleted yet."""
        return self._lifecycle.retire(operation, from_state(olds))

    def _declared(self, news: Bag, olds: Bag) -> Declared:
        """What inputs declare that were checked before."""
        return parse_inputs(news, self._is_unknown, recorded_ids(olds)).declared


def _outputs(operation: Operation, props: Bag, declared: Declared, applied: Applied) -> AppliedBag:
    kept = {name: props[name] for name in (PLACE, SECRET_INPUTS) if props.get(name) is not None}
    place = applied.place or place_from_state(props.get(PLACE))
    if place:
        kept[PLACE] = place_to_state(place, is_confirmed=applied.is_place_confirmed)
    outputs = to_state({**kept, **declared.inputs}, applied.result, operation.messages)
    return AppliedBag(outputs, applied.failures)
