"""Inputs of YAML programs: what is wrong with them, and what is secret."""

from __future__ import annotations

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import TYPE, YamlStack

pytestmark = pytest.mark.engine


def test_every_problem_is_told_in_the_spelling_of_the_program(stack: YamlStack) -> None:
    jobs = ["crm orders", "a", "a", {"jobId": "b", "startTime": "tomorrow"}]
    stack.declare({"batch": {"type": TYPE, "properties": {"jobs": jobs, "timeout": "soon", "stableFor": "never"}}})

    refused = stack.preview()

    assert refused.exit_code != 0
    for text in (
        'jobs[0] "crm orders" is not a job id (36 characters, as the DRS console shows it); to use a name: findJobs with name',
        'jobs[2] "a" is the same job as jobs[1]',
        "jobs[3].startTime must be a time such as",
        'timeout must be a duration such as "90s"',
        'stableFor must be a duration such as "90s"',
    ):
        assert text in refused, refused.output


def test_ids_that_drs_does_not_know_are_told_before_and_after(stack: YamlStack) -> None:
    stack.starts("crm-orders")

    assert stack.preview("--json").diagnostics() == [
        "will start no job",
        "warning: can't start job crm-orders: it is not known to DRS. "
        '"crm-orders" is not a job id (36 characters); to use a name: findJobs with name: crm-orders.',
    ]
    failed = stack.up()
    assert failed.exit_code != 0
    assert "job crm-orders could not be started: DRS.M05003: The task does not exist." in failed


def test_secret_jobs_are_encrypted_wherever_they_are_repeated(sandbox: Sandbox, stack: YamlStack) -> None:
    sandbox.add_jobs(make_job("hidden-job", name="hidden-name"), make_job("other-job"))
    stack.declare(
        {"batch": {"type": TYPE, "properties": {"jobs": ["${hidden}", "other-job"]}}},
        variables={"hidden": {"fn::secret": "hidden-job"}},
        outputs={"statuses": "${batch.jobStatuses}", "ready": "${batch.ready}"},
    )

    told = stack.preview("--diff").output + stack.up().output + stack.run("stack", "export").output

    assert "2 jobs: started 2" in told
    assert "hidden" not in told
    assert stack.outputs()["statuses"].keys() == {"hidden-job", "other-job"}
    assert stack.rests()
