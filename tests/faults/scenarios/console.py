"""
Somebody else who acts on the jobs: a user at DRS's console, whose calls the sandbox judges as it judges the package's.
"""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from pulumi_drs_start.sandbox import Account, SandboxAdmin, make_job

from .. import jobs
from .scenario import Act

CLIENT = "console"
"""How the console names itself to the sandbox."""

_FAR_MS = "4102444800000"


class Console:
    """Acts on jobs.

    Args:
        sandbox: where they are.
        job_ids: by their index in the scenario.
        names: of the jobs, likewise.
    """

    def __init__(self, sandbox: SandboxAdmin, job_ids: list[str], names: list[str]) -> None:
        self._sandbox, self._job_ids, self._names = sandbox, job_ids, names
        self._account = Account()

    def act(self, act: Act) -> dict[str, Any]:
        """Do it, if DRS lets it be done.

        Returns:
            The facts of the job that it deleted, if any: nobody else can tell afterwards what that was.
        """
        job_id = self._job_ids[act.job]
        if act.what in ("back", "fail", "delete", "recreate"):
            return self._happen(act, job_id)
        if act.what == "stop":
            self._ask("DELETE", "batch-jobs", {"job_id": job_id, "delete_type": "force_terminate"})
        elif act.what in ("start", "schedule"):
            when = {"start_time": _FAR_MS} if act.what == "schedule" else {}
            self._ask("POST", "batch-starting", {"job_id": job_id, **when})
        else:
            self._ask("POST", {"pause": "batch-pause-task", "resume": "batch-retry-task"}[act.what], {"job_id": job_id})
        return {}

    def _happen(self, act: Act, job_id: str) -> dict[str, Any]:
        facts = self._sandbox.jobs().get(job_id)
        if facts is None:
            return {}
        if act.what in ("back", "fail"):
            if facts["status"] in jobs.RUNNING:
                failed = jobs.FAILED[facts["status"] == jobs.FOLLOWING]
                self._sandbox.set_status(job_id, "CONFIGURATION" if act.what == "back" else failed)
            return {}
        deleted = self.delete(job_id)
        if act.what == "recreate":
            self._sandbox.add_jobs(make_job(recreated_id(job_id), name=self._names[act.job]))
        return deleted

    def delete(self, job_id: str) -> dict[str, Any]:
        """Delete a job, whatever it does; its facts."""
        # DRS deletes only what is over.
        self._sandbox.set_status(job_id, "RELEASE_RESOURCE_COMPLETE")
        facts = self._sandbox.job(job_id)
        self._ask("DELETE", "batch-jobs", {"job_id": job_id, "delete_type": "delete"})
        return facts

    def _ask(self, method: str, operation: str, job: dict[str, Any]) -> None:
        self._call(method, f"/v3/{self._account.project_id}/jobs/{operation}", {"jobs": [job]}, self._log_in())

    def _log_in(self) -> str:
        account = self._account
        user = {"name": account.username, "password": account.password, "domain": {"name": account.domain_name}}
        identity = {"methods": ["password"], "password": {"user": user}}
        scope = {"project": {"id": account.project_id}}
        return self._call("POST", "/v3/auth/tokens", {"auth": {"identity": identity, "scope": scope}})

    def _call(self, method: str, path: str, body: Any, token: str = "") -> str:
        """The token that comes with the answer, if any."""
        address = urlsplit(self._sandbox.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        try:
            headers = {"Content-Type": "application/json", "User-Agent": CLIENT, "X-Auth-Token": token, "X-Language": "en-us"}
            connection.request(method, path, json.dumps(body), headers)
            response = connection.getresponse()
            response.read()
            return response.headers.get("X-Subject-Token", "")
        finally:
            connection.close()


def recreated_id(job_id: str) -> str:
    """The id of the job that was made anew in place of one that was deleted."""
    return f"{job_id[:-1]}{(int(job_id[-1], 16) + 1) % 16:x}"
