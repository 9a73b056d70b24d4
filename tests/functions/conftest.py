"""An environment that leads to the sandbox, as a user's shell would."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pulumi_drs_start.operations.connections import process_connections
from pulumi_drs_start.sandbox import Sandbox


@pytest.fixture(autouse=True)
def _login(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Functions take their settings from the environment, and keep clients for as long as the program lives: one test here."""
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    yield
    process_connections().close()
