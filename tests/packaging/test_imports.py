"""What the package imports is what it declares, and its parts import each other in one direction only."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pulumi_drs_start"
SANDBOX = sorted((PACKAGE / "sandbox").glob("*.py"))
OTHERS = sorted(set(PACKAGE.rglob("*.py")) - set(SANDBOX))

# Imported only where type checkers look; it comes with pydantic.
FOR_TYPE_CHECKERS = {"typing_extensions"}


def modules(paths: list[Path]) -> set[str]:
    """The modules of others that are imported anywhere in the files, in full."""
    found = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found.add(node.module)
    own = {"pulumi_drs_start", *FOR_TYPE_CHECKERS, *sys.stdlib_module_names}
    return {name for name in found if name.partition(".")[0] not in own}


@cache
def owners() -> dict[str, set[str]]:
    """The installed distributions that have the file of a module: one, but for parts of namespaces."""
    found: dict[str, set[str]] = {}
    for distribution in metadata.distributions():
        for file in distribution.files or []:
            if file.suffix in {".py", ".so", ".pyd"}:
                parts = [part.partition(".")[0] for part in file.parts]
                module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                found.setdefault(module, set()).add(canonicalize_name(distribution.metadata["Name"]))
    return found


def declared(*extras: str) -> set[str]:
    """The distributions that the package asks for, with some of its extras."""
    needs = [Requirement(text) for text in metadata.requires("pulumi-drs-start") or []]
    wanted = [need for need in needs if not need.marker or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras))]
    return {canonicalize_name(need.name) for need in wanted}


@pytest.mark.parametrize(("paths", "extras"), [(OTHERS, ("aksk", "clouds")), (SANDBOX, ("sandbox",))], ids=["package", "sandbox"])
def test_every_module_that_is_imported_is_declared(paths: list[Path], extras: tuple[str, ...]) -> None:
    undeclared = [module for module in modules(paths) if not owners()[module] & declared(*extras)]

    assert undeclared == []


def test_everything_that_is_declared_is_imported() -> None:
    imported = {name for module in modules([*OTHERS, *SANDBOX]) for name in owners()[module]}

    assert declared("aksk", "clouds", "sandbox") - imported == set()


# Statements that belong into no module of ours, and the imports that the linter then finds.
WRONG = {
    ("sandbox/clock.py", "from ..reconcile.phase import Phase"): "sandbox.clock -> pulumi_drs_start.reconcile.phase",
    ("sandbox/wire.py", "from .. import __version__"): "sandbox.wire -> pulumi_drs_start",
    ("sandbox/rules.py", "import pulumi_drs_start.settings.load"): "sandbox.rules -> pulumi_drs_start.settings.load",
    ("provider.py", "from .sandbox import Sandbox"): "provider -> pulumi_drs_start.sandbox",
    ("schema/times.py", "from ..sandbox import jobs"): "schema.times -> pulumi_drs_start.sandbox.jobs",
    ("drs/errors.py", "import pulumi_drs_start.sandbox.state"): "drs.errors -> pulumi_drs_start.sandbox.state",
}


def test_the_linter_finds_imports_between_the_sandbox_and_the_rest(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for module, statement in WRONG:
        with (tmp_path / PACKAGE.name / module).open("a", encoding="utf-8") as file:
            file.write(f"\n{statement}\n")

    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert ended.returncode == 1
    of_the_sandbox = ended.stdout.partition("Broken contracts")[2].partition("The sandbox and the rest can disagree")[2]
    found = set(re.findall(r"-\s+pulumi_drs_start\.(\S+ -> \S+) \(l\.\d+\)", of_the_sandbox))
    assert found == set(WRONG.values())
