"""
All that the service knows, and what its operations do.

Whether an operation is allowed is judged in `rules`; HTTP is left to the routes, what goes wrong on the way to `faults`.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import rules
from .calls import CallLog
from .clock import Clock
from .delay import Delay
from .errors import RefusedError, RowsRefusedError, UnknownJobError, text_of
from .faults import FaultQueue, Refusals
from .jobs import Failure, Job, JobSpec, Step, Then
from .policy import Account, Policy
from .tokens import Tokens

Row = dict[str, Any]


class State:
    """All that a sandbox knows. Every public method may be called from any thread."""

    def __init__(self, policy: Policy | None = None, account: Account | None = None) -> None:
        self.initial_policy = policy or Policy()
        self.account = account or Account()
        self.lock = threading.RLock()
        self.policy = self.initial_policy.model_copy()
        self.clock = Clock(self.policy.speed)
        self.tokens = Tokens(self.account, self.clock)
        self.calls = CallLog()
        self.faults = FaultQueue()
        self._jobs: dict[str, Job] = {}
        self._declared: dict[str, JobSpec] = {}
        self._children: dict[str, list[Job]] = {}
        self._deleted: set[str] = set()
        self._forget_chance()

    # -- control ---------------------------------------------------------------------------------------------------

    def reset(self, *, keep_jobs: bool = False) -> None:
        """
        Back to the beginning; tokens stay valid, since they belong to a login and not to a test.

        Jobs are forgotten, or declared anew as they were declared last.
        """
        with self.lock:
            declared = list(self._declared.values()) if keep_jobs else []
            self._declared.clear()
            self._jobs.clear()
            self._children.clear()
            self._deleted.clear()
            self.faults.clear()
            self.calls.clear()
            self.policy = self.initial_policy.model_copy()
            self.clock.set_speed(self.policy.speed)
            self._forget_chance()
            self.add_jobs(declared)

    def _forget_chance(self) -> None:
        self._random = random.Random(self.policy.seed)  # noqa: S311  # an order, not a secret

    def set_policy(self, changes: Mapping[str, Any]) -> Policy:
        with self.lock:
            self.policy = Policy.model_validate(self.policy.model_dump() | dict(changes))
            if "speed" in changes:
                self.clock.set_speed(self.policy.speed)
            if "seed" in changes:
                self._forget_chance()
            return self.policy

    def add_jobs(self, specs: Iterable[JobSpec]) -> None:
        """Add jobs, or declare known ones anew."""
        with self.lock:
            now = self.clock.now()
            for spec in specs:
                self._forget(spec.id)
                self._declared[spec.id] = spec
                job = self._jobs[spec.id] = Job.declare(_with_own_failures(spec), now, self.policy)
                self._deleted.discard(spec.id)
                if spec.parent_id is not None:
                    self._children.setdefault(spec.parent_id, []).append(job)

    def _forget(self, job_id: str) -> None:
        job = self._jobs.pop(job_id, None)
        if job is not None and job.spec.parent_id is not None:
            self._children[job.spec.parent_id].remove(job)

    def set_status(self, job_id: str, status: str, then: Then = None, reason: str | None = None) -> None:
        """Put a job into a status; `reason` is why it failed."""
        with self.lock:
            job, now = self._control_job(job_id), self.clock.now()
            # It has come so far.
            job.settle(now)
            job.put(status, now, self.policy, then)
            if reason is not None:
                job.failed_reason = reason

    def set_delay(self, job_id: str, changes: Delay | None) -> None:
        with self.lock:
            job, now = self._control_job(job_id), self.clock.now()
            job.settle(now)
            job.change_delay(changes, now)

    def describe(self, job_id: str) -> dict[str, Any]:
        with self.lock:
            job, now = self._control_job(job_id), self.clock.now()
            job.settle(now)
            return job.as_dict(now)

    def describe_all(self) -> dict[str, dict[str, Any]]:
        with self.lock:
            return {job_id: self.describe(job_id) for job_id in self._jobs}

    def settled(self) -> list[Job]:
        """Every job as it stands now, in the order of declaration. This does not count as a look."""
        with self.lock:
            now = self.clock.now()
            jobs = list(self._jobs.values())
            for job in jobs:
                job.settle(now)
            return jobs

    def name_of(self, job_id: str) -> str:
        """What a job is called, its id where it is not known."""
        job = self._jobs.get(job_id)
        return (job.spec.name if job is not None else "") or job_id

    def _control_job(self, job_id: str) -> Job:
        try:
            return self._jobs[job_id]
        except KeyError:
            raise UnknownJobError(job_id) from None

    # -- reading ---------------------------------------------------------------------------------------------------

    def look(self, project_id: str, job_ids: Sequence[str]) -> list[tuple[str, Job | None]]:
        """The jobs behind these ids; each one found counts as looked at."""
        with self.lock:
            now = self.clock.now()
            found = [(job_id, self._find(project_id, job_id)) for job_id in job_ids]
            for _, job in found:
                if job is not None:
                    job.look(now)
            return found

    def peek(self, project_id: str, job_ids: Sequence[str]) -> list[tuple[str, Job | None]]:
        """The same without counting: only status and detail reads move jobs that wait for looks."""
        with self.lock:
            now = self.clock.now()
            found = [(job_id, self._find(project_id, job_id)) for job_id in job_ids]
            for _, job in found:
                if job is not None:
                    job.settle(now)
            return found

    def in_project(self, project_id: str) -> list[Job]:
        with self.lock:
            now = self.clock.now()
            jobs = [job for job in self._jobs.values() if (job.spec.project_id or self.account.project_id) == project_id]
            for job in jobs:
                job.settle(now)
            return jobs

    def children_of(self, parent_id: str) -> list[Job]:
        with self.lock:
            return list(self._children.get(parent_id, ()))

    def shown_status(self, job: Job) -> str:
        """What a read of its status shows: a stale one may be late, and go back when it comes after a fresh one."""
        policy = self.policy
        if not policy.stale_seconds:
            return job.status
        with self.lock:
            is_stale = self._random.random() < policy.stale_share
            return job.status_at(self.clock.now() - policy.stale_seconds) if is_stale else job.status

    def gone_code(self, job_id: str) -> str:
        return "DRS.M05004" if job_id in self._deleted else self.policy.unknown_code

    def arrange(self, rows: list[Row]) -> list[Row]:
        """No page promises that rows come in the order of the request."""
        if self.policy.row_order == "reversed":
            rows.reverse()
        elif self.policy.row_order == "shuffled":
            with self.lock:
                self._random.shuffle(rows)
        return rows

    def check_batch(self, job_ids: Collection[str], *, reads: bool = False) -> None:
        limit = self.policy.max_batch_reads if reads else self.policy.max_batch
        if limit is not None and len(job_ids) > limit:
            raise RefusedError("DRS.M00299" if limit == 1 else self.policy.max_batch_code)
        if len(set(job_ids)) != len(job_ids):
            raise RefusedError("DRS.M00301")

    def _find(self, project_id: str, job_id: str) -> Job | None:
        job = self._jobs.get(job_id)
        if job is None or (job.spec.project_id or self.account.project_id) != project_id:
            return None
        return job

    # -- acting ----------------------------------------------------------------------------------------------------

    def _act(
        self,
        project_id: str,
        job_ids: Sequence[str],
        refusals: Refusals,
        allowed: Callable[[int, Job], str | None],
        carry_out: Callable[[int, Job], None],
        language: str,
    ) -> list[Row]:
        """Judge every job before touching any, so that a batch can be refused as a whole."""
        with self.lock:
            self.check_batch(job_ids)
            now = self.clock.now()
            verdicts: list[tuple[str, str | None]] = []
            jobs: list[Job | None] = []
            for index, job_id in enumerate(job_ids):
                job = self._find(project_id, job_id)
                jobs.append(job)
                if job is None:
                    verdicts.append((self.gone_code(job_id), None))
                    continue
                job.settle(now)
                refusal = refusals.get(job_id)
                if refusal is not None:
                    verdicts.append(refusal)
                else:
                    verdicts.append((allowed(index, job) or "", None))
            self._refuse_as_a_whole(job_ids, verdicts, language)
            rows: list[Row] = []
            for index, (job_id, job, (code, text)) in enumerate(zip(job_ids, jobs, verdicts, strict=True)):
                if code or job is None:
                    rows.append(self._failed_row(job_id, code, text, language))
                    continue
                carry_out(index, job)
                rows.append({"id": job_id, "status": "success"})
            return self.arrange(rows)

    def _refuse_as_a_whole(self, job_ids: Sequence[str], verdicts: Sequence[tuple[str, str | None]], language: str) -> None:
        if self.policy.bad_row == "row":
            return
        # M01504 has HTTP 202 in the table of codes: it never refuses a whole call.
        bad = [(i, code, text) for i, (code, text) in enumerate(verdicts) if code and code != "DRS.M01504"]
        if not bad:
            return
        if self.policy.bad_row == "reject-results":
            raise RowsRefusedError([self._failed_row(job_ids[i], code, text, language) for i, code, text in bad])
        _, code, text = bad[0]
        raise RefusedError(code, text)

    def _failed_row(self, job_id: str, code: str, text: str | None, language: str) -> Row:
        return {"id": job_id, "status": "failed", "error_code": code, "error_msg": text or text_of(code, language)}

    def start(
        self,
        project_id: str,
        starts: Sequence[tuple[str, float | None]],
        refusals: Refusals,
        language: str = "en-us",
    ) -> list[Row]:
        """
        Start jobs, now or at an instant in sandbox seconds.

        `starts` of a job counts acceptances, `start_requests` calls that named it, whatever came of them.
        """
        with self.lock:
            now = self.clock.now()
            for job_id in {job_id for job_id, _ in starts}:
                if (job := self._find(project_id, job_id)) is not None:
                    job.start_requests += 1

            def allowed(index: int, job: Job) -> str | None:
                when = starts[index][1]
                return rules.why_not_start(
                    job,
                    self.policy,
                    now,
                    is_parent=self.is_dual_active_parent(job),
                    forward=self._forward_of(job),
                    is_past=when is not None and when < now,
                )

            def carry_out(index: int, job: Job) -> None:
                when = starts[index][1]
                self._begin(job, when if when is not None and when > now else None)

            declared = dict(refusals)
            for job_id, _ in starts:
                job = self._find(project_id, job_id)
                failure = None if job is None else job.spec.refuse_start
                if failure is not None and job_id not in declared and _happens(failure):
                    declared[job_id] = (failure.code, failure.message)
            return self._act(project_id, [job_id for job_id, _ in starts], declared, allowed, carry_out, language)

    def is_dual_active_parent(self, job: Job) -> bool:
        if job.spec.is_parent:
            return True
        return job.spec.multi_write and job.spec.parent_id is None and bool(self.children_of(job.spec.id))

    def _forward_of(self, job: Job) -> Job | None:
        """The forward subtask beside a backward one."""
        if not job.is_backward:
            return None
        for sibling in self.children_of(job.spec.parent_id or ""):
            if sibling.spec.role == "forward":
                sibling.settle(self.clock.now())
                return sibling
        return None

    def _begin(self, job: Job, at: float | None) -> None:
        job.starts += 1
        path = job.start_path(self.policy)
        job.start_time = at
        if at is not None and path:
            path = [Step("WAITING_FOR_START"), replace(path[0], at=at), *path[1:]]
        if path and job.status == "CONFIGURATION":
            spec, policy, first = job.spec, self.policy, path[0]
            seconds = policy.lag_seconds if spec.lag_seconds is None else spec.lag_seconds
            looks = policy.lag_looks if spec.lag_looks is None else spec.lag_looks
            path[0] = replace(first, after=first.after + seconds, looks=first.looks + looks)
        job.follow(path, self.clock.now())

    def pause(self, project_id: str, job_ids: Sequence[str], refusals: Refusals, language: str = "en-us") -> list[Row]:
        def allowed(_: int, job: Job) -> str | None:
            return rules.why_not_pause(job, self.policy, is_parent=self.is_dual_active_parent(job))

        def carry_out(_: int, job: Job) -> None:
            job.pauses += 1
            job.put(self.policy.paused_status, self.clock.now(), self.policy)

        return self._act(project_id, job_ids, refusals, allowed, carry_out, language)

    def retry(self, project_id: str, job_ids: Sequence[str], refusals: Refusals, language: str = "en-us") -> list[Row]:
        """Retry failed jobs and resume paused ones: one call does both."""

        def allowed(_: int, job: Job) -> str | None:
            return rules.why_not_retry(job, self.policy, is_parent=self.is_dual_active_parent(job))

        def carry_out(_: int, job: Job) -> None:
            job.retries += 1
            path = job.start_path(self.policy)
            if job.status != "START_JOB_FAILED":
                path = self._resumed_path(job, path)
            if path:
                path[0] = replace(path[0], after=self.policy.resume_seconds, looks=0)
            job.follow(path, self.clock.now())

        return self._act(project_id, job_ids, refusals, allowed, carry_out, language)

    def _resumed_path(self, job: Job, path: list[Step]) -> list[Step]:
        """Go on in the phase the job was in."""
        is_copied = job.progress(self.clock.now()) == 100 or job.spec.task_type == "INCR_TRANS"
        is_incremental = is_copied and job.spec.task_type != "FULL_TRANS"
        phase = "INCRE_TRANSFER_STARTED" if is_incremental else "FULL_TRANSFER_STARTED"
        for index, step in enumerate(path):
            if step.status == phase:
                return path[index:]
        return [Step(phase)]

    def end(self, project_id: str, requests: Sequence[tuple[str, str]], refusals: Refusals, language: str = "en-us") -> list[Row]:
        """Stop or delete jobs, each with `terminate`, `force_terminate` or `delete`."""

        def allowed(index: int, job: Job) -> str | None:
            return rules.why_not_end(job, requests[index][1])

        def carry_out(index: int, job: Job) -> None:
            family = [job, *self.children_of(job.spec.id)]
            for member in family:
                # Nobody may have looked at a child for a while.
                member.settle(self.clock.now())
                if requests[index][1] == "delete":
                    self._forget(member.spec.id)
                    self._deleted.add(member.spec.id)
                elif member is job or member.status not in rules.ENDED:
                    member.stops += 1
                    member.put("RELEASE_RESOURCE_STARTED", self.clock.now(), self.policy)
                    member.settle(self.clock.now())

        return self._act(project_id, [job_id for job_id, _ in requests], refusals, allowed, carry_out, language)

    # -- pre-check -------------------------------------------------------------------------------------------------

    def precheck(self, project_id: str, job_ids: Sequence[str], refusals: Refusals, language: str = "en-us") -> list[Row]:
        def allowed(_: int, job: Job) -> str | None:
            return rules.why_not_precheck(job, is_parent=self.is_dual_active_parent(job))

        def carry_out(_: int, job: Job) -> None:
            job.precheck_since = self.clock.now()
            job.precheck_looks = 0
            job.is_prechecked = False
            own = f"{self._random.getrandbits(32):08x}-chk0-4000-8000-{self._random.getrandbits(48):012x}"
            job.precheck_id = job.spec.id if self.policy.precheck_id == "job" else own

        with self.lock:
            rows = self._act(project_id, job_ids, refusals, allowed, carry_out, language)
            for row in rows:
                if row["status"] == "success":
                    row["precheck_id"] = self._jobs[row["id"]].precheck_id
            return rows

    def precheck_done(self, job: Job) -> float:
        """How far a requested pre-check has come, from 0 to 1; finishing one settles whether the job may start."""
        with self.lock:
            policy = self.policy
            waited = self.clock.now() - job.precheck_since
            by_time = 1.0 if policy.precheck_seconds == 0 else min(1.0, waited / policy.precheck_seconds)
            by_looks = 1.0 if policy.precheck_looks == 0 else min(1.0, job.precheck_looks / policy.precheck_looks)
            job.precheck_looks += 1
            done = min(by_time, by_looks)
            if done >= 1.0:
                job.is_prechecked = all(item.result != "FAILED" for item in job.spec.precheck)
            return done


def _happens(failure: Failure) -> bool:
    if failure.times is None:
        return True
    if failure.times == 0:
        return False
    failure.times -= 1
    return True


def _with_own_failures(spec: JobSpec) -> JobSpec:
    """Failures count how often they happen; what was declared does not change by that."""
    names = ("fail_start", "fail_full", "refuse_start")
    own = {name: failure.model_copy() for name in names if (failure := getattr(spec, name)) is not None}
    return spec.model_copy(update=own) if own else spec
