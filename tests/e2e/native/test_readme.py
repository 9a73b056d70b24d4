"""The program in YAML that the README shows."""

from __future__ import annotations

import re

import pytest
import yaml

from pulumi_drs_start.sandbox import Sandbox, make_job
from tests.e2e.conftest import ROOT

from .conftest import YamlStack

pytestmark = pytest.mark.engine


def test_the_program_of_the_readme_runs(sandbox: Sandbox, stack: YamlStack) -> None:
    (text,) = re.findall("```yaml\n(name: .*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    program = yaml.safe_load(text)
    jobs = program["resources"]["nightly"]["properties"]["jobs"]
    sandbox.add_jobs(*(make_job(job if isinstance(job, str) else job["jobId"]) for job in jobs))
    stack.declare(program["resources"], outputs=program["outputs"])

    up = stack.up()

    assert up.exit_code == 0, up.output
    assert "2 jobs: started 1, scheduled 1" in up
    assert stack.outputs() == {"problems": {}}
