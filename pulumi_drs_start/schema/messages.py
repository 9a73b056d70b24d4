"""
Every sentence that people read about jobs: plans, progress, results and what to do next. `reasons` has those about decisions.

The rest of the package answers with codes and facts. Few jobs are named and many are counted, so that a thousand jobs read as
well as two; jobs that failed are named, up to `LISTED`. Names and values are spelled as the program's language does.
"""

from __future__ import annotations

import math
import re
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from ..drs.calls.models import CopyProgress
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
from ..reconcile.converge import Progress, SyncProgress, Waiting
from ..reconcile.declared import Declared, DesiredState, OnDestroy, Place
from ..reconcile.outcome import OF_COPIES, JobOutcome, Problem, Result
from ..reconcile.phase import Phase
from ..reconcile.plan import Plan, Reason
from ..reconcile.record import Action
from ..reconcile.recorded import Recorded
from ..reconcile.sync import has_small_delay
from ..settings import Settings
from .reasons import Reasons
from .times import to_iso
from .types import Outcome
from .words import NAMED, VERBS, count_jobs, ended, grouped, in_brackets, inflect, lasting, sentence

LISTED = 50
"""How many failed jobs are named, each with its reason, before the rest is counted."""

WAITS = 3
"""How many things that are waited for are told before the rest is counted."""

# What to do about a code of DRS.
_HINTS = {
    "DRS.M00103": "ask whoever administers IAM for DRS FullAccess and VPC FullAccess in the project of {this job|these jobs}",
    "DRS.M00304": "finish {its configuration and its pre-check|their configuration and their pre-checks} in DRS",
    "DRS.M05003": "check {its id|their ids}, the region and the project, or take {it|them} off the list",
    "DRS.M05004": "take {it|them} off the list, or create {a new job|new jobs}",
    "DRS.M00289": "check {its id|their ids}, the region and the project, or take {it|them} off the list",
    "DRS.M01504": "wait until DRS has finished with {the job|these jobs}, or look at {it|them} in the DRS console",
    "DRS.M01501": "look at {the job|these jobs} in the DRS console",
    "DRS.M01503": "wait a little",
    "DRS.M00299": "set drs:batchSize (DRS_BATCH_SIZE) to 1",
}
_BUSY = "DRS.M01504"

