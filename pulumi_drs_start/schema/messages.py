"""
What we say: plans, progress and results in words.

Counts first, then the first few names, so that a thousand jobs read as well as two.
"""

from __future__ import annotations

import re
import traceback
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..drs.calls.models import JobStatus
from ..drs.errors import (
    AuthenticationError,
    CancelledError,
    DrsError,
    OutOfTimeError,
    PermissionDeniedError,
    TokenRejectedError,
)
from ..drs.text import format_seconds
from ..reconcile.converge import Progress, Waiting
from ..reconcile.outcome import JobOutcome, Result
from ..reconcile.phase import Phase, phase_of
from ..reconcile.place import Place
from ..reconcile.plan import Pause, Plan, Target
from ..reconcile.record import Action
from ..settings import Settings
from .times import to_iso

NAMED = 3
"""How many jobs are named before the rest is counted."""

CAUSES = 5
"""How many causes of failure are told before the rest is counted."""

WAITS = 3
"""How many things that are waited for are told before the rest is counted."""

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


def name_jobs(job_ids: Collection[str], named: int = NAMED) -> str:
    """``a, b, c and 997 more``."""
    ids = list(job_ids)
    if len(ids) <= named + 1:
        return ", ".join(ids)
    return f"{', '.join(ids[:named])} and {len(ids) - named:,} more"


def count_jobs(count: int) -> str:
    """``1 job``, ``1,000 jobs``."""
    return f"{count:,} job" if count == 1 else f"{count:,} jobs"


def plan_in_words(plan: Plan, unknown: int | None = 0) -> str:
    """What ``up`` would do, in one line.

    Args:
        plan: about the jobs that are known.
        unknown: how many jobs are not known yet, and so not in the plan; None if not even their number is known.
    """
    parts = [
        f"{verb} {count_jobs(len(ids))}{ending} ({name_jobs(ids)})"
        for action, (verb, ending) in _VERBS.items()
        if (ids := plan.jobs(action))
    ]
    parts[1:1] = _schedules_in_words(plan)
    if waiting := plan.jobs(Action.WAIT):
        parts.append(f"wait for {count_jobs(len(waiting))} ({name_jobs(waiting)}), which {_why(plan, waiting)}")
    clauses = ["will " + " and ".join(parts)] if parts else [] if unknown != 0 else ["will start no job"]
    by_reason: dict[str, list[str]] = {}
    for job_id in plan.jobs(Action.NOTHING):
        by_reason.setdefault(plan.decisions[job_id].reason, []).append(job_id)
    for reason, job_ids in by_reason.items():
        fulfilled = plan.decisions[job_ids[0]].is_fulfilled
        whose = count_jobs(len(job_ids)) if fulfilled else f"{count_jobs(len(job_ids))} ({name_jobs(job_ids)})"
        clauses.append(f"{whose} {_plural(reason, len(job_ids))}")
    if unknown is None:
        clauses.append("which jobs are to be started is not known yet")
    elif unknown:
        clauses.append(f"{count_jobs(unknown)} {_plural('is', unknown)} not known yet, and will be started unless running")
    return "; ".join(clauses)


_VERBS = {
    Action.START: ("start", ""),
    Action.PRECHECK: ("pre-check, and start if that passes,", ""),
    Action.RESUME: ("resume", ""),
    Action.PAUSE: ("pause", ""),
    Action.STOP: ("STOP", " for good"),
}


def _schedules_in_words(plan: Plan) -> list[str]:
    by_time: dict[int, list[str]] = {}
    for job_id in plan.jobs(Action.SCHEDULE):
        request = plan.decisions[job_id].request
        by_time.setdefault((request.start_time if request else None) or 0, []).append(job_id)
    if len(by_time) > NAMED:
        ids = plan.jobs(Action.SCHEDULE)
        first, last = to_iso(min(by_time)), to_iso(max(by_time))
        return [f"schedule {count_jobs(len(ids))} between {first} and {last} ({name_jobs(ids)})"]
    return [f"schedule {count_jobs(len(ids))} for {to_iso(ms)} ({name_jobs(ids)})" for ms, ids in sorted(by_time.items())]


