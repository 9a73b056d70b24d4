"""
The table of fields: every input, every output and every key of the state, once.

Validation, the normal form, the keys of the state and the tables of the documentation are made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, get_args, get_type_hints

from .types import (
    CurrentJobStatus,
    DbUseType,
    DesiredState,
    OnDestroy,
    OnFailure,
    Outcome,
    Phase,
    WaitFor,
)


class Kind(Enum):
    """What values a field takes."""

    JOBS = auto()
    JOB_ID = auto()
    TIME = auto()
    DURATION = auto()
    WORD = auto()
    FLAG = auto()
    TEXT = auto()
    # Of outputs alone:
    MAP = auto()
    NUMBER = auto()
    # Of functions alone:
    IDS = auto()
    TEXTS = auto()
    WORDS = auto()
    TAGS = auto()


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        name: in Python and in the state.
        kind: what values it takes.
        doc: a sentence for people, in Markdown.
        default: what it is when it is left out; None where nothing stands for it.
        words: of WORD: the values.
        is_place: it says where the jobs are, so that a change may replace the resource.
        is_repeated: outputs repeat its value, which may be secret.
        may_be_zero: of DURATION.
        repeats: an output that repeats such values.
        shown_type: its type for people, where the kind does not tell.
        shown_default: its default for people, likewise.
    """

    name: str
    kind: Kind
    doc: str = ""
    default: Any = None
    words: tuple[str, ...] = ()
    is_place: bool = False
    is_repeated: bool = False
    may_be_zero: bool = False
    repeats: bool = False
    shown_type: str = ""
    shown_default: str = ""


_TIME = "RFC 3339 or `datetime` with zone, or milliseconds since the epoch"

JOB_FIELDS = (
    Field("job_id", Kind.JOB_ID, "the job's id, as the DRS console shows it", shown_default="none"),
    Field("start_time", Kind.TIME, "when this job shall start", shown_type=_TIME, shown_default="that of the resource"),
    Field(
        "desired_state",
        Kind.WORD,
        default="started",
        words=get_args(DesiredState),
        doc="what the job shall be. `paused` pauses a running job, and does not start one that was not started. "
        "**`stopped` is final: a stopped job can never be started again**",
    ),
)

INPUTS = (
    Field(
        "jobs",
        Kind.JOBS,
        "the jobs of this resource: at least one, each once; the order does not matter. "
        "A job that is taken off the list is left as it is",
        is_repeated=True,
        shown_type="list of ids, `JobStartArgs` or dicts",
        shown_default="none",
    ),
    Field(
        "start_time",
        Kind.TIME,
        'when jobs without a `start_time` of their own shall start, such as `"2026-12-01T02:00:00+01:00"`; '
        "a time that is past starts them now, with a warning",
        is_repeated=True,
        shown_type=_TIME,
        shown_default="now",
    ),
    Field(
        "wait_for",
        Kind.WORD,
        default="running",
        words=get_args(WaitFor),
        doc="return when every job runs (a scheduled one: waits for its time), as soon as DRS accepted the starts, or when every "
        "copy has caught up with its source",
    ),
    Field(
        "max_delay",
        Kind.DURATION,
        "of `synced`: how far behind its source a copy may be to count as caught up",
        default="10s",
        may_be_zero=True,
    ),
    Field(
        "stable_for",
        Kind.DURATION,
        "of `synced`: for how long every reading of the delay has to be so small",
        default="60s",
        may_be_zero=True,
    ),
    Field(
        "timeout",
        Kind.DURATION,
        "for the whole operation; `custom_timeouts` of the resource's options win",
        default="60m",
    ),
    Field("resume", Kind.FLAG, "also resume jobs that are paused, have failed or failed to start", default=False),
    Field(
        "precheck",
        Kind.FLAG,
        "have DRS pre-check jobs before they are started; those that fail it are not started and name the failed items",
        default=False,
    ),
    Field(
        "on_failure",
        Kind.WORD,
        default="fail",
        words=get_args(OnFailure),
        doc="when some jobs can't be brought to their state: fail after all others were dealt with, or succeed with a warning. "
        "Every later `preview`, `refresh` and `up` warns of them, and `up` tries again what can be tried",
    ),
    Field(
        "on_destroy",
        Kind.WORD,
        default="leave",
        words=get_args(OnDestroy),
        doc="what becomes of the jobs when the **resource is deleted**, unless another resource declares them. "
        "**`stop` is final**",
    ),
    Field("region", Kind.TEXT, "the region of these jobs", is_place=True),
    Field("project_id", Kind.TEXT, "the id of their project", is_place=True),
    Field("endpoint", Kind.TEXT, "the address of DRS", is_place=True),
    Field("cloud", Kind.TEXT, "the entry of `clouds.yaml` to use for them", is_place=True),
)

