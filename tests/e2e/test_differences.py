"""What --diff shows: which jobs will start and which run, and nothing that is only between the program and the provider."""

from __future__ import annotations

import re

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import Run, Stack

pytestmark = pytest.mark.engine

RUNS = "INCRE_TRANSFER_STARTED"
NEW = """\
        already_running: {
            d: "crm-d is in INCRE_TRANSFER_STARTED"
            e: "crm-e is in INCRE_TRANSFER_STARTED"
        }
        jobs           : [
            [0]: "a"
            [1]: "b"
            [2]: "c"
            [3]: "d"
            [4]: "e"
        ]
        max_delay      : "10s"
        on_destroy     : "leave"
        on_failure     : "fail"
        precheck       : false
        resume         : false
        stable_for     : "60s"
        timeout        : "60m"
        to_start       : {
            a: "crm-a is in CONFIGURATION"
            b: "crm-b is in CONFIGURATION"
            c: "crm-c is in CONFIGURATION"
        }
        wait_for       : "running"
Resources:
"""
DRIFT = ["+ to_start  : {", '+ b: "crm-b is in CONFIGURATION"']


def declare(stack: Stack, inputs: str = "") -> None:
    """A resource with jobs that are found, of which one never matches by its status."""
    stack.program(f"""
        jobs = find_jobs(name="crm-*", status=["CONFIGURATION", "FULL_TRANSFER_STARTED", {RUNS!r}])
        JobBatchStart("batch", jobs=jobs{inputs})
    """)


def changes(run: Run) -> list[str]:
    """The lines about inputs and outputs that were added, changed or taken away, in the order in which they are shown."""
    lines = [line.strip() for line in run.output.splitlines()]
    return [line for line in lines if re.match(r"[-+~]+ ?\w.*[:{]", line) and "::" not in line and "pulumi" not in line]


def leaks(*runs: Run) -> list[str]:
    """The lines of displays that show what is only between the program and the provider."""
    internal = re.compile(r"__|\b(place|format|records|found|secret_inputs|unreported_failure|preview) *:")
    return [line for run in runs for line in run.output.splitlines() if internal.search(line)]


@pytest.fixture
def jobs(sandbox: Sandbox) -> Sandbox:
    """Three jobs that are not started, two that run, and one that is paused."""
    sandbox.add_jobs(*(make_job(job_id, name=f"crm-{job_id}") for job_id in "abc"))
    sandbox.add_jobs(*(make_job(job_id, name=f"crm-{job_id}", status=RUNS) for job_id in "de"))
    sandbox.add_jobs(make_job("f", name="crm-f", status="PAUSING"))
    return sandbox


def test_the_first_preview_lists_every_job_and_a_repair_only_those_that_drifted(jobs: Sandbox, stack: Stack) -> None:
    declare(stack)

    new = stack.preview("--diff")

    assert NEW in new, new.output
    up = stack.up("--diff")
    state = stack.resource()
    assert {"__place", "__format", "__records"} <= state["outputs"].keys()
    assert not {"to_start", "already_running", "__found"} & (state["inputs"].keys() | state["outputs"].keys())
    rest = stack.run("up", "--yes", "--diff", "--expect-no-changes")
    assert (rest.exit_code, changes(rest)) == (0, []), rest.output
    jobs.set_status("b", "CONFIGURATION")
    drift, refresh = stack.preview("--diff"), stack.refresh("--preview-only", "--diff")
    assert changes(drift) == DRIFT, drift.output
    assert "to_start" not in refresh
    repair = stack.run("up", "--yes", "--diff")
    assert repair.exit_code == 0, repair.output
    foreseen, done = repair.output.split("Updating")
    assert changes(Run(foreseen, 0)) == DRIFT
    assert "to_start" not in done
    assert stack.rests()
    # What the repair showed is in nothing that is saved, so it does not show again when it is gone.
    declare(stack, ", timeout='5m'")
    other = stack.preview("--diff")
    assert changes(other) == ['~ timeout   : "60m" => "5m"'], other.output
    stack.program(f"JobBatchStart('batch', jobs=list('abcde'), project_id={jobs.account.other_project_id!r})")
    replaced, gone = stack.preview("--diff"), stack.run("destroy", "--preview-only", "--diff")
    assert "(replace)" in replaced
    assert leaks(new, up, rest, drift, refresh, repair, other, replaced, gone) == []


def test_a_refresh_on_the_way_shows_the_statuses_and_what_is_to_be_started(jobs: Sandbox, stack: Stack) -> None:
    declare(stack)
    stack.up()
    jobs.set_status("b", "CONFIGURATION")

    preview, up = stack.preview("--refresh", "--diff"), stack.run("up", "--yes", "--refresh", "--diff")

    seen = [line for line in changes(preview) if "b:" in line or "to_start" in line]
    # Its row, its problem, and what is to be done about it.
    assert seen == ["~ b: {", "+ b: {", *DRIFT], preview.output
    assert up.exit_code == 0, up.output
    assert leaks(preview, up) == []
    assert stack.rests()


def test_an_up_can_be_held_to_the_plan_of_a_preview(jobs: Sandbox, stack: Stack) -> None:
    declare(stack)
    for _ in ("new", "drift"):
        preview = stack.preview("--save-plan=plan.json", PULUMI_EXPERIMENTAL="true")
        up = stack.up("--plan=plan.json", PULUMI_EXPERIMENTAL="true")
        assert (preview.exit_code, up.exit_code) == (0, 0), preview.output + up.output
        jobs.set_status("b", "CONFIGURATION")

    strict = stack.run("up", "--yes", "--strict")

    assert strict.exit_code == 0, strict.output
    assert jobs.job("b")["starts"] == 3
