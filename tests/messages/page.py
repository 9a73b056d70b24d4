"""What is written: headings, and messages under them, each once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from pulumi_drs_start.schema.dialect import PYTHON, YAML, Dialect
from pulumi_drs_start.schema.messages import Messages
from pulumi_drs_start.schema.words import JobNames

NAMES = {
    "20e98ed2-55fc-5b16-83ee-cfde5e9jb173": "crm-orders",
    "37b1cc04-91d7-5d0a-b6a1-0d20e55jb178": "crm-customers",
    "52ad6f19-0c3e-5a75-9f42-7be81d6jb174": "shop-stock",
    "8f0077a3-6e2b-55c8-8d19-42c6f03jb171": "shop-prices",
    "c4d9e5b8-2a41-5f67-a03d-9e1b7c8jb172": "warehouse",
}
IDS = tuple(NAMES)
ONE, MANY = IDS[:1], IDS


class Speaker(Messages):
    """Messages of the package, and which of its methods were used."""

    used: set[str] = set()  # noqa: RUF012 - of all of them

    def __getattribute__(self, name: str) -> Any:
        Speaker.used.add(name)
        return super().__getattribute__(name)


def speaker(dialect: Dialect = PYTHON) -> Speaker:
    """One that knows the names of the jobs."""
    names = JobNames()
    names.learn(NAMES)
    return Speaker(dialect, names)


class Page:
    """The text so far.

    Attributes:
        patch: replaces what is of this machine.
        folder: where files for the messages are made; they are shown as if in the current folder.
    """

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self.patch, self.folder = patch, folder
        self.lines: list[str] = []
        self._said: set[str] = set()

    def section(self, title: str) -> None:
        """Begin a section."""
        self.lines += ["", f"# {title}", ""] if self.lines else [f"# {title}", ""]
        self._said = set()

    def part(self, title: str) -> None:
        """Begin a part of a section."""
        self.lines += ["", f"## {title}", ""] if self.lines[-1] else [f"## {title}", ""]

    def say(self, *texts: str) -> None:
        """Write messages that this section does not have yet."""
        for text in texts:
            shown = text.strip().replace(f"{self.folder}/", "").replace("\n", "\n    ")
            if shown and shown not in self._said:
                self._said.add(shown)
                self.lines.append(shown)

    def both(self, make: Callable[[Speaker], Iterable[str]]) -> None:
        """Write messages for programs in Python, and those that read otherwise in YAML."""
        for python, yaml in zip(*(list(make(speaker(dialect))) for dialect in (PYTHON, YAML)), strict=True):
            self.say(python, *([f"YAML: {yaml}"] if yaml != python else []))

    def raised(self, *calls: Callable[[], Any]) -> None:
        """Write the texts of the errors that these calls raise, as the package reports them."""
        for call in calls:
            with pytest.raises(Exception) as caught:  # noqa: PT011 - the text is what it is about
                call()
            self.say(str(caught.value))

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines) + "\n"