ROW_FIELDS = (
    Field("name", Kind.TEXT, "what DRS calls the job, where that is known"),
    Field("status", Kind.TEXT, "DRS's word"),
    Field("phase", Kind.WORD, "what the status means", words=get_args(Phase)),
    Field(
        "outcome",
        Kind.WORD,
        "what the last operation did",
        words=get_args(Outcome),
    ),
    Field("start_time", Kind.TIME, "UTC, while a job is scheduled"),
    Field("progress", Kind.NUMBER, 'per cent of the full copy, with `wait_for="synced"`'),
    Field("delay_seconds", Kind.NUMBER, 'how far the copy is behind its source, with `wait_for="synced"`'),
    Field("error_code", Kind.TEXT, "DRS's code, when something is wrong"),
    Field("error_message", Kind.TEXT, "what is wrong"),
)

PROBLEM_FIELDS = (
    Field("name", Kind.TEXT, "what DRS calls the job, where that is known"),
    Field("status", Kind.TEXT, "DRS's word"),
    Field("error_code", Kind.TEXT, "DRS's code, where it gave one"),
    Field("error_message", Kind.TEXT, "what is wrong"),
    Field("advice", Kind.TEXT, "what to do"),
)

ROWS = {"job_statuses": ROW_FIELDS, "problems": PROBLEM_FIELDS}
"""The fields of each row, of the outputs that map ids of jobs to rows."""

OUTPUTS = (
    Field("job_statuses", Kind.MAP, "how each job stands", repeats=True, shown_type="dict: job id → dict"),
    Field("summary", Kind.MAP, "how many jobs are in each phase, and `total`", shown_type="dict: phase → number"),
    Field(
        "problems",
        Kind.MAP,
        "the jobs that are not what was declared, and only these: empty when all is well",
        repeats=True,
        shown_type="dict: job id → dict",
    ),
    Field("ready", Kind.FLAG, "every job is what was declared"),
)

TO_START, TO_RESUME, ALREADY_RUNNING = "to_start", "to_resume", "already_running"

PREVIEWED = (
    Field(TO_START, Kind.MAP, "the jobs that are not started"),
    Field(TO_RESUME, Kind.MAP, "the jobs to be resumed"),
    Field(ALREADY_RUNNING, Kind.MAP, "of a new resource: the jobs that run"),
)
"""Inputs that `check` adds in a preview, so that Pulumi shows them: the status of jobs by job id. They are never saved."""

# Pulumi saves names that begin with two underscores, and shows them nowhere.
FORMAT = "__format"
PLACE = "__place"
RECORDS = "__records"
FOUND = "__found"
PREVIEW = "__preview"
SECRET_INPUTS = "__secret_inputs"  # noqa: S105 - a name
UNREPORTED_FAILURE = "__unreported_failure"

