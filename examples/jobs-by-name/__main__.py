"""Start every DRS job whose name matches, without knowing a single id."""

import pulumi

from pulumi_drs_start import JobBatchStart, find_jobs

config = pulumi.Config()

found = find_jobs(name=config.require("name"), status="CONFIGURATION")
crm = JobBatchStart("crm", jobs=found)

pulumi.export("names", found.names)
pulumi.export("ready", crm.ready)
pulumi.export("summary", crm.summary)
pulumi.export("problems", crm.problems)