def plan_warnings(plan: Plan) -> list[str]:
    """What somebody should know before ``up``: what is final, what is late, what is impossible; a line for each."""
    lines = []
    if stopped := plan.jobs(Action.STOP):
        lines.append(
            f'will STOP {count_jobs(len(stopped))} FOR GOOD ({name_jobs(stopped)}): desired_state is "stopped". '
            "A stopped job can never be started again"
        )
    by_text: dict[str, list[str]] = {}
    for job_id, decision in plan.decisions.items():
        if decision.warning:
            by_text.setdefault(decision.warning, []).append(job_id)
    lines += [f"{count_jobs(len(ids))} ({name_jobs(ids)}) {_plural(text, len(ids))}" for text, ids in by_text.items()]
    return lines + impossible_in_words(plan)


def impossible_in_words(plan: Plan) -> list[str]:
    """The jobs that ``up`` can't bring to where they shall be; a line for each reason."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for job_id, reason in plan.impossible.items():
        verb = _TARGET_VERBS[plan.targets.get(job_id, Target.STARTED)]
        by_reason.setdefault((verb, reason), []).append(job_id)
    return [
        f"can't {verb} {count_jobs(len(ids))} ({name_jobs(ids)}): {'it' if len(ids) == 1 else 'they'} {_plural(reason, len(ids))}"
        for (verb, reason), ids in by_reason.items()
    ]


_TARGET_VERBS = {Target.STARTED: "start", Target.PAUSED: "pause", Target.STOPPED: "stop"}


def refusals_in_words(plan: Plan, rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What went wrong the last time with jobs that would be tried again; a line for each of DRS's codes.

    Args:
        plan: what would be done.
        rows: ``job_statuses`` of the last operation.
    """
    by_code: dict[str, list[str]] = {}
    for job_id, decision in plan.decisions.items():
        row = rows.get(job_id, {})
        if decision.action.is_call and row.get("outcome") == "failed":
            by_code.setdefault(str(row.get("error_code") or ""), []).append(job_id)
    return [
        f"{count_jobs(len(ids))} ({name_jobs(ids)}) failed the last time, and will be tried again: {_said(code, rows[ids[0]])}"
        for code, ids in by_code.items()
    ]


def _said(code: str, row: Mapping[str, Any]) -> str:
    text = str(row.get("error_message") or "no reason was given")
    return f"{code}: {text}" if code else text


def unlisted_in_words(job_ids: Collection[str]) -> str:
    """That jobs were taken off the list, and what becomes of them: nothing."""
    what = "it is left as it is" if len(job_ids) == 1 else "they are left as they are"
    return f"stops managing {count_jobs(len(job_ids))} ({name_jobs(job_ids)}); {what}"


def left_in_words(job_ids: Collection[str]) -> str:
    """That the jobs of a deleted resource go on."""
    return "1 job left as it is" if len(job_ids) == 1 else f"{count_jobs(len(job_ids))} left as they are"


def declared_elsewhere_in_words(job_ids: Collection[str]) -> str:
    """Why jobs of a deleted resource are left as they are, whatever ``on_destroy`` says."""
    what = _plural("is", len(job_ids))
    return f"{count_jobs(len(job_ids))} ({name_jobs(job_ids)}) {what} declared by another resource of the program, and left to it"


def not_retired_in_words(job_ids: Collection[str], on_destroy: str, why: str) -> str:
    """Why jobs of a deleted resource are left as they are although ``on_destroy`` says otherwise."""
    what = _plural("is", len(job_ids))
    them = "it" if len(job_ids) == 1 else "them"
    return (
        f'on_destroy is "{on_destroy}", but {count_jobs(len(job_ids))} ({name_jobs(job_ids)}) {what} left running: {why}, '
        f"so another resource may declare {them}. To {on_destroy} {them}, declare {them} with "
        f'desired_state="{"paused" if on_destroy == "pause" else "stopped"}"'
    )


def retirement_in_words(job_ids: Collection[str], on_destroy: str) -> str | None:
    """What the deletion of a resource does to its jobs, unless other resources declare them; None if nothing."""
    if not job_ids:
        return None
    jobs = f"{count_jobs(len(job_ids))}{' FOR GOOD' if on_destroy == 'stop' else ''} ({name_jobs(job_ids)})"
    verb = "STOP" if on_destroy == "stop" else on_destroy
    return f'will {verb} {jobs}, unless another resource of the program declares them: on_destroy was "{on_destroy}"'


