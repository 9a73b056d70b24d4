"""
Deliberately broken builds of the package, to prove that the campaign notices.

Each replaces one piece of the package in the process of a command, the way a careless change would.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pulumi_drs_start import engine
from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.calls.models import ActionAnswer, StartRequest
from pulumi_drs_start.drs.errors import DrsError
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.native import servicer
from pulumi_drs_start.operations import bags
from pulumi_drs_start.operations.asking import Asker
from pulumi_drs_start.operations.declarations import DeclaredJobs
from pulumi_drs_start.operations.lifecycle import Lifecycle
from pulumi_drs_start.reconcile import jobs, outcome, plan, send
from pulumi_drs_start.reconcile.declared import Declared, DesiredJob, DesiredState, Goal
from pulumi_drs_start.reconcile.phase import Phase
from pulumi_drs_start.reconcile.record import Action, JobRecord, Refusal, Request
from pulumi_drs_start.reconcile.recorded import Recorded
from pulumi_drs_start.reconcile.sync import SyncWatch
from pulumi_drs_start.schema import inputs
from pulumi_drs_start.schema.fields import RECORDS
from pulumi_drs_start.schema.messages import Messages

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

    from_state = bags.from_state

    def forgetful(*arguments: Any) -> Recorded:
        return replace(from_state(*arguments), records={})

    bags.from_state = forgetful


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
            self.jobs.update(job_id, JobRecord(refusal=refusal))
        return False

    send.Sender._record_failed_call = give_up  # type: ignore[method-assign]


def log_the_token() -> None:
    """Help somebody find an authentication problem."""
    exchange = DrsClient._exchange

    def talkative(self: DrsClient, method: str, path: str, body: Any, token: str, *more: Any) -> Any:
        log.debug("calling %s with token %s", path, token)
        return exchange(self, method, path, body, token, *more)

    DrsClient._exchange = talkative  # type: ignore[method-assign]


def believe_every_status() -> None:
    """Do not wait for a start to show after a lost answer: start again as soon as CONFIGURATION is read."""
    decide = jobs.decide

    def hasty(case: plan.Case) -> plan.Decision:
        record = case.record
        unharmed = JobRecord(accepted_at=record.accepted_at, accepted_now=record.accepted_now, was_started=record.was_started)
        return decide(replace(case, record=unharmed))

    jobs.decide = hasty


def start_everything() -> None:
    """Ask DRS to start every job once, without regard to its status: it will refuse what runs already."""
    decide = jobs.decide

    def eager(case: plan.Case) -> plan.Decision:
        decision = decide(case)
        untried = case.record.accepted_at is None and case.record.refusal is None
        return replace(decision, action=Action.START) if untried else decision

    jobs.decide = eager


def never_mind_the_time() -> None:
    """Start a job at once, whatever time was declared for it."""
    start_jobs = DrsClient.start_jobs

    def impatient(self: DrsClient, starts: Sequence[StartRequest], budget: TimeBudget) -> ActionAnswer:
        return start_jobs(self, [replace(start, start_time=None) for start in starts], budget)

    DrsClient.start_jobs = impatient  # type: ignore[method-assign]


def resume_uninvited() -> None:
    """Resume what is paused, asked or not."""
    decide = jobs.decide

    def helpful(case: plan.Case) -> plan.Decision:
        return decide(replace(case, desired=replace(case.desired, resume=True)))

    jobs.decide = helpful


def stop_instead_of_pausing() -> None:
    """Confuse the two calls that bring a job to rest."""
    DrsClient.pause_jobs = DrsClient.stop_jobs  # type: ignore[method-assign]


def leave_what_shall_rest() -> None:
    """Let the resource go, and its jobs run."""

    def nobody(_self: Declared) -> list[DesiredJob]:
        return []

    Declared.to_retire = nobody  # type: ignore[method-assign]


def call_the_unseen_done() -> None:
    """Take a job that DRS does not show for one that is over."""

    def done(case: Any) -> Any:
        return case.fulfilled(plan.Reason.DELETED)

    plan._decide_not_shown = done


def let_go_at_any_price() -> None:
    """Delete a resource although something went wrong with its jobs."""
    failures = Messages.failures

    def forgiving(self: Messages, result: Any, timeout_seconds: float, command: str = "pulumi up") -> list[str]:
        return [] if command == "pulumi destroy" else failures(self, result, timeout_seconds, command)

    Messages.failures = forgiving  # type: ignore[method-assign]


def leave_what_is_starting() -> None:
    """Take a job that starts for one that does not run, and so needs no pause."""
    decide_pause = plan._decide_pause

    def careless(case: Any) -> Any:
        if case.phase is Phase.STARTING:
            return case.fulfilled(plan.Reason.NOT_RUNNING)
        return decide_pause(case)

    plan._decide_pause = careless


def stop_what_leaves() -> None:
    """Stop a job that is taken off the list."""
    apply = Lifecycle.apply

    def thorough(self: Any, operation: Any, declared: Declared, recorded: Recorded, place: Any) -> Any:
        left = set(recorded.declared.listed).difference(declared.listed)
        stops = [DesiredJob(job_id, state=DesiredState.STOPPED) for job_id in sorted(left)]
        if stops:
            self._converge(operation, declared, recorded, place, stops, Goal.RUNNING)
        return apply(self, operation, declared, recorded, place)

    Lifecycle.apply = thorough  # type: ignore[method-assign]


def start_whatever_is_declared() -> None:
    """Know nothing of ``desired_state``."""
    desired_job = inputs._desired_job

    def ignorant(*arguments: Any) -> DesiredJob | None:
        job = desired_job(*arguments)
        return replace(job, state=DesiredState.STARTED) if job else None

    inputs._desired_job = ignorant


def forget_our_pauses() -> None:
    """Take every pause for somebody else's."""

    def never(_case: Any) -> bool:
        return False

    outcome._is_paused_here = never


