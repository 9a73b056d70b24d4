"""The forge runs the verbs of the Makefile on every Python that the package declares, and what checks that finds mistakes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from .test_lock import PYTHONS

ROOT = Path(__file__).parents[2]
CHECK = ROOT / ".ci" / "workflows.py"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
VERBS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))


def jobs(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return found


def commands(path: Path) -> list[str]:
    return [step["run"] for job in jobs(path).values() for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_command_is_a_verb_or_the_one_of_ci(path: Path) -> None:
    assert commands(path)
    for command in commands(path):
        verb = re.match(r"make ([a-z-]+)", command)
        assert command == ".ci/run" or (verb and verb[1] in VERBS), command


def test_every_declared_python_is_tried() -> None:
    (path,) = WORKFLOWS

    assert set(PYTHONS) < set(jobs(path)["pythons"]["strategy"]["matrix"]["python"])


def run_check(root: Path, path: str) -> subprocess.CompletedProcess[str]:
    (root / ".ci").mkdir()
    shutil.copytree(ROOT / ".ci" / "actionlint", root / ".ci" / "actionlint")
    shutil.copy(CHECK, root / ".ci")
    environment = {**os.environ, "PATH": path}
    command = [sys.executable, root / ".ci" / CHECK.name]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


def test_without_go_it_is_said_that_nothing_was_checked(tmp_path: Path) -> None:
    ended = run_check(tmp_path, str(tmp_path))

    assert ended.returncode == 0
    assert "WARNING: the workflow files were NOT checked: there is no go on PATH" in ended.stderr


@pytest.mark.skipif(shutil.which("go") is None, reason="WARNING: THE CHECK OF WORKFLOWS WAS NOT TRIED, as there is no go on PATH")
def test_a_mistake_in_a_workflow_is_found(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    text = WORKFLOWS[0].read_text(encoding="utf-8")
    (folder / "ci.yml").write_text(text.replace("runs-on: ubuntu-latest", "runs-on: ubuntu-lates", 1), encoding="utf-8")

    ended = run_check(tmp_path, os.environ["PATH"])

    if "NOT checked" in ended.stderr:
        pytest.skip(ended.stderr.strip())
    assert ended.returncode == 1
    assert 'label "ubuntu-lates" is unknown' in ended.stdout
