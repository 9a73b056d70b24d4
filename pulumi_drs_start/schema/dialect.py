"""
How a program spells names and values, so that messages speak its language.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_INPUT = re.compile(r"\b([a-z_]+)(=(?=… in the program)|(?= in the program))")


@dataclass(frozen=True, slots=True)
class Dialect:
    """The spelling of one family of languages.

    Attributes:
        is_camel: names are written ``onDestroy``, not ``on_destroy``.
        assigns: what stands between a name and its value.
        true: and `false`: the words for them.
    """

    is_camel: bool
    assigns: str
    true: str
    false: str

    def name(self, name: str) -> str:
        """A field's name: ``on_destroy`` or ``onDestroy``. Paths such as ``jobs[3].start_time`` too."""
        if not self.is_camel:
            return name
        first, *rest = name.split("_")
        return first + "".join(part[:1].upper() + part[1:] for part in rest)

    def respelled(self, text: str) -> str:
        """A text of a layer that knows of no language, and names an input as Python does: ``project_id=… in the program``."""
        return _INPUT.sub(lambda found: f"{self.name(found[1])}{self.assigns * bool(found[2])}", text)

    def value(self, value: Any) -> str:
        """A value as a program writes it."""
        if isinstance(value, bool):
            return self.true if value else self.false
        return value if isinstance(value, str) and self.is_camel else json.dumps(value, ensure_ascii=False)

    def setting(self, name: str, value: str | bool) -> str:
        """A field with its value: ``on_destroy="leave"`` or ``onDestroy: leave``."""
        return f"{self.name(name)}{self.assigns}{self.value(value)}"

    def call(self, function: str, arguments: Mapping[str, str]) -> str:
        """A call with arguments that are spelled already: ``find_jobs(name="crm-*")`` or ``findJobs with name: crm-*``."""
        told = ", ".join(f"{self.name(name)}{self.assigns}{value}" for name, value in arguments.items())
        return f"{self.name(function)} with {told}".removesuffix(" with ") if self.is_camel else f"{function}({told})"


PYTHON = Dialect(is_camel=False, assigns="=", true="True", false="False")
YAML = Dialect(is_camel=True, assigns=": ", true="true", false="false")
