"""
Smaller variants of a scenario, the boldest first. All are valid, see `make.wrong`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass, replace
from functools import partial
from typing import Any

from .edits import indexes, without
from .make import wrong
from .scenario import Act, Program, Resource, Scenario, Step


def smaller(scenario: Scenario) -> Iterator[Scenario]:
    """Variants of a scenario with something taken away."""
    least = size(scenario)
    for variant in _variants(scenario):
        if size(variant) < least and not any(wrong(variant)):
            yield variant


def size(scenario: Scenario) -> int:
    """How much there is to read of a scenario. What is as usual counts nothing, nor does a program that stays as it was."""
    programs = [step.program for step in scenario.steps]
    fresh = [program for number, program in enumerate(programs) if not number or program != programs[number - 1]]
    steps = [replace(step, program=()) for step in scenario.steps]
    plain = replace(scenario, seed=0, features=(), steps=(), jobs=())
    return _weight((fresh, steps, plain)) + sum(1 if kind == "fresh" else 2 for kind in scenario.jobs)


def _weight(value: Any) -> int:
    if is_dataclass(value):
        return 1 + sum(_weight(getattr(value, one.name)) for one in fields(value) if getattr(value, one.name) != _usual(one))
    if isinstance(value, dict):
        return sum(1 + _weight(part) for part in value.values())
    if isinstance(value, (list, tuple)):
        return sum(map(_weight, value))
    # A small number says as much as a large one, and is easier to follow.
    return 1 + (isinstance(value, (int, float)) and abs(value) > 1)


def _usual(field: Any) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _variants(scenario: Scenario) -> Iterator[Scenario]:
    steps = scenario.steps
    for number in range(len(steps) - 1):
        yield replace(scenario, steps=_without_step(steps, number))
    yield _each_program(scenario, lambda _: steps[-1].program)
    for name in dict.fromkeys(one.name for step in steps for one in step.program):
        yield _each_program(scenario, partial(without, names=(name,)))
    length = len(scenario.jobs)
    while length > 1:
        # Pairs, too, whose ends leave the rest on the sides where it is found.
        length = length // 2 if length < 4 or length % 4 == 0 else length // 4 * 2
        for start in range(0, len(scenario.jobs), length):
            yield _without_jobs(scenario, start, length)
    for number in range(1, len(steps)):
        yield _with_step(scenario, number, replace(steps[number], program=steps[number - 1].program))
        yield _with_step(scenario, number - 1, replace(steps[number - 1], program=steps[number].program))
    plain = Scenario(0, (), ())
    yield replace(scenario, policy={})
    for name in ("front", "finds_host", "open_lag_seconds", "hurried"):
        yield _with(scenario, name, getattr(plain, name))
    for number, step in enumerate(steps):
        for variant in _smaller_step(step):
            yield _with_step(scenario, number, variant)
    for resource in dict.fromkeys(one.name for step in steps for one in step.program):
        yield from _with_plain_parts(scenario, resource)
    for name in scenario.policy:
        yield replace(scenario, policy={key: value for key, value in scenario.policy.items() if key != name})
    for index, kind in enumerate(scenario.jobs):
        if kind != "fresh":
            yield replace(scenario, jobs=(*scenario.jobs[:index], "fresh", *scenario.jobs[index + 1 :]))


def _with_step(scenario: Scenario, number: int, step: Step) -> Scenario:
    return replace(scenario, steps=(*scenario.steps[:number], step, *scenario.steps[number + 1 :]))


def _without_step(steps: tuple[Step, ...], gone: int) -> tuple[Step, ...]:
    """What names an export of a later step than the one that is gone names it still."""

    def renumbered(step: Step) -> Step:
        word, _, number = (step.state or "").partition(" ")
        if word != "then" or int(number) < gone:
            return step
        return replace(step, state=f"then {int(number) - 1}" if int(number) > gone else None)

    return (*steps[:gone], *map(renumbered, steps[gone + 1 :]))


def _each_program(scenario: Scenario, change: Callable[[Program], Program]) -> Scenario:
    """With other programs; what names a resource that no program has any more names it no more."""
    programs = [change(step.program) for step in scenario.steps]
    known: set[str] = set()
    steps = []
    for step, program in zip(scenario.steps, programs, strict=True):
        known |= {one.name for one in program}
        targets, replaces = (tuple(name for name in names if name in known) for names in (step.targets, step.replaces))
        steps.append(replace(step, program=program, targets=targets, replaces=replaces))
    return replace(scenario, steps=tuple(steps))


def _without_jobs(scenario: Scenario, start: int, length: int) -> Scenario:
    """Without some jobs, and the resources that have no other; what happens to the others still does."""

    def stays(index: int) -> bool:
        return not start <= index < start + length

    def moved(index: int) -> int:
        return index - length if index >= start else index

    def acts(old: tuple[Act, ...]) -> tuple[Act, ...]:
        return tuple(replace(act, job=moved(act.job)) for act in old if stays(act.job))

    left = (*scenario.jobs[:start], *scenario.jobs[start + length :])

    def listed(program: Program) -> Program:
        changed = tuple(
            replace(one, jobs=tuple(replace(job, index=moved(job.index)) for job in one.jobs if stays(job.index)))
            for one in program
        )
        return without(changed, [one.name for one in changed if not indexes(one, len(left))])

    steps = tuple(replace(step, before=acts(step.before), during=acts(step.during)) for step in scenario.steps)
    return _each_program(replace(scenario, jobs=left, steps=steps), listed)


def _smaller_step(step: Step) -> Iterator[Step]:
    plain = Step(step.program)
    for name in ("mistake", "state", "faults", "during", "before", "kill", "targets", "replaces", "options", "rest_seconds"):
        yield _with(step, name, getattr(plain, name))
    yield replace(step, stack=0, state=None if step.state == "copied" else step.state)
    yield replace(step, command="up")
    for name in ("faults", "during", "before", "targets", "replaces", "options"):
        items = getattr(step, name)
        for index in range(len(items)):
            yield _with(step, name, (*items[:index], *items[index + 1 :]))
    for index, fault in enumerate(step.faults):
        for less in (replace(fault, times=1), replace(fault, skip=0)):
            yield replace(step, faults=(*step.faults[:index], less, *step.faults[index + 1 :]))


def _with_plain_parts(scenario: Scenario, name: str) -> Iterator[Scenario]:
    """Variants in which a resource, in every program, lacks something that it has."""

    def changed(change: Callable[[Resource], Resource]) -> Scenario:
        return _each_program(scenario, lambda program: tuple(change(one) if one.name == name else one for one in program))

    plain = Resource("", ())
    for part in ("inputs", "depends_on", "aliases", "is_elsewhere", "protect", "retain_on_delete"):
        yield changed(partial(_with, name=part, value=getattr(plain, part)))
    every = [one for step in scenario.steps for one in step.program if one.name == name]
    for given in dict.fromkeys(key for one in every for key in one.inputs):
        yield changed(partial(_without_input, given=given))
    for index in dict.fromkeys(job.index for one in every for job in one.jobs):
        yield changed(partial(_without_job, index=index))
    for part in ("desired_state", "start_time"):
        yield changed(partial(_with_plain_jobs, part=part))


def _with(one: Any, name: str, value: Any) -> Any:
    return replace(one, **{name: value})


def _without_input(resource: Resource, given: str) -> Resource:
    return replace(resource, inputs={name: value for name, value in resource.inputs.items() if name != given})


def _without_job(resource: Resource, index: int) -> Resource:
    return replace(resource, jobs=tuple(job for job in resource.jobs if job.index != index))


def _with_plain_jobs(resource: Resource, part: str) -> Resource:
    return replace(resource, jobs=tuple(_with(job, part, None) for job in resource.jobs))
