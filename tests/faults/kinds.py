"""
Kinds of faults on the wire, by the names that the campaign's table shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pulumi_drs_start.sandbox import SECRET, Account, Fault, faults

START, STATUS, PROGRESS, TOKENS = "batch-starting", "batch-status", "batch-progress", "tokens"
RESUME, PAUSE, STOP = "batch-retry-task", "batch-pause-task", "batch-jobs"

# The sandbox's own pauses are in real seconds: the first is survived, the second outlasts every timeout of the client.
SLOW_SECONDS, HANG_SECONDS = 0.03, 20.0

_ECHO = {"error": {"code": 401, "message": f"no user with password {Account().password}", "title": "Unauthorized"}}

KINDS: dict[str, Callable[..., Fault]] = {
    "drop before": faults.drop_before,
    "drop after": faults.drop_after,
    "reset": lambda op, **o: faults.drop_after(op, reset=True, **o),
    "truncated": faults.truncate,
    "wrong shape": lambda op, **o: faults.misshapen(op, {"count": 1, "results": SECRET}, **o),
    "wrong rows": lambda op, **o: faults.misshapen(op, {"count": 1, "results": [{"id": {"a": SECRET}}]}, **o),
    "not JSON": lambda op, **o: faults.html(op, 200, when="after", **o),
    "HTML 502": faults.html,
    "HTML 504 after": lambda op, **o: faults.html(op, 504, when="after", **o),
    "500": faults.server_error,
    "503 after": lambda op, **o: faults.server_error(op, 503, when="after", **o),
    "408": lambda op, **o: faults.answer(op, 408, "", **o),
    "408 after": lambda op, **o: faults.answer(op, 408, "", when="after", **o),
    "429": lambda op, **o: faults.throttled(op, 3, **o),
    "429 no hint": lambda op, **o: faults.throttled(op, None, **o),
    "M01503": faults.too_frequent,
    "M01504": lambda op, **o: faults.refuse(op, "DRS.M01504", **o),
    "M01501": lambda op, **o: faults.refuse(op, "DRS.M01501", **o),
    "M01503 row": lambda op, **o: faults.refuse_row(op, "DRS.M01503", **o),
    "M01504 row": lambda op, **o: faults.refuse_row(op, "DRS.M01504", **o),
    "missing rows": lambda op, **o: faults.missing_rows(op, rows=3, **o),
    "extra rows": lambda op, **o: faults.extra_rows(op, rows=3, **o),
    "slow": lambda op, **o: faults.delay(op, SLOW_SECONDS, **o),
    "slow after": lambda op, **o: faults.delay(op, SLOW_SECONDS, when="after", **o),
    "hanging": lambda op, **o: faults.delay(op, HANG_SECONDS, **o),
    "hanging after": lambda op, **o: faults.delay(op, HANG_SECONDS, when="after", **o),
    "expired token": faults.expire_token,
    "denied": lambda op, **o: faults.refuse(op, "DRS.M00103", **o),
    "IAM 503": lambda _, **o: faults.server_error(TOKENS, 503, **o),
    "IAM 429": lambda _, **o: faults.throttled(TOKENS, 2, **o),
    "IAM drop": lambda _, **o: faults.drop_after(TOKENS, **o),
    "IAM HTML": lambda _, **o: faults.html(TOKENS, 502, **o),
    "IAM echoes the password": lambda _, **o: faults.answer(TOKENS, 401, _ECHO, **o),
}

_OPERATIONS = {
    # Such rows make sense where something is asked of a job; IAM's answers hold no secrets of databases.
    "M01503 row": (RESUME, PAUSE, STOP, START),
    "M01504 row": (RESUME, PAUSE, STOP, START),
    "wrong shape": (RESUME, PAUSE, STOP, START, PROGRESS, STATUS),
    "wrong rows": (RESUME, PAUSE, STOP, START, PROGRESS, STATUS),
}


def make_fault(kind: str, operation: str, times: int, skip: int) -> dict[str, Any]:
    """The sandbox's fault, as its control call takes it."""
    allowed = _OPERATIONS.get(kind, (operation,))
    return KINDS[kind](operation if operation in allowed else allowed[-1], times=times, skip=skip).model_dump()
