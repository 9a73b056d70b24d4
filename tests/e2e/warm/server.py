"""
Runs Python programs as forks of a process that has imported what they will import.

A request comes from `launcher.py`: the three standard streams, arguments, folder, environment and parent. The fork takes them
on and runs the script or module as `python3` would. The launcher hears how it ended and passes signals on; when it dies, the fork
is killed. Until a fork is made there is one thread and no channel, so that nothing is lost in it.

Usage: server.py SOCKET MODULE...  It imports the modules, prints a line, and serves until its standard input ends.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import marshal
import os
import runpy
import select
import signal
import socket
import sys
from pathlib import Path
from types import ModuleType

# Python reads these when it starts, so that a fork obeys those of the server.
READ_AT_START = ("PYTHON", "LANG", "LC_")


def serve(listener: socket.socket) -> list[int]:
    """Fork for each launcher. Returns the files it sent in the fork, and none in the server, when that has nobody to serve."""
    running: dict[int, socket.socket] = {}
    woken, waking = socket.socketpair()
    waking.setblocking(False)
    signal.set_wakeup_fd(waking.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready = select.select([listener, sys.stdin, woken, *running.values()], [], [])[0]
        if sys.stdin in ready:
            return []
        if woken in ready:
            woken.recv(4096)
            _report_ended(running)
        for pid, connection in running.items():
            if connection in ready:
                # Each byte is a signal. The end of them is the launcher's own.
                for number in connection.recv(64) or [signal.SIGKILL]:
                    os.kill(pid, number)
        if listener in ready:
            connection, _ = listener.accept()
            files = socket.recv_fds(connection, 1, 4)[1]
            if not files:
                connection.close()  # of a launcher that was killed at once
                continue
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os.setpgrp()
                for ours in (listener, woken, waking, connection, *running.values()):
                    ours.close()
                return files
            running[pid] = connection
            for file in files:
                os.close(file)


def _report_ended(running: dict[int, socket.socket]) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            with running.pop(pid) as connection, contextlib.suppress(BrokenPipeError):
                connection.sendall(b"%d" % os.waitstatus_to_exitcode(status))


def become(*files: int) -> None:
    """Run what `python3` would run with these standard streams, and what the last file says it was given."""
    with open(files[-1], "rb") as request:  # noqa: PTH123  # it has no path
        arguments, folder, environment, parent = marshal.load(request)  # noqa: S302  # from the launcher
    for number, stream in enumerate(files[:-1]):
        os.dup2(stream, number)
        os.close(stream)
    started, wanted = (
        {name: value for name, value in one.items() if name.startswith(READ_AT_START)} for one in (os.environ, environment)
    )
    if started != wanted:
        sys.exit(f"a warm Python was started with {started} and can't become one with {wanted}: take a cold stack")
    # The process that started the launcher. The server and its own parent are nothing to the program.
    os.getppid = lambda: parent
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    if arguments[0] == "-u":
        del arguments[0]
        for name in ("stdout", "stderr"):
            old = getattr(sys, name)
            raw = io.FileIO(old.fileno(), "wb", closefd=False)
            setattr(sys, name, io.TextIOWrapper(raw, old.encoding, old.errors, write_through=True))
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        sys.path[0] = folder
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    elif arguments[0].startswith("-"):
        sys.exit(f"a warm Python runs scripts and modules, and can't {arguments}: take a cold stack")
    else:
        sys.argv = arguments
        script = Path(folder, arguments[0])
        sys.path[0] = str(script.resolve().parent)
        sys.modules["__main__"] = main = ModuleType("__main__")
        main.__file__ = str(script)
        exec(compile(script.read_bytes(), script, "exec"), main.__dict__)  # noqa: S102  # it is what Python does


if __name__ == "__main__":
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(sys.argv[1])
        server.listen(64)
        for module in sys.argv[2:]:
            importlib.import_module(module)
        gc.freeze()
        print("ready", flush=True)
        sent = serve(server)
    if sent:
        become(*sent)
