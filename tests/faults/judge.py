"""
What must hold after every schedule, checked against the sandbox's own counters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pulumi_drs_start.sandbox import SECRET, Account

from . import jobs
from .engine import STABLE_SECONDS, Run, Truth
from .schedule import Schedule

VIOLATIONS = ("double", "lost", "not converged", "not synced", "needless", "secret")
"""Columns of the campaign's table."""

SLACK_SECONDS = 15.0
"""How much is missing of a period by which it began before the first look, and ended after the last."""


@dataclass(slots=True)
class Verdict:
    """What was found after a schedule.

    Attributes:
        violations: (one of `VIOLATIONS`, in words).
        starts: jobs that the sandbox started.
        requests: starts that were asked of it; more than `starts`, because answers get lost and DRS refuses.
        faults: how many happened.
        kills: how many processes were killed.
    """

    violations: list[tuple[str, str]] = field(default_factory=list)
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
            *_judge_synced(schedule, run),
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


@dataclass(frozen=True, slots=True)
class _Job:
    """A job, and what is to be expected of it."""

    job_id: str
    name: str
    kind: jobs.Kind
    due: jobs.Due
    resource: str

    def __str__(self) -> str:
        return f"{self.name} job {self.job_id}"


def _all_jobs(schedule: Schedule, run: Run) -> Iterator[_Job]:
    for index, (job_id, name) in enumerate(zip(jobs.job_ids(schedule.jobs), schedule.jobs, strict=True)):
        due = run.due[job_id]
        yield _Job(job_id, name, jobs.kind_of_due(name, schedule.life, due), due, f"r{index % schedule.resources}")


def _listed(schedule: Schedule, run: Run) -> list[_Job]:
    """The jobs that were not taken off their list."""
    return [job for job in _all_jobs(schedule, run) if job.due.shall_be != "gone"]


def _judge_jobs(schedule: Schedule, run: Run) -> Iterator[tuple[str, str]]:
    """Started, resumed, paused and stopped as often as it was due, no more and no less, and none lost."""
    for job in _all_jobs(schedule, run):
        facts, due = run.facts.get(job.job_id), job.due
        if facts is None:
            continue
        for word in ("starts", "retries", "pauses", "stops"):
            least: int = getattr(due, word)
            most = least + (word == "retries" and due.may_be_resumed)
            if not least <= facts[word] <= most:
                kind = "double" if facts[word] > most else "lost"
                had = f"had {facts[word]} {word}, not {least}; it is {facts['status']}"
                yield kind, f"{job}, which shall be {due.shall_be}, {had}"
        if due.rest is jobs.Rest.ASKED and not jobs.rests(due.shall_be, facts["status"]):
            yield "not converged", f"{job} shall be {due.shall_be}, but is {facts['status']}"
        if due.shall_be == "started" and job.kind.starts and not job.kind.fails and facts["starts"] == due.starts:
            if schedule.life == "scheduled" and facts["status"] != "WAITING_FOR_START":
                yield "not converged", f"{job} was to wait for its time, but is {facts['status']}"
            elif schedule.life != "scheduled" and facts["status"] in jobs.NOT_STARTED:
                yield "lost", f"{job} was started, but is {facts['status']}"


