"""From the dynamic resource of a Python program to the plugin, without touching a job."""

from __future__ import annotations

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job
from tests.e2e.conftest import Stack, actions

from .conftest import TYPE, YamlStack

pytestmark = pytest.mark.engine


def test_jobs_move_over_by_an_import_and_the_removal_of_the_old_resource_from_the_state(
    sandbox: Sandbox, stack: YamlStack
) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    python = Stack(stack.folder, stack.environment)
    python.starts("a", "b", on_destroy="stop")
    assert python.up().exit_code == 0
    before = actions(sandbox)

    stack.declare({})
    assert stack.run("import", TYPE, "batch", "a,b", "--yes", "--protect=false").exit_code == 0
    assert stack.run("state", "delete", python.urn("batch"), "--yes").exit_code == 0
    stack.starts("a", "b", onDestroy="stop")
    moved = stack.up()

    assert moved.exit_code == 0, moved.output
    assert stack.rests()
    assert actions(sandbox) == before
