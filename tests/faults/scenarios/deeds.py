"""
What was done to each job, when and by whom, and what somebody had asked for in so many words.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pulumi_drs_start.sandbox import Account

from .. import jobs
from .history import OLD, Bag, Call, Done, Saved
from .scenario import Scenario
from .wishes import Wish, jobs_in, milliseconds_of, phase_of, wishes_in

ACTIONS = {"batch-starting": "start", "batch-retry-task": "resume", "batch-pause-task": "pause", "batch-jobs": "stop"}
"""The calls that change a job."""
READS = ("batch-status", "batch-detail", "batch-progress", "batch-rpo-and-rto", "jobs")
"""The calls that look at jobs."""
ON_DESTROY = {"pause": "pause", "stop": "stop"}
MOMENT_SECONDS = 0.01
"""The sandbox tells the time of a command in whole milliseconds, and that of a call as it is."""
CLOCK_SECONDS = 120.0
"""By so much the clocks of a command and of the sandbox may differ: both run sixty times as fast, from moments of their own."""

# The phases that make a further call of the kind due: whoever comes there anew may be asked anew.
_ARMED = {
    "start": {"startable"},
    "resume": {"paused", "failed", "start_failed"},
    "pause": {"starting", "running", "failed"},
    "stop": {"pending", "startable"},
}


@dataclass(frozen=True, slots=True)
class Deed:
    """A call took effect for a job.

    Attributes:
        number: of the command, see `World.dones`.
        start_time: for which a start was accepted, in ms; None for now.
        is_answered: the caller was told, as far as the wire is concerned.
    """

    number: int
    action: str
    job_id: str
    at: float
    start_time: int | None
    is_ours: bool
    is_answered: bool


class World:
    """Commands that acted on the same jobs, in their order.

    Args:
        scenario: that they belong to.
        dones: the commands.
        names: of the commands, for a person.
    """

    def __init__(self, scenario: Scenario, dones: Sequence[Done], names: Sequence[str]) -> None:
        self.scenario = scenario
        self.dones = dones
        self.names = names
        self.deeds = [deed for number in range(len(dones)) for deed in self._deeds(number)]
        self._facts: dict[str, Mapping[str, object]] = {}
        for done in dones:
            for facts in (done.facts_before, done.facts_deleted, done.facts_after):
                self._facts.update(facts)

    def _deeds(self, number: int) -> Iterator[Deed]:
        for call in self.dones[number].calls:
            if action := action_of(call):
                for job_id in call.done:
                    time = milliseconds_of(call.start_times.get(job_id))
                    is_answered = call.fault is None and call.status in (200, 202)
                    yield Deed(number, action, job_id, call.at, time or None, call.is_ours, is_answered)

    @property
    def job_ids(self) -> list[str]:
        """All jobs that ever were."""
        return list(self._facts)

    def timeline(self, job_id: str) -> list[tuple[float, str]]:
        """The statuses of a job and when each began."""
        history = self._facts.get(job_id, {}).get("history", ())
        return [(float(at), str(status)) for at, status in history]  # type: ignore[attr-defined]

    def statuses(self, job_id: str, since: float, until: float) -> set[str]:
        """The statuses that a job had in a period, its ends included: where time stands still much happens in one moment."""
        timeline = self.timeline(job_id)
        first = [status for at, status in timeline if at < since][-1:] or [status for _, status in timeline[:1]]
        return {*first, *(status for at, status in timeline if since <= at <= until)}

    def has_run(self, job_id: str, until: float) -> bool:
        """Whether the job was started before that."""
        runs = ("starting", "running", "paused", "failed")
        return any(at <= until + MOMENT_SECONDS and phase_of(status) in runs for at, status in self.timeline(job_id))

    def all(self, action: str, job_id: str, until: float = math.inf) -> list[Deed]:
        """What anybody did to a job before a moment."""
        own = [deed for deed in self.deeds if (deed.action, deed.job_id) == (action, job_id)]
        return [deed for deed in own if deed.at <= until + MOMENT_SECONDS]

    def ours(self, action: str, job_id: str, until: float = math.inf) -> list[Deed]:
        """What we did to a job before a moment."""
        return [deed for deed in self.all(action, job_id, until) if deed.is_ours]

    def twice(self) -> Iterator[tuple[Deed, Deed]]:
        """What took effect although it already had since the job came to where that is due, both times by us."""
        for job_id in self.job_ids:
            for action, armed in _ARMED.items():
                yield from self._twice(job_id, action, armed)

    def _twice(self, job_id: str, action: str, armed: set[str]) -> Iterator[tuple[Deed, Deed]]:
        arrivals = [moment for moment, phase in self._arrivals(job_id) if phase in armed]
        last: Deed | None = None
        for deed in self.deeds:
            if (deed.job_id, deed.action) != (job_id, action):
                continue
            if last is not None and last.is_ours and deed.is_ours:
                is_new = any((last.number, last.at) <= moment <= (deed.number, deed.at) for moment in arrivals)
                is_scheduled = "WAITING_FOR_START" in self.statuses(job_id, deed.at, deed.at)
                if not is_new and not (is_scheduled and deed.start_time != last.start_time):
                    yield last, deed
            # Somebody else's counts, but is no mistake of ours.
            last = deed

    def _arrivals(self, job_id: str) -> list[tuple[tuple[float, float], str]]:
        """When a job came to another phase: in which command, see `_number`, and at which moment."""
        found, before = [], None
        for index, (at, status) in enumerate(self.timeline(job_id)):
            if (phase := phase_of(status)) != before:
                found.append(((self._number(job_id, index), at), phase))
            before = phase
        return found

    def _number(self, job_id: str, index: int) -> float:
        """The command in which a job came to the status of that index, or a half less."""
        for number, done in enumerate(self.dones):
            if index < len(done.facts_before.get(job_id, {}).get("history", ())):
                return number - 0.5
            if any(index < len(facts.get(job_id, {}).get("history", ())) for facts in (done.facts_deleted, done.facts_after)):
                return number
        return len(self.dones)

    def is_pause_ours(self, job_id: str, at: float, resource: str | None = None) -> bool | None:
        """Whether the pause of a job was made by us; None where nobody need know.

        Args:
            job_id: of the job.
            at: a moment in which it is paused.
            resource: that must know it, so that it must have saved it.
        """
        pauses = [
            since for since, status in self.timeline(job_id) if since <= at + MOMENT_SECONDS and phase_of(status) == "paused"
        ]
        deeds = self.ours("pause", job_id, at)
        if not deeds or not pauses:
            return False
        last = deeds[-1]
        if any(since > last.at for since in pauses if since != min((one for one in pauses if one >= last.at), default=0.0)):
            # Somebody else paused it again. Who did not see it run in between takes that for the same pause.
            return None if not self._was_seen_running(job_id, last.at, pauses[-1]) else False
        if resource is None:
            return True
        saved = [
            one for one in self.dones[last.number].operations if one.resource == resource and one.what in ("create", "update")
        ]
        return True if any(_row(one.outputs, job_id).get("outcome") == "paused" for one in saved) else None

    def _was_seen_running(self, job_id: str, since: float, until: float) -> bool:
        dones = [done for done in self.dones if since <= done.ended_at <= until]
        rows = [_row(one.outputs, job_id) for done in dones for one in done.operations]
        return any(row and row.get("phase") != "paused" for row in rows)


def _row(outputs: Bag | None, job_id: str) -> Mapping[str, object]:
    row: Mapping[str, object] = ((outputs or {}).get("job_statuses") or {}).get(job_id) or {}
    return row


def action_of(call: Call) -> str | None:
    """What a call does to jobs; None for one that changes nothing."""
    return ACTIONS.get(call.operation)


def may_act(done: Done) -> bool:
    """Whether a command may change anything at all."""
    step = done.step
    is_applied = step.command in ("up", "destroy") and "--preview-only" not in step.options
    # With another endpoint in its settings it goes on where the state says that the jobs are.
    return is_applied and step.mistake != "password"


def is_malformed(bag: Bag) -> bool:
    """Whether a resource's times can't be read: nothing may be done for it."""
    times = [bag.get("start_time"), *(job.get("start_time") for job in bag.get("jobs") or () if not isinstance(job, str))]
    return any(time not in (None, "") and milliseconds_of(time) is None for time in times)


def wished(done: Done) -> list[Wish]:
    """What the program wishes in this command: nothing of resources that ``--target`` leaves out, or that are malformed."""
    if done.step.command == "destroy":
        return []
    targets = done.step.targets
    in_scope = {name: bag for name, bag in done.declared.items() if not targets or name in targets}
    return [wish for name, bag in in_scope.items() if not is_malformed(bag) for wish in wishes_in(name, bag)]


def saved_jobs(saved: Saved) -> set[str]:
    """The jobs of a resource as the state has it."""
    return jobs_in(saved.inputs, saved.outputs)


def place_of(bag: Bag, mistake: str | None = None) -> str:
    """The project where a resource has its jobs, as it declares it or, better, as its state says."""
    account = Account()
    usual = account.other_project_id if mistake == "project" else account.project_id
    return str((bag.get("__place") or {}).get("project_id") or bag.get("project_id") or usual)


def to_delete(done: Done) -> dict[str, Saved]:
    """The resources that this command has to delete, a replaced one's old self included, by their keys in the state."""
    step = done.step
    if step.command not in ("up", "destroy"):
        return {}
    found = {}
    program = {one.name: one for one in step.program}
    program |= {alias: one for one in step.program for alias in one.aliases if alias not in program}
    for key, saved in done.before.items():
        name = key[: -len(OLD)] if key.endswith(OLD) else key
        declared = None if step.command == "destroy" else program.get(name)
        if step.targets and name not in step.targets and not (declared and declared.name in step.targets):
            continue
        is_protected = saved.protect and (declared is None or declared.protect)
        is_retained = saved.retain_on_delete and (declared is None or declared.retain_on_delete)
        if is_protected or is_retained:
            continue
        is_replaced = declared is not None and ({name, declared.name} & set(step.replaces) or _moves(saved, done, declared.name))
        if declared is None or saved.is_pending or key.endswith(OLD) or is_replaced:
            found[key] = saved
    return found