def _judge_end(schedule: Schedule, run: Run) -> Iterator[tuple[str, str]]:
    """Every job is paused or stopped once, if it needs that; what can't be brought to rest keeps its resource, and is named."""
    if not run.ends:
        return
    shall_be = {"pause": "paused", "stop": "stopped"}[schedule.on_destroy]
    statuses = {job.job_id: run.facts.get(job.job_id, _unknown(schedule))["status"] for job in _listed(schedule, run)}
    coming = {job_id: jobs.coming_to_rest(shall_be, status) for job_id, status in statuses.items()}
    yield from _judge_counts_at_the_end(schedule, run, coming)
    for number, (rans, facts) in enumerate(run.ends, 1):
        for program, ran in enumerate(rans):
            for name, own in _by_resource(schedule, run).items():
                said = ran.results.get(name, {})
                if said.get("is_gone"):
                    for job in own:
                        status = facts.get(job.job_id, _unknown(schedule))["status"]
                        if not jobs.rests(shall_be, status):
                            yield "not converged", f"destroy {number} of program {program} let {name} go with {job} {status}"
                elif said and not said.get("failure"):
                    yield "not converged", f"destroy {number} of program {program} kept {name}, and did not say why"
    for program, ran in enumerate(run.ends[-1][0]):
        if ran.ended != "done":
            yield "not converged", f"the last destroy of program {program} was {ran.ended}"
        for name, own in _by_resource(schedule, run).items():
            text = str(ran.results.get(name, {}).get("failure") or "")
            impossible = {job.job_id for job in own if coming[job.job_id].is_impossible}
            if not impossible and (text or name in run.stacks[program]):
                yield "not converged", f"the last destroy of program {program} left {name}: {text[:300]}"
            for job in _untold([job for job in own if job.job_id in impossible], text):
                yield "not converged", f"{job} can't be {shall_be}, which the last destroy does not say: {text[:300]}"
            for job in own if impossible else ():
                if job.job_id not in impossible and job.job_id in text:
                    yield "not converged", f"{job} is called a failure by the last destroy: {text[:300]}"


def _untold(failing: Sequence[_Job], text: str) -> list[_Job]:
    """The jobs that a failure neither names nor counts: of many with one cause only the first are named."""
    unnamed = [job for job in failing if job.job_id not in text]
    counted = sum(int(count.replace(",", "")) for count in re.findall(r"([\d,]+) more\b", text))
    return unnamed if len(unnamed) > counted else []


def _unknown(schedule: Schedule) -> dict[str, Any]:
    """What stands for the facts of a job that DRS does not know."""
    return {"status": "DELETED" if schedule.policy.get("unknown_in_status") == "deleted" else None}


def _by_resource(schedule: Schedule, run: Run) -> dict[str, list[_Job]]:
    found: dict[str, list[_Job]] = {}
    for job in _listed(schedule, run):
        found.setdefault(job.resource, []).append(job)
    return found


def _judge_counts_at_the_end(schedule: Schedule, run: Run, coming: Mapping[str, jobs.Rest]) -> Iterator[tuple[str, str]]:
    """What the destroys together did to each job; to one that is on no list any more nothing."""
    word = {"pause": "pauses", "stop": "stops"}[schedule.on_destroy]
    for job in _all_jobs(schedule, run):
        before, after = run.facts.get(job.job_id), run.ends[-1][1].get(job.job_id)
        if before is None or after is None:
            continue
        asked = coming.get(job.job_id) is jobs.Rest.ASKED
        for count in ("starts", "retries", "pauses", "stops"):
            expected = before[count] + (asked and count == word)
            if after[count] != expected:
                kind = "double" if after[count] > expected else "lost"
                yield kind, f"{job}, which was {before['status']}, had {after[count]} {count} after destroy, not {expected}"
        if asked and after["status"] not in (jobs.PAUSED if word == "pauses" else jobs.ENDED):
            yield "not converged", f"{job} is {after['status']} after destroy with {schedule.on_destroy}"


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
        failing = []
        for job in _all_jobs(schedule, run):
            row = rows.get(job.job_id)
            if job.due.shall_be == "gone":
                if row is not None or job.job_id in text:
                    yield "not converged", f"{job} is on no list, but program {program} tells of it: {row}; {text[:300]}"
            elif row is None:
                yield "not converged", f"the state of program {program} has no row of {job}: {text[:300]}"
            elif job.kind.fails:
                failing.append(job)
                yield from _judge_failed_row(job, row, text if is_told else None)
            elif row["outcome"] == "failed" or (job.job_id in text and is_told):
                said = f"{row.get('error_code')}: {row.get('error_message')}"
                yield "not converged", f"{job} is called failed by program {program}: {said}; {text[:300]}"
        for job in _untold(failing, text) if is_told else ():
            yield "not converged", f"{job} is not named in the failure of program {program}: {text[:300]}"
        if text and not failing:
            yield "not converged", f"the last up of program {program} failed: {text[:300]}"


