"""Words that stay short however many jobs they speak of."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from pulumi_drs_start.drs.calls.models import CopyProgress, Finding
from pulumi_drs_start.drs.errors import OutOfTimeError
from pulumi_drs_start.reconcile.actual import ActualJob, Obstacle, Pairing
from pulumi_drs_start.reconcile.converge import Progress, Remaining, Waiting
from pulumi_drs_start.reconcile.declared import Declared, DesiredJob, DesiredState, Goal, OnDestroy
from pulumi_drs_start.reconcile.outcome import JobOutcome, Problem, Result
from pulumi_drs_start.reconcile.phase import Phase
from pulumi_drs_start.reconcile.plan import Plan, Reason, Why, make_cases, make_plan
from pulumi_drs_start.reconcile.record import Action, JobRecord, Precheck, Request
from pulumi_drs_start.reconcile.recorded import Recorded, RecordedRow
from pulumi_drs_start.schema.dialect import YAML
from pulumi_drs_start.schema.messages import Messages
from pulumi_drs_start.schema.words import JobNames

SAY = Messages()


NOT_STARTED = Why(Reason.NOT_STARTED)


def outcome(job_id: str, phase: Phase, done: str, **facts: Any) -> JobOutcome:
    return JobOutcome(job_id, "X", phase, done, is_fulfilled=False, **facts)


def failed(job_id: str, code: str = "DRS.M00304", text: str = "Not allowed.") -> JobOutcome:
    return outcome(job_id, Phase.STARTABLE, "failed", problem=Problem(NOT_STARTED, "CONFIGURATION", code, text))


def test_a_few_jobs_are_named_and_the_rest_is_counted() -> None:
    assert JobNames().subject([f"j{n}" for n in range(1005)]) == "jobs j0, j1, j2 and 1,002 more"


def test_one_more_than_the_few_is_named_rather_than_counted() -> None:
    assert JobNames().subject("abcd") == "jobs a, b, c and d"


ID = "20e98ed2-55fc-5b16-83ee-cfde5e9jb173"
TWIN = "20e98ed2-0000-5b16-83ee-cfde5e9jb174"


def test_a_job_is_called_by_its_name_and_the_beginning_of_its_id() -> None:
    names = JobNames()
    names.learn({ID: "crm-orders", "short": "crm-stock", "other": None})

    assert names.subject([ID]) == "job crm-orders (20e98ed2…)"
    assert names.subject([ID, "short", "other"]) == "jobs crm-orders (20e98ed2…), crm-stock (short) and other"


def test_jobs_that_would_be_called_the_same_are_told_apart() -> None:
    names = JobNames()
    names.learn({ID: "crm", TWIN: "crm"})

    assert (names.of(ID), names.of(TWIN)) == (f"crm ({ID})", f"crm ({TWIN})")


def test_a_job_that_was_renamed_is_called_by_its_new_name() -> None:
    names = JobNames()
    names.learn({ID: "old"})
    names.learn({ID: "new"})
    names.learn({ID: "recorded long ago"}, are_old=True)

    assert names.of(ID) == "new (20e98ed2…)"


def test_secret_jobs_are_counted_and_never_named() -> None:
    say = Messages(names=JobNames(is_secret=True))
    say.names.learn({"a": "crm-orders"})
    texts = [
        say.plan(planned()),
        *say.failures(Result({"a": failed("a")}), 60),
        *say.failures(Result({f"j{n}": failed(f"j{n}") for n in range(9)}), 60),
        *say.impossible(planned("CREATE_FAILED")),
        say.progress(Progress({Phase.STARTING: 1}, [LOST], [Remaining("a", "STARTJOBING", 5)])),
        say.taken_off(["a"]),
    ]

    assert texts[0] == "will start 1 job"
    assert texts[1].startswith("1 job could not be started: DRS.M00304")
    assert texts[2].startswith("9 jobs could not be started: DRS.M00304")
    assert not [text for text in texts if re.search(r"\ba\b(?! while)|j0|crm|secret", text.replace("a new job", ""))]


def test_failures_of_one_cause_are_one_line_that_names_fifty() -> None:
    result = Result({f"j{n}": failed(f"j{n}") for n in range(1000)})

    (reason,) = SAY.failures(result, 60)

    assert reason.startswith(
        "1,000 jobs could not be started: DRS.M00304: Not allowed. Next: finish their configuration and their pre-checks in DRS, "
        "then run pulumi up again. These are: j0, j1, "
    )
    assert reason.endswith(", j48, j49 and 950 more.")


def test_failures_with_reasons_of_their_own_have_a_line_each_up_to_fifty() -> None:
    result = Result({f"j{n}": failed(f"j{n}", "DRS.M06007", f"Can not connect to 10.0.0.{n}.") for n in range(1000)})

    *reasons, rest = SAY.failures(result, 60)

    assert len(reasons) == 50
    assert reasons[7].startswith("job j7 could not be started: DRS.M06007: Can not connect to 10.0.0.7. Next: ")
    assert rest == "950 more jobs, for other reasons: see the output problems."


def test_texts_that_differ_only_in_naming_the_job_are_one_cause() -> None:
    result = Result({f"j{n}": failed(f"j{n}", text=f"Job j{n} is not ready.") for n in range(3)})

    assert len(SAY.failures(result, 60)) == 1


@pytest.mark.parametrize(
    ("phase", "next_step"),
    [
        (Phase.STARTABLE, " Next: finish its configuration and its pre-check in DRS, then run pulumi up again."),
        (Phase.RUNNING, " Next: look at the job in the DRS console, then run pulumi up again."),
        # The status explains it.
        (Phase.SCHEDULED, " Next: run pulumi up."),
    ],
)
def test_a_refusal_for_the_status_of_a_job_has_a_next_step_that_fits_the_status(phase: Phase, next_step: str) -> None:
    refused = replace(failed("a", "DRS.M00304"), phase=phase)

    (reason,) = SAY.failures(Result({"a": refused}), 60)

    assert reason == f"job a could not be started: DRS.M00304: Not allowed.{next_step}"


def test_every_cause_has_its_sentence() -> None:
    result = Result({"a": failed("a"), "b": failed("b", "DRS.M05003", "Unknown."), "c": failed("c")})

    assert len(SAY.failures(result, 60)) == 2


def test_a_wait_that_ran_out_names_the_status_and_the_jobs() -> None:
    waiting = JobOutcome("a", "STARTJOBING", Phase.STARTING, "started", False, record=JobRecord(is_unfinished=True))

    (reason,) = SAY.failures(Result({"a": waiting}, OutOfTimeError("the time limit was reached")), 5400)

    assert "1 in STARTJOBING: a. Nothing is lost: DRS goes on with it." in reason
    assert "after 90m (timeout)" in reason


def test_progress_counts_first_what_runs() -> None:
    assert SAY.progress(Progress({Phase.RUNNING: 812, Phase.STARTING: 188})) == "running 812/1,000, starting 188"


def test_the_last_few_jobs_are_named_with_their_status_and_for_how_long() -> None:
    last = [Remaining("a", "STARTJOBING", 24.2), Remaining("b", "STARTJOBING", 4000)]

    assert SAY.progress(Progress({Phase.RUNNING: 1, Phase.STARTING: 2}, last=last)) == (
        "running 1/3, starting 2; a in STARTJOBING for 24s; b in STARTJOBING for 66m"
    )


def test_a_plan_of_five_thousand_jobs_is_one_short_line() -> None:
    jobs = [f"j{n:04}" for n in range(5000)]
    actual = {job_id: ActualJob(job_id, "CONFIGURATION" if n % 2 else "STARTJOBING") for n, job_id in enumerate(jobs)}

    words = SAY.plan(make_plan(make_cases([DesiredJob(job_id) for job_id in jobs], actual, {}, Goal.RUNNING, 0)))

    assert words.startswith("will start 2,500 jobs: j0001, ")
    assert "wait for jobs j0000, j0002, j0004 and 2,497 more" in words
    assert len(words) < 250


NOW = 1_800_000_000.0
HOUR_MS = 3_600_000


def planned(status: str = "CONFIGURATION", record: JobRecord | None = None, pairing: Pairing | None = None, **asked: Any) -> Plan:
    """The plan for one job, `a`."""
    actual = ActualJob("a", status, pairing=pairing)
    return make_plan(make_cases([DesiredJob("a", **asked)], {"a": actual}, {"a": record or JobRecord()}, Goal.RUNNING, NOW))


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        pytest.param(planned(), "will start 1 job: a", id="start"),
        pytest.param(
            planned(start_time=round(NOW * 1000) + HOUR_MS), "will schedule 1 job for 2027-01-15T09:00:00Z: a", id="schedule"
        ),
        pytest.param(planned(precheck=True), "will pre-check, and start if that passes, 1 job: a", id="pre-check"),
        pytest.param(planned("PAUSING", resume=True), "will resume 1 job: a", id="resume"),
        pytest.param(planned("INCRE_TRANSFER_STARTED", state=DesiredState.PAUSED), "will pause 1 job: a", id="pause"),
        pytest.param(planned("INCRE_TRANSFER_STARTED", state=DesiredState.STOPPED), "will STOP 1 job for good: a", id="stop"),
        pytest.param(planned("CREATING"), "will wait for job a, which is still being created", id="wait"),
        pytest.param(planned("INCRE_TRANSFER_STARTED"), "will start no job; 1 job is running", id="nothing"),
        pytest.param(planned("PAUSING"), "will start no job; 1 job is paused and stays paused", id="paused"),
    ],
)
def test_a_plan_says_what_it_would_do(plan: Plan, words: str) -> None:
    assert SAY.plan(plan) == words


@pytest.mark.parametrize(
    ("unknown", "words"),
    [
        (1, "1 job is running; 1 job is not known yet and will be started unless running"),
        (2, "1 job is running; 2 jobs are not known yet and will be started unless running"),
        (None, "1 job is running; which jobs are to be started is not known yet"),
    ],
)
def test_jobs_that_are_not_known_yet_are_mentioned(unknown: int | None, words: str) -> None:
    assert SAY.plan(planned("INCRE_TRANSFER_STARTED"), unknown) == words


def test_a_stop_is_announced_in_capitals() -> None:
    (warning,) = SAY.plan_warnings(planned("INCRE_TRANSFER_STARTED", state=DesiredState.STOPPED))
    assert warning == 'will STOP 1 job FOR GOOD: a, because of desired_state="stopped". A stopped job can never be started again.'
    assert "STOP 3 jobs FOR GOOD" in SAY.on_destroy(Declared(count=3, on_destroy=OnDestroy.STOP))


@pytest.mark.parametrize("on_destroy", [OnDestroy.LEAVE, OnDestroy.PAUSE])
def test_what_can_be_taken_back_is_not_announced_in_capitals(on_destroy: OnDestroy) -> None:
    assert SAY.on_destroy(Declared(count=3, on_destroy=on_destroy)) == ""
    assert "STOP" not in SAY.retirement(["a"], on_destroy)


def test_a_late_start_is_a_warning() -> None:
    (warning,) = SAY.plan_warnings(planned(start_time=round(NOW * 1000) - HOUR_MS))
    assert warning == "job a was to start at 2027-01-15T07:00:00Z, which is past, so it starts now"


def test_a_dual_active_parent_is_refused_with_its_children_named() -> None:
    (warning,) = SAY.impossible(planned(pairing=Pairing(is_parent=True, children=("b", "c"))))
    assert warning == (
        "can't start job a: it is the parent of a dual-active pair, of which only the subtasks are started. "
        "Declare its subtasks instead: b, c."
    )


def test_a_failed_precheck_names_its_items_with_their_reasons() -> None:
    findings = (Finding("binlog", "It is off."), Finding("space", ""))
    record = JobRecord(precheck=Precheck("p", is_done=True, failed=findings))
    (warning,) = SAY.impossible(planned(record=record, precheck=True))
    assert warning == "can't start job a: it did not pass the pre-check (binlog: It is off; space). Fix these items."


def test_a_failed_start_of_a_scheduled_job_mentions_the_missing_role() -> None:
    (scheduled,) = SAY.impossible(planned("START_JOB_FAILED", start_time=round(NOW * 1000) - HOUR_MS))
    (plain,) = SAY.impossible(planned("START_JOB_FAILED"))
    assert "lacks the role Security Administrator" in scheduled
    assert "Security Administrator" not in plain


def test_several_jobs_are_spoken_of_in_the_plural() -> None:
    jobs = ["a", "b"]
    plan = make_plan(make_cases(map(DesiredJob, jobs), {a: ActualJob(a, "CREATE_FAILED") for a in jobs}, {}, Goal.RUNNING, NOW))
    assert SAY.impossible(plan)[0] == (
        "can't start jobs a and b: they could not be created. Create new jobs, or take them off the list."
    )


def test_what_failed_the_last_time_is_told_before_it_is_tried_again() -> None:
    rows = Recorded(rows={"a": RecordedRow("startable", "failed", "DRS.M00304", "Not configured.")})
    assert SAY.failed_before(planned(), rows) == [
        "job a failed the last time and will be tried again: DRS.M00304: Not configured."
    ]
    assert SAY.failed_before(planned("INCRE_TRANSFER_STARTED"), rows) == []
    assert SAY.failed_before(planned(), Recorded(rows={"a": RecordedRow("running", "started")})) == []


def test_alarms_of_a_precheck_are_told() -> None:
    job = JobOutcome("a", "FULL_TRANSFER_STARTED", Phase.RUNNING, "started", True, alarms=[Finding("binlog", "kept for a day.")])
    assert SAY.attention([job]) == ["the pre-check warns of job a: binlog: kept for a day."]


@pytest.mark.parametrize("phase", [Phase.PAUSED, Phase.FAILED])
def test_what_is_left_alone_is_told(phase: Phase) -> None:
    reason = Why(Reason.PAUSED if phase is Phase.PAUSED else Reason.FAILED)
    (line,) = SAY.attention([outcome("a", phase, "unchanged", why=reason)])
    assert line.startswith("job a ")
    assert "resume=True" in line


def test_a_refused_stop_says_so_and_what_to_run() -> None:
    problem = Problem(NOT_STARTED, "X", "DRS.M00103", "You may not.")
    job = outcome("a", Phase.RUNNING, "failed", problem=problem, wanted="stopped")
    (reason,) = SAY.failures(Result({"a": job}), 60, "pulumi destroy")
    assert reason.startswith("job a could not be stopped: DRS.M00103: You may not.")
    assert "run pulumi destroy again" in reason


def test_a_request_remembered_for_another_purpose_changes_no_words() -> None:
    record = JobRecord(request=Request(start_time=None), was_started=True)
    assert SAY.plan(planned(record=record)) == "will start 1 job: a"


# -- why nothing happens for a while -------------------------------------------------------------------------------

LOST = Waiting("a", Why(Reason.IN_DOUBT, Action.START), "HTTP 503: busy", 120.0)
REFUSED = replace(LOST, why=Why(Reason.RETRY_LATER, Action.START), seconds=20.0)
FOR_PAIR = Why(Reason.WAITING_FOR_PAIR, pairing=Pairing(obstacle=Obstacle("b", "STARTJOBING")))


@pytest.mark.parametrize(
    ("waiting", "words"),
    [
        (
            LOST,
            "the answer to the start of jobs a and b was lost (HTTP 503: busy): watching DRS for up to 2m before asking again, "
            "so that nothing is started twice",
        ),
        (
            replace(REFUSED, said="DRS.M00304: No.", why=Why(Reason.REFUSED_FOR_NOW, Action.STOP)),
            "DRS refused the stop of jobs a and b (DRS.M00304: No): asking again in 20s",
        ),
        (
            replace(REFUSED, said="DRS.M01504: Busy."),
            "DRS is busy with jobs a and b (DRS.M01504: Busy): asking for the start again in 20s",
        ),
        (Waiting("a", Why(Reason.PRECHECK_RUNNING)), "waiting for the pre-check of jobs a and b"),
        (
            Waiting("a", FOR_PAIR),
            "waiting for jobs a and b, which wait for the other direction of their dual-active pairs: "
            "b is in STARTJOBING and has to reach INCRE_TRANSFER_STARTED first",
        ),
    ],
)
def test_a_wait_has_a_reason(waiting: Waiting, words: str) -> None:
    both = [waiting, replace(waiting, job_id="b")]
    assert SAY.progress(Progress({Phase.STARTABLE: 2}, both)) == f"running 0/2, startable 2; {words}"


def test_a_gate_tells_the_status_of_a_job_that_is_at_something_else_however_small_its_delay() -> None:
    job = ActualJob("a", "CHANGE_JOB_STARTED", copy=CopyProgress(100, 0))

    assert "(max_delay is 10s). a is in CHANGE_JOB_STARTED. " in SAY.not_synced({"a": job}, 1, 10)
    assert "(max_delay is 10s). a is 11 s behind. " in SAY.not_synced({"a": replace(job, copy=CopyProgress(100, 11))}, 1, 10)


def test_of_many_reasons_the_rest_is_counted() -> None:
    waits = [replace(LOST, job_id=f"j{n}", said=f"HTTP {n}") for n in range(5)]

    assert SAY.progress(Progress({Phase.STARTABLE: 10}, waits)).endswith("; and 2 more jobs to wait for")


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_sentence_in_both_dialects(reason: Reason) -> None:
    facts = Why(reason, Action.START, said="DRS's text", declared_time=1_800_000_000_000)
    python, yaml = SAY.why(facts), Messages(YAML).why(facts)

    assert python
    assert "=True" not in yaml
