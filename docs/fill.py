"""
Writes the tables of the reference from the tables of the code: `make reference`.

They stand in the pages between two comments, so that a reader of the checkout has them too. `tests/docs` compares them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import get_args

import pulumi_drs_start
from pulumi_drs_start.drs import errors, gateway
from pulumi_drs_start.drs.calls.listing import _NO_MORE_ROWS
from pulumi_drs_start.reconcile.phase import _PHASES, Phase
from pulumi_drs_start.sandbox.errors import CODES
from pulumi_drs_start.schema import types as schema_types
from pulumi_drs_start.schema.fields import FUNCTIONS, INPUTS, JOB_FIELDS, OUTPUTS, PREVIEWED, ROWS, Field, Function, Kind
from pulumi_drs_start.settings.keys import KEYS, Key

DOCS = Path(__file__).parent
MESSAGES = DOCS.parent / "tests" / "messages" / "messages.txt"
_PART = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

_NOTHING = "\N{EN DASH}"

_TYPES = {
    Kind.FLAG: "bool",
    Kind.TEXT: "string",
    Kind.JOB_ID: "string",
    Kind.DURATION: 'such as `"90s"`, `"30m"`, `"2h"`',
    Kind.TIME: "RFC 3339 text",
    Kind.NUMBER: "int",
    Kind.MAP: "dict",
    Kind.IDS: "list of ids",
    Kind.TEXTS: "string, or a list of them",
    Kind.TAGS: "dict: tag → value",
}

SETTINGS = {
    "username": "the name of the user who logs in",
    "user_id": "or the user's id",
    "password": "the user's password",
    "user_domain_name": "the domain of the user, such as `OTC-EU-DE-…`",
    "user_domain_id": "or the domain's id",
    "project_id": "the id of the project of the jobs",
    "project_name": "or the project's name",
    "project_domain_name": "the domain of the project, if it is another one",
    "project_domain_id": "or that domain's id",
    "region": "the region of the jobs: `eu-de` and `eu-nl` bring the addresses of DRS and IAM with them",
    "endpoint": "the address of DRS: scheme, host and port",
    "auth_url": "the address of IAM, `https://…/v3`",
    "token": "a ready token, in place of user and password",
    "cloud": "an entry of `clouds.yaml` and `secure.yaml`",
    "access_key": "an access key, in place of user and password",
    "secret_key": "the secret of the access key",
    "security_token": "the security token of a temporary access key",
    "client_cert": "a certificate to show to IAM",
    "client_key": "the key of that certificate",
    "ca_cert": "a file with the certificates to trust",
    "language": "the language of DRS's messages: `en-us` (default) or `zh-cn`",
    "batch_size": "how many jobs a call has at most, 100 by default",
}
"""What each setting is for. Those that no source can give are not here."""

UP = {
    Phase.PENDING: "waits",
    Phase.STARTABLE: "starts the job; just after an accepted start DRS may still say so, and the job is not started twice",
    Phase.SCHEDULED: "nothing if its time is the declared one; else asks DRS for the declared time, which it may refuse",
    Phase.STARTING: "waits",
    Phase.RUNNING: 'nothing: this is what was asked for; with `wait_for="synced"` waits for its copy',
    Phase.PAUSED: "resumes a job that this resource paused and that is declared `started` again, and with `resume` any job; "
    "else nothing but a warning",
    Phase.FAILED: "nothing but a warning: DRS retries by itself; with `resume` asks it to",
    Phase.START_FAILED: "reports a failure; with `resume` asks DRS to retry",
    Phase.ENDED: "nothing if this resource saw it running, or its time has passed after DRS accepted it; else, as when a "
    "schedule was cancelled before its time, or a job was stopped as declared and is declared `started` again, reports a "
    "failure: DRS starts no job twice",
    Phase.DEAD: "reports a failure",
    Phase.MISSING: "reports a failure; the other jobs are dealt with",
}
"""What `up` does with a job that is declared `started`."""

RUNNING = (
    *("FULL_TRANSFER_STARTED", "FULL_TRANSFER_COMPLETE", "INCRE_TRANSFER_STARTED", "CHANGE_JOB_STARTED"),
    *("CHILD_TRANSFER_STARTING", "CHILD_TRANSFER_STARTED", "CHILD_TRANSFER_COMPLETE", "CHILD_TRANSFER_FAILED"),
    *("RELEASE_CHILD_TRANSFER_STARTED", "RELEASE_CHILD_TRANSFER_COMPLETE"),
    *("REBUILD_NODE_STARTED", "REBUILD_NODE_FAILED"),
    *("NODE_UPGRADE_START", "NODE_UPGRADE_COMPLETE", "NODE_UPGRADE_FAILED"),
)
"""The statuses of a running job that DRS documents."""

_ASK_IAM = "ask whoever administers IAM for DRS FullAccess and VPC FullAccess in the project of the jobs"
_SEE_ID = "check the id, the region and the project, or take the job off the list"
_OF_US = "report it, with the request id of the message: this package should not send that"
ERRORS = {
    "DRS.M00002": ("there is no row to answer with", "nothing: it is read as an empty list"),
    "DRS.M00004": ("a fault of DRS", "run the command again; if it stays, ask the support of DRS"),
    "DRS.M00007": ("DRS does not take a parameter of the call", _OF_US),
    "DRS.M00100": ("the token is not, or no longer, valid", "give a new `drs:token` or `OS_TOKEN`, or a user and a password"),
    "DRS.M00101": ("the user has no role", _ASK_IAM),
    "DRS.M00102": ("the user may not do this", _ASK_IAM),
    "DRS.M00103": ("the user may not do this", _ASK_IAM),
    "DRS.M00105": ("the user is restricted, such as by unpaid bills", "ask whoever administers the account"),
    "DRS.M00200": ("DRS does not take a parameter of the call", _OF_US),
    "DRS.M00201": ("DRS misses a parameter of the call", _OF_US),
    "DRS.M00202": ("DRS does not take a value of the call", _OF_US),
    "DRS.M00210": ("DRS does not take the page that was asked for", _OF_US),
    "DRS.M00211": ("the page is behind the last one", "nothing: it is read as the end of the list"),
    "DRS.M00261": (
        "the project is not the one that the token is for",
        "give the id of the project of the jobs (`drs:projectId`, `OS_PROJECT_ID`, `project_id=`), and with a ready token one "
        "that is for it",
    ),
    "DRS.M00289": ("DRS does not know the job", _SEE_ID),
    "DRS.M00299": ("DRS takes one job per call here", "set `drs:batchSize` (`DRS_BATCH_SIZE`) to 1"),
    "DRS.M00300": ("DRS does not take the request; its text says why", "do what the text says"),
    "DRS.M00301": ("the request names a job twice", _OF_US),
    "DRS.M00302": ("DRS does not support this kind of job", "look at the job in the DRS console"),
    "DRS.M00304": (
        "the job's status does not allow it; a job that waits to be started is not configured, or not pre-checked",
        "finish its configuration and its pre-check in DRS",
    ),
    "DRS.M00305": ("DRS does not take a parameter; its text says which", "do what the text says"),
    "DRS.M00307": ("the job is the parent of a pair", "declare its subtasks instead"),
    "DRS.M00308": ("the job is a subtask of a pair, and only its parent can be stopped", "stop the parent in the DRS console"),
    "DRS.M01501": ("a fault of DRS", "look at the job in the DRS console"),
    "DRS.M01503": ("calls come too often", "wait a little; where many stacks run at once, run fewer"),
    "DRS.M01504": (
        "another operation runs on the job, or the job is abnormal",
        "wait until DRS has finished with the job, or look at it in the DRS console",
    ),
    "DRS.M05003": ("DRS does not know the job", _SEE_ID),
    "DRS.M05004": ("the job was deleted, or its resources were released", "take it off the list, or create a new job"),
    "DRS.M05006": ("the database instance of the job is not valid", "look at the job in the DRS console"),
    "DRS.M06011": (
        "DRS can't read the database instance",
        "run the command again; if it stays, look at the job in the DRS console",
    ),
    "DRS.M06020": ("a migration job has set the target to read and write", "look at the target's jobs in the DRS console"),
    "DRS.M06021": ("a synchronization job has set the target to read and write", "look at the target's jobs in the DRS console"),
    "DRS.KE0002": ("the user name or the password of a database is wrong", "mend it in the job, in the DRS console"),
}
"""Codes of DRS: the cause, and the remedy. Their HTTP statuses are those of the sandbox, which has them from DRS's documents."""

