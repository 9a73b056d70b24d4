"""
Every sentence that people read about jobs: plans, progress, results and what to do next. `reasons` has those about decisions.

The rest of the package answers with codes and facts. Counts come first, then the first few ids, so that a thousand jobs read as
well as two. Names and values are spelled as the program's language does.
"""

from __future__ import annotations

import re
import traceback
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

from ..drs.clock import format_seconds
from ..drs.errors import (
    AuthenticationError,
    CancelledError,
    DrsError,
    OutOfTimeError,
    PermissionDeniedError,
    TokenRejectedError,
)
from ..reconcile.actual import ActualJob
from ..reconcile.converge import Progress, Waiting
from ..reconcile.declared import Declared, DesiredState, OnDestroy, Place
from ..reconcile.outcome import JobOutcome, Problem, Result
from ..reconcile.phase import Phase
from ..reconcile.plan import Plan, Reason
from ..reconcile.record import Action
from ..reconcile.recorded import Recorded
from ..settings import Settings
from .reasons import Reasons
from .times import to_iso
from .types import Outcome
from .words import NAMED, VERBS, count_jobs, grouped, it, jobs_named, name_jobs, plural

CAUSES = 5
"""How many causes of failure are told before the rest is counted."""

WAITS = 3
"""How many things that are waited for are told before the rest is counted."""

# What to do about a code of DRS.
_HINTS = {
    "DRS.M00103": "ask whoever administers IAM for DRS FullAccess and VPC FullAccess in the project of these jobs",
    "DRS.M00304": "finish its configuration and its pre-check in DRS",
    "DRS.M05003": "check the id, the region and the project, or take it off the list",
    "DRS.M05004": "take it off the list, or create a new job",
    "DRS.M00289": "check the id, the region and the project, or take it off the list",
    "DRS.M01504": "wait until DRS has finished what it is doing with the job, or look at its state in the DRS console",
    "DRS.M01501": "look at the job in the DRS console",
    "DRS.M01503": "wait a little",
    "DRS.M00299": "set drs:batchSize (DRS_BATCH_SIZE) to 1",
}
_BUSY = "DRS.M01504"


_TO_REACH = {DesiredState.STARTED: "start", DesiredState.PAUSED: "pause", DesiredState.STOPPED: "stop"}
_NOT_YET = {"paused": "was not paused yet", "stopped": "was not over yet"}


