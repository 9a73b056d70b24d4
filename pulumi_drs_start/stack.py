"""
What a program says of its stack's settings.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from .settings import unknown_keys, unknown_level

_told_of: dict[str, Any] | None = None


def warn_of_unknown_settings() -> None:
    """Warn of settings that mean nothing, once per run of a program: keys of the configuration, and DRS_LOG.

    The program says it, and not the provider, which does not know whether the program has asked DRS before.
    """
    global _told_of
    # The environment has the configuration of a program that is a process of its own. The Automation API makes a new dict for
    # each run of an inline program.
    config = CONFIG.get()
    if config is _told_of:
        return
    _told_of = config
    # A project of this name has its own keys in our namespace.
    keys = [] if pulumi.get_project() == "drs" else {**get_config_env(), **config}
    for line in (*unknown_keys(keys), *unknown_level()):
        pulumi.log.warn(line)
