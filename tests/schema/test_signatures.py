"""Signatures and types repeat the table of fields for editors and checkers. Here the two are compared."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, get_args, get_type_hints

import pulumi
import pytest

from pulumi_drs_start import (
    BatchSummary,
    JobBatchStart,
    JobProblem,
    JobStart,
    JobStartArgs,
    JobStartArgsDict,
    JobStatus,
    resource,
)
from pulumi_drs_start.operations.query import DB_USE_TYPES
from pulumi_drs_start.reconcile import declared, phase
from pulumi_drs_start.schema import types
from pulumi_drs_start.schema.fields import INPUTS, JOB_FIELDS, OUTPUTS, PROBLEM_FIELDS, ROW_FIELDS, Field, Kind

VALUES: dict[Kind, Any] = {Kind.TIME: str | int | datetime, Kind.FLAG: bool, Kind.DURATION: str, Kind.TEXT: str, Kind.JOB_ID: str}
SIGNATURE = inspect.signature(JobBatchStart.__init__).parameters


def names(fields: Sequence[Field]) -> list[str]:
    return [field.name for field in fields]


def value_type(field: Field) -> Any:
    return Literal[field.words] if field.kind is Kind.WORD else VALUES[field.kind]


def described(doc: str | None) -> dict[str, str]:
    """What a docstring says of each argument."""
    text = textwrap.dedent(inspect.cleandoc(doc or "").partition("Args:\n")[2].partition("\n\n")[0])
    return {name: " ".join(said.split()) for name, said in re.findall(r"^(\w+): (.*(?:\n .*)*)", text, re.MULTILINE)}


def attributes() -> dict[str, Any]:
    """The resource's attributes as checkers see them. At run time they are not there."""
    (block,) = [node for node in ast.parse(inspect.getsource(JobBatchStart)).body[0].body if isinstance(node, ast.If)]
    annotated = [node for node in block.body if isinstance(node, ast.AnnAssign)]
    return {ast.unparse(node.target): eval(ast.unparse(node.annotation), vars(resource)) for node in annotated}  # noqa: S307


def test_the_signature_has_every_input_in_the_order_of_the_table() -> None:
    assert list(SIGNATURE) == ["self", "resource_name", *names(INPUTS), "opts"]


@pytest.mark.parametrize("field", INPUTS, ids=names(INPUTS))
def test_an_input_takes_what_the_table_says(field: Field) -> None:
    parameter = SIGNATURE[field.name]

    if field.kind is Kind.JOBS:
        assert (parameter.annotation, parameter.default) == (resource.Jobs, parameter.empty)
    else:
        # None, and not the default itself, because the provider fills defaults in.
        assert (parameter.annotation, parameter.default) == (pulumi.Input[value_type(field)] | None, None)


@pytest.mark.parametrize(
    ("doc", "fields"), [(JobBatchStart.__init__.__doc__, INPUTS), (JobStartArgs.__doc__, JOB_FIELDS)], ids=["resource", "job"]
)
def test_the_docstring_has_every_input_with_its_words_and_its_default(doc: str, fields: Sequence[Field]) -> None:
    said = described(doc)

    assert [name for name in said if name not in ("resource_name", "opts")] == names(fields)
    for field in fields:
        assert all(f"``{word}``" in said[field.name] for word in field.words)
        if field.kind is Kind.WORD:
            assert f"``{field.default}`` (default)" in said[field.name]
        elif field.default is not None:
            assert f"Default: ``{field.default}``" in said[field.name]


def test_the_attributes_are_the_inputs_and_the_outputs() -> None:
    normal: dict[str, Any] = {
        field.name: value_type(field) if field.default is not None else str | None for field in INPUTS if field.name != "jobs"
    }
    outputs = {"job_statuses": dict[str, JobStatus], "summary": BatchSummary, "problems": dict[str, JobProblem], "ready": bool}

    assert list(outputs) == names(OUTPUTS)
    expected = {"jobs": list[JobStart], **normal, **outputs}
    assert list(attributes().items()) == [(name, pulumi.Output[expected[name]]) for name in (*names(INPUTS), *outputs)]


def test_a_job_has_the_fields_of_the_table_in_every_form() -> None:
    optional = {field.name for field in JOB_FIELDS if field.kind is not Kind.JOB_ID}
    given = {field.name: pulumi.Input[value_type(field)] for field in JOB_FIELDS}

    assert {field.name: field.type for field in dataclasses.fields(JobStartArgs)} == {
        name: annotation | None if name in optional else annotation for name, annotation in given.items()
    }
    assert JobStartArgsDict.__annotations__ == given
    assert get_type_hints(JobStart) == {field.name: str if field.kind is Kind.TIME else value_type(field) for field in JOB_FIELDS}
    assert JobStartArgsDict.__optional_keys__ == JobStart.__optional_keys__ == optional


def test_a_row_has_the_fields_of_the_table() -> None:
    always: dict[str, Any] = {field.name: value_type(field) for field in ROW_FIELDS if field.kind is Kind.WORD} | {"status": str}

    always |= {field.name: int | None for field in ROW_FIELDS if field.kind is Kind.NUMBER}

    assert get_type_hints(JobStatus) == {name: always.get(name, str | None) for name in names(ROW_FIELDS)}


def test_a_problem_has_the_fields_of_the_table() -> None:
    assert list(get_type_hints(JobProblem)) == names(PROBLEM_FIELDS)


def test_the_summary_has_every_phase() -> None:
    assert get_type_hints(BatchSummary) == dict.fromkeys(("total", *get_args(types.Phase)), int)


@pytest.mark.parametrize(
    ("words", "enum"),
    [
        (types.DesiredState, declared.DesiredState),
        (types.WaitFor, declared.Goal),
        (types.OnFailure, declared.OnFailure),
        (types.OnDestroy, declared.OnDestroy),
        (types.Phase, phase.Phase),
        (types.DbUseType, DB_USE_TYPES),
    ],
)
def test_words_are_those_that_decisions_are_made_with(words: Any, enum: Any) -> None:
    assert get_args(words) == tuple(getattr(word, "value", word) for word in enum)
