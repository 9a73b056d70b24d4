"""The wheel that users install: everything in it that Pulumi and type checkers look for, and nothing of ours."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

import pytest

import pulumi_drs_start

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as opened:
        yield opened


def test_pulumi_is_told_that_there_is_no_plugin_to_download(wheel: zipfile.ZipFile) -> None:
    assert json.loads(wheel.read("pulumi_drs_start/pulumi-plugin.json")) == {"resource": False}


def test_type_checkers_are_told_that_the_package_is_typed(wheel: zipfile.ZipFile) -> None:
    assert "pulumi_drs_start/py.typed" in wheel.namelist()


def test_only_the_package_is_installed(wheel: zipfile.ZipFile) -> None:
    version = pulumi_drs_start.__version__
    assert {name.split("/")[0] for name in wheel.namelist()} == {
        "pulumi_drs_start",
        f"pulumi_drs_start-{version}.dist-info",
    }


def test_every_module_of_the_package_is_in_it(wheel: zipfile.ZipFile) -> None:
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "pulumi_drs_start").rglob("*.py")}

    assert modules <= set(wheel.namelist())


def test_the_page_of_the_sandbox_is_in_it(wheel: zipfile.ZipFile) -> None:
    folder = "pulumi_drs_start/sandbox/page"
    assert {f"{folder}/page.html", f"{folder}/page.css", f"{folder}/page.js"} <= set(wheel.namelist())


def test_the_metadata_names_version_licence_and_needs(wheel: zipfile.ZipFile) -> None:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(wheel.read(name).decode())

    assert metadata["Version"] == pulumi_drs_start.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    needs = [need for need in metadata.get_all("Requires-Dist", []) if "extra ==" not in need]
    assert {need.split(">")[0].split("<")[0] for need in needs} == {
        "grpcio",
        "protobuf",
        "keystoneauth1",
        "pulumi",
        "pydantic",
        "requests",
        "tenacity",
        "urllib3",
    }
    assert any(name.endswith("/licenses/LICENSE") for name in wheel.namelist())


def test_the_plugin_is_a_command_and_its_schema_a_file(wheel: zipfile.ZipFile) -> None:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt"))

    assert "pulumi-resource-drs = pulumi_drs_start.native.serve:main" in wheel.read(name).decode()
    assert "pulumi_drs_start/native/schema.json" in wheel.namelist()


def test_the_readme_is_the_description(wheel: zipfile.ZipFile) -> None:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(wheel.read(name).decode())

    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload().strip() == (ROOT / "README.md").read_text(encoding="utf-8").strip()


@pytest.mark.parametrize("module", ["pulumi_drs_start.sandbox", "pulumi_drs_start.reconcile.converge", "pulumi_drs_start"])
def test_only_the_pulumi_side_loads_pulumi(module: str) -> None:
    code = f"import sys, {module}; sys.exit('pulumi' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_provider_is_pickled_as_a_short_and_lasting_reference() -> None:
    code = (
        "import base64, dill\n"
        "from pulumi.dynamic.dynamic import serialize_provider\n"
        "from pulumi_drs_start.provider import JobBatchStartProvider\n"
        "pickled = base64.b64decode(serialize_provider(JobBatchStartProvider()))\n"
        "assert b'pulumi_drs_start.provider' in pickled and b'JobBatchStartProvider' in pickled, pickled\n"
        "assert len(pickled) < 120, len(pickled)\n"
    )

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
