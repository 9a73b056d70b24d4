"""Start a batch of DRS jobs at the time of a cut-over, and one of them earlier."""

import pulumi

from pulumi_drs_start import JobBatchStart, JobStartArgs

config = pulumi.Config()

cutover = JobBatchStart(
    "cutover",
    start_time=config.require("start"),  # of every job that has no time of its own
    jobs=[
        *config.require_object("jobs"),
        # The largest database needs a head start.
        JobStartArgs(job_id=config.require("largest"), start_time=config.require("largestStart")),
    ],
)

pulumi.export("ready", cutover.ready)
pulumi.export("summary", cutover.summary)
pulumi.export("start_times", cutover.job_statuses.apply(lambda rows: {job_id: row["start_time"] for job_id, row in rows.items()}))
