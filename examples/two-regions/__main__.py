"""Start DRS jobs in several regions with one program: a batch for each."""

import pulumi

from pulumi_drs_start import JobBatchStart

config = pulumi.Config()

summaries = {}
for place in config.require_object("regions"):
    batch = JobBatchStart(
        place["region"],
        jobs=place["jobs"],
        region=place["region"],
        project_id=place["project_id"],
        endpoint=place.get("endpoint"),  # only where it is not the usual one of the region
    )
    summaries[place["region"]] = batch.summary

pulumi.export("summaries", summaries)
