"""
The state of a resource: what is written after an operation, and what the next one reads back.

The state has a format version. A state of every released format is kept as a test fixture, and stays readable.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..drs.calls.models import CopyProgress
from ..reconcile.declared import Place
from ..reconcile.outcome import JobOutcome, Result
from ..reconcile.phase import STARTED_PHASES
from ..reconcile.record import NOTHING_KNOWN, Action, JobRecord, Request
from ..reconcile.recorded import NOTHING_RECORDED, Recorded, RecordedRow
from .dialect import PYTHON, Dialect
from .fields import FORMAT, PLACE, RECORDS
from .inputs import Bag, parse_inputs
from .messages import Messages, Wrong
from .times import iso_to_ms, iso_to_seconds, seconds_to_iso, to_iso
from .types import CopyFields

FORMAT_VERSION = 1

_IN_DOUBT = "is_in_doubt"
_STARTED = {phase.value for phase in STARTED_PHASES}
_SEEN_STARTED = JobRecord(was_started=True)
# Facts of a record that the state has under their own name, where they are true.
_FACTS = ("is_unfinished", "ended_unstarted", "was_ended", "paused_here", "stopped_here", "is_synced", "ended_unsynced")


class StateError(ValueError):
    """The state can't be read: a newer version of this package has written it."""


def to_state(inputs: Bag, result: Result, messages: Messages) -> dict[str, Any]:
    """The outputs after an operation, as plain JSON.

    Args:
        inputs: in normal form; with the place and what else the state keeps of the inputs.
        result: how the operation ended.
    """
    jobs = result.jobs.values()
    wrong = {job.job_id: what for job in jobs if (what := messages.wrong(job))}
    phases = Counter(job.phase.value for job in jobs)
    return {
        **inputs,
        FORMAT: FORMAT_VERSION,
        "job_statuses": {job.job_id: _row(job, wrong.get(job.job_id)) for job in jobs},
        "problems": {job_id: _problem(result.jobs[job_id], what) for job_id, what in wrong.items()},
        "summary": {**dict(sorted(phases.items())), "total": phases.total()},
        "ready": all(job.is_fulfilled for job in jobs),
        RECORDS: {job.job_id: record for job in jobs if (record := _record_to_state(job))},
    }


def from_state(bag: Bag, dialect: Dialect = PYTHON) -> Recorded:
    """What a state records; `NOTHING_RECORDED` for an empty one, that of a resource to be created.

    A resource that is only looked up by its id has inputs, but no rows.

    Raises:
        StateError: a newer version of this package has written it.
    """
    if not bag:
        return NOTHING_RECORDED
    version = bag.get(FORMAT, FORMAT_VERSION)
    if not isinstance(version, (int, float)) or version > FORMAT_VERSION:
        raise StateError(
            f"the state of this resource has format {version}, and this version of pulumi-drs-start reads up to "
            f"{FORMAT_VERSION}: install the version that wrote it, or a newer one"
        )
    rows = {job_id: row for job_id, row in _mapping(bag.get("job_statuses")).items() if isinstance(row, Mapping)}
    records, problems = _mapping(bag.get(RECORDS)), _mapping(bag.get("problems"))
    inputs = parse_inputs(bag, dialect=dialect)
    return Recorded(
        declared=inputs.declared,
        problems=inputs.problems,
        rows={job_id: _recorded_row(row, _mapping(problems.get(job_id))) for job_id, row in rows.items()},
        records={
            job_id: _record_from_state(rows.get(job_id, {}), _mapping(records.get(job_id))) for job_id in {**rows, **records}
        },
        place=place_from_state(bag.get(PLACE)),
        is_place_confirmed=not _mapping(bag.get(PLACE)).get(_IN_DOUBT),
    )


def place_to_state(place: Place, *, is_confirmed: bool) -> dict[str, Any]:
    """A place as the state has it.

    Args:
        place: endpoint and project.
        is_confirmed: DRS knows a job of the resource there. Where it knows none, the settings may have named a wrong place, and
            the next operation finds out anew.
    """
    return {"endpoint": place.endpoint, "project_id": place.project_id, **({} if is_confirmed else {_IN_DOUBT: True})}


