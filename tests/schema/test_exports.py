"""What the package exports."""

from __future__ import annotations

import ast
from pathlib import Path

import pulumi_drs_start


def imported() -> set[str]:
    """The names that the package takes from its modules, those included that are loaded on demand."""
    tree = ast.parse(Path(pulumi_drs_start.__file__).read_text(encoding="utf-8"))
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
    return {name.asname or name.name for node in froms for name in node.names}


def test_the_public_names_are_sorted_and_no_others_than_what_is_there() -> None:
    assert pulumi_drs_start.__all__ == sorted(imported())


def test_every_public_name_can_be_imported_and_is_listed() -> None:
    names: dict[str, object] = {}
    exec("from pulumi_drs_start import *", names)  # noqa: S102

    assert names.keys() - {"__builtins__"} == set(pulumi_drs_start.__all__)
    assert set(pulumi_drs_start.__all__) <= set(dir(pulumi_drs_start))
