"""The judge passes a good history, and notices each wrong fact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pulumi_drs_start.sandbox.jobs import JobSpec

from ..jobs import KINDS as JOB_KINDS
from ..schedule import FaultSpec
from . import made, wishes
from .history import History, Operation, Saved
from .judge import VIOLATIONS, judge
from .made import BEGINNING, FOLLOWING, FRESH, RUNNING, SINCE, STARTED, bag, call, facts, good, row
from .scenario import Job, Resource

Change = Callable[[History], None]


def saved_again(history: History, outputs: dict[str, Any], failure: str | None = None) -> None:
    """Let the last step update the resource to these outputs."""
    last = history.steps[-1]
    last.operations.append(Operation("r", "update", failure, outputs))
    last.after = {"r": Saved("r", made.INPUTS, outputs, is_failed=failure is not None)}
    last.changes = {"r"}
    for done in (history.again, history.preview):
        done.before = done.after = last.after


def become(history: History, job_id: str, *past: tuple[float, str]) -> None:
    """Let the last step bring a job there, and leave it so."""
    after = facts({**SINCE, job_id: [*SINCE[job_id], *past]})
    history.steps[-1].facts_after = after
    for done in (history.again, history.preview):
        done.facts_before = done.facts_after = after


def started_twice(history: History) -> None:
    history.steps[0].calls.append(call("batch-starting", FRESH, at=10.5))


def started_by_the_next(history: History) -> None:
    history.steps[1].calls.append(call("batch-starting", FRESH, at=3621))


def paused_unasked(history: History) -> None:
    history.steps[1].calls.append(call("batch-pause-task", RUNNING, at=3621, done=()))


def stopped_with_its_resource(history: History) -> None:
    """The job is declared by another resource of the program."""
    history.steps[1].calls.append(call("batch-jobs", RUNNING, at=3621))
    outputs = bag({RUNNING: row(FOLLOWING)}, on_destroy="stop")
    history.steps[1].before = {**history.steps[1].before, "gone": Saved("gone", {}, outputs)}


def resumed_uninvited(history: History) -> None:
    history.steps[1].facts_before = facts({**SINCE, RUNNING: [(0.0, FOLLOWING), (100.0, "PAUSING")]})
    become(history, RUNNING, (100.0, "PAUSING"), (3622.0, FOLLOWING))
    history.steps[1].calls.append(call("batch-retry-task", RUNNING, at=3621))


def started_in_a_preview(history: History) -> None:
    history.preview.calls.append(call("batch-starting", FRESH, at=4011, done=()))


def started_at_another_time(history: History) -> None:
    history.steps[0].calls = [call("batch-starting", FRESH, at=10, start_times={FRESH: "4102444800000"})]


def started_though_left_out(history: History) -> None:
    history.steps[0].step = replace(history.steps[0].step, targets=("other",))


def started_with_a_wrong_password(history: History) -> None:
    history.steps[0].step = replace(history.steps[0].step, mistake="password")


def said_to_be_paused(history: History) -> None:
    saved_again(history, bag({FRESH: row("PAUSING"), RUNNING: row(FOLLOWING)}, FRESH))


def said_to_be_started(history: History) -> None:
    history.steps[0].calls.clear()


def said_to_be_unchanged(history: History) -> None:
    first = history.steps[0]
    outputs = bag({FRESH: row(STARTED, "already_started"), RUNNING: row(FOLLOWING, "already_started")})
    first.operations = [Operation("r", "check"), Operation("r", "create", outputs=outputs)]


def ready_too_soon(history: History) -> None:
    history.steps[1].facts_before = history.steps[1].facts_after = facts({**SINCE, RUNNING: [(0.0, "PAUSING")]})
    for done in (history.again, history.preview):
        done.facts_before = done.facts_after = history.steps[1].facts_after
    saved_again(history, bag({FRESH: row(STARTED), RUNNING: row("PAUSING")}))


def well_although_one_failed(history: History) -> None:
    saved_again(history, bag({FRESH: row(STARTED), RUNNING: row(FOLLOWING, "failed")}, RUNNING))


def miscounted(history: History) -> None:
    saved_again(history, bag({FRESH: row(STARTED), RUNNING: row(FOLLOWING)}) | {"summary": {"running": 1, "total": 2}})


def no_problem_named(history: History) -> None:
    failed = bag({FRESH: row(STARTED), RUNNING: row(FOLLOWING, "failed")})
    saved_again(history, failed, "job could not be started")


def let_go_while_it_runs(history: History) -> None:
    outputs = bag({RUNNING: row(FOLLOWING)}, on_destroy="stop")
    last = history.steps[1]
    last.before = {**last.before, "gone": Saved("gone", {}, outputs)}
    last.step = replace(last.step, program=(Resource("r", (Job(0),)),))
    last.declared = {"r": {"jobs": [FRESH]}}
    last.operations.append(Operation("gone", "delete"))


def never_started(history: History) -> None:
    history.steps[1].facts_before = history.steps[1].facts_after = facts(BEGINNING)


def did_not_arrive(history: History) -> None:
    become(history, FRESH, (3620.5, "CREATE_FAILED"))


def failed_for_no_reason(history: History) -> None:
    failed = bag({FRESH: row(STARTED), RUNNING: row(FOLLOWING, "failed")}, RUNNING)
    saved_again(history, failed, "job could not be started")
    history.steps[-1].ended = "failed"


def acted_again(history: History) -> None:
    history.again.calls.append(call("batch-starting", FRESH, at=4001))


def changed_again(history: History) -> None:
    history.again.changes = {"r"}


def previewed_a_change(history: History) -> None:
    history.preview.changes = {"r"}


def kept_what_was_to_go(history: History) -> None:
    gone = {"gone": Saved("gone", {}, bag({RUNNING: row(FOLLOWING)}))}
    history.steps[1].before = {**history.steps[1].before, **gone}
    history.steps[1].after = {**history.steps[1].after, **gone}


def fresh_one_differs(history: History) -> None:
    outputs = bag({FRESH: row(STARTED), RUNNING: row(FOLLOWING, "failed", error_code="DRS.M00304")}, RUNNING)
    history.fresh.after = {"r": Saved("r", made.INPUTS, outputs)}


def asked_often(history: History) -> None:
    history.steps[0].calls += [call("batch-starting", FRESH, at=10.1, done=()), call("batch-starting", FRESH, at=10.2, done=())]


def asked_for_copies(history: History) -> None:
    history.steps[1].calls.append(call("batch-progress", FRESH, at=3621, done=()))


def looked_often(history: History) -> None:
    history.steps[1].calls += [call("batch-status", FRESH, at=3621, done=()) for _ in range(100)]


def noted_on_the_wire(history: History) -> None:
    history.steps[0].needless.append({FRESH: "start: sent before the first look"})


def printed_a_token(history: History) -> None:
    history.steps[0].tokens.add("gAAAAAB")
    history.steps[0].texts["output"] = "calling with gAAAAAB"


def took_long(history: History) -> None:
    history.steps[0].ended_at = 1e5
    history.steps[0].step = replace(history.steps[0].step, faults=(FaultSpec("drop before", "any"),))


def crashed(history: History) -> None:
    history.steps[0].operations.append(Operation("r", "update", "oh", crash="Traceback"))


def hung(history: History) -> None:
    history.steps[0].ended = "hung"


WRONG: dict[Change, str] = {
    started_twice: "double",
    started_by_the_next: "double",
    paused_unasked: "unasked",
    stopped_with_its_resource: "unasked",
    resumed_uninvited: "unasked",
    started_in_a_preview: "unasked",
    started_at_another_time: "unasked",
    started_though_left_out: "unasked",
    started_with_a_wrong_password: "unasked",
    said_to_be_paused: "claim",
    said_to_be_started: "claim",
    said_to_be_unchanged: "claim",
    ready_too_soon: "claim",
    well_although_one_failed: "claim",
    miscounted: "claim",
    no_problem_named: "claim",
    let_go_while_it_runs: "claim",
    never_started: "lost",
    did_not_arrive: "lost",
    failed_for_no_reason: "lost",
    acted_again: "lost",
    changed_again: "lost",
    previewed_a_change: "lost",
    kept_what_was_to_go: "lost",
    fresh_one_differs: "route",
    asked_often: "needless",
    asked_for_copies: "needless",
    looked_often: "needless",
    noted_on_the_wire: "needless",
    printed_a_token: "secret",
    took_long: "late",
    crashed: "crash",
    hung: "crash",
}


def test_a_good_history_passes() -> None:
    assert judge(good()).violations == []


@pytest.mark.parametrize("change", WRONG, ids=lambda change: change.__name__)
def test_a_wrong_fact_is_noticed(change: Change) -> None:
    history = good()
    change(history)

    assert WRONG[change] in {kind for kind, _ in judge(history).violations}


def test_every_kind_of_violation_is_noticed() -> None:
    assert set(WRONG.values()) == set(VIOLATIONS)


def other_hands(history: History) -> None:
    """Others have paused the job, and it is left so."""
    paused = facts({**SINCE, RUNNING: [(0.0, FOLLOWING), (100.0, "PAUSING")]})
    for done in (history.steps[-1], history.again, history.preview, history.fresh):
        done.facts_before = done.facts_after = paused
    told = bag({FRESH: row(STARTED), RUNNING: row("PAUSING")}, RUNNING)
    saved_again(history, told)
    history.fresh.operations = [Operation("r", "check"), Operation("r", "create", outputs=told)]
    history.fresh.after = {"r": Saved("r", made.INPUTS, told)}


def own_pause(history: History) -> None:
    """A pause of ours is undone, and a fresh stack would leave it."""
    paused = facts({**SINCE, RUNNING: [(0.0, FOLLOWING), (15.0, "PAUSING")]})
    first, last = history.steps
    first.calls.append(call("batch-pause-task", RUNNING, at=14))
    first.declared = {"r": {"jobs": [FRESH, {"job_id": RUNNING, "desired_state": "paused"}]}}
    first.facts_after = last.facts_before = history.fresh.facts_before = history.fresh.facts_after = paused
    inputs = {"jobs": [FRESH, {"job_id": RUNNING, "desired_state": "paused"}]}
    outputs = {**bag({FRESH: row(STARTED, "started"), RUNNING: row("PAUSING", "paused")}), **inputs}
    first.operations = [Operation("r", "check"), Operation("r", "create", outputs=outputs)]
    last.before = first.after = {"r": Saved("r", inputs, outputs)}
    become(history, RUNNING, (15.0, "PAUSING"), (3622.0, FOLLOWING))
    last.calls.append(call("batch-retry-task", RUNNING, at=3621))
    saved_again(history, bag({FRESH: row(STARTED), RUNNING: row(FOLLOWING, "resumed")}))
    told = bag({FRESH: row(STARTED), RUNNING: row("PAUSING")}, RUNNING)
    history.fresh.operations = [Operation("r", "check"), Operation("r", "create", outputs=told)]
    history.fresh.after = {"r": Saved("r", made.INPUTS, told)}


@pytest.mark.parametrize("change", [other_hands, own_pause], ids=lambda change: change.__name__)
def test_what_history_explains_passes(change: Change) -> None:
    history = good()
    change(history)

    assert judge(history).violations == []


@pytest.mark.parametrize("kind", JOB_KINDS)
@pytest.mark.parametrize("shall_be", ["started", "paused", "stopped"])
def test_every_status_has_an_end_for_every_wish(kind: str, shall_be: str) -> None:
    spec = JobSpec(id=FRESH, **JOB_KINDS[kind].fields).model_dump()
    job = {**spec, "next": [step["status"] for step in spec["then"] or ()], "is_busy": False}
    wish = wishes.Wish(FRESH, "r", shall_be)

    expected = wishes.due(wish, {FRESH: job}, {}, 0.0, is_pause_ours=False)

    assert expected.ends
    if shall_be == "started" and kind != "missing":
        assert bool(JOB_KINDS[kind].fails) == bool(expected.fails) or expected.fails is None