_WHO_CALLS = ("0301", "0302", "0303", "0304", "0305", "0306", "0307", "0310", "0311", "0312", "0313", "0314")
_AGAIN = "run the command again; if it stays, ask the support of the cloud"
GATEWAY = {
    ("0308",): ("calls come too often", "wait a little; where many stacks run at once, run fewer"),
    _WHO_CALLS: ("the token or the signature is not accepted", "check the login; with an access key also this machine's clock"),
    ("0204", "0205"): (
        "the TLS version or the certificate is not accepted",
        "check the proxy, and `cert` and `key` of `clouds.yaml`",
    ),
    ("0401", "0402", "0405"): ("calls from this network are not accepted", "ask whoever administers the network"),
    ("0501", "0502"): ("a quota is used up, or the account is frozen", "ask whoever administers the account"),
    ("0801", "0802"): ("the service, or the user, is not allowed in this region", "check the region, and the rights of the user"),
    ("0101", "0103", "0404", "0605", "0609", "0610", "0611"): (
        "the gateway finds no DRS to pass the call on to",
        f"check `drs:endpoint` and the region; {_AGAIN}",
    ),
    ("0104", "0105", "0106", "0602", "0606", "0607", "0608", "0612", "0613", "0615", "0616", "0617", "0705"): (
        "the gateway could not pass the call on",
        _AGAIN,
    ),
    ("0107", "0201", "0202", "0203", "0601"): ("no good answer of DRS came back: it may have acted", _AGAIN),
}
"""Numbers of the gateway's codes: the cause, and the remedy."""

