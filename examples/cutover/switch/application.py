"""
A stand-in for what makes your application use a database: a DNS record, a secret, an entry of a load balancer.

It writes the address of the database into a file, and looks into that file for what is so.
"""

from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult


def used_database(file: str) -> str:
    """The address of the database that the application uses now."""
    return Path(file).read_text(encoding="utf-8").strip()


class _ApplicationProvider(ResourceProvider):
    def create(self, props: dict[str, Any]) -> CreateResult:
        Path(props["file"]).write_text(f"{props['database']}\n", encoding="utf-8")
        return CreateResult("application", props)

    def diff(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        # What the application says, and not the state: somebody may have switched it by hand.
        return DiffResult(changes=used_database(news["file"]) != news["database"])

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(self.create(news).outs)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Without the stack the application goes on using the database that it uses."""


class Application(Resource, module="example", name="Application"):
    """The application, and which database it uses."""

    database: pulumi.Output[str]

    def __init__(self, name: str, *, file: str, database: pulumi.Input[str]) -> None:
        super().__init__(_ApplicationProvider(), name, {"file": file, "database": database})
