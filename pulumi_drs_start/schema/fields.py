"""
The table of fields: every input, every output and every key of the state, once.

Validation, the normal form and the keys of the state are made from it. The README and `resource.py` say what the fields mean;
tests compare both with this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, get_args

from .types import DesiredState, OnDestroy, OnFailure, WaitFor


class Kind(Enum):
    """What values an input takes."""

    JOBS = auto()
    JOB_ID = auto()
    TIME = auto()
    DURATION = auto()
    WORD = auto()
    FLAG = auto()
    TEXT = auto()


@dataclass(frozen=True, slots=True)
class Field:
    """One input of the resource or of a job.

    Attributes:
        default: what it is when it is left out; None where nothing stands for it.
        words: of WORD: the values.
    """

    name: str
    kind: Kind
    default: Any = None
    words: tuple[str, ...] = ()


PLACE_INPUTS = ("region", "project_id", "endpoint", "cloud")
"""Inputs that say where the jobs are. A change of one may replace the resource."""

JOB_FIELDS = (
    Field("job_id", Kind.JOB_ID),
    Field("start_time", Kind.TIME),
    Field("desired_state", Kind.WORD, "started", get_args(DesiredState)),
)

INPUTS = (
    Field("jobs", Kind.JOBS),
    Field("start_time", Kind.TIME),
    Field("wait_for", Kind.WORD, "running", get_args(WaitFor)),
    Field("timeout", Kind.DURATION, "60m"),
    Field("resume", Kind.FLAG, default=False),
    Field("precheck", Kind.FLAG, default=False),
    Field("on_failure", Kind.WORD, "fail", get_args(OnFailure)),
    Field("on_destroy", Kind.WORD, "leave", get_args(OnDestroy)),
    *(Field(name, Kind.TEXT) for name in PLACE_INPUTS),
)
INPUT_NAMES = tuple(field.name for field in INPUTS)

OUTPUTS = ("job_statuses", "summary", "ready")

FORMAT = "format"
"""Key of the state: the version of its format."""

SECRET_INPUTS = "secret_inputs"  # noqa: S105 - a name
"""Key of the inputs and the state: names of the inputs that are secret, with blanks between."""

INTERNAL = (
    FORMAT,
    SECRET_INPUTS,
    "place",  # Where the jobs are: endpoint and project id.
    "records",  # What the next operation needs to know of each job.
    "to_start",  # Of the inputs: the jobs that are not started, for the difference that Pulumi shows.
    "to_resume",  # Of the inputs: the jobs to be resumed, likewise.
    "found",  # Of the inputs: what find_jobs knows beside the ids.
    "unreported_failure",  # A failure that the host could not report. It fails the program.
)
"""Keys of inputs and state that programs neither write nor read."""

NOT_DECLARED = {*OUTPUTS, *INTERNAL} - {"found"}
"""Keys of inputs and state that are no inputs of the program."""

REPEATED = ("jobs", "start_time")
"""Inputs whose values, which may be secret, are repeated by the keys in `REPEATING`."""

REPEATING = ("job_statuses", "records", "to_start", "to_resume")
