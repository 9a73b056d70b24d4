"""
Why a decision is as it is, in a sentence: one for each `Reason` of the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..reconcile.declared import DesiredState
from ..reconcile.plan import Decision, Reason, Why
from ..reconcile.record import Action
from .dialect import PYTHON, Dialect
from .times import to_iso
from .words import VERBS, when

AGENCY_TRAP = (
    "A scheduled start also fails when the user who asked for it is not the account's owner and lacks the role Security "
    "Administrator (DRS then says: can not get agency token)"
)
"""The permission trap of scheduled starts (user manual, FAQ drs_16_0123)."""


@dataclass(frozen=True, slots=True)
class Reasons:
    """Makes sentences about decisions.

    Attributes:
        dialect: how the program spells names and values.
    """

    dialect: Dialect = PYTHON

    def why(self, why: Why) -> str:
        """The reason of a decision, as a sentence about one job that lacks its subject: ``is running``."""
        make = _REASONS[why.reason]
        return make if isinstance(make, str) else make(self, why)

    def advice(self, why: Why) -> str:
        """What to do, as a sentence of its own, where DRS's words would not tell; or nothing."""
        if why.reason is Reason.RESCHEDULED:
            return f"It {self.scheduled(why)}: {self.time_advice()}."
        if why.reason is Reason.FAILED_TO_START:
            return AGENCY_TRAP if why.declared_time is not None else ""
        return f"Nothing shows that it is {why.state.value}." if why.reason is Reason.NOT_SHOWN else ""

    def warning(self, decision: Decision) -> str:
        """What a person should know of a request, although it stops nothing; or nothing."""
        why = decision.why
        if not decision.action.is_request:
            return ""
        late = f"was to start {when(why.declared_time)}, which is past"
        if why.reason is Reason.RESCHEDULED:
            because = f", because it {late}" if why.is_late else ""
            documented = "DRS does not document that a time can be changed, and may refuse"
            return f"{self.scheduled(why)}, and shall start {self.wanted_time(why)}{because}: {documented}"
        texts = [f"{late}: it starts now"] if why.is_late else []
        if why.pairing is not None and why.pairing.is_alone:
            texts.append("is started without waiting for the other direction of its dual-active pair, which DRS does not tell")
        elif why.pairing is not None and why.pairing.unknown_delays:
            unknown = " and ".join(why.pairing.unknown_delays)
            texts.append(
                f"is started although DRS does not tell the {unknown} of {why.pairing.forward}, "
                "the other direction of its dual-active pair"
            )
        return "; ".join(texts)

    def scheduled(self, why: Why) -> str:
        """That the job is scheduled, and for when."""
        return f"is scheduled for {to_iso(why.delivered_time) if why.delivered_time is not None else 'later'}"

    def wanted_time(self, why: Why) -> str:
        """When the job shall start instead."""
        return "now" if why.is_late else when(why.declared_time)

    def time_advice(self) -> str:
        """What to do where DRS does not change a time."""
        return "change its time in the DRS console, or declare the one it has"

    def resume(self) -> str:
        """The input that resumes jobs, as a program writes it."""
        return self.dialect.setting("resume", True)


def _said(why: Why) -> str:
    return f" ({why.said})" if why.said else ""


def _done(why: Why) -> str:
    return VERBS[why.action].done if why.action else "dealt with"


def _accepted_earlier(_: Reasons, why: Why) -> str:
    if why.action is Action.PRECHECK:
        return "is being pre-checked"
    if why.action in (Action.RESUME, Action.PAUSE, Action.STOP):
        return f"was {_done(why)}, which DRS does not show yet"
    return "was accepted by DRS, which does not show it yet"


def _rescheduled(reasons: Reasons, why: Why) -> str:
    text = f"{reasons.scheduled(why)}, and shall start {reasons.wanted_time(why)}"
    if why.cause is None:
        return text
    return f"{text.replace(', and', ' and')}, but {reasons.why(why.cause)}: {reasons.time_advice()}"


def _scheduled(reasons: Reasons, why: Why) -> str:
    if why.state is DesiredState.PAUSED:
        time = f" for {to_iso(why.delivered_time)}" if why.delivered_time is not None else ""
        advice = "change that in the DRS console, or wait until it runs"
        return f"is scheduled{time}, and DRS can't pause a job that does not run: {advice}"
    if why.delivered_time is None:
        return "is scheduled; DRS does not tell for when"
    return reasons.scheduled(why)


def _paused(reasons: Reasons, why: Why) -> str:
    if why.action is not None or why.state is DesiredState.PAUSED:
        return "is paused"
    return f"is paused; left unchanged ({reasons.resume()} resumes it)"


def _failed(reasons: Reasons, why: Why) -> str:
    text = f"failed after its start{_said(why)}"
    return text if why.action else f"{text}; DRS retries by itself ({reasons.resume()} asks for a retry now)"


def _failed_to_start(reasons: Reasons, why: Why) -> str:
    text = f"failed to start{_said(why)}"
    if why.action:
        return text
    advice = f"fix the cause DRS reports, then restart it in the DRS console, or here with {reasons.resume()}"
    trap = f". {AGENCY_TRAP}" if why.declared_time is not None else ""
    return f"{text}: {advice}{trap}"


