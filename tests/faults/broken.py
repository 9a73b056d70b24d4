"""
Deliberately broken builds of the package, to prove that the campaign notices.

Each replaces one piece of the package in the process of a command, the way a careless change would.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pulumi_drs_start import converge, hooks
from pulumi_drs_start.drs.client import DrsClient
from pulumi_drs_start.drs.errors import DrsError
from pulumi_drs_start.drs.models import ActionAnswer, StartRequest
from pulumi_drs_start.drs.retry import TimeBudget
from pulumi_drs_start.memory import Action, Memory, Refusal

log = logging.getLogger(__name__)


def repeat_after_a_lost_answer() -> None:
    """Treat a start whose answer was lost like any call that may be repeated."""
    start_jobs = DrsClient.start_jobs

    def careless(self: DrsClient, starts: Sequence[StartRequest], budget: TimeBudget) -> ActionAnswer:
        for _ in range(3):
            try:
                return start_jobs(self, starts, budget)
            except DrsError as exc:
                if not exc.effect_unknown:
                    raise
        return start_jobs(self, starts, budget)

    DrsClient.start_jobs = careless  # type: ignore[method-assign]


def forget_accepted_starts() -> None:
    """Start from what DRS shows alone, as if the state held nothing."""

    def nothing(_outputs: Any) -> dict[str, Memory]:
        return {}

    hooks.memories_of = nothing  # type: ignore[assignment]


def ignore_failed_rows() -> None:
    """Take a 202 for a success of every job in it."""
    start_jobs = DrsClient.start_jobs

    def trusting(self: DrsClient, starts: Sequence[StartRequest], budget: TimeBudget) -> ActionAnswer:
        start_jobs(self, starts, budget)
        return ActionAnswer(frozenset(start.job_id for start in starts), {}, frozenset())

    DrsClient.start_jobs = trusting  # type: ignore[method-assign]


def blame_the_whole_batch() -> None:
    """Give all jobs of a rejected batch up, instead of finding the one that spoils it."""

    def give_up(self: Any, job_ids: Sequence[str], error: DrsError) -> bool:
        for job_id in job_ids:
            refusal = Refusal(getattr(error, "code", None), str(error), is_final=True)
            self.memories[job_id] = Memory(refusal=refusal)
        return False

    converge._Operation._handle_failed_call = give_up  # type: ignore[method-assign]


def log_the_token() -> None:
    """Help somebody find an authentication problem."""
    exchange = DrsClient._exchange

    def talkative(self: DrsClient, method: str, path: str, body: Any, token: str, budget: TimeBudget) -> Any:
        log.debug("calling %s with token %s", path, token)
        return exchange(self, method, path, body, token, budget)

    DrsClient._exchange = talkative  # type: ignore[method-assign]


def believe_every_status() -> None:
    """Do not wait for a start to show after a lost answer: start again as soon as CONFIGURATION is read."""
    decide = converge.decide

    def hasty(desired: Any, actual: Any, memory: Memory, goal: Any, patience: Any, now: float) -> Any:
        unharmed = Memory(accepted_at=memory.accepted_at, accepted_now=memory.accepted_now, was_started=memory.was_started)
        return decide(desired, actual, unharmed, goal, patience, now)

    converge.decide = hasty


def start_everything() -> None:
    """Ask DRS to start every job once, without regard to its status: it will refuse what runs already."""
    decide = converge.decide

    def eager(desired: Any, actual: Any, memory: Memory, goal: Any, patience: Any, now: float) -> Any:
        decision = decide(desired, actual, memory, goal, patience, now)
        untried = memory.accepted_at is None and memory.refusal is None
        return replace(decision, action=Action.START) if untried else decision

    converge.decide = eager


def never_mind_the_time() -> None:
    """Start a job at once, whatever time was declared for it."""
    start_jobs = DrsClient.start_jobs

    def impatient(self: DrsClient, starts: Sequence[StartRequest], budget: TimeBudget) -> ActionAnswer:
        return start_jobs(self, [replace(start, start_time=None) for start in starts], budget)

    DrsClient.start_jobs = impatient  # type: ignore[method-assign]


def resume_uninvited() -> None:
    """Resume what is paused, asked or not."""
    decide = converge.decide

    def helpful(desired: Any, actual: Any, memory: Memory, goal: Any, patience: Any, now: float) -> Any:
        return decide(replace(desired, resume=True), actual, memory, goal, patience, now)

    converge.decide = helpful


def stop_instead_of_pausing() -> None:
    """Confuse the two calls that bring a job to rest."""
    DrsClient.pause_jobs = DrsClient.stop_jobs  # type: ignore[method-assign]


def forget_what_leaves() -> None:
    """Let the resource go, and its jobs run."""

    def nobody(_inputs: Any) -> list[Any]:
        return []

    hooks.jobs_to_retire = nobody


BUILDS: dict[str, Callable[[], None]] = {
    build.__name__: build
    for build in (
        repeat_after_a_lost_answer,
        forget_accepted_starts,
        ignore_failed_rows,
        blame_the_whole_batch,
        log_the_token,
        believe_every_status,
        start_everything,
        never_mind_the_time,
        resume_uninvited,
        stop_instead_of_pausing,
        forget_what_leaves,
    )
}