def elsewhere_in_words(place: Place, settings: Settings, error: Exception | None = None) -> str:
    """That the jobs are not where the configuration of this command points to, and what came of it."""
    configured = f"project {settings.project_id or settings.project_name or 'of the login'} at {settings.endpoint}"
    where = f"the jobs of this resource are in {place}, but the configuration of this command is for {configured}"
    if error is None:
        return (
            f"{where}. They are dealt with where they are. To declare jobs elsewhere, set project_id or endpoint in the program"
        )
    return (
        f"{where}, and its login does not help there: {str(error).rstrip('.')}. "
        "Use the configuration of the place where the jobs are (project, region or endpoint, login), and run the command again."
    )


def unknowns_in_words(names: Collection[str], doubtful: Sequence[str], statuses: Iterable[JobStatus]) -> list[str]:
    """What inputs that are not known yet may do to jobs; a line for each of them that matters.

    Args:
        names: of the resource's inputs that are not known.
        doubtful: the jobs whose ``desired_state`` is not known.
        statuses: of the jobs whose ids are known.
    """
    lines, jobs = [], list(statuses)
    if doubtful:
        lines.append(
            f"desired_state of {count_jobs(len(doubtful))} ({name_jobs(doubtful)}) is not known yet: depending on it, "
            f"{'it' if len(doubtful) == 1 else 'they'} will be started, paused or STOPPED FOR GOOD"
        )
    resumable = [job.job_id for job in jobs if phase_of(job.status) in (Phase.PAUSED, Phase.FAILED, Phase.START_FAILED)]
    if "resume" in names and resumable:
        lines.append(
            f"resume is not known yet: depending on it, {count_jobs(len(resumable))} ({name_jobs(resumable)}) will be resumed"
        )
    startable = [job.job_id for job in jobs if phase_of(job.status) is Phase.STARTABLE]
    if "precheck" in names and startable:
        lines.append(
            f"precheck is not known yet: depending on it, {count_jobs(len(startable))} ({name_jobs(startable)}) "
            "will be started only if the pre-check passes"
        )
    if "on_destroy" in names:
        lines.append(
            "on_destroy is not known yet: it may turn out that deleting the resource will pause its jobs, or STOP them FOR GOOD"
        )
    return lines


def on_destroy_in_words(on_destroy: str, count: int) -> str | None:
    """What declaring ``on_destroy`` means, where that can't be taken back."""
    if on_destroy != "stop":
        return None
    return (
        f"on_destroy is stop: pulumi destroy, or taking the resource out of the program, will STOP {count_jobs(count)} FOR GOOD; "
        "a stopped job can never be started again. Use protect=True against mistakes"
    )


def attention_in_words(outcomes: Iterable[JobOutcome]) -> list[str]:
    """What nothing is done about, but somebody should know: a line for each kind."""
    lines = []
    outcomes = list(outcomes)
    by_what: dict[str, list[str]] = {}
    for job in outcomes:
        if job.phase in _NEEDS_ATTENTION and not job.is_fulfilled and job.outcome not in ("failed", "resumed"):
            said = f" ({job.error_message})" if job.error_message and not job.error_message.startswith("it ") else ""
            by_what.setdefault(_NEEDS_ATTENTION[job.phase].format(said=said), []).append(job.job_id)
    lines += [f"{count_jobs(len(ids))} ({name_jobs(ids)}) {_plural(what, len(ids))}" for what, ids in by_what.items()]
    by_alarm: dict[str, list[str]] = {}
    for job in outcomes:
        for alarm in job.alarms:
            by_alarm.setdefault(alarm, []).append(job.job_id)
    lines += [f"the pre-check warns of {count_jobs(len(ids))} ({name_jobs(ids)}): {alarm}" for alarm, ids in by_alarm.items()]
    return lines


_NEEDS_ATTENTION = {
    Phase.PAUSED: "is paused and was not resumed. To resume: the DRS console, or resume=True",
    Phase.FAILED: "failed after the start{said}: DRS retries on its own, resume=True asks for a retry now",
}