def place_from_state(value: Any) -> Place | None:
    """What `place_to_state` made; None for anything else."""
    place = _mapping(value)
    endpoint, project_id = place.get("endpoint"), place.get("project_id")
    return Place(endpoint, project_id) if isinstance(endpoint, str) and isinstance(project_id, str) else None


def copy_fields(copy: CopyProgress | None) -> CopyFields:
    """The fields of a row that tell how far a copy is: whole numbers, neither more done nor less behind than it is."""
    percent, delay = (copy.percent, copy.delay_seconds) if copy else (None, None)
    return {
        "progress": None if percent is None else math.floor(percent),
        "delay_seconds": None if delay is None else math.ceil(delay),
    }


def _row(job: JobOutcome, wrong: Wrong | None) -> dict[str, Any]:
    return {
        "name": job.name,
        "status": job.status,
        "phase": job.phase.value,
        "outcome": job.outcome,
        "start_time": None if job.start_time is None else to_iso(job.start_time),
        **copy_fields(job.copy),
        "error_code": job.error_code,
        "error_message": wrong.message if wrong and job.problem else None,
    }


def _problem(job: JobOutcome, wrong: Wrong) -> dict[str, Any]:
    return {
        "name": job.name,
        "status": job.status,
        "error_code": job.error_code,
        "error_message": wrong.message,
        "advice": wrong.advice,
    }


def _recorded_row(row: Mapping[str, Any], problem: Mapping[str, Any]) -> RecordedRow:
    return RecordedRow(
        phase=str(row.get("phase")),
        outcome=str(row.get("outcome")),
        error_code=row.get("error_code"),
        error_message=row.get("error_message"),
        advice=problem.get("advice"),
        name=row.get("name"),
    )


def _record_to_state(job: JobOutcome) -> dict[str, Any]:
    """What the row does not tell of a job's record; nothing for most jobs."""
    record = job.record
    kept: dict[str, Any] = {name: True for name in _FACTS if getattr(record, name)}
    if record.accepted_at is not None or record.lost_at is not None:
        kept["request"] = record.request.action.value
        if record.request.start_time is not None:
            kept["start_time"] = to_iso(record.request.start_time)
        times = {"accepted_at": record.accepted_at, "lost_at": record.lost_at}
        kept |= {name: seconds_to_iso(seconds) for name, seconds in times.items() if seconds is not None}
    if record.was_started and job.phase not in STARTED_PHASES:
        kept["was_started"] = True
    if record.scheduled_for is not None:
        kept["scheduled_for"] = to_iso(record.scheduled_for)
    return kept


def _record_from_state(row: Mapping[str, Any], kept: Mapping[str, Any]) -> JobRecord:
    if not kept:
        # As for most jobs, and there may be thousands.
        return _SEEN_STARTED if row.get("phase") in _STARTED else NOTHING_KNOWN
    accepted_at, lost_at = iso_to_seconds(kept.get("accepted_at")), iso_to_seconds(kept.get("lost_at"))
    try:
        action = Action(kept.get("request", Action.START.value))
    except ValueError:
        # Of a later version of this package: what it did is not known here, so it explains nothing.
        action, accepted_at, lost_at = Action.START, None, None
    return JobRecord(
        request=Request(action, iso_to_ms(kept.get("start_time"))),
        accepted_at=accepted_at,
        lost_at=lost_at,
        # Whether this resource saw the job started, then or before: only then is a job that is over no failure.
        was_started=row.get("phase") in _STARTED or kept.get("was_started") is True,
        scheduled_for=iso_to_ms(kept.get("scheduled_for")),
        is_unfinished=kept.get("is_unfinished") is True,
        ended_unstarted=kept.get("ended_unstarted") is True,
        was_ended=kept.get("was_ended") is True,
        paused_here=kept.get("paused_here") is True,
        stopped_here=kept.get("stopped_here") is True,
        is_synced=kept.get("is_synced") is True,
        ended_unsynced=kept.get("ended_unsynced") is True,
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
