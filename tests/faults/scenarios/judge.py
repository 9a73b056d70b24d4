"""
What must hold after every scenario, judged from what was seen of it alone.

It is a second opinion: it asks what a program wished for (`wishes`), what was done (`deeds`) and what DRS shows, never what the
package had decided. Where two ways to the same program may end differently, `excuses` says why.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pulumi_drs_start.sandbox import SECRET, Account

from ..judge import Verdict
from . import deeds, excuses
from .deeds import Deed, World
from .history import OLD, Bag, Call, Done, History, Operation
from .wishes import (
    LEFT_ALONE,
    SHORT_SECONDS,
    Due,
    Wish,
    agreed,
    due,
    is_where_it_should_be,
    jobs_in,
    phase_of,
    rests,
    seconds_of,
    wishes_in,
    wishes_of,
)

VIOLATIONS = ("double", "unasked", "claim", "lost", "route", "needless", "secret", "late", "crash")
"""Columns of the campaign's table."""

Found = Iterator[tuple[str, str]]

SENDS = 5
"""So often a command asks DRS for the same, where DRS refuses it for now."""
READING_SECONDS = 1200.0
"""So long a command may try to read, where that goes wrong: the campaign's worker allows ten times what the package does."""
SLACK_SECONDS = 600.0
"""Ten real seconds of a busy machine."""
HANGING_SECONDS = 1200.0
"""A call that hangs does so for twenty real seconds."""
SLACK_READS = 10
_DONE = {"started": "start", "scheduled": "start", "resumed": "resume", "paused": "pause", "stopped": "stop"}
_APPLIED = ("create", "update")


def judge(history: History) -> Verdict:
    """Everything that is wrong after a scenario."""
    steps = len(history.steps)
    names = [*(f"step {number}" for number in range(steps)), "the up after it", "the preview"]
    world = World(history.scenario, [*history.steps, history.again, history.preview], names)
    anew = World(history.scenario, [history.fresh], ["a fresh up"])
    verdict = Verdict(
        [
            *(one for each in (world, anew) for one in _judge_world(each)),
            *_judge_last(world, steps - 1),
            *_judge_rest(history, world),
            *_judge_route(history, world),
            *_judge_reads(history),
        ],
        faults=sum(done.faults for done in history.steps),
        kills=sum(done.ended == "killed" for done in history.steps),
    )
    verdict.starts = sum(deed.action == "start" and deed.is_ours for deed in world.deeds)
    calls = [call for done in world.dones for call in done.calls if call.is_ours and deeds.action_of(call) == "start"]
    verdict.requests = sum(len(call.jobs) for call in calls)
    return verdict


def _judge_world(world: World) -> Found:
    yield from _judge_double(world)
    for number, done in enumerate(world.dones):
        for each in (_judge_asked, _judge_rows, _judge_bags, _judge_exit, _judge_deletes, _judge_budget):
            for kind, words in each(world, number):
                yield kind, f"{world.names[number]}: {words}"
        for kind, words in (*_judge_secrets(done), *_judge_time(done), *_judge_crashes(done)):
            yield kind, f"{world.names[number]}: {words}"


# double, unasked


def _judge_double(world: World) -> Found:
    """What is asked for once takes effect once."""
    for first, second in world.twice():
        if not _could_not_know(world, first, second):
            after = f"after that of {world.names[first.number]}"
            yield "double", f"{world.names[second.number]}: a further {second.action} of job {second.job_id} took effect {after}"


def _could_not_know(world: World, first: Deed, second: Deed) -> bool:
    """Who did the first did not come to save it, or whoever did the second has another state: then only DRS could refuse it.

    Nobody keeps two resources of one program, which both declare the job, from starting it at the same moment.
    """
    before, after = world.dones[first.number], world.dones[second.number]
    owners = [name for name, bag in after.declared.items() if second.job_id in jobs_in(bag)]
    if first.number == second.number:
        return len(owners) > 1
    between = world.dones[first.number + 1 : second.number + 1]
    if before.step.stack != after.step.stack or any(done.step.state and done.step.stack == after.step.stack for done in between):
        return True
    names = {name for one in after.step.program if one.name in owners for name in (one.name, *one.aliases)}
    saved = {one.resource for one in before.operations if second.job_id in _rows(one.outputs) and one.what in _APPLIED}
    known = {name for name, one in after.before.items() if second.job_id in _rows(one.outputs)}
    return not (names & saved and names & known)


