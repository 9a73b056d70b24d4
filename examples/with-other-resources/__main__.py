"""Start DRS jobs that another resource of this program makes: their ids are not known before."""

import pulumi
from drs_task import DrsTask

from pulumi_drs_start import JobBatchStart

config = pulumi.Config()

tasks = [DrsTask(name, existing_job=job_id) for name, job_id in sorted(config.require_object("tasks").items())]

migration = JobBatchStart("migration", jobs=[task.id for task in tasks])

pulumi.export("ready", migration.ready)
pulumi.export("summary", migration.summary)
