"""The locked development environment: `make lock` was run after pyproject.toml changed, and what it wrote works anywhere."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / ".ci" / "lock"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PYTHONS = [text.rpartition(" ")[2] for text in PYPROJECT["project"]["classifiers"] if re.search(r":: 3\.\d+$", text)]
STALE = "run `make lock`: pyproject.toml and the lock differ"

PROJECT = PYPROJECT["project"]
# What belongs to a lock beside the dependency group of its name.
BESIDE = {
    "dev": [
        *PYPROJECT["build-system"]["requires"],  # the group has to name these too
        *PROJECT["dependencies"],
        *(text for extra in PROJECT["optional-dependencies"].values() for text in extra),
    ],
    "bench": [],
}


def of_group(name: str) -> Iterator[str]:
    """The requirements of a dependency group and of those it includes."""
    for entry in PYPROJECT["dependency-groups"][name]:
        if isinstance(entry, str):
            yield entry
        else:
            yield from of_group(entry["include-group"])


def wanted(lock: str) -> list[Requirement]:
    return [Requirement(text) for text in sorted({*BESIDE[lock], *of_group(lock)})]


def is_for(requirement: Requirement, environment: dict[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**default_environment(), **environment})


def blocks(lock: str) -> list[str]:
    """The text of each pin of a lock: the requirement, its hashes, and why it is there."""
    lines = (LOCKS / f"{lock}.txt").read_text(encoding="utf-8").partition("\n")[2]
    return [block for block in re.split(r"^(?=\w)", lines, flags=re.M) if not block.startswith("#")]


def on(python: str) -> dict[str, str]:
    return {"python_version": python, "python_full_version": f"{python}.9"}


def pins(lock: str, environment: dict[str, str]) -> dict[str, str]:
    """Name and version of what is installed in an environment."""
    found: dict[str, str] = {}
    for block in blocks(lock):
        pin = Requirement(block.partition("\\")[0])
        if is_for(pin, environment):
            (version,) = pin.specifier
            assert version.operator == "=="
            assert canonicalize_name(pin.name) not in found, f"{pin.name} is locked twice for {environment}"
            found[canonicalize_name(pin.name)] = version.version
    return found


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", BESIDE)
def test_every_requirement_is_locked_in_a_version_that_meets_it(lock: str, python: str) -> None:
    environment = on(python)
    locked = pins(lock, environment)

    for need in wanted(lock):
        if is_for(need, environment):
            version = locked.get(canonicalize_name(need.name))
            assert version is not None, f"{STALE}: {need}"
            assert need.specifier.contains(version), f"{STALE}: {need}"


@pytest.mark.parametrize("lock", BESIDE)
def test_nothing_is_locked_that_no_requirement_brings(lock: str) -> None:
    direct = {
        canonicalize_name(Requirement(block.partition("\\")[0]).name) for block in blocks(lock) if "(pyproject.toml" in block
    }

    assert direct == {canonicalize_name(need.name) for need in wanted(lock)}, STALE


def test_both_locks_hold_the_same_versions() -> None:
    """`make bench` installs the second over the first."""
    for python in PYTHONS:
        dev, bench = pins("dev", on(python)), pins("bench", on(python))
        assert {name: dev[name] for name in dev.keys() & bench.keys()} == {
            name: bench[name] for name in dev.keys() & bench.keys()
        }


@pytest.mark.parametrize("lock", BESIDE)
def test_every_package_is_locked_by_its_contents_and_not_by_a_place(lock: str) -> None:
    assert blocks(lock)
    for block in blocks(lock):
        assert "--hash=sha256:" in block, block
        assert not re.search(r"://|@|^\s*--(?!hash)|[=\s]/", block, re.M), block
