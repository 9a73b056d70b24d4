"""
What goes wrong on the wire, on request: a fault is declared here, waits in a queue, and is carried out in `wire`.

    sandbox.inject(faults.drop_after("batch-starting"))
    sandbox.inject(faults.refuse_row("batch-starting", "DRS.M01504", job_id="a", times=2))
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from .errors import CODES, text_of

Refusals = Mapping[str, tuple[str, str | None]]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+$")]
HeaderValue = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]*$")]
Kind = Literal[
    "answer",  # another answer than the real one
    "row",  # a failed row inside a successful answer; that job is left alone
    "drop",  # the connection is aborted, no answer at all
    "truncate",  # the header promises more than the body holds, then the connection is aborted
    "delay",  # a pause before or after the effect
    "expire_token",  # the token of the call is revoked
    "missing_rows",
    "extra_rows",
    "endless",  # a body that does not end
]


class Fault(BaseModel):
    """One thing that goes wrong with the calls it matches."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    operation: str = Field("any", description="batch-starting, batch-status, ..., jobs, batch-jobs, tokens; any")
    job_id: str | None = Field(None, description="only calls that name this job")
    times: int | None = Field(1, ge=1, description="how often; None is forever")
    skip: int = Field(0, ge=0, description="matching calls let through before")
    when: Literal["before", "after"] = Field("before", description="before or after the effect of the call")
    status: int = Field(503, ge=200, le=599)
    body: Any = None
    content_type: HeaderValue = "application/json"
    headers: dict[HeaderName, HeaderValue] = {}
    code: str = "DRS.M01504"
    message: str | None = None
    seconds: float = Field(0.0, ge=0)
    rows: int = Field(1, ge=1, description="how many rows are missing or added")
    reset: bool = Field(False, description="drop with RST instead of FIN")
    size: int | None = Field(None, ge=1, description="bytes after which an endless body is cut off")

    def matches(self, operation: str, jobs: Collection[str]) -> bool:
        return self.operation in ("any", operation) and (self.job_id is None or self.job_id in jobs)


class FaultQueue:
    """Faults in the order they were injected; each call takes the first that matches it, and all matching rows."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault.model_copy())

    def take(self, operation: str, jobs: list[str]) -> tuple[Fault | None, Refusals]:
        """The fault of this call, and the rows it shall refuse."""
        if not self._waiting:
            return None, {}
        named = set(jobs)
        chosen: Fault | None = None
        refusals: dict[str, tuple[str, str | None]] = {}
        with self._lock:
            for fault in list(self._waiting):
                is_row = fault.kind == "row"
                if (chosen is not None and not is_row) or not fault.matches(operation, named):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if is_row:
                    targets = named if fault.job_id is None else {fault.job_id}
                    for job_id in targets - refusals.keys():
                        refusals[job_id] = (fault.code, fault.message)
                else:
                    chosen = fault.model_copy()
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self._waiting.remove(fault)
        return chosen, refusals

    def left(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.model_dump(exclude_defaults=True) | {"times": fault.times} for fault in self._waiting]

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()


def answer(operation: str, status: int, body: Any = None, **options: Any) -> Fault:
    """Any status with any body; a `str` body is sent as it is, everything else as JSON."""
    return Fault(kind="answer", operation=operation, status=status, body=body, **options)


def refuse(operation: str, code: str, status: int | None = None, **options: Any) -> Fault:
    """The whole call is refused with a code of the table, with the HTTP status the table gives."""
    message = options.pop("message", None) or text_of(code)
    if status is None:
        status = CODES.get(code, (400, ""))[0]
    return answer(operation, status, {"error_code": code, "error_msg": message}, **options)


def too_frequent(operation: str, **options: Any) -> Fault:
    """DRS throttles with HTTP 400 and DRS.M01503."""
    return refuse(operation, "DRS.M01503", **options)


def throttled(operation: str, retry_after: float | str | None = 1, **options: Any) -> Fault:
    """HTTP 429 with `Retry-After`, which the page "Status Codes" mentions."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after}"}
    body = {"error_code": "APIGW.0308", "error_msg": text_of("APIGW.0308"), "request_id": "sandbox"}
    if operation == "tokens":
        body = {"error": {"code": 429, "message": "The throttling threshold has been reached", "title": "IAM.0012"}}  # type: ignore[dict-item]
    return answer(operation, 429, body, headers=headers, **options)


def server_error(operation: str, status: int = 500, **options: Any) -> Fault:
    """A server error in the service's envelope."""
    return answer(operation, status, {"error_code": "DRS.M00004", "error_msg": text_of("DRS.M00004")}, **options)


def html(operation: str, status: int = 502, **options: Any) -> Fault:
    """An error page of some proxy."""
    page = f"<html><head><title>{status}</title></head><body><h1>{status} Bad Gateway</h1></body></html>"
    return answer(operation, status, page, content_type="text/html", **options)


def misshapen(operation: str, body: Any = None, **options: Any) -> Fault:
    """The call is carried out; the answer is valid JSON of the wrong shape."""
    shape = {"count": "many", "results": {"0": None}} if body is None else body
    return answer(operation, options.pop("status", 200), shape, **{"when": "after", **options})


def refuse_row(operation: str, code: str = "DRS.M01504", **options: Any) -> Fault:
    """A failed row inside a successful answer, for `job_id` or for every job of the call."""
    return Fault(kind="row", operation=operation, code=code, **options)


def drop_before(operation: str, **options: Any) -> Fault:
    """The connection breaks before the service does anything."""
    return Fault(kind="drop", operation=operation, when="before", **options)


def drop_after(operation: str, **options: Any) -> Fault:
    """The service does what it was asked, and the answer is lost."""
    return Fault(kind="drop", operation=operation, when="after", **options)


def truncate(operation: str, **options: Any) -> Fault:
    """The service does what it was asked; half of the answer arrives."""
    return Fault(kind="truncate", operation=operation, when="after", **options)


def delay(operation: str, seconds: float, when: Literal["before", "after"] = "before", **options: Any) -> Fault:
    """The service takes its time; a large number of seconds hangs."""
    return Fault(kind="delay", operation=operation, seconds=seconds, when=when, **options)


def expire_token(operation: str = "any", **options: Any) -> Fault:
    """The token dies just as it is used."""
    return Fault(kind="expire_token", operation=operation, **options)


def missing_rows(operation: str, rows: int = 1, **options: Any) -> Fault:
    """Rows are left out of the answer: that of `job_id`, or the last ones."""
    return Fault(kind="missing_rows", operation=operation, rows=rows, when="after", **options)


def extra_rows(operation: str, rows: int = 1, **options: Any) -> Fault:
    """Rows of jobs nobody asked for."""
    return Fault(kind="extra_rows", operation=operation, rows=rows, when="after", **options)


def endless(operation: str, size: int | None = None, **options: Any) -> Fault:
    """A body that does not end, or only after `size` bytes."""
    return Fault(kind="endless", operation=operation, size=size, **options)
