"""Resume what was paused or failed, start what can be started, and say what becomes of the jobs with the stack."""

import pulumi

from pulumi_drs_start import JobBatchStart, JobStatus

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


def failures(rows: dict[str, JobStatus]) -> dict[str, str | None]:
    """Each failed job and the reason."""
    return {job_id: row["error_message"] for job_id, row in rows.items() if row["outcome"] == "failed"}


for name, batch in {"rehearsal": rehearsal, "production": production}.items():
    pulumi.export(f"{name}_ready", batch.ready)
    pulumi.export(f"{name}_failures", batch.job_statuses.apply(failures))
