"""
HTTP sessions with IAM: bounded in time and size, without redirects, and without secrets in any log.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from ..http.deadline import Limit, within

if TYPE_CHECKING:
    import requests
    from keystoneauth1.session import Session

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
# A token with the longest catalog is well below.
LARGEST_ANSWER = 4 * 1024 * 1024

# These log IAM's whole answers at debug level.
_ANSWER_LOGGERS = ("keystoneauth.identity.v3.base", "keystoneauth.identity.v3.federation", "keystoneauth.identity.v3.oidc")
# True while this thread logs in for this package.
_is_our_login = ContextVar("_is_our_login", default=False)

_Result = TypeVar("_Result")


def with_session(
    auth_url: str,
    call: Callable[[Session], _Result],
    *,
    user_agent: str,
    ca_cert: str | None = None,
    client_cert: tuple[str, str] | None = None,
) -> _Result:
    """Run `call` with a session of its own. Logins are a day apart, so connections are not kept.

    Args:
        auth_url: of IAM; it decides about proxies.
        call: what to ask.
        user_agent: sent with each request.
        ca_cert: path of the certificates to trust, or None for the usual authorities.
        client_cert: paths of a certificate to show, and of its key.

    Raises:
        keystoneauth1.exceptions.ConnectTimeout: the time is over.
    """
    from keystoneauth1.exceptions import ClientException, ConnectTimeout
    from keystoneauth1.session import Session

    from ..http.transport import new_session

    with _answers_unlogged(), within(CONNECT_SECONDS + READ_SECONDS) as limit, new_session(auth_url, ca_cert) as http:
        http.hooks["response"].append(functools.partial(_read_bounded, limit))
        # A redirect would carry the password to another host, so none is followed.
        session = Session(session=http, verify=ca_cert or True, cert=client_cert, user_agent=user_agent, redirect=False)
        # The constructor knows one number only; requests takes both.
        left = max(0.1, limit.remaining_seconds())
        session.timeout = (min(CONNECT_SECONDS, left), min(READ_SECONDS, left))  # type: ignore[assignment]
        # keystoneauth logs bodies at debug level, and those of some logins hold passwords.
        session.request = functools.partial(session.request, log=False)  # type: ignore[method-assign]
        try:
            return call(session)
        except (ClientException, ValueError) as exc:
            if not limit.has_ended:
                raise
            raise ConnectTimeout("timed out") from exc


@contextmanager
def _answers_unlogged() -> Iterator[None]:
    """Keep IAM's answers to this thread out of the log. The program's own logins are logged as before."""
    for name in _ANSWER_LOGGERS:
        # A function that is there already is not added again. It is never removed: another thread may be iterating over the
        # filters, and would skip the next one, which may protect secrets too.
        logging.getLogger(name).addFilter(_may_be_logged)
    token = _is_our_login.set(True)
    try:
        yield
    finally:
        _is_our_login.reset(token)


def _may_be_logged(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG or not _is_our_login.get()


def _read_bounded(limit: Limit, response: requests.Response, *_: Any, **__: Any) -> None:
    """Read a body within the limits of time and size; requests has none for a whole body."""
    import requests
    from urllib3.exceptions import HTTPError

    from ..http.transport import read_body

    try:
        response._content = read_body(response, LARGEST_ANSWER, limit)
    except HTTPError as exc:
        # keystoneauth translates this one.
        raise requests.ConnectionError(exc) from exc
    finally:
        response.close()
