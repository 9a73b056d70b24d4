"""
One conversation with IAM over HTTP: bounded, without redirects, and without secrets in anybody's log.
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

# These write IAM's whole answers to the log at debug level, whatever is in them.
_QUOTING_LOGGERS = ("keystoneauth.identity.v3.base", "keystoneauth.identity.v3.federation", "keystoneauth.identity.v3.oidc")
# Set while this thread's login is one of ours.
_is_ours = ContextVar("_is_ours", default=False)

_Result = TypeVar("_Result")


def with_session(
    auth_url: str,
    call: Callable[[Session], _Result],
    *,
    user_agent: str,
    ca_cert: str | None = None,
    client_cert: tuple[str, str] | None = None,
) -> _Result:
    """Run `call` with a session of its own: logins are a day apart, so no connection is worth keeping."""
    from keystoneauth1.exceptions import ClientException, ConnectTimeout
    from keystoneauth1.session import Session

    from ..http.transport import new_session

    with _unquoted(), within(CONNECT_SECONDS + READ_SECONDS) as limit, new_session(auth_url, ca_cert) as http:
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
def _unquoted() -> Iterator[None]:
    """Keep IAM's answers to this thread out of the log, and those to the program's own logins in it."""
    for name in _QUOTING_LOGGERS:
        # The same function each time, so it is there once. It stays: to take one out while another thread goes through the
        # list of them would make that thread skip the next, which may be one that keeps secrets too.
        logging.getLogger(name).addFilter(_is_no_quote)
    token = _is_ours.set(True)
    try:
        yield
    finally:
        _is_ours.reset(token)


def _is_no_quote(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG or not _is_ours.get()


def _read_bounded(limit: Limit, response: requests.Response, *_: Any, **__: Any) -> None:
    """Read a body within bounds: requests would go on as long as something comes."""
    import requests
    from urllib3.exceptions import HTTPError

    from ..http.transport import read_body

    try:
        response._content = read_body(response, LARGEST_ANSWER, limit)
    except HTTPError as exc:
        # In the words that keystoneauth knows.
        raise requests.ConnectionError(exc) from exc
    finally:
        response.close()
