"""
`examples/typescript`: the quickstart with a library made from the schema. The programs of the README and of the guide to other
languages are compiled with it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job
from tests.docs.pages import texts
from tests.e2e.native.libraries import make_library

from .conftest import Project, jobs_in_readme, link_plugin, run_through

_LOUDLY = "WARNING: NOTHING IN TYPESCRIPT WAS RUN, as there is no Node.js with npm"
pytestmark = [pytest.mark.engine, pytest.mark.skipif(shutil.which("npm") is None, reason=_LOUDLY)]


@pytest.fixture
def project(engine: str, make_example: Callable[[str], Project]) -> Project:
    """The project as its README sets it up. npm compiles the library, strictly."""
    project = make_example("typescript")
    link_plugin(project.folder)
    make_library(engine, "nodejs", project.folder / "sdks", project.environment)
    installed = project.run("npm", "ci", seconds=400)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    return project


def test_it_compiles_and_starts_the_jobs_once(project: Project, sandbox: Sandbox) -> None:
    sandbox.add_jobs(*map(make_job, jobs_in_readme("typescript")))
    project.follow_readme()
    assert mistakes(project) == ""

    run_through(project, sandbox)

    (short,) = texts("../README.md", "typescript")
    assert mistakes(project, short) == ""
    (program,) = texts("guides/other-languages.md", "typescript")
    assert mistakes(project, program) == ""
    assert """Type '"retry"' is not assignable""" in mistakes(project, program.replace('"record"', '"retry"'))
    assert "'start_time' does not exist" in mistakes(project, program.replace("startTime", "start_time"))


def mistakes(project: Project, program: str | None = None) -> str:
    """What the compiler says, of this program or the project's own."""
    if program is not None:
        (project.folder / "index.ts").write_text(program, encoding="utf-8")
    return project.run("npx", "tsc").stdout
