"""The calls of DRS v3: parse, ask the state, format. Each answers with the status code its page documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from . import rows
from .access import check_access, language_of, reply, state_of
from .errors import RefusedError, RowsRefusedError, text_of
from .faults import Refusals
from .jobs import Job
from .models import (
    ActionAnswer,
    EndRequest,
    ErrorAnswer,
    IdsRequest,
    ListAnswer,
    ListRequest,
    PagedIdsRequest,
    PauseRequest,
    PrecheckRequest,
    RetryRequest,
    RowsAnswer,
    StartRequest,
)
from .policy import UnknownIdAnswer

# A 400 may also carry rows: see `RowsRefusedError`.
_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorAnswer | RowsAnswer},
    401: {"model": ErrorAnswer},
    403: {"model": ErrorAnswer},
    404: {"model": ErrorAnswer},
    422: {"model": ErrorAnswer},
}
_UUID_LAYOUT = re.compile(r"[A-Za-z0-9]{8}(-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12}")

router = APIRouter(prefix="/v3/{project_id}/jobs", dependencies=[Depends(check_access)], responses=_REFUSALS, tags=["drs"])


def _refusals(request: Request) -> Refusals:
    refusals: Refusals = request.scope.get("sandbox.refusals", {})
    return refusals


def _results(request: Request, results: Sequence[dict[str, Any]], status: int) -> Response:
    return reply(request, {"count": len(results), "results": results}, status)


def _acted(request: Request, results: Sequence[dict[str, Any]], status: int) -> Response:
    """The answer of a call that changes something. The log learns of its effect here, whatever becomes of the answer."""
    done = {row["id"] for row in results if row["status"] == "success"}
    entry = request.scope["sandbox.entry"]
    entry["done"] = [job_id for job_id in entry["jobs"] if job_id in done]
    return _results(request, results, status)


@router.post("/batch-starting", status_code=202, response_model=ActionAnswer)
async def start(request: Request, project_id: str, body: StartRequest) -> Response:
    """Starting Tasks in Batches."""
    starts = [(job.job_id, int(job.start_time or 0) / 1000 or None) for job in body.jobs]
    results = state_of(request).start(project_id, starts, _refusals(request), language_of(request))
    return _acted(request, results, 202)


@router.post("/batch-pause-task", status_code=200, response_model=ActionAnswer)
async def pause(request: Request, project_id: str, body: PauseRequest) -> Response:
    """Pausing Tasks in Batches."""
    job_ids = [job.job_id for job in body.jobs]
    _check_uuid_rule(request, job_ids)
    results = state_of(request).pause(project_id, job_ids, _refusals(request), language_of(request))
    return _acted(request, results, 200)


@router.post("/batch-retry-task", status_code=200, response_model=ActionAnswer)
async def retry(request: Request, project_id: str, body: RetryRequest) -> Response:
    """Retrying Tasks in Batches."""
    job_ids = [job.job_id for job in body.jobs]
    results = state_of(request).retry(project_id, job_ids, _refusals(request), language_of(request))
    return _acted(request, results, 200)


@router.delete("/batch-jobs", status_code=202, response_model=ActionAnswer)
async def end(request: Request, project_id: str, body: EndRequest) -> Response:
    """Stopping or Deleting Tasks in Batches: a DELETE with a body."""
    requests = [(job.job_id, job.delete_type) for job in body.jobs]
    results = state_of(request).end(project_id, requests, _refusals(request), language_of(request))
    return _acted(request, results, 202)


@router.post("/batch-precheck", status_code=200, response_model=ActionAnswer)
async def precheck(request: Request, project_id: str, body: PrecheckRequest) -> Response:
    """Pre-checking Tasks in Batches."""
    job_ids = [job.job_id for job in body.jobs]
    results = state_of(request).precheck(project_id, job_ids, _refusals(request), language_of(request))
    return _acted(request, results, 200)


@router.post("/batch-precheck-result", status_code=200, response_model=RowsAnswer)
async def precheck_result(request: Request, project_id: str, body: IdsRequest) -> Response:
    """Querying Pre-Check Results in Batches. Only a task in CONFIGURATION that was asked to be checked has one."""
    state = state_of(request)
    _check_uuid_rule(request, body.jobs)
    state.check_batch(body.jobs, reads=True)
    results = []
    for job_id, job in state.peek(project_id, body.jobs):
        if job is None:
            results.append(_failed(request, "precheck_id", job_id, state.gone_code(job_id)))
        elif job.status != "CONFIGURATION" or job.precheck_id is None:
            results.append(_failed(request, "precheck_id", job_id, "DRS.M00304"))
        else:
            results.append(rows.precheck_row(job, state.precheck_done(job)))
    return _results(request, state.arrange(results), 200)


@router.post("/batch-status", status_code=200, response_model=RowsAnswer)
async def status(request: Request, project_id: str, body: PagedIdsRequest) -> Response:
    """Querying Task Status in Batches. Without `page_req`, five rows."""
    state = state_of(request)
    unknown = state.policy.unknown_in_status
    return _read(request, project_id, body, unknown, lambda job: {"id": job.spec.id, "status": state.shown_status(job)})


@router.post("/batch-detail", status_code=200, response_model=RowsAnswer)
async def detail(request: Request, project_id: str, body: PagedIdsRequest) -> Response:
    """Querying Task Details in Batches. Pages as batch-status does."""
    state = state_of(request)

    def row(job: Job) -> dict[str, Any]:
        is_parent = state.policy.children_in_detail and state.is_dual_active_parent(job)
        row = rows.detail_row(job, state.children_of(job.spec.id) if is_parent else [])
        return row | {"status": state.shown_status(job)} if state.policy.stale_detail else row

    return _read(request, project_id, body, state.policy.unknown_in_detail, row)


def _read(request: Request, project_id: str, body: PagedIdsRequest, unknown: UnknownIdAnswer, row: Any) -> Response:
    state = state_of(request)
    state.check_batch(body.jobs, reads=True)
    results: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for job_id, job in state.look(project_id, _page(body)):
        if job is not None:
            results.append(row(job))
        elif unknown == "deleted":
            results.append({"id": job_id, "status": "DELETED"})
        elif unknown != "omit":
            code = state.gone_code(job_id)
            failed = {"id": job_id, "error_code": code, "error_message": text_of(code, language_of(request))}
            (results if unknown == "row" else refused).append(failed)
    if refused:
        raise RowsRefusedError(refused)
    return _results(request, state.arrange(results), 200)


def _page(body: PagedIdsRequest) -> list[str]:
    """The ids on the wanted page; a page size of 0 asks for all of them."""
    current, size = (1, 5) if body.page_req is None else (body.page_req.cur_page, body.page_req.per_page)
    pages = -(-len(body.jobs) // size) if size else 1
    if current > pages:
        raise RefusedError("DRS.M00211")
    return body.jobs[(current - 1) * size : current * size] if size else body.jobs


@router.post("/batch-progress", status_code=202, response_model=RowsAnswer)
async def progress(request: Request, project_id: str, body: IdsRequest) -> Response:
    """Querying Task Progress in Batches: no paging, rows named by `job_id`, and 202 for a query."""
    return _read_delays(request, project_id, body, rows.progress_row)


@router.post("/batch-rpo-and-rto", status_code=202, response_model=RowsAnswer)
async def rpo_and_rto(request: Request, project_id: str, body: IdsRequest) -> Response:
    """Querying RPO and RTO in Batches: Huawei Cloud's only, hence switched off by default."""
    if not state_of(request).policy.rpo_and_rto:
        raise RefusedError("APIGW.0101")
    return _read_delays(request, project_id, body, rows.rpo_row)


