"""What is secret in a program is not in its messages."""

from __future__ import annotations

import asyncio
from typing import Any

import pulumi
import pytest

from pulumi_drs_start.drs.text import quoted
from pulumi_drs_start.operations.secrecy import concealing
from pulumi_drs_start.resource import JobStartArgs, _plain, _secrecy
from pulumi_drs_start.schema.fields import SECRET_INPUTS

WHEN = "2099-12-01T02:00:00+01:00"
TEXTS = [
    ("The tasks (one-a,two-b,three) are busy.", "The tasks ([secret],[secret],[secret]) are busy."),
    (
        "job one-a could not be started: DRS.M05003: no such job one-a.",
        "job [secret] could not be started: DRS.M05003: no such job [secret].",
    ),
    ("1 job (other) is running", "1 job (other) is running"),
    ("one-a-and-more, not-one-a", "one-a-and-more, not-one-a"),
]


def secret(names: str, **fields: Any) -> dict[str, Any]:
    return {SECRET_INPUTS: names, "jobs": [{"job_id": "one-a"}, {"job_id": "two-b"}], "job_statuses": {"three": {}}, **fields}


@pytest.mark.parametrize(("text", "told"), TEXTS)
def test_secret_jobs_are_not_named(text: str, told: str) -> None:
    assert concealing([secret("jobs")])(text) == told


@pytest.mark.parametrize(("text", "_"), TEXTS)
def test_without_secrets_texts_are_as_they_were(text: str, _: str) -> None:
    assert concealing([{"jobs": [{"job_id": "one-a"}]}, {}])(text) == text


@pytest.mark.parametrize("spelling", [WHEN, "2099-12-01T01:00:00Z", "4099770000000"])
@pytest.mark.parametrize("declared", [WHEN, "4099770000000", 4099770000000.0])
def test_a_secret_time_is_hidden_in_every_spelling(declared: Any, spelling: str) -> None:
    if spelling == WHEN and declared != WHEN:
        return
    conceal = concealing([secret("start_time", start_time=declared)])

    assert conceal(f"will schedule 1 job for {spelling} (one-a)") == "will schedule 1 job for [secret] (one-a)"


def test_a_secret_place_is_hidden_however_it_is_quoted() -> None:
    long = "x" * 100
    bag = {SECRET_INPUTS: "region cloud project_id", "region": "eu-fr", "cloud": "a\tb", "project_id": long}
    text = f'region "eu-fr", https://drs.eu-fr.example, {quoted("a" + chr(9) + "b")}, {quoted(long)}, one-a at {WHEN}'

    assert concealing([{**secret(""), **bag}])(text) == (
        f'region "[secret]", https://drs.[secret].example, "[secret]", "[secret]", one-a at {WHEN}'
    )


def test_other_secrets_hide_neither_jobs_nor_times() -> None:
    text = f"one-a is scheduled for {WHEN}"

    assert concealing([secret("timeout region resume", start_time=WHEN)])(text) == text


def test_what_was_secret_before_is_hidden_too() -> None:
    assert concealing([secret("jobs"), {"jobs": [{"job_id": "new"}]}])("one-a, new") == "[secret], new"


def told_by_the_program(**inputs: Any) -> str:
    """The names of secret inputs that a program tells the provider."""

    async def main() -> Any:
        told = _secrecy({name: _plain(value(pulumi.Output.secret, pulumi.Output.from_input)) for name, value in inputs.items()})
        return await told[SECRET_INPUTS].future() if told else None

    return asyncio.run(main()) or ""


async def _soon(value: Any) -> Any:
    return value


@pytest.mark.parametrize(
    "jobs",
    [
        lambda secret, _: secret(["a"]),
        lambda secret, _: ("a", secret("b")),
        lambda secret, _: (secret(one) for one in "ab"),
        lambda secret, _: [{"job_id": "a", "start_time": secret("x")}],
        lambda secret, _: [JobStartArgs(job_id=secret("a"))],
        lambda secret, later: later("a").apply(lambda one: [secret(one)]),
        lambda secret, later: later("a").apply(lambda one: [JobStartArgs(job_id=one, start_time=secret("x"))]),
        lambda secret, later: [later("a").apply(lambda one: {"job_id": secret(one)})],
        lambda secret, _: _soon([secret("a")]),
    ],
)
def test_the_program_tells_of_a_secret_at_any_depth(jobs: Any) -> None:
    told = told_by_the_program(jobs=jobs, start_time=lambda _, later: later("x"), timeout=lambda secret, _: secret("1h"))

    assert told == "jobs timeout"


def test_the_program_tells_of_no_secret_where_there_is_none() -> None:
    assert told_by_the_program(jobs=lambda _, later: [later("a"), JobStartArgs(job_id=later("b"))]) == ""
    assert told_by_the_program(jobs=lambda *_: ["a", {"job_id": "b"}]) == ""