def _judge_failed_row(job: _Job, row: dict[str, Any], text: str | None) -> Iterator[tuple[str, str]]:
    code = job.kind.code
    if row["outcome"] != "failed":
        yield "not converged", f"{job} can't be {job.due.shall_be}, but its outcome is {row['outcome']}"
    if code and row.get("error_code") != code:
        yield "not converged", f"{job} has code {row.get('error_code')}, not {code}"
    if text is not None and code and code not in text:
        yield "not converged", f"the failure does not tell {code} of {job}: {text[:300]}"


def _judge_previews(schedule: Schedule, run: Run) -> Iterator[tuple[str, str]]:
    """A further preview reports a change exactly when something is left to try."""
    for program, previews in enumerate(run.previews):
        for when, ran in zip(("at once", "at rest"), previews, strict=True):
            for name, own in _by_resource(schedule, run).items():
                result = ran.results.get(name, {})
                failing = [job.kind for job in own if job.kind.fails]
                expected = any(schedule.on_failure == "fail" or not kind.is_beyond_help for kind in failing)
                if result.get("changes") != expected:
                    said = result.get("failure") or f"changes={result.get('changes')}"
                    yield "not converged", f"the preview {when} of program {program}, {name}, should say {expected}; {said}"
        yield from _judge_told(schedule, run, program, previews[-1].told)


def _judge_told(
    schedule: Schedule, run: Run, program: int, told: Mapping[str, tuple[str, str | None]]
) -> Iterator[tuple[str, str]]:
    """A program that asks for its jobs is told what DRS shows, of those that it knows."""
    for job in _listed(schedule, run) if schedule.front == "native" else ():
        shown, said = told.get(job.job_id, (None, None))
        if job.job_id in run.facts and (shown is None or shown != said):
            yield "not converged", f"{job} is {shown}, but program {program} is told {said}"


def _judge_synced(schedule: Schedule, run: Run) -> Iterator[tuple[str, str]]:
    """Who is recorded as synced was near its source for the whole period, and only who asks for it asks DRS."""
    if schedule.wait_for != "synced":
        if run.progress_calls:
            yield "needless", f"batch-progress was called {run.progress_calls} times, and nobody waits for copies"
        return
    copying = {job_id for job_id, kind in zip(jobs.job_ids(schedule.jobs), schedule.jobs, strict=True) if kind == "copies_once"}
    for number, claim in enumerate(run.claims, 1):
        for job_id in claim.synced:
            seconds = _longest_near(job_id, claim.truths)
            if job_id in copying and not any(near.get(job_id) for _, near in claim.truths):
                yield "not synced", f"save {number}: job {job_id} is recorded as synced, and was not completely copied"
            elif job_id not in copying and seconds < STABLE_SECONDS - SLACK_SECONDS:
                yield "not synced", f"save {number}: job {job_id} is recorded as synced, and was near for {seconds:.0f} s"
        if claim.is_ready and claim.unsynced:
            yield "not synced", f"save {number} says ready, and these are not synced: {', '.join(claim.unsynced)}"


def _longest_near(job_id: str, truths: Sequence[Truth]) -> float:
    """For how many seconds the copy was near its source without a break, from the first look that shows it to the first that
    does not; the last look counts as such."""
    longest, since = 0.0, None
    for when, near in truths:
        if since is not None:
            longest = max(longest, when - since)
        since = (when if since is None else since) if near.get(job_id) else None
    return longest


def _judge_needless(run: Run) -> Iterator[tuple[str, str]]:
    for reasons in run.needless:
        for job_id, why in reasons.items():
            yield "needless", f"a call for job {job_id} was needless: {why}"


def _judge_secrets(run: Run) -> Iterator[tuple[str, str]]:
    secrets = {"the password": Account().password, "a database secret": SECRET}
    secrets |= {f"token {number}": token for number, token in enumerate(sorted(run.tokens))}
    for place, text in run.texts.items():
        for what, secret in secrets.items():
            if (at := text.find(secret)) >= 0:
                line = text[text.rfind("\n", 0, at) + 1 : at][-200:]
                yield "secret", f"{what} stands in {place} after {line!r}"
