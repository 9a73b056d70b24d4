"""
The schema of the package, from which Pulumi checks YAML programs and makes the libraries of other languages.

Everything is from the tables of fields and of settings. `schema.json` beside this module is what `python -m
pulumi_drs_start.native.schema` writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

from ..engine import VERSION
from ..schema.dialect import YAML
from ..schema.fields import FUNCTIONS, INPUTS, JOB_FIELDS, OUTPUTS, ROWS, Field, Function, Kind
from ..schema.types import CurrentJobStatus, JobProblem, JobStatus
from ..schema.words import sentence
from ..settings.keys import KEYS, Key

FILE = Path(__file__).with_name("schema.json")

_TYPES = {"job_statuses": "JobStatus", "problems": "JobProblem", "statuses": "CurrentJobStatus"}
_ROW_TYPES = {"JobStatus": JobStatus, "JobProblem": JobProblem, "CurrentJobStatus": CurrentJobStatus}
_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_PLAIN: dict[Kind, dict[str, Any]] = {
    Kind.FLAG: {"type": "boolean"},
    Kind.NUMBER: {"type": "integer"},
    Kind.IDS: _TEXTS,
    Kind.TEXTS: {"oneOf": [_TEXT, _TEXTS]},
    Kind.TAGS: {"type": "object", "additionalProperties": _TEXT},
}
# Without it a library has a placeholder for its version, which `pulumi` then refuses.
_VERSIONED = {"respectSchemaVersion": True}
_NAMES_IN_TEXTS = re.compile(r"`([a-z]+(?:_[a-z]+)+)`")
_SETTINGS_IN_TEXTS = re.compile(r'`([a-z_]+)="([a-z_]+)"`')


def make_schema() -> dict[str, Any]:
    """The schema, as JSON."""
    settings = {key.config: _setting(key) for key in KEYS.values() if key.config}
    return {
        "name": "drs",
        "displayName": "Open Telekom Cloud DRS",
        "version": VERSION,
        "description": "Start data-replication jobs of Open Telekom Cloud DRS, many at once and safely repeatable.",
        "keywords": ["pulumi", "drs", "open-telekom-cloud", "kind/native", "category/database"],
        "license": "Apache-2.0",
        "meta": {"moduleFormat": "(.*)"},
        "language": {
            "nodejs": {"packageName": "pulumi-drs", **_VERSIONED},
            "python": {"pyproject": {"enabled": True}, **_VERSIONED},
            "go": _VERSIONED,
            "csharp": _VERSIONED,
        },
        "config": {"variables": settings},
        "provider": {
            "description": "Where jobs are, and who logs in. What is not given comes from the environment or `clouds.yaml`.",
            "inputProperties": settings,
        },
        "types": _types(),
        "resources": {"drs:index:JobBatchStart": _resource()},
        "functions": {f"drs:index:{YAML.name(function.name)}": _function(function) for function in FUNCTIONS},
    }


def text() -> str:
    """The schema as it is kept in `FILE`."""
    return json.dumps(make_schema(), indent=2, ensure_ascii=False) + "\n"


def _resource() -> dict[str, Any]:
    inputs = _properties(INPUTS)
    jobs = {"type": "array", "items": _ref("JobStart"), "description": "The jobs, in the order of their ids."}
    kept = [field for field in INPUTS if field.default is not None or field.kind is Kind.JOBS]
    return {
        "description": "DRS jobs that shall be started, many at once. `pulumi up` starts the jobs that are not started yet, and "
        "no others; a job that already runs is taken over, and one that is taken off the list is left as it is.",
        "inputProperties": inputs,
        "requiredInputs": ["jobs"],
        "properties": {**inputs, "jobs": jobs, **_properties(OUTPUTS)},
        "required": [YAML.name(field.name) for field in (*kept, *OUTPUTS)],
        "stateInputs": {"type": "object", "properties": _properties([field for field in INPUTS if field.is_place])},
    }


def _function(function: Function) -> dict[str, Any]:
    result = function.result
    return {
        "description": _described(function.doc),
        "inputs": {
            "type": "object",
            "properties": _properties(function.arguments),
            "required": [YAML.name(name) for name in function.needed],
        },
        "outputs": {"type": "object", "properties": _properties([result]), "required": [YAML.name(result.name)]},
    }


def _types() -> dict[str, Any]:
    rows = {**ROWS, **{function.result.name: function.rows for function in FUNCTIONS if function.rows}}
    functions = [field for function in FUNCTIONS for field in function.arguments]
    words = [
        field
        for field in (*INPUTS, *JOB_FIELDS, *functions, *(each for fields in rows.values() for each in fields))
        if field.words
    ]
    return {
        "drs:index:JobStart": {
            "type": "object",
            "description": "A job with a time or a state of its own.",
            "properties": _properties(JOB_FIELDS),
            "required": ["jobId"],
        },
        **{f"drs:index:{_TYPES[name]}": _row(_TYPES[name], fields) for name, fields in rows.items()},
        **{
            f"drs:index:{_type_name(field)}": {
                "type": "string",
                "description": _description(field),
                "enum": [{"value": word} for word in field.words],
            }
            for field in words
        },
    }


def _row(name: str, fields: Sequence[Field]) -> dict[str, Any]:
    hints = get_type_hints(_ROW_TYPES[name])
    return {
        "type": "object",
        "description": sentence(next(field.doc for field in _MAPS if _TYPES[field.name] == name)),
        "properties": _properties(fields),
        "required": [YAML.name(field.name) for field in fields if type(None) not in get_args(hints[field.name])],
    }


_MAPS = [field for field in (*OUTPUTS, *(function.result for function in FUNCTIONS)) if field.name in _TYPES]


def _properties(fields: Sequence[Field]) -> dict[str, Any]:
    return {YAML.name(field.name): {**_type(field), "description": _description(field)} for field in fields}


def _type(field: Field) -> dict[str, Any]:
    if field.kind is Kind.JOBS:
        return {"type": "array", "items": {"oneOf": [_TEXT, _ref("JobStart")]}}
    if field.kind is Kind.MAP:
        return {
            "type": "object",
            "additionalProperties": _ref(_TYPES[field.name]) if field.name in _TYPES else {"type": "integer"},
        }
    if field.kind is Kind.WORDS:
        return {"oneOf": [_ref(_type_name(field)), {"type": "array", "items": _ref(_type_name(field))}]}
    if field.words:
        return _ref(_type_name(field))
    return _PLAIN.get(field.kind, _TEXT)


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/types/drs:index:{name}"}


def _type_name(field: Field) -> str:
    name = YAML.name(field.name)
    return name[0].upper() + name[1:]


def _description(field: Field) -> str:
    is_word = field.default is not None and field.kind is not Kind.FLAG
    default = f" Default: `{field.default}`." if is_word else ""
    return f"{_described(sentence(field.doc))}{default}"


def _described(doc: str) -> str:
    doc = _SETTINGS_IN_TEXTS.sub(lambda setting: f"`{YAML.setting(setting[1], setting[2])}`", doc)
    return _NAMES_IN_TEXTS.sub(lambda name: f"`{YAML.name(name[1])}`", doc)


def _setting(key: Key) -> dict[str, Any]:
    described = {"type": "string", "description": f"{sentence(key.label).rstrip('.')}. By default `{key.environment[0]}` counts."}
    return {**described, "secret": True} if key.is_secret else described


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
