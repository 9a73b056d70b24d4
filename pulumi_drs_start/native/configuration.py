"""
The provider's inputs: the settings of a stack's configuration, by the same names.
"""

from __future__ import annotations

import os
from typing import Any

from ..settings import CONFIG_KEYS, SECRET_KEYS, unknown_keys, unknown_level, wrong_settings
from . import wire

# Of every provider, whatever it configures.
_OF_PULUMI = ("version", "pluginDownloadURL", "pluginChecksums")


def configuration_of(struct: Any) -> dict[str, str]:
    """The settings that are known, as texts."""
    values, _ = wire.plain(struct)
    given = {name: values.get(name) for name in CONFIG_KEYS}
    return {name: str(value) for name, value in given.items() if value is not None and not wire.is_unknown(value)}


def checked_configuration(urn: str, struct: Any) -> tuple[list[str], list[str]]:
    """What is wrong with the settings whatever a resource adds to them, and what means nothing; `urn` is of the provider."""
    # A project of our name has its own keys in our namespace.
    given = [] if urn.split("::")[1:2] == ["drs"] else struct.fields
    names = [f"drs:{name}" for name in given if name not in _OF_PULUMI and not name.startswith("__")]
    return wrong_settings(configuration_of(struct), os.environ), [*unknown_keys(names), *unknown_level()]


def secret_configuration(struct: Any) -> Any:
    """The settings, with what is always secret marked so."""
    values, secret = wire.plain(struct)
    return wire.struct_of(values, {*secret, *SECRET_KEYS})
