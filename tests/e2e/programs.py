"""Programs that say the same in Python and in YAML. Inputs have Python's names in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TYPE = "drs:index:JobBatchStart"
EXPORTS = {"statuses": "job_statuses", "summary": "summary", "ready": "ready"}
"""What a program with a resource `batch` exports of it: the names of the outputs, by the names of the exports."""


@dataclass(frozen=True)
class Expression:
    """A value that is no literal.

    Attributes:
        python: and `yaml`: how programs write it.
    """

    python: str
    yaml: Any

    def __repr__(self) -> str:
        return self.python


def secret(value: Any) -> Expression:
    """A value that is a secret."""
    return Expression(f"pulumi.Output.secret({value!r})", {"fn::secret": _yaml_value(value)})


@dataclass(frozen=True)
class Batch:
    """One `JobBatchStart` of a program; see `batch`."""

    name: str
    inputs: Mapping[str, Any]
    after: str
    options: Mapping[str, Any]


def batch(name: str, *jobs: Any, after: str = "", options: Mapping[str, Any] | None = None, **inputs: Any) -> Batch:
    """A resource with these jobs.

    Args:
        name: an identifier.
        jobs: ids, dicts or expressions.
        after: the name of a resource before it that it depends on.
        options: what else Pulumi is told of it.
        inputs: others, or ``jobs`` where they are an expression.
    """
    return Batch(name, {"jobs": list(jobs), **inputs}, after, options or {})


def in_python(batches: Sequence[Batch]) -> str:
    """The program, without its imports."""
    exported = [f"pulumi.export({name!r}, batch.{output})\n" for name, output in EXPORTS.items() if _has_exports(batches)]
    return "".join([*map(_python_line, batches), *exported])


def in_yaml(batches: Sequence[Batch]) -> dict[str, Any]:
    """The resources and outputs of the program."""
    outputs = {name: f"${{batch.{_camel(output)}}}" for name, output in EXPORTS.items() if _has_exports(batches)}
    return {"resources": {one.name: _yaml_resource(one) for one in batches}, "outputs": outputs}


def with_python_names(value: Any) -> Any:
    """What a YAML program was given, with the keys that Python programs see. Ids of jobs have no capitals."""
    if isinstance(value, Mapping):
        return {_snake(key): with_python_names(part) for key, part in value.items()}
    return [with_python_names(part) for part in value] if isinstance(value, list) else value


def _has_exports(batches: Sequence[Batch]) -> bool:
    return any(one.name == "batch" for one in batches)


def _python_line(one: Batch) -> str:
    options = [f"{name}={value!r}" for name, value in one.options.items()]
    options += [f"depends_on=[{one.after}]"] if one.after else []
    arguments = [repr(one.name), *(f"{name}={value!r}" for name, value in one.inputs.items())]
    arguments += [f"opts=pulumi.ResourceOptions({', '.join(options)})"] if options else []
    return f"{one.name} = JobBatchStart({', '.join(arguments)})\n"


def _yaml_resource(one: Batch) -> dict[str, Any]:
    options = _yaml_value(one.options) | ({"dependsOn": [f"${{{one.after}}}"]} if one.after else {})
    return {"type": TYPE, "properties": _yaml_value(one.inputs), "options": options}


def _yaml_value(value: Any) -> Any:
    if isinstance(value, Expression):
        return value.yaml
    if isinstance(value, Mapping):
        return {_camel(name): _yaml_value(part) for name, part in value.items()}
    return [_yaml_value(part) for part in value] if isinstance(value, list) else value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