def _judge_asked(world: World, number: int) -> Found:
    """Everything that changes a job was asked for in so many words."""
    for call in world.dones[number].calls:
        if not call.is_ours or call.operation in (*deeds.READS, "tokens", "projects"):
            continue
        action = deeds.action_of(call)
        if action is None:
            if call.operation in ("batch-precheck", "batch-precheck-result"):
                yield "unasked", f"{call.operation} was called, and no program here asks for it"
            continue
        for job_id in call.jobs:
            if why := deeds.why_unasked(world, number, call, job_id):
                yield "unasked", f"{action} of job {job_id}: {why}"


# claim


def _judge_rows(world: World, number: int) -> Found:
    """A row's status is one that DRS showed, and its outcome is something that happened."""
    done = world.dones[number]
    for one in done.operations:
        for job_id, row in _rows(one.outputs).items():
            about = f"the row of job {job_id} after {one.what} of {one.resource}"
            shown = _shown(world, done, one, job_id)
            if row["status"] not in shown:
                yield "claim", f"{about} says {row['status']}, and it was {', '.join(sorted(shown)) or 'unknown to DRS'}"
            if row.get("phase") != phase_of(row["status"]):
                yield "claim", f"{about} calls {row['status']} {row.get('phase')}"
            action = _DONE.get(row["outcome"])
            if action and not _was_done(world, action, job_id, done.ended_at):
                yield "claim", f"{about} says {row['outcome']}, and no such call of ours took effect"
            if (
                one.what in _APPLIED
                and row["outcome"] in ("unchanged", "already_started")
                and _did_now(world, number, one, job_id)
            ):
                yield "claim", f"{about} says {row['outcome']}, and a call of ours took effect"


def _shown(world: World, done: Done, one: Operation, job_id: str) -> set[str]:
    """The statuses that DRS may have shown of a job."""
    stale = float(world.scenario.policy.get("stale_seconds", 0))
    shown = world.statuses(job_id, done.began - stale - 1, done.ended_at + 1)
    is_hidden = any(fault.kind in ("missing rows", "wrong rows", "extra rows") for fault in done.step.faults)
    is_elsewhere = deeds.place_of(one.outputs or {}) != Account().project_id or done.step.mistake in ("project", "unknown id")
    if is_hidden or is_elsewhere or not all(job_id in facts for facts in (done.facts_before, done.facts_after)):
        shown |= {"MISSING", "DELETED"}
    if one.failure:
        # Whoever can't read leaves what was read before.
        shown |= {str(_rows(saved.outputs).get(job_id, {}).get("status")) for saved in done.before.values()}
    return shown


def _was_done(world: World, action: str, job_id: str, until: float) -> bool:
    """Whether a call of ours had that effect, or may have had: its answer was lost."""
    if world.ours(action, job_id, until):
        return True
    calls = [call for done in world.dones for call in done.calls if call.is_ours and call.at <= until + 1 and call.fault]
    return any(deeds.action_of(call) == action and job_id in call.jobs for call in calls)


def _did_now(world: World, number: int, one: Operation, job_id: str) -> bool:
    """Whether this command alone, for this resource alone, did something to the job and was told so."""
    done = world.dones[number]
    own = [deed for deed in world.deeds if deed.number == number and deed.is_ours and deed.job_id == job_id]
    is_alone = sum(job_id in jobs_in(bag) for bag in done.declared.values()) == 1
    was_retired = any(job_id in deeds.saved_jobs(saved) for saved in deeds.to_delete(done).values())
    return bool(own) and all(deed.is_answered for deed in own) and is_alone and not was_retired and one.resource in done.declared