def progress_in_words(progress: Progress) -> str:
    """``running 812/1,000, starting 188``, and what is waited for."""
    phases = progress.phases
    total = sum(phases.values())
    others = [f"{phase} {phases[phase]:,}" for phase in Phase if phase is not Phase.RUNNING and phases.get(phase)]
    counts = ", ".join([f"running {phases.get(Phase.RUNNING, 0):,}/{total:,}", *others])
    waiting = list(progress.waiting)
    parts = [_waiting_in_words(one) for one in waiting[:WAITS]]
    if len(waiting) > WAITS:
        parts.append(f"and {count_jobs(sum(len(one.job_ids) for one in waiting[WAITS:]))} more to wait for")
    return "; ".join([counts, *parts])


def _waiting_in_words(waiting: Waiting) -> str:
    jobs = f"{count_jobs(len(waiting.job_ids))} ({name_jobs(waiting.job_ids)})"
    said = f" ({waiting.said})" if waiting.said else ""
    seconds = format_seconds(max(1, round(waiting.seconds))) if waiting.seconds is not None else "a while"
    if waiting.pause is Pause.LOST and waiting.action is not None:
        noun, done = _CALLS[waiting.action]
        return (
            f"the answer to the {noun} of {jobs} was lost{said}: watching DRS for up to {seconds} before asking again, "
            f"so that nothing is {done} twice"
        )
    if waiting.pause is Pause.REFUSED and waiting.action is not None:
        noun, _ = _CALLS[waiting.action]
        if waiting.said.startswith(_BUSY):
            return f"DRS is busy with {jobs}{said}: asking for the {noun} again in {seconds}"
        return f"DRS refused the {noun} of {jobs}{said}: asking again in {seconds}"
    if waiting.pause is Pause.PRECHECK:
        return f"waiting for the pre-check of {jobs}"
    return f"waiting for {jobs}, which {_plural(waiting.reason, len(waiting.job_ids))}"


_BUSY = "DRS.M01504"
_CALLS = {
    Action.START: ("start", "started"),
    Action.SCHEDULE: ("scheduled start", "started"),
    Action.RESUME: ("resumption", "resumed"),
    Action.PRECHECK: ("pre-check", "checked"),
    Action.PAUSE: ("pause", "paused"),
    Action.STOP: ("stop", "stopped"),
}


def result_in_words(result: Result) -> str:
    """What an operation did, in one line: ``12 jobs: started 3, already started 9``."""
    counts = Counter(job.outcome for job in result.jobs.values())
    parts = [f"{outcome.replace('_', ' ')} {counts[outcome]:,}" for outcome in _OUTCOMES if counts[outcome]]
    return f"{count_jobs(len(result.jobs))}: {', '.join(parts)}"


_OUTCOMES = ("started", "scheduled", "resumed", "paused", "stopped", "already_started", "unchanged", "failed")

WAY_OUT_OF_DESTROY = (
    'To let these jobs go as they are, set on_destroy="leave" in the program, run pulumi up, and then delete the resource again.'
)


def reasons_for_failure(result: Result, timeout_seconds: float, command: str = "pulumi up") -> list[str]:
    """One sentence per cause: DRS's code and text, the jobs, what to do next with which command."""
    reasons = []
    groups = _by_cause(result.failed)
    for cause, group in list(groups.items())[:CAUSES]:
        ids = [job.job_id for job in group]
        said = f"{cause.code}: {cause.text}" if cause.code else cause.text
        jobs = f"job {ids[0]}" if len(ids) == 1 else f"{count_jobs(len(ids))} ({name_jobs(ids)})"
        hint = _hint(cause, group[0].phase)
        next_step = f" Next: {hint}, then run {command} again." if hint else ""
        reasons.append(f"{jobs} could not be {cause.wanted}: {said.rstrip('.')}.{next_step}")
    if len(groups) > CAUSES:
        rest = sum(len(group) for group in list(groups.values())[CAUSES:])
        reasons.append(f"{count_jobs(rest)} more could not be dealt with, for other reasons: job_statuses has that of each.")
    by_what: dict[str, list[JobOutcome]] = {}
    for job in result.unfinished:
        by_what.setdefault(_NOT_YET.get(job.wanted, "had not reached running"), []).append(job)
    for what, jobs_left in by_what.items():
        raise_it = ", or raise timeout" if isinstance(result.ended_by, OutOfTimeError) else ""
        when = _why_unfinished(result, timeout_seconds)
        reasons.append(
            f"{count_jobs(len(jobs_left))} accepted by DRS {what} {when}: {_where(jobs_left)}. "
            f"Nothing is lost: DRS goes on with {'it' if len(jobs_left) == 1 else 'them'}. "
            f"Run {command} again to wait on{raise_it}."
        )
    if result.ended_by is not None and not isinstance(result.ended_by, DrsError):
        reasons.append("an unexpected error ended the operation:\n" + "".join(traceback.format_exception(result.ended_by)))
    return reasons


