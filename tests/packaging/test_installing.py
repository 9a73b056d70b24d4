"""How users get the package: from a checkout or a wheel made in one, never by a name that anybody may still take."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent for path in ROOT.glob("examples/*/requirements.txt"))
TEXTS = sorted(
    path
    for pattern in ("*.md", "Makefile", ".ci/*", "docs/**/*.md", "bench/**/*.py", "examples/**/*", "pulumi_drs_start/**/*.py")
    for path in ROOT.glob(pattern)
    if path.suffix in {".md", ".py", ".sh", ".txt", ".yaml", ".json", ".ts", ""}
    and path.is_file()
    and {".venv", "node_modules", "sdks"}.isdisjoint(path.parts)
)

# Our name where an installer reads it: not in a path, and not the name of a wheel.
NAME = r"(?<![\w/.])pulumi[-_.]+drs[-_.]+start(?!-\d|[\w/])"
BARE = re.compile(rf"\b(?:install|add|wheel|download)\b.*{NAME}|^{NAME}\s*(?:$|[\[<>=!~@;#])", re.IGNORECASE)


@pytest.mark.parametrize(
    "line",
    [
        "pulumi-drs-start",
        "Pulumi_DRS.start>=0.1  # ours",
        "pulumi-drs-start[aksk]",
        "pip install pulumi-drs-start",
        "needs more: pip install 'pulumi-drs-start[aksk]'",
        "- run: uv add pulumi_drs_start",
    ],
)
def test_a_line_that_installs_by_name_is_recognised(line: str) -> None:
    assert BARE.search(line)


@pytest.mark.parametrize(
    "line",
    [
        "../..",
        "pip install ./pulumi_drs_start-0.1.0-py3-none-any.whl",
        "pip install path/to/pulumi-drs-start",
        "pip install '.[aksk]'",
    ],
)
def test_a_line_that_installs_by_path_is_not_taken_for_one(line: str) -> None:
    assert not BARE.search(line)


def test_nobody_is_told_to_install_by_name() -> None:
    assert {
        ROOT / "README.md",
        ROOT / "pulumi_drs_start/settings/clouds.py",
        *(folder / "requirements.txt" for folder in EXAMPLES),
    } <= {*TEXTS}
    lines = ((path, line) for path in TEXTS for line in path.read_text(encoding="utf-8").splitlines())

    assert [f"{path.relative_to(ROOT)}: {line}" for path, line in lines if BARE.search(line)] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda folder: folder.name)
def test_an_example_installs_the_checkout_that_it_is_in(example: Path) -> None:
    lines = (example / "requirements.txt").read_text(encoding="utf-8").splitlines()
    paths = [line for line in lines if not line.startswith("#")]

    # pip takes a relative path from the folder that it runs in.
    assert [(example / path).resolve() for path in paths] == [ROOT.resolve()]


def test_pip_installs_what_an_example_requires(tmp_path: Path) -> None:
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--target", str(tmp_path)]
    command = [sys.executable, "-m", "pip", "install", *options, "-r", "requirements.txt"]
    ended = subprocess.run(command, cwd=ROOT / "examples" / "quickstart", capture_output=True, text=True, timeout=120)

    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "pulumi_drs_start" / "resource.py").exists()
