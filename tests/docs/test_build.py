"""The pages are made without a warning, and load nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .pages import ROOT

pytest.importorskip("sphinx", reason="Sphinx is in the dependency group docs")


def test_the_pages_are_made_and_load_nothing_from_elsewhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-n", "-W", "--keep-going", "-q", "-c", "docs", "-b", "html", ".", str(tmp_path)]

    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)

    assert made.returncode == 0, made.stderr
    pages = {path: path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.html")}
    assert tmp_path / "docs" / "reference" / "errors.html" in pages
    assert tmp_path / "examples" / "cutover" / "README.html" in pages
    scripts, links = r'<(?:script|img|iframe)[^>]* src="', r'<link[^>]* rel="(?:stylesheet|preload|icon)[^>]* href="'
    elsewhere = rf"(?:{scripts}|{links})(?:https?:)?//"
    assert [path for path, text in pages.items() if re.search(elsewhere, text)] == []
    styles = [
        path for path in tmp_path.rglob("*.css") if re.search(r"url\(['\"]?(?:https?:)?//|@import", path.read_text("utf-8"))
    ]
    assert styles == []
    # The programs of an example are under its README.
    assert "when_synced" in pages[tmp_path / "examples" / "cutover" / "README.html"]