def _judge_bags(world: World, number: int) -> Found:
    """``ready``, ``problems`` and ``summary`` say what the rows and DRS say."""
    done = world.dones[number]
    for one in done.operations:
        outputs = one.outputs
        if outputs is None or "ready" not in outputs:
            continue
        about, rows = f"{one.what} of {one.resource}", _rows(outputs)
        counts = Counter(str(row.get("phase")) for row in rows.values())
        if {name: int(count) for name, count in outputs["summary"].items()} != {**counts, "total": len(rows)}:
            yield "claim", f"the summary of {about} is {outputs['summary']}, and the rows {dict(counts)}"
        failed = {job_id for job_id, row in rows.items() if row["outcome"] == "failed"}
        problems = set(outputs["problems"])
        if unnamed := failed - problems:
            yield "claim", f"the problems of {about} leave out {', '.join(sorted(unnamed))}"
        if strange := problems - set(rows):
            yield "claim", f"the problems of {about} name {', '.join(sorted(strange))}, of which there are no rows"
        if outputs["ready"] == bool(problems):
            yield "claim", f"{about} has ready={outputs['ready']} and problems of {len(problems)} jobs"
        for wish in wishes_in(one.resource, outputs) if outputs["ready"] else ():
            if not _was_right(world, number, wish):
                yield (
                    "claim",
                    f"{about} is ready, and job {wish.job_id}, to be {wish.shall_be}, was at no moment where it should be",
                )


def _was_right(world: World, number: int, wish: Wish) -> bool:
    """Whether a job was where it should be at some moment of a command."""
    done = world.dones[number]
    stale = float(world.scenario.policy.get("stale_seconds", 0))
    statuses = world.statuses(wish.job_id, done.began - stale - 1, done.ended_at + 1)
    if not all(wish.job_id in facts for facts in (done.facts_before, done.facts_after)):
        statuses |= {"DELETED"}
    starts = world.all("start", wish.job_id, done.ended_at)
    times = [facts[wish.job_id].get("start_time") for facts in (done.facts_before, done.facts_after) if wish.job_id in facts]
    times += [deed.start_time for deed in starts]
    # Who waits for no more than that DRS accepts it does not see it run.
    resumes = [deed for deed in world.deeds if deed.action == "resume" and done.began <= deed.at <= done.ended_at]
    is_resumed = wish.wait_for == "accepted" and any(deed.job_id == wish.job_id for deed in resumes)
    if is_resumed and wish.shall_be == "started":
        return True
    is_due = any(deed.start_time is None or deed.start_time / 1000 <= done.ended_at + 1 for deed in starts)
    return any(
        is_where_it_should_be(
            wish,
            status,
            has_run=is_due or world.has_run(wish.job_id, done.ended_at),
            is_accepted=bool(starts) or world.has_run(wish.job_id, done.ended_at),
            is_time_right=wish.start_time in [None if time is None else int(time) for time in times],
        )
        for status in statuses
    )


def _judge_exit(world: World, number: int) -> Found:
    """A command that says that all is well has no failed row that was to make it fail."""
    done = world.dones[number]
    for one in done.operations:
        failed = [job_id for job_id, row in _rows(one.outputs).items() if row["outcome"] == "failed"]
        says_so = (one.outputs or {}).get("on_failure", "fail") == "record"
        if one.what in _APPLIED and failed and not says_so and (one.failure is None or done.ended == "ok"):
            yield "claim", f"{one.what} of {one.resource} went well, and these failed: {', '.join(failed)}"
    if done.ended == "ok" and any(one.failure for one in done.operations if one.what != "read"):
        yield "claim", "the command ended well although an operation failed"


def _judge_deletes(world: World, number: int) -> Found:
    """A resource is let go when its jobs are where that was to bring them."""
    done = world.dones[number]
    # A program that is not known whole, or that failed to be checked, spares what it may declare, and says so.
    goes_on = "--continue-on-error" in done.step.options
    # Nor is it known where the host does not tell which resource it is about.
    is_known = world.scenario.finds_host or done.step.command == "destroy"
    is_whole = (
        is_known
        and not done.step.targets
        and not goes_on
        and not any(one.what == "check" and one.failure for one in done.operations)
    )
    for key, saved in deeds.to_delete(done).items() if is_whole and done.ended in ("ok", "failed") else ():
        name, on_destroy = key.replace(OLD, ""), saved.outputs.get("on_destroy", "leave")
        said = [one for one in done.operations if one.what == "delete" and one.resource == name]
        place = deeds.place_of({**saved.inputs, **saved.outputs})
        is_remade = name in done.declared and place == deeds.place_of(done.declared[name], done.step.mistake)
        if key in done.after or on_destroy == "leave" or is_remade or not said or any(one.failure for one in said):
            continue
        if place != Account().project_id:
            continue
        for job_id in sorted(jobs_in(saved.outputs) - deeds.spared(world.scenario, done, place)):
            # One that DRS never knew is not known to be over.
            statuses: set[str | None] = set(world.statuses(job_id, done.began, done.ended_at + 1))
            statuses |= {None} if job_id not in done.facts_after and job_id in world.job_ids else set()
            if not any(rests(on_destroy, status) for status in statuses):
                seen = ", ".join(sorted(map(str, statuses))) or "unknown to DRS"
                yield "claim", f"{name} was let go with on_destroy={on_destroy}, and job {job_id} was {seen}"


