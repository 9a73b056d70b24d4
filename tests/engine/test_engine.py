"""
What `.ci/engine.py` takes for an engine, and what it leaves behind.

The script runs as its users run it, with a PATH of fakes: nothing is downloaded or compiled here. The fake go
understands the few calls that the script makes, and builds a `pulumi` that knows its version.
"""

import hashlib
import os
import platform
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / ".ci" / "engine.py"
SCRIPTS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
BUILT = ("pulumi", "pulumi-gen-sdk", "pulumi-language-python", "pulumi-language-yaml", "pulumi-language-nodejs")
COMMANDS = (*BUILT, "pulumi-language-python-exec", "pulumi-resource-pulumi-python")
MORE_THAN_ANY_DISK = "--needed-gb=1e9"

FAKE_GO = """
import os, pathlib, sys, time

here = pathlib.Path(__file__).parent
with (here / "calls").open("a") as calls:
    print(sys.argv[1], file=calls)
if sys.argv[1] == "version":
    print(f"go version go{os.environ.get('FAKE_GO_VERSION', '1.26.1')} linux/amd64")
elif os.environ.get("FAKE_GO_FAILS"):
    sys.exit("dial tcp: no such host")
elif sys.argv[1:3] == ["list", "-m"]:
    print(here / "sdk")
elif sys.argv[1] == "build":
    time.sleep(float(os.environ.get("FAKE_GO_SECONDS", "0")))
    built = pathlib.Path(sys.argv[sys.argv.index("-o") + 1], sys.argv[-1].rpartition("/")[2])
    built.write_text((here / "built").read_text())
    built.chmod(0o755)
"""


def pinned(module: str, package: str) -> str:
    """The version of a package that one of the committed modules asks for."""
    text = (ROOT / ".ci" / "engine" / module / "go.mod").read_text()
    found = re.search(rf"{re.escape(package)} (v\S+)", text)
    assert found
    return found[1]


ENGINE_VERSION = pinned("cli", "github.com/pulumi/pulumi/pkg/v3")
VERSIONS = (
    ENGINE_VERSION,
    ENGINE_VERSION,
    pinned("language-host", "github.com/pulumi/pulumi/sdk/v3"),
    pinned("yaml-host", "github.com/pulumi/pulumi-yaml"),
    pinned("nodejs-host", "github.com/pulumi/pulumi/sdk/v3"),
)
STAMP = "".join(f"{command} {version}\n" for command, version in zip(BUILT, VERSIONS, strict=True))


def write_command(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def fake_pulumi(version: str = ENGINE_VERSION) -> str:
    return f"#!/bin/sh\necho {version}\n"


class Machine:
    """A bare machine: an empty PATH, an empty cache, and what a test puts there."""

    def __init__(self, root: Path) -> None:
        self.path = root / "bin"
        self.path.mkdir()
        self.cache = root / "cache" / "pulumi-drs-start"
        processor = platform.machine().lower()
        processor = {"x86_64": "amd64", "aarch64": "arm64"}.get(processor, processor)
        versions = hashlib.sha256(STAMP.encode()).hexdigest()[:8]
        name = f"engine-{ENGINE_VERSION.removeprefix('v')}-{versions}-{platform.system().lower()}-{processor}"
        self.engine = self.cache / name
        self.env = {"PATH": str(self.path), "HOME": str(root), "XDG_CACHE_HOME": str(root / "cache")}

    def install(self, *commands: str) -> None:
        for command in commands:
            write_command(self.path / command, fake_pulumi())

    def install_go(self) -> None:
        write_command(self.path / "go", f"#!{sys.executable}\n{FAKE_GO}")
        (self.path / "built").write_text(fake_pulumi())
        for script in SCRIPTS:
            (self.path / "sdk" / script).parent.mkdir(parents=True)
            (self.path / "sdk" / script).write_text("#!/bin/sh\n")

    def add_build(self) -> None:
        for command in COMMANDS:
            write_command(self.engine / command, fake_pulumi())
        (self.engine / "complete").write_text(STAMP)

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, SCRIPT, *arguments],
            env=self.env | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        with self.start(*arguments, **settings) as process:
            output, errors = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def go_calls(self) -> list[str]:
        calls = self.path / "calls"
        return calls.read_text().split() if calls.exists() else []

    def wait_for_go(self, call: str) -> None:
        deadline = time.monotonic() + 30
        while call not in self.go_calls():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def temporary_folders(self) -> list[Path]:
        return list(self.cache.glob("*.building-*"))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_pulumi_on_path_is_preferred_to_a_build(machine: Machine) -> None:
    machine.install("pulumi", "pulumi-language-python")
    machine.add_build()

    assert machine.run().stdout == f"{machine.path}\n"


def test_language_host_may_be_beside_the_file_that_pulumi_links_to(machine: Machine, tmp_path: Path) -> None:
    for command in ("pulumi", "pulumi-language-python"):
        write_command(tmp_path / "opt" / command, fake_pulumi())
    (machine.path / "pulumi").symlink_to(tmp_path / "opt" / "pulumi")

    assert machine.run(MORE_THAN_ANY_DISK).stdout == f"{machine.path}\n"


def test_pulumi_without_language_host_is_not_enough(machine: Machine) -> None:
    machine.install("pulumi")
    machine.add_build()

    assert machine.run().stdout == f"{machine.engine}\n"


