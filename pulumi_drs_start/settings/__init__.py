"""
Configuration: a resource's own inputs over stack configuration over the environment over clouds.yaml, made one object.

Everything that is missing or wrong is reported in a single error, each with every place where it can be given. Where a
value came from is kept beside it, because a refused login is mended there.

A value from a stronger place never mixes with a rival from a weaker one: a project id on the resource retires the project
name of the environment, a region retires the endpoint of another region.

An entry of clouds.yaml counts as the last word of the place that names it: ``cloud=`` on the resource brings values that are
stronger than the stack's configuration, ``drs:cloud`` such that are stronger than the environment, OS_CLOUD the weakest of
all. Who logs in, and where, is never taken from a place weaker than the one that names the cloud: its login is complete, or
it is an error. OS_CLOUD, which is in many a shell for other tools, counts only where no login of equal strength is given.
"""

from .keys import CONFIG_KEYS
from .load import load_settings
from .model import Overrides, Settings, SettingsError
from .sources import shared_token_source, token_source, user_agent

__all__ = [
    "CONFIG_KEYS",
    "Overrides",
    "Settings",
    "SettingsError",
    "load_settings",
    "shared_token_source",
    "token_source",
    "user_agent",
]
