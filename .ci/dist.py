"""
Build what is released, and try it as those who get it do: `make dist`.

A source distribution and the wheel made from it go into `dist/`. Their metadata and content are checked. The wheel is installed
in an empty environment, with the locked versions of what it needs, and runs `examples/quickstart` on the real engine against
the sandbox of the same wheel. Tests of the source distribution run where it is unpacked. Nothing is uploaded.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
LOCK = ROOT / ".ci" / "lock" / "dev.txt"
OURS = "pulumi-drs-start"
PACKAGE = "pulumi_drs_start"

# Tests that need no engine and take seconds; those of the distributions themselves are in tests/packaging.
QUICK_TESTS = ("tests/schema", "tests/settings", "tests/bench", "tests/packaging/test_version.py")
SANDBOX_START_SECONDS = 60

# What nobody wants to publish: by name, and by what is in it.
PRIVATE_NAMES = re.compile(
    r"(^|/)(\.env|clouds\.ya?ml|secure\.ya?ml|id_(rsa|dsa|ecdsa|ed25519)|.*\.(pem|key|p12)|Pulumi\.[^/]+\.ya?ml|\.pypirc|\.netrc)$"
)
PRIVATE_TEXT = re.compile(rb"-----BEGIN (\w+ )?PRIVATE KEY|\bghp_\w{30}|\bpypi-\w{40}|\bpul-[0-9a-f]{40}")


class DistError(Exception):
    """Something is not as a release has to be."""


def say(text: str) -> None:
    print(text, flush=True)


def check(is_true: bool, claim: str) -> None:
    """Say what is so, after seeing that it is."""
    if not is_true:
        raise DistError(f"this should be so, and is not: {claim}")
    say(f"checked: {claim}")


def run(*command: str | Path, **options: object) -> str:
    """What a command that succeeds prints."""
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)  # type: ignore[call-overload]  # noqa: S603
    if ended.returncode:
        raise DistError(f"`{' '.join(map(str, command))}` failed:\n{ended.stdout[-4000:]}")
    return str(ended.stdout)


def build() -> tuple[Path, Path]:
    """Fill `dist/` anew; the wheel is built from the source distribution."""
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", DIST, ROOT)
    (sdist,), (wheel,) = DIST.glob("*.tar.gz"), DIST.glob("*.whl")
    for path in (sdist, wheel):
        say(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")
    return sdist, wheel


def check_metadata(version: str, sdist: Path, wheel: Path) -> None:
    """What an index would refuse."""
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = archive.read(f"{PACKAGE}-{version}.dist-info/METADATA")
    with tarfile.open(sdist) as archive:
        file = archive.extractfile(f"{PACKAGE}-{version}/PKG-INFO")
        in_sdist = file.read() if file else b""
    told = Metadata.from_email(in_wheel, validate=True)
    Metadata.from_email(in_sdist, validate=True)
    check(
        str(told.version) == version and str(parse_wheel_filename(wheel.name)[1]) == version, f"the wheel is of version {version}"
    )
    check(str(parse_sdist_filename(sdist.name)[1]) == version, f"the source distribution is of version {version}")
    check(in_wheel == in_sdist, "both have the same metadata, and it is valid")
    check(told.license_expression == "Apache-2.0" and bool(told.description), "licence and description are in it")
    check(told.description_content_type == "text/markdown", "the description is Markdown")
    check(
        not re.search(r"(?m)^(?:Home-page|Project-URL|Download-URL): ", in_wheel.decode()),
        "no address is in it, as there is none yet",
    )


def check_content(version: str, sdist: Path, wheel: Path) -> None:
    """What is in the two, and what must not be."""
    with zipfile.ZipFile(wheel) as archive:
        installed = {name: archive.read(name) for name in archive.namelist()}
    with tarfile.open(sdist) as archive:
        source = {}
        for member in archive.getmembers():
            file = archive.extractfile(member)
            if file:
                source[member.name.partition("/")[2]] = file.read()
    info = f"{PACKAGE}-{version}.dist-info"
    check({name.split("/")[0] for name in installed} == {PACKAGE, info}, "the wheel has the package and nothing else: no tests")
    check(f"{info}/licenses/LICENSE" in installed and "LICENSE" in source, "both have the licence")
    check(f"{PACKAGE}/py.typed" in installed, "the wheel says that it is typed")
    check(f"{PACKAGE}/pulumi-plugin.json" in installed, "the wheel tells Pulumi that there is no plugin to download")
    check(
        {"README.md", "CHANGELOG.md", "Makefile", ".ci/run"} <= source.keys(), "the source distribution has what its tests need"
    )
    modules = {name for name in source if name.startswith(f"{PACKAGE}/")}
    check(modules == {name for name in installed if name.startswith(f"{PACKAGE}/")}, "both have the same package")
    for name, files in (("wheel", installed), ("source distribution", source)):
        private = [path for path, text in files.items() if PRIVATE_NAMES.search(path) or PRIVATE_TEXT.search(text)]
        check(private == [], f"nothing private is in the {name}" + (f": {private}" if private else ""))


def closure(extras: Iterable[str]) -> set[str]:
    """The packages that ours needs with some extras, and those that these need, as they are installed here."""
    found: set[str] = set()
    waiting = [(OURS, tuple(extras))]
    while waiting:
        name, wanted = waiting.pop()
        for text in metadata.requires(name) or []:
            need = Requirement(text)
            is_needed = not need.marker or any(need.marker.evaluate({"extra": extra}) for extra in ("", *wanted))
            if is_needed and canonicalize_name(need.name) not in found:
                found.add(canonicalize_name(need.name))
                waiting.append((need.name, tuple(need.extras)))
    return found


def locked(names: set[str]) -> str:
    """The part of the lock about these packages, hashes included."""
    blocks = re.split(r"^(?=\w)", LOCK.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return "".join(block for block in blocks if canonicalize_name(Requirement(block.partition("\\")[0]).name) in names)


def install(folder: Path, wheel: Path) -> Path:
    """An environment with the wheel and what it needs; the folder of its commands."""
    requirements = folder / "requirements.txt"
    requirements.write_text(locked(closure(["sandbox"])), encoding="utf-8")
    environment = folder / "environment"
    venv.create(environment, with_pip=True)
    commands = environment / ("Scripts" if os.name == "nt" else "bin")
    pip: list[str | Path] = [commands / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    run(*pip, "--require-hashes", "--requirement", requirements)
    run(*pip, "--no-deps", "--no-index", wheel)
    run(commands / "python", "-m", "pip", "--disable-pip-version-check", "check")
    place = run(
        commands / "python", "-c", f"import {PACKAGE}; print({PACKAGE}.__file__)", cwd=folder, env=bare_environment()
    ).strip()
    check(Path(place).is_relative_to(environment), "the wheel is installed, and all it needs")
    return commands


def bare_environment() -> dict[str, str]:
    """The caller's environment without what leads to clouds, stacks and packages of the caller."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OS_", "DRS_", "PULUMI_", "PYTHON", "VIRTUAL_ENV"))
    }


