"""Uvicorn as the sandbox needs it: it ends at once, and it can hang up on a caller."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import threading
from collections.abc import Sequence
from typing import Any

import uvicorn
from starlette.types import Scope

from .app import create_app
from .state import State


class Serving(uvicorn.Server):
    """A server that lives in a thread until `end` is called from another one."""

    def __init__(self, state: State) -> None:
        config = uvicorn.Config(
            create_app(state, self.hang_up),
            log_config=None,
            access_log=False,
            lifespan="off",
            loop="asyncio",
            http="h11",
            ws="none",
            server_header=False,
        )
        # Aborted connections are what some faults are about: not worth a traceback.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
        super().__init__(config)
        self.is_up = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None

    def hang_up(self, scope: Scope, reset: bool) -> None:
        """Abort the connection of a call, so that its client never gets an answer, nor the rest of one."""
        for connection in list(self.server_state.connections):
            if getattr(connection, "client", None) == tuple(scope["client"]):
                _abort(connection.transport, reset=reset)

    def end(self) -> None:
        if self._loop is not None and self._ended is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended.set)

    async def main_loop(self) -> None:
        # Uvicorn looks ten times a second whether to end; tests start and end sandboxes by the hundred.
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        await self.on_tick(0)
        self.is_up.set()
        await self._ended.wait()

    async def shutdown(self, sockets: Sequence[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        for connection in list(self.server_state.connections):
            _abort(connection.transport)
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _abort(transport: Any, *, reset: bool = False) -> None:
    """Close now, unsent bytes included; a reset is what a crashing peer or a firewall sends."""
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if reset and connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