_TO_REACH = {DesiredState.STARTED: "start", DesiredState.PAUSED: "pause", DesiredState.STOPPED: "stop"}
_NOT_YET = {"paused": "{was|were} not paused yet", "stopped": "{was|were} not over yet", "synced": "{was|were} not synced yet"}
# Phases of jobs that come to run, or go on running, by themselves.
_UNDERWAY = (Phase.PENDING, Phase.SCHEDULED, Phase.STARTING, Phase.RUNNING)
_LEFT = "{is left as it is|are left as they are}"
_RUN = "run pulumi up"
_DELETED = "DRS.M05004"


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a job and what to do about it: without capitals and full stops, the advice may be empty."""

    message: str
    advice: str = ""


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
        clauses = []
        for action, verb in VERBS.items():
            if action is Action.SCHEDULE:
                clauses += self._schedules(plan)
            elif ids := plan.jobs(action):
                clauses.append(f"will {verb.will} {self._listed(ids, verb.ending)}")
        started = plan.jobs(Action.START, Action.PRECHECK, Action.RESUME)
        if to_sync := [job_id for job_id in started if plan.decisions[job_id].why.awaits_sync]:
            clauses.append(f"will wait until {inflect('{it is|they are}', len(to_sync))} synced")
        for text, same in self._by_reason(plan, plan.jobs(Action.WAIT)).items():
            clauses.append(f"will wait for {self.names.subject(same)}, which {text}")
        if not clauses and unknown == 0:
            clauses.append("will start no job")
        # What needs attention has a warning of its own.
        clauses += [f"{count_jobs(len(same))} {text}" for text, same in self._by_reason(plan, plan.jobs(Action.NOTHING)).items()]
        if unknown is None:
            clauses.append("which jobs are to be started is not known yet")
        elif unknown:
            clauses.append(
                f"{count_jobs(unknown)} {inflect('{is|are}', unknown)} not known yet and will be started unless running"
            )
        return "; ".join(clauses)

    def _listed(self, job_ids: Collection[str], ending: str = "") -> str:
        """``2 jobs for good: a and b``."""
        names = self.names.listed(job_ids)
        return f"{count_jobs(len(job_ids))}{ending}{': ' * bool(names)}{names}"

    def _by_reason(self, plan: Plan, job_ids: Iterable[str]) -> dict[str, list[str]]:
        """Jobs by the reasons of their decisions, which are spelled for as many jobs as they apply to."""
        groups = grouped((self.why(plan.decisions[one].why), one) for one in job_ids)
        return {self.why(plan.decisions[same[0]].why, len(same)): same for same in groups.values()}

    def _schedules(self, plan: Plan) -> list[str]:
        by_time: dict[int, list[str]] = {}
        for job_id in (ids := plan.jobs(Action.SCHEDULE)):
            request = plan.decisions[job_id].request
            by_time.setdefault((request.start_time if request else None) or 0, []).append(job_id)
        if len(by_time) > NAMED:
            return [f"will schedule {self._listed(ids, f' between {to_iso(min(by_time))} and {to_iso(max(by_time))}')}"]
        return [f"will schedule {self._listed(some, f' for {to_iso(ms)}')}" for ms, some in sorted(by_time.items())]

    def plan_warnings(self, plan: Plan) -> list[str]:
        """What somebody should know of what ``up`` will do: what is final, what is late; a line for each."""
        lines = []
        if stopped := plan.jobs(Action.STOP):
            lines.append(
                f"will STOP {self._listed(stopped, ' FOR GOOD')}, because of {self.dialect.setting('desired_state', 'stopped')}. "
                "A stopped job can never be started again."
            )
        decisions = {job_id: decision for job_id, decision in plan.decisions.items() if self.warning(decision)}
        return lines + self._told(decisions, lambda jobs, ids: f"{jobs} {self.warning(decisions[ids[0]], len(ids))}")

    def impossible(self, plan: Plan) -> list[str]:
        """The jobs that ``up`` can't bring to their declared state; a line for each reason."""

        def text(jobs: str, ids: Sequence[str]) -> str:
            why, count = plan.decisions[ids[0]].why, len(ids)
            advice = sentence(self.advice(why, count, ids[0]))
            reason = f"{inflect('{it|they}', count)} {self.why(why, count)}"
            goal = f"{_TO_REACH[why.state]} {jobs}"
            if why.awaits_sync and why.reason in OF_COPIES:
                goal = f"wait until {jobs} {inflect('{is|are}', count)} synced"
            return f"can't {goal}: {reason.rstrip('.')}. {advice}".strip()

        return self._told(plan.jobs(Action.FAIL), text)

    def _told(self, job_ids: Iterable[str], text: Callable[[str, Sequence[str]], str]) -> list[str]:
        """A line for all jobs of which the same is said, most jobs first: up to `LISTED` lines, and about as many names.

        Args:
            text: makes a line of the words for the jobs, and their ids.
        """
        lines, named = [], 0
        groups = grouped((text("", [job_id]), job_id) for job_id in job_ids)
        ordered = sorted(groups.values(), key=len, reverse=True)
        for ids in ordered[:LISTED]:
            if len(ids) <= NAMED + 1:
                lines.append(text(self.names.subject(ids), ids))
            else:
                names = self.names.listed(ids, max(NAMED, LISTED - named))
                line = text(count_jobs(len(ids)), ids)
                lines.append(f"{ended(line)} These are: {names}." if names else line)
            named += len(ids)
        if rest := sum(map(len, ordered[LISTED:])):
            what = inflect("{job, for another reason|jobs, for other reasons}", rest)
            lines.append(f"{rest:,} more {what}: see the output problems.")
        return lines

    def failed_before(self, plan: Plan, recorded: Recorded) -> list[str]:
        """What went wrong the last time with jobs that would be tried again; a line for each reason."""
        said: dict[str, str] = {}
        for job_id, decision in plan.decisions.items():
            row = recorded.rows.get(job_id)
            if decision.action.is_request and row and row.outcome == "failed":
                text = row.error_message or "no reason was given"
                said[job_id] = f"{row.error_code}: {text}" if row.error_code else text
        ending = "failed the last time and will be tried again"
        return self._told(said, lambda jobs, ids: f"{jobs} {ending}: {sentence(said[ids[0]])}")

    def taken_off(self, job_ids: Collection[str]) -> str:
        """That jobs were taken off the list, and what becomes of them: nothing."""
        return f"stops managing {self.names.subject(job_ids)}, which {inflect(_LEFT, len(job_ids))}"

    def unknowns(self, declared: Declared, actual: Iterable[ActualJob]) -> list[str]:
        """What inputs that are not known yet may do to jobs; a line for each of them that matters."""
        name, named = self.dialect.name, self.names.subject
        if_true = f"if it is {self.dialect.true}"
        lines, jobs = [], list(actual)
        if ids := declared.unknown_states:
            lines.append(
                f"{name('desired_state')} of {named(ids)} is not known yet: depending on its value, "
                f"{inflect('{this job|these jobs}', len(ids))} will be started, paused or STOPPED FOR GOOD"
            )
        resumable = [job.job_id for job in jobs if job.phase in (Phase.PAUSED, Phase.FAILED, Phase.START_FAILED)]
        if "resume" in declared.unknown and resumable:
            lines.append(f"resume is not known yet: {if_true}, {named(resumable)} will be resumed")
        startable = [job.job_id for job in jobs if job.phase is Phase.STARTABLE]
        if "precheck" in declared.unknown and startable:
            lines.append(f"precheck is not known yet: {if_true}, {named(startable)} will be started only if the pre-check passes")
        if "on_destroy" in declared.unknown:
            lines.append(
                f"{name('on_destroy')} is not known yet: depending on its value, deleting the resource will leave its jobs as "
                "they are, pause them or STOP them FOR GOOD"
            )
        return lines

    # Deletion

    def on_destroy(self, declared: Declared) -> str:
        """What declaring ``on_destroy`` means, where that can't be taken back; or nothing."""
        if declared.on_destroy is not OnDestroy.STOP or "on_destroy" in declared.unknown:
            return ""
        return (
            f"{self.dialect.setting('on_destroy', 'stop')}: pulumi destroy, or taking the resource out of the program, will STOP "
            f"{count_jobs(declared.count or len(declared.listed))} FOR GOOD, and does not ask. A stopped job "
            "can never be started again. Protect the resource (option protect) against mistakes."
        )

    def left(self, job_ids: Collection[str]) -> str:
        """That the jobs of a deleted resource go on."""
        return f"{count_jobs(len(job_ids))} left as {inflect('{it is|they are}', len(job_ids))}"

    def left_to_another(self, job_ids: Collection[str]) -> str:
        """Why jobs of a deleted resource are left as they are, whatever ``on_destroy`` says."""
        are = inflect("{is|are}", len(job_ids))
        return f"{self.names.subject(job_ids)} {are} declared by another resource of the program, and left to it"

    def not_retired(self, job_ids: Collection[str], on_destroy: OnDestroy, why: str) -> str:
        """Why jobs of a deleted resource are left as they are although ``on_destroy`` says otherwise."""
        count = len(job_ids)
        them = inflect("{it|them}", count)
        state = "paused" if on_destroy is OnDestroy.PAUSE else "stopped"
        return (
            f"{self.names.subject(job_ids)} {inflect(_LEFT, count)} in spite of "
            f"{self.dialect.setting('on_destroy', on_destroy.value)}: {why}, so another resource may declare {them}. "
            f"To {on_destroy.value} {them}, declare {them} with {self.dialect.setting('desired_state', state)}."
        )

    def retirement(self, job_ids: Collection[str], on_destroy: OnDestroy) -> str:
        """What the deletion of a resource does to its jobs, unless other resources declare them; or nothing."""
        if not job_ids or on_destroy is OnDestroy.LEAVE:
            return ""
        is_stop = on_destroy is OnDestroy.STOP
        return (
            f"will {'STOP' if is_stop else on_destroy.value} {self._listed(job_ids, ' FOR GOOD' if is_stop else '')}, "
            f"unless another resource of the program declares {inflect('{it|them}', len(job_ids))}, because of "
            f"{self.dialect.setting('on_destroy', on_destroy.value)}"
        )

    def may_be_replaced(self, job_ids: Collection[str], on_destroy: OnDestroy) -> str:
        """What a replacement would do to jobs whose place is not known yet; or nothing."""
        line = self.retirement(job_ids, on_destroy)
        where = "it is not known yet where the jobs are. If they are in another place, the resource is replaced, and that"
        return f"{where} {line}." if line else ""

    def replaced(self, names: Sequence[str], place: Place | None, job_ids: Collection[str], on_destroy: OnDestroy) -> str:
        """What a replacement does to the jobs of the old resource; or nothing."""
        line = self.retirement(job_ids, on_destroy)
        where = f", away from {place}" if place else ""
        changed = " and ".join(map(self.dialect.name, names))
        return f"the resource will be replaced, because {changed} changed{where}; that {line}" if line else ""

    @property
    def way_out_of_destroy(self) -> str:
        """How to delete a resource without touching its jobs."""
        leave = self.dialect.setting("on_destroy", "leave")
        return f"To delete the resource and leave these jobs as they are: set {leave}, run pulumi up, then delete it again."

    # Imports

    def not_imported(self, job_ids: Collection[str]) -> str:
        """That a resource can't be made of jobs that DRS does not know."""
        unknown = inflect("{is|are} not known to DRS: check {its id|their ids}, the region and the project", len(job_ids))
        return f"{self.names.subject(job_ids)} {unknown}. The id of an import is the ids of the jobs, separated by commas."

    # Places

    def elsewhere(self, place: Place, settings: Settings, error: Exception | None = None) -> str:
        """That the jobs are not where the configuration of this command points to, and what came of it."""
        name = self.dialect.name
        project = settings.project_id or settings.project_name
        configured = f"{f'project {project}' if project else 'the project of the login'} at {settings.endpoint}"
        where = f"the jobs of this resource are in {place}, but the configuration of this command is for {configured}"
        if error is None:
            return (
                f"{where}. The command deals with them where they are. To declare jobs elsewhere, set {name('project_id')} or "
                "endpoint in the program."
            )
        return (
            f"{where}, and its login does not help there: {str(error).rstrip('.')}. "
            "Use the configuration of the place where the jobs are (project, region or endpoint, login), and run the command "
            "again."
        )

    # Progress

    def progress(self, progress: Progress) -> str:
        """``running 812/1,000, starting 188``, what is waited for, and the last few jobs by name.

        Where copies have to catch up: ``7 of 12 synced; crm-orders (12aee85f…) is 340 s behind, falling``.
        """
        phases, sync = progress.phases, progress.sync
        total = sum(phases.values())
        others = [f"{phase} {phases[phase]:,}" for phase in Phase if phase is not Phase.RUNNING and phases.get(phase)]
        first = f"{sync.synced:,} of {sync.total:,} synced" if sync else f"running {phases.get(Phase.RUNNING, 0):,}/{total:,}"
        counts = ", ".join([first, *others])
        groups: dict[tuple[str, str, float | None], list[Waiting]] = {}
        for one in progress.waiting:
            groups.setdefault((self.why(one.why), one.said, one.seconds), []).append(one)
        waits = list(groups.values())
        parts = [self._waiting(group) for group in waits[:WAITS]]
        if len(waits) > WAITS:
            rest = sum(map(len, waits[WAITS:]))
            parts.append(inflect(f"and {rest:,} more {{job|jobs}} to wait for", rest))
        if not self.names.is_secret:
            parts += [f"{self.names.of(one.job_id)} in {one.status} for {lasting(one.seconds)}" for one in progress.last]
        return "; ".join([counts, *parts, *(self._lags(sync) if sync else ())])

    def _lags(self, sync: SyncProgress) -> list[str]:
        """Which copies are furthest from having caught up, and how far."""
        parts = []
        if sync.why_silent:
            parts.append(self.silent(sync.why_silent))
        for status, ids in grouped((status, one) for one, status in sync.lost.items()).items():
            are = inflect("{is|are}", len(ids))
            parts.append(f"{self.names.subject(ids)} {are} in {status} and not waited for any more")
        if self.names.is_secret:
            return parts
        copying = [lag for lag in sync.lags if lag.delay_seconds is None]
        behind = [lag for lag in sync.lags if lag.delay_seconds is not None and lag.good_seconds is None]
        good = [lag for lag in sync.lags if lag.good_seconds is not None]
        if copying and not sync.why_silent:
            last = min(copying, key=lambda lag: lag.percent or 0.0)
            parts.append(f"{self.names.of(last.job_id)} {_distance(last.percent, None)}")
        if behind:
            last = max(behind, key=lambda lag: lag.delay_seconds or 0.0)
            trend = {-1: ", falling", 0: "", 1: ", growing"}[last.trend]
            delay = _in_steps(last.delay_seconds or 0.0)
            parts.append(f"{self.names.of(last.job_id)} {_distance(None, delay)}{trend}")
        elif good:
            last = min(good, key=lambda lag: lag.good_seconds or 0.0)
            period = f"{round(last.good_seconds or 0.0)} of {format_seconds(sync.stable_seconds)}"
            parts.append(f"{self.names.of(last.job_id)} {_distance(None, last.delay_seconds)}, for {period}")
        return parts

    def silent(self, why: str) -> str:
        """That DRS does not tell how far copies are, and why."""
        return f"DRS does not tell how far the copies are{in_brackets(why)}"

    def not_synced(self, late: Mapping[str, ActualJob], total: int, max_delay_seconds: float) -> str:
        """That a gate is closed: which copies have not caught up, how far each is behind, and what to do."""
        parts = []
        # How far it is behind says nothing of one that is at something else with a small delay: its status does.
        moving = {
            job_id: job.copy
            for job_id, job in late.items()
            if job.phase is Phase.RUNNING and not has_small_delay(job.copy, max_delay_seconds)
        }
        if moving:
            parts.append(self.behind(moving))
        others = grouped((job.status, one) for one, job in late.items() if one not in moving)
        for status, ids in others.items():
            named = self.names.listed(ids, LISTED) or count_jobs(len(ids))
            parts.append(f"{named} {inflect('{is|are}', len(ids))} in {status}")
        limit = f"{self.dialect.name('max_delay')} is {format_seconds(max_delay_seconds)}"
        still = sum(job.phase not in _UNDERWAY for job in late.values())
        first = inflect("see to {the job that does|the jobs that do} not run, ", still) if still else ""
        return (
            f"{len(late):,} of {count_jobs(total)} {inflect('{is|are}', len(late))} not synced ({limit}). "
            f"{'; '.join(filter(None, parts))}. Nothing was changed. Next: {first}wait until DRS shows that "
            f"{inflect('{this copy has|these copies have}', len(late))} caught up, then run the command again."
        )

    def behind(self, copies: Mapping[str, CopyProgress | None], most: int = LISTED) -> str:
        """``crm-orders (12aee85f…) is 340 s behind; crm-stock (…) is at 45 % of its full copy``: the furthest first."""
        if self.names.is_secret:
            return ""

        known = {job_id: copy or CopyProgress() for job_id, copy in copies.items()}

        def distance(job_id: str) -> tuple[bool, float]:
            copy = known[job_id]
            # One that does not follow its source yet is further away than any that does.
            return (False, copy.percent or 0.0) if copy.delay_seconds is None else (True, -copy.delay_seconds)

        ordered = sorted(known, key=distance)
        parts = [f"{self.names.of(one)} {_distance(known[one].percent, known[one].delay_seconds)}" for one in ordered[:most]]
        return "; ".join([*parts, *([f"and {len(ordered) - most:,} more"] if len(ordered) > most else [])])

    def _waiting(self, group: Sequence[Waiting]) -> str:
        first = group[0]
        jobs = self.names.subject([one.job_id for one in group])
        said = in_brackets(first.said)
        seconds = format_seconds(max(1, round(first.seconds or 0)))
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
        return f"waiting for {jobs}, which {self.why(first.why, len(group))}"

    # Results

    def result(self, result: Result) -> str:
        """What an operation did, in one line: ``12 jobs: started 3, already started 9``."""
        counts = Counter(job.outcome for job in result.jobs.values())
        parts = [f"{outcome.replace('_', ' ')} {counts[outcome]:,}" for outcome in get_args(Outcome) if counts[outcome]]
        if any(job.copy for job in result.jobs.values()):
            parts.append(f"synced {sum(job.record.is_synced for job in result.jobs.values()):,}")
        return f"{count_jobs(len(result.jobs))}: {', '.join(parts)}"

    def wrong(self, job: JobOutcome, count: int = 1) -> Wrong | None:
        """What is wrong with a job and what to do about it; None if it is what was declared.

        `count` is the number of jobs it is said of.
        """
        if job.is_fulfilled:
            return None
        problem = job.problem or Problem(job.why, job.status)
        return Wrong(self._wrong(problem, count), self._what_to_do(job, problem, count))

    def _wrong(self, problem: Problem, count: int) -> str:
        reason = f"{inflect('{it|they}', count)} {self.why(problem.why, count)}"
        if problem.recorded is not None:
            return problem.recorded
        if problem.is_failed_again:
            seconds = "" if problem.seconds is None else f" {problem.seconds:.0f} s"
            said = f": {problem.said}" if problem.said else ""
            restarted = inflect("DRS accepted {its restart, so it has|their restart, so they have}", count)
            still = inflect("{it is|they are} still", count)
            return f"{still} in {problem.status}{seconds} after {restarted} probably failed again{said}"
        if problem.ended_by is not None:
            ending = getattr(problem.ended_by, "text", str(problem.ended_by))
            # That nothing was requested yet goes without saying, and DRS's text belongs to its code.
            return ending if problem.why.action or problem.code else f"{reason}; {ending}"
        if problem.refusal is not None:
            text = problem.refusal.text
            # DRS's words alone, that this is not allowed in this status, would not tell what is wrong.
            return f"{text.rstrip('.')}: {reason.partition('; ')[0]}" if problem.why.reason is Reason.RESCHEDULED else text
        return reason if problem.said is None or problem.why.reason is Reason.NOT_SHOWN else problem.said

    def _what_to_do(self, job: JobOutcome, problem: Problem, count: int) -> str:
        if problem.recorded_advice:
            return problem.recorded_advice
        hint = inflect(_hint(problem.code, job.phase), count)
        if problem.is_failed_again:
            return hint or "fix the cause that DRS reports"
        advice = self.advice(problem.why, count, job.job_id)
        # What DRS's code tells is better than just to try again.
        is_weak = not advice or advice.startswith(_RUN) or problem.code == _DELETED
        return (hint if is_weak else "") or advice or inflect("look at {the job|these jobs} in the DRS console", count)

    def attention(self, outcomes: Collection[JobOutcome]) -> list[str]:
        """What nothing is done about, but somebody should know: a line for each kind."""
        jobs = {job.job_id: job for job in outcomes if _needs_attention(job)}

        def text(named: str, ids: Sequence[str]) -> str:
            why, count = jobs[ids[0]].why, len(ids)
            return f"{named} {self.why(why, count)}. {sentence(self.advice(why, count))}"

        lines = self._told(jobs, text)
        alarms = ((f"{it.item}: {it.reason}" if it.reason else it.item, job.job_id) for job in outcomes for it in job.alarms)
        return lines + [f"the pre-check warns of {self.names.subject(ids)}: {ended(it)}" for it, ids in grouped(alarms).items()]

    def failures(self, result: Result, timeout_seconds: float, command: str = "pulumi up") -> list[str]:
        """Every job that failed, a line for each reason: DRS's code and text, the jobs, and what to do next."""
        jobs = {job.job_id: job for job in result.failed}

        def text(named: str, ids: Sequence[str]) -> str:
            job = jobs[ids[0]]
            wrong = self.wrong(job, len(ids)) or Wrong("no reason was given")
            # Texts that only differ in naming the job are one.
            message = re.sub(rf"(?<![\w-]){re.escape(job.job_id)}(?![\w-])", "the job", wrong.message)
            said = f"{job.error_code}: {message}" if job.error_code else message
            return f"{named} could not be {job.wanted}: {said.rstrip('.')}. Next: {_next(wrong.advice, command)}."

        lines = self._told(jobs, text)
        by_what: dict[str, list[JobOutcome]] = {}
        for job in result.unfinished:
            by_what.setdefault(_NOT_YET.get(job.wanted, "{was|were} not running yet"), []).append(job)
        lines += [self._unfinished(what, some, result, timeout_seconds, command) for what, some in by_what.items()]
        if result.ended_by is not None and not isinstance(result.ended_by, DrsError):
            lines.append("an unexpected error ended the operation:\n" + "".join(traceback.format_exception(result.ended_by)))
        return lines

    def _unfinished(self, what: str, jobs: Sequence[JobOutcome], result: Result, timeout_seconds: float, command: str) -> str:
        by_status = grouped((job.status, job.job_id) for job in jobs)
        are_copies = jobs[0].wanted == "synced"
        where = self.behind({job.job_id: job.copy for job in jobs}) if are_copies else ""
        where = where or "; ".join(
            f"{len(ids):,} in {status}{f': {names}' if (names := self.names.listed(ids, LISTED)) else ''}"
            for status, ids in by_status.items()
        )
        more_time = ""
        if isinstance(result.ended_by, OutOfTimeError):
            when, more_time = f"after {format_seconds(timeout_seconds)} (timeout)", ", or raise timeout"
        elif isinstance(result.ended_by, CancelledError):
            when = "when the operation was cancelled"
        else:
            when = f"when DRS could not be read any more: {str(result.ended_by).rstrip('.')}"
        count = len(jobs)
        return (
            f"{count_jobs(count)}{'' if are_copies else ' accepted by DRS'} {inflect(what, count)} {when}. {where}. "
            f"Nothing is lost: DRS goes on with {inflect('{it|them}', count)}. Next: run {command} again to wait on{more_time}."
        )

    def error(self, error: Exception) -> str:
        """An error that ended an operation before anything was done, with the next step."""
        if isinstance(error, AuthenticationError):
            return ended(str(error))
        return f"{ended(str(error))} {self._next_step(error)}"

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


