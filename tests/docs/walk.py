"""
Goes through a page as a reader does: writes its programs, types its commands, and compares what they print.

`sh` is typed into a shell, which keeps what it exports. `text` and `json` are what the command before prints; a line that begins
with `error:` says that it fails. `python` is the project's program, with the imports in front where a page leaves them out; it is
previewed if no command of the page runs it. `yaml` is the project's `Pulumi.yaml`. A comment `test:` is Python for the test.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pulumi_drs_start
from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id
from pulumi_drs_start.settings.keys import KEYS
from tests.examples.conftest import Project, link_plugin

from .pages import TEST, Block, blocks, texts

HEAD = f"import pulumi\nfrom pulumi_drs_start import {', '.join(pulumi_drs_start.__all__)}\n"
INSTALLS = ("python3 -m venv ", ". .venv/bin/activate", "pip install ", ".venv/bin/pip install ", "cd ")
"""Beginnings of lines that are not typed: `tests/packaging` installs the package."""
SERVE = "python -m pulumi_drs_start.sandbox"
PORT = "8018"
LOGIN = {name for key in KEYS.values() for name in (*key.environment, *key.older)}

# Answers what a person is asked, and prints nothing that moves.
_PULUMI = """#!/bin/sh
[ "$1" = -C ] && verb=$3 || verb=$1
case $verb in
up | destroy | refresh) more="--yes --skip-preview" ;;
import | state) more=--yes ;;
esac
exec {pulumi} "$@" $more --non-interactive --color=never
"""


def alike(text: str) -> str:
    """A text without what differs from run to run: durations, blanks."""
    return re.sub(r"\b\d+(\.\d+)? ?m?s\b", "0s", " ".join(text.split()))


@dataclass
class Walk:
    """A reader's terminal."""

    project: Project
    sandbox: Sandbox
    said: str = ""
    is_untried: bool = False
    given: str = ""
    port: str = field(default_factory=lambda: _free_port())
    served: subprocess.Popen[str] | None = None

    def go(self, some: Sequence[Block]) -> None:
        """Do what these blocks of the page say."""
        for block, following in zip(some, [*some[1:], Block("", "")], strict=True):
            self.step(block, following)
        self._try()

    def step(self, block: Block, following: Block) -> None:
        text = block.text.replace(PORT, self.port)
        if block.language == TEST:
            exec(text, {"sandbox": self.sandbox, "walk": self, "make_job": make_job, "make_job_id": make_job_id})  # noqa: S102
        elif block.language == "sh":
            is_to_fail = following.language == "text" and re.search(r"^\s*error:", following.text, re.MULTILINE) is not None
            self.type(text, is_to_fail=is_to_fail)
        elif block.language == "text":
            self.compare(text)
        elif block.language == "json":
            assert json.loads(self.said) == json.loads(text)
        elif block.language == "python":
            self._try()
            program = text if "from pulumi_drs_start import" in text else HEAD + self.given + text
            self._write("__main__.py", program)
            self.is_untried = True
        elif block.language == "yaml":
            self._try()
            self._write("Pulumi.yaml", text)
            if "runtime: yaml" in text:
                link_plugin(self.project.folder)
            self.is_untried = "runtime: yaml" in text
        elif block.language == "typescript":
            assert block.text in texts("guides/other-languages.md", "typescript"), "only that one is compiled"
        else:
            raise AssertionError(f"nobody knows what to do with {block.language!r}: {block.text}")

    def type(self, text: str, *, is_to_fail: bool = False) -> None:
        """Type commands into the shell."""
        lines = [line for line in text.splitlines() if not line.startswith(INSTALLS)]
        for line in lines:
            if "…" in line:
                # To be filled in by the reader; here the sandbox's own values are in the environment.
                names = [part.partition("=")[0] for part in shlex.split(line.removeprefix("export "))]
                assert set(names) <= LOGIN, line
            elif line.startswith(SERVE):
                self._serve(line)
        typed = "\n".join(line for line in lines if "…" not in line and not line.startswith(SERVE))
        if not typed.strip():
            return
        self.is_untried &= "pulumi " not in typed
        kept = self.project.folder.parent / "environment"
        ended = self.project.run("sh", "-ec", f"{typed}\nenv -0 > {shlex.quote(str(kept))}")
        self.said = ended.stdout + ended.stderr
        assert (ended.returncode != 0) == is_to_fail, f"{typed}\n{self.said}"
        if not is_to_fail:
            pairs = [pair.partition("=") for pair in kept.read_text(encoding="utf-8").split("\0") if pair]
            self.project.environment = {name: value for name, _, value in pairs if name not in ("PWD", "OLDPWD", "SHLVL", "_")}

    def compare(self, text: str) -> None:
        """See that every line was printed."""
        said = alike(self.said)
        missing = [line for line in text.splitlines() if line.strip() != "…" and alike(line) not in said]
        assert missing == [], f"{missing}\nnot in\n{self.said}"

    def _write(self, name: str, text: str) -> None:
        (self.project.folder / name).write_text(text, encoding="utf-8")

    def _try(self) -> None:
        """Preview a program that no command has run."""
        if self.is_untried:
            self.type("pulumi stack select --create test\npulumi preview")

    def _serve(self, line: str) -> None:
        """Start a sandbox as the page does, in place of the test's own."""
        self.end()
        ready, log = self.project.folder.parent / "ready", self.project.folder.parent / "sandbox.log"
        ready.unlink(missing_ok=True)
        command = [sys.executable, *shlex.split(line)[1:], "--ready-file", str(ready)]
        with log.open("w", encoding="utf-8") as output:
            self.served = subprocess.Popen(command, stdout=output, stderr=output, text=True)
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert self.served.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self.said = log.read_text(encoding="utf-8")
        self.project.environment |= dict(re.findall(r"^export (\w+)=(.*)$", self.said, re.MULTILINE))

    def end(self) -> None:
        if self.served is not None:
            self.served.terminate()
            self.served.wait(timeout=20)
            self.served = None


@contextmanager
def walking(project: Project, sandbox: Sandbox) -> Iterator[Walk]:
    """A terminal in the folder of a project, to go through a page with."""
    bin_folder = project.folder.parent / "bin"
    bin_folder.mkdir()
    real = shutil.which("pulumi", path=project.environment["PATH"])
    (bin_folder / "pulumi").write_text(_PULUMI.format(pulumi=shlex.quote(str(real))), encoding="utf-8")
    (bin_folder / "pulumi").chmod(0o755)
    project.environment["PATH"] = f"{bin_folder}{os.pathsep}{project.environment['PATH']}"
    walk = Walk(project, sandbox)
    try:
        yield walk
    finally:
        walk.end()


def _free_port() -> str:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return str(listening.getsockname()[1])


def folder_for(page: str, parent: Path) -> Path:
    """A folder for the page's project: empty where the page makes it, else with one in Python."""
    folder = parent / "project"
    folder.mkdir()
    if not any("pulumi stack init" in block.text for block in blocks(page, "sh")):
        (folder / "Pulumi.yaml").write_text("name: jobs\nruntime: python\n", encoding="utf-8")
    return folder