def _read_delays(request: Request, project_id: str, body: IdsRequest, row: Callable[[Job, float], dict[str, Any]]) -> Response:
    state = state_of(request)
    state.check_batch(body.jobs, reads=True)
    results: list[dict[str, Any]] = []
    for job_id, job in state.peek(project_id, body.jobs):
        if job is None:
            results.append(_failed(request, "job_id", job_id, state.gone_code(job_id)))
        elif job.silence == "failed_row":
            results.append(_failed(request, "job_id", job_id, "DRS.M01504"))
        elif job.silence != "no_row":
            results.append(row(job, state.clock.now()))
    return _results(request, state.arrange(results), 202)


@router.post("", status_code=200, response_model=ListAnswer)
async def list_jobs(request: Request, project_id: str, body: ListRequest) -> Response:
    """Querying the Task List. `engine_type` defaults to mysql; an empty one means any."""
    state = state_of(request)
    shown = [(job, state.shown_status(job)) for job in state.in_project(project_id) if job.spec.parent_id is None]
    found = [(job, status) for job, status in shown if rows.is_listed(job, status, body)]
    size = body.per_page if body.cur_page else 0
    page = found[(body.cur_page - 1) * size : body.cur_page * size] if size else found

    def row(job: Job, status: str) -> dict[str, Any]:
        children = [rows.list_row(child, state.shown_status(child), []) for child in state.children_of(job.spec.id)]
        return rows.list_row(job, status, children)

    listed = [row(job, status) for job, status in page]
    return reply(request, {"total_record": len(found), "jobs": state.arrange(listed)}, 200)


def _failed(request: Request, key: str, job_id: str, code: str) -> dict[str, Any]:
    return {key: job_id, "error_code": code, "error_msg": text_of(code, language_of(request))}


def _check_uuid_rule(request: Request, job_ids: Sequence[str]) -> None:
    """These two pages want "the UUID rule"; the samples show that hexadecimal digits are not meant."""
    if not state_of(request).policy.uuid_rule:
        return
    for job_id in job_ids:
        if _UUID_LAYOUT.fullmatch(job_id) is None:
            raise RefusedError("DRS.M00202", f"The job ID {job_id} does not comply with the UUID rule.")
