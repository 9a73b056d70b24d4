"""Start the DRS jobs that the stack's configuration lists, all in one batch."""

import pulumi

from pulumi_drs_start import JobBatchStart

config = pulumi.Config()

nightly = JobBatchStart("nightly", jobs=config.require_object("jobs"), timeout="10m")

pulumi.export("ready", nightly.ready)
pulumi.export("summary", nightly.summary)
pulumi.export("problems", nightly.problems)
