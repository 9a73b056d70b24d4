"""The reference leaves out nothing that the code has."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

import pulumi_drs_start
from docs.fill import filled
from pulumi_drs_start.drs import errors, gateway
from pulumi_drs_start.drs.calls.listing import _NO_MORE_ROWS
from pulumi_drs_start.reconcile.phase import STATUSES, Phase
from pulumi_drs_start.reconcile.plan import Reason
from pulumi_drs_start.sandbox.errors import CODES
from pulumi_drs_start.schema.fields import FUNCTIONS, INPUTS, JOB_FIELDS, OUTPUTS, PREVIEWED, ROWS, Function
from pulumi_drs_start.schema.messages import _HINTS
from pulumi_drs_start.settings.keys import KEYS

from .pages import PAGES, read

PACKAGE = Path(pulumi_drs_start.__file__).parent
VARIABLE = re.compile(r"\b(?:OS|DRS)_[A-Z]+(?:_[A-Z]+)*\b")


def missing(page: str, words: Iterable[str]) -> list[str]:
    """Words that a page does not have in code style."""
    text = read(page)
    return [word for word in words if f"`{word}`" not in text]


@pytest.mark.parametrize("page", PAGES)
def test_the_tables_are_those_of_the_code(page: str) -> None:
    assert filled(read(page)) == read(page), "`make reference` writes them anew"


def test_every_input_is_there() -> None:
    assert missing("reference/inputs.md", [field.name for field in INPUTS]) == []
    assert missing("reference/inputs.md", [f"jobs[].{field.name}" for field in JOB_FIELDS]) == []
    words = [f'"{word}"' for field in (*INPUTS, *JOB_FIELDS) for word in field.words]
    assert missing("reference/inputs.md", words) == []


def test_every_output_is_there() -> None:
    names = [field.name for fields in (OUTPUTS, PREVIEWED, *ROWS.values()) for field in fields]

    assert missing("reference/outputs.md", names) == []


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_every_function_is_there_with_its_arguments(function: Function) -> None:
    (part,) = re.findall(rf"^## {function.name}\n(.*?)(?=^## |\Z)", read("reference/functions.md"), re.MULTILINE | re.DOTALL)

    assert [one.name for one in function.arguments if f"| `{one.name}` |" not in part] == []
    assert f"`{function.name}_output`" in part


def test_every_public_name_is_there() -> None:
    headings = set(re.findall(r"^## (\w+)$", read("reference/types.md") + read("reference/functions.md"), re.MULTILINE))
    functions = {f"{function.name}_output" for function in FUNCTIONS}

    assert set(pulumi_drs_start.__all__) - headings - functions == {"JobBatchStart"}


@pytest.mark.parametrize("page", ["reference/configuration.md", "installation-configuration.md"])
def test_every_setting_is_there(page: str) -> None:
    names = [name for key in KEYS.values() for name in (*key.environment, *key.older)]

    assert missing(page, [*names, *(f"drs:{key.config}" for key in KEYS.values() if key.config)]) == []


def test_every_key_of_an_entry_of_clouds_and_every_input_that_is_a_setting_are_there() -> None:
    assert missing("reference/configuration.md", [name for key in KEYS.values() for name in (key.cloud, key.input) if name]) == []


def test_every_variable_that_the_code_reads_is_there() -> None:
    sources = [path for path in PACKAGE.rglob("*.py") if "sandbox" not in path.parts]
    read_there = {name for path in sources for name in VARIABLE.findall(path.read_text(encoding="utf-8"))}

    assert missing("reference/configuration.md", sorted(read_there)) == []


def test_every_phase_and_status_is_there() -> None:
    assert missing("reference/statuses.md", [*(phase.value for phase in Phase), *STATUSES]) == []


def test_every_code_is_there() -> None:
    known = {*errors._BY_CODE, *_NO_MORE_ROWS, *_HINTS, *(code for code in CODES if code.startswith("DRS."))}
    numbers = {*gateway._NOT_ASKED, *gateway._MAY_HAVE_ASKED, *(code[-4:] for code in gateway.THROTTLED)}

    assert missing("reference/errors.md", sorted(known | numbers)) == []


def test_every_reason_is_there() -> None:
    text = read("reference/errors.md")

    assert [reason for reason in Reason if f"| {reason.name.lower().replace('_', ' ')} |" not in text] == []
