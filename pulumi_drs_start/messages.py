"""
What we say: plans, progress and results in words.

Counts first, then the first few names, so that a thousand jobs read as well as two.
"""

from __future__ import annotations

import re
import traceback
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from .converge import Progress
from .drs.errors import (
    AuthenticationError,
    CancelledError,
    DrsError,
    OutOfTimeError,
    PermissionDeniedError,
    TokenRejectedError,
)
from .drs.retry import format_seconds
from .outcome import JobOutcome, Result
from .plan import Plan
from .status import Phase

NAMED = 3
"""How many jobs are named before the rest is counted."""

CAUSES = 5
"""How many causes of failure are told before the rest is counted."""

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


def plan_in_words(plan: Plan) -> str:
    """What ``up`` would do, in one line; jobs of which nothing is known yet are not in the plan."""
    parts = []
    if plan.start:
        parts.append(f"start {count_jobs(len(plan.start))} ({name_jobs(plan.start)})")
    if plan.wait:
        parts.append(f"wait for {count_jobs(len(plan.wait))} ({name_jobs(plan.wait)}), which {_why(plan, plan.wait)}")
    text = "will " + " and ".join(parts) if parts else "will start no job"
    by_reason: dict[str, list[str]] = {}
    for job_id, reason in plan.nothing.items():
        by_reason.setdefault(reason, []).append(job_id)
    for reason, job_ids in by_reason.items():
        fulfilled = plan.decisions[job_ids[0]].is_fulfilled
        whose = count_jobs(len(job_ids)) if fulfilled else f"{count_jobs(len(job_ids))} ({name_jobs(job_ids)})"
        text += f"; {whose} {_plural(reason, len(job_ids))}"
    return text


def impossible_in_words(plan: Plan) -> list[str]:
    """The jobs that can't be started, a line for each reason."""
    by_reason: dict[str, list[str]] = {}
    for job_id, reason in plan.impossible.items():
        by_reason.setdefault(reason, []).append(job_id)
    return [f"can't start {count_jobs(len(ids))} ({name_jobs(ids)}): it {reason}" for reason, ids in by_reason.items()]


def attention_in_words(outcomes: Iterable[JobOutcome]) -> list[str]:
    """Started jobs that do not run, a line for each phase: nothing is done about them unasked, but somebody should know."""
    lines = []
    outcomes = list(outcomes)
    for phase, what in _NEEDS_ATTENTION.items():
        ids = [job.job_id for job in outcomes if job.phase is phase and job.outcome != "failed"]
        if ids:
            lines.append(f"{count_jobs(len(ids))} ({name_jobs(ids)}) {_plural(what, len(ids))}")
    return lines


_NEEDS_ATTENTION = {
    Phase.PAUSED: "is paused, and left so: resume in the DRS console what shall run",
    Phase.FAILED: "has failed after the start: DRS tries again by itself, see the reason in the DRS console",
}


def progress_in_words(progress: Progress) -> str:
    """``running 812/1,000, starting 188``."""
    total = sum(progress.values())
    running = progress.get(Phase.RUNNING, 0)
    others = [f"{phase} {progress[phase]:,}" for phase in Phase if phase is not Phase.RUNNING and progress.get(phase)]
    return ", ".join([f"running {running:,}/{total:,}", *others])


def result_in_words(result: Result) -> str:
    """What an operation did, in one line: ``started 3 jobs, 9 already started``."""
    counts = Counter(job.outcome for job in result.jobs.values())
    words = {"started": "started", "already_started": "already started", "unchanged": "unchanged", "failed": "failed"}
    parts = [f"{words[outcome]} {counts[outcome]:,}" for outcome in words if counts[outcome]]
    return f"{count_jobs(len(result.jobs))}: {', '.join(parts)}"


def reasons_for_failure(result: Result, timeout_seconds: float) -> list[str]:
    """One sentence per cause: DRS's code and text, the jobs, what to do next."""
    reasons = []
    groups = _by_cause(result.failed)
    for (code, text), ids in list(groups.items())[:CAUSES]:
        said = f"{code}: {text}" if code else text
        jobs = f"job {ids[0]}" if len(ids) == 1 else f"{count_jobs(len(ids))} ({name_jobs(ids)})"
        hint = _HINTS.get(code or "")
        next_step = f" Next: {hint}, then run pulumi up again." if hint else ""
        reasons.append(f"{jobs} could not be started: {said.rstrip('.')}.{next_step}")
    if len(groups) > CAUSES:
        rest = sum(len(ids) for ids in list(groups.values())[CAUSES:])
        reasons.append(f"{count_jobs(rest)} more could not be started, for other reasons: job_statuses has that of each.")
    if unfinished := result.unfinished:
        reasons.append(_unfinished(unfinished, result, timeout_seconds))
    if result.ended_by is not None and not isinstance(result.ended_by, DrsError):
        reasons.append("an unexpected error ended the operation:\n" + "".join(traceback.format_exception(result.ended_by)))
    return reasons


def _by_cause(failed: Iterable[JobOutcome]) -> dict[tuple[str | None, str], list[str]]:
    """Jobs by DRS's code and text, most first; by code alone where the texts differ from job to job."""
    by_text: dict[tuple[str | None, str], list[str]] = {}
    by_code: dict[str | None, dict[str, list[str]]] = {}
    for job in failed:
        # Texts that only differ in naming the job are one.
        text = re.sub(rf"(?<![\w-]){re.escape(job.job_id)}(?![\w-])", "the job", job.error_message or "no reason was given")
        by_text.setdefault((job.error_code, text), []).append(job.job_id)
        by_code.setdefault(job.error_code, {}).setdefault(text, []).append(job.job_id)
    if len(by_text) > CAUSES:
        by_text = {
            (code, text if len(texts) == 1 else f"for example {text}"): [job_id for ids in texts.values() for job_id in ids]
            for code, texts in by_code.items()
            for text in [next(iter(texts))]
        }
    return dict(sorted(by_text.items(), key=lambda group: -len(group[1])))


def _unfinished(jobs: Sequence[JobOutcome], result: Result, timeout_seconds: float) -> str:
    by_status: dict[str, list[str]] = {}
    for job in jobs:
        by_status.setdefault(job.status, []).append(job.job_id)
    where = "; ".join(f"{len(ids):,} in {status} ({name_jobs(ids)})" for status, ids in by_status.items())
    if isinstance(result.ended_by, OutOfTimeError):
        why = f"after {format_seconds(timeout_seconds)} (timeout)"
    elif isinstance(result.ended_by, CancelledError):
        why = "when the operation was cancelled"
    else:
        why = f"when DRS could not be read any more ({result.ended_by})"
    return (
        f"{count_jobs(len(jobs))} accepted by DRS had not reached running {why}: {where}. "
        "Nothing is lost: they go on starting. Run pulumi up again to wait on, or raise timeout."
    )


def explain(error: Exception) -> str:
    """An error that ended an operation before anything was done, with the next step."""
    if isinstance(error, AuthenticationError):
        return str(error)
    return f"{str(error).rstrip('.')}. {_next_step(error)}"


def _next_step(error: Exception) -> str:
    if getattr(error, "code", None) == "DRS.M00261":
        return "Give the id of the project the jobs live in (drs:projectId, OS_PROJECT_ID, or project_id on the resource)."
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
    for singular, plural in (("is ", "are "), ("was ", "were "), ("has ", "have "), ("fails ", "fail ")):
        if reason.startswith(singular):
            return plural + reason.removeprefix(singular)
    return reason
