"""A warm Python can't be told from one that was started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import environment_of
from .warm import PLUGIN

COLD = Path(sys.executable).parent

# What a process can know of how it was started.
PROBE = """
import json, os, signal, sys, threading

print("told", file=sys.stderr)
json.dump(
    {
        "main": [__name__, __file__, sys.modules["__main__"].__dict__ is globals()],
        "sys": [sys.argv, sys.path, sys.executable, sys.prefix, str(sys.flags), sys.warnoptions],
        "parent": os.getppid(),
        "folder": os.getcwd(),
        "environment": {name: value for name, value in os.environ.items() if name != "PATH"},
        "input": sys.stdin.read(),
        "streams": [
            [s.fileno(), s.encoding, s.errors, s.line_buffering, str(type(s.buffer))] for s in (sys.stdin, sys.stdout, sys.stderr)
        ],
        "write through": [sys.stdout.write_through, sys.stderr.write_through],
        "open files": sorted(os.listdir("/dev/fd")),
        "threads": threading.active_count(),
        "signals": [str(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
        "main thread": threading.current_thread() is threading.main_thread(),
    },
    sys.stdout,
)
sys.exit(7)
"""
WAIT = """
import sys, time
try:
    print("waiting", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted")
    raise
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "probe.py").write_text(PROBE)
    (tmp_path / "wait.py").write_text(WAIT)
    return tmp_path


def begin(python: Path, folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    given = {"PATH": f"{python}:{os.environ['PATH']}", "PWD": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "GIVEN": "ä\n"}
    return subprocess.Popen(
        ["python3", *arguments], cwd=folder, env={**ours, **given, **environment}, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )


def run(python: Path, folder: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    process = begin(python, folder, *arguments, **environment)
    printed = process.communicate("typed", timeout=60)
    return process.returncode, *printed


@pytest.mark.parametrize(
    "arguments", [["probe.py"], ["../{}/probe.py", "-u", "", "a b"], ["-m", "probe", "x"], ["-u", "-m", "probe"]]
)
def test_it_is_given_all_that_a_new_process_is_given(warm: Path, folder: Path, arguments: list[str]) -> None:
    arguments = [argument.format(folder.name) for argument in arguments]

    code, output, errors = run(warm, folder, *arguments)

    cold_code, cold_output, cold_errors = run(COLD, folder, *arguments)
    assert json.loads(output) == json.loads(cold_output)
    assert (code, errors) == (cold_code, cold_errors) == (7, "told\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_by_a_signal_as_a_process_does(warm: Path, folder: Path, number: signal.Signals) -> None:
    ends = []
    for python in (warm, COLD):
        process = begin(python, folder, "wait.py")
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
        ends.append((process.returncode, output, errors.splitlines()[-1:]))

    assert ends[0] == ends[1]
    assert ends[0][0] == -number


def test_the_plugin_serves_and_ends_as_one_that_was_started(warm: Path) -> None:
    for folder in (warm, COLD):
        command = [folder / PLUGIN, "127.0.0.1:1"]
        with subprocess.Popen(command, env=environment_of(), stdout=subprocess.PIPE, text=True) as plugin:
            assert plugin.stdout is not None
            assert int(plugin.stdout.readline()) > 0
            plugin.send_signal(signal.SIGTERM)
            assert plugin.wait(timeout=10) == 0


def test_it_dies_with_its_launcher(warm: Path, folder: Path) -> None:
    process = begin(warm, folder, "wait.py")
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"

    process.kill()

    # The end of the output is the end of the last process that could write it.
    assert process.communicate(timeout=10)[0] == ""


def test_it_has_imported_what_a_program_needs_and_nobody_has_seen_it(warm: Path, folder: Path) -> None:
    (folder / "first.py").write_text("import sys\nprint({'grpc', 'pydantic', 'requests'} - {*sys.modules})\nimport made\n")
    (folder / "made.py").write_text("import pulumi\npulumi.made = 1\nprint(hasattr(pulumi, 'before'))\npulumi.before = 1\n")

    runs = [run(warm, folder, "first.py") for _ in range(2)]

    assert runs == [(0, "set()\nFalse\n", "")] * 2


def test_what_it_cannot_do_fails_and_says_so(warm: Path, folder: Path) -> None:
    for python, arguments, environment in (
        (warm, ["probe.py"], {"PYTHONPATH": str(folder)}),
        (warm, ["probe.py"], {"LANG": "en_US.ISO-8859-1"}),
        (warm, ["-c", "pass"], {}),
    ):
        code, output, errors = run(python, folder, *arguments, **environment)
        assert (code, output) == (1, "")
        assert "take a cold stack" in errors


def test_without_its_server_it_fails(folder: Path) -> None:
    launcher = Path(__file__).parent / "warm" / "launcher.py"

    code, output, errors = run(COLD, folder, "-IES", str(launcher), str(folder / "socket"), "probe.py")

    assert (code, output) == (1, "")
    assert "FileNotFoundError" in errors
