"""Settings that mean nothing are warned of, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import Stack

pytestmark = pytest.mark.engine

TYPO = "drs:regoin is not a setting of DRS; did you mean drs:region?"
LEVEL = 'DRS_LOG must be "debug", "info" or "warning"; got "verbose"'


def test_a_misspelt_setting_is_warned_of_once(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a", name="crm"), make_job("b"))
    stack.run("config", "set", "drs:language", "en-us")
    stack.run("config", "set", "drs:regoin", "eu-de")
    stack.run("config", "set", "other:regoin", "eu-de")
    stack.program("""
        JobBatchStart("one", jobs=find_jobs(name="crm"))
        JobBatchStart("other", jobs=["b"])
        get_job_statuses(["a"])
        find_jobs_output(name=pulumi.Output.from_input("crm"))
    """)

    preview = stack.preview("--json", DRS_LOG="verbose")
    up = stack.up("--json")

    assert preview.exit_code == 0, preview.output
    assert preview.warnings() == [TYPO, LEVEL]
    assert up.warnings() == [TYPO]


def test_settings_that_mean_something_are_not_warned_of(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"))
    stack.run("config", "set", "drs:language", "en-us")
    stack.run("config", "set", "--secret", "drs:password", sandbox.password)
    stack.starts("a")

    assert stack.preview("--json", DRS_LOG="warning").warnings() == []


def test_a_project_of_our_name_has_settings_of_its_own(sandbox: Sandbox, make_stack: Callable[..., Stack]) -> None:
    sandbox.add_jobs(make_job("a"))
    stack = make_stack(sandbox)
    (stack.folder / "Pulumi.yaml").write_text("name: drs\nruntime: python\n")
    stack.run("stack", "init", "dev")
    stack.run("config", "set", "regoin", "eu-de")
    stack.starts("a")

    preview = stack.preview("--json")

    assert preview.exit_code == 0, preview.output
    assert preview.warnings() == []
