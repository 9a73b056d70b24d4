"""The public names, used as programs use them. mypy reads this file; nothing runs it."""

from __future__ import annotations

import pulumi

from pulumi_drs_start import JobBatchStart, JobStartArgs, JobStartArgsDict

made: pulumi.Output[str] = pulumi.Output.from_input("9f1c6f6e-5d5e-4d8c-9a1e-1268453jb101")
row: JobStartArgsDict = {"job_id": made}

by_id = JobBatchStart("by-id", jobs=["9f1c6f6e-5d5e-4d8c-9a1e-1268453jb101", made])
mixed = JobBatchStart(
    "mixed",
    jobs=[JobStartArgs(job_id=made), row, {"job_id": "9f1c6f6e-5d5e-4d8c-9a1e-1268453jb101"}, made],
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
