"""What the README shows works as it stands there: each of its code blocks is run or compared here."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pulumi_drs_start import JobBatchStart
from pulumi_drs_start.sandbox import Sandbox, make_job
from pulumi_drs_start.schema.fields import FUNCTIONS, INPUT_NAMES, JOB_FIELDS, OUTPUTS
from tests.docs.pages import Block, blocks, read
from tests.docs.walk import walking

from .conftest import JOB_ID, ROOT, Project, copied, link_plugin

PAGE = "../README.md"
README = read(PAGE)
MOST_LINES = 150
COMMANDS, SERVE, TRY, INSTALL, LOG_IN = blocks(PAGE, "sh")
(TRIED,) = blocks(PAGE, "text")
(PROGRAM,) = blocks(PAGE, "python")
(YAML,) = blocks(PAGE, "yaml")
FIND_PULUMI = 'export PATH="$(make -s pulumi):$PATH"'


def section(title: str) -> str:
    """The text under a heading."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.M | re.S)
    assert found, f"the README has no section {title!r}"
    return found[1]


def test_it_is_short_and_has_no_block_that_is_not_tried() -> None:
    assert len(README.splitlines()) <= MOST_LINES
    # That in TypeScript is compiled in `test_typescript.py`.
    assert Counter(block.language for block in blocks(PAGE)) == {"sh": 5, "text": 1, "python": 1, "yaml": 1, "typescript": 1}
    assert len(re.findall(r"^ *```", README, re.M)) == 2 * len(blocks(PAGE))


def test_its_two_commands_are_verbs_of_the_makefile_and_the_second_is_what_ci_runs() -> None:
    demo, tests = (line.partition("#")[0].strip() for line in COMMANDS.text.splitlines())

    assert {demo, tests, "make setup", "make pulumi"} <= {f"make {verb}" for verb in makefile_verbs()}
    assert tests in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert "$(if $(KEEP),--keep)" in (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.engine
@pytest.mark.cold
def test_the_sandbox_is_tried_in_the_checkout_itself(
    sandbox: Sandbox, make_project: Callable[[Path], Project], tmp_path: Path
) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    project = make_project(checkout)
    shutil.copy(ROOT / "Pulumi.yaml", checkout)
    copied(ROOT / "examples" / "quickstart", checkout / "examples" / "quickstart")
    setup, serve = SERVE.text.splitlines()
    # `make` has done its part, and the walk puts a pulumi of its own in front of the real one.
    assert setup == "make setup && . .venv/bin/activate"
    assert FIND_PULUMI in TRY.text
    typed = TRY.text.replace(FIND_PULUMI, "export")

    with walking(project, sandbox) as walk:
        walk.go([Block("sh", serve), Block("sh", typed), TRIED])
        assert project.outputs()["summary"] == {"running": 2, "total": 2}


@pytest.mark.engine
@pytest.mark.cold
def test_the_program_runs(sandbox: Sandbox, make_project: Callable[[Path], Project], tmp_path: Path) -> None:
    job_ids = JOB_ID.findall(PROGRAM.text)
    assert len(job_ids) == 3
    sandbox.add_jobs(*map(make_job, job_ids))
    folder = tmp_path / "project"
    folder.mkdir()
    project = make_project(folder)
    assert "`name: nightly-jobs` and `runtime: python`" in README

    with walking(project, sandbox) as walk:
        walk.go([Block("yaml", "name: nightly-jobs\nruntime: python\n"), PROGRAM, LOG_IN])
        project.pulumi("preview", "--expect-no-changes")

    outputs = project.outputs()
    assert outputs["ready"] is True
    assert outputs["summary"] == {"running": 3, "total": 3}
    assert outputs["problems"] == {}
    assert [sandbox.job(job_id)["starts"] for job_id in job_ids] == [1, 1, 1]


@pytest.mark.engine
def test_the_program_in_yaml_runs(sandbox: Sandbox, make_project: Callable[[Path], Project], tmp_path: Path) -> None:
    program = YAML.text + "outputs:\n  problems: ${nightly.problems}\n"
    (job_id,) = JOB_ID.findall(program)
    sandbox.add_jobs(make_job(job_id))
    folder = tmp_path / "project"
    folder.mkdir()
    plugin = "plugins:\n  providers:\n    - name: drs\n      path: .venv/bin\n"
    (folder / "Pulumi.yaml").write_text(f"name: nightly-jobs\nruntime: yaml\n{plugin}{program}", encoding="utf-8")
    link_plugin(folder)
    project = make_project(folder)

    project.up()

    assert project.outputs() == {"problems": {}}
    assert sandbox.job(job_id)["starts"] == 1


def test_it_is_installed_as_the_documentation_says() -> None:
    assert INSTALL.text in (block.text[-len(INSTALL.text) :] for block in blocks("tutorial/real-jobs.md", "sh"))
    assert "`pip wheel --no-deps .`" in README
    assert "`pip wheel --no-deps .`" in read("tutorial/real-jobs.md")


def test_the_templates_are_where_it_says() -> None:
    (path,) = re.findall(r"`pulumi new path/to/the/checkout/(\S+)`", README)
    others = re.findall(r"`(\w+)`", README.partition(f"{path}` (or ")[2].partition(")")[0])

    folders = {(ROOT / path).name, *others}
    assert folders == {folder.parent.name for folder in (ROOT / path).parent.glob("*/Pulumi.yaml")}


def test_it_names_only_inputs_outputs_and_functions_that_there_are() -> None:
    inputs, outputs, functions = section("Inputs, outputs, functions").strip().splitlines()

    assert set(re.findall(r"`(\w+)(?:=[^`]*)?`", inputs)) <= {*INPUT_NAMES, *(field.name for field in JOB_FIELDS)}
    assert set(re.findall(r"`(\w+)`", outputs)) == {output.name for output in OUTPUTS}
    assert set(re.findall(r"`(\w+)(?:\([^`]*)?`", functions)) == {function.name for function in FUNCTIONS}


def test_the_resource_takes_every_input_of_the_table_and_no_other() -> None:
    inputs = set(JobBatchStart.__init__.__annotations__) - {"resource_name", "opts", "return"}

    assert inputs == set(INPUT_NAMES)


def test_its_pictures_have_words_for_those_who_do_not_see_them() -> None:
    pictures = re.findall(r"!\[(.*?)\]\((.*?)\)", README)

    assert [path for _, path in pictures] == ["docs/up.svg", "docs/drift.svg"]
    assert all(len(words) > 40 for words, _ in pictures)


def test_links_lead_somewhere() -> None:
    targets = re.findall(r'(?:\]\(|src=")(?!https?:)([^)"]+)', README)

    assert targets
    for target in targets:
        path, _, heading = target.partition("#")
        assert (ROOT / path).exists(), target
        if heading:
            headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(encoding="utf-8"), re.M)
            assert heading in map(anchor, headings), target


def makefile_verbs() -> list[str]:
    """The verbs that the Makefile explains."""
    return re.findall(r"^(\w[\w-]*):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)


def anchor(heading: str) -> str:
    """How a heading is named in a link."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
