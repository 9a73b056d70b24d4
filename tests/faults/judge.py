"""
What must hold after every schedule, checked against the sandbox's own counters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pulumi_drs_start.sandbox import SECRET, Account

from . import jobs
from .engine import Run
from .schedule import Schedule

WRONGS = ("double", "lost", "not converged", "needless", "secret")
"""Columns of the campaign's table."""


@dataclass(slots=True)
class Verdict:
    """What was found after a schedule.

    Attributes:
        wrongs: (one of `WRONGS`, in words).
        starts: jobs that the sandbox started.
        requests: starts that were asked of it; more than `starts`, because answers get lost and DRS refuses.
        faults: how many happened.
        kills: how many processes were killed.
    """

    wrongs: list[tuple[str, str]] = field(default_factory=list)
    starts: int = 0
    requests: int = 0
    faults: int = 0
    kills: int = 0


def judge(schedule: Schedule, run: Run) -> Verdict:
    """Everything that is wrong after a schedule."""
    verdict = Verdict(
        [
            *_judge_jobs(schedule, run),
            *_judge_end(schedule, run),
            *_judge_last_up(schedule, run),
            *_judge_previews(schedule, run),
            *_judge_needless(run),
            *_judge_secrets(run),
            *(("not converged", f"a hook ended in a way no hook may: {crash}") for crash in run.crashes),
        ],
        faults=run.faults,
        kills=run.kills,
    )
    verdict.starts = sum(job["starts"] for job in run.facts.values())
    verdict.requests = sum(job["start_requests"] for job in run.facts.values())
    return verdict


def _named(schedule: Schedule) -> Iterator[tuple[str, str, jobs.Kind]]:
    for job_id, name in zip(jobs.job_ids(schedule.jobs), schedule.jobs, strict=True):
        yield job_id, name, jobs.kind_of(name, schedule.life)


def _judge_jobs(schedule: Schedule, run: Run) -> Iterator[tuple[str, str]]:
    """Started exactly once, and none lost."""
    for job_id, name, kind in _named(schedule):
        job = run.facts.get(job_id)
        if job is None:
            continue
        expected = run.expected_starts[job_id]
        if job["starts"] > expected:
            yield "double", f"{name} job {job_id} was started {job['starts']} times, not {expected}"
        elif job["starts"] < expected:
            yield "lost", f"{name} job {job_id} was started {job['starts']} times, not {expected}; it is {job['status']}"
        elif kind.starts and not kind.fails and job["status"] in jobs.NOT_STARTED and not _waits_for_its_time(schedule, job):
            yield "lost", f"{name} job {job_id} was started, but is {job['status']}"
        elif schedule.life == "scheduled" and kind.starts and not kind.fails and job["status"] != "WAITING_FOR_START":
            yield "not converged", f"{name} job {job_id} was to wait for its time, but is {job['status']}"
        retries = run.expected_retries[job_id]
        if job["retries"] != retries:
            wrong = "double" if job["retries"] > retries else "lost"
            yield wrong, f"{name} job {job_id} was resumed {job['retries']} times, not {retries}; it is {job['status']}"


def _waits_for_its_time(schedule: Schedule, job: dict[str, Any]) -> bool:
    return schedule.life == "scheduled" and job["status"] == "WAITING_FOR_START"


def _judge_end(schedule: Schedule, run: Run) -> Iterator[tuple[str, str]]:
    """Every job is paused or stopped once, if its status allows it; those that can't be hold up nothing."""
    for program, ran in enumerate(run.end):
        if ran.ended != "done" or run.stacks[program]:
            said = "; ".join(str(result.get("failure")) for result in ran.results.values())[:300]
            yield "not converged", f"the last destroy of program {program} was {ran.ended} and left something: {said}"
    # A job that DRS leaves out of its answers can't be told from one that is gone, and what is gone holds up no destroy.
    may_seem_gone = any(fault.kind == "missing rows" for end in schedule.ends for fault in end.faults)
    for job_id, name, _ in _named(schedule):
        job, before = run.end_facts.get(job_id), run.facts.get(job_id)
        if job is None or before is None:
            continue
        if job["starts"] != before["starts"] or job["retries"] != before["retries"]:
            yield "double", f"destroy started or resumed {name} job {job_id}"
        status = before["status"]
        if status in jobs.ON_ITS_WAY and before["starts"]:
            # Whether it gets there in time, and can be paused or stopped then, is left to chance.
            if job["pauses"] + job["stops"] > 1:
                yield "double", f"{name} job {job_id} was paused or stopped twice"
            continue
        pauses = schedule.on_destroy == "pause" and status in jobs.PAUSABLE
        stops = schedule.on_destroy == "stop" and status not in (*jobs.NOT_STOPPABLE, *jobs.ENDED)
        for word, expected in (("pauses", int(pauses)), ("stops", int(stops))):
            if job[word] > expected or (job[word] < expected and not may_seem_gone):
                wrong = "double" if job[word] > expected else "lost"
                yield wrong, f"{name} job {job_id}, which was {status}, had {job[word]} {word}, not {expected}"
        rests = job["status"] == jobs.PAUSED if pauses else job["status"] in jobs.ENDED if stops else True
        if not rests and not may_seem_gone:
            yield "not converged", f"{name} job {job_id} is {job['status']} after {schedule.on_destroy}"


