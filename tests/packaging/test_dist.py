"""What `make dist` installs is locked and no more than is needed, and it recognises what must not be published."""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.loading import load

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def dist() -> ModuleType:
    return load(ROOT / ".ci" / "dist.py")


def test_what_is_installed_with_the_wheel_is_locked_and_only_what_it_needs(dist: ModuleType) -> None:
    blocks = re.split(r"^(?=\w)", dist.locked(dist.closure(["sandbox"])), flags=re.MULTILINE)[1:]
    names = {block.partition("==")[0] for block in blocks}

    assert {"pulumi", "requests", "pydantic", "keystoneauth1", "tenacity", "starlette", "uvicorn"} <= names
    assert names.isdisjoint({"pytest", "mypy", "openstacksdk", "huaweicloudsdkcore", "rich"})
    assert all("--hash=sha256:" in block for block in blocks)


@pytest.mark.parametrize(
    "name", ["clouds.yaml", "tests/secure.yml", ".env", "examples/yaml/Pulumi.dev.yaml", "a/server.pem", "id_rsa"]
)
def test_a_private_file_is_recognised(dist: ModuleType, name: str) -> None:
    assert dist.PRIVATE_NAMES.search(name)


@pytest.mark.parametrize("name", ["examples/yaml/Pulumi.yaml", "tests/settings/test_clouds.py", "a/id_of_job.py", "docs/keys.md"])
def test_another_file_is_not_taken_for_one(dist: ModuleType, name: str) -> None:
    assert not dist.PRIVATE_NAMES.search(name)


def test_a_private_key_in_a_distribution_is_refused(dist: ModuleType, tmp_path: Path) -> None:
    package = {"pulumi_drs_start/py.typed": b"", "pulumi_drs_start/pulumi-plugin.json": b"{}"}
    licence = {"pulumi_drs_start-1.dist-info/licenses/LICENSE": b"Apache"}
    text = b"-----BEGIN RSA " + b"PRIVATE KEY-----"
    source = {
        **package,
        "LICENSE": b"",
        "README.md": b"",
        "CHANGELOG.md": b"",
        "Makefile": b"",
        ".ci/run": b"",
        "notes.txt": text,
    }
    wheel, sdist = tmp_path / "one.whl", tmp_path / "one.tar.gz"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in {**package, **licence}.items():
            archive.writestr(name, content)
    with tarfile.open(sdist, "w:gz") as packed:
        for name, content in source.items():
            member = tarfile.TarInfo(f"pulumi_drs_start-1/{name}")
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))

    with pytest.raises(dist.DistError, match=r"nothing private is in the source distribution: \['notes.txt'\]"):
        dist.check_content("1", sdist, wheel)
