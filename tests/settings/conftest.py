"""What every test of the settings starts from: an environment in which nothing is missing."""

from __future__ import annotations

import os

import pytest

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
