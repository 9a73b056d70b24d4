"""What tests of the settings start from: an environment in which nothing is missing, and a clouds.yaml of their own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openstack.config import loader

from pulumi_drs_start.settings import Overrides, SettingsError, load_settings

PROJECT = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _bare_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own settings stay out of the result."""
    for name in list(os.environ):
        if name.startswith(("OS_", "DRS_")):
            monkeypatch.delenv(name)


@pytest.fixture
def complete() -> dict[str, str]:
    """An environment that is enough on its own."""
    return {
        "OS_REGION_NAME": "eu-de",
        "OS_PROJECT_ID": PROJECT,
        "OS_USERNAME": "env-user",
        "OS_PASSWORD": "env-password",
        "OS_USER_DOMAIN_NAME": "env-domain",
    }


Write = Callable[..., dict[str, str]]
SECRET = "hidden-word"
WHOLE_LOGIN = {
    "auth_url": "https://iam.cloud.example",
    "username": "cloud-user",
    "password": "cloud-password",
    "user_domain_name": "cloud-domain",
    "project_id": "a" * 32,
}
WHOLE = {"auth": WHOLE_LOGIN, "region_name": "eu-nl", "drs_endpoint_override": "https://drs.cloud.example"}
"""An entry of clouds.yaml that is enough on its own."""


def whole_but(*names: str, **more: Any) -> dict[str, Any]:
    """The whole entry, but for some values of its login."""
    return {**WHOLE, "auth": {key: value for key, value in WHOLE_LOGIN.items() if key not in names} | more}


def refused(config: dict[str, str], environment: dict[str, str], **overrides: str) -> str:
    """The text of the error."""
    with pytest.raises(SettingsError) as caught:
        load_settings(config, environment, Overrides(**overrides))
    return str(caught.value)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty current folder, with none of the developer's files anywhere; the user's own folder is ``home`` beside it."""
    for constant, stem in (("CONFIG_FILES", "clouds"), ("SECURE_FILES", "secure"), ("VENDOR_FILES", "clouds-public")):
        monkeypatch.setattr(loader, constant, [str(tmp_path / "home" / f"{stem}.{end}") for end in ("yaml", "yml", "json")])
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def write(here: Path) -> Write:
    """Writes clouds.yaml, and secure.yaml, and gives the environment that leads there."""

    def write(clouds: Any, secure: Any = None) -> dict[str, str]:
        environment = {}
        for variable, name, content in (
            ("OS_CLIENT_CONFIG_FILE", "clouds.yaml", clouds),
            ("OS_CLIENT_SECURE_FILE", "secure.yaml", secure),
        ):
            if content is not None:
                path = here.parent / name
                path.write_text(content if isinstance(content, str) else json.dumps({"clouds": content}), encoding="utf-8")
                environment[variable] = str(path)
        return environment

    return write
