"""The public names, used as programs use them. mypy and pyright read this file; nothing runs it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from itertools import chain
from typing import Literal

import pulumi
from typing_extensions import assert_type

from pulumi_drs_start import (
    BatchSummary,
    CurrentJobStatus,
    DbUseType,
    DesiredState,
    FoundJobs,
    JobBatchStart,
    JobStart,
    JobStartArgs,
    JobStartArgsDict,
    JobStatus,
    OnDestroy,
    OnFailure,
    Outcome,
    Phase,
    WaitFor,
    find_jobs,
    find_jobs_output,
    get_job_statuses,
    get_job_statuses_output,
    require_synced,
    require_synced_output,
)

A, B = "9f1c6f6e-5d5e-4d8c-9a1e-1268453jb101", "0b7d3a52-8f0e-4c39-a1f7-7d0c5e2jb101"
made: pulumi.Output[str] = pulumi.Output.from_input(A)
config = pulumi.Config()


# Every input, as a value and as an Output.

by_id = JobBatchStart("by-id", jobs=[A, made])
all_inputs = JobBatchStart(
    "all-inputs",
    jobs=[JobStartArgs(job_id=made, desired_state="paused", start_time=1796086800000)],
    start_time="2026-12-01T02:00:00+01:00",
    wait_for="accepted",
    timeout="30m",
    resume=True,
    precheck=False,
    on_failure="record",
    on_destroy="leave",
    region="eu-de",
    project_id=made,
    endpoint="https://drs.example.com",
    cloud="otc",
    opts=pulumi.ResourceOptions(depends_on=[by_id]),
)
wait_for: WaitFor = "running"
on_failure: OnFailure = "fail"
on_destroy: OnDestroy = "pause"
desired_state: DesiredState = "stopped"
start_time: str | int | datetime = 1796086800000
from_variables = JobBatchStart(
    "from-variables",
    jobs=[{"job_id": A, "desired_state": desired_state, "start_time": start_time}],
    start_time=start_time,
    wait_for=wait_for,
    on_failure=on_failure,
    on_destroy=on_destroy,
    resume=config.get_bool("resume"),
    region=config.get("region"),
)


midnight = datetime(2026, 12, 1, tzinfo=timezone.utc)
JobBatchStart("at", jobs=[JobStartArgs(job_id=A, start_time=midnight)], start_time=midnight)
JobBatchStart("at-in-a-dict", jobs=[{"job_id": B, "start_time": midnight}])
JobBatchStart("at-an-output", jobs=[A], start_time=made.apply(datetime.fromisoformat))
JobBatchStart("jobs-at-an-output", jobs=made.apply(lambda job_id: [JobStartArgs(job_id=job_id, start_time=midnight)]))


# Jobs in whatever a program has them.

strings = [A, B]
outputs = [made, made]
args = [JobStartArgs(job_id=A), JobStartArgs(job_id=made)]
dicts: list[JobStartArgsDict] = [{"job_id": A}, {"job_id": made, "desired_state": "stopped"}]
read_only: Sequence[str] = strings
by_name: dict[str, str] = {"crm": A, "billing": B}


def generated() -> Iterator[JobStartArgs]:
    yield JobStartArgs(job_id=A)


JobBatchStart("of-strings", jobs=strings)
JobBatchStart("of-outputs", jobs=outputs)
JobBatchStart("of-args", jobs=args)
JobBatchStart("of-dicts", jobs=dicts)
JobBatchStart("of-a-sequence", jobs=read_only)
JobBatchStart("of-values", jobs=by_name.values())
JobBatchStart("of-keys", jobs={A: "crm"}.keys())
JobBatchStart("tuple-of-strings", jobs=(A, B))
JobBatchStart("tuple-of-args", jobs=tuple(args))
JobBatchStart("tuple-of-dicts", jobs=({"job_id": A}, {"job_id": made}))
JobBatchStart("set-of-strings", jobs={A, B})
JobBatchStart("set-of-args", jobs={JobStartArgs(job_id=A)})
JobBatchStart("frozen", jobs=frozenset(strings))
JobBatchStart("generated-strings", jobs=(job_id for job_id in strings))
JobBatchStart("generated-args", jobs=generated())
JobBatchStart("generated-dicts", jobs=(JobStartArgsDict(job_id=job_id, desired_state="paused") for job_id in strings))
JobBatchStart("comprehended-dicts", jobs=[{"job_id": job_id, "start_time": start_time} for job_id in strings])
JobBatchStart("mixed", jobs=[A, made, JobStartArgs(job_id=A), {"job_id": A}, {"job_id": made, "start_time": made}])
JobBatchStart("unpacked", jobs=[*strings, *args, *dicts])
JobBatchStart("chained", jobs=chain(strings, args))
JobBatchStart("mapped", jobs=map(str.lower, strings))
JobBatchStart("mixed-set", jobs={A, made, JobStartArgs(job_id=B)})
JobBatchStart("united", jobs={A: "crm"}.keys() | {B})
JobBatchStart("one-item", jobs=(dicts[0], A))
JobBatchStart("sum", jobs=[*find_jobs(name="crm-*"), JobStartArgs(job_id=B)])
JobBatchStart("from-configuration", jobs=config.require_object("jobs"))
JobBatchStart("an-output-of-a-list", jobs=pulumi.Output.from_input(strings))
JobBatchStart("all-outputs", jobs=pulumi.Output.all(made, made))
JobBatchStart("applied", jobs=made.apply(lambda job_id: [job_id]))
JobBatchStart("applied-set", jobs=made.apply(lambda job_id: {job_id}))
JobBatchStart("applied-args", jobs=made.apply(lambda job_id: [JobStartArgs(job_id=job_id)]))
JobBatchStart("applied-dicts", jobs=made.apply(lambda job_id: [JobStartArgsDict(job_id=job_id)]))


def jobs_in_variables(
    mixed: list[str | JobStartArgs],
    either: list[str] | list[JobStartArgs],
    any_items: Sequence[str | JobStartArgs | JobStartArgsDict],
    queue: deque[str],
    frozen_outputs: frozenset[pulumi.Output[str]],
    args_outputs: list[pulumi.Output[JobStartArgs]],
    dict_outputs: tuple[pulumi.Output[JobStartArgsDict], ...],
    inputs: list[pulumi.Input[str]],
    input_of_inputs: pulumi.Input[Sequence[pulumi.Input[str]]],
    output_of_dicts: pulumi.Output[list[JobStartArgsDict]],
    output_of_args: pulumi.Output[tuple[JobStartArgs, ...]],
    output_of_set: pulumi.Output[set[str]],
) -> None:
    JobBatchStart("v", jobs=mixed)
    JobBatchStart("v", jobs=either)
    JobBatchStart("v", jobs=any_items)
    JobBatchStart("v", jobs=queue)
    JobBatchStart("v", jobs=frozen_outputs)
    JobBatchStart("v", jobs=args_outputs)
    JobBatchStart("v", jobs=dict_outputs)
    JobBatchStart("v", jobs=inputs)
    JobBatchStart("v", jobs=input_of_inputs)
    JobBatchStart("v", jobs=output_of_dicts)
    JobBatchStart("v", jobs=output_of_args)
    JobBatchStart("v", jobs=output_of_set)


# Outputs, and what an apply sees of them.

assert_type(by_id.job_statuses, pulumi.Output[dict[str, JobStatus]])
assert_type(by_id.summary, pulumi.Output[BatchSummary])
assert_type(by_id.ready, pulumi.Output[bool])
assert_type(by_id.jobs, pulumi.Output[list[JobStart]])
assert_type(by_id.wait_for, pulumi.Output[WaitFor])
assert_type(by_id.timeout, pulumi.Output[str])
assert_type(by_id.resume, pulumi.Output[bool])
assert_type(by_id.precheck, pulumi.Output[bool])
assert_type(by_id.on_failure, pulumi.Output[OnFailure])
assert_type(by_id.on_destroy, pulumi.Output[OnDestroy])
assert_type(by_id.region, pulumi.Output[str | None])
assert_type(by_id.project_id, pulumi.Output[str | None])
assert_type(by_id.endpoint, pulumi.Output[str | None])
assert_type(by_id.start_time, pulumi.Output[str | None])
assert_type(by_id.cloud, pulumi.Output[str | None])

assert_type(by_id.job_statuses.apply(lambda rows: rows[A]["status"]), pulumi.Output[str])
assert_type(by_id.job_statuses.apply(lambda rows: rows[A]), pulumi.Output[JobStatus])
assert_type(
    by_id.job_statuses.apply(lambda rows: {key: row["status"] for key, row in rows.items()}), pulumi.Output[dict[str, str]]
)
assert_type(
    by_id.job_statuses.apply(lambda rows: [key for key in rows if rows[key]["phase"] == "failed"]), pulumi.Output[list[str]]
)
assert_type(by_id.summary.apply(lambda summary: summary["total"]), pulumi.Output[int])
assert_type(by_id.summary.apply(lambda summary: summary.get("failed", 0)), pulumi.Output[int])
assert_type(by_id.jobs.apply(lambda jobs: jobs[0]["job_id"]), pulumi.Output[str])


def failures(rows: Mapping[str, JobStatus]) -> dict[str, str | None]:
    return {job_id: row["error_message"] for job_id, row in rows.items() if row["outcome"] == "failed"}


def row_in_full(row: JobStatus) -> None:
    assert_type(row["name"], str | None)
    assert_type(row["status"], str)
    assert_type(row["phase"], Phase)
    assert_type(row["outcome"], Outcome)
    assert_type(row["start_time"], str | None)
    assert_type(row["error_code"], str | None)
    assert_type(row["error_message"], str | None)


def is_stuck(row: CurrentJobStatus) -> bool:
    return row["phase"] in ("failed", "paused", "start_failed")


pulumi.export("failures", by_id.job_statuses.apply(failures))
pulumi.export("stuck", by_id.job_statuses.apply(lambda rows: [job_id for job_id, row in rows.items() if is_stuck(row)]))


# Functions.

kind: DbUseType = "cloudDataGuard"
found = find_jobs(name="crm-*", status="CONFIGURATION", db_use_type=["migration", "sync"], tags={"env": "prod"})
assert_type(found, FoundJobs)
ids: list[str] = found
told: tuple[str, tuple[str, ...], Mapping[str, str], int] = (found.query, found.other_status, found.names, found.of_total)
find_jobs(status=("CONFIGURATION", "PAUSING"), db_use_type=kind, engine_type="mysql", enterprise_project_id="0", timeout="90s")
find_jobs(status={"CONFIGURATION"}, db_use_type={"migration"}, region="eu-de", project_id=A, endpoint="https://x", cloud="otc")
JobBatchStart("found", jobs=found)

found_later = find_jobs_output(name=made, status=["CONFIGURATION", made], tags={"env": made}, db_use_type="sync", region="eu-de")
assert_type(found_later, pulumi.Output[FoundJobs])
JobBatchStart("found-later", jobs=found_later)
assert_type(found_later.apply(lambda jobs: jobs[0]), pulumi.Output[str])
assert_type(found_later.apply(lambda jobs: jobs.other_status), pulumi.Output[tuple[str, ...]])

statuses = get_job_statuses(found, project_id="0123456789abcdef0123456789abcdef", timeout="90s")
assert_type(statuses, dict[str, CurrentJobStatus])
assert_type(statuses[A]["name"], str | None)
assert_type(statuses[A]["status"], str)
assert_type(statuses[A]["phase"], Phase)
assert_type(statuses[A]["error_code"], str | None)
assert_type(statuses[A]["error_message"], str | None)
get_job_statuses((A, B))
get_job_statuses({A, B})
get_job_statuses(job_id for job_id in strings)
get_job_statuses(by_name.values())

assert_type(statuses[A]["progress"], int | None)
assert_type(statuses[A]["delay_seconds"], int | None)
get_job_statuses(found, progress=True)
assert_type(require_synced(found, max_delay="30s"), dict[str, CurrentJobStatus])
assert_type(require_synced_output(found_later, max_delay=made), pulumi.Output[dict[str, CurrentJobStatus]])

statuses_later = get_job_statuses_output([A, made], endpoint=made)
assert_type(statuses_later, pulumi.Output[dict[str, CurrentJobStatus]])
assert_type(statuses_later.apply(lambda rows: rows[A]["error_code"]), pulumi.Output[str | None])
get_job_statuses_output(found_later)
get_job_statuses_output((A, made), timeout=made)
get_job_statuses_output({A, B})
get_job_statuses_output(job_id for job_id in outputs)
get_job_statuses_output(made.apply(lambda job_id: {job_id}))
find_jobs_output(status=made.apply(lambda status: [status]), tags=made.apply(lambda env: {"env": env}))


# An argument of a job can be read and changed.

first = JobStartArgs(job_id=made, start_time=start_time)
first.desired_state = "paused"
assert_type(first.job_id, pulumi.Input[str])


# Words are told from texts.

phases: tuple[Phase, ...] = ("pending", "startable", "scheduled", "starting", "running", "paused")
more: tuple[Phase, ...] = ("failed", "start_failed", "ended", "dead", "missing")
word: Literal["running", "accepted", "synced"] = wait_for
