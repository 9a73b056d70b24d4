"""The version is in one place, and whatever repeats it for a reader says the same."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path

import pulumi_drs_start
from pulumi_drs_start.native.schema import FILE

ROOT = Path(__file__).parents[2]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md")
    for path in ROOT.glob(pattern)
    if {".venv", "node_modules", "_build"}.isdisjoint(path.parts) and path.name != "CHANGELOG.md"
)
# Our wheel, and our plugin where a command names it with its version.
MENTION = re.compile(r"pulumi_drs_start-(\d+\.\d+\.\d+)|\bdrs[@ ]v?(\d+\.\d+\.\d+)")


def test_the_newest_version_of_the_changelog_is_this_one() -> None:
    headings = re.findall(r"^## (.+)$", CHANGELOG, re.M)
    version, _, date = headings[1].partition(" - ")

    assert headings[0] == "Unreleased"
    assert version == pulumi_drs_start.__version__
    assert datetime.date.fromisoformat(date)


def test_a_release_is_told_once() -> None:
    versions = re.findall(r"^## (\d\S*)", CHANGELOG, re.M)

    assert len(versions) == len(set(versions))


def test_the_schema_has_this_version() -> None:
    assert json.loads(FILE.read_text(encoding="utf-8"))["version"] == pulumi_drs_start.__version__


def test_documents_name_no_other_version() -> None:
    found = {
        (str(path.relative_to(ROOT)), version)
        for path in DOCUMENTS
        for match in MENTION.findall(path.read_text(encoding="utf-8"))
        for version in match
        if version
    }

    assert found
    assert [one for one in sorted(found) if one[1] != pulumi_drs_start.__version__] == []