@contextlib.contextmanager
def sandbox(folder: Path, commands: Path, jobs: int) -> Iterator[dict[str, object]]:
    """The sandbox of the wheel, running with some jobs; what it tells when it is ready."""
    ready = folder / "ready.json"
    options = ["--port", "0", "--seed-jobs", str(jobs), "--ready-file", str(ready)]
    command = [str(commands / "python"), "-m", f"{PACKAGE}.sandbox", *options]
    with (folder / "sandbox.log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=bare_environment(), stdout=log, stderr=subprocess.STDOUT)  # noqa: S603
    try:
        deadline = time.monotonic() + SANDBOX_START_SECONDS
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise DistError(f"the sandbox did not start:\n{(folder / 'sandbox.log').read_text()}")
            time.sleep(0.05)
        yield json.loads(ready.read_text(encoding="utf-8"))
    finally:
        process.terminate()
        process.wait()


def run_quickstart(folder: Path, commands: Path) -> None:
    """`examples/quickstart`, with the wheel, on the real engine."""
    finding = subprocess.run([sys.executable, ROOT / ".ci" / "engine.py"], stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    project = Path(shutil.copytree(ROOT / "examples" / "quickstart", folder / "quickstart"))
    with sandbox(folder, commands, jobs=8) as ready:
        environment: Mapping[str, str] = {
            **bare_environment(),
            **ready["environment"],  # type: ignore[dict-item]
            "PATH": os.pathsep.join([str(commands), finding.stdout.strip(), os.environ.get("PATH", os.defpath)]),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": folder.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "dist",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

        def pulumi(*arguments: str | Path) -> str:
            return run("pulumi", *arguments, "--non-interactive", "--color=never", cwd=project, env=environment)

        pulumi("stack", "init", "dev")
        pulumi("config", "set", "jobs", json.dumps(ready["jobs"]))
        pulumi("up", "--yes", "--skip-preview")
        outputs = json.loads(pulumi("stack", "output", "--json"))
        check(outputs["ready"] is True and outputs["summary"]["running"] == 8, "the quickstart starts eight jobs with the wheel")
        pulumi("preview", "--expect-no-changes")
        check(True, "a preview afterwards finds nothing to do")
        pulumi("destroy", "--yes", "--skip-preview")
        schema = json.loads(pulumi("package", "get-schema", commands / "pulumi-resource-drs"))
        check(list(schema["resources"]) == ["drs:index:JobBatchStart"], "the plugin of the wheel tells its schema")


def test_source(folder: Path, version: str, sdist: Path) -> None:
    """Tests run from the source distribution, on the package that is in it."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    unpacked = folder / f"{PACKAGE}-{version}"
    code = f"import {PACKAGE}; print({PACKAGE}.__file__)"
    environment = {**bare_environment(), "PYTHONPATH": str(unpacked)}
    place = run(sys.executable, "-c", code, cwd=unpacked, env=environment).strip()
    check(Path(place).is_relative_to(unpacked.resolve()), "the tests of the source distribution find its own package")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not engine", *QUICK_TESTS]
    say(run(*command, cwd=unpacked, env=environment).strip().splitlines()[-1])


def main() -> int:
    """Do all of it; the exit status."""
    try:
        sdist, wheel = build()
        version = metadata_version()
        check_metadata(version, sdist, wheel)
        check_content(version, sdist, wheel)
        with tempfile.TemporaryDirectory(prefix="pulumi-drs-dist-") as name:
            folder = Path(name)
            run_quickstart(folder, install(folder, wheel))
            test_source(folder, version, sdist)
    except DistError as error:
        print(f"dist: {error}", file=sys.stderr)
        return 1
    say("dist/ holds what can be released.")
    return 0


def metadata_version() -> str:
    """The version as the package has it."""
    text = (ROOT / PACKAGE / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if not found:
        raise DistError("the package has no __version__")
    return found[1]


if __name__ == "__main__":
    sys.exit(main())
