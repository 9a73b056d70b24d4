"""Resume what was paused or failed, start what can be started, and say what becomes of the jobs with the stack."""

import pulumi

from pulumi_drs_start import JobBatchStart

config = pulumi.Config()

rehearsal = JobBatchStart(
    "rehearsal",
    jobs=config.require_object("rehearsal"),
    resume=True,
    on_failure="record",
    on_destroy="stop",  # final: DRS never starts a stopped job again
    opts=pulumi.ResourceOptions(protect=config.get_bool("protect", True)),
)

production = JobBatchStart(
    "production",
    jobs=config.require_object("production"),
    resume=True,
    on_failure="record",
    on_destroy="pause",
)


for name, batch in {"rehearsal": rehearsal, "production": production}.items():
    pulumi.export(f"{name}_ready", batch.ready)
    pulumi.export(f"{name}_problems", batch.problems)
