"""Prints a constraints file with the lowest versions of the dependencies that pyproject.toml allows."""

from __future__ import annotations

import re
from importlib import metadata

for text in metadata.requires("pulumi-drs-start"):
    name, lowest = re.match(r"([\w.-]+)[^;]*>=([\d.]+)", text).groups()
    print(f"{name}=={lowest}" + ".*" * (lowest.count(".") < 2))
