"""Entries of clouds.yaml: where they are found, what they give, and how strong that is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pulumi_drs_start.settings import Overrides, Settings, SettingsError, load_settings

from .conftest import WHOLE, WHOLE_LOGIN, Write, refused, whole_but

A, B = "a" * 32, "b" * 32


def _named_in(place: str, environment: dict[str, str], config: dict[str, str] | None = None) -> Settings:
    config = config or {}
    if place == "resource":
        return load_settings(config, environment, Overrides(cloud="otc"))
    if place == "config":
        return load_settings({**config, "cloud": "otc"}, environment)
    return load_settings(config, {**environment, "OS_CLOUD": "otc"})


@pytest.mark.parametrize("place", ["resource", "config", "environment"])
def test_a_cloud_is_enough(place: str, write: Write) -> None:
    settings = _named_in(place, write({"otc": WHOLE}))

    assert settings.password == SecretStr("cloud-password")
    assert settings.model_dump(include={"username", "user_domain_name", "project_id", "region", "endpoint", "auth_url"}) == {
        "username": "cloud-user",
        "user_domain_name": "cloud-domain",
        "project_id": A,
        "region": "eu-nl",
        "endpoint": "https://drs.cloud.example",
        "auth_url": "https://iam.cloud.example/v3",
    }


@pytest.mark.parametrize("config", [{"cloud": "two"}, {}])
def test_the_resource_s_cloud_beats_the_stack_s_and_that_the_environment_s(config: dict[str, str], write: Write) -> None:
    environment = {**write({name: whole_but(username=name) for name in ("one", "two", "three")}), "OS_CLOUD": "three"}

    assert load_settings(config, environment, Overrides(cloud="one")).username == "one"
    assert load_settings(config, environment).username == config.get("cloud", "three")


def test_the_file_of_the_current_folder_counts(here: Path) -> None:
    (here / "clouds.yaml").write_text(json.dumps({"clouds": {"otc": WHOLE}}), encoding="utf-8")

    assert load_settings({"cloud": "otc"}, {}).username == "cloud-user"


def test_the_user_s_own_file_counts(here: Path) -> None:
    (here.parent / "home").mkdir()
    (here.parent / "home" / "clouds.json").write_text(json.dumps({"clouds": {"otc": WHOLE}}), encoding="utf-8")

    assert load_settings({"cloud": "otc"}, {}).username == "cloud-user"


def test_a_changed_file_is_read_again(write: Write) -> None:
    environment = write({"otc": WHOLE})
    load_settings({"cloud": "otc"}, environment)
    write({"otc": whole_but(username="another-user")})

    assert load_settings({"cloud": "otc"}, environment).username == "another-user"


def test_the_password_may_be_in_secure_yaml(write: Write) -> None:
    environment = write({"otc": whole_but("password")}, {"otc": {"auth": {"password": "from-secure"}}})

    assert load_settings({"cloud": "otc"}, environment).password == SecretStr("from-secure")


# field of Settings, name in the configuration, name in the environment, a value, what becomes of it
SINGLE: list[tuple[str, str, str, str, Any]] = [
    ("region", "region", "OS_REGION_NAME", "eu-de", "eu-de"),
    ("project_id", "projectId", "OS_PROJECT_ID", B, B),
    ("project_name", "projectName", "OS_PROJECT_NAME", "eu-de_b", "eu-de_b"),
    ("endpoint", "endpoint", "DRS_ENDPOINT", "https://b.example", "https://b.example"),
    ("auth_url", "authUrl", "OS_AUTH_URL", "https://b.example/v3", "https://b.example/v3"),
    ("password", "password", "OS_PASSWORD", "b", SecretStr("b")),
    ("user_domain_name", "domainName", "OS_USER_DOMAIN_NAME", "b", "b"),
    ("user_domain_id", "domainId", "OS_USER_DOMAIN_ID", "b", "b"),
]


@pytest.mark.parametrize(("field", "config", "value", "expected"), [(row[0], row[1], *row[3:]) for row in SINGLE])
def test_stack_configuration_beats_the_cloud_that_it_names(
    field: str, config: str, value: str, expected: Any, write: Write
) -> None:
    assert getattr(_named_in("config", write({"otc": WHOLE}), {config: value}), field) == expected


@pytest.mark.parametrize(("field", "variable", "value", "expected"), [(row[0], *row[2:]) for row in SINGLE])
def test_the_environment_beats_the_cloud_that_it_names(
    field: str, variable: str, value: str, expected: Any, write: Write
) -> None:
    assert getattr(_named_in("environment", {**write({"otc": WHOLE}), variable: value}), field) == expected


@pytest.mark.parametrize(("config", "variable", "value"), [row[1:4] for row in SINGLE])
def test_the_resource_s_cloud_beats_configuration_and_environment(config: str, variable: str, value: str, write: Write) -> None:
    settings = _named_in("resource", {**write({"otc": WHOLE}), variable: value}, {config: value})

    assert settings == _named_in("resource", write({"otc": WHOLE}))


@pytest.mark.parametrize(("variable", "value"), [row[2:4] for row in SINGLE])
def test_the_stack_s_cloud_beats_the_environment(variable: str, value: str, write: Write) -> None:
    settings = _named_in("config", {**write({"otc": WHOLE}), variable: value})

    assert settings == _named_in("config", write({"otc": WHOLE}))


@pytest.mark.parametrize(
    ("field", "value"), [("region", "eu-de"), ("project_id", B), ("endpoint", "https://b.example")], ids=lambda value: value[:9]
)
def test_the_resource_s_own_input_beats_its_cloud(field: str, value: str, write: Write) -> None:
    settings = load_settings({}, write({"otc": WHOLE}), Overrides(**{"cloud": "otc", field: value}))

    assert getattr(settings, field) == value


@pytest.mark.parametrize("place", ["resource", "config"])
def test_a_cloud_without_a_password_does_not_get_one_from_a_weaker_place(
    place: str, write: Write, complete: dict[str, str]
) -> None:
    """It would be sent to IAM as the password of another user, who is locked out for it."""
    with pytest.raises(SettingsError) as caught:
        _named_in(place, {**complete, **write({"otc": whole_but("password")})})

    text = str(caught.value)
    assert text.startswith("the password is missing: set ")
    assert 'auth.password of cloud "otc" in clouds.yaml or secure.yaml' in text
    assert "OS_PASSWORD" not in text
    assert ("drs:password" in text) == (place == "config")


@pytest.mark.parametrize("name", ["OS_TOKEN", "OS_ACCESS_KEY", "OS_AUTH_URL", "OS_USER_ID", "OS_PROJECT_DOMAIN_NAME"])
def test_no_other_way_in_of_the_environment_gets_into_a_cloud_of_the_resource(name: str, write: Write) -> None:
    environment = write({"otc": {**WHOLE, "auth": {**WHOLE_LOGIN, "project_name": "p"}}})

    settings = load_settings({"token": "stack"}, {**environment, name: "https://evil.example"}, Overrides(cloud="otc"))

    assert settings == load_settings({}, environment, Overrides(cloud="otc"))


def test_what_a_cloud_leaves_open_may_come_from_a_weaker_place(write: Write, complete: dict[str, str]) -> None:
    entry = {"auth": {key: value for key, value in WHOLE_LOGIN.items() if key not in ("project_id", "auth_url")}}

    settings = load_settings({"cloud": "otc"}, {**complete, **write({"otc": entry})})

    assert (settings.region, settings.project_id) == ("eu-de", complete["OS_PROJECT_ID"])
    assert (settings.username, settings.auth_url) == ("cloud-user", "https://iam.eu-de.otc.t-systems.com/v3")


def test_the_environment_s_address_of_iam_does_not_get_a_cloud_s_password(write: Write) -> None:
    environment = {**write({"otc": whole_but("auth_url")}), "OS_AUTH_URL": "https://evil.example"}

    assert load_settings({"cloud": "otc"}, environment).auth_url == "https://iam.eu-nl.otc.t-systems.com/v3"


def test_an_exported_password_completes_an_exported_cloud(write: Write) -> None:
    settings = _named_in("environment", {**write({"otc": whole_but("password")}), "OS_PASSWORD": "own"})

    assert (settings.username, settings.password) == ("cloud-user", SecretStr("own"))


def test_a_cloud_s_password_is_not_that_of_another_user(write: Write) -> None:
    text = refused({}, {**write({"otc": WHOLE}), "OS_CLOUD": "otc", "OS_USERNAME": "another"})

    assert 'auth.password of cloud "otc" belongs to auth.username of cloud "otc", not to OS_USERNAME' in text


def test_the_same_user_named_twice_keeps_the_password(write: Write) -> None:
    settings = _named_in("environment", {**write({"otc": WHOLE}), "OS_USERNAME": "cloud-user"})

    assert settings.password == SecretStr("cloud-password")


@pytest.mark.parametrize("clouds", ["not: [yaml", {}])
def test_an_exported_cloud_is_left_aside_when_another_whole_login_is_exported(
    clouds: Any, write: Write, complete: dict[str, str]
) -> None:
    """It is in many a shell for other tools."""
    assert _named_in("environment", {**complete, **write(clouds)}).username == "env-user"


def test_a_ready_token_beats_the_cloud_of_the_same_place(write: Write) -> None:
    assert _named_in("config", write({"otc": WHOLE}), {"token": "ready"}).token == SecretStr("ready")


@pytest.mark.parametrize("place", ["config", "environment"])
def test_a_cloud_beats_an_access_key_of_the_same_place(place: str, write: Write) -> None:
    """Access keys are in many a shell for object storage, and nothing documents them for DRS."""
    environment = write({"otc": WHOLE})
    config = {}
    if place == "config":
        config = {"accessKey": "AK", "secretKey": "SK"}
    else:
        environment |= {"OS_ACCESS_KEY": "AK", "OS_SECRET_KEY": "SK"}

    assert _named_in(place, environment, config).username == "cloud-user"


def test_an_access_key_of_the_stack_beats_an_exported_cloud() -> None:
    """The cloud is not even looked for."""
    settings = load_settings({"accessKey": "AK", "secretKey": "SK", "projectId": A, "region": "eu-de"}, {"OS_CLOUD": "otc"})

    assert settings.access_key == SecretStr("AK")


def test_a_wrong_login_names_the_cloud(write: Write) -> None:
    settings = load_settings({"cloud": "otc"}, write({"otc": WHOLE}))

    assert 'the password (auth.password of cloud "otc")' in settings.advice


OTC = {"profile": "otc", "auth": {"username": "u", "password": "p", "user_domain_name": "d", "project_name": "eu-de"}}


@pytest.mark.parametrize(
    ("environment", "region"), [({}, "eu-de"), ({"OS_REGION_NAME": "eu-nl"}, "eu-nl"), ({"OS_REGION_NAME": "mars"}, "eu-de")]
)
def test_a_profile_with_several_regions_has_the_one_asked_for_or_its_first(
    environment: dict[str, str], region: str, write: Write
) -> None:
    settings = load_settings({"cloud": "otc"}, {**environment, **write({"otc": OTC})})

    assert settings.auth_url == f"https://iam.{region}.otc.t-systems.com/v3"
    assert settings.endpoint == f"https://drs.{region}.otc.t-systems.com"


def test_a_region_may_have_values_of_its_own(write: Write) -> None:
    regions = [
        {"name": "eu-de", "values": {"auth": {"project_id": A}}},
        {"name": "eu-nl", "values": {"auth": {"project_id": B}}},
    ]
    environment = write({"otc": {"auth": {"username": "u", "password": "p", "user_domain_name": "d"}, "regions": regions}})

    assert load_settings({}, environment, Overrides(cloud="otc", region="eu-nl")).project_id == B


def test_a_vendor_file_counts(write: Write, here: Path) -> None:
    vendor = {"public-clouds": {"ours": {"auth": {"auth_url": "https://iam.ours.example"}}}}
    (here / "clouds-public.yaml").write_text(json.dumps(vendor), encoding="utf-8")

    settings = load_settings({"cloud": "otc"}, write({"otc": {**whole_but("auth_url"), "profile": "ours"}}))

    assert settings.auth_url == "https://iam.ours.example/v3"


def test_a_profile_that_does_not_exist_is_missed_where_it_matters(write: Write) -> None:
    text = refused({"cloud": "otc"}, write({"otc": {**OTC, "profile": "nobody"}}))

    assert 'region_name of cloud "otc" in clouds.yaml' in text


def test_a_profile_is_not_fetched_in_the_open(write: Write) -> None:
    text = refused({"cloud": "otc"}, write({"otc": {**OTC, "profile": "http://cloud.example"}}))

    assert "a profile that is an address must begin with https://" in text


@pytest.mark.parametrize("path", ["", "/", "/v3", "/v3/", "/v3/%(project_id)s", "/v3/$(tenant_id)s"])
def test_an_endpoint_may_carry_what_openstacksdk_wants_in_it(path: str, write: Write) -> None:
    environment = write({"otc": {**WHOLE, "drs_endpoint_override": f"https://drs.b.example:8443{path}"}})

    assert load_settings({"cloud": "otc"}, environment).endpoint == "https://drs.b.example:8443"


def test_another_endpoint_is_refused_under_its_name(write: Write) -> None:
    text = refused({"cloud": "otc"}, write({"otc": {**WHOLE, "drs_endpoint_override": "http://drs.b.example"}}))

    assert text.startswith('drs_endpoint_override of cloud "otc" must begin with https://')


def test_a_bundle_is_taken_along(write: Write, here: Path) -> None:
    bundle = here.parent / "ca.pem"
    bundle.touch()

    assert load_settings({"cloud": "otc"}, write({"otc": {**WHOLE, "cacert": str(bundle)}})).ca_cert == str(bundle)


@pytest.mark.parametrize("off", [{"verify": False}, {"insecure": True}, {"verify": "false"}])
def test_certificates_are_always_verified(off: dict[str, Any], write: Write) -> None:
    text = refused({"cloud": "otc"}, write({"otc": {**WHOLE, **off}}))

    assert "turns the verification of certificates off" in text
    assert "cacert" in text
