"""
Configuration: from the program's inputs, the stack's configuration, the environment and clouds.yaml to one validated object.

The sources are layers, and the strongest that has a value gives it (`layers`). Everything that is missing or wrong is
reported in a single error, with every source that can give it (`load`).

A value never mixes with a rival from a weaker source: a project id on the resource retires the project name of the
environment, a region the endpoint of another region.
"""

from .keys import CONFIG_KEYS
from .load import load_settings
from .model import Overrides, Settings, SettingsError
from .tokens import token_source

__all__ = ["CONFIG_KEYS", "Overrides", "Settings", "SettingsError", "load_settings", "token_source"]
