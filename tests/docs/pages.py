"""The pages of the documentation, and the code blocks in them."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.glob("**/*.md"))

TEST = "test"
"""In place of a language: a comment with Python for the test, such as what somebody else does to a job meanwhile."""

_CONTENTS = re.compile(r"^```\{toctree\}.*?^```$", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$|^( *)<!-- test: (.*?) -->$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A code block of a page."""

    language: str
    text: str


def read(page: str) -> str:
    """The text of a page, which is named by its path in `docs`."""
    return (DOCS / page).read_text(encoding="utf-8")


def blocks(page: str, *languages: str) -> list[Block]:
    """The code blocks of a page, of these languages if any are given."""
    found = []
    for _, language, text, _, comment in _BLOCK.findall(_CONTENTS.sub("", read(page))):
        found.append(Block(TEST, textwrap.dedent(comment)) if comment else Block(language, textwrap.dedent(text)))
    return [block for block in found if not languages or block.language in languages]


def texts(page: str, language: str) -> list[str]:
    """The texts of the code blocks of one language."""
    return [block.text for block in blocks(page, language)]
