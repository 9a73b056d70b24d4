"""
What the engine asks of a front about one resource, whichever front it is.

A state has ``id`` (None of a resource that is not there yet), ``inputs``, ``outputs`` and ``is_failed``, in the front's own form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

State = Mapping[str, Any]
NEW: State = {"id": None, "inputs": {}, "outputs": {}}


class FailedError(Exception):
    """A call failed; the text is what the user is told.

    Attributes:
        saved: id and outputs of a resource that is saved all the same.
    """

    def __init__(self, text: str, saved: tuple[str, dict[str, Any]] | None = None) -> None:
        super().__init__(text)
        self.saved = saved


class Front(Protocol):
    """The calls. All may raise FailedError."""

    def check(self, state: State, declared: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs, checked. `declared` has Python's names."""

    def difference(self, state: State, inputs: Mapping[str, Any]) -> str | None:
        """What is to be done with a resource that is there: ``update``, ``replace`` or nothing."""

    def preview(self, state: State, inputs: Mapping[str, Any]) -> None:
        """What the engine asks besides in a preview, of a resource that would be created or updated."""

    def apply(self, state: State, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Create or update it; its id and outputs."""

    def read(self, state: State) -> dict[str, Any]:
        """Its outputs, brought up to date."""

    def delete(self, state: State) -> None:
        """Let it go."""

    def bag(self, outputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Outputs by Python's names."""
