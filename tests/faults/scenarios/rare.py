"""
Rare states that a campaign must have come to: one that never does proves nothing about them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from ..schedule import CANCELS, MOMENTS
from . import deeds
from .deeds import Deed, World
from .history import OLD, Bag, Done, History, Saved
from .wishes import jobs_in, phase_of, wishes_in


def lost_answer_lag_and_kill(history: History) -> bool:
    """In one command an answer to a request got lost, statuses were late, and the process was killed."""
    is_late = any(history.scenario.policy.get(name) for name in ("lag_seconds", "lag_looks", "stale_seconds"))
    is_late = is_late or history.scenario.open_lag_seconds > 0
    return is_late and any(done.ended == "killed" and _has_lost_an_answer(done) for done in history.steps)


def batch_split_to_one(history: History) -> bool:
    """A batch of several jobs was refused as a whole, and taken apart until single jobs were asked for."""

    def is_split(done: Done) -> bool:
        calls = [call for call in done.calls if call.is_ours and deeds.action_of(call)]
        refused = [set(call.jobs) for call in calls if len(call.jobs) > 1 and call.status == 400]
        return any(len(call.jobs) == 1 and call.jobs[0] in jobs for call in calls for jobs in refused)

    return any(map(is_split, history.steps))


def failed_while_updating(history: History) -> bool:
    """An update failed in part, and was saved."""
    return any(one.what == "update" and one.failure and one.outputs is not None for _, one in _operations(history))


def two_owners(history: History) -> bool:
    """Two resources of a program declared the same job."""
    return any(_owners(done, job_id) > 1 for done in history.steps for job_id in jobs_in(*done.declared.values()))


def two_stacks_with_one_job(history: History) -> bool:
    """A copy of the state was used while the stack that it was copied from still had the job."""
    return any(done.step.stack == 1 and done.before and done.operations for done in history.steps)


def spared_by_another(history: History) -> bool:
    """A deletion that was to pause or stop a job left it, because another resource declares it."""
    for done in history.steps:
        for saved in _deleted(done, by="delete"):
            here = deeds.spared(history.scenario, done, deeds.place_of({**saved.inputs, **saved.outputs}))
            if saved.outputs.get("on_destroy") in ("pause", "stop") and jobs_in(saved.outputs) & here:
                return True
    return False


def moved_to_a_dependent(history: History) -> bool:
    """A job went from one resource to another that depends on it, while the first would stop or pause it."""
    for done in history.steps:
        for one in done.step.program:
            for source in one.depends_on:
                saved = done.before.get(source)
                if saved is None or saved.outputs.get("on_destroy") not in ("pause", "stop"):
                    continue
                now, then = (jobs_in(done.declared.get(name, {})) for name in (one.name, source))
                if (now & jobs_in(saved.outputs)) - then:
                    return True
    return False


def replacement_died_half_way(history: History) -> bool:
    """The new one was made, and the old one not deleted."""
    return any(saved.is_pending for done in history.steps for saved in done.after.values())


def pending_one_deleted_later(history: History) -> bool:
    """What was left of a replacement was deleted by a later command."""
    return any(saved.is_pending and key not in done.after for done in history.steps for key, saved in done.before.items())


def others_between_look_and_call(history: History) -> bool:
    """Others changed a job after we had looked at it and before we asked for something."""
    for done in history.steps:
        looked: set[str] = set()
        changed: set[str] = set()
        for call in done.calls:
            if call.is_ours and call.operation == "batch-status":
                looked |= set(call.jobs)
                changed -= set(call.jobs)
            elif not call.is_ours and deeds.action_of(call):
                changed |= looked & set(call.done)
            elif call.is_ours and deeds.action_of(call) and changed & set(call.jobs):
                return True
    return False


def others_while_we_wait(history: History) -> bool:
    """Others did something to a job of a command after it had asked for its part."""
    for world, number in _numbered(history):
        own = [deed for deed in world.deeds if deed.number == number]
        for deed in own:
            if not deed.is_ours and any(one.is_ours and one.at < deed.at and one.job_id == deed.job_id for one in own):
                return True
    return False


def went_back_after_a_start(history: History) -> bool:
    """DRS accepted a start, and statuses that are late may have shown the job as before, after they had shown it going."""
    stale = history.scenario.policy.get("stale_seconds", 0)
    share = history.scenario.policy.get("stale_share", 1.0)
    return bool(stale) and 0 < share < 1 and any(deed.is_ours and deed.action == "start" for deed in _deeds(history))


def late_after_a_pause(history: History) -> bool:
    """The same after a pause, a resume or a stop, whose effect a late status does not show."""
    stale = history.scenario.policy.get("stale_seconds", 0)
    return bool(stale) and any(deed.is_ours and deed.action != "start" for deed in _deeds(history))


def killed_after_acceptance(history: History) -> bool:
    """DRS had accepted a start when the process was killed, nothing of it was saved, and the next up found the job running."""
    for world, number in _numbered(history):
        done = world.dones[number]
        own = [deed for deed in world.deeds if deed.is_ours and deed.number == number and deed.action == "start"]
        unsaved = [deed for deed in own if not any(deed.job_id in _rows(one.outputs) for one in done.operations)]
        if done.ended == "killed" and any(_is_found_running(history, number, deed) for deed in unsaved):
            return True
    return False


def old_state_after_a_pause(history: History) -> bool:
    """An export of before a pause of ours was imported after it."""
    pauses = [deed.number for deed in _deeds(history) if deed.is_ours and deed.action == "pause"]
    return any(_export(done) < pause < number for number, done in enumerate(history.steps) for pause in pauses)


def state_lost_while_jobs_run(history: History) -> bool:
    """The state was lost, and jobs of the program ran."""
    lost = [done for done in history.steps if done.step.state == "lost"]
    return any(_phase(done, job_id) == "running" for done in lost for job_id in jobs_in(*done.declared.values()))


def old_state_with_another_list(history: History) -> bool:
    """An old export was imported whose lists differ from those of the state it took the place of."""
    for number, done in enumerate(history.steps):
        if _export(done) < number:
            then, now = (_listed(history.steps[one].after) for one in (_export(done), number - 1))
            if then != now:
                return True
    return False


def protected_delete_refused(history: History) -> bool:
    """A resource that is protected was to be deleted or replaced, and was not."""
    return any("is protected" in str(one.failure) for _, one in _operations(history))


def retained(history: History) -> bool:
    """A resource that would stop or pause its jobs was let go without asking the package."""
    return any(saved.outputs.get("on_destroy") in ("pause", "stop") for saved in _dropped(history) if saved.retain_on_delete)


def target_left_a_deletion_out(history: History) -> bool:
    """A command with ``--target`` kept a resource that is gone from the program."""
    for done in history.steps:
        names = {name for one in done.step.program for name in (one.name, *one.aliases)}
        if (
            done.step.command == "up"
            and done.step.targets
            and any(name in done.after for name in done.before if name not in names)
        ):
            return True
    return False


def cancelled_within_a_batch(history: History) -> bool:
    """The user cancelled a command that had asked for something."""

    def is_cancelled(done: Done) -> bool:
        kill = done.step.kill
        asked = any(call.is_ours and deeds.action_of(call) for call in done.calls)
        return kill is not None and kill.moment in CANCELS and asked and done.ended in ("failed", "killed")

    return any(map(is_cancelled, history.steps))


def token_expired_in_the_middle(history: History) -> bool:
    """A command needed a second token."""
    return any(len(done.tokens) > 1 for done in history.steps)


def time_limit_reached(history: History) -> bool:
    """A command ended because its time was up. Where failures are recorded, only what it still waited for shows that."""
    for done, one in _operations(history):
        is_undisturbed = done.step.kill is None and not done.step.faults and one.what in ("create", "update")
        records = (one.outputs or {}).get("__records", {}) if is_undisturbed else {}
        if "(timeout)" in str(one.failure) or any(record.get("is_unfinished") for record in records.values()):
            return True
    return False


def refresh_saved_a_failure(history: History) -> bool:
    """A refresh found a job that is lost, and saved the resource as failed."""
    reads = [(done, one) for done, one in _operations(history) if one.what == "read" and one.failure and one.outputs is not None]
    return any(done.step.command == "refresh" or "--refresh" in done.step.options for done, _ in reads)


def misoperation_while_paused(history: History) -> bool:
    """The program or its settings were wrong while a job was paused."""
    steps = [done for done in history.steps if done.step.mistake]
    return any(phase_of(job["status"]) == "paused" for done in steps for job in done.facts_before.values())


def wrong_project_then_right(history: History) -> bool:
    """A resource was made in a wrong project, by a mistake in the settings, and the program was put right."""
    steps = [done for done in history.steps[:-1] if done.step.mistake == "project"]
    return any(one.what == "create" and one.outputs is not None for done in steps for one in done.operations)


def schedule_cancelled(history: History) -> bool:
    """Others ended a job that waited for its time."""
    others = [deed for deed in _deeds(history) if not deed.is_ours and deed.action == "stop"]
    deleted = [job_id for job_id, past in _timelines(history).items() if _follow(past, "scheduled", "ended")]
    return bool(deleted) or any(_phase(history.steps[deed.number], deed.job_id) == "scheduled" for deed in others)


def rescheduled_by_others(history: History) -> bool:
    """Others scheduled a job for another time than the declared one, or started it at once."""
    for done in history.steps:
        for wish in (wish for name, bag in done.declared.items() for wish in wishes_in(name, bag)):
            job = done.facts_before.get(wish.job_id)
            is_scheduled = job is not None and job["status"] == "WAITING_FOR_START"
            if job is not None and is_scheduled and int(job.get("start_time") or 0) != (wish.start_time or 0):
                return True
    return False


def recreated_under_the_same_name(history: History) -> bool:
    """A job was deleted and made again while the program had it on a list."""
    for done in history.steps:
        gone = {job["name"] for job_id, job in done.facts_before.items() if job_id not in done.facts_after}
        names = [job.get("name") for job_id, job in done.facts_after.items() if job_id not in done.facts_before]
        if gone.intersection(names):
            return True
    acts = [act for done in history.steps for act in done.step.before if act.what == "recreate"]
    return bool(acts)


def failed_and_deleted_all_the_same(history: History) -> bool:
    """With ``--continue-on-error`` one resource failed, and another was deleted."""
    steps = [done for done in history.steps if "--continue-on-error" in done.step.options]
    return any(
        any(one.what in ("create", "update") and one.failure for one in done.operations)
        and any(one.what == "delete" and not one.failure for one in done.operations)
        for done in steps
    )


def dependent_left_out(history: History) -> bool:
    """A resource did not have its turn, because one that it depends on failed."""
    return any(
        set(one.depends_on) & {failed.resource for failed in done.operations if failed.failure} and one.name not in done.declared
        for done in history.steps
        for one in done.step.program
    )


def alias_kept_a_record(history: History) -> bool:
    """A resource got another name, and went on from the state of the old one."""
    return any(
        alias in done.before and alias not in done.after and one.name in done.after and one.name not in done.before
        for done in history.steps
        for one in done.step.program
        for alias in one.aliases
    )


def renamed_without_alias(history: History) -> bool:
    """A resource was made under a new name and deleted under the old one, with the same jobs."""
    for done in history.steps:
        made = [_rows(one.outputs).keys() for one in done.operations if one.what == "create"]
        if any(set(_rows(saved.outputs)) & jobs for saved in _deleted(done, by="delete") for jobs in map(set, made)):
            return True
    return False


def replaced_on_request(history: History) -> bool:
    """``--replace`` made a resource anew, and the old one was let go."""
    return any(
        {one.resource for one in done.operations if one.what == "delete"} & set(done.step.replaces) for done in history.steps
    )


def place_changed(history: History) -> bool:
    """A resource was said to be in another project, and was replaced."""
    return any(
        name in done.declared and bag.outputs and bag.inputs.get("project_id") != done.declared[name].get("project_id")
        for done in history.steps
        for name, bag in done.before.items()
    )


def own_pause_undone(history: History) -> bool:
    """A pause of ours was undone because the job was declared started again."""
    paused = [deed for deed in _deeds(history) if deed.is_ours and deed.action == "pause"]
    return any(
        deed.is_ours and deed.action == "resume" and any(one.job_id == deed.job_id and one.at < deed.at for one in paused)
        for deed in _deeds(history)
    )


def stopped_for_good(history: History) -> bool:
    """A job was stopped because its resource was deleted."""
    return any(
        deed.is_ours
        and deed.action == "stop"
        and deed.job_id in deeds.retired(history.scenario, history.steps[deed.number], "stop")
        for deed in _deeds(history)
        if deed.number < len(history.steps)
    )


def delete_failed_and_came_right(history: History) -> bool:
    """A delete that was to bring jobs to rest failed, and a later one did not."""
    failed: set[str] = set()
    for _, one in _operations(history):
        if one.what == "delete" and one.failure and "protected" not in one.failure:
            failed.add(one.resource)
        elif one.what == "delete" and one.resource in failed:
            return True
    return False


def found_list_changed(history: History) -> bool:
    """A list that is found was another one in the next command."""
    for before, after in pairwise(history.steps):
        for one in after.step.program:
            both = [done.declared.get(one.name) for done in (before, after)]
            if one.found and all(both) and jobs_in(both[0] or {}) != jobs_in(both[1] or {}):
                return True
    return False


def unseen_between_two_looks(history: History) -> bool:
    """A job went through three statuses or more between two commands' looks, so that some of them nobody saw."""
    for before, after in pairwise(history.steps):
        for job in after.facts_before.values():
            passed = [at for at, _ in job.get("history", ()) if before.ended_at < at <= after.began]
            if len(passed) >= 3:
                return True
    return False


