"""
Why a decision is as it is, and what to do about it: two texts for each `Reason` of the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..reconcile.declared import DesiredState
from ..reconcile.plan import Decision, Reason, Why
from ..reconcile.record import Action
from .dialect import PYTHON, Dialect
from .times import to_iso
from .values import looks_like_job_id
from .words import VERBS, JobNames, Verb, in_brackets, inflect, when

AGENCY_TRAP = (
    "a scheduled start also fails when the user who asked for it is not the account's owner and lacks the role Security "
    "Administrator; DRS then says: can not get agency token"
)
"""The permission trap of scheduled starts (user manual, FAQ drs_16_0123)."""


@dataclass(frozen=True, slots=True)
class Reasons:
    """Makes sentences about decisions.

    Attributes:
        dialect: how the program spells names and values.
        names: what jobs are called.
    """

    dialect: Dialect = PYTHON
    names: JobNames = field(default_factory=JobNames)

    def why(self, why: Why, count: int = 1) -> str:
        """The reason of a decision, as a sentence about `count` jobs that lacks its subject: ``is running``."""
        return self._say(_REASONS[why.reason][0], why, count)

    def advice(self, why: Why, count: int = 1, job_id: str = "") -> str:
        """What to do, without a capital and a full stop: ``take it off the list``; or nothing.

        Args:
            job_id: the job, where there is one.
        """
        if why.reason is Reason.UNKNOWN_JOB and job_id and not self.names.is_secret and not looks_like_job_id(job_id):
            by_name = self.dialect.call("find_jobs", {"name": self.dialect.value(job_id)})
            return f'"{job_id}" is not a job id (36 characters); to use a name: {by_name}'
        advice = _REASONS[why.reason][1]
        return self._say(advice, why, count) if advice else ""

    def _say(self, text: _Text, why: Why, count: int) -> str:
        return inflect(text, count) if isinstance(text, str) else text(self, why, count)

    def warning(self, decision: Decision, count: int = 1) -> str:
        """What a person should know of a request, although it stops nothing; or nothing."""
        why = decision.why
        if not decision.action.is_request:
            return ""
        starts_now = inflect("so {it starts|they start} now", count)
        if why.reason is Reason.RESCHEDULED:
            now = f", {starts_now}" if why.is_late else ""
            return f"{self.why(why, count)}{now}; DRS does not document rescheduling, and may refuse it"
        late = inflect(f"{{was|were}} to start {when(why.declared_time)}, which is past", count)
        texts = [f"{late}, {starts_now}"] if why.is_late else []
        if why.pairing is not None and why.pairing.is_alone:
            text = "{is|are} started without waiting for the other direction of {its dual-active pair|their dual-active pairs}"
            texts.append(f"{inflect(text, count)}, which DRS does not tell")
        elif why.pairing is not None and why.pairing.unknown_delays:
            unknown = " and ".join(why.pairing.unknown_delays)
            texts.append(
                f"{inflect('{is|are}', count)} started although DRS does not tell the {unknown} of "
                f"{self.names.of(why.pairing.forward or '')}, the other direction of the dual-active pair"
            )
        return inflect("; {it|they} ", count).join(texts)

    def resume(self) -> str:
        """The input that resumes jobs, as a program writes it."""
        return self.dialect.setting("resume", True)


_Text = str | Callable[[Reasons, Why, int], str]


def _said(why: Why) -> str:
    return in_brackets(why.said)


def _verb(why: Why) -> Verb:
    return VERBS[why.action or Action.START]


def _with_said(text: str) -> _Text:
    """A text with DRS's own explanation after it."""
    return lambda _, why, count: f"{inflect(text, count)}{_said(why)}"


def _rescheduled(reasons: Reasons, why: Why, count: int) -> str:
    past = ", which is past" if why.is_late else ""
    text = f"{_scheduled_for(why, count)}, but declared to start {when(why.declared_time)}{past}"
    return text if why.cause is None else f"{text}; {inflect('{it|they}', count)} {reasons.why(why.cause, count)}"


def _time_advice(reasons: Reasons, why: Why, count: int) -> str:
    time = f"to {to_iso(why.delivered_time)}" if why.delivered_time is not None else "to the one that it shows"
    times = inflect("{its time|their times}", count)
    return f"change {times} in the DRS console, or set {reasons.dialect.name('start_time')} {time}"


def _scheduled_for(why: Why, count: int) -> str:
    time = to_iso(why.delivered_time) if why.delivered_time is not None else "a time that DRS does not tell"
    return f"{inflect('{is|are}', count)} scheduled for {time}"


