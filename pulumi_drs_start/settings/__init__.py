"""
Configuration: from the program's inputs, the stack's configuration, the environment and clouds.yaml to one validated object.

The sources are layers, and the strongest that has a value gives it (`layers`). Everything that is missing or wrong is
reported in a single error, with every source that can give it (`load`).

A value never mixes with a rival from a weaker source: a project id on the resource retires the project name of the
environment, a region the endpoint of another region.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .keys import CONFIG_KEYS, SECRET_KEYS, unknown_keys
from .logs import log_where_asked, unknown_level

if TYPE_CHECKING:
    from .load import load_settings, wrong_settings
    from .model import Overrides, Settings, SettingsError
    from .tokens import token_source

__all__ = [
    "CONFIG_KEYS",
    "SECRET_KEYS",
    "Overrides",
    "Settings",
    "SettingsError",
    "load_settings",
    "log_where_asked",
    "token_source",
    "unknown_keys",
    "unknown_level",
    "wrong_settings",
]
_MODULES = {"load_settings": ".load", "wrong_settings": ".load", "token_source": ".tokens"}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        # A program that only declares resources needs the names of settings, and starts sooner without what checks values.
        if name in __all__:
            return getattr(import_module(_MODULES.get(name, ".model"), __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
