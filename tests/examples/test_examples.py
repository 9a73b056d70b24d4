"""Every folder of `examples/` is a project that a user can copy and run. What each does is shown by a test file of its own."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import EXAMPLES

# What `pulumi new` makes projects from has tests of its own.
TEMPLATES = "templates"
NAMES = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir() and not path.name.startswith(("_", ".", TEMPLATES)))
# A script in place of a project.
SCRIPTS = {"alarm": "alarm.py", "automation-api": "start.py"}
# Of most examples the folder itself, of some several folders in it.
PROJECTS = sorted(
    str(folder)
    for path in EXAMPLES.glob("**/Pulumi.yaml")
    if TEMPLATES not in (folder := path.parent.relative_to(EXAMPLES)).parts
)
PROGRAMS = {"python": "__main__.py", "nodejs": "index.ts", "yaml": "Pulumi.yaml"}
# What a program in Python or TypeScript reads, and one in YAML declares.
READ = re.compile(r'(?:config\.(?:require|get)\w*(?:<[^>]*>)?\("|^config:\n  )(\w+)', re.M)


def read_project(name: str) -> dict[str, Any]:
    project: dict[str, Any] = yaml.safe_load((EXAMPLES / name / "Pulumi.yaml").read_text(encoding="utf-8"))
    return project


def program_of(name: str) -> Path:
    return EXAMPLES / name / PROGRAMS[read_project(name)["runtime"]]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_run_by_a_test(name: str) -> None:
    tests = Path(__file__).with_name(f"test_{name.replace('-', '_')}.py")

    assert tests.exists(), f"examples/{name} needs tests in {tests.name}"
    assert f'make_example("{name}")' in tests.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_an_example_has_all_that_a_project_needs(name: str) -> None:
    files = {path.name for path in (EXAMPLES / name).iterdir()}

    assert {"README.md", "requirements.txt"} <= files
    assert {SCRIPTS[name]} <= files if name in SCRIPTS else any(Path(project).parts[0] == name for project in PROJECTS)


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_has_a_program(name: str) -> None:
    assert program_of(name).exists()


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_is_called_as_its_folder(name: str) -> None:
    project = read_project(name)

    assert project["name"] == f"drs-{name.replace('/', '-')}"
    assert project["description"]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SCRIPTS])
def test_the_readme_sets_all_the_configuration_that_the_programs_read(name: str) -> None:
    folder = EXAMPLES / name
    programs = (program_of(project) for project in PROJECTS if Path(project).parts[0] == name)
    read = READ.findall("".join(program.read_text(encoding="utf-8") for program in programs))
    told = re.findall(
        r"^pulumi (?:-C \w+ )?config set (?:--path )?'?(\w+)", (folder / "README.md").read_text(encoding="utf-8"), re.M
    )

    assert set(told) == set(read)


def test_links_between_readmes_lead_somewhere() -> None:
    for readme in EXAMPLES.glob("*/README.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", readme.read_text(encoding="utf-8")):
            assert (readme.parent / target).exists(), f"{readme.parent.name}: {target}"


def test_scripts_can_be_run() -> None:
    scripts = list(EXAMPLES.glob("*/*.sh"))

    assert scripts
    assert [path for path in scripts if not path.stat().st_mode & stat.S_IXUSR] == []


def test_locks_name_no_host_to_download_from() -> None:
    locks = [path.read_text(encoding="utf-8") for path in EXAMPLES.glob("*/package-lock.json")]

    assert locks
    assert [line for lock in locks for line in lock.splitlines() if '"resolved": "http' in line] == []
