"""The source distribution has all that a checkout has, so that whoever packages it can run the tests on what they package."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

import pulumi_drs_start

ROOT = Path(__file__).parents[2]
# Tests that read files of every folder, and are quick.
READERS = [
    "tests/bench",
    "tests/docs/test_pages.py",
    "tests/docs/test_reference.py",
    "tests/examples",
    "tests/packaging/test_installing.py",
    "tests/packaging/test_lock.py",
]


@pytest.fixture(scope="session")
def unpacked(made_once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    def fill(folder: Path) -> None:
        command = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", str(folder), str(ROOT)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (path,) = folder.glob("*.tar.gz")
        with tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")

    return made_once("sdist", fill) / f"pulumi_drs_start-{pulumi_drs_start.__version__}"


def pytest_in(folder: Path, *arguments: str) -> str:
    """What a pytest prints that succeeds in a folder, without what this one has put into the environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr
    return ended.stdout


def test_every_file_that_git_has_is_in_it(unpacked: Path) -> None:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode:
        pytest.skip("this is no git checkout")
    files = [name for name in listing.stdout.split("\0") if name and (ROOT / name).exists()]

    assert "README.md" in files
    assert [name for name in files if not (unpacked / name).exists()] == []


def test_its_tests_are_all_found(unpacked: Path) -> None:
    assert "tests/reconcile/test_observe.py::" in pytest_in(unpacked, "--collect-only")


def test_its_tests_find_the_files_that_they_read(unpacked: Path) -> None:
    assert " passed" in pytest_in(unpacked, "-m", "not engine", *READERS)