def _moves(saved: Saved, done: Done, name: str) -> bool:
    """Whether the resource is to be replaced, because its jobs are said to be elsewhere."""
    now = done.declared.get(name, {})
    names = ("region", "project_id", "endpoint", "cloud")
    return done.step.mistake in ("region", "project") or any(saved.inputs.get(name) != now.get(name) for name in names)


def retired(scenario: Scenario, done: Done, what: str) -> set[str]:
    """The jobs that deletions of this command may pause or stop: nobody else in the program declares them."""
    found: set[str] = set()
    for saved in to_delete(done).values():
        if what in (saved.inputs.get("on_destroy"), saved.outputs.get("on_destroy")):
            found |= saved_jobs(saved) - spared(scenario, done, place_of({**saved.inputs, **saved.outputs}))
    return found


def spared(scenario: Scenario, done: Done, place: str) -> set[str]:
    """The jobs at a place that the program declares, whether or not it came to that.

    What ``--target`` leaves out nobody knows.
    """
    step = done.step
    if step.command == "destroy":
        return set()
    ids = jobs.job_ids(scenario.jobs)
    found = jobs_in(*(bag for bag in done.declared.values() if place_of(bag, step.mistake) == place))
    for one in step.program:
        where = place_of({"project_id": Account().other_project_id} if one.is_elsewhere else {}, step.mistake)
        if where == place and not (step.targets and one.name not in step.targets):
            found |= {ids[job.index] for job in one.jobs}
    return found


