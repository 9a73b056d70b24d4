"""What is secret in a program is not in its messages."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_drs_start.dynamic.secrecy import SECRET_INPUTS, concealing

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


def test_what_was_secret_before_is_hidden_too() -> None:
    assert concealing([secret("jobs"), {"jobs": [{"job_id": "new"}]}])("one-a, new") == "[secret], new"
