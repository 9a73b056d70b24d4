"""
One conversation with IAM over HTTP: bounded, without redirects, and without secrets in anybody's log.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from .urls import is_loopback

if TYPE_CHECKING:
    import requests
    from keystoneauth1.session import Session

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
# A token with the longest catalog is well below.
LARGEST_ANSWER = 4 * 1024 * 1024

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
    import requests
    from keystoneauth1.session import Session

    with requests.Session() as http:
        # Proxies and CA bundles of the environment count, but no proxy leads to this machine.
        http.trust_env = not is_loopback(auth_url)
        # ~/.netrc does not: a password for the host would be sent along.
        http.auth = _as_it_is
        http.hooks["response"].append(_read_bounded)
        # A redirect would carry the password to another host, so none is followed.
        session = Session(session=http, verify=ca_cert or True, cert=client_cert, user_agent=user_agent, redirect=False)
        # The constructor knows one number only; requests takes both.
        session.timeout = (CONNECT_SECONDS, READ_SECONDS)  # type: ignore[assignment]
        # keystoneauth logs bodies at debug level, and those of some logins hold passwords.
        session.request = functools.partial(session.request, log=False)  # type: ignore[method-assign]
        return call(session)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _read_bounded(response: requests.Response, *_: Any, **__: Any) -> None:
    """Read a body within bounds: requests would go on as long as something comes."""
    content, deadline = bytearray(), time.monotonic() + READ_SECONDS
    for chunk in response.iter_content(16 * 1024):
        content += chunk
        if len(content) > LARGEST_ANSWER or time.monotonic() > deadline:
            raise ValueError("an answer without end")
    response._content = bytes(content)
