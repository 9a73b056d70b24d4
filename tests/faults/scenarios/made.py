"""
Small histories made by hand, for the tests of the judge: a good one, of which a test changes one fact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..jobs import job_ids
from .history import Call, Done, Facts, History, Operation, Saved
from .scenario import Job, Resource, Scenario, Step
from .wishes import phase_of

KINDS = ("fresh", "running")
FRESH, RUNNING = job_ids(KINDS)
INPUTS: dict[str, Any] = {"jobs": [FRESH, RUNNING]}
PROGRAM = (Resource("r", (Job(0), Job(1))),)
STARTED, FOLLOWING = "FULL_TRANSFER_STARTED", "INCRE_TRANSFER_STARTED"

Past = list[tuple[float, str]]
BEGINNING: dict[str, Past] = {FRESH: [(0.0, "CONFIGURATION")], RUNNING: [(0.0, FOLLOWING)]}
SINCE: dict[str, Past] = {**BEGINNING, FRESH: [(0.0, "CONFIGURATION"), (11.0, "STARTJOBING"), (12.0, STARTED)]}


def facts(past: Mapping[str, Past], **fields: Any) -> dict[str, dict[str, Any]]:
    """What the sandbox knows of jobs that had these statuses; `fields` are of all of them."""
    return {
        job_id: {"status": history[-1][1], "history": [list(one) for one in history], "next": [], "is_busy": False, **fields}
        for job_id, history in past.items()
    }


def row(status: str, outcome: str = "unchanged", **fields: Any) -> dict[str, Any]:
    """A job's row."""
    return {"status": status, "phase": phase_of(status), "outcome": outcome, "error_code": None, "error_message": None, **fields}


def bag(rows: Mapping[str, dict[str, Any]], *wrong: str, **inputs: Any) -> dict[str, Any]:
    """A resource's outputs; `wrong` are the jobs that are not where they should be."""
    phases = Counter(one["phase"] for one in rows.values())
    told = {"problems": {job_id: {} for job_id in wrong}, "ready": not wrong, "summary": {**phases, "total": len(rows)}}
    return {"jobs": list(rows), **inputs, "job_statuses": dict(rows), **told}


def call(operation: str, *job_ids: str, at: float, **fields: Any) -> Call:
    """A call of ours that took effect."""
    usual = {
        "project_id": "p",
        "jobs": job_ids,
        "done": job_ids,
        "start_times": {},
        "status": 202,
        "fault": None,
        "is_ours": True,
    }
    return Call(operation, **{**usual, **fields}, at=at)


def done(
    step: Step, before: Facts, after: Facts, outputs: Mapping[str, Any] | None = None, what: str = "", **fields: Any
) -> Done:
    """A command about the resource ``r``; without `what` it found nothing to do, and the state stays."""
    saved = {"r": Saved("r", INPUTS, outputs)} if outputs is not None else {}
    operations = [Operation("r", "check")] + ([Operation("r", what, outputs=outputs)] if what else [])
    usual = {"declared": {"r": INPUTS}, "before": {} if what == "create" else saved, "after": saved, "operations": operations}
    usual |= {"facts_before": before, "facts_after": after, "changes": {"r"} if what else set()}
    return Done(step, **{**usual, **fields})


def good() -> History:
    """Two commands: the first starts a job, the second finds nothing to do."""
    first, then = facts(BEGINNING), facts(SINCE)
    started = bag({FRESH: row(STARTED, "started"), RUNNING: row(FOLLOWING, "already_started")})
    fresh = bag({FRESH: row(STARTED, "already_started"), RUNNING: row(FOLLOWING, "already_started")})
    step, last = Step(PROGRAM), Step(PROGRAM, rest_seconds=3600)
    steps = [
        done(step, first, then, started, "create", calls=[call("batch-starting", FRESH, at=10)], began=5, ended_at=20),
        done(last, then, then, started, began=3620, ended_at=3625),
    ]
    again = done(last, then, then, started, began=4000, ended_at=4005)
    preview = done(Step(PROGRAM, command="preview"), then, then, started, began=4010, ended_at=4015)
    anew = done(last, then, then, fresh, "create", began=3620, ended_at=3625)
    return History(Scenario(0, KINDS, (step, last)), steps, again, preview, anew)
