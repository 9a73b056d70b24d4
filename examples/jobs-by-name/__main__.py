"""Start every DRS job whose name matches, without knowing a single id."""

import pulumi

from pulumi_drs_start import JobBatchStart, find_jobs

config = pulumi.Config()

found = find_jobs(name=config.require("name"), status="CONFIGURATION")
crm = JobBatchStart("crm", jobs=found)

pulumi.export("names", found.names)
pulumi.export("ready", crm.ready)
pulumi.export("summary", crm.summary)
pulumi.export("statuses", crm.job_statuses.apply(lambda rows: {job_id: row["status"] for job_id, row in rows.items()}))
