"""
At the client's end of the wire: kills the process around a call, and notices calls that were needless.

It sits below the package, in the HTTP library, and judges by what really went over the wire: what this resource's operation
was told of a job before it asked for the job's start, resumption, pause or stop.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

from . import clock, jobs
from .schedule import Kill

ACTIONS = {"batch-starting": "start", "batch-retry-task": "resume", "batch-pause-task": "pause", "batch-jobs": "stop"}
"""The calls that change a job, by the end of their path."""

_CLEAR_REFUSALS = range(400, 500)
_FOR_GOOD = float("inf")


def _allows(action: str, status: str) -> bool:
    """Whether a status is a reason to ask for that. DRS may refuse it all the same."""
    if action == "start":
        return status in ("CONFIGURATION", "WAITING_FOR_START")
    if action == "resume":
        return status in (jobs.PAUSED, *jobs.FAILED, "START_JOB_FAILED")
    if status == jobs.STARTING or status in jobs.ENDED:
        return False
    return action == "stop" or status not in (jobs.PAUSED, *jobs.NOT_STARTED)


@dataclass(slots=True, eq=False)
class _Exchange:
    """A request that was sent, and what was heard so far; without an answer `status` is None. `number` tells its turn."""

    number: int
    path: str
    jobs: list[str]
    status: int | None = None
    heard: bytes = b""


@dataclass(slots=True)
class Knowledge:
    """What one resource's operation has been told of each job.

    Attributes:
        read: the status last read.
        accepted: what DRS accepted, (action, job) -> why that is not asked again, and until when (seconds since the epoch).
        lost: (action, job) -> the number of the last request whose answer never came.
        looked: the number of the request that read the status last.
        thread: that of the operation; others make calls for it and end before it goes on.
        exchanges: that nothing was learnt from yet, each with its thread.
    """

    read: dict[str, str] = field(default_factory=dict)
    accepted: dict[tuple[str, str], tuple[str, float]] = field(default_factory=dict)
    lost: dict[tuple[str, str], int] = field(default_factory=dict)
    looked: dict[str, int] = field(default_factory=dict)
    thread: int = field(default_factory=threading.get_ident)
    exchanges: list[tuple[int, _Exchange]] = field(default_factory=list)

    def learn_from_the_past(self) -> None:
        """Take note of what this thread's exchanges came to; the operation's own thread does so for all of them.

        Not always in the order in which they were sent, so each is weighed by its number.
        """
        me = threading.get_ident()
        for entry in list(self.exchanges):
            thread, past = entry
            if me in (self.thread, thread):
                self.exchanges.remove(entry)
                self.learn(past)

    def needless(self, action: str, job_id: str) -> str | None:
        """Why asking that of the job would be once too often, or None."""
        why, until = self.accepted.get((action, job_id), ("", 0.0))
        if clock.now() < until:
            return why
        if self.lost.get((action, job_id), 0) > self.looked.get(job_id, 0):
            return "sent again after a lost answer, without a look"
        if job_id not in self.read:
            return "sent before the first look"
        if not _allows(action, self.read[job_id]):
            return f"sent although it was read as {self.read[job_id]}"
        return None

    def paused(self, is_alone: bool) -> list[str]:
        """The jobs that this operation has paused, as it must know: it has asked for that, and then seen it.

        Args:
            is_alone: nobody else pauses them, so it is also known where the answer was lost.
        """
        asked = {job_id for (action, job_id), (_, until) in self.accepted.items() if action == "pause" and until == _FOR_GOOD}
        if is_alone:
            asked |= {job_id for action, job_id in self.lost if action == "pause"}
        return sorted(job_id for job_id in asked if self.read.get(job_id) == jobs.PAUSED)

    def learn(self, past: _Exchange) -> None:
        """Take note of an answer, or that there was none."""
        body = _json(past.heard)
        rows = body.get("results") if isinstance(body, dict) else None
        by_id = {str(row.get("id")): row for row in rows if isinstance(row, dict)} if isinstance(rows, list) else {}
        if past.path.endswith("/batch-status"):
            for job_id in past.jobs:
                if job_id in by_id and past.status == 200 and past.number > self.looked.get(job_id, 0):
                    self.looked[job_id] = past.number
                    self.read[job_id] = str(by_id[job_id].get("status"))
        elif action := _action(past.path):
            # DRS.M01504 comes with a 202, and speaks of the whole call where there are no rows.
            is_good = past.status in (200, 202)
            is_envelope = is_good and isinstance(body, dict) and "error_code" in body
            refused = is_envelope or (past.status in _CLEAR_REFUSALS and past.status != 408)
            for job_id in past.jobs:
                row = by_id.get(job_id, {}) if is_good else {}
                if row.get("status") == "success":
                    self.accepted[action, job_id] = ("sent although DRS had accepted it", _FOR_GOOD)
                elif not row and not refused:
                    self.lost[action, job_id] = past.number


def _action(path: str) -> str | None:
    return ACTIONS.get(path.rpartition("/")[2])


class Watch:
    """What goes over the wire in this process, resource by resource (each has a context).

    Args:
        kill: when to die.
        note: takes what was noticed, at once.
        see: is told of every moment at which the process could be killed, with the number that goes with it.

    Attributes:
        changes: how many calls that may change a job were answered.
    """

    def __init__(
        self, kill: Kill | None, note: Callable[[Mapping[str, Any]], None], see: Callable[[str, int], None] | None = None
    ) -> None:
        self._kill = kill
        self._note = note
        self._see = see
        self._calls = 0
        self._done = 0
        self.changes = 0
        self._act: tuple[int, Callable[[], None]] | None = None
        self._lock = threading.Lock()
        self._knowledge: ContextVar[Knowledge] = ContextVar("knowledge")
        self._tokens: set[str] = set()

    def begin(self, knowledge: Knowledge) -> None:
        """From here on this context works for a resource of which so much is known."""
        self._knowledge.set(knowledge)

    def paused(self, is_alone: bool) -> list[str]:
        """See `Knowledge.paused`."""
        knowledge = self._knowledge.get()
        with self._lock:
            knowledge.learn_from_the_past()
            return knowledge.paused(is_alone)

    def read(self) -> dict[str, str]:
        """The status of each job that this context was shown last."""
        knowledge = self._knowledge.get()
        with self._lock:
            knowledge.learn_from_the_past()
            return dict(knowledge.read)

    def moment(self, moment: str) -> None:
        """Die here if so scheduled."""
        self._done += moment == "done"
        kill, number = self._kill, self._done if moment == "done" else self._calls
        if kill is not None and kill.moment == moment and (moment == "unsaved" or number == kill.call):
            self.die()
        if moment == "before" and self._act is not None and self._act[0] == number:
            self._act[1]()
        if self._see is not None:
            self._see(moment, number)

    def die(self) -> None:
        """End this process at once."""
        os.kill(os.getpid(), signal.SIGKILL)

    def before_call(self, number: int, act: Callable[[], None]) -> None:
        """Do something just before the call of this number is sent."""
        self._act = (number, act)

    def exchange(self, request: Any, send: Callable[[], requests.Response]) -> requests.Response:
        """Send a request, and take note of what it is; what came of it is learnt before the next one."""
        knowledge = self._knowledge.get()
        path = request.url.partition("?")[0]
        named = _named(request.body) if "/jobs/" in path else []
        with self._lock:
            knowledge.learn_from_the_past()
            self._calls += 1
            this = _Exchange(self._calls, path, named)
            knowledge.exchanges.append((threading.get_ident(), this))
            token = request.headers.get("X-Auth-Token")
            if token and token not in self._tokens:
                self._tokens.add(token)
                self._note({"token": token})
        if action := _action(path):
            reasons = {job_id: f"{action}: {why}" for job_id in named if (why := knowledge.needless(action, job_id))}
            if reasons:
                self._note({"needless": reasons})
        self.moment("before")
        try:
            response = send()
        except Exception:
            self.moment("lost")
            raise
        this.status, this.heard = response.status_code, response.content
        self.changes += _action(path) is not None
        self.moment("answered")
        return response


_watch: Watch | None = None


def watch_with(watch: Watch) -> None:
    """Let this process be watched."""
    global _watch
    _watch = watch


def install() -> None:
    """Get between the package and the network, and make timeouts as fast as the clock."""
    plain_send, plain_adapt, plain_getresponse = requests.Session.send, HTTPAdapter.send, HTTPConnection.getresponse

    # The session's, because it runs in the thread of the caller: the package's adapter makes each request in another one.
    def send(self: requests.Session, request: Any, **options: Any) -> requests.Response:
        if _watch is None:
            return plain_send(self, request, **options)
        clock.call_begins()
        try:
            return _watch.exchange(request, lambda: plain_send(self, request, **options))
        finally:
            clock.call_ends()

    def adapt(self: HTTPAdapter, request: Any, timeout: Any = None, **options: Any) -> requests.Response:
        fast = tuple(_fast(part) for part in timeout) if isinstance(timeout, tuple) else _fast(timeout)
        try:
            return plain_adapt(self, request, timeout=fast, **options)
        except requests.Timeout:
            if not clock.runs() and isinstance(timeout, tuple):
                # As late as it has become for the caller.
                clock.jump(timeout[1])
            raise

    def getresponse(self: HTTPConnection) -> Any:
        if _watch is not None:
            _watch.moment("sent")
        return plain_getresponse(self)

    requests.Session.send = send  # type: ignore[method-assign]
    HTTPAdapter.send = adapt  # type: ignore[method-assign,assignment]
    HTTPConnection.getresponse = getresponse  # type: ignore[method-assign]


def _fast(seconds: float | None) -> float | None:
    # Where time stands still, only the machine can keep anybody waiting.
    return seconds if seconds is None or clock.is_exact() else max(0.05, seconds / clock.SPEED)


def _named(body: Any) -> list[str]:
    parsed = _json(body)
    named = parsed.get("jobs") if isinstance(parsed, dict) else None
    return [job["job_id"] if isinstance(job, dict) else job for job in named or []]


def _json(content: Any) -> Any:
    try:
        return json.loads(content or b"")
    except ValueError:
        return None
