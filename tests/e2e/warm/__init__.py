"""
A `python3` and a plugin that start in milliseconds, for stacks of the tests.

A `pulumi` command takes two seconds of a processor, and most of that is Python importing the same modules: in the program, in the
host of dynamic providers or the plugin, and in `pip list`. On a warm stack's PATH `python3` is a script that asks a server for a
fork of itself with everything imported (`server.py`, `launcher.py`), and knows what pip lists. So is the plugin beside it.

What a warm Python shares with the others of a session is the seed of its hashes and modules that were imported before it had an
environment. So it can't show that something is imported when it should be, or too early: cold stacks do.
"""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PLUGIN = "pulumi-resource-drs"
"""The name of the plugin's executable."""

_HERE = Path(__file__).parent
# What a program, the host and our provider import. Anything else is imported in the fork.
_PRELOADED = (
    "pulumi.runtime.proto.status_pb2",
    "pulumi_drs_start.drs.http.transport",
    "pulumi_drs_start.dynamic.hooks",
    "pulumi_drs_start.functions",
    "pulumi_drs_start.native.serve",
    "pulumi_drs_start.operations.query",
    "pulumi_drs_start.resource",
    "keystoneauth1.identity.v3",
    "keystoneauth1.loading",
    "tenacity",
)
_PIP_LIST = ("-m", "pip", "list", "-v", "--format", "json")
_PYTHON = """\
#!/bin/sh
case "$*" in
--version) exec {python} --version ;;
{pip_list!r}) exec cat {packages} ;;
esac
exec {python} -IES {launcher} {socket} "$@"
"""
_PLUGIN = """\
#!/bin/sh
exec {python} -IES {launcher} {socket} -m pulumi_drs_start "$@"
"""


@contextmanager
def warm_python(cold: Path, environment: Mapping[str, str]) -> Iterator[Path]:
    """Yields a folder with a `python3` and a plugin that are warm, and else like those of this folder in this environment."""
    python = cold / "python3"
    # Not in pytest's folder: the name of a socket has about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="warm-") as name:
        folder = Path(name)
        packages, socket = folder / "packages.json", folder / "socket"
        packages.write_bytes(subprocess.run([python, *_PIP_LIST], env=environment, check=True, stdout=subprocess.PIPE).stdout)
        paths = {"python": python, "packages": packages, "launcher": _HERE / "launcher.py", "socket": socket}
        for name, script in (("python3", _PYTHON), (PLUGIN, _PLUGIN)):
            file = folder / name
            file.write_text(
                script.format(pip_list=" ".join(_PIP_LIST), **{name: shlex.quote(str(path)) for name, path in paths.items()})
            )
            file.chmod(0o755)
        with subprocess.Popen(
            [python, _HERE / "server.py", socket, *_PRELOADED],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl-C in a terminal is for the command that runs there.
            start_new_session=True,
        ) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n", "the server of warm Pythons did not start"
            yield folder
