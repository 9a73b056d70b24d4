"""
The wire form of values. Nothing else in the package knows of camelCase, of wrapped secrets, of the texts that stand for values
that are not known yet, or that every number is a float.

A bag that comes in has the names of the table of fields. The names of its secret inputs are under `SECRET_INPUTS`; when it goes
out, these and what repeats them are wrapped again. Keys that are no names are left alone: ids of jobs, and phases.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

from ..schema.dialect import YAML
from ..schema.fields import FUNCTIONS, INPUT_NAMES, INPUTS, JOB_FIELDS, OUTPUTS, REPEATED, REPEATING, ROWS, SECRET_INPUTS

UNKNOWN: str = rpc.UNKNOWN
"""Stands in bags for a value that is not known yet."""

# One for each kind of value that may be expected.
_UNKNOWN_TEXTS = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
_FIELDS = (
    *INPUTS,
    *JOB_FIELDS,
    *OUTPUTS,
    *(field for fields in ROWS.values() for field in fields),
    *(field for function in FUNCTIONS for field in (*function.arguments, function.result)),
)
# Keys of values that are ids of jobs, with rows.
_MAPS_OF_ROWS = frozenset({*ROWS, *(function.result.name for function in FUNCTIONS if function.rows)})
_PYTHON_NAMES = {YAML.name(field.name): field.name for field in _FIELDS}


def is_unknown(value: Any) -> bool:
    """Whether this stands for a value that is not known yet."""
    return isinstance(value, str) and value == UNKNOWN


def plain(struct: struct_pb2.Struct) -> tuple[dict[str, Any], list[str]]:
    """Values by the names they have, in the open, and the names of those that are or hold a secret."""
    values, secret = {}, []
    for name, value in struct.fields.items():
        found: list[None] = []
        values[name] = _plain(value, found)
        if found:
            secret.append(name)
    return values, secret


def to_bag(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Inputs or outputs of a resource."""
    values, secret = plain(struct)
    bag = _respelled(values, _python_name)
    hidden = [name for name in INPUT_NAMES if name in {_python_name(name) for name in secret}]
    return {**bag, SECRET_INPUTS: " ".join(hidden)} if hidden else bag


def from_bag(bag: Mapping[str, Any]) -> struct_pb2.Struct:
    """The wire form of inputs or outputs."""
    hidden = str(bag.get(SECRET_INPUTS) or "").split()
    if not set(REPEATED).isdisjoint(hidden):
        hidden += REPEATING
    return struct_of({name: value for name, value in bag.items() if name != SECRET_INPUTS}, hidden)


def from_outputs(bag: Mapping[str, Any]) -> struct_pb2.Struct:
    """The wire form of outputs, in which every job has fields, whatever the program wrote."""
    jobs = bag.get("jobs")
    return from_bag({**bag, "jobs": [_with_fields(job) for job in jobs]} if isinstance(jobs, list) else bag)


def struct_of(bag: Mapping[str, Any], secret: Collection[str] = ()) -> struct_pb2.Struct:
    """The wire form of values by Python's names, some of them secret."""
    values = {name: rpc.wrap_rpc_secret(value) if name in secret else value for name, value in bag.items()}
    struct = struct_pb2.Struct()
    struct.update(_without_none(_respelled(values, _wire_name)))
    return struct


def arguments(struct: struct_pb2.Struct) -> tuple[dict[str, Any], list[str]]:
    """Arguments of a function by Python's names, and the names of the secret ones."""
    values, secret = plain(struct)
    return {_python_name(name): value for name, value in values.items()}, [_python_name(name) for name in secret]


def _plain(value: struct_pb2.Value, found: list[None]) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        parts = {name: _plain(part, found) for name, part in value.struct_value.fields.items()}
        if rpc.is_rpc_secret(parts):
            found.append(None)
            return parts.get("value")
        return parts
    if kind == "list_value":
        return [_plain(part, found) for part in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "string_value":
        return UNKNOWN if value.string_value in _UNKNOWN_TEXTS else value.string_value
    return value.bool_value if kind == "bool_value" else None


def _respelled(bag: Mapping[str, Any], spell: Callable[[str], str]) -> dict[str, Any]:
    return {spell(name): _parts_respelled(_python_name(name), value, spell) for name, value in bag.items()}


def _parts_respelled(name: str, value: Any, spell: Callable[[str], str]) -> Any:
    if rpc.is_rpc_secret(value):
        return rpc.wrap_rpc_secret(_parts_respelled(name, value["value"], spell))
    if name == "jobs" and isinstance(value, list):
        return [_keys_respelled(job, spell) for job in value]
    if name in _MAPS_OF_ROWS and isinstance(value, Mapping):
        return {job_id: _keys_respelled(row, spell) for job_id, row in value.items()}
    return value


def _keys_respelled(part: Any, spell: Callable[[str], str]) -> Any:
    return {spell(name): value for name, value in part.items()} if isinstance(part, Mapping) else part


def _python_name(name: str) -> str:
    return _PYTHON_NAMES.get(name, name)


def _wire_name(name: str) -> str:
    return name if name.startswith("__") else YAML.name(name)


def _with_fields(job: Any) -> Any:
    return {"job_id": job} if isinstance(job, str) and not is_unknown(job) else job


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_none(part) for name, part in value.items() if part is not None}
    return [_without_none(part) for part in value] if isinstance(value, Iterable) and not isinstance(value, str) else value
