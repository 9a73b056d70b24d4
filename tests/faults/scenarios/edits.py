"""
Small changes of a program, as people make them between two commands. Each takes a valid program and makes a valid one; where
there is nothing to change it gives back the same.

What holds of every program: a resource has a job, unless it finds its own; no job is on two lists, unless two owners are wanted,
and then both say the same of it; a resource depends on earlier ones alone, and what it was called before is nobody's name.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from .scenario import Job, Program, Resource

SIDES = ("left", "right")
"""What a resource may find, see `Scenario.name_of`."""


@dataclass(frozen=True, slots=True)
class World:
    """What an edit has to heed.

    Attributes:
        jobs: how many there are.
        guarded: names of resources that stay, because they are or were protected.
        can_sync: copies catch up where they are waited for.
    """

    jobs: int
    guarded: tuple[str, ...] = ()
    can_sync: bool = False


Edit = Callable[[random.Random, Program, World], Program]


def indexes(resource: Resource, jobs: int) -> tuple[int, ...]:
    """The jobs of a resource, of so many that there are."""
    if resource.found is not None:
        return tuple(range(SIDES.index(resource.found), jobs, len(SIDES)))
    return tuple(job.index for job in resource.jobs)


def wrong_with(program: Program, jobs: int, may_share: bool) -> Iterator[str]:
    """Why a program is not valid, in words; nothing if it is."""
    names = [one.name for one in program]
    known = [*names, *(alias for one in program for alias in one.aliases)]
    if not program or len(set(known)) < len(known):
        yield f"names are missing or given twice: {known}"
    for number, one in enumerate(program):
        own = indexes(one, jobs)
        if not own or len(set(own)) < len(own) or not set(own) <= set(range(jobs)) or (one.found and one.jobs):
            yield f"{one.name} has the jobs {own}"
        if not set(one.depends_on) <= set(names[:number]):
            yield f"{one.name} depends on {one.depends_on}"
        if one.found and one.is_elsewhere:
            yield f"{one.name} finds nothing elsewhere"
    owners = Counter(index for one in program for index in indexes(one, jobs))
    if not may_share and any(count > 1 for count in owners.values()):
        yield f"a job has two owners: {owners}"
    if len({job for one in program for job in one.jobs}) > len({job.index for one in program for job in one.jobs}):
        yield "two owners do not say the same of a job"


def without(program: Program, names: Iterable[str]) -> Program:
    """The program without some resources."""
    gone = tuple(names)
    return tuple(
        replace(one, depends_on=tuple(name for name in one.depends_on if name not in gone))
        for one in program
        if one.name not in gone
    )


def add_job(rng: random.Random, program: Program, world: World) -> Program:
    """A job that is on no list comes on one."""
    listing, free = _listing(program), _free(program, world)
    if not listing or not free:
        return program
    one = rng.choice(listing)
    return _put(program, replace(one, jobs=(*one.jobs, Job(rng.choice(free)))))


def remove_job(rng: random.Random, program: Program, _world: World) -> Program:
    """A job leaves its list."""
    able = [one for one in _listing(program) if len(one.jobs) > 1]
    if not able:
        return program
    one = rng.choice(able)
    return _put(program, _less(one, (rng.choice(one.jobs).index,)))


def move_job(rng: random.Random, program: Program, _world: World) -> Program:
    """Jobs leave a list for another one; perhaps one of the resources depends on the other from now on."""
    able = [one for one in _listing(program) if len(one.jobs) > 1]
    if not able or len(_listing(program)) < 2:
        return program
    source = rng.choice(able)
    target = rng.choice([one for one in _listing(program) if one != source])
    moved = rng.sample(source.jobs, rng.randint(1, len(source.jobs) - 1))
    source = _less(source, [job.index for job in moved])
    there = [job.index for job in target.jobs]
    target = replace(target, jobs=(*target.jobs, *(job for job in moved if job.index not in there)))
    changed = _put(program, source, target)
    return _depending(changed, source.name, target.name) if rng.random() < 0.5 else changed


def share_job(rng: random.Random, program: Program, _world: World) -> Program:
    """A job comes on a second list."""
    pairs = [(one, job) for one in _listing(program) for other in program for job in other.jobs if job not in one.jobs]
    if not pairs:
        return program
    one, job = rng.choice(pairs)
    return _put(program, replace(one, jobs=(*one.jobs, job)))


def rename(rng: random.Random, program: Program, world: World) -> Program:
    """A resource gets another name, and Pulumi takes it for another one."""
    return _renamed(rng, program, world, has_alias=False)


def rename_with_alias(rng: random.Random, program: Program, world: World) -> Program:
    """A resource gets another name and says so; or one that did so long ago says so no more."""
    aliased = [one for one in program if one.aliases]
    if aliased and rng.random() < 0.3:
        return _put(program, replace(rng.choice(aliased), aliases=()))
    return _renamed(rng, program, world, has_alias=True)


def split(rng: random.Random, program: Program, _world: World) -> Program:
    """Some jobs of a resource go to a new one like it."""
    able = [one for one in _listing(program) if len(one.jobs) > 1]
    if not able:
        return program
    one = rng.choice(able)
    some = rng.sample(one.jobs, rng.randint(1, len(one.jobs) - 1))
    new = replace(one, name=_new_name(program), jobs=tuple(some), aliases=(), protect=False)
    if rng.random() < 0.3:
        new = replace(new, depends_on=(one.name,))
    place = rng.choice([number for number, other in enumerate(program, 1) if other == one] + [len(program)])
    changed = _put(program, _less(one, [job.index for job in some]))
    return (*changed[:place], new, *changed[place:])


def merge(rng: random.Random, program: Program, world: World) -> Program:
    """All jobs of a resource go to another one, and it is gone."""
    able = [one for one in _listing(program) if one.name not in world.guarded]
    if not able or len(_listing(program)) < 2:
        return program
    gone = rng.choice(able)
    kept = rng.choice([one for one in _listing(program) if one != gone])
    there = [job.index for job in kept.jobs]
    kept = replace(kept, jobs=(*kept.jobs, *(job for job in gone.jobs if job.index not in there)))
    return without(_put(program, kept), (gone.name,))


def remove(rng: random.Random, program: Program, world: World) -> Program:
    """A resource is gone."""
    able = [one.name for one in program if one.name not in world.guarded]
    return without(program, (rng.choice(able),)) if able and len(program) > 1 else program


def add(rng: random.Random, program: Program, world: World) -> Program:
    """A resource is new."""
    free = _free(program, world)
    if not free:
        return program
    own = rng.sample(free, rng.randint(1, len(free)))
    inputs = dict(rng.choice(program).inputs)
    return (*program, Resource(_new_name(program), tuple(map(Job, own)), inputs))


def depend(rng: random.Random, program: Program, _world: World) -> Program:
    """A resource depends on another one, or no more."""
    one = rng.choice(program)
    if one.depends_on:
        return _put(program, replace(one, depends_on=()))
    other = rng.choice(program)
    return _depending(program, one.name, other.name) if one != other else program


def protect(rng: random.Random, program: Program, _world: World) -> Program:
    """A resource is protected, or no more."""
    one = rng.choice(program)
    return _put(program, replace(one, protect=not one.protect))


def retain(rng: random.Random, program: Program, _world: World) -> Program:
    """A resource is to be forgotten rather than deleted, or no more."""
    one = rng.choice(program)
    return _put(program, replace(one, retain_on_delete=not one.retain_on_delete))


def move_place(rng: random.Random, program: Program, _world: World) -> Program:
    """A resource says that its jobs are elsewhere, or no more."""
    listing = _listing(program)
    if not listing:
        return program
    one = rng.choice(listing)
    return _put(program, replace(one, is_elsewhere=not one.is_elsewhere))


def find(rng: random.Random, program: Program, world: World) -> Program:
    """A resource finds its jobs, and others have them no more; or it lists them again."""
    one = rng.choice(program)
    if one.found is not None:
        listed = [index for other in program for index in indexes(other, world.jobs) if other != one]
        own = [index for index in indexes(one, world.jobs) if index not in listed]
        return _put(program, replace(one, found=None, jobs=tuple(map(Job, own))))
    found = rng.choice(SIDES)
    one = replace(one, found=found, jobs=(), is_elsewhere=False)
    left = tuple(one if other.name == one.name else _less(other, indexes(one, world.jobs)) for other in program)
    empty = [other.name for other in left if not indexes(other, world.jobs)]
    is_found = any(other.found == found for other in program)
    if is_found or any(name in world.guarded for name in empty) or not indexes(one, world.jobs):
        return program
    return without(left, empty)


def schedule(rng: random.Random, program: Program, _world: World) -> Program:
    """A job gets another time."""
    return _change_job(rng, program, start_time=rng.choice((None, "past", "soon", "never")))


def desire(rng: random.Random, program: Program, _world: World) -> Program:
    """A job is to be something else."""
    return _change_job(rng, program, desired_state=rng.choice((None, "started", "paused", "paused", "stopped")))


def on_destroy(rng: random.Random, program: Program, _world: World) -> Program:
    """What becomes of a resource's jobs when it is deleted."""
    return _give(rng, program, "on_destroy", ("leave", "pause", "stop"))


