"""Access keys: which of them counts, what else they need, and what is said when it is missing."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from pydantic import SecretStr

from pulumi_drs_start.drs.auth.signing import SigningAuth
from pulumi_drs_start.settings import Overrides, load_settings, token_source

from .conftest import refused

A, B = "a" * 32, "b" * 32
PLACE = {"region": "eu-de", "projectId": A}
KEYS = {"accessKey": "AK", "secretKey": "SK"}
EXPORTED = {"OS_ACCESS_KEY": "EXPORTED-AK", "OS_SECRET_KEY": "EXPORTED-SK"}


@pytest.mark.parametrize(("config", "environment"), [(KEYS, {}), ({}, EXPORTED)])
def test_both_keys_are_a_way_in(config: dict[str, str], environment: dict[str, str]) -> None:
    settings = load_settings({**PLACE, **config}, environment)

    assert isinstance(token_source(settings), SigningAuth)
    assert settings.auth_url == "https://iam.eu-de.otc.t-systems.com/v3"


def test_nobody_logs_in_so_iam_s_address_is_not_needed() -> None:
    settings = load_settings({**KEYS, "projectId": A, "endpoint": "https://drs.example"}, {})

    assert settings.auth_url is None


@pytest.mark.parametrize(
    ("config", "variable", "field"),
    [
        ("accessKey", "OS_ACCESS_KEY", "access_key"),
        ("secretKey", "OS_SECRET_KEY", "secret_key"),
        ("securityToken", "OS_SECURITY_TOKEN", "security_token"),
    ],
)
def test_stack_configuration_beats_the_environment(config: str, variable: str, field: str) -> None:
    settings = load_settings({**PLACE, **KEYS, config: "stack"}, {variable: "exported"})

    assert getattr(settings, field) == SecretStr("stack")


def test_a_secret_key_of_the_environment_completes_the_stack_s_access_key() -> None:
    settings = load_settings({**PLACE, "accessKey": "AK"}, {"OS_SECRET_KEY": "SK"})

    assert (settings.access_key, settings.secret_key) == (SecretStr("AK"), SecretStr("SK"))


def test_a_secret_key_is_not_used_with_another_access_key() -> None:
    text = refused({**PLACE, "accessKey": "AK"}, EXPORTED)

    assert "the secret key is missing: set drs:secretKey (pulumi config set --secret drs:secretKey), or OS_SECRET_KEY" in text
    assert "OS_SECRET_KEY belongs to OS_ACCESS_KEY, not to drs:accessKey" in text


def test_a_security_token_of_a_weaker_place_belongs_to_another_key() -> None:
    settings = load_settings({**PLACE, **KEYS}, {**EXPORTED, "OS_SECURITY_TOKEN": "temporary"})

    assert settings.security_token is None


def test_a_security_token_of_the_same_place_counts() -> None:
    settings = load_settings(PLACE, {**EXPORTED, "OS_SECURITY_TOKEN": "temporary"})

    assert settings.security_token == SecretStr("temporary")


@pytest.mark.parametrize("environment", [{"OS_TOKEN": "ready"}, {"OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_DOMAIN_NAME": "d"}])
def test_the_ways_that_are_documented_beat_access_keys_of_the_same_place(environment: dict[str, str]) -> None:
    """Access keys are in many a shell for object storage."""
    assert load_settings(PLACE, {**EXPORTED, **environment}).access_key is None


def test_access_keys_of_a_stronger_place_beat_a_password(complete: dict[str, str]) -> None:
    settings = load_settings({**PLACE, **KEYS}, complete)

    assert (settings.access_key, settings.password, settings.username) == (SecretStr("AK"), None, None)


def test_a_secret_key_by_itself_is_no_login_of_a_stronger_place(complete: dict[str, str]) -> None:
    settings = load_settings({"secretKey": "SK"}, {**complete, "OS_ACCESS_KEY": "AK"})

    assert (settings.username, settings.access_key) == ("env-user", None)


@pytest.mark.parametrize(("missing", "name"), [("accessKey", "the access key"), ("secretKey", "the secret key")])
def test_one_key_without_the_other_is_told(missing: str, name: str) -> None:
    text = refused({**PLACE, **{key: value for key, value in KEYS.items() if key != missing}}, {})

    assert f"{name} is missing: set drs:{missing}" in text
    assert f"or OS_{'ACCESS' if 'access' in missing else 'SECRET'}_KEY" in text


def test_the_project_s_id_must_be_given() -> None:
    text = refused({**KEYS, "region": "eu-de"}, {})

    assert "the project is missing: set drs:projectId" in text


def test_a_project_s_name_is_not_enough() -> None:
    text = refused({**KEYS, "region": "eu-de", "projectName": "eu-de"}, {"OS_PROJECT_ID": B})

    assert "drs:projectName does not help, because without a login no name is looked up" in text


def test_the_resource_s_own_project_counts() -> None:
    assert load_settings({**KEYS, **PLACE}, {}, Overrides(project_id=B)).project_id == B


@pytest.mark.parametrize("name", ["accessKey", "securityToken"])
@pytest.mark.parametrize("value", ["hidden word", "hidden\nword", "hidden,word", "hídden"])
def test_what_fits_in_no_header_is_refused_without_being_quoted(name: str, value: str) -> None:
    text = refused({**PLACE, **KEYS, name: value}, {})

    assert f"drs:{name} has characters that no HTTP header can carry" in text
    assert value not in text


def test_without_the_signer_the_command_to_install_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huaweicloudsdkcore", None)

    assert "drs:accessKey needs the package's extra aksk: in the checkout, pip install '.[aksk]'" in refused(
        {**PLACE, **KEYS}, {}
    )


def test_keys_are_not_shown() -> None:
    settings = load_settings({**PLACE, "accessKey": "hidden-one", "secretKey": "hidden-two", "securityToken": "hidden-three"}, {})

    assert "hidden" not in repr(settings) + str(settings) + settings.model_dump_json() + repr(token_source(settings))


@pytest.mark.parametrize("change", [{}, {"accessKey": "other"}, {"secretKey": "other"}, {"projectId": B}])
def test_equal_keys_are_one_login(change: dict[str, Any]) -> None:
    one, other = (load_settings({**PLACE, **KEYS, **more}, {}) for more in ({}, change))

    assert (one.login == other.login) == (not change)


def test_a_refused_key_is_told_with_its_sources() -> None:
    advice = load_settings({**PLACE, "secretKey": "SK"}, {"OS_ACCESS_KEY": "AK"}).advice

    assert advice.startswith(
        "Check the access key (OS_ACCESS_KEY), the secret key (drs:secretKey) and the project (drs:projectId);"
    )