# lost


def _judge_last(world: World, number: int) -> Found:
    """The last up reaches every wish that can be reached, and is a failure exactly where one can't."""
    done = world.dones[number]
    reached = _reached(done)
    expected = {name: _dues(world, number, name) for name in reached}
    for name, dues in expected.items():
        for wish, what in dues:
            status = done.facts_after.get(wish.job_id, {}).get("status")
            phase = "missing" if status is None else phase_of(status)
            about = f"the last up: job {wish.job_id} of {name}, to be {wish.shall_be}"
            if what.asks and not _was_asked(world, number, what.asks, wish.job_id):
                yield "lost", f"{about}, was to be asked to {what.asks}, and is {status}"
            elif phase not in what.ends:
                yield "lost", f"{about}, is {status}"
        yield from _judge_told(done, name, dues)
    failed = [one for one in done.operations if one.failure]
    is_protected = any("protected" in str(one.failure) for one in failed)
    if not failed and done.ended != "ok":
        yield "lost", f"the last up ended as {done.ended}, and nothing failed"
    unreached = {one.name for one in done.step.program} - reached
    if unreached and not failed:
        yield "lost", f"the last up did not get to {', '.join(sorted(unreached))}"
    if not failed or is_protected:
        left = [key for key in deeds.to_delete(done) if (f"{key}{OLD}" if key in done.declared else key) in done.after]
        if left and not is_protected:
            yield "lost", f"the last up did not delete {', '.join(left)}"


def _reached(done: Done) -> set[str]:
    """The resources that had their turn: others are left out where one has failed before."""
    turned = {one.resource for one in done.operations if one.what in _APPLIED}
    checked = {one.resource for one in done.operations if one.what == "check" and not one.failure}
    return {one.name for one in done.step.program if one.name in turned or (one.name in checked and one.name not in done.changes)}


def _dues(world: World, number: int, name: str) -> list[tuple[Wish, Due]]:
    """What must come of each job of a resource, where two resources do not contradict each other."""
    done, found = world.dones[number], []
    alike = agreed(wishes_of(done.declared))
    for wish in wishes_in(name, done.declared.get(name, {})):
        if wish.job_id in alike and wish.seconds >= SHORT_SECONDS:
            is_ours = world.is_pause_ours(wish.job_id, done.began, resource=name)
            # Another owner of the job may know more, or take what was done for its own.
            is_ours = None if is_ours is not False and len(alike[wish.job_id]) > 1 else is_ours
            if is_ours and not _remembers(world, number, name):
                is_ours = None
            what = due(wish, done.facts_before, world.scenario.policy, done.began, is_pause_ours=is_ours)
            # That it was deleted is no failure of a job that was seen running.
            is_deleted = wish.job_id in world.job_ids and wish.job_id not in done.facts_before
            found.append((wish, replace(what, fails=None) if is_deleted else what))
    return found


def _remembers(world: World, number: int, name: str) -> bool:
    """Whether the resource has kept its state from the first command on."""
    stack = world.dones[number].step.stack
    return name in world.dones[number].before and not any(done.step.state for done in world.dones if done.step.stack == stack)


def _was_asked(world: World, number: int, action: str, job_id: str) -> bool:
    """Whether that was asked of the job in this command, or others had done so meanwhile."""
    return any((deed.number, deed.action, deed.job_id) == (number, action, job_id) for deed in world.deeds)


