"""
The outputs kept in Pulumi's state: what is written after an operation, and what the next one reads back from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from .outcome import JobOutcome, Result
from .plan import Memory
from .status import STARTED_PHASES, Phase

ROW_FIELDS = ("status", "phase", "outcome", "start_time", "error_code", "error_message")
# A job is only called unchanged if it was known as started before.
_SAW_IT_STARTED = {"started", "already_started", "unchanged", "resumed"}


def to_outputs(inputs: Mapping[str, Any], jobs: Iterable[JobOutcome]) -> dict[str, Any]:
    """The outputs after an operation: inputs in normal form, and how each job stands. Plain JSON."""
    jobs = list(jobs)
    return {
        **{name: value for name, value in inputs.items() if name != "to_start" and not name.startswith("__")},
        "job_statuses": {job.job_id: _row(job) for job in jobs},
        "summary": _summary(jobs),
        "ready": all(job.is_fulfilled for job in jobs),
        # Not in the rows: it is for the next operation, not for programs to read.
        "unconfirmed_starts": {job.job_id: start for job in jobs if (start := _unconfirmed(job))},
    }


def _unconfirmed(job: JobOutcome) -> dict[str, str]:
    """A start that no status has proved yet: accepted, or sent without an answer."""
    times = {"accepted_at": job.accepted_at, "lost_at": job.lost_at}
    return {name: _to_iso(seconds) for name, seconds in times.items() if seconds is not None}


def _row(job: JobOutcome) -> dict[str, Any]:
    return {
        "status": job.status,
        "phase": job.phase.value,
        "outcome": job.outcome,
        "start_time": None,
        "error_code": job.error_code,
        "error_message": job.error_message,
    }


def _summary(jobs: Iterable[JobOutcome]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for job in jobs:
        counts[job.phase.value] = counts.get(job.phase.value, 0) + 1
    return {**dict(sorted(counts.items())), "total": sum(counts.values())}


def memories_of(outputs: Mapping[str, Any]) -> dict[str, Memory]:
    """What an earlier operation knew of each job."""
    unconfirmed = outputs.get("unconfirmed_starts") or {}
    return {
        job_id: Memory(
            accepted_at=_from_iso((unconfirmed.get(job_id) or {}).get("accepted_at")),
            lost_at=_from_iso((unconfirmed.get(job_id) or {}).get("lost_at")),
            was_started=_was_started(row),
        )
        for job_id, row in rows_of(outputs).items()
    }


def _was_started(row: Mapping[str, Any]) -> bool:
    """Whether this resource saw the job started, then or before: only then is a job that is over no failure."""
    return row.get("outcome") in _SAW_IT_STARTED or row.get("phase") in _STARTED


_STARTED = {phase.value for phase in STARTED_PHASES}
_ON_THE_WAY = {phase.value for phase in (Phase.STARTABLE, Phase.SCHEDULED, Phase.STARTING)}


def rows_of(outputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The rows of ``job_statuses``; none for a resource that is only looked up."""
    rows = outputs.get("job_statuses")
    return {job_id: row for job_id, row in rows.items() if isinstance(row, dict)} if isinstance(rows, dict) else {}


def failed_jobs(outputs: Mapping[str, Any]) -> list[str]:
    """The jobs that the last operation could not start."""
    return [job_id for job_id, row in rows_of(outputs).items() if row.get("outcome") == "failed"]


def unfinished_jobs(outputs: Mapping[str, Any]) -> set[str]:
    """The jobs that were on their way when the last operation ended."""
    return {job_id for job_id, row in rows_of(outputs).items() if row.get("phase") in _ON_THE_WAY}


def after_refresh(recorded: Mapping[str, Any], result: Result) -> Result:
    """What a refresh may say of the last operation: nothing new, except that a failure is over once the job runs."""
    rows = rows_of(recorded)
    jobs = {}
    for job_id, job in result.jobs.items():
        earlier = rows.get(job_id, {}).get("outcome", "unchanged")
        if earlier == "failed" and (job.is_fulfilled or job.phase in STARTED_PHASES):
            earlier = "already_started"
        jobs[job_id] = _with_outcome(job, earlier, rows.get(job_id, {}))
    return Result(jobs)


def _with_outcome(job: JobOutcome, outcome: str, row: Mapping[str, Any]) -> JobOutcome:
    # A refusal is not in the status, so reading again does not bring it back.
    if outcome == "failed" and job.phase in (Phase.STARTABLE, Phase.SCHEDULED):
        return replace(job, outcome=outcome, error_code=row.get("error_code"), error_message=row.get("error_message"))
    return replace(job, outcome=outcome)


def _to_iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")


def _from_iso(text: Any) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp() if isinstance(text, str) else None
    except ValueError:
        return None