_NOT_YET = {"paused": "was not paused yet", "stopped": "was not over yet"}


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


def _by_cause(failed: Iterable[JobOutcome]) -> dict[_Cause, list[JobOutcome]]:
    """Jobs by what DRS said of them, most first; by code alone where the texts differ from job to job."""
    by_text: dict[_Cause, list[JobOutcome]] = {}
    by_code: dict[tuple[str, str | None], dict[str, list[JobOutcome]]] = {}
    for job in failed:
        # Texts that only differ in naming the job are one.
        text = re.sub(rf"(?<![\w-]){re.escape(job.job_id)}(?![\w-])", "the job", job.error_message or "no reason was given")
        by_text.setdefault(_Cause(job.wanted, job.error_code, text), []).append(job)
        by_code.setdefault((job.wanted, job.error_code), {}).setdefault(text, []).append(job)
    if len(by_text) > CAUSES:
        by_text = {
            _Cause(wanted, code, text if len(texts) == 1 else f"for example {text}"): [
                job for jobs in texts.values() for job in jobs
            ]
            for (wanted, code), texts in by_code.items()
            for text in [next(iter(texts))]
        }
    return dict(sorted(by_text.items(), key=lambda group: -len(group[1])))


def _where(jobs: Sequence[JobOutcome]) -> str:
    by_status: dict[str, list[str]] = {}
    for job in jobs:
        by_status.setdefault(job.status, []).append(job.job_id)
    return "; ".join(f"{len(ids):,} in {status} ({name_jobs(ids)})" for status, ids in by_status.items())


def _why_unfinished(result: Result, timeout_seconds: float) -> str:
    if isinstance(result.ended_by, OutOfTimeError):
        return f"after {format_seconds(timeout_seconds)} (timeout)"
    if isinstance(result.ended_by, CancelledError):
        return "when the operation was cancelled"
    return f"when DRS could not be read any more ({result.ended_by})"


def explain(error: Exception) -> str:
    """An error that ended an operation before anything was done, with the next step."""
    if isinstance(error, AuthenticationError):
        return str(error)
    return f"{str(error).rstrip('.')}. {_next_step(error)}"


def _next_step(error: Exception) -> str:
    if getattr(error, "code", None) == "DRS.M00261":
        return (
            "Give the id of the project the jobs live in (drs:projectId, OS_PROJECT_ID, or project_id=… in the program), "
            "and with a ready token one that is for that project."
        )
    if isinstance(error, TokenRejectedError):
        return "Give a new token (drs:token or OS_TOKEN), or a user name and password instead of a token."
    if isinstance(error, PermissionDeniedError):
        return (
            "The user needs DRS FullAccess (or drs:migrationJob:action) and VPC FullAccess in the project of these jobs: "
            "ask whoever administers IAM."
        )
    return "Nothing was changed; run the command again."


def _why(plan: Plan, job_ids: Collection[str]) -> str:
    reasons: Mapping[str, int] = Counter(plan.decisions[job_id].reason for job_id in job_ids)
    return " or ".join(_plural(reason, len(job_ids)) for reason in reasons)


def _plural(reason: str, count: int) -> str:
    """Reasons are written for one job: ``is running`` -> ``are running``."""
    if count == 1:
        return reason
    first, _, rest = reason.partition(" ")
    return f"{_PLURALS.get(first, first)} {rest}".rstrip()


_PLURALS = {"is": "are", "was": "were", "has": "have", "fails": "fail", "waits": "wait", "it": "they"}
