"""
Stands where a Python process would: hands what it was given to the server, passes signals on, and ends as the fork ends.

Usage: python3 -IES launcher.py SOCKET ARGUMENT...
It is run for each process and takes milliseconds, so it imports little.
"""

import marshal
import os
import signal
import socket
import sys

with socket.socket(socket.AF_UNIX) as server:
    server.connect(sys.argv[1])
    reading, writing = os.pipe()
    socket.send_fds(server, [b"0"], [0, 1, 2, reading])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, lambda number, _: server.send(bytes([number])))
    os.close(reading)
    with open(writing, "wb") as request:  # noqa: PTH123  # it has no path
        marshal.dump((sys.argv[2:], os.getcwd(), dict(os.environ), os.getppid()), request)  # noqa: PTH109  # see above
    ended = server.recv(16)
if not ended:
    sys.exit("the server of warm Pythons is gone")
code = int(ended)
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
sys.exit(code)
