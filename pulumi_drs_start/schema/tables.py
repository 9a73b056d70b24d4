"""
The tables of inputs and outputs in the README, made from the table of fields.
"""

from __future__ import annotations

from .fields import INPUTS, JOB_FIELDS, OUTPUTS, ROWS, Field, Kind

_TYPES = {Kind.FLAG: "bool", Kind.TEXT: "string", Kind.JOB_ID: "string", Kind.DURATION: '`"90s"`, `"30m"`, `"2h"`'}


def inputs_table() -> str:
    """The table of inputs, in Markdown."""
    lines = ["| input | type | default | meaning |", "| --- | --- | --- | --- |"]
    for field in INPUTS:
        if field.is_place:
            continue
        lines.append(_input(field.name, field))
        if field.kind is Kind.JOBS:
            lines += [_input(f"{field.name}[].{part.name}", part) for part in JOB_FIELDS]
    places = ", ".join(f"`{field.name}`" for field in INPUTS if field.is_place)
    meaning = "where these jobs are; a change to another place replaces the resource"
    lines.append(f"| {places} | string | from the configuration | {meaning} |")
    return "\n".join(lines)


def outputs_table() -> str:
    """The table of outputs, in Markdown."""
    lines = ["| output | type | meaning |", "| --- | --- | --- |"]
    for field in OUTPUTS:
        rows = "; ".join(map(_row_field, ROWS.get(field.name, ())))
        lines.append(f"| `{field.name}` | {_type(field)} | {field.doc}{': ' * bool(rows)}{rows} |")
    return "\n".join(lines)


def _input(name: str, field: Field) -> str:
    default = field.shown_default or (str(field.default) if field.kind is Kind.FLAG else f'"{field.default}"')
    shown = default if field.shown_default else f"`{default}`"
    return f"| `{name}` | {_type(field)} | {shown} | {field.doc} |"


def _row_field(field: Field) -> str:
    words = f": {', '.join(f'`{word}`' for word in field.words)}" if field.words else ""
    return f"`{field.name}` ({field.doc}{words})"


def _type(field: Field) -> str:
    if field.kind is Kind.WORD:
        return ", ".join(f'`"{word}"`' for word in field.words)
    return field.shown_type or _TYPES[field.kind]