def test_complete_build_is_used(machine: Machine) -> None:
    machine.add_build()

    assert machine.run(MORE_THAN_ANY_DISK).stdout == f"{machine.engine}\n"


def test_complete_build_is_used_without_a_word(machine: Machine) -> None:
    machine.add_build()

    assert machine.run().stderr == ""


@pytest.mark.parametrize(("arguments", "settings"), [(["--build"], {}), ([], {"DRS_ENGINE": "build"})])
def test_build_can_be_asked_for_in_spite_of_pulumi_on_path(
    machine: Machine, arguments: list[str], settings: dict[str, str]
) -> None:
    machine.install("pulumi", "pulumi-language-python")
    machine.add_build()

    assert machine.run(*arguments, **settings).stdout == f"{machine.engine}\n"


def without_stamp(engine: Path) -> None:
    (engine / "complete").unlink()


def with_stamp_of_other_versions(engine: Path) -> None:
    (engine / "complete").write_text("pulumi v3.1.0, language host v3.1.0\n")


def without_script(engine: Path) -> None:
    (engine / "pulumi-language-python-exec").unlink()


def without_permission(engine: Path) -> None:
    (engine / "pulumi-language-python").chmod(0o644)


def with_other_pulumi(engine: Path) -> None:
    write_command(engine / "pulumi", fake_pulumi("v3.1.0"))


@pytest.mark.parametrize(
    "damage",
    [without_stamp, with_stamp_of_other_versions, without_script, without_permission, with_other_pulumi],
    ids=lambda damage: damage.__name__,
)
def test_incomplete_build_is_not_used(machine: Machine, damage: Callable[[Path], None]) -> None:
    machine.add_build()
    damage(machine.engine)

    assert machine.run(MORE_THAN_ANY_DISK).returncode == 1


def test_incomplete_build_is_replaced(machine: Machine) -> None:
    machine.install_go()
    machine.add_build()
    without_stamp(machine.engine)
    (machine.engine / "left-over").touch()

    machine.run()

    assert {path.name for path in machine.engine.iterdir()} == {*COMMANDS, "complete"}


def test_build_prints_one_line_on_stdout(machine: Machine) -> None:
    machine.install_go()

    assert machine.run().stdout == f"{machine.engine}\n"


def test_build_leaves_only_the_engine_and_the_lock(machine: Machine) -> None:
    machine.install_go()

    machine.run()

    assert {path.name for path in machine.cache.iterdir()} == {machine.engine.name, "build.lock"}


def test_build_is_found_by_the_next_run(machine: Machine) -> None:
    machine.install_go()
    machine.run()
    calls = machine.go_calls()

    machine.run()

    assert machine.go_calls() == calls


def test_cache_folder_can_be_named(machine: Machine, tmp_path: Path) -> None:
    machine.install_go()

    assert Path(machine.run("--cache-dir", str(tmp_path / "other")).stdout).parent == tmp_path / "other"


def test_callers_at_the_same_time_build_once(machine: Machine) -> None:
    machine.install_go()

    with machine.start(FAKE_GO_SECONDS="0.3") as one, machine.start(FAKE_GO_SECONDS="0.3") as other:
        folders = {one.communicate()[0], other.communicate()[0]}

    assert folders == {f"{machine.engine}\n"}
    assert machine.go_calls().count("build") == len(BUILT)


def test_wrong_result_of_a_build_is_not_used(machine: Machine) -> None:
    machine.install_go()
    (machine.path / "built").write_text(fake_pulumi("v3.1.0"))

    assert machine.run().returncode == 1
    assert not machine.engine.exists()


def test_small_disk_is_refused_with_the_number(machine: Machine) -> None:
    machine.install_go()

    refused = machine.run("--needed-gb=5000000")

    assert (refused.returncode, refused.stdout) == (1, "")
    assert "takes 5e+06 GB of disk" in refused.stderr


def test_old_go_is_refused_where_no_other_can_be_installed(machine: Machine) -> None:
    machine.install_go()

    refused = machine.run(FAKE_GO_VERSION="1.20.3", PIP_NO_INDEX="1", PIP_CONFIG_FILE=os.devnull)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert "the go on PATH is 1.20.3 and 1.25.11 is needed" in refused.stderr


def test_failure_of_go_shows_its_last_lines(machine: Machine) -> None:
    machine.install_go()

    failed = machine.run(FAKE_GO_FAILS="1")

    assert (failed.returncode, failed.stdout) == (1, "")
    assert "dial tcp: no such host\nIs a Go module proxy in reach?" in failed.stderr


def test_failed_build_leaves_no_temporary_folder(machine: Machine) -> None:
    machine.install_go()

    machine.run(FAKE_GO_FAILS="1")

    assert machine.temporary_folders() == []


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_build_tidies_up(machine: Machine, number: signal.Signals, status: int) -> None:
    machine.install_go()

    with machine.start(FAKE_GO_SECONDS="60") as process:
        machine.wait_for_go("build")
        process.send_signal(number)
        errors = process.communicate(timeout=30)[1]

    assert process.returncode == status
    assert "Traceback" not in errors
    assert machine.temporary_folders() == []


def test_leftovers_of_a_killed_build_are_removed_by_the_next(machine: Machine) -> None:
    machine.install_go()
    with machine.start(FAKE_GO_SECONDS="2") as process:
        machine.wait_for_go("build")
        process.kill()
    assert machine.temporary_folders()

    machine.run()

    assert machine.temporary_folders() == []
