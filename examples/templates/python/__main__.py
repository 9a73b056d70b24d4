"""Start the DRS jobs that the stack's configuration lists, all in one batch."""

import pulumi

from pulumi_drs_start import JobBatchStart

config = pulumi.Config()
job_ids = [job_id.strip() for job_id in config.require("jobs").split(",")]

started = JobBatchStart("jobs", jobs=job_ids, timeout="10m")

pulumi.export("ready", started.ready)
pulumi.export("summary", started.summary)
pulumi.export("problems", started.problems)