INTERNAL = (
    Field(FORMAT, Kind.TEXT, "the version of the state's format"),
    Field(PLACE, Kind.MAP, "where the jobs are: endpoint and project id"),
    Field(RECORDS, Kind.MAP, "what the next operation needs to know of each job", repeats=True),
    Field(FOUND, Kind.MAP, "of the inputs: what find_jobs knows beside the ids"),
    Field(PREVIEW, Kind.FLAG, "of the program's inputs alone: this is a preview"),
    Field(SECRET_INPUTS, Kind.TEXT, "names of the inputs that are secret, with blanks between"),
    Field(UNREPORTED_FAILURE, Kind.TEXT, "a failure that the host could not report; it fails the program"),
)
"""Keys of inputs and state that programs neither write nor read."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function, which asks DRS without a resource.

    Attributes:
        name: in Python.
        doc: a sentence for people, in Markdown.
        result: what it returns.
        rows: of a result that maps ids of jobs to rows: their fields.
        needed: arguments that must be given.
    """

    name: str
    doc: str
    arguments: tuple[Field, ...]
    result: Field
    rows: tuple[Field, ...] = ()
    needed: tuple[str, ...] = ()


_PLACE_AND_TIME = (
    *(field for field in INPUTS if field.is_place),
    Field("timeout", Kind.DURATION, "for the whole call, repeats included", default="2m"),
)
_STATUSES = Field("statuses", Kind.MAP, "how each job stands, by its id")
_CURRENT_ROW = tuple(field for field in ROW_FIELDS if field.name in get_type_hints(CurrentJobStatus))
_JOB_IDS = Field("job_ids", Kind.IDS, "the ids of the jobs")

FUNCTIONS = (
    Function(
        "find_jobs",
        "The ids of the jobs that match every argument, in the order of the jobs' names. "
        "A parent of a dual-active pair can't be started: its children are found in its place.",
        arguments=(
            Field("name", Kind.TEXT, "the job's name, or a shell pattern such as `crm-*`"),
            Field("status", Kind.TEXTS, "one status of DRS, or several. `CONFIGURATION` is a job that was never started"),
            Field(
                "db_use_type",
                Kind.WORDS,
                "the kind of the jobs; `cloudDataGuard` is disaster recovery",
                words=get_args(DbUseType),
            ),
            Field("engine_type", Kind.TEXT, "the database engine, in DRS's spelling, such as `mysql`"),
            Field("enterprise_project_id", Kind.TEXT, "the id of the enterprise project of the jobs"),
            Field("tags", Kind.TAGS, "tags that the jobs have, with their values"),
            *_PLACE_AND_TIME,
        ),
        result=_JOB_IDS,
    ),
    Function(
        "get_job_statuses",
        "How jobs stand now. A job that DRS does not know has the status `MISSING` and the phase `missing`.",
        arguments=(
            _JOB_IDS,
            Field("progress", Kind.FLAG, "also ask how far the copies are, for `progress` and `delay_seconds`", default=False),
            *_PLACE_AND_TIME,
        ),
        result=_STATUSES,
        rows=_CURRENT_ROW,
        needed=("job_ids",),
    ),
    Function(
        "require_synced",
        "Fails the program, in a preview too, unless the copies of all these jobs have caught up with their sources: a gate, "
        "which does not wait. What must not happen before has to depend on the result.",
        arguments=(
            _JOB_IDS,
            Field("max_delay", Kind.DURATION, "how far behind a copy may be", default="10s", may_be_zero=True),
            *_PLACE_AND_TIME,
        ),
        result=_STATUSES,
        rows=_CURRENT_ROW,
        needed=("job_ids",),
    ),
)


def _names(fields: tuple[Field, ...], flag: str) -> tuple[str, ...]:
    return tuple(field.name for field in fields if getattr(field, flag))


INPUT_NAMES = tuple(field.name for field in INPUTS)
PLACE_INPUTS = _names(INPUTS, "is_place")
REPEATED = _names(INPUTS, "is_repeated")
REPEATING = _names(OUTPUTS + INTERNAL, "repeats")
NOT_DECLARED = frozenset(field.name for field in OUTPUTS + PREVIEWED + INTERNAL)
"""Keys of a bag that are no inputs of the program."""
