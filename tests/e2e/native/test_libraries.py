"""
The library for Python that is made from the schema compiles, and its types know what a program may say.

That for TypeScript is compiled with `examples/typescript`. Python programs need no library; those of teams who use the plugin in
several languages may have it all the same.
"""

from __future__ import annotations

import compileall
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import environment_of

from .libraries import make_library

pytestmark = pytest.mark.engine

PROGRAM = """
import pulumi_drs as drs

paused = drs.JobStartArgs(job_id="b", desired_state=drs.DesiredState.PAUSED)
batch = drs.JobBatchStart("batch", jobs=["a", paused], on_failure=drs.OnFailure.RECORD)
found = drs.find_jobs(name="crm-*", status="CONFIGURATION").job_ids
drs.JobBatchStart("found", jobs=found)
batch.ready.apply(lambda ready: not ready)
"""


@pytest.fixture
def library(engine: str, tmp_path: Path) -> Path:
    environment = {**environment_of(engine), "PULUMI_HOME": str(tmp_path / "home")}
    return make_library(engine, "python", tmp_path, environment)


def checked(library: Path, program: str) -> str:
    """What mypy says of a program; the code that Pulumi makes is not as strict as itself."""
    (library / "program.py").write_text(program)
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--cache-dir=.mypy", "program.py"]
    return subprocess.run(command, cwd=library, capture_output=True, text=True, timeout=300).stdout


def test_it_compiles(library: Path) -> None:
    assert compileall.compile_dir(library, quiet=1)


def test_a_program_checks_and_a_wrong_one_does_not(library: Path) -> None:
    assert "Success" in checked(library, PROGRAM)
    wrong = checked(library, PROGRAM.replace("jobs=found", "jobs=1"))
    assert 'No overload variant of "JobBatchStart" matches argument types "str", "int"' in wrong
