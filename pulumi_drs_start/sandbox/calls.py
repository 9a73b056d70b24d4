"""What was asked of the sandbox: one entry per DRS or IAM call, in order of arrival. Never a token, never a password."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from itertools import islice
from typing import Any

KEPT = 10_000
CLIENT_CHARACTERS = 200


class CallLog:
    """The last calls, as plain dicts."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def record(
        self,
        operation: str,
        method: str,
        *,
        sandbox_time: float,
        project_id: str | None,
        jobs: list[str],
        start_times: dict[str, str],
        page: dict[str, Any] | None,
        request_id: str,
        client: str,
    ) -> dict[str, Any]:
        """Add a call on its arrival; its `done`, `status` and `fault` are filled in by whoever answers it."""
        entry: dict[str, Any] = {
            "operation": operation,
            "method": method,
            "time": time.time(),
            "sandbox_time": sandbox_time,
            "project_id": project_id,
            # Ids come again in every call: one copy of each is enough.
            "jobs": [sys.intern(job_id) for job_id in jobs],
            "start_times": start_times,
            "done": [],
            "page": page,
            "status": None,
            "fault": None,
            "request_id": request_id,
            "client": sys.intern(client[:CLIENT_CHARACTERS]),
        }
        with self._lock:
            self._entries.append(entry)
        return entry

    def entries(self, operation: str | None = None) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(entry) for entry in self._entries if operation in (None, entry["operation"])]

    def latest(self, count: int) -> tuple[int, list[dict[str, Any]]]:
        """How many calls are remembered, and the last ones of them, the newest first."""
        with self._lock:
            return len(self._entries), [dict(entry) for entry in islice(reversed(self._entries), count)]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
