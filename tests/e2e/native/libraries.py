"""Libraries for other languages, made from the schema by the commands of this engine."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from pulumi_drs_start.native.schema import FILE


def make_library(engine: str, language: str, folder: Path, environment: Mapping[str, str]) -> Path:
    """Make the library of a language in a folder of its name. A built engine has a command of its own for it."""
    made, own = folder / language, Path(engine) / "pulumi-gen-sdk"
    theirs = [Path(engine) / "pulumi", "package", "gen-sdk", FILE, "--language", language, "--local", "--out", folder]
    subprocess.run([own, language, FILE, made] if own.exists() else theirs, env=environment, check=True, timeout=120)
    return made
