"""Start the DRS jobs that the stack's configuration lists, all in one batch."""

import pulumi

from pulumi_drs_start import JobBatchStart

config = pulumi.Config()

nightly = JobBatchStart("nightly", jobs=config.require_object("jobs"), timeout="10m")

pulumi.export("ready", nightly.ready)
pulumi.export("summary", nightly.summary)
pulumi.export("statuses", nightly.job_statuses.apply(lambda rows: {job_id: row["status"] for job_id, row in rows.items()}))