def _in_steps(seconds: float) -> float:
    """A delay with two digits that count: a row that changes at each second is not read."""
    digits = len(str(math.ceil(seconds)))
    return float(round(seconds, min(0, 2 - digits)))


def _distance(percent: float | None, delay_seconds: float | None) -> str:
    """How far a copy is from its source."""
    if delay_seconds is not None:
        return f"is {math.ceil(delay_seconds):,} s behind"
    if percent is not None and percent < 100:
        return f"is at {math.floor(percent)} % of its full copy"
    return "does not show a delay yet"


def _needs_attention(job: JobOutcome) -> bool:
    is_told = job.is_fulfilled or job.outcome in ("failed", "resumed")
    return job.phase in (Phase.PAUSED, Phase.FAILED) and not is_told


def _next(advice: str, command: str) -> str:
    """What to do next: the advice, and then the command again."""
    if _RUN in advice:
        return advice.replace(_RUN, f"run {command}", 1)
    return f"{advice}, then run {command} again"


def _hint(code: str | None, phase: Phase) -> str:
    if code == "DRS.M00304" and phase is not Phase.STARTABLE:
        # The status explains the refusal.
        return "" if phase is Phase.SCHEDULED else _HINTS["DRS.M01501"]
    return _HINTS.get(code or "", "")