def resume(rng: random.Random, program: Program, _world: World) -> Program:
    """A resource resumes what is paused, or no more."""
    return _give(rng, program, "resume", (False, True, True))


def on_failure(rng: random.Random, program: Program, _world: World) -> Program:
    """What the failure of some jobs is to a resource."""
    return _give(rng, program, "on_failure", ("fail", "record"))


def wait_for(rng: random.Random, program: Program, world: World) -> Program:
    """What a resource waits for."""
    return _give(rng, program, "wait_for", ("running", "accepted", *(["synced"] * 3 if world.can_sync else [])))


def timeout(rng: random.Random, program: Program, _world: World) -> Program:
    """How long a resource has."""
    return _give(rng, program, "timeout", ("10s", "45s", "3m"))


def _listing(program: Program) -> list[Resource]:
    return [one for one in program if one.found is None]


def _free(program: Program, world: World) -> list[int]:
    taken = [index for one in program for index in indexes(one, world.jobs)]
    return [index for index in range(world.jobs) if index not in taken]


def _put(program: Program, *changed: Resource) -> Program:
    by_name = {one.name: one for one in changed}
    return tuple(by_name.get(one.name, one) for one in program)


def _less(resource: Resource, gone: Iterable[int]) -> Resource:
    off = tuple(gone)
    return replace(resource, jobs=tuple(job for job in resource.jobs if job.index not in off))


