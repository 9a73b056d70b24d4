"""Control calls: prepare the sandbox and look into it. They need no token and are not part of any documented API."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from .access import reply, state_of
from .clock import milliseconds
from .delay import Delay
from .errors import UnknownJobError
from .faults import Fault
from .jobs import JobSpec, Then

PREFIX = "/_sandbox"
router = APIRouter(prefix=PREFIX, include_in_schema=False)


class JobSpecs(BaseModel):
    jobs: list[JobSpec]


class StatusChange(BaseModel):
    job_id: str
    status: str = Field(min_length=1)
    then: Then = None
    reason: str | None = None


class Reset(BaseModel):
    keep_jobs: bool = False


class DelayChange(BaseModel):
    job_id: str
    delay: Delay | None


class Advance(BaseModel):
    seconds: float = Field(ge=0, le=1e10)


class Revocation(BaseModel):
    token: str | None = None


@router.get("")
async def about(request: Request) -> Response:
    state = state_of(request)
    secrets = {"password", "secret_key"}
    return reply(
        request,
        {
            "account": state.account.model_dump(exclude=secrets),
            "time": milliseconds(state.clock.now()),
            "speed": state.clock.speed,
        },
        200,
    )


@router.post("/reset")
async def reset(request: Request, body: Reset | None = None) -> Response:
    state_of(request).reset(keep_jobs=body is not None and body.keep_jobs)
    return reply(request, {}, 200)


@router.post("/jobs")
async def add_jobs(request: Request, body: JobSpecs) -> Response:
    state_of(request).add_jobs(body.jobs)
    return reply(request, {"added": len(body.jobs)}, 200)


@router.get("/jobs")
async def jobs(request: Request, id: str | None = None) -> Response:
    """All jobs by id, or the one asked for: ids may hold characters that paths cannot."""
    state = state_of(request)
    try:
        return reply(request, state.describe_all() if id is None else state.describe(id), 200)
    except UnknownJobError:
        return reply(request, {"error": f"no such job: {id}"}, 404)


@router.post("/status")
async def set_status(request: Request, body: StatusChange) -> Response:
    try:
        state_of(request).set_status(body.job_id, body.status, body.then, body.reason)
    except UnknownJobError:
        return reply(request, {"error": f"no such job: {body.job_id}"}, 404)
    return reply(request, {}, 200)


@router.post("/delay")
async def set_delay(request: Request, body: DelayChange) -> Response:
    try:
        state_of(request).set_delay(body.job_id, body.delay)
    except UnknownJobError:
        return reply(request, {"error": f"no such job: {body.job_id}"}, 404)
    return reply(request, {}, 200)


@router.post("/faults")
async def inject(request: Request, body: Fault) -> Response:
    state_of(request).faults.add(body)
    return reply(request, {}, 200)


@router.get("/faults")
async def faults(request: Request) -> Response:
    return reply(request, {"faults": state_of(request).faults.left()}, 200)


@router.delete("/faults")
async def clear_faults(request: Request) -> Response:
    state_of(request).faults.clear()
    return reply(request, {}, 200)


@router.get("/policy")
async def policy(request: Request) -> Response:
    return reply(request, state_of(request).policy.model_dump(), 200)


@router.patch("/policy")
async def set_policy(request: Request, body: dict[str, Any]) -> Response:
    return reply(request, state_of(request).set_policy(body).model_dump(), 200)


@router.post("/advance")
async def advance(request: Request, body: Advance) -> Response:
    clock = state_of(request).clock
    clock.advance(body.seconds)
    return reply(request, {"time": milliseconds(clock.now())}, 200)


@router.get("/calls")
async def calls(request: Request, operation: str | None = None) -> Response:
    return reply(request, {"calls": state_of(request).calls.entries(operation)}, 200)


@router.delete("/calls")
async def clear_calls(request: Request) -> Response:
    state_of(request).calls.clear()
    return reply(request, {}, 200)


@router.post("/tokens/revoke")
async def revoke(request: Request, body: Revocation) -> Response:
    return reply(request, {"revoked": state_of(request).tokens.revoke(body.token)}, 200)