def why_unasked(world: World, number: int, call: Call, job_id: str) -> str | None:
    """Why nobody has asked for this call of ours; None if somebody has."""
    done, action = world.dones[number], action_of(call)
    if not may_act(done):
        return f"{done.step.command} {' '.join(done.step.options)} with {done.step.mistake or 'no'} mistake changes nothing"
    wishes = [wish for wish in wished(done) if wish.job_id == job_id]
    if action in ("pause", "stop"):
        state = {"pause": "paused", "stop": "stopped"}[action]
        if any(wish.shall_be == state for wish in wishes) or job_id in retired(world.scenario, done, action):
            return None
        return f"nobody declares it {state}, and no resource that is deleted says so"
    wishes = [wish for wish in wishes if wish.shall_be == "started"]
    if not wishes:
        return "nobody declares it started"
    statuses = world.statuses(job_id, call.at, call.at)
    if action == "resume":
        is_paused = not statuses or any(phase_of(status) == "paused" for status in statuses)
        is_ours = is_paused and world.is_pause_ours(job_id, call.at) is not False
        by_others = f"it is {' or '.join(sorted(statuses))} by others, and resume is not set"
        return None if is_ours or any(wish.resume for wish in wishes) else by_others
    named = milliseconds_of(call.start_times.get(job_id)) or None
    is_in_time = named is None and any(not wish.is_future(call.at + CLOCK_SECONDS) for wish in wishes)
    if not is_in_time and named not in [wish.start_time for wish in wishes if wish.start_time is not None]:
        return f"no declaration has the start time {named}"
    is_failed = statuses == {"START_JOB_FAILED"} and job_id in call.done
    return "only a resume may ask for a failed start again" if is_failed else None
