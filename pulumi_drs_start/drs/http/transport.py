"""
HTTP sessions whose requests end with the operation they belong to, and whose answers are bounded; what connection errors mean.

``timeout=`` of such a session takes a TimeBudget. The timeouts of sockets are not enough: they begin anew with every byte, so a
server that sends one a second would hold us for as long as it likes. And nothing interrupts a thread that waits for a socket.
So each request is made in a thread of its own, and given up when the budget ends. A request that was given up is never sent
afterwards. Its connection is cut, so that the thread ends; one that still connects ends with its own timeout.
"""

from __future__ import annotations

import io
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import suppress
from contextvars import ContextVar, copy_context
from dataclasses import replace
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from ..clock import SYSTEM_CLOCK
from ..errors import CancelledError, OutOfTimeError
from .budget import TimeBudget
from .urls import is_loopback

# Not imported, because what the package itself imports lies above this folder.
USER_AGENT = f"pulumi-drs-start/{sys.modules[__name__.partition('.')[0]].__version__}"

CONNECT_SECONDS = 10.0
# After a cancellation, an answer that is on its way may still arrive: better than not to know what became of the request.
LATE_ANSWER_SECONDS = 0.5
# Unpacked, each of these is 16 MiB at the most.
CHUNK_BYTES = 16 * 1024


class UnusableBodyError(ValueError):
    """A body that is larger than any answer could be, or packed in a way that was not asked for."""


def new_session(url: str, ca_cert: str | None, *, most_bytes: int, read_seconds: float) -> requests.Session:
    """A session for one service, whose ``timeout=`` is a TimeBudget. It may be shared by threads.

    Args:
        url: where the service is.
        ca_cert: path of a TLS bundle, or None for the usual authorities.
        most_bytes: an answer that is larger raises UnusableBodyError.
        read_seconds: how long one request may take, also when its budget is longer.
    """
    session = requests.Session()
    session.verify = ca_cert or True
    # Proxies and CA bundles of the environment count, but no proxy leads to this machine.
    session.trust_env = not is_loopback(url)
    # ~/.netrc does not: it would put its own Authorization in place of a signature, and send a password along.
    session.auth = no_auth
    session.headers.update({"Accept-Encoding": "gzip", "User-Agent": USER_AGENT})
    # Threads would share them; none of the services needs any.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Adapter(most_bytes, read_seconds))
    return session


def no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """An authentication that adds nothing."""
    return request


class _Adapter(HTTPAdapter):
    """Makes each request in a thread of its own, and reads its answer within bounds."""

    def __init__(self, most_bytes: int, read_seconds: float) -> None:
        super().__init__()
        self._most_bytes = most_bytes
        self._read_seconds = read_seconds

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        """Send a request, and return its answer with the whole body. Takes what HTTPAdapter takes, by name.

        Raises:
            requests.RequestException: no whole answer came; ConnectTimeout when nothing was sent.
            UnusableBodyError: see there.
        """
        budget: TimeBudget = options["timeout"]
        if budget.has_ended:
            raise requests.ConnectTimeout("timed out")
        seconds = min(self._read_seconds, budget.remaining_seconds())
        options.update(stream=True, timeout=(min(CONNECT_SECONDS, seconds), seconds))

        def exchange() -> requests.Response:
            response = super(_Adapter, self).send(request, *arguments, **options)
            with response:
                content = _read_body(response, self._most_bytes)
            response.raw = io.BytesIO(content)
            return response

        # Sockets know the time of the machine only.
        return _Exchange().run(exchange, replace(budget, seconds=seconds, clock=SYSTEM_CLOCK))

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        _take_connections_of(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        is_new = proxy not in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **options)
        if is_new:
            _take_connections_of(manager)
        return manager


def _read_body(response: requests.Response, most_bytes: int) -> bytes:
    # Packed by several methods, one in the other, a chunk can become terabytes.
    if response.headers.get("Content-Encoding", "").strip().lower() not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise UnusableBodyError("is packed in a way that was not asked for")
    content = bytearray()
    try:
        # Not `stream`, which reads the size of a chunk however long it is.
        while chunk := response.raw.read(CHUNK_BYTES, decode_content=True):
            content += chunk
            if len(content) > most_bytes:
                raise UnusableBodyError(f"is larger than {most_bytes >> 20} MiB")
    except HTTPError as exc:
        raise requests.ConnectionError(exc) from exc
    return bytes(content)


