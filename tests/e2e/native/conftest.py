"""Stacks in YAML with the plugin."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import YamlStack
from tests.e2e.programs import TYPE
from tests.e2e.warm import PLUGIN

__all__ = ["PLUGIN", "TYPE", "YamlStack"]


@pytest.fixture
def front() -> str:
    return "native"