def failed_and_healed_by_resume(history: History) -> bool:
    """A job that had failed was resumed because the program says so, and ran."""
    for deed in _deeds(history):
        past = _timelines(history).get(deed.job_id, [])
        before = [status for at, status in past if at <= deed.at]
        if deed.is_ours and deed.action == "resume" and before and phase_of(before[-1]) in ("failed", "start_failed"):
            return True
    return False


_ALL: tuple[Callable[[History], bool], ...] = (
    lost_answer_lag_and_kill,
    batch_split_to_one,
    failed_while_updating,
    two_owners,
    two_stacks_with_one_job,
    spared_by_another,
    moved_to_a_dependent,
    replacement_died_half_way,
    pending_one_deleted_later,
    others_between_look_and_call,
    others_while_we_wait,
    went_back_after_a_start,
    late_after_a_pause,
    killed_after_acceptance,
    old_state_after_a_pause,
    state_lost_while_jobs_run,
    old_state_with_another_list,
    protected_delete_refused,
    retained,
    target_left_a_deletion_out,
    cancelled_within_a_batch,
    token_expired_in_the_middle,
    time_limit_reached,
    refresh_saved_a_failure,
    misoperation_while_paused,
    wrong_project_then_right,
    schedule_cancelled,
    rescheduled_by_others,
    recreated_under_the_same_name,
    failed_and_deleted_all_the_same,
    dependent_left_out,
    alias_kept_a_record,
    renamed_without_alias,
    replaced_on_request,
    place_changed,
    own_pause_undone,
    stopped_for_good,
    delete_failed_and_came_right,
    found_list_changed,
    unseen_between_two_looks,
    failed_and_healed_by_resume,
)

