"""Start the DRS jobs whose ids the stack configuration lists, all in one batch."""

import pulumi
from pulumi_drs_start import JobBatchStart

config = pulumi.Config()

nightly = JobBatchStart("nightly", jobs=config.require_object("jobs"), timeout="10m")

pulumi.export("ready", nightly.ready)
pulumi.export("summary", nightly.summary)
pulumi.export("statuses", nightly.job_statuses.apply(lambda rows: {job: row["status"] for job, row in rows.items()}))
