"""How long secrets are remembered."""

from __future__ import annotations

import html
import json
from base64 import b64encode
from urllib.parse import quote, quote_plus

import pytest

from pulumi_drs_start.drs.text import MOST, STAND_IN, keep_secret, keep_token_secret, redacted


def test_a_configured_secret_is_known_after_any_number_of_logins() -> None:
    keep_secret("correct-horse", "a-second-one")
    for number in range(2 * MOST):
        keep_token_secret(f"token-number-{number:05}")
    assert redacted("correct-horse a-second-one") == f"{STAND_IN} {STAND_IN}"


def test_any_number_of_configured_secrets_is_known() -> None:
    keep_secret(*(f"secret-number-{number:05}" for number in range(2 * MOST)))
    assert redacted("secret-number-00000") == redacted(f"secret-number-{2 * MOST - 1:05}") == STAND_IN


def test_of_tokens_the_oldest_are_forgotten_first() -> None:
    for number in range(2 * MOST):
        keep_token_secret(f"token-number-{number:05}")
    assert redacted("token-number-00000") == "token-number-00000"
    assert redacted(f"token-number-{2 * MOST - 1:05}") == STAND_IN


def test_what_is_cut_off_in_the_middle_of_the_longest_secret_is_known_for_one() -> None:
    keep_secret("x" * 500)
    keep_secret("short-one")
    assert "x" not in redacted("-" * 90 + "x" * 500, 100)


ODD = "pä/s &w\"o<r>d'"


@pytest.mark.parametrize(
    "spelling",
    [
        ODD,
        json.dumps(ODD),
        json.dumps(ODD, ensure_ascii=False),
        quote(ODD),
        quote(ODD, safe=""),
        quote_plus(ODD),
        html.escape(ODD),
        html.escape(ODD, quote=False),
        quote(ODD[:5]) + ODD[5:],
        b64encode(ODD.encode()).decode(),
    ],
)
def test_a_secret_is_known_in_every_spelling(spelling: str) -> None:
    keep_secret(ODD)
    assert redacted(f"user={spelling};") in (f"user={STAND_IN};", f'user="{STAND_IN}";')


def test_a_long_secret_is_known_by_its_beginning() -> None:
    token = "MII" + "x/+" * 50
    keep_token_secret(token)
    encoded = b64encode(token.encode()).decode()
    assert redacted(f"a {token[:60]}, b {encoded[:60]} c") == f"a {STAND_IN}, b {STAND_IN} c"
