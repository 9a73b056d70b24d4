"""Put routes, state and wire together, and answer in the services' own envelopes whatever goes wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from . import admin_routes, drs_routes, iam_routes, page_routes
from .access import check_access, language_of, reply
from .errors import IdentityRefusedError, RefusedError, text_of
from .state import State
from .wire import HangUp, Wire


def create_app(state: State, hang_up: HangUp) -> FastAPI:
    """The ASGI application of one sandbox."""
    app = FastAPI(
        title="DRS and IAM sandbox", version="3", redoc_url=None, redirect_slashes=False, default_response_class=Response
    )
    app.state.sandbox = state
    app.include_router(drs_routes.router)
    app.include_router(iam_routes.router)
    app.include_router(admin_routes.router)
    app.include_router(page_routes.router)
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(IdentityRefusedError, _identity_refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(ValidationError, _misdeclared)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_middleware(Wire, state=state, hang_up=hang_up)
    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)  # noqa: S101  # tells the type checker what FastAPI guarantees
    request_id = request.scope.get("sandbox.request_id", "")
    return reply(request, error.body(language_of(request), request_id), error.status)


async def _identity_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, IdentityRefusedError)  # noqa: S101  # as above
    return reply(request, error.body(), error.status)


async def _misdeclared(request: Request, error: Exception) -> Response:
    """A policy that does not exist, or a value it cannot have."""
    assert isinstance(error, ValidationError)  # noqa: S101  # as above
    return reply(request, {"error": _in_words(error.errors(include_input=False, include_context=False))}, 400)


async def _malformed(request: Request, error: Exception) -> Response:
    """A body that is no JSON or has the wrong shape. Who may not call at all learns that first."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  # as above
    if request.url.path.startswith(admin_routes.PREFIX):
        return reply(request, {"error": _in_words(error.errors())}, 400)
    if "project_id" not in request.path_params:
        return await _identity_refused(
            request, IdentityRefusedError(400, f"Request body is invalid: {_in_words(error.errors())}")
        )
    return await _refuse_body(request, _code_of(error.errors()[0]), _in_words(error.errors()))


async def _refuse_body(request: Request, code: str, detail: str) -> Response:
    try:
        await check_access(request)
    except RefusedError as refusal:
        return await _refused(request, refusal)
    return await _refused(request, RefusedError(code, f"{text_of(code, language_of(request))} {detail}"))


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # as above
    if error.status_code == 400 and "project_id" in request.path_params:
        # FastAPI could not read the body at all.
        return await _refuse_body(request, "DRS.M00007", "The body is not JSON.")
    if error.status_code == 400:
        return await _identity_refused(request, IdentityRefusedError(400, "Request body is invalid."))
    refusal = RefusedError("APIGW.0103" if error.status_code == 405 else "APIGW.0101", status=error.status_code)
    response = await _refused(request, refusal)
    response.headers.update(error.headers or {})
    return response


def _code_of(error: dict[str, Any]) -> str:
    """The code of the table that fits a finding of pydantic best; the documents do not say which one DRS takes."""
    kind = error["type"]
    if kind == "json_invalid":
        return "DRS.M00007"
    if kind in ("missing", "too_short"):
        return "DRS.M00201"
    if {"cur_page", "per_page"} & set(error["loc"]):
        return "DRS.M00210" if kind.startswith(("greater", "less")) else "DRS.M00200"
    return "DRS.M00202" if kind in ("string_pattern_mismatch", "literal_error") else "DRS.M00200"


def _in_words(errors: Sequence[Any]) -> str:
    # Never the value itself: it may be a password.
    return "; ".join(f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}" for error in errors[:5])
