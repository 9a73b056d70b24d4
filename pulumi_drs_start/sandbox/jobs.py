"""
One job: what was declared about it, where it stands, and which statuses it will walk through next.

Whether an operation is allowed is decided in `state`; a job only knows how to walk.
"""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from .delay import Delay
from .policy import Policy

FULL = ("FULL_TRANSFER_STARTED", "FULL_TRANSFER_COMPLETE", "FULL_TRANSFER_FAILED")
INCREMENTAL = ("INCRE_TRANSFER_STARTED", "INCRE_TRANSFER_FAILED")
PAUSED = ("PAUSING", "PAUSEING")
# Deleting is only allowed here, see "Stopping or Deleting Tasks in Batches".
DELETABLE = ("CREATE_FAILED", "RELEASE_RESOURCE_COMPLETE", "RELEASE_CHILD_TRANSFER_COMPLETE")
HISTORY_KEPT = 100
SECRET = "sandbox-db-secret-do-not-log"  # noqa: S105  # recognisable on purpose: no client may log or store it


@dataclass(frozen=True, slots=True)
class Step:
    """The next status of a job, and what has to pass before: seconds, looks and an instant (epoch), all of them."""

    status: Annotated[str, Field(min_length=1, max_length=64)]
    after: Annotated[float, Field(ge=0, le=1e10)] = 0.0
    looks: Annotated[int, Field(ge=0)] = 0
    at: float | None = None


Then = list[Step] | Literal["usual"] | None


class Failure(BaseModel):
    """A code and a text; `times` bounds how often it happens."""

    model_config = ConfigDict(extra="forbid")

    code: str = "DRS.M01501"
    message: str | None = None
    times: int | None = Field(None, ge=0)


class PrecheckItem(BaseModel):
    """One finding of a pre-check."""

    model_config = ConfigDict(extra="forbid")

    item: str
    result: Literal["PASSED", "ALARM", "FAILED"] = "PASSED"
    failed_reason: str = ""
    group: str = "database"


def _as_failure(value: Any) -> Any:
    if value is True:
        return {}
    return {"code": value} if isinstance(value, str) else value