_DOES: dict[type[errors.ServiceRefusedError], str] = {
    errors.TokenRejectedError: "logs in anew and asks again, once",
    errors.PermissionDeniedError: "fails",
    errors.ThrottledError: "sends one call at a time and asks again within `timeout`",
    errors.JobBusyError: "asks again within `timeout`",
    errors.WrongStatusError: "reads the status and decides anew",
    errors.JobUnknownError: "fails for this job, and deals with the others",
    errors.OneJobOnlyError: "sends the jobs of that call one by one",
    errors.ServiceFaultError: "reads the statuses, and asks again within `timeout`",
    errors.NotAskedError: "asks again within `timeout`",
    errors.ServiceRefusedError: "fails for the jobs that are refused",
}


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *map(list, rows)]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _code(*words: str | None) -> str:
    return ", ".join(f"`{word}`" for word in words if word) or _NOTHING


def _type(field: Field) -> str:
    if field.words:
        listed = ", ".join(f'`"{word}"`' for word in field.words)
        return f"{listed}, or a list of them" if field.kind is Kind.WORDS else listed
    return field.shown_type or _TYPES[field.kind]


def _default(field: Field) -> str:
    if field.shown_default:
        return field.shown_default
    if field.is_place:
        return "from the configuration"
    if field.default is None:
        return _NOTHING
    return _code(str(field.default) if field.kind is Kind.FLAG else f'"{field.default}"')


def _input(name: str, field: Field) -> tuple[str, ...]:
    meaning = field.doc + ("; a change to another place replaces the resource" if field.is_place else "")
    return _code(name), _type(field), _default(field), meaning


def inputs() -> str:
    rows = []
    for field in INPUTS:
        rows.append(_input(field.name, field))
        if field.kind is Kind.JOBS:
            rows += [_input(f"{field.name}[].{part.name}", part) for part in JOB_FIELDS]
    return _table(("input", "type", "default", "meaning"), rows)


def _fields(fields: Iterable[Field]) -> str:
    return _table(("field", "type", "meaning"), ((_code(field.name), _type(field), field.doc) for field in fields))


def outputs() -> str:
    tables = [_table(("output", "type", "meaning"), ((_code(one.name), _type(one), one.doc) for one in OUTPUTS))]
    return "\n\n".join([*tables, *(f"## A row of {name}\n\n{_fields(fields)}" for name, fields in ROWS.items())])


def previewed() -> str:
    return _table(("shown", "meaning"), ((_code(field.name), field.doc) for field in PREVIEWED))


def functions() -> str:
    return "\n\n".join(map(_function, FUNCTIONS))


def _function(function: Function) -> str:
    head, *_ = _sections(inspect.getdoc(getattr(pulumi_drs_start, function.name)) or "")
    rows = [
        (_code(one.name), _type(one), "must be given" if one.name in function.needed else _default(one), one.doc)
        for one in function.arguments
    ]
    parts = [f"## {function.name}", head, _table(("argument", "type", "default", "meaning"), rows)]
    if function.rows:
        parts += ["The result is a dict: job id → row, a [`CurrentJobStatus`](types.md#currentjobstatus)."]
    else:
        parts += ["The result is a [`FoundJobs`](types.md#foundjobs), a list of ids that also knows how they were found."]
    parts.append(
        f"`{function.name}_output` takes arguments that are outputs, and returns an output. In a preview it may ask nothing."
    )
    return "\n\n".join(parts)


