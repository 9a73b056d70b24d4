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
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from ..calls.models import Answer, FailureEnvelope, clean_text
from ..errors import RedirectedError, ServiceRefusedError, UnreachableError, UnreadableAnswerError, refusal_for
from .deadline import within

if TYPE_CHECKING:
    import requests

    from .budget import TimeBudget

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
# A batch of a hundred jobs is answered within seconds; a minute of silence is a lost answer.
READ_SECONDS = 60.0
GRACE_SECONDS = 0.2
# Ten thousand status rows are about 1 MB.
LARGEST_ANSWER = 64 * 1024 * 1024
EXCERPT_CHARS = 256
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


def exchange(
    session: requests.Session, method: str, url: str, body: Mapping[str, Any], headers: Mapping[str, str], budget: TimeBudget
) -> Any:
    """Send one request and return the JSON of a good answer.

    Raises:
        ServiceRefusedError: the service said no; the subclass says how.
        UnreachableError: no answer came.
        UnreadableAnswerError: a good status with a body that is not JSON, or a redirect.
        OutOfTimeError, CancelledError: the budget is used up. What was sent by then ends in one of the others.
    """
    import requests
    from urllib3.exceptions import HTTPError

    from .transport import EndlessBodyError, no_auth, read_body

    budget.check()
    place = f"DRS at {urlsplit(url)._replace(path='', query='', fragment='').geturl()}"
    read_seconds = max(0.1, min(READ_SECONDS, budget.remaining_seconds()))
    started = time.monotonic()
    try:
        # A socket's own timeout comes first: it tells silence from an answer that takes too long.
        with (
            within(read_seconds + GRACE_SECONDS, budget.is_wanted) as limit,
            session.request(
                method,
                url,
                data=encoded(body),
                headers=dict(headers),
                auth=no_auth,
                # Said here and not only on the session, where REQUESTS_CA_BUNDLE would override it.
                verify=session.verify,
                timeout=(min(CONNECT_SECONDS, read_seconds), read_seconds),
                # A redirect would carry the token to another host.
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            content = read_body(response, LARGEST_ANSWER, limit)
            status, answer_headers = response.status_code, response.headers
    except EndlessBodyError as exc:
        raise UnreadableAnswerError(f"the answer of {url} {exc}") from exc
    except (requests.RequestException, HTTPError) as exc:
        log.debug("%s %s: %s", method, url, type(exc).__name__)
        error = _unreachable(exc, place, url)
        if error.was_connected and limit.has_ended:
            why = "did not answer in time" if limit.is_over else "had not answered when the operation was cancelled"
            raise UnreadableAnswerError(f"{place} {why}") from exc
        raise error from exc
    except OSError as exc:
        # The one that requests does not translate: it finds no CA bundle where it should be.
        said = f"{url} was not asked: {clean_text(str(exc), EXCERPT_CHARS)}. Check drs:caCert (OS_CACERT)"
        raise UnreachableError(said, url=url, retryable=False) from exc
    log.debug(
        "%s %s %s: %d, %d bytes in %.0f ms",
        method,
        url,
        _credential(headers),
        status,
        len(content),
        (time.monotonic() - started) * 1000,
    )
    if 200 <= status < 300:
        try:
            parsed = json.loads(content)
        except (ValueError, RecursionError) as exc:
            raise UnreadableAnswerError(f"{url} answered {status} with something that is not JSON: {_excerpt(content)}") from exc
        if isinstance(parsed, dict) and parsed.get("error_code") and "results" not in parsed:
            # The table of codes gives some of them a 2xx status, DRS.M01504 for one.
            raise _refusal(status, content, answer_headers)
        return parsed
    if 300 <= status < 400:
        raise RedirectedError(
            f"{url} answered {status}, a redirect, which is not followed because it would hand over the token; "
            "check drs:endpoint (DRS_ENDPOINT)"
        )
    raise _refusal(status, content, answer_headers)


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


def _unreachable(exc: Exception, place: str, url: str) -> UnreachableError:
    import requests

    from .transport import reason_of, was_connected

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
    if isinstance(exc, requests.exceptions.Timeout):
        said = f"{place} did not answer in time"
    else:
        said = f"the connection to {place} broke before the answer was complete"
    return UnreachableError(said, url=url, effect_unknown=True)


def _refusal(status: int, content: bytes, headers: Mapping[str, str]) -> ServiceRefusedError:
    """The error that a failure answer stands for, in either of the two envelopes or in none."""
    code, text, job_id = "", "", None
    by_job: dict[str, ServiceRefusedError] = {}
    request_id = headers.get("X-Request-Id")
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        parsed = None
        text = _excerpt(content)
    if isinstance(parsed, dict):
        try:
            envelope = FailureEnvelope.model_validate(parsed)
            code, text = envelope.error_code or "", envelope.error_text or ""
            request_id = envelope.request_id or request_id
            if not code and "results" in parsed:
                # A 400 may come in the success envelope with the error in its rows (seen for unknown jobs).
                rows = [row for row in Answer.model_validate(parsed).results if row.error_code]
                if rows:
                    code, text, job_id = rows[0].error_code or "", rows[0].error_text or "", rows[0].id
                by_job = {
                    row.id: refusal_for(row.error_code or "", row.error_text or "", status=status, job_id=row.id)
                    for row in rows
                    if row.id is not None
                }
        except ValidationError:
            text = _excerpt(content)
    return refusal_for(
        code,
        text,
        status=status,
        request_id=request_id and clean_text(request_id, 64),
        job_id=job_id,
        retry_after_seconds=_retry_after(headers.get("Retry-After")),
        by_job=by_job,
    )


def _excerpt(content: bytes) -> str:
    text = content[: EXCERPT_CHARS * 8].decode("utf-8", "replace")
    if title := _TITLE.search(text):
        return f'a web page, "{clean_text(title.group(1), EXCERPT_CHARS)}"'
    return clean_text(text, EXCERPT_CHARS)


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait, from either form of the header: a number, or an HTTP date."""
    if not value:
        return None
    try:
        seconds = float(value)
        return max(0.0, seconds) if math.isfinite(seconds) else None
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(value)
        # HTTP dates are UTC, also those that do not say so.
        when = when.replace(tzinfo=when.tzinfo or timezone.utc)
        return max(0.0, when.timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
