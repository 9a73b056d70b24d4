"""
Between the socket and the routes: every DRS and IAM call passes here to be logged, slowed down, and to suffer its fault.

Faults act on bytes and connections, which is why this is plain ASGI and knows no route.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .admin_routes import PREFIX
from .browsers import why_not_heard
from .errors import RefusedError
from .faults import Fault
from .page_routes import PAGE, wants_page
from .state import State

# "Making an API Request": a body has at most 12 MB.
MAX_BODY_BYTES = 12 * 1024 * 1024
CHUNK = b'{"id": "9f1c6f6e-5d5e-4d8c-9a1e-1268453jb101", "status": "CONFIGURATION"}, ' * 400
HangUp = Callable[[Scope, bool], None]


@dataclass(slots=True)
class Answer:
    """A complete answer of the routes, held back until it is clear whether anybody gets it."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def collect(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", []))
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    def with_body(self, body: bytes) -> Answer:
        headers = [(name, value) for name, value in self.headers if name.lower() != b"content-length"]
        return Answer(self.status, [*headers, (b"content-length", b"%d" % len(body))], body)

    async def send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


class Wire:
    """ASGI middleware around the routes."""

    def __init__(self, app: ASGIApp, state: State, hang_up: HangUp) -> None:
        self._app = app
        self._state = state
        self._hang_up = hang_up

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        is_control = path == PREFIX or path.startswith((PREFIX + "/", "/docs", "/openapi.json"))
        if scope["type"] == "http" and (reason := why_not_heard(scope)):
            await _json_answer(403, {"error": reason}).send(send)
            return
        if scope["type"] == "http" and wants_page(scope):
            scope, is_control = {**scope, "path": PAGE, "raw_path": PAGE.encode()}, True
        if scope["type"] != "http" or is_control:
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        request_id = uuid.uuid4().hex
        scope["sandbox.request_id"] = request_id
        operation = operation_of(scope["method"], path)
        jobs, start_times, page = _named(body)
        entry = self._state.calls.record(
            operation,
            scope["method"],
            sandbox_time=self._state.clock.now(),
            project_id=_project_of(path),
            jobs=jobs,
            start_times=start_times,
            page=page,
            request_id=request_id,
            client=dict(scope["headers"]).get(b"user-agent", b"").decode("latin-1"),
        )
        scope["sandbox.entry"] = entry
        if self._state.policy.latency_ms:
            await asyncio.sleep(self._state.policy.latency_ms / 1000)
        fault, scope["sandbox.refusals"] = self._state.faults.take(operation, jobs)
        if scope["sandbox.refusals"]:
            entry["fault"] = "row"
        if fault is not None:
            entry["fault"] = fault.kind
            if fault.when == "before" and await self._suffer(fault, scope, receive, send, entry):
                return
        answer = await self._ask(scope, body, request_id)
        entry["status"] = answer.status
        if fault is None or fault.when == "before":
            await answer.send(send)
        else:
            await self._spoil(fault, answer, scope, receive, send, entry)

    async def _ask(self, scope: Scope, body: bytes, request_id: str) -> Answer:
        answer = Answer()
        if len(body) > MAX_BODY_BYTES:
            refusal = RefusedError("APIGW.0201")
            return _json_answer(refusal.status, refusal.body("en-us", request_id))

        async def replay() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, answer.collect)
        return answer

    async def _suffer(self, fault: Fault, scope: Scope, receive: Receive, send: Send, entry: dict[str, Any]) -> bool:
        """A fault before the effect; true when the call ends with it."""
        if fault.kind == "delay":
            return await _pause(fault.seconds, receive, entry)
        if fault.kind == "expire_token":
            token = dict(scope["headers"]).get(b"x-auth-token", b"").decode("latin-1")
            self._state.tokens.revoke(token)
            return False
        if fault.kind == "drop":
            await self._drop(scope, receive, entry, reset=fault.reset)
            return True
        if fault.kind == "endless":
            await self._endless(fault, scope, receive, send, entry)
            return True
        if fault.kind == "answer":
            answer = _declared_answer(fault)
            entry["status"] = answer.status
            await answer.send(send)
            return True
        return False

    async def _spoil(
        self, fault: Fault, answer: Answer, scope: Scope, receive: Receive, send: Send, entry: dict[str, Any]
    ) -> None:
        """A fault after the effect: something happens to the answer."""
        if fault.kind == "drop":
            await self._drop(scope, receive, entry, reset=fault.reset)
        elif fault.kind == "truncate":
            half = answer.body[: len(answer.body) // 2]
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            await send({"type": "http.response.body", "body": half, "more_body": True})
            await self._drop(scope, receive, entry)
        elif fault.kind == "endless":
            await self._endless(fault, scope, receive, send, entry)
        elif fault.kind == "answer":
            declared = _declared_answer(fault)
            entry["status"] = declared.status
            await declared.send(send)
        elif fault.kind in ("missing_rows", "extra_rows"):
            await answer.with_body(_with_other_rows(fault, answer.body)).send(send)
        elif fault.kind == "delay":
            if not await _pause(fault.seconds, receive, entry):
                await answer.send(send)
        else:
            await answer.send(send)

    async def _drop(self, scope: Scope, receive: Receive, entry: dict[str, Any], *, reset: bool = False) -> None:
        entry["status"] = "dropped"
        self._hang_up(scope, reset)
        # The server believes a call without an answer only once it has seen the connection go.
        await _disconnected(receive)

    async def _endless(self, fault: Fault, scope: Scope, receive: Receive, send: Send, entry: dict[str, Any]) -> None:
        entry["status"] = 200
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b'{"count": 1, "results": [', "more_body": True})
            sent = 0
            while not gone.done() and (fault.size is None or sent < fault.size):
                await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
                sent += len(CHUNK)
                await asyncio.sleep(0)
        finally:
            gone.cancel()
        if not gone.done():
            self._hang_up(scope, False)
        await _disconnected(receive)