def _judge_last_up(schedule: Schedule, run: Run) -> Iterator[tuple[str, str]]:
    """The last up converges: nothing fails but the jobs that can't be started, and of these each is told."""
    for program, (ran, stack) in enumerate(zip(run.last, run.stacks_before_the_end, strict=True)):
        if ran.ended != "done":
            yield "not converged", f"the last up of program {program} was {ran.ended}"
        rows: dict[str, dict[str, Any]] = {}
        for resource in stack.values():
            rows |= resource["outputs"]["job_statuses"]
        text = "\n".join(result["failure"] for result in ran.results.values() if result.get("failure"))
        is_told = schedule.on_failure == "fail"
        failing = False
        for job_id, name, kind in _named(schedule):
            row = rows.get(job_id)
            if row is None:
                yield "not converged", f"the state of program {program} has no row of {name} job {job_id}: {text[:300]}"
            elif kind.fails:
                failing = True
                yield from _judge_failed_row(f"{name} job {job_id}", job_id, kind, row, text if is_told else None)
            elif row["outcome"] == "failed" or (job_id in text and is_told):
                said = f"{row.get('error_code')}: {row.get('error_message')}"
                yield "not converged", f"{name} job {job_id} is called failed by program {program}: {said}; {text[:300]}"
        if text and not failing:
            yield "not converged", f"the last up of program {program} failed: {text[:300]}"


def _judge_failed_row(job: str, job_id: str, kind: jobs.Kind, row: dict[str, Any], text: str | None) -> Iterator[tuple[str, str]]:
    if row["outcome"] != "failed":
        yield "not converged", f"{job} can't be started, but its outcome is {row['outcome']}"
    if kind.code and row.get("error_code") != kind.code:
        yield "not converged", f"{job} has code {row.get('error_code')}, not {kind.code}"
    # Of many with one cause only the first are named, the others counted.
    if text is not None and job_id not in text and " more)" not in text:
        yield "not converged", f"{job} is not named in the failure: {text[:300]}"
    if text is not None and kind.code and kind.code not in text:
        yield "not converged", f"the failure does not tell {kind.code} of {job}: {text[:300]}"


def _judge_previews(schedule: Schedule, run: Run) -> Iterator[tuple[str, str]]:
    """A further preview reports a change exactly when something is left to try."""
    ids = {job_id: kind for job_id, _, kind in _named(schedule)}
    for program, previews in enumerate(run.previews):
        for when, ran in zip(("at once", "at rest"), previews, strict=True):
            for number in range(min(schedule.resources, len(ids))):
                own = list(ids)[number :: schedule.resources]
                result = ran.results.get(f"r{number}", {})
                failing = [ids[job_id] for job_id in own if ids[job_id].fails]
                expected = any(schedule.on_failure == "fail" or not kind.is_beyond_help for kind in failing)
                if result.get("changes") != expected:
                    said = result.get("failure") or f"changes={result.get('changes')}"
                    yield "not converged", f"the preview {when} of program {program}, r{number}, should say {expected}; {said}"


def _judge_needless(run: Run) -> Iterator[tuple[str, str]]:
    for reasons in run.needless:
        for job_id, why in reasons.items():
            yield "needless", f"a start of job {job_id} was {why}"


def _judge_secrets(run: Run) -> Iterator[tuple[str, str]]:
    secrets = {"the password": Account().password, "a database secret": SECRET}
    secrets |= {f"token {number}": token for number, token in enumerate(sorted(run.tokens))}
    for place, text in run.texts.items():
        for what, secret in secrets.items():
            if (at := text.find(secret)) >= 0:
                line = text[text.rfind("\n", 0, at) + 1 : at][-200:]
                yield "secret", f"{what} stands in {place} after {line!r}"
