"""
Errors of logins: what went wrong with IAM, as a `DrsError` that says what to check and contains no secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ..errors import (
    AuthenticationError,
    DrsError,
    ServiceFaultError,
    ThrottledError,
    UnreachableError,
    UnreadableAnswerError,
)
from ..text import clean_text, redact_exception
from .plugins import PluginError

EXCERPT_CHARS = 256
_CA_CERT = "drs:caCert (OS_CACERT)"
_BY_NAME = (
    ' More than one domain may have a project "{}": say which one (OS_PROJECT_DOMAIN_NAME or OS_PROJECT_DOMAIN_ID), '
    "or give the project's id (drs:projectId, OS_PROJECT_ID, or project_id=… in the program)."
)


class WrongScopeError(Exception):
    """A token is not for the project of the jobs."""


def check_scope(
    project: Mapping[str, Any],
    domain: Mapping[str, Any],
    *,
    wanted_id: str | None,
    wanted_name: str | None,
    is_needed: bool = False,
) -> None:
    """Check what a token is for. Raises WrongScopeError if it is for another project, or for none.

    Args:
        project: of the token: `id` and `name`; empty if it is for none.
        domain: the same, of a token for a whole domain.
        wanted_name: counts only without `wanted_id`.
        is_needed: a token without a project is refused, although none is wanted in particular.
    """
    wanted = wanted_id or wanted_name
    if not project.get("id"):
        if not (wanted or is_needed):
            return
        scope = f'for domain "{_named(domain)}" as a whole' if domain else "for nothing in particular (unscoped)"
        needed = f'project "{wanted}"' if wanted else "a project"
        raise WrongScopeError(f"{scope}, not for {needed}, which DRS needs")
    if wanted != project.get("id" if wanted_id else "name") and wanted:
        raise WrongScopeError(f'for project "{_named(project)}", not for project "{wanted}"')


def _named(thing: Mapping[str, Any]) -> str:
    name, thing_id = thing.get("name"), thing.get("id")
    return clean_text(f"{name} ({thing_id})" if name and thing_id else str(name or thing_id), EXCERPT_CHARS)


def translate(exc: Exception, subject: str, url: str, advice: str, *, project_name: str | None = None) -> DrsError:
    """Turn an exception of a login into a `DrsError`. Secrets that IAM has repeated are removed from `exc` as well.

    Args:
        exc: of keystoneauth, requests or this package.
        subject: what IAM was asked for.
        url: of IAM.
        advice: the next step after a refusal, in a sentence.
        project_name: the project's name, when its id is not known.
    """
    from keystoneauth1 import exceptions as ks

    from ..http.transport import reason_of, was_connected

    def quoted(text: str) -> str:
        return clean_text(text, EXCERPT_CHARS).rstrip(". ")

    redact_exception(exc)
    error: DrsError
    if isinstance(exc, ks.HttpError):
        status = exc.http_status
        code, message = _code_and_message(exc)
        said = quoted(f"{code} {message}".strip())
        if status in (408, 429) or status >= 500:
            kind = ThrottledError if status == 429 else ServiceFaultError
            wait = float(exc.retry_after) or None
            text = f"IAM at {url} can't answer now: {said}"
            error = kind(code or f"HTTP {status}", text, status=status, retry_after_seconds=wait)
            error.said = text
        else:
            text = f"IAM at {url} refused {subject}: {status} {said}. {advice}"
            if project_name and (status != 401 or "project" in said.lower()):
                text += _BY_NAME.format(project_name)
            error = AuthenticationError(text)
    elif isinstance(exc, PluginError):
        error = AuthenticationError(f"{subject} can't be made: {quoted(str(exc))}. {advice}")
    elif isinstance(exc, WrongScopeError):
        error = AuthenticationError(f"IAM at {url} answered {subject} with a token that is {exc}. {advice}")
    elif isinstance(exc, ks.ConnectionError):
        untrusted = isinstance(exc, ks.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(exc)
        error = UnreachableError(
            f"IAM at {url} can't be reached ({quoted(reason_of(exc))})",
            url=url,
            advice=f"Give the authority's certificate in {_CA_CERT}" if untrusted else "Check its address and the network",
            was_connected=was_connected(exc),
            retryable=not untrusted,
        )
    elif isinstance(exc, ks.InvalidResponse) and 300 <= exc.response.status_code < 400:
        # Without its query, which may be anything.
        target = quoted(exc.response.headers.get("Location", "").partition("?")[0])
        error = AuthenticationError(f"IAM at {url} redirects to {target}, which is not followed. {advice}")
    elif isinstance(exc, ks.MissingAuthMethods):
        error = AuthenticationError(f"IAM at {url} wants a second factor for {subject}. Use a user without one")
    elif isinstance(exc, OSError) and not isinstance(exc, ValueError):
        # keystoneauth translates all but this one: requests finds no CA bundle where it should be.
        error = AuthenticationError(f"IAM at {url} was not asked: {quoted(str(exc))}. Check {_CA_CERT}")
    else:
        # A body without a token, an invalid date, …: what answers there is not IAM, so asking again is of no use.
        error = UnreadableAnswerError(f"{url} does not answer like IAM. {advice}")
        error.retryable = False
    # A login changes nothing, so it can be repeated.
    error.effect_unknown = False
    return error


def _code_and_message(exc: Any) -> tuple[str, str]:
    """IAM's code and message, in either of its two forms. keystoneauth knows one, and adds to the message."""
    with suppress(AttributeError, TypeError, ValueError):
        body = exc.response.json()
        inner = body.get("error", body)
        if text := inner.get("message") or inner.get("error_msg"):
            return str(inner.get("error_code") or ""), str(text)
    return "", str(exc.message).partition(" (HTTP")[0]
