"""
The baseline: a trivial dynamic resource with plain ids as inputs and outputs as large as ours, which only waits as long as one
has to wait for DRS.

What nobody can avoid: a login per process, a look at the statuses for a preview, a refresh and before an operation, each one
call however many jobs there are; to start them, a call for every hundred, ten at once, then the second a start takes, and a last
look. DRS documents no limit of calls at once; ten are what HTTP libraries commonly keep open.
"""

from __future__ import annotations

import math
import os
import time
import uuid
from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, ResourceProvider

JOBS_PER_CALL, CALLS_AT_ONCE = 100, 10
_INPUTS = {
    "wait_for": "running",
    "timeout": "60m",
    "on_failure": "fail",
    "on_destroy": "leave",
    "resume": False,
    "precheck": False,
}
_logins: list[bool] = []


def _call() -> None:
    time.sleep(float(os.environ["BENCH_LATENCY_SECONDS"]))


def _look() -> None:
    if not _logins:
        _logins.append(True)
        _call()
    _call()


class BaselineProvider(ResourceProvider):
    """Acts by sleeping."""

    serialize_as_secret_always = False

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        _look()
        return CheckResult(news, [])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        return DiffResult(changes=False)

    def create(self, props: dict[str, Any]) -> CreateResult:
        for _ in range(math.ceil(len(props["jobs"]) / JOBS_PER_CALL / CALLS_AT_ONCE)):
            _call()
        time.sleep(float(os.environ["BENCH_START_SECONDS"]))
        _look()
        row = {
            "status": "FULL_TRANSFER_STARTED",
            "phase": "running",
            "outcome": "started",
            "start_time": None,
            "error_code": None,
            "error_message": None,
        }
        outputs = {
            "job_statuses": {job_id: dict(row) for job_id in props["jobs"]},
            "summary": {"running": len(props["jobs"]), "total": len(props["jobs"])},
            "ready": True,
            "__records": {},
        }
        return CreateResult(f"baseline-{uuid.uuid4().hex}", {**props, **outputs})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        _look()
        return ReadResult(id_, props)


class Baseline(Resource, module="bench", name="Baseline"):
    """As large as a JobBatchStart."""

    jobs: pulumi.Output[list]  # type: ignore[type-arg]
    job_statuses: pulumi.Output[dict]  # type: ignore[type-arg]
    summary: pulumi.Output[dict]  # type: ignore[type-arg]
    ready: pulumi.Output[bool]

    def __init__(self, resource_name: str, job_ids: Sequence[str]) -> None:
        outputs = dict.fromkeys(("job_statuses", "summary", "ready"))
        super().__init__(BaselineProvider(), resource_name, {"jobs": sorted(job_ids), **_INPUTS, **outputs})
