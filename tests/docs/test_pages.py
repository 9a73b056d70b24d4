"""Every page does what it says: each of its code blocks is run or compared, here or by a test of its own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pulumi_drs_start.sandbox import Sandbox
from tests.e2e.conftest import warm  # noqa: F401  # a fixture
from tests.examples.conftest import Project, engine, make_project  # noqa: F401  # fixtures

from .pages import DOCS, PAGES, ROOT, TEST, Block, blocks, read
from .walk import folder_for, walking

_LIBRARIES = "tests/e2e/native/test_libraries.py makes the libraries"
_ADD = "needs a language host that is newer than those of the Go modules"
NOT_RUN = {
    ("guides/other-languages.md", "python3 -m venv .venv"): "tests/packaging installs the package",
    (
        "guides/other-languages.md",
        "pulumi package gen-sdk .venv/bin/pulumi-resource-drs --language nodejs --local --out sdks",
    ): _LIBRARIES,
    ("guides/other-languages.md", "pulumi package add path/to/the/checkout"): _ADD,
    ("installation-configuration.md", "pulumi package add path/to/the/checkout"): _ADD,
    ("benchmark.md", "First `up`, times the baseline"): "a chart that `make bench` writes",
    ("how-it-works.md", "┌─ your program"): "a drawing",
    ("how-it-works.md", "┌─────────┐  it is made"): "a drawing",
    ("index.md", "from pulumi_drs_start import JobBatchStart, find_jobs"): "guides/jobs-by-name.md runs the same",
}
"""Blocks that can't be run, by page and beginning, and why."""

ELSEWHERE = {
    "guides/cutover-night.md": {"sh": 11, "text": 8},  # tests/examples/test_cutover_night.py
    "guides/failed-up.md": {"sh": 3, "text": 2, "json": 1, "console": 1},  # tests/examples/test_failed_up.py
    # tests/examples/test_yaml.py, tests/examples/test_typescript.py, tests/e2e/native/test_moving_over.py
    "guides/other-languages.md": {"yaml": 2, "typescript": 1, "sh": 4},
    "reference/previews.md": {"python": 1, "text": 1},  # tests/e2e/test_preview_page.py
    "sandbox.md": {"sh": 8, "text": 1, "json": 1},  # tests/sandbox/test_documented.py
}
"""Pages with tests of their own, and how many blocks these take."""


def is_run(page: str, block: Block) -> bool:
    return not any(page == its_page and block.text.lstrip().startswith(beginning) for its_page, beginning in NOT_RUN)


WALKED = [page for page in PAGES if page not in ELSEWHERE and any(is_run(page, block) for block in blocks(page))]


@pytest.mark.engine
@pytest.mark.parametrize("page", WALKED)
def test_a_page_does_what_it_says(
    page: str,
    sandbox: Sandbox,
    make_project: Callable[[Path], Project],  # noqa: F811
    tmp_path: Path,
) -> None:
    project = make_project(folder_for(page, tmp_path))

    with walking(project, sandbox) as walk:
        walk.go([block for block in blocks(page) if is_run(page, block)])


@pytest.mark.parametrize("page", ELSEWHERE)
def test_a_page_with_tests_of_its_own_has_no_block_that_they_do_not_take(page: str) -> None:
    taken = Counter(block.language for block in blocks(page) if is_run(page, block))

    assert taken == ELSEWHERE[page]
    tests = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("**/test_*.py") if path != Path(__file__)]
    assert any(f'"{page}"' in text for text in tests)


@pytest.mark.parametrize("page", PAGES)
def test_every_block_names_its_language(page: str) -> None:
    assert [block for block in blocks(page) if not block.language] == []
    contents = read(page).count("```{toctree}")
    assert len(re.findall(r"^ *```", read(page), re.MULTILINE)) == 2 * (
        contents + sum(block.language != TEST for block in blocks(page))
    )


def test_what_is_not_run_is_there() -> None:
    assert [page for page, _ in NOT_RUN if all(is_run(page, block) for block in blocks(page))] == []
    assert len(NOT_RUN) == sum(not is_run(page, block) for page in PAGES for block in blocks(page))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    folder = (DOCS / page).parent
    for target in re.findall(r"\]\((?!https?:)([^)#]*)", read(page)):
        assert not target or (folder / target).exists(), target
