"""
Everything that can go wrong while talking to DRS or IAM.

    DrsError
    ├── ServiceRefusedError      the service answered, and the answer was no
    │   ├── TokenRejectedError       a new token may help: 403 DRS.M00100, or 401 from the gateway
    │   ├── PermissionDeniedError    it won't: 401 DRS.M00103, 403, IAM rights are missing
    │   ├── ThrottledError           the same call works later: DRS.M01503, 429, the gateway's 0308
    │   ├── JobBusyError             another operation runs on the job: DRS.M01504
    │   ├── WrongStatusError         not allowed in the job's present status: DRS.M00304
    │   ├── JobUnknownError          no such job, or it was deleted
    │   ├── OneJobOnlyError          this call takes one job at a time: DRS.M00299
    │   └── ServiceFaultError        5xx, 1xx, 408, DRS.M00004, DRS.M01501: a fault on their side
    │       └── NotAskedError            one of the gateway, whose code proves that DRS was not asked
    ├── UnreachableError         no answer: refused, reset, timed out, TLS
    ├── UnreadableAnswerError    an answer that is not DRS speaking: HTML, cut off, wrongly shaped
    │   └── RedirectedError          a redirect, which would carry the token elsewhere
    ├── AuthenticationError      IAM gave no token for these credentials
    └── OperationEndedError      our own doing
        ├── OutOfTimeError           the operation's time limit was reached
        └── CancelledError           the user asked to stop

Error codes and their HTTP status: DRS API reference, "Error Codes".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import gateway


class DrsError(Exception):
    """Root of all errors of this package's DRS client.

    Attributes:
        retryable: the same call may work later, with nothing changed by the user.
        effect_unknown: the call may have had its effect although no good answer came. Read before repeating.
        retry_after_seconds: how long the service asked us to wait, if it did.
        patience_seconds: for how long repeating makes sense; without end unless the host has never answered this process.
        said: what happened, for somebody who waits while the call is repeated; without what to do about it.
    """

    retryable: bool = False
    effect_unknown: bool = False
    patience_seconds: float = float("inf")

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.said = message


class ServiceRefusedError(DrsError):
    """The service said no.

    Attributes:
        code: the service's own code, such as ``DRS.M00304``; ``HTTP 502`` where the answer had none.
        text: the service's own words.
        status: HTTP status of the answer.
        request_id: the service's id of the call, for its support.
        job_id: the job the answer names, if it names one.
        by_job: what the answer says of each job it names, when a refused call came with rows.
    """

    def __init__(
        self,
        code: str,
        text: str,
        *,
        status: int,
        request_id: str | None = None,
        job_id: str | None = None,
        retry_after_seconds: float | None = None,
        by_job: Mapping[str, ServiceRefusedError] | None = None,
    ) -> None:
        self.code = code
        self.text = text
        self.status = status
        self.request_id = request_id
        self.job_id = job_id
        self.by_job = dict(by_job or {})
        message = self._detail
        if request_id:
            message += f" (request {request_id})"
        super().__init__(message, retry_after_seconds=retry_after_seconds)
        self.said = self._said_by()

    def _said_by(self) -> str:
        if self.code.startswith("HTTP "):
            return f"DRS answered {self.code}" + (f" ({self.text.rstrip('.')})" if self.text else "")
        # The status of a whole call is none of a single row's.
        return f"DRS answered HTTP {self.status} ({self._brief})" if self.status >= 400 else f"DRS answered {self._brief}"

    @property
    def _detail(self) -> str:
        return f"{self.code}: {self.text}" if self.text else self.code

    @property
    def _brief(self) -> str:
        return self._detail.rstrip(".")


class TokenRejectedError(ServiceRefusedError):
    """The token is not, or no longer, valid."""


class PermissionDeniedError(ServiceRefusedError):
    """The user may not do this; another token for the same user changes nothing."""


class ThrottledError(ServiceRefusedError):
    """The service asked us to slow down; it did not act."""

    retryable = True

    def _said_by(self) -> str:
        return f"DRS asked us to slow down ({self._brief})"


class JobBusyError(ServiceRefusedError):
    """Another operation is running on the job, or the job is abnormal: this one may last."""

    retryable = True


class WrongStatusError(ServiceRefusedError):
    """The job's present status does not allow the call. It may be about to change."""


