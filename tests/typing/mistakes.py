"""
Mistakes that mypy and pyright see. Both read this file; nothing runs it.

Each mistake has a comment for either, and a comment without its error is an error.
"""

from __future__ import annotations

from datetime import date

import pulumi

from pulumi_drs_start import (
    JobBatchStart,
    JobStartArgs,
    JobStartArgsDict,
    JobStatus,
    find_jobs,
    find_jobs_output,
    get_job_statuses,
    get_job_statuses_output,
    require_synced,
)

A = "9f1c6f6e-5d5e-4d8c-9a1e-1268453jb101"
made: pulumi.Output[str] = pulumi.Output.from_input(A)
batch = JobBatchStart("batch", jobs=[A])

# No list, or not of jobs.
JobBatchStart("m", jobs=A)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
JobBatchStart("m", jobs=made)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
JobBatchStart("m", jobs={"job_id": A})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
JobBatchStart("m", jobs=JobStartArgs(job_id=A))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
JobBatchStart("m", jobs=[17])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
JobBatchStart("m", jobs=[batch])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
JobBatchStart("m", jobs=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
JobBatchStart("m")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
JobBatchStart("m", [A])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
JobBatchStart("m", jobs={17})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
JobBatchStart("m", jobs=(17,))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
JobBatchStart("m", jobs=(number for number in (1, 2)))  # type: ignore[misc]  # pyright: ignore[reportArgumentType]
JobBatchStart("m", jobs=made.apply(lambda it: [len(it)]))  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
JobBatchStart("m", jobs=[JobStartArgs(job_id=17)])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
get_job_statuses(A)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
get_job_statuses([made])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
get_job_statuses_output(made)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# Outputs where values are asked for.
find_jobs(name=made)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
find_jobs(status=made)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
find_jobs(tags={"env": made})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]

# Words that are none.
JobBatchStart("m", jobs=[A], wait_for="runing")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
JobBatchStart("m", jobs=[A], on_failure="ignore")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
JobBatchStart("m", jobs=[A], on_destroy="delete")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
JobStartArgs(job_id=A, desired_state="pause")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
JobBatchStart("m", jobs=[{"job_id": A, "desired_state": "pause"}])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
find_jobs(db_use_type="dr")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
find_jobs_output(db_use_type=made)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
find_jobs(db_use_type=["dr"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]

# Names that are none.
JobBatchStart("m", jobs=[A], on_fail="record")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
JobBatchStart("m", jobs=[{"job_id": A, "desired_sate": "paused"}])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
JobBatchStart("m", jobs=[{"start_time": "2026-12-01T02:00:00Z"}])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
JobStartArgs(A)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
job: JobStartArgsDict = {"job_id": A, "state": "paused"}  # type: ignore[typeddict-unknown-key]  # pyright: ignore[reportAssignmentType]
find_jobs(tag={"env": "prod"})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]

# Times, flags and texts.
JobBatchStart("m", jobs=[A], timeout=30)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
JobBatchStart("m", jobs=[A], resume="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
JobBatchStart("m", jobs=[A], start_time=3.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
JobBatchStart("m", jobs=[A], start_time=date(2026, 12, 1))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
JobStartArgs(job_id=A).desired_state = "pause"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
JobStartArgs(job_id=A, start_time=[1])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
require_synced([A], max_delay=10)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
get_job_statuses([A], progress="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# Rows.
rows, summary = batch.job_statuses, batch.summary
rows.apply(lambda it: it[A]["statsu"])  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownLambdaType]
rows.apply(lambda it: it[A].status)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownLambdaType]
summary.apply(lambda it: it["runing"])  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownLambdaType]
batch.jobs.apply(lambda it: it[0]["id"])  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownLambdaType]
pulumi.export("m", batch.redy)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
len(find_jobs().queries)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
get_job_statuses([A])[A]["outcome"]  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]


def see(row: JobStatus) -> None:
    if row["phase"] == "runing":  # type: ignore[comparison-overlap]  # pyright: ignore[reportUnnecessaryComparison]
        pass
    len(row["error_message"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
