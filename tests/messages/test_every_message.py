"""The file has every message that the package can make, as it makes them now, and none has a plain mistake."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pulumi_drs_start
from pulumi_drs_start.reconcile.plan import Reason
from pulumi_drs_start.schema.messages import _HINTS, Messages
from pulumi_drs_start.schema.words import inflect

from .page import Speaker
from .rendering import FILE, render

PACKAGE = Path(pulumi_drs_start.__file__).parent
TEXT = FILE.read_text(encoding="utf-8")

NOT_TOLD = {
    "sandbox": "it has messages of its own",
    "native/schema.py": "the schema for other languages",
    "schema/fields.py": "the tables of the documentation",
}
"""Files and folders whose texts are not messages."""
EXCEPTIONS = {
    "module \0 has no attribute \0": "Python's words for a mistake in a program",
    "no usable X-Subject-Token": "told as an answer that is not IAM's",
    "the token has no times": "told as an answer that is not IAM's",
    "jobs are missing": "told as an answer in a shape that is not documented",
    "a login needs auth_url, and a password or options; load_settings checks it": "a defect of this package",
    "Tunnel connection failed": "the words of a library, which are looked for",
    "Input should be": "the words of a library, which are replaced",
    "Value error, ": "the words of a library, which are replaced",
    "an option is missing, or of a wrong type": "no login of the newest keystoneauth comes to it",
    **dict.fromkeys(("the TLS bundle", "the batch size", "the language"), "has a default, so it is never missing"),
    **dict.fromkeys(("the options of the login", "the project's domain"), "not named when a login is refused"),
}
"""Texts that are not in the file, and why."""

# Two words, or two forms of one.
_IS_TEXT = re.compile(r"[a-z'],? [a-z]{2}|\{[^{}]*\|", re.IGNORECASE)
# Calls of these take texts that nobody is told.
_NOT_SHOWN = ("log.", "re.", "logging.")


def _texts(node: ast.AST) -> Iterator[str]:
    """The texts in a piece of code, with ``\\0`` for what is filled in. No docstrings, log lines, patterns, types."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(_NOT_SHOWN):
        return
    if isinstance(node, ast.FunctionDef) and node.name == "__repr__":
        return
    if isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "\0" for part in node.values)
        node = ast.Module([part for part in node.values if not isinstance(part, ast.Constant)], [])
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value.replace("{}", "\0")
    for child in ast.iter_child_nodes(node):
        yield from _texts(child)


def _sources() -> dict[str, str]:
    files = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
    return {name: path.read_text("utf-8") for name, path in files.items() if not name.startswith(tuple(NOT_TOLD))}


def _is_there(text: str) -> bool:
    """Whether a line of the file has this text, its first letter and its full stop aside."""
    parts = map(re.escape, text.strip("\0 .;:").split("\0"))
    return re.search(".*?".join(parts), TEXT, re.IGNORECASE) is not None


def test_the_file_is_what_the_package_says_now() -> None:
    assert render() == TEXT, "`make messages` writes it anew: then read what has changed"


@pytest.mark.parametrize("name", _sources())
def test_every_text_of_the_code_is_in_the_file_for_one_job_and_for_many(name: str) -> None:
    texts = {text for text in _texts(ast.parse(_sources()[name])) if _IS_TEXT.search(text)} - EXCEPTIONS.keys()

    assert [form for text in sorted(texts) for form in {inflect(text, 1), inflect(text, 2)} if not _is_there(form)] == []


def test_no_exception_is_out_of_date() -> None:
    texts = {text for source in _sources().values() for text in _texts(ast.parse(source))}

    assert EXCEPTIONS.keys() - texts == set()
    assert [text for text in EXCEPTIONS if _is_there(text)] == []


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_there_for_one_job_and_for_many(reason: Reason) -> None:
    part = TEXT.split(f"## {reason.name.lower().replace('_', ' ')}\n", 1)[1].split("\n#", 1)[0]

    assert re.search("^1 job ", part, re.MULTILINE)
    assert re.search("^5 jobs ", part, re.MULTILINE)


def test_every_kind_of_message_is_there() -> None:
    public = {name for name in dir(Messages) if not name.startswith("_")}
    render()

    assert public - Speaker.used == set()
    assert [code for code in _HINTS if code not in TEXT] == []


@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param(r"\bshall\b", id="a word that nobody uses"),
        pytest.param(r"\b(\w+) \1\b", id="a word twice"),
        pytest.param(r"  (?!  )\S| [,.;:]\s|[.]{2}|[,;:.][,;:.)]\s", id="a blank or a mark too much"),
        pytest.param(r"[{}|]", id="a form that was not chosen"),
        pytest.param(
            r"\b1 jobs|(?<!\S)(?!1 )[\d,]+ job\b|\bjobs? (?:[^,; ]+ )?(?:is|was|has) (?:\w+ )?(?:they|their)\b", id="a number"
        ),
        pytest.param(r"^(?!#)[^\n]*\w{2}\. [A-Z][^\n]*(?<![.?])$", id="several sentences without a full stop at the end"),
    ],
)
def test_no_message_has_a_plain_mistake(mistake: str) -> None:
    lines = [line.strip() for line in TEXT.splitlines()]

    assert [line for line in lines if re.search(mistake, line)] == []