def claim_every_pause() -> None:
    """Take every pause for one of this resource's."""

    def always(case: plan.Case) -> bool:
        return case.phase is Phase.PAUSED

    outcome._is_paused_here = always


def pause_again_after_a_lost_answer() -> None:
    """Treat a pause whose answer was lost like any call that may be repeated."""
    pause_jobs = DrsClient.pause_jobs

    def careless(self: DrsClient, job_ids: Sequence[str], budget: TimeBudget) -> ActionAnswer:
        try:
            return pause_jobs(self, job_ids, budget)
        except DrsError as exc:
            if not exc.effect_unknown:
                raise
            return pause_jobs(self, job_ids, budget)

    DrsClient.pause_jobs = careless  # type: ignore[method-assign]


def believe_one_good_reading() -> None:
    """Take a copy for synced as soon as its delay was read as small once."""

    def hasty(self: SyncWatch, job_id: str) -> bool:
        return self.lags[job_id].good_seconds is not None

    SyncWatch._is_stable = hasty  # type: ignore[method-assign]


def wait_for_a_start_alone() -> None:
    """Call a job ready that runs, however far behind its copy is."""
    decide = plan._start_running

    def content(case: plan.Case) -> plan.Decision:
        decision = decide(case)
        return case.fulfilled(plan.Reason.RUNNING) if case.awaits_sync else decision

    plan._START = {**plan._START, Phase.RUNNING: content}


def ask_for_every_copy() -> None:
    """Read how far copies are whether or not anybody waits for it."""
    read = DrsClient.get_statuses

    def curious(self: DrsClient, job_ids: Sequence[str], budget: TimeBudget) -> Any:
        self.get_progress(job_ids, budget)
        return read(self, job_ids, budget)

    DrsClient.get_statuses = curious  # type: ignore[method-assign]


def forget_at_a_refresh() -> None:
    """Write of a refresh what DRS shows, and nothing of what was done before."""
    read = bags.BagLifecycle.read

    def forgetful(self: bags.BagLifecycle, operation: Any, olds: bags.Bag) -> bags.AppliedBag:
        found = read(self, operation, olds)
        return replace(found, outputs={**found.outputs, RECORDS: {}})

    bags.BagLifecycle.read = forgetful  # type: ignore[method-assign]


def save_no_part() -> None:
    """Tell of a partial failure as of any other, so that the engine saves nothing."""

    def whole(context: Any, reasons: Sequence[str], **_resource: Any) -> None:
        engine.report_failure(context, " ".join(reasons))

    engine.report_partial_failure = whole


def hide_changes() -> None:
    """Say that something changes, and not what: the engine shows nothing."""
    servicer.detailed = lambda *_: {}


def wait_on_when_cancelled() -> None:
    """Do not hear a Ctrl-C."""
    servicer._Call.is_wanted = lambda _: True  # type: ignore[method-assign]


def tell_of_no_job() -> None:
    """Answer a program that asks for statuses with none."""
    Asker.get_statuses = lambda *_: {}  # type: ignore[method-assign]


def spare_nobody() -> None:
    """Pause and stop what a deleted resource had, whoever else declares it."""
    DeclaredJobs.at = lambda *_: frozenset()  # type: ignore[method-assign]


def act_at_a_refresh() -> None:
    """Bring jobs to where they should be as soon as somebody looks."""
    refresh = Lifecycle.refresh

    def eager(self: Any, operation: Any, recorded: Recorded) -> Any:
        declared = recorded.declared
        self._converge(operation, declared, recorded, recorded.place, declared.jobs, declared.goal)
        return refresh(self, operation, recorded)

    Lifecycle.refresh = eager  # type: ignore[method-assign]


