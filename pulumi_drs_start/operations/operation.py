"""
What a front lends the core while it serves one call of the engine.
"""

from __future__ import annotations

from typing import Protocol

from ..schema.messages import Messages


class Operation(Protocol):
    """One call of the engine.

    Attributes:
        resource: the URN of the resource; empty if it is not known.
        timeout_seconds: the engine's time limit; 0 if there is none.
        is_preview: nothing will be done, so that people are told what would be.
        messages: makes sentences in the language of the program.
    """

    resource: str
    timeout_seconds: float
    is_preview: bool
    messages: Messages

    def is_wanted(self) -> bool:
        """False as soon as the user has cancelled, or the engine has given up on the call."""

    def info(self, message: str) -> None:
        """Show a line on the resource's row."""

    def warn(self, message: str) -> None:
        """Show a warning on the resource's row."""

    def progress(self, message: str) -> None:
        """Show what is going on right now; it is not kept."""
