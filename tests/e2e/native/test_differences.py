"""What a preview shows as changing, and what it says on the resource's row."""

from __future__ import annotations

import re

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import YamlStack

pytestmark = pytest.mark.engine


def changes(text: str) -> list[str]:
    """The lines of a difference that change something, without the blanks before them."""
    return [line.strip() for line in text.splitlines() if re.match(r" +[~+-] (\[|\w+ *: )", line)]


def test_a_difference_names_the_jobs_and_the_inputs_that_change_and_nothing_else(sandbox: Sandbox, stack: YamlStack) -> None:
    sandbox.add_jobs(*(make_job(job_id) for job_id in "abc"))
    stack.starts("a", "b")
    stack.up()
    sandbox.add_jobs(make_job("b", name="crm-b"))

    drifted = stack.preview("--diff")
    assert changes(drifted.output) == ["~ jobs: [", '~ [1]: "b" => "b"']
    assert "will start 1 job: crm-b (b); 1 job is running" in drifted

    stack.starts("b", "c", timeout="30m")
    other = stack.preview("--diff")
    # At the second place of the lists, where b was before, c is new: b itself is not what is declared.
    assert changes(other.output) == ["~ jobs   : [", '+ [0]: "b"', '+ [1]: "c"', '~ timeout: "60m" => "30m"'], other.output
    assert "stops managing job a, which is left as it is" in other


def test_another_project_replaces_the_resource(sandbox: Sandbox, stack: YamlStack) -> None:
    other = sandbox.account.other_project_id
    sandbox.add_jobs(make_job("a"), make_job("b", project_id=other))
    stack.starts("a")
    stack.up()
    stack.starts("b", projectId=other)

    preview = stack.preview("--diff")

    assert "(replace)" in preview
    assert f'+ projectId: "{other}"' in preview.output.replace("+-", "+").replace("  ", " ")