RARE: tuple[str, ...] = tuple(one.__name__.replace("_", " ") for one in _ALL)
"""The names of the rare states."""


def reached(history: History) -> set[str]:
    """The rare states that a scenario came to."""
    return {name for name, one in zip(RARE, _ALL, strict=True) if one(history)}


def _world(history: History) -> World:
    return World(history.scenario, history.steps, [str(number) for number in range(len(history.steps))])


def _deeds(history: History) -> list[Deed]:
    return _world(history).deeds


def _numbered(history: History) -> Iterator[tuple[World, int]]:
    world = _world(history)
    return ((world, number) for number in range(len(history.steps)))


def _timelines(history: History) -> dict[str, list[tuple[float, str]]]:
    world = _world(history)
    return {job_id: world.timeline(job_id) for job_id in world.job_ids}


def _operations(history: History) -> Iterator[tuple[Done, Any]]:
    return ((done, one) for done in history.steps for one in done.operations)


def _export(done: Done) -> int:
    """The number of the step whose export was imported; a very large one where none was."""
    state = done.step.state or ""
    return int(state.removeprefix("then ")) if state.startswith("then ") else sys.maxsize


def _has_lost_an_answer(done: Done) -> bool:
    calls = [call for call in done.calls if call.is_ours and call.done]
    return done.step.kill is not None and done.step.kill.moment in (*MOMENTS, "time") and any(call.fault for call in calls)


