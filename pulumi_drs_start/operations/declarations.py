"""
Which jobs the resources of the program declare, as far as this process knows. Deleting one resource never pauses or stops a job
that another one declares.

Pulumi deletes what is gone from a program after it has checked every other resource. Some commands do not check them all: these
pause and stop nothing that another resource could declare.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..reconcile.declared import Place


@dataclass(slots=True)
class DeclaredJobs:
    """The jobs that the resources of a program declare, and where. May be shared by threads."""

    _jobs: dict[str, tuple[Place | None, frozenset[str]]] = field(default_factory=dict)
    _replaced: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def declare(self, urn: str, place: Place | None, job_ids: Iterable[str]) -> None:
        """Note what a resource declares. A place of None is not known yet, and so are its jobs."""
        with self._lock:
            self._jobs[urn] = (place, frozenset(job_ids))

    def is_replaced(self, urn: str) -> None:
        """Note that a resource is to be replaced. If it is deleted before that is made, the program has not come to its end."""
        with self._lock:
            self._replaced.add(urn)

    def is_made(self, urn: str) -> None:
        """Note that the new one was made, or that there was no need to."""
        with self._lock:
            self._replaced.discard(urn)

    def at(self, place: Place) -> frozenset[str]:
        """The jobs that any resource declares at this place."""
        with self._lock:
            return frozenset().union(*(job_ids for where, job_ids in self._jobs.values() if where == place))

    def declares(self, urn: str, place: Place) -> bool:
        """Whether the program has this very resource, at this place."""
        with self._lock:
            return urn in self._jobs and self._jobs[urn][0] == place

    def why_unsure(self, urn: str) -> str | None:
        """Why more may be declared than is known here; None if all is known."""
        with self._lock:
            if urn in self._replaced:
                return "the resource is deleted before its replacement is created"
            if any(where is None for where, _ in self._jobs.values()):
                return "it is not known where another resource has its jobs"
            return None
