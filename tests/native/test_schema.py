"""The schema: current, whole, and what Pulumi takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pulumi_drs_start.native.schema import FILE, make_schema, text
from pulumi_drs_start.schema.dialect import YAML
from pulumi_drs_start.schema.fields import FUNCTIONS, INPUTS, OUTPUTS
from pulumi_drs_start.settings import CONFIG_KEYS, SECRET_KEYS

SCHEMA = make_schema()
RESOURCE = SCHEMA["resources"]["drs:index:JobBatchStart"]


def parts(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every object in the schema, with its path."""
    if isinstance(value, dict):
        yield path, value
        for name, part in value.items():
            yield from parts(part, f"{path}/{name}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from parts(part, f"{path}/{index}")


def test_the_file_is_what_the_tables_say_now() -> None:
    assert FILE.read_text("utf-8") == text(), "python -m pulumi_drs_start.native.schema writes it anew"


def test_every_input_output_and_setting_is_there() -> None:
    names = [YAML.name(field.name) for field in INPUTS]

    assert list(RESOURCE["inputProperties"]) == names
    assert list(RESOURCE["properties"]) == [*names, *(YAML.name(field.name) for field in OUTPUTS)]
    assert sorted(SCHEMA["config"]["variables"]) == sorted(SCHEMA["provider"]["inputProperties"]) == sorted(CONFIG_KEYS)
    assert sorted(name for name, each in SCHEMA["config"]["variables"].items() if each.get("secret")) == sorted(SECRET_KEYS)
    assert list(SCHEMA["functions"]) == [f"drs:index:{YAML.name(function.name)}" for function in FUNCTIONS]


def test_everything_is_described_and_named_as_programs_write_it() -> None:
    described = [
        (path, part)
        for path, part in parts(SCHEMA)
        if path.rpartition("/")[0].endswith(("roperties", "/types", "/resources", "/functions", "/variables"))
    ]

    assert len(described) > 80
    assert [path for path, part in described if not part.get("description", "").strip(". ")] == []
    assert [path for path, part in described if "_" in path.rpartition("/")[2]] == []
    texts = " ".join(part["description"] for _, part in described)
    assert "`start_time`" not in texts
    assert "JobStartArgs" not in texts
    assert '="' not in texts


def test_every_reference_leads_somewhere() -> None:
    references = {part["$ref"] for _, part in parts(SCHEMA) if "$ref" in part}

    assert references == {f"#/types/{name}" for name in SCHEMA["types"]}


@pytest.mark.parametrize(
    ("name", "words"), [("WaitFor", {"running", "accepted", "synced"}), ("OnDestroy", {"leave", "pause", "stop"})]
)
def test_words_are_enums(name: str, words: set[str]) -> None:
    assert {each["value"] for each in SCHEMA["types"][f"drs:index:{name}"]["enum"]} == words


def test_it_is_json() -> None:
    assert json.loads(text()) == SCHEMA
