"""What settings become: a token source of the kind that they ask for."""

from __future__ import annotations

import pytest

from pulumi_drs_start.drs.auth.sources import IamLogin, ReadyToken
from pulumi_drs_start.settings import load_settings, token_source


def test_a_password_makes_a_source_that_logs_in(complete: dict[str, str]) -> None:
    assert isinstance(token_source(load_settings({}, complete)), IamLogin)


def test_a_ready_token_makes_a_source_that_does_not(complete: dict[str, str]) -> None:
    assert isinstance(token_source(load_settings({"token": "x"}, complete)), ReadyToken)


def test_settings_can_not_be_changed(complete: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings({}, complete).region = "eu-nl"


def test_a_login_does_not_depend_on_the_sources_of_its_values(complete: dict[str, str]) -> None:
    exported = load_settings({}, complete)
    configured = load_settings({"password": complete["OS_PASSWORD"], "language": "zh-cn"}, complete)

    assert exported.login == configured.login
    assert exported.advice != configured.advice
