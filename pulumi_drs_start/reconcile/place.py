"""
Where jobs live: an address of DRS and a project's id. The state keeps it, so that no later command looks for them elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """The address of DRS, and the id of a project there. Equal places have the same jobs, however they were named.

    Attributes:
        endpoint: scheme, host and port, in the one spelling of `plain_url`.
        project_id: as IAM knows it, never a name.
    """

    endpoint: str
    project_id: str

    def __str__(self) -> str:
        return f"project {self.project_id} at {self.endpoint}"

    def to_output(self) -> dict[str, str]:
        """As the state has it."""
        return {"endpoint": self.endpoint, "project_id": self.project_id}

    @classmethod
    def from_output(cls, value: Any) -> Place | None:
        """What `to_output` made; None for anything else."""
        if not isinstance(value, Mapping):
            return None
        endpoint, project_id = value.get("endpoint"), value.get("project_id")
        return cls(endpoint, project_id) if isinstance(endpoint, str) and isinstance(project_id, str) else None