def operation_of(method: str, path: str) -> str:
    """The last word of the path names a DRS call; the calls of IAM have names of their own."""
    if path == "/v3/auth/tokens":
        return "tokens" if method == "POST" else "validate"
    if path.rstrip("/") in ("", "/v3"):
        return "versions"
    return path.rstrip("/").rpartition("/")[2][:64]


def _project_of(path: str) -> str | None:
    parts = path.split("/")
    return parts[2] if len(parts) > 3 and parts[3] == "jobs" else None


def _named(body: bytes) -> tuple[list[str], dict[str, str], dict[str, Any] | None]:
    """Job ids, start times and page of a request, whatever its shape; nothing else of a body is kept."""
    jobs: list[str] = []
    start_times: dict[str, str] = {}
    try:
        content = json.loads(body) if body else None
    except (ValueError, RecursionError):
        return jobs, start_times, None
    if not isinstance(content, dict):
        return jobs, start_times, None
    named = content.get("jobs")
    for item in named if isinstance(named, list) else []:
        if isinstance(item, str):
            jobs.append(item)
        elif isinstance(item, dict) and isinstance(item.get("job_id"), str):
            jobs.append(item["job_id"])
            if isinstance(item.get("start_time"), str):
                start_times[item["job_id"]] = item["start_time"]
    page = content.get("page_req")
    return jobs, start_times, page if isinstance(page, dict) else None


async def _read(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        # One byte too many is remembered, the rest is read and forgotten.
        if size <= MAX_BODY_BYTES + len(chunk):
            chunks.append(chunk)
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return b"".join(chunks)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _pause(seconds: float, receive: Receive, entry: dict[str, Any]) -> bool:
    """Wait; true when the client lost patience first."""
    try:
        await asyncio.wait_for(_disconnected(receive), seconds)
    except (asyncio.TimeoutError, TimeoutError):
        return False
    entry["status"] = "dropped"
    return True


def _json_answer(status: int, body: Any, content_type: str = "application/json") -> Answer:
    payload = (body if isinstance(body, str) else "" if body is None else json.dumps(body)).encode("utf-8", "replace")
    return Answer(status, [(b"content-type", content_type.encode("latin-1", "replace"))]).with_body(payload)


def _declared_answer(fault: Fault) -> Answer:
    # These two statuses have no body by definition.
    body = None if fault.status in (204, 304) else fault.body
    answer = _json_answer(fault.status, body, fault.content_type)
    answer.headers += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fault.headers.items()]
    return answer


def _with_other_rows(fault: Fault, body: bytes) -> bytes:
    try:
        content = json.loads(body)
    except ValueError:
        return body
    key = "jobs" if "jobs" in content else "results"
    rows = content.get(key)
    if not isinstance(rows, list):
        return body
    if fault.kind == "extra_rows":
        template = {name: value for name, value in rows[0].items() if not name.startswith("error_")} if rows else {}
        name = next((name for name in ("id", "job_id", "precheck_id") if name in template), "id")
        extra = [{**template, name: f"ffffffff-0000-4000-8000-{index:010d}jb"} for index in range(fault.rows)]
        rows = rows + extra
    elif fault.job_id is not None:
        rows = [row for row in rows if fault.job_id not in (row.get("id"), row.get("job_id"), row.get("precheck_id"))]
    else:
        rows = rows[: -fault.rows]
    content[key] = rows
    if "count" in content:
        content["count"] = len(rows)
    return json.dumps(content).encode()
