"""Switch an application over when every copy has caught up. Later, and only if asked to, stop the jobs for good."""

from pathlib import Path

import pulumi
from application import Application, used_database

from pulumi_drs_start import JobBatchStart, JobStartArgs, get_job_statuses, require_synced

config = pulumi.Config()
file = str(Path(config.require("application")).resolve())
old, new = config.require("oldDatabase"), config.require("newDatabase")
finish, back = config.get_bool("finish"), config.get_bool("back")

is_switched = used_database(file) == new
if finish and (back or not is_switched):
    raise pulumi.RunError(f"finish is for an application that uses {new} and was seen to work: switch it first, without finish.")


def when_synced(job_ids: list[str]) -> str:
    """The new database, once it has all that the old one has. Else this fails the command, in a preview too."""
    if not job_ids:
        raise pulumi.RunError("The stack that replicates tells of no jobs: run pulumi up there until it succeeds.")
    if is_switched:
        # Jobs that are over must not close the gate for ever. That the application was switched tells that they are meant to
        # be over, and their status does not: a job that somebody stopped too early is over as well. Those that still run have
        # to be synced nevertheless: one that is behind now would lose something when it is stopped.
        rows = get_job_statuses(job_ids)
        job_ids = [job_id for job_id, row in rows.items() if row["phase"] not in ("ended", "missing")]
    if job_ids:
        # Nobody writes to the source any more, so nothing is left to be behind with.
        require_synced(job_ids, max_delay="0s")
    return new


job_ids = pulumi.StackReference(config.require("replicate")).get_output("job_ids")
application = Application("application", file=file, database=old if back else job_ids.apply(when_synced))

if finish:
    JobBatchStart(
        "finished",
        jobs=job_ids.apply(lambda ids: [JobStartArgs(job_id=job_id, desired_state="stopped") for job_id in ids]),
        opts=pulumi.ResourceOptions(depends_on=[application]),
    )

pulumi.export("database", application.database)
