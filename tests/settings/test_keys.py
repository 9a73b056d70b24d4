"""Keys of the stack's configuration that mean nothing are told."""

from __future__ import annotations

import pytest

from pulumi_drs_start.settings import CONFIG_KEYS, unknown_keys


def test_what_has_a_meaning_or_is_of_others_is_no_reason_to_say_anything() -> None:
    ours = [f"drs:{key}" for key in CONFIG_KEYS]

    assert unknown_keys([*ours, "jobs:regoin", "aws:region", "drs2:regoin", "pulumi:tags"]) == []


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("regoin", "region"),
        ("projectid", "projectId"),
        ("project_id", "projectId"),
        ("caCerts", "caCert"),
        ("usernam", "username"),
    ],
)
def test_a_misspelt_key_is_told_with_the_one_that_was_meant(key: str, meant: str) -> None:
    assert unknown_keys([f"drs:{key}"]) == [f"drs:{key} is not a setting of DRS; did you mean drs:{meant}?"]


def test_all_unknown_keys_are_told_in_the_order_of_their_names() -> None:
    told = unknown_keys(["drs:zone", "drs:region", "drs:tenant"])

    assert [line.partition(" ")[0] for line in told] == ["drs:tenant", "drs:zone"]
    assert told[0] == f"drs:tenant is not a setting of DRS; known: {', '.join(CONFIG_KEYS)}"
