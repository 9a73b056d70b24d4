"""
HTTP sessions whose exchanges end: connections that a `deadline` can cut, and bodies read within bounds, packed ones too; and what
connection errors mean.

Imported with the first session, because `requests` takes its time.
"""

from __future__ import annotations

import socket
import zlib
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from .deadline import Limit, unless_ended, watch
from .urls import is_loopback

CHUNK = 64 * 1024
# What zlib calls either of the two formats that HTTP uses.
_GZIP_OR_ZLIB = 47


class EndlessBodyError(ValueError):
    """A body that is larger, or takes longer, than anything we asked for would; or packed so that nobody can tell."""


def new_session(url: str, ca_cert: str | None) -> requests.Session:
    """A session for one service. It may be shared by threads."""
    session = requests.Session()
    session.verify = ca_cert or True
    # Proxies and CA bundles of the environment count, but no proxy leads to this machine.
    session.trust_env = not is_loopback(url)
    # ~/.netrc does not: it would put its own Authorization in place of a signature, and send a password along.
    session.auth = no_auth
    # Packed by several methods, one in the other, 64 KiB can become terabytes; one method can be unpacked within bounds.
    session.headers["Accept-Encoding"] = "gzip"
    # Threads would share them; none of the services needs any.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Adapter())
    return session


def no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """An authentication that adds nothing."""
    return request


def read_body(response: requests.Response, largest: int, limit: Limit) -> bytes:
    """The body of an answer that was asked for with ``stream=True``.

    Raises:
        EndlessBodyError: it is too large, takes too long, or is packed in an unknown way.
        requests.RequestException, urllib3.exceptions.HTTPError: the connection broke.
    """
    unpacker = _unpacker_for(response.headers.get("Content-Encoding", ""))
    chunks: list[bytes] = []
    left = largest
    while (unpacker is None or not unpacker.eof) and (chunk := response.raw.read(CHUNK, decode_content=False)):
        if limit.is_over or limit.is_cut:
            raise EndlessBodyError("did not end in time")
        if unpacker is not None:
            try:
                chunk = unpacker.decompress(chunk, left + 1)
            except zlib.error:
                raise EndlessBodyError("is not packed as it says") from None
        left -= len(chunk)
        if left < 0:
            raise EndlessBodyError(f"is larger than {largest >> 20} MiB")
        chunks.append(chunk)
    return b"".join(chunks)


def _unpacker_for(encoding: str) -> Any:
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(_GZIP_OR_ZLIB)
    raise EndlessBodyError("is packed in a way that was not asked for")


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error of a connection, and one after the other those in the several layers of wrapping that it comes in."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        # Old versions of urllib3 blame a proxy for every broken connection, also after the request was sent.
        wrapped = getattr(seen, "original_error", None) or (getattr(seen.args[0], "reason", None) if seen.args else None)
        seen = wrapped if isinstance(wrapped, BaseException) else seen.__cause__ or seen.__context__


def was_connected(error: BaseException) -> bool:
    """Whether there was a connection, so that something may have been sent."""
    return not any(
        isinstance(one, (requests.exceptions.ConnectTimeout, NewConnectionError, ConnectTimeoutError)) or _is_of_tunnel(one)
        for one in causes(error)
    )


def reason_of(error: BaseException) -> str:
    """What the system said, such as ``Connection refused``."""
    reason = "timed out" if "timed out" in str(error) else type(error).__name__
    for one in causes(error):
        if isinstance(one, OSError) and one.strerror:
            reason = one.strerror
        elif _is_of_tunnel(one):
            reason = str(one)
    return reason


def _is_of_tunnel(error: BaseException) -> bool:
    return str(error).startswith("Tunnel connection failed")


class _Watched(HTTPConnection):
    def _new_conn(self) -> Any:
        try:
            connection = unless_ended(super()._new_conn, socket.socket.close)
        except TimeoutError as exc:
            raise ConnectTimeoutError(self, "timed out") from exc
        # Here already: a handshake, or a proxy, may answer byte by byte too.
        watch(connection)
        return connection

    def putrequest(self, *arguments: Any, **options: Any) -> None:
        # A connection that was kept; others are made after this.
        watch(self.sock)
        super().putrequest(*arguments, **options)


class _HTTPSConnection(_Watched, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class _Adapter(HTTPAdapter):
    """Makes connections that are watched."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
        return manager
