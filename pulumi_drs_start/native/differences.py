"""
A difference as Pulumi shows it: a path for each input that changes, and for each job that is not what is declared.

Paths lead into inputs. Those to outputs, such as ``jobStatuses``, would be shown as values that are not known yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi.runtime.proto.provider_pb2 import PropertyDiff

from ..operations.lifecycle import Difference
from ..schema.dialect import YAML
from ..schema.fields import INPUT_NAMES


def detailed(olds: Mapping[str, Any], news: Mapping[str, Any], difference: Difference) -> dict[str, PropertyDiff]:
    """What changes, by path.

    Args:
        olds: the inputs of the state.
        news: the inputs of the program, checked.
        difference: what `Lifecycle.diff` found.
    """
    kinds: dict[str, Any] = {}
    for name in INPUT_NAMES:
        old, new = olds.get(name), news.get(name)
        if name == "jobs" and isinstance(old, list) and isinstance(new, list):
            kinds |= _jobs(old, new, difference.jobs)
        elif old != new:
            kinds[YAML.name(name)] = _kind(old, new)
    for name in difference.replaces:
        kinds[YAML.name(name)] = _REPLACING[kinds.get(YAML.name(name), PropertyDiff.UPDATE)]
    # Without a path, Pulumi would show no change.
    return {path: PropertyDiff(kind=kind, inputDiff=True) for path, kind in (kinds or {"jobs": PropertyDiff.UPDATE}).items()}


_REPLACING = {
    PropertyDiff.ADD: PropertyDiff.ADD_REPLACE,
    PropertyDiff.DELETE: PropertyDiff.DELETE_REPLACE,
    PropertyDiff.UPDATE: PropertyDiff.UPDATE_REPLACE,
}


def _jobs(olds: list[Any], news: list[Any], concerned: tuple[str, ...]) -> dict[str, Any]:
    """Jobs that come and go, that are declared otherwise, and that are not what is declared.

    Jobs are in the order of their ids, so most have other places in the list when one comes or goes.
    """
    old_places = {_id(job): place for place, job in enumerate(olds)}
    new_places = {_id(job): place for place, job in enumerate(news)}
    gone = [place for job_id, place in old_places.items() if job_id not in new_places]
    kinds: dict[str, Any] = {f"jobs[{place}]": PropertyDiff.DELETE for place in gone}
    for job_id, place in new_places.items():
        old_place = old_places.get(job_id)
        if old_place is None:
            kinds[f"jobs[{place}]"] = PropertyDiff.ADD
        elif news[place] != olds[old_place] or job_id in concerned:
            # A path leads to the same place in both lists: where another job was, only the new value tells.
            kinds[f"jobs[{place}]"] = PropertyDiff.UPDATE if place == old_place else PropertyDiff.ADD
    return kinds


def _id(job: Any) -> Any:
    return str(job.get("job_id")) if isinstance(job, Mapping) else job


def _kind(old: Any, new: Any) -> Any:
    if old is None:
        return PropertyDiff.ADD
    return PropertyDiff.DELETE if new is None else PropertyDiff.UPDATE
