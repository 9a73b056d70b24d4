"""
How Sphinx makes the pages: `make docs`.

The source folder is the checkout, so that a link such as `../examples/quickstart/README.md` leads to the same text in the
checkout and on the pages. Nothing is loaded from the network, neither here nor by who reads the pages.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

from pulumi_drs_start import __version__

ROOT = Path(__file__).parents[1]

project = "pulumi-drs-start"
author = "the authors of pulumi-drs-start"
copyright = author
version = release = __version__

extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["docs/*.md", "docs/**/*.md", "examples/*/README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]
# Pulumi's registry has a form of its own for its two pages.
exclude_patterns = [
    "docs/_index.md",
    "docs/installation-configuration.md",
    ".*",
    "**/node_modules",
    "**/.venv",
    "**/sdks",
    "venv",
    "dist",
    "build",
]
# An ellipsis in a program stands for what the reader fills in.
suppress_warnings = ["misc.highlighting_failure"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"pulumi-drs-start {version}"
html_logo = str(logo) if (logo := ROOT / "docs" / "logo.svg").exists() else None
html_extra_path = ["_root"]
html_static_path = ["_static"]
html_css_files = ["docs.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False

_LANGUAGES = {".py": "python", ".ts": "typescript", ".sh": "sh", ".yaml": "yaml"}


def _programs(folder: Path) -> list[Path]:
    """The programs of an example: a project in YAML is one itself."""
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in (".py", ".ts", ".sh")]
    made = ("node_modules", ".venv", "sdks")
    return [path for path in files if not any(part in made for part in path.parts)] or [folder / "Pulumi.yaml"]


def _show_programs(_: Sphinx, name: str, source: list[str]) -> None:
    """Put the programs under the README of an example: in the checkout they are beside it."""
    if not name.startswith("examples/"):
        return
    folder = (ROOT / name).parent
    for path in _programs(folder):
        inside = path.relative_to(folder).as_posix()
        source[0] += f"\n\n## {inside}\n\n```{{literalinclude}} {inside}\n:language: {_LANGUAGES[path.suffix]}\n```\n"


def setup(app: Sphinx) -> None:
    app.connect("source-read", _show_programs)
