"""Where the jobs or a time are secret, nothing that is stored or printed repeats them."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id

from .conftest import Run, Stack, both_fronts
from .programs import Expression, secret

pytestmark = pytest.mark.engine

A, B, C = sorted(make_job_id(label) for label in "abc")
WHEN, MILLISECONDS = "2099-12-01T01:00:00Z", "4099770000000"


def told(text: str, secrets: tuple[str, ...]) -> list[str]:
    """The lines of a text in which a secret is in clear."""
    return [line for line in text.splitlines() if any(secret in line for secret in secrets)]


def stored(stack: Stack) -> str:
    """All that the backend keeps on the disk, backups and history included, and what it exports."""
    files = [path for path in (stack.folder / ".pulumi").rglob("*") if path.is_file()]
    assert any(path.name == "dev.json" for path in files)
    return "\n".join([stack.run("stack", "export").output, *(path.read_text() for path in files)])


def keeps(stack: Stack, secrets: tuple[str, ...], **runs: Run) -> None:
    """No run has printed a secret, and none is stored in clear."""
    for name, run in runs.items():
        assert not told(run.output, secrets), f"printed by {name}"
    assert not told(stored(stack), secrets), "stored"


@both_fronts
def test_secret_jobs_are_nowhere_in_clear(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    stack.starts(jobs=secret([A, B]), on_destroy="pause")

    preview, diff, machine = stack.preview(), stack.preview("--diff"), stack.preview("--json")
    up = stack.up()

    assert "will start 2 jobs" in preview
    assert up.exit_code == 0, up.output
    assert "2 jobs: started 2" in up
    keeps(stack, (A, B), preview=preview, diff=diff, machine=machine, up=up)
    shown = stack.run("stack", "output", "statuses")
    assert shown.output.strip() == "[secret]"
    assert set(stack.outputs()["statuses"]) == {A, B}
    sandbox.set_status(A, "CONFIGURATION")
    drift, drift_diff, refresh, repair = stack.preview(), stack.preview("--diff"), stack.refresh(), stack.up()
    assert "will start 1 job" in drift
    assert repair.exit_code == 0, repair.output
    again = stack.up("--expect-no-changes")
    assert again.exit_code == 0, again.output
    keeps(stack, (A, B), drift=drift, drift_diff=drift_diff, refresh=refresh, repair=repair, again=again)
    destroy = stack.destroy()
    assert destroy.exit_code == 0, destroy.output
    assert [sandbox.job(job_id)["status"] for job_id in (A, B)] == ["PAUSING", "PAUSING"]
    keeps(stack, (A, B), destroy=destroy)


@pytest.mark.parametrize(
    "job", [secret(A), Expression(f"JobStartArgs(job_id=pulumi.Output.secret({A!r}))", None)], ids=["id", "args"]
)
def test_one_secret_id_makes_the_list_a_secret(sandbox: Sandbox, stack: Stack, job: Expression) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    stack.starts(job, B)

    preview, up, again = stack.preview(), stack.up(), stack.up("--expect-no-changes")

    assert up.exit_code == 0, up.output
    assert again.exit_code == 0, again.output
    assert stack.run("stack", "output", "statuses").output.strip() == "[secret]"
    keeps(stack, (A,), preview=preview, up=up, again=again)


@both_fronts
def test_failures_of_secret_jobs_are_counted_and_not_named(sandbox: Sandbox, stack: Stack) -> None:
    """DRS quotes an id itself."""
    sandbox.add_jobs(make_job(A), make_job(B, refuse_start={"code": "DRS.M00305", "message": f"The source of {B} is gone."}))
    stack.starts(jobs=secret([A, B, C]))

    up = stack.up()

    assert up.exit_code != 0
    assert "1 job" in up
    assert "DRS.M00305" in up
    assert stack.resource()["initErrors"]
    preview, refresh, again = stack.preview(), stack.refresh(), stack.up()
    assert again.exit_code != 0
    keeps(stack, (A, B, C), up=up, preview=preview, refresh=refresh, again=again)
    assert sandbox.job(A)["starts"] == 1


def test_recorded_failures_of_secret_jobs_are_counted_and_not_named(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A, status="START_JOB_FAILED", fail_start={"message": f"{A} can't reach its source."}))
    stack.starts(jobs=secret([A, C]), on_failure="record")

    up, preview, refresh = stack.up(), stack.preview(), stack.refresh()

    assert up.exit_code == 0, up.output
    keeps(stack, (A, C), up=up, preview=preview, refresh=refresh)


@pytest.mark.parametrize(
    ("front", "job", "inputs"),
    [
        ("dynamic", A, {"start_time": secret(MILLISECONDS)}),
        ("dynamic", Expression(f"JobStartArgs(job_id={A!r}, start_time=pulumi.Output.secret({WHEN!r}))", None), {}),
        ("native", {"job_id": A, "start_time": secret(MILLISECONDS)}, {}),
    ],
    ids=["of all", "of one", "of one, native"],
    indirect=["front"],
)
def test_a_secret_time_is_nowhere_in_clear(sandbox: Sandbox, stack: Stack, job: Any, inputs: dict[str, Any]) -> None:
    sandbox.add_jobs(make_job(A))
    stack.starts(job, **inputs)
    clear = ("2099-12-01", MILLISECONDS[:-3])

    preview, up = stack.preview(), stack.up()

    assert "will schedule 1 job" in preview
    assert up.exit_code == 0, up.output
    assert sandbox.job(A)["start_time"] == MILLISECONDS
    rest, refresh = stack.preview("--expect-no-changes"), stack.refresh()
    assert rest.exit_code == 0, rest.output
    sandbox.set_status(A, "RELEASE_RESOURCE_COMPLETE")
    cancelled = stack.preview()
    keeps(stack, clear, preview=preview, up=up, rest=rest, refresh=refresh, cancelled=cancelled)
    assert stack.outputs()["statuses"][A]["start_time"] == WHEN


# A wrong value in the place of each brace, and what begins what is said of it.
IN_JOBS = "jobs=made.apply(lambda made: [{0}, JobStartArgs(job_id=made, start_time={0}), dict(job_id='b', desired_state={0})])"
WRONG = [
    (
        f"{IN_JOBS}, wait_for={{0}}, timeout=made.apply(lambda _: {{0}}), start_time={{0}}, resume={{0}}",
        ["jobs[0]", "jobs[1].start_time", "jobs[2].desired_state", "wait_for", "timeout", "start_time", "resume"],
    ),
    ("jobs=['a'], project_id={0}, region={0}", ["project_id", "the endpoint of DRS is missing"]),
    ("jobs=['a'], cloud={0}", ["cloud"]),
]


@pytest.mark.parametrize(("inputs", "told_of"), WRONG, ids=["values", "place", "cloud"])
def test_a_wrong_value_is_printed_unless_it_is_secret(stack: Stack, inputs: str, told_of: list[str]) -> None:
    secret = "pulumi.Output.secret('hunter2 hush')"
    head = "made = pulumi.Output.from_input('made')\n"
    stack.environment.pop("DRS_ENDPOINT")
    stack.program(f"{head}JobBatchStart('batch', {inputs.format(repr('hunter2 hush'))})")
    shown = stack.preview()
    stack.program(f"{head}JobBatchStart('batch', {inputs.format(secret)})")
    hidden, machine = stack.preview(), stack.preview("--json")

    assert 0 not in (shown.exit_code, hidden.exit_code, machine.exit_code)
    for begin in told_of:
        problem = f"has a problem: {begin}"
        assert any(problem in line and "hunter2 hush" in line for line in shown.output.splitlines()), shown.output
        assert problem in hidden, hidden.output
    assert not told(hidden.output + machine.output, ("hunter2", "hush"))


def test_a_secret_that_no_output_repeats_hides_neither_jobs_nor_statuses(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    stack.starts(A, B, timeout=secret("7m"), start_time=Expression(f"pulumi.Output.from_input({WHEN!r})", WHEN))

    preview, up, rest = stack.preview(), stack.up(), stack.preview("--expect-no-changes")

    assert f"will schedule 2 jobs for {WHEN}: {A} and {B}" in preview
    assert up.exit_code == 0, up.output
    assert rest.exit_code == 0, rest.output
    assert A in stack.run("stack", "output", "statuses")
    keeps(stack, ("7m",), preview=preview, up=up, rest=rest)


def test_a_program_without_secrets_shows_its_jobs(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    stack.starts(A, B)

    preview, up = stack.preview(), stack.up()

    assert f"will start 2 jobs: {A} and {B}" in preview
    assert up.exit_code == 0, up.output
    state = stored(stack)
    assert A in state
    assert "ciphertext" not in state
    assert "[secret]" not in up
