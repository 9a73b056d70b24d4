"""
What the services say when they refuse: codes, HTTP statuses and texts of the table "Error Codes".

    RefusedError            a code, its text and its HTTP status
      RowsRefusedError      the same, in the shape of a successful answer: rows that carry the code
    IdentityRefusedError    the shape IAM uses
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

# code -> (HTTP status, text)
CODES: dict[str, tuple[int, str]] = {
    "DRS.M00002": (422, "The result is empty."),
    "DRS.M00004": (500, "Service abnormal. Try again later."),
    "DRS.M00007": (400, "Invalid request parameter."),
    "DRS.M00100": (403, "Invalid token."),
    "DRS.M00101": (404, "The user role is empty."),
    "DRS.M00102": (403, "Insufficient permissions."),
    "DRS.M00103": (401, "You do not have the permission to perform this operation. Check the IAM permissions."),
    "DRS.M00105": (400, "The user is restricted."),
    "DRS.M00200": (400, "Parameter error."),
    "DRS.M00201": (400, "The parameter is left blank."),
    "DRS.M00202": (400, "Invalid parameter value."),
    "DRS.M00210": (400, "Invalid page value."),
    "DRS.M00211": (400, "The page value exceeds the upper limit."),
    "DRS.M00261": (403, "Invalid project ID."),
    "DRS.M00289": (400, "The task does not exist."),
    "DRS.M00299": (400, "Only one job ID is allowed."),
    "DRS.M00300": (400, "Invalid request."),
    "DRS.M00301": (400, "Duplicate parameters exist in the request."),
    "DRS.M00302": (400, "The transfer scheme is not supported."),
    "DRS.M00304": (400, "This operation is not allowed in the current task status."),
    "DRS.M00305": (400, "Parameter error."),
    "DRS.M00307": (400, "Only subtasks can call this API."),
    "DRS.M00308": (400, "Only parent tasks can call this API."),
    "DRS.M01501": (422, "Service error."),
    "DRS.M01503": (400, "Operations are too frequent. Try again later."),
    "DRS.M01504": (202, "Another operation is being performed, or the task is abnormal. Try again later."),
    "DRS.M05003": (400, "The task does not exist."),
    "DRS.M05004": (400, "The task has been deleted or its resources have been released."),
    "DRS.M05006": (422, "Invalid RDS instance."),
    "DRS.M06011": (422, "The RDS information is unavailable."),
    "DRS.M06020": (422, "The destination was set to read/write by another migration task."),
    "DRS.M06021": (422, "The destination was set to read/write by another synchronization task."),
    "DRS.KE0002": (400, "Incorrect username or password."),
    "APIGW.0101": (404, "The API does not exist or has not been published in the environment"),
    "APIGW.0103": (405, "The request method is not supported"),
    "APIGW.0201": (413, "Request entity too large"),
    "APIGW.0301": (401, "Incorrect IAM authentication information"),
    "APIGW.0307": (401, "The token must be updated."),
    "APIGW.0308": (429, "The throttling threshold has been reached"),
}

# X-Language chooses the language of texts only ("Making an API Request").
CHINESE: dict[str, str] = {
    "DRS.M00100": "无效的Token。",
    "DRS.M00202": "参数值无效。",
    "DRS.M00304": "当前状态不允许调用该接口。",
    "DRS.M01503": "操作过于频繁。请稍后重试。",
    "DRS.M01504": "任务正在执行其他操作或任务异常。请稍后重试。",
    "DRS.M05003": "任务不存在。",
    "DRS.M05004": "任务已删除或资源已释放。",
}


def text_of(code: str, language: str = "en-us") -> str:
    """The service's own words for a code; a code of one's own invention has none."""
    if language.lower() == "zh-cn" and code in CHINESE:
        return CHINESE[code]
    return CODES[code][1] if code in CODES else "The request was refused."


class RefusedError(Exception):
    """The whole call is refused, and nothing was done."""

    def __init__(self, code: str, message: str | None = None, *, status: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.status = status if status is not None else CODES.get(code, (400, ""))[0]

    def body(self, language: str, request_id: str) -> dict[str, Any]:
        body = {"error_code": self.code, "error_msg": self.message or text_of(self.code, language)}
        if self.code.startswith("APIG"):
            body["request_id"] = request_id
        return body


class RowsRefusedError(RefusedError):
    """HTTP 400 whose body looks like a success and whose rows say what is wrong."""

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        super().__init__(str(rows[0].get("error_code", "DRS.M00300")), status=400)
        self.rows = list(rows)

    def body(self, language: str, request_id: str) -> dict[str, Any]:  # noqa: ARG002
        return {"count": len(self.rows), "results": self.rows}


class IdentityRefusedError(Exception):
    """IAM's envelope: `{"error": {"code", "message", "title"}}`."""

    TITLES: ClassVar = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"}

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def body(self) -> dict[str, Any]:
        title = self.TITLES.get(self.status, "Error")
        return {"error": {"code": self.status, "message": self.message, "title": title}}


class UnknownJobError(Exception):
    """A control call named a job the sandbox does not have."""