def _scheduled(_: Reasons, why: Why, count: int) -> str:
    text = _scheduled_for(why, count)
    if why.state is not DesiredState.PAUSED:
        return text
    return f"{text}, and DRS can't pause {inflect('{a job that does|jobs that do}', count)} not run"


def _paused(_: Reasons, why: Why, count: int) -> str:
    stays = why.action is None and why.state is not DesiredState.PAUSED
    return inflect("{is|are} paused and {stays|stay} paused" if stays else "{is|are} paused", count)


def _paused_advice(reasons: Reasons, why: Why, count: int) -> str:
    if why.action is not None or why.state is DesiredState.PAUSED:
        return ""
    return f"to resume {inflect('{it|them}', count)}: {reasons.resume()}, or the DRS console"


def _failed_advice(reasons: Reasons, why: Why, _: int) -> str:
    return "" if why.action else f"DRS retries on its own; {reasons.resume()} requests a retry now"


def _failed_to_start_advice(reasons: Reasons, why: Why, count: int) -> str:
    if why.action:
        return ""
    them = inflect("{it|them}", count)
    trap = f" ({AGENCY_TRAP})" if why.declared_time is not None else ""
    return f"fix the cause that DRS reports{trap}, then restart {them} in the DRS console or with {reasons.resume()}"


def _starting(_: Reasons, why: Why, count: int) -> str:
    done = {DesiredState.PAUSED: "paused", DesiredState.STOPPED: "stopped"}.get(why.state)
    text = "{is|are} starting"
    return inflect(f"{text} and can be {done} once {{it runs|they run}}" if done else text, count)


def _cancelled(_: Reasons, why: Why, count: int) -> str:
    time = when(why.delivered_time) if why.delivered_time else "later"
    cancelled = "{its schedule was|their schedules were} cancelled"
    text = f"{{was|were}} to start {time} and {{has|have}} ended without having been started: {cancelled}"
    return inflect(text, count)


def _parent_advice(reasons: Reasons, why: Why, count: int) -> str:
    subtasks = f"declare {inflect('{its|their}', count)} subtasks instead"
    children = why.pairing.children if why.pairing else ()
    return f"{subtasks}: {', '.join(map(reasons.names.of, children))}" if children else f"{subtasks}, which DRS does not name"


def _waiting_for_pair(reasons: Reasons, why: Why, count: int) -> str:
    text = inflect("{waits|wait} for the other direction of {its dual-active pair|their dual-active pairs}", count)
    obstacle = why.pairing.obstacle if why.pairing else None
    if obstacle is None:
        return text
    other = reasons.names.of(obstacle.job_id)
    if obstacle.delay is None:
        return f"{text}: {other} is in {obstacle.status} and has to reach INCRE_TRANSFER_STARTED first"
    return f"{text}: the {obstacle.delay} of {other} is {obstacle.delay_ms / 1000:g} s and has to come below 60 s first"


def _precheck_failed(_: Reasons, why: Why, __: int) -> str:
    items = "; ".join(f"{it.item}: {it.reason.rstrip('.')}" if it.reason else it.item for it in why.findings)
    return f"did not pass the pre-check ({items or 'DRS names no item'})"


def _precheck_advice(_: Reasons, why: Why, count: int) -> str:
    look = inflect("look at {its pre-check|their pre-checks} in the DRS console", count)
    return "fix these items" if why.findings else look


def _too_many_tries(_: Reasons, why: Why, __: int) -> str:
    return f"could not be {_verb(why).done} in {why.sends} tries{in_brackets(str(why.refusal or ''))}"


def _not_shown(_: Reasons, why: Why, count: int) -> str:
    shown = inflect("nothing shows that {it is|they are}", count)
    return f"{inflect('{is|are}', count)} not known to DRS{_said(why)}, so {shown} {why.state.value}"


def _stopped_earlier_advice(reasons: Reasons, _: Why, count: int) -> str:
    stopped = reasons.dialect.setting("desired_state", "stopped")
    return inflect(f"create {{a new job|new jobs}}, declare {stopped}, or take {{it|them}} off the list", count)


def _over_too_soon_advice(reasons: Reasons, _: Why, count: int) -> str:
    running = reasons.dialect.setting("wait_for", "running")
    compare = inflect("compare {its|their} source and target", count)
    return f"{compare}, then take {inflect('{it|them}', count)} off the list or set {running}"


_NEW_JOB = "create {a new job|new jobs}, or take {it|them} off the list"
_RUN_UP = "run pulumi up"
_RUN_AGAIN = "run pulumi up again"
_TO_WAIT = "run pulumi up to wait for {it|them}"

