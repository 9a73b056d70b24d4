"""From the resource of Python programs to the one of any language, as `docs/guides/other-languages.md` tells it."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job
from tests.docs.pages import read
from tests.e2e.conftest import Stack, actions

from .conftest import TYPE, YamlStack

pytestmark = pytest.mark.engine

SECTION = read("guides/other-languages.md").partition("## Moving from the Python resource")[2]
# With the project of these stacks in place of the one there.
COMMANDS = [shlex.split(line.replace("::nightly-jobs::", "::jobs::")) for line in re.findall(r"^ *pulumi (.*)", SECTION, re.M)]
SHOW, IMPORT, DELETE, PREVIEW, UP = COMMANDS
OLD = DELETE[-1]
RUNNING, SCHEDULED, PAUSED = IMPORT[3].split(",")
TIME = "2099-12-01T01:00:00Z"


def test_a_stack_moves_over_and_no_job_is_touched(sandbox: Sandbox, stack: YamlStack, warm: Path) -> None:
    # While the old resource is in the state, Pulumi starts its provider with every command.
    stack.environment["PATH"] = os.pathsep.join([str(warm), stack.environment["PATH"]])
    python = Stack(stack.folder, stack.environment)
    sandbox.add_jobs(make_job(RUNNING), make_job(SCHEDULED), make_job(PAUSED, status="INCRE_TRANSFER_STARTED"))
    python.program(f"""
        jobs = [
            {RUNNING!r},
            JobStartArgs(job_id={SCHEDULED!r}, start_time={TIME!r}),
            JobStartArgs(job_id={PAUSED!r}, desired_state="paused"),
        ]
        JobBatchStart("nightly", jobs=jobs, on_destroy="stop")
    """)
    assert python.up().exit_code == 0
    before = actions(sandbox)
    assert {operation for operation, *_ in before} == {"batch-starting", "batch-pause-task"}

    jobs = [RUNNING, {"jobId": SCHEDULED, "startTime": TIME}, {"jobId": PAUSED, "desiredState": "paused"}]
    stack.declare(
        {"nightly": {"type": TYPE, "properties": {"jobs": jobs, "onDestroy": "stop"}}},
        outputs={"statuses": "${nightly.jobStatuses}"},
    )
    assert OLD in stack.run(*SHOW)
    for command in ([*IMPORT, "--yes"], [*DELETE, "--yes"], PREVIEW, [*UP, "--yes"]):
        done = stack.run(*command)
        assert done.exit_code == 0, done.output
    assert "3 jobs: unchanged 3" in done

    assert actions(sandbox) == before
    assert stack.rests()
    assert "pulumi-python" not in stack.run("stack", "export")
    assert {row["outcome"] for row in stack.outputs()["statuses"].values()} == {"unchanged"}

    # What the old resource has paused, the new one takes for a pause of somebody else.
    stack.declare({"nightly": {"type": TYPE, "properties": {"jobs": [RUNNING, PAUSED], "startTime": TIME}}})
    assert f"job {PAUSED} is paused and stays paused" in stack.preview()
