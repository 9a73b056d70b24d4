"""`examples/templates`: `pulumi new` asks for region, project and jobs, and what it makes runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import pulumi_drs_start
from pulumi_drs_start.native.schema import FILE
from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id
from tests.e2e.native.libraries import make_library

from .conftest import EXAMPLES, ROOT, Project, run_through

TEMPLATES = EXAMPLES / "templates"
NAMES = sorted(path.parent.name for path in TEMPLATES.glob("*/Pulumi.yaml"))
PLUGIN = Path(sys.executable).with_name("pulumi-resource-drs")
ASKED = {"drs:region", "drs:projectId", "jobs"}

_LOUDLY = "WARNING: NOTHING IN TYPESCRIPT WAS RUN, as there is no Node.js with npm"
needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason=_LOUDLY)


@pytest.fixture(scope="session")
def wheel(made_once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    def fill(folder: Path) -> None:
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    (path,) = made_once("wheel-of-templates", fill).glob("*.whl")
    return path


def empty_wheel(folder: Path, name: str) -> None:
    """A wheel with nothing in it, for what the language host wants to renew and no program needs."""
    info = f"{name}-0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


class Templates:
    """Makes projects as a user does. The jobs they name are in the sandbox."""

    def __init__(self, project: Project, sandbox: Sandbox) -> None:
        self.project = project
        self.sandbox = sandbox
        self.job_ids = [make_job_id(f"template-{index}") for index in range(6)]
        sandbox.add_jobs(*map(make_job, self.job_ids))
        # The answers have to reach the program, and nothing else may.
        for name in ("OS_REGION_NAME", "OS_PROJECT_ID"):
            project.environment.pop(name, None)
        project.environment.update(npm_config_prefer_offline="true", npm_config_audit="false", npm_config_fund="false")

    def new(self, name: str, comma: str = ", ") -> str:
        asked = {"drs:region": "eu-de", "drs:projectId": self.sandbox.project_id, "jobs": comma.join(self.job_ids)}
        answers = [part for key, value in asked.items() for part in ("-c", f"{key}={value}")]
        command = ["pulumi", "new", str(TEMPLATES / name), "--yes", "--name", f"my-{name}", "--stack", "dev", *answers]
        # It has npm or pip install things, which may take long.
        ended = self.project.run(*command, "--non-interactive", "--color=never", seconds=400)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def install_plugin(self) -> None:
        """As the README does it."""
        command = r"^pulumi plugin install resource drs (\S+) --file"
        (version,) = set(re.findall(command, (TEMPLATES / "README.md").read_text(encoding="utf-8"), re.M))
        assert version == pulumi_drs_start.__version__
        self.project.pulumi("plugin", "install", "resource", "drs", version, "--file", str(PLUGIN))


@pytest.fixture
def templates(make_project: Callable[[Path], Project], sandbox: Sandbox, tmp_path: Path) -> Templates:
    folder = tmp_path / "project"
    folder.mkdir()
    return Templates(make_project(folder), sandbox)


def project_of(name: str) -> dict[str, Any]:
    project: dict[str, Any] = yaml.safe_load((TEMPLATES / name / "Pulumi.yaml").read_text(encoding="utf-8"))
    return project


@pytest.mark.parametrize("name", NAMES)
def test_it_asks_for_region_project_and_jobs(name: str) -> None:
    template = project_of(name)["template"]

    assert template["config"].keys() == ASKED
    assert all(question["description"] for question in template["config"].values())
    assert template["description"] == project_of(NAMES[0])["template"]["description"]


@pytest.mark.parametrize("name", NAMES)
def test_its_readme_names_the_plugin_of_this_version(name: str) -> None:
    readme = (TEMPLATES / name / "README.md").read_text(encoding="utf-8")

    assert set(re.findall(r"resource drs (\S+)", readme)) <= {pulumi_drs_start.__version__}


@pytest.mark.engine
@pytest.mark.cold
def test_a_project_in_python_installs_the_package_and_runs(templates: Templates, wheel: Path, tmp_path: Path) -> None:
    for name in ("setuptools", "wheel"):
        empty_wheel(tmp_path, name)
    # Nothing is downloaded: what the package needs is taken from the environment of the tests, below.
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_NO_DEPS": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    templates.project.environment.update(offline, DRS_PACKAGE=str(wheel))

    said = templates.new("python")

    assert "Your new project is ready to go!" in said
    assert "export OS_USER_DOMAIN_NAME=" in said
    environment = templates.project.folder / ".venv"
    if not environment.exists():
        # Older language hosts overlook where the virtual environment shall be, and make it of the folder itself.
        assert "\nln -s . .venv && . .venv/bin/activate\n" in (TEMPLATES / "README.md").read_text(encoding="utf-8")
        environment.symlink_to(templates.project.folder)
        path = templates.project.environment["PATH"]
        templates.project.environment.update(PATH=f"{environment / 'bin'}{os.pathsep}{path}", VIRTUAL_ENV=str(environment))
    (packages,) = environment.glob("lib/*/site-packages")
    assert (packages / "pulumi_drs_start" / "resource.py").exists()
    (packages / "needed.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n", encoding="utf-8")
    run_through(templates.project, templates.sandbox)


@pytest.mark.engine
def test_without_a_place_of_the_package_nothing_is_installed(templates: Templates, tmp_path: Path) -> None:
    for name in ("setuptools", "wheel"):
        empty_wheel(tmp_path, name)
    templates.project.environment.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path), PIP_DISABLE_PIP_VERSION_CHECK="1")

    refused = templates.project.refused("new", str(TEMPLATES / "python"), "--yes", "--name", "my-jobs", "--stack", "dev")

    assert "${DRS_PACKAGE}" in refused


@pytest.mark.engine
def test_a_project_in_yaml_runs_once_the_plugin_is_installed(templates: Templates) -> None:
    templates.install_plugin()

    said = templates.new("yaml", comma=",")

    assert "Your new project is ready to go!" in said
    run_through(templates.project, templates.sandbox)


@pytest.mark.engine
@needs_npm
def test_a_project_in_typescript_runs_once_its_library_is_made(templates: Templates, engine: str) -> None:
    project = templates.project
    templates.install_plugin()
    assert "Your new project is ready to go!" in templates.new("typescript")

    schema = json.loads(project.pulumi("package", "get-schema", "drs"))
    assert schema["resources"].keys() == json.loads(FILE.read_text(encoding="utf-8"))["resources"].keys()
    make_library(engine, "nodejs", project.folder / "sdks", project.environment)
    installed = project.run("npm", "install", "./sdks/nodejs", seconds=400)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    assert project.run("npx", "tsc").stdout == ""
    run_through(project, templates.sandbox)