def _judge_told(done: Done, name: str, dues: Sequence[tuple[Wish, Due]]) -> Found:
    """What can't be reached is a failure that is told, and nothing else is."""
    rows = _rows(done.after[name].outputs) if name in done.after else {}
    applied = [one for one in done.operations if one.resource == name and one.what in _APPLIED]
    for wish, what in dues:
        row = rows.get(wish.job_id)
        about = f"the last up: job {wish.job_id} of {name}, to be {wish.shall_be}"
        if row is None:
            yield "lost", f"{about}, has no row"
            continue
        is_failed = row["outcome"] == "failed"
        if what.fails is not None and is_failed != what.fails and applied:
            said = f"{row['outcome']} ({row.get('error_code')}: {row.get('error_message')})"
            yield "lost", f"{about}, was {'not ' if not what.fails else ''}to fail, and is called {said}"
    is_told = any(one.failure for one in applied)
    if is_told and dues and all(what.fails is False for _, what in dues) and len(dues) == len(rows):
        yield "lost", f"the last up: {name} fails, and no job is to blame: {str(applied[-1].failure)[:300]}"


def _judge_rest(history: History, world: World) -> Found:
    """After the last up nothing is left to do, except to try again what failed."""
    numbers = (len(world.dones) - 2, len(world.dones) - 1)
    for number, before in zip(numbers, (history.steps[-1], history.again), strict=True):
        done, name = world.dones[number], world.names[number]
        for call in done.calls:
            if call.is_ours and call.done and deeds.action_of(call) and not _has_reason(world, number, call):
                yield "lost", f"{name}: {call.operation} still took effect for {', '.join(call.done)}"
        for resource in (one.name for one in done.step.program):
            # What depends on a failure had no turn before, and a preview looks at it all the same.
            if resource not in before.after or resource not in _checked(done) or resource not in _reached(before):
                continue
            expected = _is_left_to_try(world, number, resource, before)
            if expected is not None and (resource in done.changes) != expected:
                should = "should" if expected else "should not"
                yield "lost", f"{name}: {resource} {should} be changed, and the changes are {sorted(done.changes)}"


def _checked(done: Done) -> set[str]:
    return {one.resource for one in done.operations if one.what == "check" and not one.failure}


def _has_reason(world: World, number: int, call: Call) -> bool:
    """Whether a call of the up after the last one has a reason that came up since: a job failed, or a failure is tried again."""
    done, before = world.dones[number], world.dones[number - 1]
    for job_id in call.done:
        # What depends on a failure, or came after it, had no turn before.
        owners = {name for name, bag in done.declared.items() if job_id in jobs_in(bag)}
        if not owners <= _reached(before):
            continue
        failed = any(_rows(saved.outputs).get(job_id, {}).get("outcome") == "failed" for saved in done.before.values())
        wishes = [wish for wish in deeds.wished(done) if wish.job_id == job_id]
        status = done.facts_before.get(job_id, {}).get("status", "DELETED")
        is_new = any(wish.resume for wish in wishes) and phase_of(status) in ("failed", "start_failed")
        is_contradicted = len(wishes) > 1 and job_id not in agreed(wishes)
        if not (failed or is_new or is_contradicted):
            return False
    return True


def _is_left_to_try(world: World, number: int, resource: str, before: Done) -> bool | None:
    """Whether a further up has something to do about a resource; None where that is left to chance."""
    done, saved = world.dones[number], before.after[resource]
    wishes = {wish.job_id: wish for wish in wishes_in(resource, done.declared.get(resource, {}))}
    if set(wishes) - set(agreed(wishes_of(done.declared))) or any(wish.seconds < SHORT_SECONDS for wish in wishes.values()):
        return None
    for job_id, wish in wishes.items():
        facts = [
            one.get(job_id, {}).get("status", "DELETED") for one in (before.facts_after, done.facts_before, done.facts_after)
        ]
        row = _rows(saved.outputs).get(job_id, {})
        if {phase_of(status) for status in facts} != {row.get("phase")} and not set(map(phase_of, facts)) <= {
            "starting",
            "running",
        }:
            # It has gone on meanwhile, or DRS shows it late.
            return None
        if wish.resume and row.get("phase") in ("failed", "start_failed"):
            return None
        if row.get("phase") in ("starting", "running") and job_id in saved.outputs["problems"]:
            # It was waited for in vain, and is waited for again.
            return True
    failed = [row for row in _rows(saved.outputs).values() if row["outcome"] == "failed"]
    if saved.is_failed or (wishes and next(iter(wishes.values())).on_failure == "fail"):
        return bool(failed) or saved.is_failed
    # Nor is a copy waited for that somebody has paused, or that has failed.
    left_alone = LEFT_ALONE | ({"paused", "failed"} if any(wish.wait_for == "synced" for wish in wishes.values()) else set())
    return any(row.get("phase") not in left_alone for row in failed)


