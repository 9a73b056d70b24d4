"""
The outputs kept in Pulumi's state: what is written after an operation, and what the next one reads back from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..reconcile.outcome import JobOutcome, Result
from ..reconcile.phase import STARTED_PHASES, Phase
from ..reconcile.record import Action, JobRecord, Request
from .times import iso_to_seconds, seconds_to_iso, to_iso

_STARTED = {phase.value for phase in STARTED_PHASES}
# What is remembered of a job as it is called in the state: facts that are true or absent.
_FACTS = ("ended_unstarted", "was_ended", "paused_here", "stopped_here")


def to_outputs(inputs: Mapping[str, Any], result: Result) -> dict[str, Any]:
    """The outputs after an operation: inputs in normal form, and how each job stands. Plain JSON."""
    jobs = result.jobs.values()
    records = {job.job_id: record for job in jobs if (record := _to_record(job))}
    return {
        **inputs,
        "job_statuses": {job.job_id: _row(job) for job in jobs},
        "summary": _summary(jobs),
        "ready": all(job.is_fulfilled for job in jobs),
        # Not in the rows: it is for the next operation, not for programs to read.
        "records": records,
    }


def _to_record(job: JobOutcome) -> dict[str, Any]:
    """What the next operation needs to know and neither a status nor the row tells; nothing for most jobs.

    A request that was accepted, or sent without an answer, and that no status has proved yet; that the operation gave up
    waiting; what was seen of the job, or done to it, once.
    """
    record: dict[str, Any] = {name: True for name in _FACTS if getattr(job, name)}
    if job.request is not None and (job.accepted_at is not None or job.lost_at is not None):
        record["request"] = job.request.action.value
        if job.request.start_time is not None:
            record["start_time"] = to_iso(job.request.start_time)
        times = {"accepted_at": job.accepted_at, "lost_at": job.lost_at}
        record |= {name: seconds_to_iso(seconds) for name, seconds in times.items() if seconds is not None}
    if job.is_unfinished:
        record["is_unfinished"] = True
    if job.was_started and job.phase not in STARTED_PHASES:
        record["was_started"] = True
    if job.scheduled_for is not None:
        record["scheduled_for"] = to_iso(job.scheduled_for)
    return record


def _row(job: JobOutcome) -> dict[str, Any]:
    return {
        "status": job.status,
        "phase": job.phase.value,
        "outcome": job.outcome,
        "start_time": None if job.start_time is None else to_iso(job.start_time),
        "error_code": job.error_code,
        "error_message": job.error_message,
    }


def _summary(jobs: Iterable[JobOutcome]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for job in jobs:
        counts[job.phase.value] = counts.get(job.phase.value, 0) + 1
    return {**dict(sorted(counts.items())), "total": sum(counts.values())}


def records_of(outputs: Mapping[str, Any]) -> dict[str, JobRecord]:
    """What an earlier operation knew of each job."""
    records, rows = _records(outputs), rows_of(outputs)
    return {job_id: _record(rows.get(job_id, {}), records.get(job_id, {})) for job_id in {**rows, **records}}


def _record(row: Mapping[str, Any], record: Mapping[str, Any]) -> JobRecord:
    accepted_at, lost_at = iso_to_seconds(record.get("accepted_at")), iso_to_seconds(record.get("lost_at"))
    start_time = iso_to_seconds(record.get("start_time"))
    try:
        action = Action(record.get("request", Action.START.value))
    except ValueError:
        # Of a later version of this package: what it did is not known here, so it explains nothing.
        action, accepted_at, lost_at = Action.START, None, None
    scheduled_for = iso_to_seconds(record.get("scheduled_for"))
    return JobRecord(
        request=Request(action, None if start_time is None else round(start_time * 1000)),
        accepted_at=accepted_at,
        lost_at=lost_at,
        # Whether this resource saw the job started, then or before: only then is a job that is over no failure.
        was_started=row.get("phase") in _STARTED or record.get("was_started") is True,
        scheduled_for=None if scheduled_for is None else round(scheduled_for * 1000),
        ended_unstarted=record.get("ended_unstarted") is True,
        was_ended=record.get("was_ended") is True,
        paused_here=record.get("paused_here") is True,
        stopped_here=record.get("stopped_here") is True,
    )


def _records(outputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    records = outputs.get("records")
    if not isinstance(records, dict):
        return {}
    return {job_id: record for job_id, record in records.items() if isinstance(record, dict)}


def rows_of(outputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The rows of ``job_statuses``; none for a resource that is only looked up."""
    rows = outputs.get("job_statuses")
    return {job_id: row for job_id, row in rows.items() if isinstance(row, dict)} if isinstance(rows, dict) else {}


def failed_jobs(outputs: Mapping[str, Any]) -> dict[str, str]:
    """The jobs that the last operation could not bring to where they shall be, and the phase they were in."""
    return {job_id: str(row.get("phase")) for job_id, row in rows_of(outputs).items() if row.get("outcome") == "failed"}


def unfinished_jobs(outputs: Mapping[str, Any]) -> set[str]:
    """The jobs that an operation gave up waiting for."""
    return {job_id for job_id, record in _records(outputs).items() if record.get("is_unfinished")}


def after_refresh(recorded: Mapping[str, Any], result: Result) -> Result:
    """What a refresh may say of the last operation: nothing new, except that a failure is over, or that a job is lost.

    A job that runs is no failure any more. One that is found missing, over without having been started, or failed at its
    start, is a failure from now on, whatever the last operation did for it.
    """
    rows, unfinished = rows_of(recorded), unfinished_jobs(recorded)
    jobs = {}
    for job_id, job in result.jobs.items():
        earlier = rows.get(job_id, {}).get("outcome", "unchanged")
        if job.outcome == "failed" and job.phase in _LOST_PHASES:
            earlier = "failed"
        elif earlier == "failed" and (job.is_fulfilled or job.phase in STARTED_PHASES):
            earlier = "already_started"
        still_open = replace(job, is_unfinished=job_id in unfinished and not job.is_fulfilled)
        jobs[job_id] = _with_outcome(still_open, earlier, rows.get(job_id, {}))
    return Result(jobs)


_LOST_PHASES = frozenset({Phase.START_FAILED, Phase.ENDED, Phase.DEAD, Phase.MISSING})


def _with_outcome(job: JobOutcome, outcome: str, row: Mapping[str, Any]) -> JobOutcome:
    # A refusal is not in the status, so reading again does not bring it back.
    if outcome == "failed" and job.phase in (Phase.STARTABLE, Phase.SCHEDULED):
        return replace(job, outcome=outcome, error_code=row.get("error_code"), error_message=row.get("error_message"))
    return replace(job, outcome=outcome)
