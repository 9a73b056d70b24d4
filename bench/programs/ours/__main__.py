"""Ours: one resource for all jobs."""

import json
import os
from pathlib import Path

import pulumi

from pulumi_drs_start import JobBatchStart

batch = JobBatchStart("batch", jobs=json.loads(Path(os.environ["BENCH_JOBS"]).read_text()))
pulumi.export("summary", batch.summary)
pulumi.export("ready", batch.ready)