# route


def _judge_route(history: History, world: World) -> Found:
    """The program ends as a fresh one does, apart from what its history explains."""
    last, fresh = history.steps[-1], history.fresh
    both = _reached(last) & _reached(fresh)
    alike = agreed(wishes_of(last.declared))
    for name in sorted(both):
        ours, anew = (done.after[name].outputs if name in done.after else {} for done in (last, fresh))
        # What nothing is done about keeps the outputs of its last operation, however its jobs have moved since.
        is_at_rest = not any(one.resource == name and one.what in _APPLIED for one in last.operations)
        # But not where that operation ended before they had arrived.
        explained = is_at_rest and not any(row.get("phase") == "starting" for row in _rows(ours).values())
        for job_id in sorted(set(_rows(ours)) | set(_rows(anew))):
            case = excuses.Case(world, len(history.steps) - 1, fresh, name, job_id, ours, anew)
            what = [] if job_id not in alike else _differences(case, is_at_rest=is_at_rest)
            excuse = excuses.excuse(case) if what or job_id not in alike else None
            explained = explained or excuse is not None or job_id not in alike
            if what and excuse is None:
                yield "route", f"job {job_id} of {name}: {'; '.join(what)}"
        if ours.get("ready") != anew.get("ready") and not explained:
            yield "route", f"{name} is ready={ours.get('ready')}, and a fresh one {anew.get('ready')}"


def _differences(case: excuses.Case, *, is_at_rest: bool) -> list[str]:
    ours, anew = case.rows
    if not ours or not anew:
        return [f"the rows are {ours or None} and, of a fresh one, {anew or None}"]
    both = {
        "phase": [_as_started(str(row["phase"]), _ACCEPTED.get(row["outcome"])) for row in (ours, anew)],
        "failed": [row["outcome"] == "failed" for row in (ours, anew)],
        "problem": [case.job_id in outputs["problems"] for outputs in (case.ours, case.anew)],
        "code": [row.get("error_code") for row in (ours, anew)],
    }
    both["truth"] = [_truth(done.facts_after.get(case.job_id, {})) for done in (case.last, case.fresh)]
    names = ("failed", "truth") if is_at_rest else tuple(both)
    told = {name: both[name] for name in names}
    return [f"{name} {mine}, and of a fresh one {its}" for name, (mine, its) in told.items() if mine != its]


_ACCEPTED = {"started": "started", "scheduled": "scheduled"}


def _as_started(phase: str, accepted: str | None) -> str:
    """Jobs go on by themselves: how far they have come makes no difference, nor whether a start that is accepted shows yet."""
    return (accepted or phase) if phase == "startable" else "started" if phase in ("starting", "running") else phase


def _truth(facts: Mapping[str, Any]) -> str:
    phase = phase_of(facts.get("status", "MISSING"))
    return _as_started(phase, ("scheduled" if facts.get("start_time") else "started") if facts.get("is_busy") else None)


# needless


def _judge_budget(world: World, number: int) -> Found:
    """No more calls than there are reasons, and troubles that make it necessary to ask again."""
    done = world.dones[number]
    for reasons in done.needless:
        for job_id, why in reasons.items():
            yield "needless", f"a call for job {job_id} was needless: {why}"
    asked: Counter[tuple[str, str]] = Counter()
    for call in done.calls:
        if call.is_ours and (action := deeds.action_of(call)):
            asked.update((action, job_id) for job_id in call.jobs)
    for (action, job_id), count in asked.items():
        if count > (most := _budget(world, number, action, job_id)):
            yield "needless", f"{action} of job {job_id} was asked {count} times, not at most {most}"
    if not any(wish.wait_for == "synced" for wish in _everything_wished(done)):
        progress = sum(call.operation == "batch-progress" and call.is_ours for call in done.calls)
        if progress:
            yield "needless", f"batch-progress was called {progress} times, and nobody waits for copies"


def _everything_wished(done: Done) -> list[Wish]:
    saved = [wish for key, one in done.before.items() for bag in (one.inputs, one.outputs) for wish in wishes_in(key, bag)]
    return [*saved, *wishes_of(done.declared)]