def _owners(done: Done, job_id: str) -> int:
    return sum(job_id in jobs_in(bag) for bag in done.declared.values())


def _deleted(done: Done, by: str) -> list[Saved]:
    """The resources that were let go, as they had been saved."""
    gone = {one.resource for one in done.operations if one.what == by and not one.failure}
    return [saved for key, saved in done.before.items() if key.replace(OLD, "") in gone and key not in done.after]


def _dropped(history: History) -> list[Saved]:
    """The resources that went out of the state of a stack."""
    return [saved for done in history.steps for key, saved in done.before.items() if key not in done.after]


def _is_found_running(history: History, number: int, deed: Deed) -> bool:
    later = [done for done in history.steps[number + 1 :] if done.step.command == "up"]
    return bool(later) and phase_of(later[0].facts_before.get(deed.job_id, {}).get("status", "MISSING")) == "running"


def _phase(done: Done, job_id: str) -> str:
    return phase_of(done.facts_before.get(job_id, {}).get("status", "MISSING"))


def _follow(past: Iterable[tuple[float, str]], first: str, second: str) -> bool:
    phases = [phase_of(status) for _, status in past]
    return (first, second) in pairwise(phases)


def _listed(state: Mapping[str, Saved]) -> dict[str, set[str]]:
    return {key: jobs_in(saved.outputs) for key, saved in state.items()}


def _rows(outputs: Bag | None) -> Mapping[str, Any]:
    rows: Mapping[str, Any] = (outputs or {}).get("job_statuses") or {}
    return rows
