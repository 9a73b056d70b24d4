"""The public names, used as programs use them. mypy reads this file; nothing runs it."""

from __future__ import annotations

import pulumi

from pulumi_drs_start import (
    FoundJobs,
    JobBatchStart,
    JobStartArgs,
    JobStartArgsDict,
    find_jobs,
    find_jobs_output,
    get_job_statuses,
    get_job_statuses_output,
)

made: pulumi.Output[str] = pulumi.Output.from_input("9f1c6f6e-5d5e-4d8c-9a1e-1268453jb101")
row: JobStartArgsDict = {"job_id": made, "desired_state": "stopped"}

by_id = JobBatchStart("by-id", jobs=["9f1c6f6e-5d5e-4d8c-9a1e-1268453jb101", made])
mixed = JobBatchStart(
    "mixed",
    jobs=[JobStartArgs(job_id=made, desired_state="paused"), row, {"job_id": "9f1c6f6e-5d5e-4d8c-9a1e-1268453jb101"}, made],
    wait_for="accepted",
    timeout="30m",
    on_failure="record",
    on_destroy="leave",
    region="eu-de",
    project_id=made,
    endpoint="https://drs.example.com",
    opts=pulumi.ResourceOptions(depends_on=[by_id]),
)
all_at_once = JobBatchStart("later", jobs=made.apply(lambda job_id: [job_id]))

ready: pulumi.Output[bool] = mixed.ready
pulumi.export("statuses", mixed.job_statuses)
pulumi.export("summary", mixed.summary)

found: FoundJobs = find_jobs(name="crm-*", status="CONFIGURATION", db_use_type=["migration", "sync"], tags={"env": "prod"})
ids: list[str] = found
told: tuple[str, tuple[str, ...], int] = (found.query, found.other_status, found.of_total)
of_found = JobBatchStart("found", jobs=found)
found_later: pulumi.Output[FoundJobs] = find_jobs_output(
    name=made, status=["CONFIGURATION", made], tags={"env": made}, region="eu-de"
)
of_found_later = JobBatchStart("found-later", jobs=found_later)