def _depending(program: Program, *names: str) -> Program:
    """Of two resources the later one depends on the earlier one."""
    first, second = sorted((one for one in program if one.name in names), key=program.index)
    return _put(program, replace(second, depends_on=tuple(dict.fromkeys((*second.depends_on, first.name)))))


def _renamed(rng: random.Random, program: Program, world: World, *, has_alias: bool) -> Program:
    able = [one for one in program if one.name not in world.guarded]
    if not able:
        return program
    one, name = rng.choice(able), _new_name(program)
    new = replace(one, name=name, aliases=(one.name, *one.aliases) if has_alias else ())
    return tuple(
        new
        if other == one
        else replace(other, depends_on=tuple(name if needed == one.name else needed for needed in other.depends_on))
        for other in program
    )


def _new_name(program: Program) -> str:
    known = [int(name[1:]) for one in program for name in (one.name, *one.aliases)]
    return f"r{max(known) + 1}"


def _change_job(rng: random.Random, program: Program, **changes: Any) -> Program:
    """Change a job on every list that it is on."""
    if not any(one.jobs for one in program):
        return program
    listed = [job for one in program for job in one.jobs]
    # Most often one of which something was said already.
    told = [job for job in listed if any(getattr(job, name) is not None for name in changes)]
    index = rng.choice(told if told and rng.random() < 0.6 else listed).index
    return tuple(
        replace(one, jobs=tuple(replace(job, **changes) if job.index == index else job for job in one.jobs)) for one in program
    )


def _give(rng: random.Random, program: Program, name: str, values: tuple[Any, ...]) -> Program:
    one = rng.choice(program)
    return _put(program, replace(one, inputs={**one.inputs, name: rng.choice(values)}))


EDITS: dict[str, Edit] = {
    "jobs added": add_job,
    "jobs removed": remove_job,
    "moves": move_job,
    "two owners": share_job,
    "renames": rename,
    "aliases": rename_with_alias,
    "splits": split,
    "merges": merge,
    "removals": remove,
    "new resources": add,
    "depends_on": depend,
    "protect": protect,
    "retain_on_delete": retain,
    "place": move_place,
    "found lists": find,
    "schedules": schedule,
    "desired states": desire,
    "on_destroy": on_destroy,
    "resume": resume,
    "on_failure": on_failure,
    "wait_for": wait_for,
    "short timeouts": timeout,
}
"""By the names of the campaign's table."""