def _as_steps(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return value
    return [{"status": step} if isinstance(step, str) else step for step in value]


class JobSpec(BaseModel):
    """What can be declared about a job; everything but the id has a default."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1)
    name: str = ""
    description: str = ""
    status: str = Field("CONFIGURATION", min_length=1)
    engine_type: str = "mysql"
    net_type: str = "vpc"
    task_type: Literal["FULL_TRANS", "INCR_TRANS", "FULL_INCR_TRANS"] = "FULL_INCR_TRANS"
    db_use_type: Literal["migration", "sync", "cloudDataGuard"] = "migration"
    job_direction: Literal["up", "down", "non-dbs"] = "up"
    service_name: str = "RDS"
    enterprise_project_id: str = "0"
    tags: dict[str, str] = {}
    project_id: str | None = None
    start_time: str | None = Field(None, pattern=r"^[0-9]{1,16}$", description="ms; a schedule already delivered")
    actual_start_time: str | None = Field(None, pattern=r"^[0-9]{1,16}$")

    # Dual-active disaster recovery.
    multi_write: bool = False
    parent_id: str | None = None
    master_job_id: str | None = None
    is_parent: bool = False
    role: Literal["forward", "backward"] | None = None
    rpo_ms: int = Field(0, ge=0)
    rto_ms: int = Field(0, ge=0)

    # How far the copy is behind; `None` means `rpo_ms` and `rto_ms`, always.
    delay: Delay | None = None

    # What it does next, and what it does once started; `None` means the usual.
    then: list[Step] | None = None
    path: list[Step] | None = None
    lag_seconds: float | None = Field(None, ge=0)
    lag_looks: int | None = Field(None, ge=0)
    start_seconds: float | None = Field(None, ge=0)
    start_looks: int | None = Field(None, ge=0)
    full_seconds: float | None = Field(None, ge=0)
    full_looks: int | None = Field(None, ge=0)

    # What goes wrong.
    fail_start: Failure | None = None
    fail_full: Failure | None = None
    refuse_start: Failure | None = None
    stuck: bool = False

    precheck: list[PrecheckItem] = []
    prechecked: bool | None = None

    normalise_failures = field_validator("fail_start", "fail_full", "refuse_start", mode="before")(_as_failure)
    normalise_steps = field_validator("then", "path", mode="before")(_as_steps)


def make_job(job_id: str, **fields: Any) -> dict[str, Any]:
    """
    A job for `add_jobs`; the fields are those of `JobSpec`.

    `delay={"seconds": 340, "falls": 5}` lets it catch up once its incremental phase begins; the fields are those of `Delay`.
    """
    return {"id": job_id, **fields}


def make_job_id(label: str) -> str:
    """An id as the service makes them, always the same for a label: 36 characters in UUID layout, yet not hexadecimal."""
    digest = hashlib.sha256(label.encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:27]}jb{digest[27:30]}"


@dataclass(slots=True, eq=False)
class Job:
    """A declared job at work. Times are sandbox seconds."""

    spec: JobSpec
    status: str
    since: float
    created: float
    updated: float
    plan: deque[Step] = field(default_factory=deque)
    # When each status began, and which it was.
    history: list[tuple[float, str]] = field(default_factory=list)
    looks: int = 0
    looks_here: int = 0
    delay: Delay | None = None
    # From when the delay counts.
    delay_since: float = 0.0
    # Per cent of the full copy, as of the last change of the status.
    copied: int = 0
    # An operation was accepted and does not show in the status yet.
    is_busy: bool = False
    start_time: float | None = None
    actual_start: float | None = None
    full_complete: float | None = None
    failed_reason: str = ""
    starts: int = 0
    start_requests: int = 0
    retries: int = 0
    pauses: int = 0
    stops: int = 0
    is_prechecked: bool = True
    precheck_id: str | None = None
    precheck_since: float = 0.0
    precheck_looks: int = 0

    @classmethod
    def declare(cls, spec: JobSpec, now: float, policy: Policy) -> Job:
        job = cls(spec=spec, status="CONFIGURATION", since=now, created=now, updated=now, delay=spec.delay)
        job.start_time = int(spec.start_time) / 1000 if spec.start_time not in (None, "", "0") else None
        job.actual_start = int(spec.actual_start_time) / 1000 if spec.actual_start_time else None
        fails_precheck = any(item.result == "FAILED" for item in spec.precheck)
        job.is_prechecked = (not fails_precheck) if spec.prechecked is None else spec.prechecked
        if spec.status in ("START_JOB_FAILED", *FULL, *INCREMENTAL) and spec.status.endswith("FAILED"):
            failure = spec.fail_full or spec.fail_start or Failure(message="The task failed.")
            job.failed_reason = failure.message or failure.code
        job.put(spec.status, now, policy, spec.then)
        return job

    def put(self, status: str, now: float, policy: Policy, then: Then = None) -> None:
        """
        Stand in a status by decree. The statuses that always pass by themselves do so, all others rest.

        With "usual" it goes on from each as after a start.
        """
        self._stand(status, now)
        if then == "usual":
            path = self.start_path(policy)
            statuses = [step.status for step in path]
            then = path[statuses.index(status) + 1 :] if status in statuses else None
        if then is None:
            then = self._natural_continuation(status, policy)
        self.plan = deque(then)

    def _natural_continuation(self, status: str, policy: Policy) -> list[Step]:
        path = self.start_path(policy)
        if status == "WAITING_FOR_START" and self.start_time is not None:
            return [replace(path[0], at=self.start_time), *path[1:]] if path else []
        if status == "STARTJOBING" and self.spec.path is None:
            return path[1:]
        if status == "RELEASE_RESOURCE_STARTED":
            return [Step("RELEASE_RESOURCE_COMPLETE", after=policy.stop_seconds)]
        return []

    def start_path(self, policy: Policy) -> list[Step]:
        """The statuses after an accepted start; the failures that were declared are part of it."""
        spec = self.spec
        if spec.path is not None:
            return list(spec.path)
        start = (_or(spec.start_seconds, policy.start_seconds), _or(spec.start_looks, policy.start_looks))
        full = (_or(spec.full_seconds, policy.full_seconds), _or(spec.full_looks, policy.full_looks))
        steps = [Step("STARTJOBING")]
        if spec.stuck:
            return steps
        if spec.fail_start is not None and spec.fail_start.times != 0:
            return [*steps, Step("START_JOB_FAILED", *start)]
        if spec.task_type == "INCR_TRANS":
            return [*steps, Step("INCRE_TRANSFER_STARTED", *start)]
        steps.append(Step("FULL_TRANSFER_STARTED", *start))
        if spec.fail_full is not None and spec.fail_full.times != 0:
            return [*steps, Step("FULL_TRANSFER_FAILED", *full)]
        steps.append(Step("FULL_TRANSFER_COMPLETE", *full))
        if spec.task_type == "FULL_INCR_TRANS":
            return [*steps, Step("INCRE_TRANSFER_STARTED", after=policy.complete_seconds)]
        # A full task ends by itself.
        return [
            *steps,
            Step("RELEASE_RESOURCE_STARTED", after=policy.complete_seconds),
            Step("RELEASE_RESOURCE_COMPLETE", after=policy.stop_seconds),
        ]

    def follow(self, steps: list[Step], now: float) -> None:
        """Walk these steps from now on, as the outcome of an accepted operation."""
        self.plan = deque(steps)
        self.since, self.updated, self.looks_here = now, now, 0
        self.is_busy = True
        self.settle(now)

    def settle(self, now: float) -> None:
        """Take every step that is due."""
        while self.plan:
            step = self.plan[0]
            due = max(self.since + step.after, step.at or 0.0)
            if now < due or self.looks_here < step.looks:
                return
            self._enter(step.status, now if step.looks else due)
            self.plan.popleft()

    def look(self, now: float) -> str:
        """A status read: some steps wait for a number of them."""
        if self.plan:
            self.settle(now)
        self.looks += 1
        self.looks_here += 1
        return self.status

    def status_at(self, moment: float) -> str:
        """The status at a moment of the past; what came before the declaration nobody knows."""
        return next((status for when, status in reversed(self.history) if when <= moment), self.history[0][1])

    def _enter(self, status: str, when: float) -> None:
        self._stand(status, when)
        if status == "STARTJOBING":
            self.actual_start = when
            self.failed_reason = ""
        elif status == "FULL_TRANSFER_COMPLETE":
            self.full_complete = when
        elif status == "START_JOB_FAILED":
            self._fail(self.spec.fail_start)
        elif status.endswith("_FAILED"):
            self._fail(self.spec.fail_full)

    def _stand(self, status: str, when: float) -> None:
        # A copy that begins anew has nothing yet.
        self.copied = 0 if status in ("CONFIGURATION", "STARTJOBING") else self.progress(when)
        if status in INCREMENTAL and not self.is_incremental:
            self.delay_since = when
        self.status, self.since, self.updated = status, when, when
        self.looks_here, self.is_busy = 0, False
        self.history.append((when, status))
        if len(self.history) > HISTORY_KEPT:
            del self.history[0]

    @property
    def is_incremental(self) -> bool:
        return self.status in INCREMENTAL

    @property
    def silence(self) -> str | None:
        """How DRS keeps silent about the delay, one of the words of `Delay.silent`; None if it tells."""
        return self.delay.silent if self.delay is not None and self.is_incremental else None

    def progress(self, now: float) -> int:
        """Per cent of the full copy; what was copied once stays so."""
        if self.is_incremental or self.status == "FULL_TRANSFER_COMPLETE":
            return 100
        if self.status != "FULL_TRANSFER_STARTED":
            return self.copied
        seconds = (self.plan[0].after if self.plan else 0.0) or self.spec.full_seconds
        percent = int(min(99, 100 * (now - self.since) / seconds)) if seconds else 50
        return max(self.copied, percent)

    def lag_ms(self, now: float) -> tuple[int, int]:
        """RPO and RTO. A delay stands for both, and there is none (-1) outside the incremental phase."""
        if self.delay is None:
            return self.spec.rpo_ms, self.spec.rto_ms
        behind = round(self.delay.after(self._seconds_delayed(now)) * 1000) if self.is_incremental else -1
        return behind, behind

    def change_delay(self, changes: Delay | None, now: float) -> None:
        """From now on; None takes it away."""
        present = self.delay or Delay(seconds=self.spec.rpo_ms / 1000)
        self.delay = None if changes is None else present.changed(changes, present.without_flaps(self._seconds_delayed(now)))
        self.delay_since = now

    def _seconds_delayed(self, now: float) -> float:
        return max(0.0, now - self.delay_since) if self.is_incremental else 0.0

    def _fail(self, failure: Failure | None) -> None:
        failure = failure or Failure()
        self.failed_reason = failure.message or failure.code
        if failure.times:
            failure.times -= 1

    @property
    def is_backward(self) -> bool:
        """The second subtask of dual-active disaster recovery, which waits for the first."""
        return self.spec.role == "backward" and self.spec.parent_id is not None

    def as_dict(self, now: float) -> dict[str, Any]:
        """
        Everything a test may want to know.

        `delay` is as it was set last, and `delay_seconds` what has become of it. `history` has the last statuses since the job
        was declared, oldest first, each with the time at which it began, whether anybody looked or not.
        """
        declared = self.spec.model_dump(exclude={"start_time", "actual_start_time"})
        return declared | {
            "status": self.status,
            "progress": self.progress(now),
            "delay": None if self.delay is None else self.delay.model_dump(),
            "delay_seconds": self.lag_ms(now)[0] / 1000 if self.is_incremental else None,
            "starts": self.starts,
            "start_requests": self.start_requests,
            "retries": self.retries,
            "pauses": self.pauses,
            "stops": self.stops,
            "looks": self.looks,
            "is_busy": self.is_busy,
            "start_time": None if self.start_time is None else str(round(self.start_time * 1000)),
            "actual_start_time": None if self.actual_start is None else str(round(self.actual_start * 1000)),
            "failed_reason": self.failed_reason,
            "history": [list(entry) for entry in self.history],
            "next": [step.status for step in self.plan],
        }


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value