# What is so, and what to do about it.
_REASONS: Mapping[Reason, tuple[_Text, _Text | None]] = {
    Reason.ACCEPTED_EARLIER: (
        lambda _, why, count: inflect(
            f"{{has an accepted {_verb(why).noun}|have accepted {_verb(why).noun}s}} that DRS does not show yet", count
        ),
        _TO_WAIT,
    ),
    Reason.BEING_CREATED: ("{is|are} still being created", _TO_WAIT),
    Reason.BEING_STOPPED: ("{is|are} being stopped", _TO_WAIT),
    Reason.CANCELLED_SCHEDULE: (_cancelled, _NEW_JOB),
    Reason.CATCHING_UP: ("{is|are} not synced yet", _TO_WAIT),
    Reason.DELETED: ("{has|have} ended and {was|were} deleted", None),
    Reason.DUE: ("{is|are} due and {starts|start} without further request", None),
    Reason.FAILED: (_with_said("failed after {it was|they were} started"), _failed_advice),
    Reason.FAILED_AGAIN: (
        _with_said("{was|were} resumed and {does|do} not run"),
        "fix the cause that DRS reports",
    ),
    Reason.FAILED_TO_START: (_with_said("failed to start"), _failed_to_start_advice),
    Reason.HAS_RUN: ("{has|have} run and ended", None),
    Reason.IN_DOUBT: (
        lambda _, why, __: f"may be {_verb(why).done} already: the answer to the call was lost",
        "run pulumi up again: it reads the status before it sends anything",
    ),
    Reason.NEVER_STARTED: ("{has|have} ended; an ended DRS job can't be started again", _NEW_JOB),
    Reason.NOT_CREATED: (
        lambda _, why, __: f"could not be created{_said(why) if why.state is DesiredState.STARTED else ''}",
        _NEW_JOB,
    ),
    Reason.NOT_DUE: (
        lambda _, why, count: (
            f"{_scheduled_for(why, count)}, and {inflect('{is|are} waited for once {it has|they have} started', count)}"
        ),
        "run pulumi up once {it has|they have} started",
    ),
    Reason.NOT_RUNNING: ("{does|do} not run, so there is nothing to pause", None),
    Reason.NOT_SHOWN: (
        _not_shown,
        "check {its id|their ids}, the region and the project",
    ),
    Reason.NOT_STARTED: ("{is|are} not started", _RUN_UP),
    Reason.NOT_STOPPED: ("{is|are} not stopped", _RUN_UP),
    Reason.OVER: ("{has|have} ended", None),
    Reason.OVER_TOO_SOON: (
        "{has|have} ended, and DRS did not show before that {its copy|their copies} had caught up",
        _over_too_soon_advice,
    ),
    Reason.PARENT: (
        "{is the parent of a dual-active pair|are parents of dual-active pairs}, of which only the subtasks are started",
        _parent_advice,
    ),
    Reason.PAUSED: (_paused, _paused_advice),
    Reason.PRECHECK_FAILED: (_precheck_failed, _precheck_advice),
    Reason.PRECHECK_RUNNING: ("{is|are} being pre-checked", _TO_WAIT),
    Reason.REFUSED: (
        lambda _, why, __: (
            f"could not be {_verb(why).done}: DRS refused the {_verb(why).noun}{in_brackets(str(why.refusal or ''))}"
        ),
        None,
    ),
    Reason.REFUSED_FOR_NOW: (
        lambda _, why, __: f"may have been {_verb(why).done} by somebody else: DRS refused the {_verb(why).noun}",
        _RUN_AGAIN,
    ),
    Reason.RELEASE_FAILED: ("could not be released by DRS", "stop {it|them} in the DRS console"),
    Reason.RESCHEDULED: (_rescheduled, _time_advice),
    Reason.RETRY_LATER: (
        lambda _, why, __: f"could not be {_verb(why).done} yet",
        _RUN_AGAIN,
    ),
    Reason.RUNNING: ("{is|are} running", _RUN_UP),
    Reason.SCHEDULED: (_scheduled, "remove the schedule in the DRS console, or wait until {it runs|they run}"),
    Reason.STARTED_LATELY: ("{was|were} started a moment ago and can be paused once {it runs|they run}", _TO_WAIT),
    Reason.STARTING: (_starting, _TO_WAIT),
    Reason.STOPPED_EARLIER: (
        "{was|were} stopped for good, as declared before, and a stopped DRS job can't be started again",
        _stopped_earlier_advice,
    ),
    Reason.TOO_MANY_TRIES: (_too_many_tries, _RUN_AGAIN),
    Reason.UNKNOWN_JOB: (
        "{is|are} not known to DRS",
        "check {its id|their ids}, the region and the project, or take {it|them} off the list",
    ),
    Reason.WAITING_FOR_PAIR: (_waiting_for_pair, _TO_WAIT),
}
