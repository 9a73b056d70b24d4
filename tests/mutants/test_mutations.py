"""The changes that are made, and where: a rule that finds nothing would report that all is well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .mutations import Mutant, mutants_of

Changed = Callable[[str], list[Mutant]]


@pytest.fixture
def changed(tmp_path: Path) -> Changed:
    """The changes of a module with this text."""

    def mutants(source: str) -> list[Mutant]:
        path = tmp_path / "module.py"
        path.write_text(source, encoding="utf-8")
        return mutants_of(path)

    return mutants


@pytest.mark.parametrize(
    ("source", "results"),
    [
        ("x = a < b <= c", ["x = (a <= b <= c)", "x = (a < b < c)"]),
        ("x = a is None", ["x = (a is not None)"]),
        ("x = a and b", ["x = (a or b)"]),
        ("x = not a", ["x = (a)"]),
        ("x = True", ["x = (False)"]),
        ("x = 20.0", ["x = (21.0)"]),
        ("x = a + b", ["x = (a - b)"]),
        ("x = a if b else c", ["x = a if (not (b)) else c"]),
        ("a.b = c", ["pass"]),
        ("f()", ["pass"]),
        ("def f():\n    return a", ["def f():\n    return None"]),
    ],
)
def test_a_change(changed: Changed, source: str, results: list[str]) -> None:
    assert [mutant.source for mutant in changed(source)] == results


@pytest.mark.parametrize(
    "source", ['"""True."""', "x: Literal[1]", "log.debug(a)", "if TYPE_CHECKING:\n    f()", "x = 'é'", "return_ = None"]
)
def test_what_is_left_alone(changed: Changed, source: str) -> None:
    assert changed(source) == []


def test_text_that_takes_more_bytes_than_letters_moves_nothing(changed: Changed) -> None:
    (mutant,) = changed("x = 'für', True")

    assert mutant.source == "x = 'für', (False)"


def test_the_function_of_a_change_is_the_innermost_and_begins_with_its_decorators(changed: Changed) -> None:
    source = "LIMIT = 1\n\n@property\ndef f(a=2):\n    def g():\n        return 3 < a\n    return (lambda: 4)\n"

    functions = {mutant.function for mutant in changed(source)}

    assert functions == {None, 3, 5, 7}
