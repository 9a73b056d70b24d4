"""
What was asked of DRS before, and what came of it: a refusal speaks against the same request and no other.

Each of the five requests meets each record; `test_recorded_starts` has more about the start.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pulumi_drs_start.reconcile.actual import ActualJob
from pulumi_drs_start.reconcile.declared import DesiredJob, DesiredState, Goal
from pulumi_drs_start.reconcile.plan import Case, Decision, decide
from pulumi_drs_start.reconcile.record import Action, GracePeriods, JobRecord, Refusal, Request
from pulumi_drs_start.schema.messages import Messages
from pulumi_drs_start.schema.words import VERBS

NOW = 1_800_000_000.0
TOMORROW = 1_800_086_400_000
PATIENCE = GracePeriods()
FORBIDDEN = Refusal("DRS.M00103", "No permission.", is_final=True)
BUSY = Refusal("DRS.M01504", "Busy.", is_final=False)


@dataclass(frozen=True)
class Wish:
    """A job of which DRS is to be asked something."""

    status: str
    desired: DesiredJob
    request: Request
    done: str

    @property
    def noun(self) -> str:
        """What DRS refuses."""
        return VERBS[self.request.action].noun


WISHES = {
    "start": Wish("CONFIGURATION", DesiredJob("a"), Request(Action.START), "started"),
    "schedule": Wish("CONFIGURATION", DesiredJob("a", TOMORROW), Request(Action.SCHEDULE, TOMORROW), "scheduled"),
    "resume paused": Wish("PAUSING", DesiredJob("a", resume=True), Request(Action.RESUME), "resumed"),
    "resume failed": Wish("INCRE_TRANSFER_FAILED", DesiredJob("a", resume=True), Request(Action.RESUME), "resumed"),
    "resume start": Wish("START_JOB_FAILED", DesiredJob("a", resume=True), Request(Action.RESUME), "resumed"),
    "precheck": Wish("CONFIGURATION", DesiredJob("a", precheck=True), Request(Action.PRECHECK), "pre-checked"),
    "pause": Wish("INCRE_TRANSFER_STARTED", DesiredJob("a", state=DesiredState.PAUSED), Request(Action.PAUSE), "paused"),
    "stop": Wish("INCRE_TRANSFER_STARTED", DesiredJob("a", state=DesiredState.STOPPED), Request(Action.STOP), "stopped"),
}
LOST, SETTLE, CONFIRMED = PATIENCE.lost_seconds, PATIENCE.settle_seconds, PATIENCE.confirmed_seconds
# The record of the very request that is wanted, and what it means.
REMEMBERED: dict[str, tuple[dict[str, object], str]] = {
    "nothing": ({}, "asked"),
    "lost lately": ({"lost_at": NOW - LOST + 1, "sends": 1}, "doubt"),
    "lost and settled": ({"lost_at": NOW - LOST, "sends": 1}, "asked"),
    "refused lately": ({"refused_at": NOW - SETTLE + 1, "refusal": BUSY, "sends": 1}, "doubt"),
    "refused and settled": ({"refused_at": NOW - SETTLE, "refusal": BUSY, "sends": 1}, "asked"),
    "refused twice, lately": ({"refused_at": NOW - 2 * SETTLE + 1, "refusal": BUSY, "sends": 2}, "doubt"),
    "refused twice, settled": ({"refused_at": NOW - 2 * SETTLE, "refusal": BUSY, "sends": 2}, "asked"),
    "lost, then refused lately": (
        {"lost_at": NOW - 400, "refused_at": NOW - CONFIRMED + 1, "refusal": BUSY, "sends": 2},
        "doubt",
    ),
    "lost, then refused, settled": ({"lost_at": NOW - 400, "refused_at": NOW - CONFIRMED, "refusal": BUSY, "sends": 2}, "asked"),
    "throttled, not yet": ({"retry_at": NOW + 0.1, "refusal": BUSY, "sends": 1}, "later"),
    "throttled, now": ({"retry_at": NOW, "refusal": BUSY, "sends": 1}, "asked"),
    "refused for good": ({"refused_at": NOW - 1e6, "refusal": FORBIDDEN, "sends": 1}, "refused"),
    "sent too often": ({"refusal": BUSY, "sends": PATIENCE.sends}, "given up"),
}


def made(wish: Wish, record: JobRecord) -> Decision:
    return decide(Case(wish.desired, ActualJob("a", wish.status), record, Goal.RUNNING, NOW))


@pytest.mark.parametrize("records", REMEMBERED)
@pytest.mark.parametrize("name", WISHES)
def test_a_request_is_asked_unless_what_came_of_it_before_speaks_against(name: str, records: str) -> None:
    wish, (fields, meaning) = WISHES[name], REMEMBERED[records]

    decision = made(wish, JobRecord(request=wish.request, **fields))  # type: ignore[arg-type]

    action, reason = {
        "asked": (wish.request.action, ""),
        "doubt": (Action.WAIT, _doubt(wish, "lost_at" in fields)),
        "later": (Action.WAIT, f"could not be {wish.done} yet"),
        "refused": (Action.FAIL, f"could not be {wish.done}: DRS refused the {wish.noun} (DRS.M00103: No permission)"),
        "given up": (Action.FAIL, f"could not be {wish.done} in 5 tries (DRS.M01504: Busy)"),
    }[meaning]
    assert decision.action is action
    assert decision.request == (wish.request if meaning == "asked" else None)
    assert not reason or Messages().why(decision.why) == reason
    assert decision.refusal == fields.get("refusal")


def _doubt(wish: Wish, is_lost: bool) -> str:
    if is_lost:
        return f"may be {wish.done} already: the answer to the call was lost"
    return f"may have been {wish.done} by somebody else: DRS refused the {wish.noun}"


OTHERS = [
    pytest.param(wanted, before, id=f"{wanted}, after {before}")
    for wanted in WISHES
    for before in WISHES
    if WISHES[wanted].request.action is not WISHES[before].request.action
]


@pytest.mark.parametrize("records", [name for name, (_, meaning) in REMEMBERED.items() if meaning != "asked"])
@pytest.mark.parametrize(("wanted", "before"), OTHERS)
def test_what_came_of_another_request_explains_nothing(wanted: str, before: str, records: str) -> None:
    """Except that a start is a start: whether its answer was lost matters, at whatever time it was to happen."""
    wish, earlier = WISHES[wanted], WISHES[before].request
    fields, _ = REMEMBERED[records]

    decision = made(wish, JobRecord(request=earlier, **fields))  # type: ignore[arg-type]

    if wanted == "precheck" and earlier.action is Action.START:
        # What speaks against the start speaks against checking whether it may be started.
        assert not decision.action.is_request
    elif wish.status == "CONFIGURATION" and earlier.action.is_start and records == "lost lately":
        assert decision.action is Action.WAIT
    else:
        assert decision.request == wish.request


@pytest.mark.parametrize("name", [name for name in WISHES if name != "precheck"])
@pytest.mark.parametrize("goal", Goal)
def test_what_was_accepted_by_this_operation_is_not_asked_again(name: str, goal: Goal) -> None:
    wish = WISHES[name]
    accepted = JobRecord(request=wish.request, accepted_at=NOW - 1, accepted_now=True)

    decision = decide(Case(wish.desired, ActualJob("a", wish.status), accepted, goal, NOW))

    assert decision.action is (Action.NOTHING if goal is Goal.ACCEPTED else Action.WAIT)
    assert decision.is_underway is (goal is not Goal.ACCEPTED)
    assert decision.is_fulfilled is (goal is Goal.ACCEPTED)


@pytest.mark.parametrize("name", ["start", "schedule", "pause", "stop"])
@pytest.mark.parametrize(("seconds", "is_asked"), [(0, False), (899, False), (900, True), (1e7, True)])
def test_what_an_earlier_operation_was_granted_is_asked_again_once_drs_must_have_lost_it(
    name: str, seconds: float, is_asked: bool
) -> None:
    wish = WISHES[name]

    decision = made(wish, JobRecord(request=wish.request, accepted_at=NOW - seconds))

    assert decision.action is (wish.request.action if is_asked else Action.WAIT)


# -- resumes -------------------------------------------------------------------------------------------------------

RESUMES = [pytest.param(WISHES[name], id=WISHES[name].status) for name in ("resume paused", "resume failed", "resume start")]


@pytest.mark.parametrize("wish", RESUMES)
@pytest.mark.parametrize(
    ("accepted", "action"),
    [
        pytest.param(JobRecord(accepted_at=NOW - 299, accepted_now=True), Action.WAIT, id="just now, no effect yet: wait"),
        pytest.param(
            JobRecord(accepted_at=NOW - 300, accepted_now=True), Action.FAIL, id="just now, no effect for long: failure"
        ),
        pytest.param(
            JobRecord(accepted_at=NOW - 1, accepted_now=True, took_effect=True), Action.FAIL, id="ran and fell: failure"
        ),
        pytest.param(JobRecord(accepted_at=NOW - 299), Action.WAIT, id="by an earlier operation, no effect yet: wait"),
        pytest.param(JobRecord(accepted_at=NOW - 300), Action.RESUME, id="by an earlier operation, no effect for long: resume"),
        pytest.param(JobRecord(accepted_at=NOW - 1e6), Action.RESUME, id="by an earlier operation, long ago: resume"),
        pytest.param(JobRecord(accepted_at=NOW - 1, took_effect=True), Action.RESUME, id="ran and fell by now: resume"),
    ],
)
def test_a_resume_that_was_accepted(wish: Wish, accepted: JobRecord, action: Action) -> None:
    record = JobRecord(
        request=Request(Action.RESUME),
        accepted_at=accepted.accepted_at,
        accepted_now=accepted.accepted_now,
        took_effect=accepted.took_effect,
    )

    assert made(wish, record).action is action


@pytest.mark.parametrize("wish", RESUMES)
def test_a_job_that_was_started_and_then_paused_or_failed_is_resumed_at_once(wish: Wish) -> None:
    """The accepted start shows: it explains no pause."""
    assert made(wish, JobRecord(accepted_at=NOW - 1, accepted_now=True)).action is Action.RESUME


@pytest.mark.parametrize(("action", "fact"), [(Action.PAUSE, "paused_here"), (Action.STOP, "stopped_here")])
@pytest.mark.parametrize(
    ("record", "is_ours"),
    [
        pytest.param({"accepted_at": NOW - 1}, True, id="accepted"),
        pytest.param({"lost_at": NOW - 1}, True, id="perhaps accepted"),
        pytest.param({}, False, id="refused"),
    ],
)
def test_who_paused_or_stopped_a_job_outlives_the_record_of_the_request(
    action: Action, fact: str, record: dict[str, float], is_ours: bool
) -> None:
    before = JobRecord(request=Request(action), **record)  # type: ignore[arg-type]

    after = before.about(Request(Action.RESUME))

    assert getattr(after, fact) is is_ours
    assert getattr(after.about(Request(Action.START)), fact) is is_ours
    assert (after.request, after.accepted_at, after.lost_at) == (Request(), None, None)


# -- pauses and stops ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["DRS.M00302", "DRS.M00304", "DRS.M00307", "DRS.M05003", "DRS.M00103", "DRS.M01504", None])
@pytest.mark.parametrize("name", ["pause", "stop"])
def test_a_refusal_of_a_pause_or_stop_is_a_failure(name: str, code: str | None) -> None:
    """The job runs on, whatever the reason: nobody may think that it does not."""
    wish = WISHES[name]
    refused = JobRecord(request=wish.request, refusal=Refusal(code, "No.", is_final=True), sends=1)

    decision = made(wish, refused)

    assert decision.action is Action.FAIL
    assert Messages().why(decision.why).startswith(f"could not be {wish.done}: DRS refused the {wish.noun} (")


@pytest.mark.parametrize("request_", [Request(Action.START), Request(Action.SCHEDULE, TOMORROW)])
def test_a_job_that_drs_is_about_to_show_as_started_is_waited_for_before_it_is_paused(request_: Request) -> None:
    record = JobRecord(request=request_, accepted_at=NOW - 1)

    decision = decide(
        Case(DesiredJob("a", state=DesiredState.PAUSED), ActualJob("a", "CONFIGURATION"), record, Goal.RUNNING, NOW)
    )

    assert (decision.action, decision.is_underway) == (Action.WAIT, False)


def test_a_job_that_drs_is_about_to_show_as_started_is_stopped_at_once() -> None:
    record = JobRecord(accepted_at=NOW - 1)

    decision = decide(
        Case(DesiredJob("a", state=DesiredState.STOPPED), ActualJob("a", "CONFIGURATION"), record, Goal.RUNNING, NOW)
    )

    assert decision.action is Action.STOP


def test_a_start_accepted_long_ago_that_never_showed_holds_up_no_pause() -> None:
    record = JobRecord(accepted_at=NOW - PATIENCE.lag_seconds)

    decision = decide(
        Case(DesiredJob("a", state=DesiredState.PAUSED), ActualJob("a", "CONFIGURATION"), record, Goal.RUNNING, NOW)
    )

    assert decision.action is Action.NOTHING
