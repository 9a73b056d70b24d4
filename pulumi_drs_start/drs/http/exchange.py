"""
One HTTP exchange with DRS: send, read within bounds, and turn every way it can go wrong into an error of ours.

What to send and what to make of an answer is the client's business; nothing above `drs` sees `requests`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, cast
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field

from ..errors import RedirectedError, ServiceRefusedError, UnreachableError, UnreadableAnswerError, refusal_for
from ..text import clean_text
from ..wire import ErrorFields, Row, Text, objects_only
from .budget import TimeBudget

if TYPE_CHECKING:
    import requests

log = logging.getLogger(__name__)

EXCERPT_CHARS = 256
_NOT_JSON = object()
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


def exchange(
    session: requests.Session,
    method: str,
    url: str,
    body: Mapping[str, Any],
    headers: Mapping[str, str],
    budget: TimeBudget,
    *,
    is_quotable: bool = True,
) -> Any:
    """Send one request and return the JSON of a good answer.

    Args:
        session: of `transport.new_session`.
        is_quotable: False where answers hold passwords, so that no error may quote one that is not understood.

    Raises:
        ServiceRefusedError: the service said no; the subclass says how.
        UnreachableError: no answer came.
        UnreadableAnswerError: a good status with a body that is not JSON, or a redirect.
        OutOfTimeError, CancelledError: the budget had ended before anything was sent.
    """
    import requests

    from .transport import UnusableBodyError, no_auth

    budget.check()
    started = time.monotonic()
    try:
        response = session.request(
            method,
            url,
            data=encoded(body),
            headers=dict(headers),
            auth=no_auth,
            # Said here and not only on the session, where REQUESTS_CA_BUNDLE would override it.
            verify=session.verify,
            timeout=cast("Any", budget),
            # A redirect would carry the token to another host.
            allow_redirects=False,
        )
    except UnusableBodyError as exc:
        raise UnreadableAnswerError(f"the answer of {url} {exc}") from exc
    except requests.RequestException as exc:
        log.debug("%s %s: %s", method, url, type(exc).__name__)
        raise _unreachable(exc, url, budget) from exc
    except OSError as exc:
        # The one that requests does not translate: it finds no CA bundle where it should be.
        said = f"{url} was not asked: {clean_text(str(exc), EXCERPT_CHARS)}. Check drs:caCert (OS_CACERT)"
        raise UnreachableError(said, url=url, retryable=False) from exc
    status, content = response.status_code, response.content
    milliseconds = (time.monotonic() - started) * 1000
    log.debug("%s %s %s: %d, %d bytes in %.0f ms", method, url, _credential(headers), status, len(content), milliseconds)
    if 300 <= status < 400:
        raise RedirectedError(
            f"{url} answered {status}, a redirect, which is not followed because it would hand over the token; "
            "check drs:endpoint (DRS_ENDPOINT)"
        )
    if not 200 <= status < 300:
        raise _refusal(status, content, response.headers, is_quotable)
    parsed = _parse(content)
    if parsed is _NOT_JSON:
        excerpt = f": {_excerpt(content)}" if is_quotable else ""
        raise UnreadableAnswerError(f"{url} answered {status} with something that is not JSON{excerpt}")
    if isinstance(parsed, dict) and parsed.get("error_code") and "results" not in parsed:
        # The table of codes gives some of them a 2xx status, DRS.M01504 for one.
        raise _refusal(status, content, response.headers, is_quotable)
    return parsed


def _parse(content: bytes) -> Any:
    """The JSON of an answer, or `_NOT_JSON`. No exception: that of the parser holds the whole answer."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return _NOT_JSON


def encoded(body: Mapping[str, Any]) -> bytes:
    """A body as it is sent, and signed."""
    return json.dumps(body).encode()


def _credential(headers: Mapping[str, str]) -> str:
    """Who asks, for the log: the hash of the token, or of the access key."""
    if key := re.search(r"\bAccess=([^,]+)", headers.get("Authorization", "")):
        return f"key={fingerprint(key[1])}"
    return f"token={fingerprint(headers.get('X-Auth-Token', ''))}"


def fingerprint(secret: str) -> str:
    """A secret's short hash, to tell two apart in a log."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8] if secret else "none"


def _unreachable(exc: requests.RequestException, url: str, budget: TimeBudget) -> UnreachableError:
    import requests

    from .transport import reason_of, was_connected

    place = f"DRS at {urlsplit(url)._replace(path='', query='', fragment='').geturl()}"
    if isinstance(exc, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(exc):
        reason = getattr(exc.args[0] if exc.args else None, "reason", None)
        return UnreachableError(
            f"the TLS certificate of {url} was not accepted ({clean_text(str(reason or exc), EXCERPT_CHARS)}); "
            "give the authority's certificate in drs:caCert (OS_CACERT)",
            url=url,
            retryable=False,
        )
    if not was_connected(exc):
        said = f"{place} can't be reached ({clean_text(reason_of(exc), EXCERPT_CHARS)})"
        return UnreachableError(said, url=url, was_connected=False)
    if not isinstance(exc, requests.Timeout):
        said = f"the connection to {place} broke before the answer was complete"
    elif budget.is_wanted():
        said = f"{place} did not answer in time"
    else:
        said = f"{place} had not answered when the operation was cancelled"
    return UnreachableError(said, url=url, effect_unknown=True)


class _Failure(ErrorFields):
    """A failure answer: the envelope of DRS, that of the gateway, or that of a success with the errors in its rows."""

    error_text: Text = Field(default=None, validation_alias=AliasChoices("error_msg", "error_message", "message"))
    request_id: Text = None
    results: Annotated[tuple[Row, ...], objects_only] = ()


def _refusal(status: int, content: bytes, headers: Mapping[str, str], is_quotable: bool) -> ServiceRefusedError:
    """The error that a failure answer stands for."""
    facts: dict[str, Any] = {
        "request_id": clean_text(headers.get("X-Request-Id", ""), 64) or None,
        "retry_after_seconds": _retry_after(headers.get("Retry-After")),
    }
    parsed = _parse(content)
    if not isinstance(parsed, dict):
        return refusal_for("", _excerpt(content) if is_quotable else "", status=status, **facts)
    failure = _Failure.model_validate(parsed)
    if failure.request_id:
        facts["request_id"] = clean_text(failure.request_id, 64)
    rows = [row for row in failure.results if row.error_code]
    if failure.error_code or (is_quotable and not rows):
        return failure.refusal(status, **facts)
    if not rows:
        return refusal_for("", "", status=status, **facts)
    by_job = {row.id: row.refusal(status, job_id=row.id) for row in rows if row.id is not None}
    return rows[0].refusal(status, job_id=rows[0].id, by_job=by_job, **facts)


def _excerpt(content: bytes) -> str:
    text = content[: EXCERPT_CHARS * 8].decode("utf-8", "replace")
    if title := _TITLE.search(text):
        return f'a web page, "{clean_text(title.group(1), EXCERPT_CHARS)}"'
    return clean_text(text, EXCERPT_CHARS)


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait, from either form of the header: a number, or an HTTP date."""
    from urllib3.exceptions import InvalidHeader
    from urllib3.util import Retry

    # Of numbers, urllib3 reads whole ones only.
    for read in (float, Retry().parse_retry_after):
        with suppress(InvalidHeader, ValueError, OverflowError):
            seconds = read(value or "")
            if math.isfinite(seconds):
                return max(0.0, seconds)
    return None
