"""
The sources of settings as layers, strongest first: the program's inputs, the stack's configuration, the environment.

An entry of clouds.yaml is a layer of its own. It follows the layer that names it, so it wins over the weaker ones, and these
lose all that says who logs in and where: a cloud's login is complete, or it is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .keys import KEYS, LOGIN_FIELDS, Key
from .model import Overrides

PROGRAM, STACK, ENVIRONMENT = range(3)

# An id and a name of the same thing.
_TWINS = (
    ("project_id", "project_name"),
    ("user_id", "username"),
    ("user_domain_id", "user_domain_name"),
    ("project_domain_id", "project_domain_name"),
)
_TWIN_OF = {one: other for pair in _TWINS for one, other in (pair, pair[::-1])}


@dataclass(frozen=True, slots=True)
class Value:
    """The text of a setting, and what the user calls the place that it is from, such as ``OS_PASSWORD``."""

    text: str = field(repr=False)
    origin: str


# By field of `Settings`.
Layer = dict[str, Value]


def collect(config: Mapping[str, str], environment: Mapping[str, str], overrides: Overrides) -> list[Layer]:
    """The layers `PROGRAM`, `STACK` and `ENVIRONMENT`. Arguments as for `load_settings`."""
    keys = KEYS.values()
    exported = _layer((key, environment.get(name), name) for key in keys for name in key.environment)
    older = _layer((key, environment.get(name), name) for key in keys for name in key.older)
    return [
        _layer((key, getattr(overrides, key.input), f"{key.input} in the program") for key in keys if key.input),
        _layer((key, config.get(key.config), f"drs:{key.config}") for key in keys if key.config),
        merge([exported, older]),
    ]


def insert_cloud(layers: Sequence[Layer], index: int, cloud: Layer) -> list[Layer]:
    """The layers with an entry of clouds.yaml behind the layer that names it, which has this index."""
    weaker = [{field: value for field, value in layer.items() if field not in LOGIN_FIELDS} for layer in layers[index + 1 :]]
    return [*layers[: index + 1], cloud, *weaker]


def merge(layers: Iterable[Layer]) -> Layer:
    """One layer: each value from the strongest that has it. Of an id and a name the stronger counts, of equals the id."""
    merged: Layer = {}
    for layer in layers:
        merged |= {field: value for field, value in layer.items() if not {field, _TWIN_OF.get(field)} & merged.keys()}
    for by_id, by_name in _TWINS:
        if by_id in merged:
            merged.pop(by_name, None)
    return merged


def rank(layers: Sequence[Layer], field: str) -> int:
    """Which layer gives a value, the strongest first; the number of layers if none does."""
    return next((index for index, layer in enumerate(layers) if field in layer), len(layers))


def _layer(given: Iterable[tuple[Key, str | None, str]]) -> Layer:
    """A layer of what is not empty."""
    layer: Layer = {}
    for key, value, origin in given:
        # Spaces around a password may be meant.
        text = (value or "") if key.field == "password" else (value or "").strip()
        if text:
            layer.setdefault(key.field, Value(text, origin))
    return layer
