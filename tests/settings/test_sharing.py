"""One token source for all resources that log in alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

import pulumi_drs_start
from pulumi_drs_start.drs.auth.sources import PasswordAuth, ReadyToken
from pulumi_drs_start.settings import Overrides, load_settings, shared_token_source, token_source, user_agent


def test_equal_settings_share_a_token_source(complete: dict[str, str]) -> None:
    assert shared_token_source(load_settings({}, complete)) is shared_token_source(load_settings({}, dict(complete)))


def test_settings_that_do_not_matter_to_a_login_share_it_too(complete: dict[str, str]) -> None:
    plain = load_settings({}, complete)
    other = load_settings({"batchSize": "7", "language": "zh-cn", "region": "eu-de"}, complete)

    assert shared_token_source(plain) is shared_token_source(other)


@pytest.mark.parametrize(
    "config",
    [{"password": "x"}, {"username": "x"}, {"projectName": "x"}, {"domainName": "x"}, {"token": "x"}, {"region": "eu-nl"}],
)
def test_another_login_has_another_token_source(config: dict[str, str], complete: dict[str, str]) -> None:
    assert shared_token_source(load_settings(config, complete)) is not shared_token_source(load_settings({}, complete))


def test_another_project_has_another_token_source(complete: dict[str, str]) -> None:
    other = load_settings({}, complete, Overrides(project_id="f" * 32))

    assert shared_token_source(other) is not shared_token_source(load_settings({}, complete))


def test_threads_get_the_same_token_source(complete: dict[str, str]) -> None:
    complete["OS_USERNAME"] = "a user of this test only"
    with ThreadPoolExecutor(8) as pool:
        sources = list(pool.map(lambda _: shared_token_source(load_settings({}, complete)), range(64)))

    assert len({id(source) for source in sources}) == 1


def test_a_password_makes_a_source_that_logs_in(complete: dict[str, str]) -> None:
    assert isinstance(token_source(load_settings({}, complete)), PasswordAuth)


def test_a_ready_token_makes_a_source_that_does_not(complete: dict[str, str]) -> None:
    assert isinstance(token_source(load_settings({"token": "x"}, complete)), ReadyToken)


def test_settings_can_not_be_changed(complete: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings({}, complete).region = "eu-nl"


def test_we_introduce_ourselves_with_our_version() -> None:
    assert user_agent() == f"pulumi-drs-start/{pulumi_drs_start.__version__}"
