"""How long secrets are remembered."""

from __future__ import annotations

from pulumi_drs_start.drs.http.redaction import MOST, STAND_IN, keep_secret, keep_token_secret, redacted


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