def _sections(doc: str) -> tuple[str, dict[str, str]]:
    """What a docstring says first, as Markdown, and what it says of each attribute."""
    first, _, rest = re.sub(r"^Args:$", "Attributes:", doc, flags=re.MULTILINE).partition("\nAttributes:\n")
    rest = re.split(r"^\w+:$", rest, flags=re.MULTILINE)[0]
    said = re.findall(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", rest, re.MULTILINE)
    return _markdown(first), {name: _markdown(text) for name, text in said}


def _markdown(text: str) -> str:
    """Text of a docstring with Markdown's marks, a paragraph a line."""
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    return re.sub(r"``([^`]+)``", r"`\1`", "\n\n".join(paragraphs))


def types() -> str:
    words = dict(re.findall(r'^(\w+) = Literal\[.*?\]\n"""(.*?)"""', inspect.getsource(schema_types), re.MULTILINE | re.DOTALL))
    parts = []
    for name in pulumi_drs_start.__all__:
        thing = getattr(pulumi_drs_start, name)
        if name in words:
            listed = ", ".join(f'`"{word}"`' for word in get_args(thing))
            parts.append(f"## {name}\n\n{_markdown(words[name])} One of {listed}.")
        elif inspect.isclass(thing) and name != "JobBatchStart":
            parts.append(f"## {name}\n\n{_class(thing)}")
    return "\n\n".join(parts)


def _class(thing: type) -> str:
    first, said = _sections(inspect.cleandoc(thing.__doc__ or ""))
    if thing.__annotations__.keys() >= schema_types.CurrentJobStatus.__annotations__.keys():
        # A type of rows has what the types have that it is made from.
        for part in (schema_types.CurrentJobStatus, schema_types.CopyFields):
            said |= _sections(inspect.cleandoc(part.__doc__ or ""))[1]
    return first + ("\n\n" + _table(("field", "meaning"), ((_code(one), text) for one, text in said.items())) if said else "")


def configuration() -> str:
    keys = {KEYS[field]: meaning for field, meaning in SETTINGS.items() if KEYS[field].config or KEYS[field].environment}
    return _table(("meaning", "configuration", "environment"), (_setting(key, meaning) for key, meaning in keys.items()))


def _setting(key: Key, meaning: str) -> tuple[str, ...]:
    config = _code(key.config and f"drs:{key.config}") + (" (secret)" if key.is_secret and key.config else "")
    older = f"; else {_code(*key.older)}" if key.older else ""
    return meaning, config, _code(*key.environment) + older


def clouds() -> str:
    keys = {KEYS[field]: meaning for field, meaning in SETTINGS.items() if KEYS[field].cloud}
    return _table(("in an entry", "meaning"), ((_code(key.cloud), meaning) for key, meaning in keys.items()))


def statuses() -> str:
    rows = []
    for phase in Phase:
        known = [status for status, its in _PHASES.items() if its is phase] or list(RUNNING)
        shown = _code(*known) + (", and every status not listed here" if phase is Phase.RUNNING else "")
        rows.append((_code(phase.value), "DRS does not know the job" if phase is Phase.MISSING else shown, UP[phase]))
    return _table(("phase", "statuses of DRS", "what `up` does"), rows)


def codes() -> str:
    rows = []
    for code, (cause, remedy) in ERRORS.items():
        kind = errors._BY_CODE.get(code, errors.ServiceRefusedError)
        does = "reads no further" if code in _NO_MORE_ROWS else _DOES[kind]
        rows.append((_code(code), str(CODES[code][0]), cause, does, remedy))
    return _table(("code", "HTTP", "cause", "what this package does", "remedy"), rows)


def gateway_codes() -> str:
    rows = [(_code(*numbers), cause, _gateway_does(numbers), remedy) for numbers, (cause, remedy) in GATEWAY.items()]
    return _table(("number", "cause", "what this package does", "remedy"), rows)


def _gateway_does(numbers: tuple[str, ...]) -> str:
    if any(code.endswith(numbers) for code in gateway.THROTTLED):
        return _DOES[errors.ThrottledError]
    if numbers == _WHO_CALLS:
        return "with HTTP 401 logs in anew and asks again, once; with 403 fails"
    kind = errors.ServiceFaultError if gateway._MAY_HAVE_ASKED.issuperset(numbers) else errors.NotAskedError
    return f"with HTTP 5xx {_DOES[kind]}; else fails"


def reasons() -> str:
    text = MESSAGES.read_text(encoding="utf-8")
    part = text.partition("# How a job stands, why, and what to do\n")[2].partition("\n# ")[0]
    found = re.findall(r"^## (.+)\n\n(.*)", part, re.MULTILINE)
    return _table(("reason", "what is said, here of one job"), ((name, said.removeprefix("1 job ")) for name, said in found))


MADE: Mapping[str, Callable[[], str]] = {
    made.__name__: made
    for made in (inputs, outputs, previewed, functions, types, configuration, clouds, statuses, codes, gateway_codes, reasons)
}


def filled(page: str) -> str:
    """A page with its tables as the code has them now."""
    return _PART.sub(lambda part: f"{part[1]}\n{MADE[part[2]]()}\n\n{part[3]}", page)


def main() -> None:
    for path in sorted(DOCS.glob("**/*.md")):
        page = path.read_text(encoding="utf-8")
        if (new := filled(page)) != page:
            path.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