# Held while an exchange takes a connection or cuts it, so that none cuts a connection that serves another by then.
_taking = threading.Lock()
_current: ContextVar[_Exchange | None] = ContextVar("_current", default=None)


class _Exchange:
    """One request and its answer."""

    def __init__(self) -> None:
        self._answer: futures.Future[requests.Response] = futures.Future()
        self._connection: _Connection | None = None
        self._was_sent = False
        self._is_given_up = False

    def run(self, exchange: Callable[[], requests.Response], budget: TimeBudget) -> requests.Response:
        """The answer. Raises as `exchange` does, and requests.Timeout when the budget ends first."""

        def work() -> None:
            _current.set(self)
            try:
                self._answer.set_result(exchange())
            except BaseException as exc:  # noqa: BLE001 - raised again by who waits
                self._answer.set_exception(exc)

        threading.Thread(target=copy_context().run, args=(work,), daemon=True).start()
        try:
            budget.wait_for(self._has_answer)
        except CancelledError:
            self._has_answer(min(LATE_ANSWER_SECONDS, budget.remaining_seconds()))
        except OutOfTimeError:
            pass
        finally:
            if not self._answer.done():
                self._give_up()
        if not self._is_given_up:
            return self._answer.result()
        raise (requests.ReadTimeout if self._was_sent else requests.ConnectTimeout)("timed out")

    def take(self, connection: _Connection, *, to_send: bool) -> None:
        """Use a connection. Raises requests.Timeout if nobody waits for the answer any more."""
        with _taking:
            if self._is_given_up:
                raise requests.ConnectTimeout("timed out")
            self._connection, connection.user = connection, self
            self._was_sent = self._was_sent or to_send

    def _has_answer(self, seconds: float) -> bool:
        return bool(futures.wait([self._answer], seconds).done)

    def _give_up(self) -> None:
        with _taking:
            self._is_given_up = True
            connection = self._connection
            if connection is not None and connection.user is self and connection.sock is not None:
                # By a handle of our own: the shutdown of a TLS socket changes what the other thread is using.
                with suppress(OSError), socket.socket(fileno=os.dup(connection.sock.fileno())) as handle:
                    handle.shutdown(socket.SHUT_RDWR)


class _Connection(HTTPConnection):
    """What a connection of any kind needs to send nothing for an exchange that was given up."""

    user: _Exchange | None = None

    def connect(self) -> None:
        if exchange := _current.get():
            # A proxy may answer byte by byte too.
            exchange.take(self, to_send=False)
        super().connect()

    def request(self, *arguments: Any, **options: Any) -> None:
        if self.sock is None:
            self.connect()
        if exchange := _current.get():
            exchange.take(self, to_send=True)
        super().request(*arguments, **options)


def _take_connections_of(manager: PoolManager) -> None:
    """Make the connections of all pools of a manager `_Connection`s: of TLS, and of SOCKS too."""
    pools: dict[str, Any] = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {
        scheme: type("_Pool", (pool,), {"ConnectionCls": type("_Connection", (_Connection, pool.ConnectionCls), {})})
        for scheme, pool in pools.items()
    }


def _causes(error: BaseException) -> Iterator[BaseException]:
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
        isinstance(one, (requests.ConnectTimeout, NewConnectionError, ConnectTimeoutError)) or _is_of_tunnel(one)
        for one in _causes(error)
    )


def reason_of(error: BaseException) -> str:
    """What the system said, such as ``Connection refused``."""
    reason = "timed out" if "timed out" in str(error) else type(error).__name__
    for one in _causes(error):
        if isinstance(one, OSError) and one.strerror:
            reason = one.strerror
        elif _is_of_tunnel(one):
            reason = str(one)
    return reason


def _is_of_tunnel(error: BaseException) -> bool:
    return str(error).startswith("Tunnel connection failed")
