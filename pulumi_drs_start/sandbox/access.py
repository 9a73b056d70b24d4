"""What every DRS call must show before it is heard: a token or a signature, the right project, and JSON."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from .errors import RefusedError
from .signing import is_signature_valid, is_signed
from .state import State


def state_of(request: Request) -> State:
    state: State = request.app.state.sandbox
    return state


def language_of(request: Request) -> str:
    return request.headers.get("x-language", "en-us")


def reply(request: Request, body: Any, status: int, headers: dict[str, str] | None = None) -> Response:
    """An answer in ASCII JSON: whatever a client sent can be said back without breaking the encoding."""
    headers = {"X-Request-Id": request.scope.get("sandbox.request_id", "")} | (headers or {})
    return Response(json.dumps(body), status_code=status, headers=headers, media_type="application/json")


async def check_access(request: Request) -> None:
    """
    Refuse a call that may not be heard.

    Tokens must be scoped to the project of the path ("Constructing a Request", "Authentication").
    """
    state = state_of(request)
    project_id = str(request.path_params.get("project_id", ""))
    if is_signed(request.headers.get("authorization")):
        await _check_signature(request, state, project_id)
    else:
        _check_token(request, state, project_id)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise RefusedError("DRS.M00300", "The Content-Type header must be application/json.")


def _check_token(request: Request, state: State, project_id: str) -> None:
    value = request.headers.get("x-auth-token")
    token = state.tokens.valid(value)
    if token is None:
        if state.policy.bad_token == "gateway":  # noqa: S105  # names an answer
            raise RefusedError("APIGW.0307" if value else "APIGW.0301")
        raise RefusedError("DRS.M00100")
    if token.project_id is None or token.project_id != project_id:
        raise RefusedError("DRS.M00261")


async def _check_signature(request: Request, state: State, project_id: str) -> None:
    account = state.account
    is_valid = is_signature_valid(
        account.access_key,
        account.secret_key,
        method=request.method,
        raw_path=request.scope.get("raw_path", b"").decode("latin-1"),
        query=request.scope["query_string"].decode("latin-1"),
        headers=dict(request.headers),
        body=await request.body(),
    )
    if not is_valid:
        raise RefusedError("APIGW.0301", "Incorrect IAM authentication information: verify aksk signature fail")
    claimed = request.headers.get("x-project-id", project_id)
    if claimed != project_id or project_id not in account.projects:
        raise RefusedError("DRS.M00261")
