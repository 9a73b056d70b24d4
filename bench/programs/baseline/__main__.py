"""The baseline: a resource of the same size that only waits as long as DRS would."""

import json
import os
from pathlib import Path

import pulumi

from bench.baseline import Baseline

batch = Baseline("batch", json.loads(Path(os.environ["BENCH_JOBS"]).read_text()))
pulumi.export("summary", batch.summary)
pulumi.export("ready", batch.ready)
