"""The client of the control calls: prepare a sandbox, in this process or another one, and look into it."""

from __future__ import annotations

import http.client
import json
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from .faults import Fault


class SandboxAdmin:
    """Control calls to the sandbox at a URL. Every call has a connection of its own, so threads may share one."""

    def __init__(self, url: str, *, timeout_seconds: float = 30.0) -> None:
        self.url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds

    def add_jobs(self, *jobs: dict[str, Any]) -> None:
        """Add jobs made with `make_job`; a known id is declared anew."""
        self._call("POST", "/jobs", {"jobs": jobs})

    def job(self, job_id: str) -> dict[str, Any]:
        """
        One job: what was declared, its status and its counters, and its `history`: [sandbox seconds, status] of the last 100
        statuses since it was declared, also of those that nobody saw. Looking here does not count as a look.
        """
        job: dict[str, Any] = self._call("GET", f"/jobs?id={quote(job_id, safe='')}")
        return job

    def jobs(self) -> dict[str, dict[str, Any]]:
        """All jobs by id."""
        jobs: dict[str, dict[str, Any]] = self._call("GET", "/jobs")
        return jobs

    def set_status(
        self, job_id: str, status: str, then: list[Any] | Literal["usual"] | None = None, reason: str | None = None
    ) -> None:
        """
        Put a job into a status; `then` lists the steps it takes from there, "usual" are those that follow after a start.

        `reason` is what DRS gives as the reason of a failure.
        """
        steps: Any = then
        if isinstance(then, list):
            steps = [{"status": step} if isinstance(step, str) else step for step in then]
        self._call("POST", "/status", {"job_id": job_id, "status": status, "then": steps, "reason": reason})

    def set_delay(self, job_id: str, **fields: Any) -> None:
        """
        How far behind a job is from now on: fields of `Delay`. Those that are not named stay as they are, and `seconds` as far as
        it has come: `set_delay("a", falls=0)` lets it stall where it is.
        """
        self._call("POST", "/delay", {"job_id": job_id, "delay": fields})

    def clear_delay(self, job_id: str) -> None:
        """The job has no delay of its own any more: `rpo_ms` and `rto_ms` hold, as for a job that was declared without one."""
        self._call("POST", "/delay", {"job_id": job_id, "delay": None})

    def inject(self, fault: Fault | str | None = None, **fields: Any) -> None:
        """Inject a fault made with `faults.…`, or by its kind and fields: `inject("drop", operation="tokens")`."""
        if isinstance(fault, str):
            fields["kind"] = fault
        declared = fault if isinstance(fault, Fault) else Fault.model_validate(fields)
        self._call("POST", "/faults", declared.model_dump())

    def faults(self) -> list[dict[str, Any]]:
        """Faults that have not happened often enough yet."""
        left: list[dict[str, Any]] = self._call("GET", "/faults")["faults"]
        return left

    def clear_faults(self) -> None:
        self._call("DELETE", "/faults")

    def policy(self) -> dict[str, Any]:
        policy: dict[str, Any] = self._call("GET", "/policy")
        return policy

    def set_policy(self, **policy: Any) -> None:
        """Change any field of `Policy`."""
        self._call("PATCH", "/policy", policy)

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock ahead."""
        self._call("POST", "/advance", {"seconds": seconds})

    def now(self) -> float:
        """The sandbox's time, in seconds since the epoch."""
        return int(self._call("GET", "")["time"]) / 1000

    def calls(self, operation: str | None = None) -> list[dict[str, Any]]:
        """
        The log of calls, of one operation or of all, in order of arrival.

        `jobs` are those that a call names, `done` those of them for which it took effect, even if the answer got lost.
        `client` is the User-Agent of the caller.
        """
        query = "" if operation is None else f"?operation={quote(operation, safe='')}"
        calls: list[dict[str, Any]] = self._call("GET", f"/calls{query}")["calls"]
        return calls

    def clear_calls(self) -> None:
        self._call("DELETE", "/calls")

    def revoke_tokens(self, token: str | None = None) -> int:
        """End one token, or all; tells how many."""
        revoked: int = self._call("POST", "/tokens/revoke", {"token": token})["revoked"]
        return revoked

    def reset(self, *, keep_jobs: bool = False) -> None:
        """Forget jobs, faults, calls and changed policies; tokens stay valid. Jobs may be kept, as they were declared last."""
        self._call("POST", "/reset", {"keep_jobs": keep_jobs})

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=self._timeout_seconds)
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, f"/_sandbox{path}", payload, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status == 404:
            raise KeyError(answer.get("error") or answer.get("error_msg"))
        if response.status >= 400:
            raise ValueError(answer.get("error") or answer.get("error_msg"))
        return answer
