"""Start a batch of DRS jobs, and wait until every copy has caught up with its source."""

import pulumi

from pulumi_drs_start import JobBatchStart

config = pulumi.Config()

replication = JobBatchStart(
    "replication",
    jobs=config.require_object("jobs"),
    wait_for="synced",
    stable_for=config.get("stableFor") or "60s",
    timeout=config.get("timeout") or "8h",
)

# Pulumi writes outputs when an `up` succeeds: the other stack has no jobs to ask for until all of these have caught up once.
pulumi.export("job_ids", replication.job_statuses.apply(sorted))
pulumi.export("ready", replication.ready)
pulumi.export("statuses", replication.job_statuses)
pulumi.export("problems", replication.problems)