def _starting(_: Reasons, why: Why) -> str:
    done = {DesiredState.PAUSED: "paused", DesiredState.STOPPED: "stopped"}.get(why.state)
    return f"is starting, and can be {done} once it runs" if done else "is starting"


def _not_created(_: Reasons, why: Why) -> str:
    if why.state is not DesiredState.STARTED:
        return "could not be created"
    return f"could not be created{_said(why)}: create a new one, or take it off the list"


def _cancelled(_: Reasons, why: Why) -> str:
    time = when(why.delivered_time) if why.delivered_time else "later"
    cancelled = "is over without having been started, so its schedule was cancelled"
    return f"was to start {time} and {cancelled}: create a new one, or take it off the list"


def _parent(_: Reasons, why: Why) -> str:
    children = ", ".join(why.pairing.children if why.pairing else ()) or "DRS does not tell which"
    return f"is the parent of a dual-active pair, which is never started itself: name its subtasks ({children})"


def _waiting_for_pair(_: Reasons, why: Why) -> str:
    text = "waits for the other direction of its dual-active pair"
    obstacle = why.pairing.obstacle if why.pairing else None
    if obstacle is None:
        return text
    if obstacle.delay is None:
        return f"{text}: {obstacle.job_id} is in {obstacle.status} and has to reach INCRE_TRANSFER_STARTED first"
    return f"{text}: the {obstacle.delay} of {obstacle.job_id} is {obstacle.delay_ms / 1000:g} s and has to come below 60 s first"


def _precheck_failed(_: Reasons, why: Why) -> str:
    items = "; ".join(f"{finding.item}: {finding.reason}" if finding.reason else finding.item for finding in why.findings)
    return f"did not pass the pre-check ({items or 'DRS names no item'})"


def _too_many_tries(_: Reasons, why: Why) -> str:
    refusal = f" ({why.refusal})" if why.refusal else ""
    return f"could not be {_done(why)} in {why.sends} tries{refusal}: run pulumi up again"


def _stopped_earlier(reasons: Reasons, _: Why) -> str:
    advice = f"create a new one, declare {reasons.dialect.setting('desired_state', 'stopped')}, or take it off the list"
    return f"was stopped for good, as it was declared before, and DRS never starts a job twice: {advice}"


def _not_shown(_: Reasons, why: Why) -> str:
    return f"is not known to DRS, so nothing shows that it is {why.state.value}: check its id and the region and project"


_REASONS: Mapping[Reason, str | Callable[[Reasons, Why], str]] = {
    Reason.ACCEPTED_EARLIER: _accepted_earlier,
    Reason.BEING_CREATED: "is still being created",
    Reason.BEING_STOPPED: "is being stopped",
    Reason.CANCELLED_SCHEDULE: _cancelled,
    Reason.DELETED: "is over and deleted",
    Reason.DUE: "is due, and starts by itself",
    Reason.FAILED: _failed,
    Reason.FAILED_AGAIN: lambda _, why: f"was resumed and does not run{_said(why)}",
    Reason.FAILED_TO_START: _failed_to_start,
    Reason.HAS_RUN: "has run and is over",
    Reason.IN_DOUBT: lambda _, why: f"may be {_done(why)} already: the answer to the call was lost",
    Reason.NEVER_STARTED: "is over, and DRS never starts a job twice: create a new one, or take it off the list",
    Reason.NOT_CREATED: _not_created,
    Reason.NOT_RUNNING: "does not run, so there is nothing to pause",
    Reason.NOT_SHOWN: _not_shown,
    Reason.NOT_STARTED: "is not started",
    Reason.NOT_STOPPED: "is to be stopped",
    Reason.OVER: "is over",
    Reason.PARENT: _parent,
    Reason.PAUSED: _paused,
    Reason.PRECHECK_FAILED: _precheck_failed,
    Reason.PRECHECK_RUNNING: "is being pre-checked",
    Reason.REFUSED: lambda _, why: f"could not be {_done(why)}: DRS refused it ({why.refusal})",
    Reason.REFUSED_FOR_NOW: lambda _, why: f"was refused, and may be {_done(why)} already by somebody else",
    Reason.RELEASE_FAILED: "could not be released by DRS: stop it in the DRS console",
    Reason.RESCHEDULED: _rescheduled,
    Reason.RETRY_LATER: lambda _, why: f"is to be {_done(why)} in a moment, once more",
    Reason.RUNNING: "is running",
    Reason.SCHEDULED: _scheduled,
    Reason.STARTED_LATELY: "was started a moment ago, and can be paused once it runs",
    Reason.STARTING: _starting,
    Reason.STOPPED_EARLIER: _stopped_earlier,
    Reason.TOO_MANY_TRIES: _too_many_tries,
    Reason.UNKNOWN_JOB: "is not known to DRS: check its id and the region and project, or take it off the list",
    Reason.WAITING_FOR_PAIR: _waiting_for_pair,
}
