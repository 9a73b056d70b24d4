"""One login for all resources that log in alike: IAM throttles logins, and locks users who try a wrong password."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from pulumi_drs_start.operations.connections import Connections
from pulumi_drs_start.sandbox import Sandbox
from pulumi_drs_start.settings import Overrides, load_settings

ENVIRONMENT = {
    "OS_REGION_NAME": "eu-de",
    "OS_PROJECT_ID": "a" * 32,
    "OS_USERNAME": "user",
    "OS_PASSWORD": "password",
    "OS_USER_DOMAIN_NAME": "domain",
}


@pytest.fixture
def connections() -> Iterator[Connections]:
    with closing(Connections()) as connections:
        yield connections


def _tokens(connections: Connections, config: dict[str, str], overrides: Overrides | None = None) -> Any:
    return connections.to(load_settings(config, ENVIRONMENT, overrides)).client._tokens


def test_equal_settings_share_a_connection(connections: Connections) -> None:
    assert connections.to(load_settings({}, ENVIRONMENT)) is connections.to(load_settings({}, dict(ENVIRONMENT)))


@pytest.mark.parametrize("config", [{"batchSize": "7"}, {"language": "zh-cn"}, {"endpoint": "https://drs.example"}])
def test_settings_that_a_login_does_not_depend_on_share_it(config: dict[str, str], connections: Connections) -> None:
    assert _tokens(connections, config) is _tokens(connections, {})


@pytest.mark.parametrize(
    "config",
    [
        {"password": "x"},
        {"username": "x", "password": "password"},
        {"projectName": "x"},
        {"domainName": "x"},
        {"token": "x"},
        {"region": "eu-nl"},
    ],
)
def test_another_login_has_another_token_source(config: dict[str, str], connections: Connections) -> None:
    assert _tokens(connections, config) is not _tokens(connections, {})


def test_another_project_has_another_token_source(connections: Connections) -> None:
    assert _tokens(connections, {}, Overrides(project_id="f" * 32)) is not _tokens(connections, {})


def test_threads_get_the_same_token_source(connections: Connections) -> None:
    with ThreadPoolExecutor(8) as pool:
        sources = list(pool.map(lambda size: _tokens(connections, {"batchSize": str(size + 1)}), range(64)))

    assert len({id(source) for source in sources}) == 1


def test_closed_connections_have_forgotten_their_tokens(sandbox: Sandbox) -> None:
    with closing(Connections()) as connections:
        tokens: Any = connections.to(load_settings({}, sandbox.environment)).client._tokens
        tokens.token()
        assert len(sandbox.calls("tokens")) == 1

    tokens.token()
    assert len(sandbox.calls("tokens")) == 2