def _budget(world: World, number: int, action: str, job_id: str) -> int:
    """How often a command may name a job in calls of a kind."""
    done, policy = world.dones[number], world.scenario.policy
    owners = sum(job_id in jobs_in(bag) for bag in done.declared.values())
    owners += sum(job_id in deeds.saved_jobs(saved) for saved in deeds.to_delete(done).values())
    facts = done.facts_before.get(job_id) or done.facts_after.get(job_id) or {}
    refusal = facts.get("refuse_start") or {}
    refused = (SENDS if refusal.get("times") is None else refusal["times"]) if refusal and action == "start" else 0
    phase = phase_of(facts.get("status", "MISSING"))
    # What the table forbids is asked all the same where only DRS can tell, and a job may fail again and be resumed again.
    is_unclear = (
        phase in ("scheduled", "start_failed", "failed", "starting", "pending", "paused")
        or facts.get("prechecked") is False
        # It was scheduled by others, which does not show yet.
        or facts.get("is_busy")
    )
    is_split = "max_batch" in policy or policy.get("bad_row", "row") != "row"
    splits = 2 * math.ceil(math.log2(len(done.facts_before) + 2)) if is_split else 0
    troubles = done.faults + len(done.acted) + (1 if done.ended in ("killed", "hung") else 0)
    is_slow = bool(policy.get("stale_seconds") or policy.get("resume_seconds"))
    return max(owners, 1) * (1 + refused + (SENDS if is_unclear or is_slow else 0)) + splits + 2 * troubles


def _judge_reads(history: History) -> Found:
    """The last up looks no more often than a fresh one, or not much."""
    last, fresh = history.steps[-1], history.fresh
    ours, its = (sum(call.operation in deeds.READS and call.is_ours for call in done.calls) for done in (last, fresh))
    acts = [sum(bool(call.done) and deeds.action_of(call) is not None for call in done.calls) for done in (last, fresh)]
    most = 2 * its + SLACK_READS * (1 + len(last.before) + len(last.step.program))
    if ours > most and acts[0] <= acts[1]:
        yield "needless", f"the last up read {ours} times, not at most {most}: a fresh one read {its} times"


# secret, late, crash


def _judge_secrets(done: Done) -> Found:
    secrets = {"the password": Account().password, "a database secret": SECRET}
    if done.step.mistake == "password":
        # Nobody there knows the right one, which IAM may repeat.
        del secrets["the password"]
    secrets |= {f"token {number}": token for number, token in enumerate(sorted(done.tokens))}
    told = [f"{one.failure}\n{one.outputs}" for one in done.operations]
    for place, text in [*done.texts.items(), ("what the user is told", "\n".join(told))]:
        for what, secret in secrets.items():
            if (at := text.find(secret)) >= 0:
                line = text[text.rfind("\n", 0, at) + 1 : at][-200:]
                yield "secret", f"{what} stands in {place} after {line!r}"


def _judge_time(done: Done) -> Found:
    """No command takes longer than its resources have time."""
    bags: list[Bag] = [*done.declared.values(), *(bag for one in done.before.values() for bag in (one.outputs, one.inputs))]
    longest = max((seconds_of(bag.get("timeout")) for bag in bags), default=0.0)
    operations = sum(one.what in (*_APPLIED, "delete") for one in done.operations)
    reads = 0 if done.step.is_quiet else len(done.operations) - operations + 1
    hanging = sum(fault.times for fault in done.step.faults if fault.kind.startswith("hanging"))
    most = longest * max(operations, 1) + READING_SECONDS * reads + SLACK_SECONDS + 2 * HANGING_SECONDS * hanging
    if done.ended_at - done.began > most:
        yield "late", f"it took {done.ended_at - done.began:.0f} s, not at most {most:.0f}"


def _judge_crashes(done: Done) -> Found:
    if done.ended in ("crashed", "hung"):
        yield "crash", f"the process {done.ended}"
    for one in done.operations:
        if one.crash:
            yield "crash", f"{one.what} of {one.resource} ended in a way no front may show: {one.crash}"


def _rows(outputs: Mapping[str, Any] | None) -> Mapping[str, Mapping[str, Any]]:
    rows: Mapping[str, Mapping[str, Any]] = (outputs or {}).get("job_statuses") or {}
    return rows
