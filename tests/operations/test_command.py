"""Which commands of Pulumi look at the whole program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pulumi_drs_start.operations.command import has_plan, why_partial


@pytest.mark.parametrize(
    "words",
    [
        "up",
        "up --yes",
        "up -y --stack dev --replace urn",
        "update -p 4",
        "destroy",
        "destroy --continue-on-error",
        "up -- --target",
    ],
)
def test_a_plain_command_looks_at_all(words: str) -> None:
    assert why_partial(["pulumi", *words.split()], {}) is None


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ("up --target urn", "--target"),
        ("up --target=urn", "--target"),
        ("up -t urn", "--target"),
        ("up -yt urn", "--target"),
        ("up -turn", "--target"),
        ("destroy -x urn", "--exclude"),
        ("destroy --exclude-protected", "--exclude-protected"),
        ("up --target-replace urn", "--target-replace"),
        ("up --continue-on-error", "--continue-on-error"),
    ],
)
def test_a_command_for_a_part_is_known_by_its_option(words: str, option: str) -> None:
    assert why_partial(["pulumi", *words.split()], {}) == f"with {option} the program is not known whole"


@pytest.mark.parametrize(("words", "is_partial"), [("up", True), ("destroy", False)])
def test_going_on_after_errors_may_be_asked_for_in_the_environment(words: str, is_partial: bool) -> None:
    why = why_partial(["pulumi", words], {"PULUMI_CONTINUE_ON_ERROR": "true"})

    assert (why is not None) is is_partial


def test_a_command_line_that_can_not_be_read_may_be_anything() -> None:
    assert why_partial(None, {}) is not None


@pytest.mark.parametrize(
    "words", ["preview --save-plan p.json", "preview --save-plan=p.json", "up --plan p.json", "up -y --strict"]
)
def test_a_command_that_saves_a_plan_or_is_held_to_one_is_known_by_its_option(words: str) -> None:
    assert has_plan(["pulumi", *words.split()])


def test_any_other_command_has_no_plan() -> None:
    assert not has_plan(["pulumi", "up", "--yes", "--", "--plan"])
    assert not has_plan(None)


def test_the_command_is_found_among_the_ancestors(tmp_path: Path) -> None:
    """As Pulumi starts its plugins: a shell script stands between."""
    asks = "from pulumi_drs_start.operations.command import pulumi_arguments; print(pulumi_arguments())"
    pulumi = tmp_path / "pulumi"
    pulumi.symlink_to("/bin/sh")
    script = f"sh -c '{sys.executable} -c \"{asks}\"; true'; true"

    found = subprocess.run([pulumi, "-c", script, "up"], check=True, capture_output=True, text=True)

    assert found.stdout.startswith(f"('{pulumi}', '-c', ")
    assert found.stdout.endswith("'up')\n")


def test_without_pulumi_there_is_no_command() -> None:
    asks = "from pulumi_drs_start.operations.command import pulumi_arguments; print(pulumi_arguments())"

    assert subprocess.run([sys.executable, "-c", asks], check=True, capture_output=True, text=True).stdout == "None\n"
