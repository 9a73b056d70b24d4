"""The _output forms: Outputs go in, an Output comes out, and the program goes on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pulumi
import pytest

from pulumi_drs_start import FoundJobs, find_jobs, find_jobs_output, get_job_statuses, get_job_statuses_output
from pulumi_drs_start.sandbox import Sandbox, faults, make_job

AWAY = "https://drs.example.com"


def run(program: Callable[[], pulumi.Output[Any]]) -> Any:
    """What an Output that a program makes comes to."""

    async def main() -> Any:
        return await program().future()

    return asyncio.run(main())


def unknown() -> pulumi.Output[Any]:
    """As an output, in a preview, of a resource that is still to be made."""

    def already(value: Any) -> Awaitable[Any]:
        future = asyncio.get_running_loop().create_future()
        future.set_result(value)
        return future

    return pulumi.Output(already(set()), already(None), already(False), already(False))


def test_arguments_may_be_outputs_at_any_depth(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a", name="crm-1", tags={"env": "prod"}), make_job("b", name="crm-2", status="PAUSING"))
    later = pulumi.Output.from_input

    found = run(
        lambda: find_jobs_output(name=later("crm-*"), status=[later("CONFIGURATION"), "PAUSING"], tags={"env": later("prod")})
    )

    assert isinstance(found, FoundJobs)
    assert found == ["a"]
    assert found.query == 'find_jobs(name="crm-*", status=["CONFIGURATION", "PAUSING"], tags={"env": "prod"})'


@pytest.mark.parametrize("listed", [list, tuple, set])
def test_a_collection_of_outputs_is_looked_into(sandbox: Sandbox, listed: Callable[..., Any]) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    later = pulumi.Output.from_input

    assert run(lambda: get_job_statuses_output(listed([later("a"), later("b")]))).keys() == {"a", "b"}
    assert run(lambda: find_jobs_output(status=listed([later("CONFIGURATION")]))) == ["a", "b"]


@pytest.mark.parametrize("find", [find_jobs, find_jobs_output])
def test_found_jobs_can_be_asked_for_their_statuses(sandbox: Sandbox, find: Callable[[], Any]) -> None:
    sandbox.add_jobs(make_job("a", name="crm-1"), make_job("b", name="crm-2", status="PAUSING"))

    statuses = run(lambda: get_job_statuses_output(find()))

    assert {job_id: row["phase"] for job_id, row in statuses.items()} == {"a": "startable", "b": "paused"}
    # The names came with the jobs.
    assert {job_id: row["name"] for job_id, row in statuses.items()} == {"a": "crm-1", "b": "crm-2"}
    assert sandbox.calls("batch-detail") == []


def test_ids_bring_no_names_and_drs_is_asked_for_them(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a", name="crm-1"))

    statuses = run(lambda: get_job_statuses_output([pulumi.Output.from_input("a")]))

    assert statuses["a"]["name"] == "crm-1"


def test_unknown_arguments_give_an_unknown_result_and_no_call(sandbox: Sandbox) -> None:
    async def main() -> None:
        for output in (
            find_jobs_output(name=unknown()),
            find_jobs_output(status=["CONFIGURATION", unknown()]),
            find_jobs_output(tags={"env": unknown()}),
            find_jobs_output(project_id=unknown()),
            get_job_statuses_output(["a", unknown()]),
            get_job_statuses_output(unknown()),
        ):
            assert not await output.is_known()

    asyncio.run(main())
    assert sandbox.calls() == []


def test_a_secret_argument_makes_the_result_secret_and_is_not_quoted(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.add_jobs(make_job("a", name="crm"))

    async def main() -> FoundJobs:
        output = find_jobs_output(name=pulumi.Output.secret("hush-*"), status="CONFIGURATION")
        assert await output.is_secret()
        assert not await find_jobs_output(name="crm").is_secret()
        found = await output.future()
        assert found is not None
        return found

    assert asyncio.run(main()).query == 'find_jobs(name=[secret], status="CONFIGURATION")'
    said = capsys.readouterr().err
    assert 'find_jobs(name=[secret], status="CONFIGURATION") found no job' in said
    assert "hush" not in said


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda wrong: find_jobs_output(name=wrong(722)), "name must be a string"),
        (lambda wrong: find_jobs_output(status=["PAUSING", wrong("hush 722")]), r"status\[1\] must be a word of DRS"),
        (lambda wrong: find_jobs_output(db_use_type=wrong("hush 722")), "db_use_type must be"),
        (lambda wrong: find_jobs_output(tags={"env": wrong(722)}), "tags must be a dict of strings"),
        (lambda wrong: find_jobs_output(timeout=wrong("hush 722")), "timeout must be a duration"),
        (lambda wrong: get_job_statuses_output(["a", wrong("hush 722")]), r"job_ids\[1\] .*is not a job id"),
        (lambda wrong: get_job_statuses_output(["a"], region=wrong(722)), "region must be a string"),
        (lambda wrong: get_job_statuses_output(["a"], project_id=wrong("hush 722"), endpoint=AWAY), "project's id"),
        (lambda wrong: find_jobs_output(cloud=wrong("hush 722")), "cloud"),
    ],
)
def test_a_wrong_argument_is_shown_unless_it_is_secret(call: Callable[[Any], Any], told: str) -> None:
    with pytest.raises((TypeError, ValueError, pulumi.RunError), match=told) as open_error:
        run(lambda: call(pulumi.Output.from_input))
    with pytest.raises((TypeError, ValueError, pulumi.RunError), match=told) as secret_error:
        run(lambda: call(pulumi.Output.secret))

    assert "722" in str(open_error.value)
    assert "722" not in str(secret_error.value)


def test_the_program_goes_on_while_drs_is_asked(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.delay("batch-status", 1))

    async def main() -> int:
        asking = asyncio.ensure_future(get_job_statuses_output(["a"]).future())
        turns = 0
        while not asking.done():
            await asyncio.sleep(0.01)
            turns += 1
        assert asking.result() is not None
        return turns

    assert asyncio.run(main()) > 20


def test_failures_come_out_as_the_plain_forms_raise_them(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="db_use_type must be"):
        run(lambda: find_jobs_output(db_use_type="dr"))
    with pytest.raises(TypeError, match="job_ids must be a list"):
        run(lambda: get_job_statuses_output("a"))
    assert sandbox.calls() == []
    monkeypatch.setenv("OS_PASSWORD", "not-the-password")
    with pytest.raises(pulumi.RunError, match="OS_PASSWORD"):
        run(find_jobs_output)


@pytest.mark.parametrize(
    "call",
    [
        lambda later: find_jobs(name=later),
        lambda later: find_jobs(status=["CONFIGURATION", later]),
        lambda later: find_jobs(tags={"env": later}),
        lambda later: find_jobs(timeout=later),
        lambda later: get_job_statuses(later),
        lambda later: get_job_statuses(["a", later]),
        lambda later: get_job_statuses(["a"], region=later),
    ],
)
def test_the_plain_forms_say_who_takes_outputs(call: Callable[[Any], Any]) -> None:
    async def main() -> None:
        with pytest.raises(TypeError, match=r"is an Output, or has one: use the function whose name ends in _output"):
            call(pulumi.Output.from_input("a"))

    asyncio.run(main())
