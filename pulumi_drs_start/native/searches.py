"""
What the function findJobs found for this program.

A list of ids that comes back as the jobs of a resource says no more how it was found. So it is looked up here: a job that the
resource has on its list already, and that matches the search but for its status, stays on the list. Only a list that is given as
it was returned counts, as in Python: what a program puts together itself says what it means.
"""

from __future__ import annotations

import threading
from typing import Any

from ..schema.types import FoundJobs


class Searches:
    """The results of one program. May be shared by threads."""

    def __init__(self) -> None:
        self._found: list[FoundJobs] = []
        self._lock = threading.Lock()

    def remember(self, found: FoundJobs) -> None:
        """Keep a result."""
        with self._lock:
            self._found.append(found)

    def that_gave(self, jobs: Any) -> dict[str, Any] | None:
        """What is known of these jobs beside their ids, as `schema.inputs` wants it; None for a list that no search gave."""
        with self._lock:
            same = [found for found in self._found if list(found) == jobs]
        if not same:
            return None
        return {
            "query": " and ".join(dict.fromkeys(found.query for found in same)),
            "other_status": list(dict.fromkeys(job_id for found in same for job_id in found.other_status)),
            "of_total": max(found.of_total for found in same),
            "names": {job_id: name for found in same for job_id, name in found.names.items()},
        }

    @property
    def names(self) -> dict[str, str]:
        """What jobs are called, by id, as far as a search told."""
        with self._lock:
            return {job_id: name for found in self._found for job_id, name in found.names.items()}
