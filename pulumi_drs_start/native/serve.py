"""
The plugin as a process: it serves the provider protocol, tells its port on stdout, and ends when the engine is gone.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from ..operations.connections import process_connections
from ..settings import log_where_asked
from .servicer import Servicer

# A call may last an hour, and the one that cancels it has to come through: threads are made only as calls come in.
_MOST_CALLS = 10_000
# What the engine itself allows.
_LARGEST_MESSAGE = 400 * 1024 * 1024
_LOOK_FOR_THE_ENGINE_SECONDS = 5


def main() -> None:
    """Serve until the engine ends this process, or is no more."""
    engine = os.getppid()
    # The engine's way to end its plugins; what does not heed it keeps every command waiting. Ctrl-C in a terminal does not come
    # here, because plugins are process groups of their own.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    log_where_asked()
    sizes = [(f"grpc.max_{way}_message_length", _LARGEST_MESSAGE) for way in ("receive", "send")]
    server = grpc.server(ThreadPoolExecutor(_MOST_CALLS), options=sizes)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(), server)
    # Each provider of a program is a process, and the engine's address is the same for all of one command.
    process_connections().declared.share(Path(tempfile.gettempdir(), f"pulumi-drs-{re.sub('[^0-9]+', '-', sys.argv[-1])}"))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    while server.wait_for_termination(_LOOK_FOR_THE_ENGINE_SECONDS) and os.getppid() == engine:
        pass
