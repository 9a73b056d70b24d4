"""The resource's inputs over stack configuration over the environment, value by value."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from pulumi_drs_start.settings import CONFIG_KEYS, Overrides, load_settings

from .conftest import refused

A, B, C = "a" * 32, "b" * 32, "c" * 32

# field of Settings, name in the configuration, name in the environment, a value for either, what becomes of them
PAIRS = [
    ("region", "region", "OS_REGION_NAME", "eu-nl", "eu-de"),
    ("project_id", "projectId", "OS_PROJECT_ID", A, B),
    ("project_name", "projectName", "OS_PROJECT_NAME", "eu-de_a", "eu-de_b"),
    ("endpoint", "endpoint", "DRS_ENDPOINT", "https://a.example", "https://b.example"),
    ("auth_url", "authUrl", "OS_AUTH_URL", "https://a.example/v3", "https://b.example/v3"),
    ("password", "password", "OS_PASSWORD", SecretStr("a"), SecretStr("b")),
    ("user_domain_name", "domainName", "OS_USER_DOMAIN_NAME", "a", "b"),
    ("user_domain_id", "domainId", "OS_USER_DOMAIN_ID", "a", "b"),
    ("token", "token", "OS_TOKEN", SecretStr("a"), SecretStr("b")),
    ("token", "token", "OS_AUTH_TOKEN", SecretStr("a"), SecretStr("b")),
    ("language", "language", "DRS_LANGUAGE", "zh-cn", "en-us"),
    ("batch_size", "batchSize", "DRS_BATCH_SIZE", 7, 8),
]
OF_ACCESS_KEYS = {"accessKey", "secretKey", "securityToken"}


def _text(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _without_rivals(environment: dict[str, str], field: str) -> dict[str, str]:
    rivals = {"project_name": "OS_PROJECT_ID", "user_domain_id": "OS_USER_DOMAIN_NAME"}
    return {name: value for name, value in environment.items() if name != rivals.get(field)}


@pytest.mark.parametrize(("field", "config", "variable", "one", "other"), PAIRS)
def test_stack_configuration_beats_the_environment(
    field: str, config: str, variable: str, one: Any, other: Any, complete: dict[str, str]
) -> None:
    environment = {**_without_rivals(complete, field), variable: _text(other)}

    assert getattr(load_settings({config: _text(one)}, environment), field) == one


@pytest.mark.parametrize(("field", "config", "variable", "_", "value"), PAIRS)
def test_empty_stack_configuration_leaves_it_to_the_environment(
    field: str, config: str, variable: str, _: Any, value: Any, complete: dict[str, str]
) -> None:
    environment = {**_without_rivals(complete, field), variable: _text(value)}

    assert getattr(load_settings({config: ""}, environment), field) == value


@pytest.mark.parametrize(
    ("field", "config", "variable", "values"),
    [
        ("region", "region", "OS_REGION_NAME", ("eu-nl", "eu-de", "eu-de")),
        ("project_id", "projectId", "OS_PROJECT_ID", (A, B, C)),
        ("endpoint", "endpoint", "DRS_ENDPOINT", ("https://a.example", "https://b.example", "https://c.example")),
    ],
)
def test_the_resources_own_input_beats_both(
    field: str, config: str, variable: str, values: tuple[str, str, str], complete: dict[str, str]
) -> None:
    own, configured, exported = values

    settings = load_settings({config: configured}, {**complete, variable: exported}, Overrides(**{field: own}))

    assert getattr(settings, field) == own


@pytest.mark.parametrize(
    ("fallback", "field"),
    [
        ("OS_DOMAIN_NAME", "user_domain_name"),
        ("OS_DOMAIN_ID", "user_domain_id"),
        ("OS_TENANT_NAME", "project_name"),
        ("OS_TENANT_ID", "project_id"),
    ],
)
def test_names_that_consoles_export_count_when_the_proper_ones_are_missing(
    fallback: str, field: str, complete: dict[str, str]
) -> None:
    kind = "DOMAIN" if "DOMAIN" in fallback else "PROJECT"
    environment = {name: value for name, value in complete.items() if kind not in name}

    assert getattr(load_settings({}, {**environment, fallback: C}), field) == C


def test_the_proper_name_of_a_domain_beats_a_fallback_id(complete: dict[str, str]) -> None:
    settings = load_settings({}, {**complete, "OS_DOMAIN_ID": "of-something-else"})

    assert (settings.user_domain_id, settings.user_domain_name) == (None, "env-domain")


def test_an_id_beats_a_name_from_the_same_place(complete: dict[str, str]) -> None:
    settings = load_settings({"projectId": A, "projectName": "eu-de"}, complete)

    assert (settings.project_id, settings.project_name) == (A, None)


def test_a_project_id_on_the_resource_drops_the_configured_name(complete: dict[str, str]) -> None:
    settings = load_settings({"projectName": "eu-de"}, complete, Overrides(project_id=A))

    assert (settings.project_id, settings.project_name) == (A, None)


def test_a_configured_project_name_drops_the_environments_id(complete: dict[str, str]) -> None:
    settings = load_settings({"projectName": "eu-de"}, complete)

    assert (settings.project_id, settings.project_name) == (None, "eu-de")


def test_a_configured_user_name_drops_the_environments_user_id(complete: dict[str, str]) -> None:
    settings = load_settings({"username": "config-user", "password": "own"}, {**complete, "OS_USER_ID": "u" * 32})

    assert (settings.user_id, settings.username) == (None, "config-user")


def test_an_exported_password_completes_a_configured_user(complete: dict[str, str]) -> None:
    del complete["OS_USERNAME"]

    settings = load_settings({"username": "config-user"}, complete)

    assert (settings.username, settings.password) == ("config-user", SecretStr("env-password"))


@pytest.mark.parametrize("variable", ["OS_USERNAME", "OS_USER_ID"])
def test_a_password_is_not_used_with_another_user_than_the_one_beside_it(variable: str, complete: dict[str, str]) -> None:
    """IAM would count it as a wrong one."""
    del complete["OS_USERNAME"]

    text = refused({"username": "config-user"}, {**complete, variable: "env-user"})

    assert "the password is missing: set drs:password" in text
    assert f"OS_PASSWORD belongs to {variable}, not to drs:username" in text


def test_the_same_user_in_two_places_keeps_the_password(complete: dict[str, str]) -> None:
    assert load_settings({"username": "env-user"}, complete).password == SecretStr("env-password")


def test_a_user_id_needs_no_domain(complete: dict[str, str]) -> None:
    del complete["OS_USER_DOMAIN_NAME"]

    assert load_settings({}, {**complete, "OS_USER_ID": A}).user_id == A


def test_a_project_may_have_another_domain_than_the_user(complete: dict[str, str]) -> None:
    settings = load_settings({"projectName": "eu-de"}, {**complete, "OS_PROJECT_DOMAIN_NAME": "theirs"})

    assert (settings.project_domain_name, settings.user_domain_name) == ("theirs", "env-domain")


def test_a_token_beats_a_password_from_the_same_place(complete: dict[str, str]) -> None:
    settings = load_settings({}, {**complete, "OS_TOKEN": "ready"})

    assert (settings.token, settings.password) == (SecretStr("ready"), None)


def test_a_configured_password_beats_an_exported_token(complete: dict[str, str]) -> None:
    """A token left over in the shell must not decide about a stack that has its own login."""
    settings = load_settings({"password": "own"}, {**complete, "OS_TOKEN": "left-over"})

    assert (settings.token, settings.password) == (None, SecretStr("own"))


def test_a_configured_token_beats_an_exported_password(complete: dict[str, str]) -> None:
    assert load_settings({"token": "own"}, complete).token == SecretStr("own")


def test_a_password_is_taken_to_the_letter(complete: dict[str, str]) -> None:
    settings = load_settings({}, {**complete, "OS_PASSWORD": " with spaces "})

    assert settings.password == SecretStr(" with spaces ")


def test_spaces_around_other_values_do_not_count(complete: dict[str, str]) -> None:
    assert load_settings({"username": " env-user\n"}, complete).username == "env-user"


def test_settings_remember_where_a_value_came_from(complete: dict[str, str]) -> None:
    advice = load_settings({"username": "env-user"}, complete).advice

    assert advice.startswith("Check the user name (drs:username), the user's domain (OS_USER_DOMAIN_NAME), the password (OS_PASS")


def test_all_that_is_configurable_is_asked_for() -> None:
    assert set(CONFIG_KEYS) == {config for _, config, *_ in PAIRS} | OF_ACCESS_KEYS | {"username", "caCert", "cloud"}
