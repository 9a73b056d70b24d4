"""Entries of clouds.yaml that can't be used: told with file and line, and never quoted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pulumi_drs_start.settings import SettingsError, load_settings

from .conftest import SECRET, WHOLE, Write, refused, whole_but


@pytest.mark.parametrize(
    ("environment", "config", "overrides", "origin"),
    [
        ({"OS_CLOUD": "nobody"}, {}, {}, "OS_CLOUD"),
        ({}, {"cloud": "nobody"}, {}, "drs:cloud"),
        ({}, {}, {"cloud": "nobody"}, "cloud in the program"),
    ],
)
def test_an_unknown_cloud_is_told_with_the_known_ones(
    environment: dict[str, str], config: dict[str, str], overrides: dict[str, str], origin: str, write: Write, here: Path
) -> None:
    text = refused(config, {**environment, **write({"two": WHOLE, "one": WHOLE})}, **overrides)

    assert f'{origin}: {here.parent}/clouds.yaml has no cloud "nobody"; it has: one, two' in text


def test_without_any_file_it_is_told_where_one_belongs() -> None:
    text = refused({"cloud": "otc"}, {})

    assert 'cloud "otc" needs a clouds.yaml: in this folder' in text
    assert "OS_CLIENT_CONFIG_FILE" in text


@pytest.mark.parametrize("variable", ["OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE"])
def test_a_file_that_is_named_must_exist(variable: str, write: Write) -> None:
    text = refused({"cloud": "otc"}, {**write({"otc": WHOLE}), variable: "/no/such.yaml"})

    assert f"{variable} names a file that can't be read: /no/such.yaml (No such file or directory)" in text


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (f"clouds:\n  otc:\n    auth: [\n      password: {SECRET}\n", "line 5:"),
        (f"clouds:\n\totc: {SECRET}\n", "line 2:"),
        (f"clouds:\n  otc:\n    auth:\n      password: *{SECRET}\n", "line 4:"),
        (f"clouds:\n  otc:\n    auth:\n      password: !{SECRET} x\n", "line 4:"),
        (f"clouds: {{otc: '{SECRET}", "line 1"),
    ],
)
@pytest.mark.parametrize("is_secure", [False, True])
def test_broken_yaml_is_told_by_its_line_and_not_quoted(
    content: str, where: str, is_secure: bool, write: Write, here: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    environment = write({"otc": WHOLE}, content) if is_secure else write(content)

    text = refused({"cloud": "otc"}, environment)

    assert f"{here.parent}/{'secure' if is_secure else 'clouds'}.yaml, {where}" in text
    assert "this is not YAML" in text
    assert SECRET not in text + caplog.text


@pytest.mark.parametrize(
    "content", ["", "[]", "otc", f"clouds: {SECRET}", f"clouds: {{otc: {SECRET}}}", "clouds: {otc: {auth: x}}"]
)
def test_a_file_of_another_shape_is_told_and_not_quoted(content: str, write: Write) -> None:
    text = refused({"cloud": "otc"}, write(content))

    assert "clouds.yaml" in text
    assert SECRET not in text


def test_bytes_that_are_no_text_are_told(here: Path) -> None:
    (here.parent / "clouds.yaml").write_bytes(b"clouds: \xff\xfe")

    text = refused({"cloud": "otc"}, {"OS_CLIENT_CONFIG_FILE": str(here.parent / "clouds.yaml")})

    assert "clouds.yaml can't be read" in text


@pytest.mark.parametrize(
    "entry",
    [
        {**WHOLE, "regions": [{"auth": {"password": SECRET}}]},
        {**WHOLE, "region_name": {"x": SECRET}},
        {**WHOLE, "networks": [{"x": SECRET}]},
        {**WHOLE, "networks": SECRET},
        {**whole_but(), "external_network": SECRET, "networks": []},
        {**whole_but(), "profile": [SECRET]},
        {"auth_type": "v3totp", "auth": {"passcode": {"x": SECRET}}},
    ],
)
def test_an_entry_of_a_wrong_shape_is_an_error_of_ours_or_none(entry: dict[str, Any], write: Write) -> None:
    """Whatever openstacksdk makes of it, its words are not repeated with the entry's values in them."""
    environment = write({"otc": entry})
    try:
        settings = load_settings({"cloud": "otc"}, environment)
    except SettingsError as error:
        assert SECRET not in str(error) + repr(error)  # noqa: PT017 - either way is fine
        assert error.__cause__ is None or SECRET not in str(error.__cause__)  # noqa: PT017
        return
    assert SECRET not in repr(settings)


@pytest.mark.parametrize("number", ["0123", "123", "1e3", "1.5", "2026-01-01"])
def test_a_password_that_yaml_takes_for_a_number_is_refused(number: str, write: Write) -> None:
    """0123 would be sent as 83, and count as a wrong password."""
    text = refused({"cloud": "otc"}, write(f"clouds: {{otc: {{auth: {{password: {number}}}}}}}"))

    if number == "1e3":  # YAML 1.1 wants a point in it
        assert "the user name is missing" in text
    else:
        assert 'auth.password of cloud "otc" is read as a number or a date: put it in quotes' in text


def test_without_openstacksdk_the_command_to_install_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openstack.config", None)

    assert "needs the package's extra clouds: in the checkout, pip install '.[clouds]'" in refused({"cloud": "otc"}, {})


def test_openstacksdk_is_not_imported_unless_a_cloud_is_named() -> None:
    code = """
import sys
from pulumi_drs_start.settings import load_settings, token_source
login = {"username": "u", "password": "p", "domainName": "d", "region": "eu-de", "projectId": "a" * 32}
token_source(load_settings(login, {}))
heavy = ("openstack", "keystoneauth1", "yaml", "requests", "huaweicloudsdkcore")
print([name for name in heavy if name in sys.modules])
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"


def test_what_a_cloud_misses_is_told_with_the_place_in_its_entry(write: Write) -> None:
    text = refused({"cloud": "otc"}, write({"otc": {"auth": {}}}))

    for key in ("auth.username", "auth.password", "auth.user_domain_name", "auth.project_id", "region_name"):
        assert f'{key} of cloud "otc" in clouds.yaml' in text
    assert "OS_USERNAME" not in text
