"""
How a program spells names and values, so that messages speak its language.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """The spelling of one family of languages.

    Attributes:
        is_camel: names are written ``onDestroy``, not ``on_destroy``.
        assigns: what stands between a name and its value.
        true: and `false`: the words for them.
        quote: around texts.
    """

    is_camel: bool
    assigns: str
    true: str
    false: str
    quote: str

    def name(self, name: str) -> str:
        """A field's name: ``on_destroy`` or ``onDestroy``. Paths such as ``jobs[3].start_time`` too."""
        if not self.is_camel:
            return name
        first, *rest = name.split("_")
        return first + "".join(part[:1].upper() + part[1:] for part in rest)

    def value(self, value: str | bool) -> str:
        """A value as a program writes it."""
        if isinstance(value, bool):
            return self.true if value else self.false
        return f"{self.quote}{value}{self.quote}"

    def setting(self, name: str, value: str | bool) -> str:
        """A field with its value: ``on_destroy="leave"`` or ``onDestroy: leave``."""
        return f"{self.name(name)}{self.assigns}{self.value(value)}"

    def call(self, function: str, name: str, value: str) -> str:
        """A call with one argument: ``find_jobs(name="crm-*")`` or ``findJobs`` with ``name: crm-*``."""
        argument = self.setting(name, value)
        return f"{self.name(function)} with {argument}" if self.is_camel else f"{function}({argument})"


PYTHON = Dialect(is_camel=False, assigns="=", true="True", false="False", quote='"')
YAML = Dialect(is_camel=True, assigns=": ", true="true", false="false", quote="")