def call_everything_ready() -> None:
    """Say that all is well."""
    to_state = bags.to_state

    def content(*arguments: Any) -> dict[str, Any]:
        return {**to_state(*arguments), "ready": True}

    bags.to_state = content


def claim_what_runs() -> None:
    """Call every job that runs one that was started just now."""
    outcome._what_was_done = lambda case: "started" if case.phase is Phase.RUNNING else "unchanged"


def leave_what_is_added() -> None:
    """See to the jobs alone that the resource had when it was made."""
    apply = Lifecycle.apply

    def conservative(self: Any, operation: Any, declared: Declared, recorded: Recorded, place: Any) -> Any:
        known = tuple(job for job in declared.jobs if job.job_id in recorded.declared.listed or not recorded.exists)
        return apply(self, operation, replace(declared, jobs=known), recorded, place)

    Lifecycle.apply = conservative  # type: ignore[method-assign]


def hold_failures_against_them() -> None:
    """Never try again what failed once."""
    from_state = bags.from_state

    def resentful(*arguments: Any) -> Recorded:
        recorded = from_state(*arguments)
        final = Refusal(None, "it has failed before", is_final=True)
        failed = {one: replace(recorded.records[one], refusal=final) for one in recorded.failed}
        return replace(recorded, records={**recorded.records, **failed})

    bags.from_state = resentful


def look_again_and_again() -> None:
    """Be very sure of what the jobs of a resource are that is there already."""
    check = Lifecycle.check

    def anxious(self: Any, operation: Any, declared: Declared, recorded: Recorded) -> Any:
        for _ in range(60 if recorded.exists else 0):
            check(self, operation, declared, recorded)
        return check(self, operation, declared, recorded)

    Lifecycle.check = anxious  # type: ignore[method-assign]


def take_much_longer() -> None:
    """Give an operation fifteen times the time that the program gives it."""
    prepare = TimeBudget.__post_init__

    def patient(self: TimeBudget) -> None:
        self.seconds *= 15
        prepare(self)

    TimeBudget.__post_init__ = patient  # type: ignore[method-assign]


def trip_over_what_is_missing() -> None:
    """Reckon with every phase of a job but one."""
    plan._START = {phase: decide for phase, decide in plan._START.items() if phase is not Phase.MISSING}


def start_again_after_a_kill() -> None:
    """Ask for the start of a job that is starting, unless it is known to be asked for."""

    def again(case: plan.Case) -> plan.Decision:
        return case.request(case.desired.start_request(case.now), plan.Reason.NOT_STARTED)

    plan._START = {**plan._START, Phase.STARTING: again}


def stop_again_after_a_kill() -> None:
    """Ask for the stop of a job that is being stopped, unless it is known to be asked for."""
    decide_stop = plan._decide_stop

    def again(case: plan.Case) -> plan.Decision:
        if case.actual.status == "RELEASE_RESOURCE_STARTED":
            return case.request(Request(Action.STOP), plan.Reason.NOT_STOPPED)
        return decide_stop(case)

    plan._decide_stop = again


def note_starts_too_early() -> None:
    """Write down in a file what is about to be started, and believe it later: wrong where a process ends between the two."""
    notes = Path("started")
    noted = set(notes.read_text("utf-8").split()) if notes.exists() else set()
    start_jobs, decide = DrsClient.start_jobs, plan._START[Phase.STARTABLE]

    def diligent(self: DrsClient, starts: Sequence[StartRequest], budget: TimeBudget) -> ActionAnswer:
        notes.write_text(" ".join(start.job_id for start in starts), "utf-8")
        return start_jobs(self, starts, budget)

    def trusting(case: plan.Case) -> plan.Decision:
        return case.fulfilled(plan.Reason.RUNNING) if case.desired.job_id in noted else decide(case)

    DrsClient.start_jobs = diligent  # type: ignore[method-assign]
    plan._START = {**plan._START, Phase.STARTABLE: trusting}


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
        leave_what_shall_rest,
        call_the_unseen_done,
        let_go_at_any_price,
        leave_what_is_starting,
        stop_what_leaves,
        start_whatever_is_declared,
        forget_our_pauses,
        claim_every_pause,
        pause_again_after_a_lost_answer,
        believe_one_good_reading,
        wait_for_a_start_alone,
        ask_for_every_copy,
        forget_at_a_refresh,
        save_no_part,
        hide_changes,
        wait_on_when_cancelled,
        tell_of_no_job,
        spare_nobody,
        act_at_a_refresh,
        call_everything_ready,
        claim_what_runs,
        leave_what_is_added,
        hold_failures_against_them,
        look_again_and_again,
        take_much_longer,
        trip_over_what_is_missing,
        start_again_after_a_kill,
        stop_again_after_a_kill,
        note_starts_too_early,
    )
}
