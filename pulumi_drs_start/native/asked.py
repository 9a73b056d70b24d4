"""
The functions: what they are asked, and what they answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from pulumi.runtime.proto import engine_pb2, provider_pb2

from ..drs.text import closest
from ..engine import tell
from ..operations.asking import Asker, AskingError
from ..schema.dialect import YAML
from ..schema.fields import FUNCTIONS
from . import wire
from .searches import Searches

_FUNCTIONS = {f"drs:index:{YAML.name(function.name)}": function for function in FUNCTIONS}
# Takes the arguments by name, and the names of those that are secret.
_Answer = Callable[[Asker, Searches, Mapping[str, Any], Collection[str]], Any]


def answer(token: str, args: Any, asker: Asker, searches: Searches) -> Any:
    """Call the function of this name. What is wrong is a failure, which ends the program."""
    function = _FUNCTIONS[token]
    given, secret = wire.arguments(args)
    known = {field.name: field.default for field in function.arguments}
    problems = [_not_an_argument(name, known) for name in given if name not in known]
    if not problems:
        try:
            result = _ANSWERS[function.name](asker, searches, {**known, **given}, secret)
        except AskingError as exc:
            problems = [str(exc)]
        except (TypeError, ValueError) as exc:
            # The text begins with the argument.
            argument, _, problem = str(exc).partition(" ")
            problems = [f"{YAML.name(argument)} {problem}"]
        else:
            # What secret arguments lead to tells of them.
            hidden = [function.result.name] if secret else []
            return provider_pb2.InvokeResponse(**{"return": wire.struct_of({function.result.name: result}, hidden)})
    return provider_pb2.InvokeResponse(failures=[provider_pb2.CheckFailure(reason=problem) for problem in problems])


def _not_an_argument(name: str, known: Collection[str]) -> str:
    close = closest(name, known)
    return f"{YAML.name(name)} is not an argument" + (f"; did you mean {YAML.name(close)}?" if close else "")


def _find(asker: Asker, searches: Searches, arguments: Mapping[str, Any], secret: Collection[str]) -> list[str]:
    search = asker.find(arguments, secret)
    searches.remember(search.found)
    if search.why_none:
        # Of jobs with another status, as after every `up` that started them, the command keeps no line.
        is_passing = bool(search.found.other_status)
        tell(engine_pb2.INFO if is_passing else engine_pb2.WARNING, search.why_none, ephemeral=is_passing)
    return list(search.found)


_ANSWERS: Mapping[str, _Answer] = {
    "find_jobs": _find,
    "get_job_statuses": lambda asker, searches, given, secret: asker.get_statuses(given, searches.names, secret),
    "require_synced": lambda asker, searches, given, secret: asker.require_synced(given, searches.names, secret),
}
