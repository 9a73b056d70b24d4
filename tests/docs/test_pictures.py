"""The pictures load nothing from elsewhere and are small; those of the terminal show what the real pulumi prints."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from types import ModuleType

import pytest

from tests.e2e.conftest import ROOT, engine  # noqa: F401  # a fixture
from tests.loading import load

NAMES = ("up", "drift")
MOST_BYTES = 60_000
SVG = "{http://www.w3.org/2000/svg}"
# A line that does not begin so goes on with the one above.
BEGINS = re.compile(r"^(?: |\$ |Previewing |Updating |Diagnostics:|Outputs:|Resources:|Duration:)")
# How often a waiting operation says how it stands is a matter of time.
PROGRESS = re.compile(r"nightly creating \(…\)(?: running .*)?$")


@pytest.fixture(scope="module")
def pictures() -> ModuleType:
    return load(ROOT / "docs" / "pictures.py")


def lines(svg: str) -> list[str]:
    """The words of a picture, line by line, what was folded put together again."""
    rows: dict[float, list[tuple[float, str]]] = {}
    for text in ElementTree.fromstring(svg).iter(f"{SVG}text"):  # noqa: S314  # our own
        if "clip-path" in text.attrib:
            rows.setdefault(float(text.attrib["y"]), []).append((float(text.attrib["x"]), text.text or ""))
    found: list[str] = []
    for _, parts in sorted(rows.items()):
        # Blanks are not kept at the beginning of a line, but its place is.
        line = "".join([" " * (sorted(parts)[0][0] > 0), *(part for _, part in sorted(parts))]).replace("\xa0", " ").rstrip()
        if BEGINS.match(line) or not found:
            found.append(line)
        elif line:
            found[-1] += f" {line}"
    return found


def facts(svg: str) -> set[str]:
    """The lines of a picture without what is a matter of time."""
    masked = (re.sub(r"\(\d+s\)", "(…)", line) for line in lines(svg))
    masked = (re.sub(r"^(Duration:) \d+s$", r"\1 …", line) for line in masked)
    return {" ".join(line.split()) for line in masked if not PROGRESS.search(line)}


def picture(name: str) -> str:
    return (ROOT / "docs" / f"{name}.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*NAMES, "logo"])
def test_a_picture_is_small_and_loads_nothing(name: str) -> None:
    svg = picture(name)

    assert len(svg.encode()) < MOST_BYTES
    assert not re.search(r"@font-face|@import|url\((?!#)|href=|<script|<image", svg)


@pytest.mark.parametrize("name", [*NAMES, "logo"])
def test_a_picture_has_words_for_those_who_do_not_see_it(name: str) -> None:
    root = ElementTree.fromstring(picture(name))  # noqa: S314  # our own

    assert root.attrib["role"] == "img"
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text
    assert root.attrib["aria-labelledby"] == title.attrib["id"]


@pytest.mark.engine
def test_the_pictures_show_what_pulumi_prints(pictures: ModuleType, engine: str) -> None:  # noqa: F811
    recorded = pictures.record(engine)

    assert tuple(recorded) == NAMES
    for name, (command, output) in recorded.items():
        assert facts(pictures.draw(command, output, name)) == facts(picture(name)), "run `make pictures`"


def test_the_pictures_show_what_matters() -> None:
    told = {name: "\n".join(lines(picture(name))) for name in NAMES}

    assert "12 jobs: started 10, already started 2" in told["up"]
    assert re.search(r"running 10/12, starting 2; crm-orders \([0-9a-f]{8}…\) in STARTJOBING for \ds", told["up"])
    assert re.search(r"will start 1 job: warehouse-stock \([0-9a-f]{8}…\); 11 jobs are running", told["drift"])
