"""
Why a program that has a history may end otherwise than a fresh one: each excuse is a function with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .deeds import World
from .history import Bag, Done
from .wishes import phase_of


@dataclass(frozen=True, slots=True)
class Case:
    """A job of which the two differ.

    Attributes:
        world: with the history.
        number: of the last command in it.
        fresh: the command of the fresh stack.
        resource: that declares the job.
        ours: the resource's outputs, and `anew`: those of the fresh one.
    """

    world: World
    number: int
    fresh: Done
    resource: str
    job_id: str
    ours: Bag
    anew: Bag

    @property
    def last(self) -> Done:
        """The last command of the history."""
        return self.world.dones[self.number]

    @property
    def rows(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The job's rows, ours and the fresh one's."""
        ours, anew = ((bag.get("job_statuses") or {}).get(self.job_id) or {} for bag in (self.ours, self.anew))
        return ours, anew

    @property
    def status_before(self) -> str | None:
        """What the job was, in truth, before the last command."""
        status: str | None = self.last.facts_before.get(self.job_id, {}).get("status")
        return status

    @property
    def phase_before(self) -> str:
        """The phase of that."""
        return "missing" if self.status_before is None else phase_of(self.status_before)


def own_pause_undone(case: Case) -> bool:
    """A pause of ours ends with its declaration; a fresh stack takes it for somebody else's."""
    return case.phase_before == "paused" and case.world.is_pause_ours(case.job_id, case.last.began) is not False


def seen_running(case: Case) -> bool:
    """It is over, and was seen running, or its time has come since: that fulfils the wish. A fresh stack never saw it."""
    return case.phase_before in ("ended", "missing") and case.world.has_run(case.job_id, case.last.began)


def accepted_before(case: Case) -> bool:
    """It is over, and DRS had accepted a start: a schedule that was cancelled has words of its own."""
    return case.phase_before in ("ended", "missing") and bool(case.world.ours("start", case.job_id, case.last.began))


def seen_over(case: Case) -> bool:
    """DRS had shown that it is over before it did not know it any more; who never saw that must not call it stopped."""
    return case.phase_before == "missing" and case.job_id in case.world.job_ids


def stopped_here(case: Case) -> bool:
    """We have stopped it for good: what is said of it then is for us alone."""
    return case.phase_before == "ended" and bool(case.world.ours("stop", case.job_id, case.last.began))


def remembered_as_synced(case: Case) -> bool:
    """Reached once is reached: a copy that fell behind later keeps nobody waiting."""
    return "synced" in (case.ours.get("wait_for"), case.anew.get("wait_for"))


def accepted_a_moment_ago(case: Case) -> bool:
    """DRS has accepted a start that does not show yet: that is no reason to start it again, and a fresh stack can't know."""
    ours = case.world.ours("start", case.job_id, case.last.began)
    return case.phase_before in ("startable", "scheduled") and any(case.last.began - deed.at < 1000 for deed in ours)


def went_on_by_itself(case: Case) -> bool:
    """Time has passed between the two, and the job went on: it failed, healed, or was over."""
    ours, anew = case.last.facts_after.get(case.job_id, {}), case.fresh.facts_after.get(case.job_id, {})
    moves = ("starting", "running", "failed", "ended", "start_failed")
    both = [phase_of(str(facts.get("status"))) for facts in (ours, anew)]
    is_moving = bool(ours.get("next") or anew.get("next")) or bool(ours.get("fail_full") or ours.get("fail_start"))
    return is_moving and both[0] != both[1] and set(both) <= set(moves)


def refused_less_often(case: Case) -> bool:
    """DRS refuses it a number of times: those that the history has used up the fresh one has not, or the other way round."""
    refusals = [
        (facts.get(case.job_id, {}).get("refuse_start") or {}) for facts in (case.last.facts_after, case.fresh.facts_after)
    ]
    return any(refusal.get("times") is not None for refusal in refusals)


def resumed_before(case: Case) -> bool:
    """It was resumed before and shows a failure again: that is known to be no failure of its start."""
    return case.phase_before in ("failed", "start_failed") and bool(case.world.ours("resume", case.job_id, case.last.began))


EXCUSES: tuple[Callable[[Case], bool], ...] = (
    own_pause_undone,
    seen_running,
    accepted_before,
    seen_over,
    stopped_here,
    remembered_as_synced,
    accepted_a_moment_ago,
    went_on_by_itself,
    refused_less_often,
    resumed_before,
)


def excuse(case: Case) -> str | None:
    """The name of the first excuse that holds; None if there is none."""
    return next((one.__name__ for one in EXCUSES if one(case)), None)