class JobUnknownError(ServiceRefusedError):
    """The service knows no such job, or deleted it."""


class OneJobOnlyError(ServiceRefusedError):
    """The service takes one job per call here."""


class ServiceFaultError(ServiceRefusedError):
    """A fault on the service's side, or on the way to it."""

    retryable = True
    effect_unknown = True


class NotAskedError(ServiceFaultError):
    """The gateway failed before it passed the call on: the service knows nothing of it."""

    effect_unknown = False

    def _said_by(self) -> str:
        return f"the gateway before DRS answered HTTP {self.status} ({self._brief})"


class UnreachableError(DrsError):
    """No answer came.

    Attributes:
        url: where the call went.
        was_connected: False when there was not even a connection.
    """

    retryable = True

    def __init__(
        self,
        said: str,
        *,
        url: str,
        advice: str = "",
        was_connected: bool = True,
        effect_unknown: bool = False,
        retryable: bool = True,
    ) -> None:
        super().__init__(f"{said}. {advice}" if advice else said)
        self.said = said
        self.url = url
        self.was_connected = was_connected
        self.effect_unknown = effect_unknown
        self.retryable = retryable


class UnreadableAnswerError(DrsError):
    """Something answered, but not in the words of the API."""

    retryable = True
    effect_unknown = True


class RedirectedError(UnreadableAnswerError):
    """The call is to be made elsewhere: it had no effect, and will not have one here."""

    retryable = False
    effect_unknown = False


class AuthenticationError(DrsError):
    """IAM gave no token for these credentials."""


class OperationEndedError(DrsError):
    """We stopped, not the service."""


class OutOfTimeError(OperationEndedError):
    """The operation's time limit was reached."""


class CancelledError(OperationEndedError):
    """The user asked to stop."""


_BY_CODE: dict[str, type[ServiceRefusedError]] = {
    "DRS.M00004": ServiceFaultError,
    "DRS.M01501": ServiceFaultError,
    "DRS.M00100": TokenRejectedError,
    "DRS.M00101": PermissionDeniedError,
    "DRS.M00102": PermissionDeniedError,
    "DRS.M00103": PermissionDeniedError,
    "DRS.M00105": PermissionDeniedError,
    "DRS.M00261": PermissionDeniedError,
    "DRS.M00299": OneJobOnlyError,
    "DRS.M00304": WrongStatusError,
    "DRS.M01503": ThrottledError,
    "DRS.M01504": JobBusyError,
    "DRS.M05003": JobUnknownError,
    "DRS.M05004": JobUnknownError,
    # Not in the table of codes; what the service answers for an unknown job all the same.
    "DRS.M00289": JobUnknownError,
}


def refusal_for(code: str, text: str, *, status: int, **facts: Any) -> ServiceRefusedError:
    """The error of the right class for what the service answered. Takes what `ServiceRefusedError` takes.

    The code is empty where the answer had none.
    """
    return _class_for(code, status)(code or f"HTTP {status}", text, status=status, **facts)


def _class_for(code: str, status: int) -> type[ServiceRefusedError]:
    if found := _BY_CODE.get(code):
        return found
    if status == 429 or code in gateway.THROTTLED:
        return ThrottledError
    if status == 408 or status >= 500 or status < 200:
        return NotAskedError if gateway.proves_not_asked(code, status) else ServiceFaultError
    if status == 401:
        # DRS itself says 403 for a bad token; a 401 with any other code is the gateway's.
        return TokenRejectedError
    if status == 403:
        return PermissionDeniedError
    return ServiceRefusedError
