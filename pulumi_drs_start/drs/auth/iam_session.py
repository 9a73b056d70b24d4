"""
HTTP sessions with IAM: bounded in time and size, without redirects, and without secrets in any log.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from ..http.budget import TimeBudget

if TYPE_CHECKING:
    from keystoneauth1.session import Session

# Of one request, and of a login, which may take several.
READ_SECONDS = 30.0
LOGIN_SECONDS = 40.0
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
    budget: TimeBudget,
    *,
    ca_cert: str | None = None,
    client_cert: tuple[str, str] | None = None,
) -> _Result:
    """Run `call` with a session of its own, for up to `LOGIN_SECONDS`. Other arguments are those of `IamLogin`.

    Logins are a day apart, so connections are not kept.
    """
    from keystoneauth1.session import Session

    from ..http.transport import USER_AGENT, new_session

    with _answers_unlogged(), new_session(auth_url, ca_cert, most_bytes=LARGEST_ANSWER, read_seconds=READ_SECONDS) as http:
        # A redirect would carry the password to another host, so none is followed.
        session = Session(session=http, verify=ca_cert or True, cert=client_cert, user_agent=USER_AGENT, redirect=False)
        # keystoneauth hands this to requests as it is. Its constructor takes numbers only.
        session.timeout = replace(budget, seconds=min(LOGIN_SECONDS, budget.remaining_seconds()))  # type: ignore[assignment]
        # keystoneauth logs bodies at debug level, and those of some logins hold passwords.
        session.request = functools.partial(session.request, log=False)  # type: ignore[method-assign]
        return call(session)


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
