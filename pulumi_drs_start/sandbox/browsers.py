"""
What a web page may not do, open in a browser on the same machine: reset a sandbox, or read from it.

Two checks are enough. A page of another site sends its origin along, or the browser says that the call is of another site. And a
page whose host name was pointed at this machine after it was loaded (DNS rebinding) names that host in its calls.

The sandbox's own page passes both: it is of the same origin. Nobody can make it act for them, as it lets no other page frame it
and runs no script but its own (see `page_routes`).
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    # Not needed to run: without the extra `sandbox` the command line still has to say so.
    from starlette.types import Scope


def is_loopback(host: str) -> bool:
    """Whether a host is this machine alone: localhost, 127.0.0.0/8, ::1."""
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def why_not_heard(scope: Scope) -> str | None:
    """Why a call is not carried out, or None: no command-line tool and no library makes such a call."""
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get(b"host", "")
    # 0.0.0.0 is another name of this machine, which servers that listen everywhere give.
    named = _host_of(f"http://{host}")
    if is_loopback(str(scope["server"][0])) and not is_loopback(named) and named not in ("0.0.0.0", "::"):  # noqa: S104
        return f"the Host header names {host!r}, and only this machine is served: use its address"
    origin = headers.get(b"origin")
    if headers.get(b"sec-fetch-site", "none") not in ("none", "same-origin") or (origin and origin != f"http://{host}"):
        return "calls from web pages of other sites are not carried out"
    return None


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
