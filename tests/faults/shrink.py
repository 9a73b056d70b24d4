"""
Smaller variants of a schedule, the boldest first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .schedule import Schedule, Up


def smaller(schedule: Schedule) -> Iterator[Schedule]:
    """Variants of a schedule with something taken away."""
    ups, kinds = schedule.ups, schedule.jobs
    for number in range(len(ups) - 1):
        yield replace(schedule, ups=(*ups[:number], *ups[number + 1 :]))
    size = len(kinds) // 2
    while size:
        for start in range(0, len(kinds), size):
            if len(kinds) > size:
                yield _without_jobs(schedule, start, size)
        size //= 2
    if schedule.ends:
        yield replace(schedule, on_destroy="leave", ends=())
    for number in range(len(schedule.ends) - 1):
        yield replace(schedule, ends=(*schedule.ends[:number], *schedule.ends[number + 1 :]))
    plain = Schedule(0, (), ())
    is_fixed = {"life", "wait_for"} if schedule.life == "synced" else set()
    for name in ("life", "programs", "resources", "open_lag_seconds", "front", "finds_host", "wait_for", "on_failure", "timeout"):
        if name not in is_fixed and getattr(schedule, name) != getattr(plain, name):
            changed: dict[str, Any] = {name: getattr(plain, name)}
            yield replace(schedule, **changed)
    for number, up in enumerate(ups):
        for variant in _smaller_up(up):
            yield replace(schedule, ups=(*ups[:number], variant, *ups[number + 1 :]))
    for number, end in enumerate(schedule.ends):
        for variant in _smaller_up(end):
            yield replace(schedule, ends=(*schedule.ends[:number], variant, *schedule.ends[number + 1 :]))
    for name in schedule.policy:
        yield replace(schedule, policy={key: value for key, value in schedule.policy.items() if key != name})
    for index, kind in enumerate(kinds):
        if kind != "fresh":
            yield replace(schedule, jobs=(*kinds[:index], "fresh", *kinds[index + 1 :]))


def _without_jobs(schedule: Schedule, start: int, size: int) -> Schedule:
    """Without some jobs; what happens to the others still does."""

    def kept(by_job: tuple[tuple[int, str], ...]) -> tuple[tuple[int, str], ...]:
        left = ((index, what) for index, what in by_job if not start <= index < start + size)
        return tuple((index - size if index >= start else index, what) for index, what in left)

    def moved(up: Up) -> Up:
        late = kept(tuple((index, f"{after} {what}") for after, index, what in up.meanwhile))
        meanwhile = tuple((int(text.partition(" ")[0]), index, text.partition(" ")[2]) for index, text in late)
        return replace(up, drift=kept(up.drift), declares=kept(up.declares), meanwhile=meanwhile)

    jobs = (*schedule.jobs[:start], *schedule.jobs[start + size :])
    return replace(schedule, jobs=jobs, ups=tuple(moved(up) for up in schedule.ups))


def _smaller_up(up: Up) -> Iterator[Up]:
    for field in ("faults", "kills", "drift", "declares", "meanwhile"):
        items = getattr(up, field)
        for index in range(len(items)):
            changed: dict[str, Any] = {field: (*items[:index], *items[index + 1 :])}
            yield replace(up, **changed)
    for index, fault in enumerate(up.faults):
        for name, least in (("times", 1), ("skip", 0)):
            if getattr(fault, name) != least:
                less: dict[str, Any] = {name: least}
                yield replace(up, faults=(*up.faults[:index], replace(fault, **less), *up.faults[index + 1 :]))
    if up.refreshes:
        yield replace(up, refreshes=False)
    if up.rest_seconds and not up.drift and not up.declares:
        yield replace(up, rest_seconds=0.0)
