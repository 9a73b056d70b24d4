"""The DRS jobs that shall run; check.sh says whether `pulumi up` would act on them."""

import pulumi

from pulumi_drs_start import JobBatchStart

config = pulumi.Config()

watched = JobBatchStart("watched", jobs=config.require_object("jobs"))

pulumi.export("ready", watched.ready)
pulumi.export("summary", watched.summary)
