"""The page's HTML. Every text of others passes `Texts`, which masks secrets and escapes the rest."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .. import faults
from ..clock import readable
from ..jobs import FULL, INCREMENTAL, PAUSED, SECRET, Job
from ..rules import ENDED, PAUSABLE
from ..state import State

JOBS_SHOWN = 200
CALLS_SHOWN = 100
MASK = "•••"
# Shorter ones would mask half of the words on the page.
SHORTEST_SECRET = 4
SHORTEST_BEGINNING = 8
# Those of `tokens`, whole or not.
TOKEN_PATTERN = r"MIISANDBOX[\w-]*"  # noqa: S105  # a pattern of them
HERE = Path(__file__).parent

# The buttons of a job, in this order; `page.js` knows what each of them calls.
ACTIONS = ("start", "pause", "resume", "fail", "unstart", "delay")
NOT_STARTED = ("CONFIGURATION", "WAITING_FOR_START", "STARTJOBING")
SPEEDS = (1, 10, 60, 600, 3600)

USUAL_FAULTS: tuple[tuple[str, faults.Fault], ...] = (
    ("Refuse to start: not allowed in this status", faults.refuse("batch-starting", "DRS.M00304")),
    ("Refuse to start one job of the call", faults.refuse_row("batch-starting", "DRS.M01504")),
    ("Start, and lose the answer", faults.drop_after("batch-starting")),
    ("Break the connection before the start", faults.drop_before("batch-starting")),
    ("Too frequent: ask later", faults.too_frequent("any")),
    ("Throttled: 429, ask again after 2 seconds", faults.throttled("any", 2)),
    ("Server error: 500", faults.server_error("any")),
    ("Error page of a proxy: 502", faults.html("any")),
    ("An answer that takes 5 seconds", faults.delay("any", 5)),
    ("A token that ends while it is used", faults.expire_token()),
    ("Refuse the login", faults.answer("tokens", 401, {"error": {"code": 401, "message": "Refused.", "title": "Unauthorized"}})),
    ("Leave one job out of the statuses", faults.missing_rows("batch-status")),
)


class Texts:
    """Makes texts fit to be shown."""

    def __init__(self, secrets: Collection[str]) -> None:
        self._secrets = sorted((secret for secret in secrets if len(secret) >= SHORTEST_SECRET), key=len, reverse=True)
        self._pattern = re.compile("|".join([TOKEN_PATTERN, *map(re.escape, self._secrets)]))

    def __call__(self, text: object) -> str:
        return html.escape(self._pattern.sub(MASK, str(text)))

    def cut(self, text: str) -> str:
        """The same of a text that may have been cut off in the middle of a secret."""
        for secret in self._secrets:
            for length in range(len(secret) - 1, SHORTEST_BEGINNING - 1, -1):
                if text.endswith(secret[:length]):
                    return self(text[:-length] + MASK)
        return self(text)


def texts_of(state: State) -> Texts:
    account = state.account
    return Texts({account.password, account.secret_key, account.application_credential_secret, SECRET})


def whole_page(state: State, wanted: str, nonce: str) -> str:
    """The page as it is first loaded, with `wanted` in its filter."""
    texts = texts_of(state)
    parts = {
        "nonce": nonce,
        "css": (HERE / "page.css").read_text(encoding="utf-8"),
        "js": (HERE / "page.js").read_text(encoding="utf-8"),
        "project": texts(state.account.project_id),
        "region": texts(state.account.region),
        "filter": texts(wanted),
        "jobs_shown": str(JOBS_SHOWN),
        "speeds": "".join(f'<option value="{speed}">{speed}&times;</option>' for speed in SPEEDS),
        "faults": "".join(
            f'<option value="{html.escape(json.dumps(fault.model_dump(exclude_defaults=True)))}">{html.escape(label)}</option>'
            for label, fault in USUAL_FAULTS
        ),
        **live_parts(state, wanted),
    }
    page = (HERE / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{([\w-]+)\}\}", lambda found: parts[found[1]], page)


def live_parts(state: State, wanted: str) -> dict[str, str]:
    """The inside of each element that changes while one looks, by its id."""
    texts = texts_of(state)
    with state.lock:
        jobs = state.settled()
        now = state.clock.now()
        found = [job for job in jobs if _is_wanted(job, wanted)]
        rows = "".join(_job_row(job, now, texts) for job in found[:JOBS_SHOWN])
        statuses = Counter(job.status for job in jobs)
    count, calls = state.calls.latest(CALLS_SHOWN)
    return {
        "clock": f'<time data-speed="{state.clock.speed:g}">{readable(now)}</time> UTC',
        "counts": _counts(statuses, texts),
        "found": _found(len(jobs), len(found), wanted),
        "job-rows": rows,
        "call-count": _calls_told(count),
        "call-rows": "".join(_call_row(call, state, texts) for call in calls),
        "fault-rows": _fault_rows(state.faults.left(), state, texts),
    }


def _is_wanted(job: Job, wanted: str) -> bool:
    text = f"{job.spec.name} {job.spec.id} {job.status}".lower()
    return all(word in text for word in wanted.lower().split())


def _counts(statuses: Mapping[str, int], texts: Texts) -> str:
    whole = f'<li data-key="total"><button type="button" data-filter="">all <b>{sum(statuses.values())}</b></button></li>'
    return whole + "".join(
        f'<li data-key="{texts(status)}"><button type="button" class="{kind_of(status)}" data-filter="{texts(status)}">'
        f"{texts(status)} <b>{count}</b></button></li>"
        for status, count in sorted(statuses.items())
    )


def _found(total: int, found: int, wanted: str) -> str:
    if not total:
        return "No jobs: start the sandbox with --seed-jobs 12 or with --jobs FILE."
    if found > JOBS_SHOWN:
        return f"The first {JOBS_SHOWN} of {found} jobs are shown: filter to see others."
    return f"{found} of {total} jobs match." if wanted.strip() else f"{_number(total, 'job')}."


def _job_row(job: Job, now: float, texts: Texts) -> str:
    spec, name = job.spec, texts(job.spec.name or job.spec.id)
    job_id, progress = texts(spec.id), job.progress(now)
    behind = f"{job.lag_ms(now)[0] / 1000:g} s" if job.is_incremental and not job.silence else ""
    if job.silence:
        behind = "not told"
    reason = f'<small class="reason">{texts(job.failed_reason)}</small>' if job.status.endswith("_FAILED") else ""
    when = f"<small>at {readable(job.start_time)}</small>" if job.status == "WAITING_FOR_START" and job.start_time else ""
    copied = f'<progress max="100" value="{progress}" aria-label="copied of {name}"></progress> {progress} %'
    # It may be broken there, and only there.
    shown = texts(job.status).replace("_", "_<wbr>")
    can = actions_of(job)
    buttons = "".join(
        f'<button type="button" value="{action}" tabindex="{-1 if index else 0}" aria-disabled="{_flag(action not in can)}">'
        f"{action}</button>"
        for index, action in enumerate(ACTIONS)
    )
    after = ("INCRE_TRANSFER_{}" if progress == 100 else "FULL_TRANSFER_{}").format
    failed = "START_JOB_FAILED" if job.status in NOT_STARTED else after("FAILED")
    # A job that failed to start begins anew.
    resumed = "STARTJOBING" if job.status == "START_JOB_FAILED" else after("STARTED")
    return (
        f'<tr role="row" data-key="{job_id}" data-name="{name}" data-status="{texts(job.status)}" data-can="{" ".join(can)}"'
        f' data-failed="{failed}" data-resumed="{resumed}">'
        f'<th role="rowheader" scope="row">{name}<code>{job_id}</code></th>'
        f'<td role="cell" data-label="Status"><span class="status {kind_of(job.status)}">{shown}</span>{reason}{when}</td>'
        f'<td role="cell" data-label="Copied">{copied if progress or job.status in FULL else ""}</td>'
        f'<td role="cell" data-label="Delay">{behind}</td>'
        f'<td role="cell" data-label="Counts">{_counters(job)}</td>'
        f'<td role="cell" data-label="Do"><div role="toolbar" aria-label="{name}" data-keep>{buttons}</div></td></tr>'
    )


def actions_of(job: Job) -> list[str]:
    """The buttons that mean something for a job as it stands."""
    status, can = job.status, []
    has_failed = status.endswith("_FAILED")
    if status in ("CONFIGURATION", "WAITING_FOR_START"):
        can.append("start")
    if status in PAUSABLE and not has_failed:
        can.append("pause")
    if status in PAUSED or (has_failed and status != "CREATE_FAILED"):
        can.append("resume")
    if not has_failed and status not in ENDED:
        can.append("fail")
    if status != "CONFIGURATION":
        can.append("unstart")
    return [*can, "delay"]


def kind_of(status: str) -> str:
    """The colour of a status."""
    if status.endswith("_FAILED"):
        return "bad"
    if status in PAUSED:
        return "paused"
    if status in ("CREATING", "CONFIGURATION"):
        return "idle"
    if status in ("WAITING_FOR_START", "STARTJOBING"):
        return "moving"
    return "running" if status in (*FULL, *INCREMENTAL) else "over"


def _counters(job: Job) -> str:
    counts = (("start", job.starts), ("retry", job.retries), ("pause", job.pauses), ("stop", job.stops))
    refused = job.start_requests - job.starts
    told = [_number(count, word) for word, count in counts if count]
    return ", ".join([*told, f"{refused} refused"] if refused > 0 else told)


def _call_row(call: Mapping[str, Any], state: State, texts: Texts) -> str:
    jobs: Sequence[str] = call["jobs"]
    named = texts(state.name_of(jobs[0])) if len(jobs) == 1 else str(len(jobs)) if jobs else ""
    status = "…" if call["status"] is None else texts(call["status"])
    kind = "bad" if call["status"] == "dropped" or (isinstance(call["status"], int) and call["status"] >= 400) else "fine"
    client, operation = texts.cut(call["client"]), texts.cut(call["operation"])
    who = client.partition(" ")[0] or "?"
    changes = call["operation"] in ("batch-starting", "batch-pause-task", "batch-retry-task", "batch-jobs", "batch-precheck")
    done = str(len(call["done"])) if changes else ""
    when = datetime.fromtimestamp(call["time"], timezone.utc).strftime("%H:%M:%S")
    return (
        f'<tr role="row" data-key="{call["request_id"]}"{" class=changes" if changes else ""}>'
        f'<td role="cell" data-label="Time"><time>{when}</time></td>'
        f'<td role="cell" data-label="Operation"><span>{operation}</span>'
        f'<small title="{client}">{who}</small></td>'
        f'<td role="cell" data-label="Jobs">{named}</td>'
        f'<td role="cell" data-label="Done">{done}</td>'
        f'<td role="cell" data-label="Answer"><span class="answer {kind}">{status}</span></td>'
        f'<td role="cell" data-label="Fault">{texts(call["fault"] or "")}</td></tr>'
    )


def _calls_told(count: int) -> str:
    if not count:
        return "No calls yet."
    return f"{_number(count, 'call')}." if count <= CALLS_SHOWN else f"The last {CALLS_SHOWN} of {count} calls."


def _fault_rows(waiting: Sequence[Mapping[str, Any]], state: State, texts: Texts) -> str:
    if not waiting:
        return '<li data-key="none" class="muted">No fault waits.</li>'
    return "".join(f'<li data-key="{index}">{_fault_told(fault, state, texts)}</li>' for index, fault in enumerate(waiting))


def _fault_told(fault: Mapping[str, Any], state: State, texts: Texts) -> str:
    """A fault in a line. Of its body no more is shown than the code in it: the rest may be anything."""
    body = fault.get("body")
    codes = [fault.get("status"), fault.get("code"), body.get("error_code") if isinstance(body, dict) else None]
    told = [f"<b>{texts(fault['kind'])}</b>", *(texts(code) for code in codes if code)]
    told += [f"{fault['seconds']:g} s"] if "seconds" in fault else []
    operation = fault.get("operation", "any")
    told.append(f"{texts(fault.get('when', 'before'))} {'any call' if operation == 'any' else texts(operation)}")
    if fault.get("job_id"):
        told.append(f"of {texts(state.name_of(fault['job_id']))}")
    if fault.get("skip"):
        told.append(f"after {fault['skip']} more")
    told.append("always" if fault["times"] is None else _number(fault["times"], "time"))
    return " ".join(told)


def _number(count: int, noun: str) -> str:
    plural = {"retry": "retries"}.get(noun, noun + "s")
    return f"{count} {noun if count == 1 else plural}"


def _flag(is_so: bool) -> str:
    return "true" if is_so else "false"
