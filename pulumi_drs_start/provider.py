"""
The provider, as a program and the state see it: a name. What it does is in `hooks`, loaded when Pulumi calls.

The module path and the class name are in users' state files (the provider is pickled as a reference to them): they must never
change. A program needs no more than the name, and starts sooner for it.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import CheckResult, ConfigureRequest, CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

if TYPE_CHECKING:
    from .dynamic.hooks import Hooks


class JobBatchStartProvider(ResourceProvider):
    """Starts DRS jobs. Holds no values of its own: it is pickled into the state."""

    # The pickle is a name, no secret; in the open it is readable in state and diffs.
    serialize_as_secret_always = False

    @cached_property
    def _hooks(self) -> Hooks:
        from .dynamic.hooks import Hooks

        return Hooks()

    def __getstate__(self) -> None:
        """No values, so that a provider at work pickles as a new one does: the stack's configuration may hold a password."""

    def configure(self, req: ConfigureRequest) -> None:
        """See `Hooks.configure`."""
        self._hooks.configure(req)

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """See `Hooks.check`."""
        return self._hooks.check(olds, news)

    def diff(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """See `Hooks.diff`."""
        return self._hooks.diff(id_, olds, news)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """See `Hooks.create`."""
        return self._hooks.create(props)

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """See `Hooks.update`."""
        return self._hooks.update(id_, olds, news)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """See `Hooks.read`."""
        return self._hooks.read(id_, props)

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """See `Hooks.delete`."""
        self._hooks.delete(id_, props)
