"""
What a front lends the core while it serves one call of the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..schema.messages import Messages


@dataclass(frozen=True, slots=True)
class Foretold:
    """What will be done.

    Attributes:
        plan: shown in a preview alone, because else the result tells.
        warnings: what can't be done, or could not be done the last time; shown in a preview alone, too.
        beside: what is done beside the plan.
    """

    plan: str
    warnings: tuple[str, ...]
    beside: str = ""


class Operation(Protocol):
    """One call of the engine.

    Attributes:
        resource: the URN of the resource; empty if it is not known.
        timeout_seconds: the engine's time limit; 0 if there is none.
        messages: makes sentences in the language of the program.
    """

    resource: str
    timeout_seconds: float
    messages: Messages

    @property
    def conceal(self) -> Callable[[str], str]:
        """Takes what is secret out of a text that is shown or kept."""

    def is_wanted(self) -> bool:
        """False as soon as the user has cancelled, or the engine has given up on the call."""

    def info(self, message: str) -> None:
        """Show a line on the resource's row."""

    def foretell(self, plan: Foretold) -> None:
        """Show on the resource's row what will be done."""

    def warn(self, message: str) -> None:
        """Show a warning on the resource's row."""

    def progress(self, message: str) -> None:
        """Show what is going on right now; it is not kept."""
