"""Ways to log in that an entry of clouds.yaml can describe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pulumi_drs_start.drs.auth.sources import IamLogin, ReadyToken
from pulumi_drs_start.settings import load_settings, token_source

from .conftest import SECRET, WHOLE, Write, refused

A = "a" * 32


ADDRESSES = {"region_name": "eu-de"}
APPLICATION = {"application_credential_id": "id", "application_credential_secret": SECRET}


def _entry(auth_type: str | None, **auth: Any) -> dict[str, Any]:
    return ADDRESSES | {"auth": auth} | ({"auth_type": auth_type} if auth_type else {})


@pytest.mark.parametrize("auth_type", [None, "password", "v3password"])
def test_a_password_is_a_login_of_ours(auth_type: str | None, write: Write) -> None:
    entry = _entry(auth_type, username="u", password=SECRET, user_domain_name="d", project_name="p")

    assert isinstance(token_source(load_settings({"cloud": "otc"}, write({"otc": entry}))), IamLogin)


@pytest.mark.parametrize("domain", [{"domain_name": "d"}, {"default_domain_name": "d"}, {"user_domain_name": "d"}])
def test_a_domain_by_itself_is_the_user_s(domain: dict[str, str], write: Write) -> None:
    entry = _entry(None, username="u", password=SECRET, project_name="p", **domain)

    assert load_settings({"cloud": "otc"}, write({"otc": entry})).user_domain_name == "d"


@pytest.mark.parametrize("auth_type", ["admin_token", "token_endpoint"])
def test_a_ready_token_is_used_as_it_is(auth_type: str, write: Write) -> None:
    entry = _entry(auth_type, token=SECRET, endpoint="https://x.example", project_id=A)

    assert isinstance(token_source(load_settings({"cloud": "otc"}, write({"otc": entry}))), ReadyToken)


@pytest.mark.parametrize(
    ("auth_type", "auth", "effective"),
    [
        ("token", {"token": SECRET}, "v3token"),
        ("v3token", {"token": SECRET}, "v3token"),
        (None, {"token": SECRET}, "v3token"),
        ("v3applicationcredential", APPLICATION, "v3applicationcredential"),
        (
            "v3oidcaccesstoken",
            {"identity_provider": "idp", "protocol": "openid", "access_token": SECRET},
            "v3oidcaccesstoken",
        ),
        ("v3totp", {"username": "u", "user_domain_name": "d", "passcode": SECRET}, "v3totp"),
    ],
)
def test_other_logins_are_keystoneauth_s(auth_type: str | None, auth: dict[str, str], effective: str, write: Write) -> None:
    settings = load_settings({"cloud": "otc"}, write({"otc": _entry(auth_type, project_id=A, **auth)}))

    assert settings.auth_type == effective
    assert isinstance(token_source(settings), IamLogin)
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json() + repr(token_source(settings))


def test_several_factors_are_a_login_too(write: Write) -> None:
    auth = {"username": "u", "password": SECRET, "passcode": "p", "user_domain_name": "d", "project_id": A}
    entry = {**_entry("v3multifactor", **auth), "auth_methods": ["v3password", "v3totp"]}

    assert load_settings({"cloud": "otc"}, write({"otc": entry})).auth_type == "v3multifactor"


def test_an_application_credential_needs_no_project(write: Write) -> None:
    entry = _entry("v3applicationcredential", **APPLICATION)

    assert load_settings({"cloud": "otc"}, write({"otc": entry})).project_id is None


def test_another_login_needs_a_project(write: Write) -> None:
    text = refused({"cloud": "otc"}, write({"otc": _entry("v3token", token=SECRET)}))

    assert text.startswith("the project is missing: set drs:projectId")
    assert 'auth.project_id of cloud "otc" in clouds.yaml' in text


@pytest.mark.parametrize(
    "auth_type", ["none", "", "http_basic", "v2password", "v2token", "v3tokenlessauth", "v3websso", "v3oidcdeviceauthz"]
)
def test_a_login_that_gives_no_token_or_waits_for_a_person_is_refused(auth_type: str, write: Write) -> None:
    entry = {**_entry(None), "auth_type": auth_type}

    text = refused({"cloud": "otc"}, write({"otc": entry}))

    assert "clouds.yaml can't be used: DRS needs a token of IAM's version 3, got without a browser" in text


@pytest.mark.parametrize(
    ("auth_type", "auth", "problem"),
    [
        ("v3passwort", {}, "The plugin v3passwort could not be found"),
        ("v3adfspassword", {}, "it needs more libraries: pip install 'keystoneauth1[kerberos,oauth1,saml2]'"),
        ("v3samlpassword", {}, "it needs more libraries"),
        ("v3oauth1", {}, "it needs more libraries"),
        ("v3applicationcredential", {"application_credential_id": "id"}, "You must provide an auth secret"),
        ("v3oidcaccesstoken", {"access_token": SECRET}, "which were not given: identity_provider, protocol"),
        ("v3token", {}, "an option is missing, or of a wrong type"),
    ],
)
def test_a_login_that_can_t_be_made_is_told(auth_type: str, auth: dict[str, str], problem: str, write: Write, here: Path) -> None:
    text = refused({"cloud": "otc"}, write({"otc": _entry(auth_type, **auth)}))

    assert f'drs:cloud: auth_type {auth_type} of cloud "otc" in {here.parent}/clouds.yaml can\'t be used: ' in text
    assert problem in text


def test_a_token_that_fits_in_no_header_is_refused(write: Write) -> None:
    text = refused({"cloud": "otc"}, write({"otc": _entry("admin_token", token="hidden word", project_id=A)}))

    assert text.startswith('auth.token of cloud "otc" is not a token')
    assert "hidden word" not in text


def test_a_certificate_for_iam_is_taken_along(write: Write) -> None:
    settings = load_settings({"cloud": "otc"}, write({"otc": {**WHOLE, "cert": "/c.pem", "key": "/k.pem"}}))

    assert (settings.client_cert, settings.client_key) == ("/c.pem", "/k.pem")


def test_a_left_over_password_does_not_retire_another_kind_of_login(write: Write) -> None:
    environment = write({"otc": _entry("v3applicationcredential", **APPLICATION)})

    assert (
        load_settings({}, {**environment, "OS_CLOUD": "otc", "OS_PASSWORD": "left-over"}).auth_type == "v3applicationcredential"
    )