@dataclass(frozen=True, slots=True)
class Messages(Reasons):
    """Makes every sentence: those about decisions, plans, progress, results, places and errors."""

    # Plans

    def plan(self, plan: Plan, unknown: int | None = 0) -> str:
        """What ``up`` would do, in one line.

        Args:
            plan: about the jobs that are known.
            unknown: how many jobs are not known yet, and so not in the plan; None if not even their number is known.
        """
        parts = []
        for action, verb in VERBS.items():
            if action is Action.SCHEDULE:
                parts += self._schedules(plan)
            elif ids := plan.jobs(action):
                parts.append(f"{verb.will} {count_jobs(len(ids))}{verb.ending} ({name_jobs(ids)})")
        if waiting := plan.jobs(Action.WAIT):
            reasons = dict.fromkeys(plural(self.why(plan.decisions[job_id].why), len(waiting)) for job_id in waiting)
            parts.append(f"wait for {jobs_named(waiting)}, which {' or '.join(reasons)}")
        clauses = ["will " + " and ".join(parts)] if parts else [] if unknown != 0 else ["will start no job"]
        for text, same in grouped((self.why(plan.decisions[one].why), one) for one in plan.jobs(Action.NOTHING)).items():
            jobs = count_jobs(len(same)) if plan.decisions[same[0]].is_fulfilled else jobs_named(same)
            clauses.append(f"{jobs} {plural(text, len(same))}")
        if unknown is None:
            clauses.append("which jobs are to be started is not known yet")
        elif unknown:
            clauses.append(f"{count_jobs(unknown)} {plural('is', unknown)} not known yet, and will be started unless running")
        return "; ".join(clauses)

    def _schedules(self, plan: Plan) -> list[str]:
        by_time: dict[int, list[str]] = {}
        for job_id in (ids := plan.jobs(Action.SCHEDULE)):
            request = plan.decisions[job_id].request
            by_time.setdefault((request.start_time if request else None) or 0, []).append(job_id)
        if len(by_time) > NAMED:
            span = f"between {to_iso(min(by_time))} and {to_iso(max(by_time))}"
            return [f"schedule {count_jobs(len(ids))} {span} ({name_jobs(ids)})"]
        return [f"schedule {count_jobs(len(some))} for {to_iso(ms)} ({name_jobs(some)})" for ms, some in sorted(by_time.items())]

    def plan_warnings(self, plan: Plan) -> list[str]:
        """What somebody should know before ``up``: what is final, what is late, what is impossible; a line for each."""
        lines = []
        if stopped := plan.jobs(Action.STOP):
            lines.append(
                f"will STOP {count_jobs(len(stopped))} FOR GOOD ({name_jobs(stopped)}): {self.dialect.name('desired_state')} is "
                f'"stopped". A stopped job can never be started again'
            )
        warnings = ((self.warning(decision), job_id) for job_id, decision in plan.decisions.items())
        lines += [f"{jobs_named(ids)} {plural(text, len(ids))}" for text, ids in grouped(warnings).items() if text]
        return lines + self.impossible(plan)

    def impossible(self, plan: Plan) -> list[str]:
        """The jobs that ``up`` can't bring to their declared state; a line for each reason."""
        groups: dict[tuple[str, str], list[str]] = {}
        for job_id in plan.jobs(Action.FAIL):
            verb = _TO_REACH[plan.decisions[job_id].why.state]
            groups.setdefault((verb, self.why(plan.decisions[job_id].why)), []).append(job_id)
        return [
            f"can't {verb} {jobs_named(ids)}: {it(len(ids))} {plural(text, len(ids))}" for (verb, text), ids in groups.items()
        ]

    def failed_before(self, plan: Plan, recorded: Recorded) -> list[str]:
        """What went wrong the last time with jobs that would be tried again; a line for each of DRS's codes."""
        by_code: dict[str, list[str]] = {}
        for job_id, decision in plan.decisions.items():
            row = recorded.rows.get(job_id)
            if decision.action.is_request and row and row.outcome == "failed":
                by_code.setdefault(row.error_code or "", []).append(job_id)
        lines = []
        for code, ids in by_code.items():
            text = recorded.rows[ids[0]].error_message or "no reason was given"
            said = f"{code}: {text}" if code else text
            lines.append(f"{jobs_named(ids)} failed the last time, and will be tried again: {said}")
        return lines

    def taken_off(self, job_ids: Collection[str]) -> str:
        """That jobs were taken off the list, and what becomes of them: nothing."""
        left = it(len(job_ids), "it is left as it is", "they are left as they are")
        return f"stops managing {jobs_named(job_ids)}; {left}"

    def unknowns(self, declared: Declared, actual: Iterable[ActualJob]) -> list[str]:
        """What inputs that are not known yet may do to jobs; a line for each of them that matters."""
        name = self.dialect.name
        lines, jobs = [], list(actual)
        if ids := declared.unknown_states:
            lines.append(
                f"{name('desired_state')} of {jobs_named(ids)} is not known yet: depending on it, {it(len(ids))} will be "
                "started, paused or STOPPED FOR GOOD"
            )
        resumable = [job.job_id for job in jobs if job.phase in (Phase.PAUSED, Phase.FAILED, Phase.START_FAILED)]
        if "resume" in declared.unknown and resumable:
            lines.append(f"resume is not known yet: depending on it, {jobs_named(resumable)} will be resumed")
        startable = [job.job_id for job in jobs if job.phase is Phase.STARTABLE]
        if "precheck" in declared.unknown and startable:
            lines.append(
                f"precheck is not known yet: depending on it, {jobs_named(startable)} will be started only if the "
                "pre-check passes"
            )
        if "on_destroy" in declared.unknown:
            lines.append(
                f"{name('on_destroy')} is not known yet: it may turn out that deleting the resource will pause its jobs, "
                "or STOP them FOR GOOD"
            )
        return lines

    # Deletion

    def on_destroy(self, declared: Declared) -> str:
        """What declaring ``on_destroy`` means, where that can't be taken back; or nothing."""
        if declared.on_destroy is not OnDestroy.STOP or "on_destroy" in declared.unknown:
            return ""
        return (
            f"{self.dialect.name('on_destroy')} is stop: pulumi destroy, or taking the resource out of the program, will STOP "
            f"{count_jobs(declared.count or len(declared.listed))} FOR GOOD; a stopped job can never be started again. "
            "Protect the resource (option protect) against mistakes"
        )

    def left(self, job_ids: Collection[str]) -> str:
        """That the jobs of a deleted resource go on."""
        return f"{count_jobs(len(job_ids))} left as {it(len(job_ids), 'it is', 'they are')}"

    def left_to_another(self, job_ids: Collection[str]) -> str:
        """Why jobs of a deleted resource are left as they are, whatever ``on_destroy`` says."""
        are = plural("is", len(job_ids))
        return f"{jobs_named(job_ids)} {are} declared by another resource of the program, and left to it"

    def not_retired(self, job_ids: Collection[str], on_destroy: OnDestroy, why: str) -> str:
        """Why jobs of a deleted resource are left as they are although ``on_destroy`` says otherwise."""
        count = len(job_ids)
        them = it(count, "it", "them")
        state = "paused" if on_destroy is OnDestroy.PAUSE else "stopped"
        return (
            f'{self.dialect.name("on_destroy")} is "{on_destroy.value}", but {jobs_named(job_ids)} {plural("is", count)} left '
            f"running: {why}, so another resource may declare {them}. To {on_destroy.value} {them}, declare {them} with "
            f"{self.dialect.setting('desired_state', state)}"
        )

    def retirement(self, job_ids: Collection[str], on_destroy: OnDestroy) -> str:
        """What the deletion of a resource does to its jobs, unless other resources declare them; or nothing."""
        if not job_ids or on_destroy is OnDestroy.LEAVE:
            return ""
        is_stop = on_destroy is OnDestroy.STOP
        jobs = f"{count_jobs(len(job_ids))}{' FOR GOOD' if is_stop else ''} ({name_jobs(job_ids)})"
        return (
            f"will {'STOP' if is_stop else on_destroy.value} {jobs}, unless another resource of the program declares them: "
            f'{self.dialect.name("on_destroy")} was "{on_destroy.value}"'
        )

    def may_be_replaced(self, job_ids: Collection[str], on_destroy: OnDestroy) -> str:
        """What a replacement would do to jobs whose place is not known yet; or nothing."""
        line = self.retirement(job_ids, on_destroy)
        where = "where the jobs are is not known yet; if that is another place, the resource is replaced, and that"
        return f"{where} {line}" if line else ""

    def replaced(self, names: Sequence[str], place: Place | None, job_ids: Collection[str], on_destroy: OnDestroy) -> str:
        """What a replacement does to the jobs of the old resource; or nothing."""
        line = self.retirement(job_ids, on_destroy)
        where = f", away from {place}" if place else ""
        changed = " and ".join(map(self.dialect.name, names))
        return f"the resource will be replaced, because {changed} changed{where}: {line}" if line else ""

    @property
    def way_out_of_destroy(self) -> str:
        """How to delete a resource without touching its jobs."""
        leave = self.dialect.setting("on_destroy", "leave")
        return f"To let these jobs go as they are, set {leave} in the program, run pulumi up, and then delete the resource again."

    # Places

    def elsewhere(self, place: Place, settings: Settings, error: Exception | None = None) -> str:
        """That the jobs are not where the configuration of this command points to, and what came of it."""
        name = self.dialect.name
        configured = f"project {settings.project_id or settings.project_name or 'of the login'} at {settings.endpoint}"
        where = f"the jobs of this resource are in {place}, but the configuration of this command is for {configured}"
        if error is None:
            return (
                f"{where}. They are dealt with where they are. To declare jobs elsewhere, set {name('project_id')} or endpoint "
                "in the program"
            )
        return (
            f"{where}, and its login does not help there: {str(error).rstrip('.')}. "
            "Use the configuration of the place where the jobs are (project, region or endpoint, login), and run the command "
            "again."
        )

    # Progress

    def progress(self, progress: Progress) -> str:
        """``running 812/1,000, starting 188``, and what is waited for."""
        phases = progress.phases
        total = sum(phases.values())
        others = [f"{phase} {phases[phase]:,}" for phase in Phase if phase is not Phase.RUNNING and phases.get(phase)]
        counts = ", ".join([f"running {phases.get(Phase.RUNNING, 0):,}/{total:,}", *others])
        groups: dict[tuple[str, str, float | None], list[Waiting]] = {}
        for one in progress.waiting:
            groups.setdefault((self.why(one.why), one.said, one.seconds), []).append(one)
        waits = list(groups.values())
        parts = [self._waiting(group) for group in waits[:WAITS]]
        if len(waits) > WAITS:
            parts.append(f"and {count_jobs(sum(map(len, waits[WAITS:])))} more to wait for")
        return "; ".join([counts, *parts])

    def _waiting(self, group: Sequence[Waiting]) -> str:
        first = group[0]
        jobs = jobs_named([one.job_id for one in group])
        said = f" ({first.said})" if first.said else ""
        seconds = format_seconds(max(1, round(first.seconds))) if first.seconds is not None else "a while"
        verb = VERBS.get(first.why.action) if first.why.action else None
        if first.why.reason is Reason.IN_DOUBT and verb:
            return (
                f"the answer to the {verb.noun} of {jobs} was lost{said}: watching DRS for up to {seconds} before asking again, "
                f"so that nothing is {verb.never} twice"
            )
        if first.why.reason in (Reason.REFUSED_FOR_NOW, Reason.RETRY_LATER) and verb:
            if first.said.startswith(_BUSY):
                return f"DRS is busy with {jobs}{said}: asking for the {verb.noun} again in {seconds}"
            return f"DRS refused the {verb.noun} of {jobs}{said}: asking again in {seconds}"
        if first.why.reason is Reason.PRECHECK_RUNNING:
            return f"waiting for the pre-check of {jobs}"
        return f"waiting for {jobs}, which {plural(self.why(first.why), len(group))}"

    # Results

    def result(self, result: Result) -> str:
        """What an operation did, in one line: ``12 jobs: started 3, already started 9``."""
        counts = Counter(job.outcome for job in result.jobs.values())
        parts = [f"{outcome.replace('_', ' ')} {counts[outcome]:,}" for outcome in get_args(Outcome) if counts[outcome]]
        return f"{count_jobs(len(result.jobs))}: {', '.join(parts)}"

    def problem(self, problem: Problem) -> str:
        """What is wrong with one job, as its row has it."""
        if problem.recorded is not None:
            return problem.recorded
        if problem.is_failed_again:
            seconds = "" if problem.seconds is None else f" {problem.seconds:.0f} s"
            said = f": {problem.said}" if problem.said else ""
            return (
                f"it is still in {problem.status}{seconds} after DRS accepted its restart, so it has probably failed again{said}"
            )
        if problem.ended_by is not None:
            return f"it {self.why(problem.why)}, and {getattr(problem.ended_by, 'text', problem.ended_by)}"
        advice = self.advice(problem.why)
        if problem.refusal is not None:
            return f"{problem.refusal.text} {advice}" if advice else problem.refusal.text
        if problem.said is not None and advice:
            return f"{problem.said.rstrip('.')}. {advice}"
        return problem.said or f"it {self.why(problem.why)}"

    def attention(self, outcomes: Collection[JobOutcome]) -> list[str]:
        """What nothing is done about, but somebody should know: a line for each kind."""
        needs = [(self._needs_attention(job), job.job_id) for job in outcomes]
        lines = [f"{jobs_named(ids)} {plural(text, len(ids))}" for text, ids in grouped(needs).items() if text]
        alarms = ((f"{it.item}: {it.reason}" if it.reason else it.item, job.job_id) for job in outcomes for it in job.alarms)
        return lines + [f"the pre-check warns of {jobs_named(ids)}: {text}" for text, ids in grouped(alarms).items()]

    def _needs_attention(self, job: JobOutcome) -> str:
        if job.is_fulfilled or job.outcome in ("failed", "resumed"):
            return ""
        if job.phase is Phase.PAUSED:
            return f"is paused and was not resumed. To resume: the DRS console, or {self.resume()}"
        if job.phase is Phase.FAILED:
            said = f" ({job.problem.said})" if job.problem and job.problem.said else ""
            return f"failed after the start{said}: DRS retries on its own, {self.resume()} asks for a retry now"
        return ""

    def failures(self, result: Result, timeout_seconds: float, command: str = "pulumi up") -> list[str]:
        """One sentence per cause: DRS's code and text, the jobs, and what to do next with which command."""
        lines = []
        groups = self._by_cause(result.failed)
        for cause, group in list(groups.items())[:CAUSES]:
            ids = [job.job_id for job in group]
            said = f"{cause.code}: {cause.text}" if cause.code else cause.text
            jobs = f"job {ids[0]}" if len(ids) == 1 else jobs_named(ids)
            hint = _hint(cause, group[0].phase)
            next_step = f" Next: {hint}, then run {command} again." if hint else ""
            lines.append(f"{jobs} could not be {cause.wanted}: {said.rstrip('.')}.{next_step}")
        if len(groups) > CAUSES:
            rest = count_jobs(sum(map(len, list(groups.values())[CAUSES:])))
            lines.append(
                f"{rest} more could not be dealt with, for other reasons: {self.dialect.name('job_statuses')} has that of each."
            )
        by_what: dict[str, list[JobOutcome]] = {}
        for job in result.unfinished:
            by_what.setdefault(_NOT_YET.get(job.wanted, "had not reached running"), []).append(job)
        lines += [self._unfinished(what, jobs, result, timeout_seconds, command) for what, jobs in by_what.items()]
        if result.ended_by is not None and not isinstance(result.ended_by, DrsError):
            lines.append("an unexpected error ended the operation:\n" + "".join(traceback.format_exception(result.ended_by)))
        return lines

    def _unfinished(self, what: str, jobs: Sequence[JobOutcome], result: Result, timeout_seconds: float, command: str) -> str:
        by_status = grouped((job.status, job.job_id) for job in jobs)
        where = "; ".join(f"{len(ids):,} in {status} ({name_jobs(ids)})" for status, ids in by_status.items())
        more_time = ""
        if isinstance(result.ended_by, OutOfTimeError):
            when, more_time = f"after {format_seconds(timeout_seconds)} (timeout)", ", or raise timeout"
        elif isinstance(result.ended_by, CancelledError):
            when = "when the operation was cancelled"
        else:
            when = f"when DRS could not be read any more ({result.ended_by})"
        return (
            f"{count_jobs(len(jobs))} accepted by DRS {plural(what, len(jobs))} {when}: {where}. Nothing is lost: DRS goes on "
            f"with {it(len(jobs), 'it', 'them')}. Run {command} again to wait on{more_time}."
        )

    def _by_cause(self, failed: Iterable[JobOutcome]) -> dict[_Cause, list[JobOutcome]]:
        """Jobs by what DRS said of them, most first; by code alone where the texts differ from job to job."""
        by_text: dict[_Cause, list[JobOutcome]] = {}
        by_code: dict[tuple[str, str | None], dict[str, list[JobOutcome]]] = {}
        for job in failed:
            message = self.problem(job.problem) if job.problem else "no reason was given"
            # Texts that only differ in naming the job are one.
            text = re.sub(rf"(?<![\w-]){re.escape(job.job_id)}(?![\w-])", "the job", message)
            by_text.setdefault(_Cause(job.wanted, job.error_code, text), []).append(job)
            by_code.setdefault((job.wanted, job.error_code), {}).setdefault(text, []).append(job)
        if len(by_text) > CAUSES:
            by_text = {}
            for (wanted, code), texts in by_code.items():
                text = next(iter(texts))
                cause = _Cause(wanted, code, text if len(texts) == 1 else f"for example {text}")
                by_text[cause] = [job for jobs in texts.values() for job in jobs]
        return dict(sorted(by_text.items(), key=lambda group: -len(group[1])))

    def error(self, error: Exception) -> str:
        """An error that ended an operation before anything was done, with the next step."""
        if isinstance(error, AuthenticationError):
            return str(error)
        return f"{str(error).rstrip('.')}. {self._next_step(error)}"

    def _next_step(self, error: Exception) -> str:
        if getattr(error, "code", None) == "DRS.M00261":
            return (
                f"Give the id of the project the jobs live in (drs:projectId, OS_PROJECT_ID, or {self.dialect.name('project_id')}"
                f"{self.dialect.assigns}… in the program), and with a ready token one that is for that project."
            )
        if isinstance(error, TokenRejectedError):
            return "Give a new token (drs:token or OS_TOKEN), or a user name and password instead of a token."
        if isinstance(error, PermissionDeniedError):
            return (
                "The user needs DRS FullAccess (or drs:migrationJob:action) and VPC FullAccess in the project of these jobs: "
                "ask whoever administers IAM."
            )
        return "Nothing was changed; run the command again."


@dataclass(frozen=True, slots=True)
class _Cause:
    """Why jobs failed: what was wanted of them, DRS's code and text."""

    wanted: str
    code: str | None
    text: str


def _hint(cause: _Cause, phase: Phase) -> str | None:
    if cause.code == "DRS.M00304" and phase is not Phase.STARTABLE:
        # DRS's text is followed by advice of ours where the status explains the refusal.
        return None if phase is Phase.SCHEDULED else "look at the job in the DRS console"
    return _HINTS.get(cause.code or "")
