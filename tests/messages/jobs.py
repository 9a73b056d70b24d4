"""Messages about jobs: decisions, previews, progress, results, failures."""
# ruff: noqa: B023 - functions that are made in a loop are called in it

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, get_args

from pulumi_drs_start.drs.calls.models import ActionAnswer, CopyProgress, Finding
from pulumi_drs_start.drs.errors import AuthenticationError, CancelledError, OutOfTimeError, UnreachableError, refusal_for
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.drs.http.retry import RetryPolicy
from pulumi_drs_start.operations.command import why_partial
from pulumi_drs_start.operations.connections import Connections
from pulumi_drs_start.operations.declarations import DeclaredJobs
from pulumi_drs_start.operations.lifecycle import Lifecycle
from pulumi_drs_start.reconcile.actual import ActualJob, Obstacle, Pairing
from pulumi_drs_start.reconcile.converge import Progress, Remaining, SyncProgress, Waiting
from pulumi_drs_start.reconcile.declared import Declared, DesiredJob, DesiredState, Goal, OnDestroy, Place
from pulumi_drs_start.reconcile.jobs import Jobs
from pulumi_drs_start.reconcile.outcome import JobOutcome, Result, refreshed, result_of
from pulumi_drs_start.reconcile.phase import Phase
from pulumi_drs_start.reconcile.plan import Case, Decision, Reason, Why, decide, make_plan
from pulumi_drs_start.reconcile.record import Action, JobRecord, Precheck, Refusal, Request
from pulumi_drs_start.reconcile.recorded import Recorded, RecordedRow
from pulumi_drs_start.reconcile.send import BatchLimit, Sender
from pulumi_drs_start.reconcile.sync import Lag
from pulumi_drs_start.schema.messages import _HINTS
from pulumi_drs_start.schema.types import Outcome
from pulumi_drs_start.schema.words import count_jobs, sentence
from pulumi_drs_start.settings import Settings

from .page import IDS, MANY, ONE, Page, Speaker, speaker

NOW = 1_800_000_000.0
JUST_NOW = round(NOW * 1000) - 60_000
PAST, FUTURE, LATER = (round(NOW * 1000) + hours * 3_600_000 for hours in (-1, 1, 24))
RUNS, OVER, OTHER = "INCRE_TRANSFER_STARTED", "RELEASE_RESOURCE_COMPLETE", IDS[1]
FAILED, TOLD = "START_JOB_FAILED", "Can not connect to the source database."
PAUSED, STOPPED = {"state": DesiredState.PAUSED}, {"state": DesiredState.STOPPED}
HERE, ELSEWHERE = "https://drs.eu-de.otc.t-systems.com", "https://drs.eu-nl.otc.t-systems.com"
NO_ANSWER = Refusal(None, f"DRS at {HERE} did not answer in time", is_final=False)
NOT_NOW = Refusal("DRS.M00304", "The operation is not allowed in this status.", is_final=False)
BUSY = Refusal("DRS.M01504", "Another operation is running.", is_final=False)
NEVER = replace(NOT_NOW, is_final=True)
BINLOG, SPACE = Finding("binlog", "The binlog of the source is off."), Finding("disk space", "")
RESUMED = {"accepted_at": NOW - 400, "accepted_now": True}

Make = Callable[[str], Case]
Told = Callable[[Speaker, Sequence[Case]], Iterable[str]]


def case(
    status: str = "CONFIGURATION",
    said: str | None = None,
    at: int | None = None,
    pairing: Pairing | None = None,
    record: JobRecord | None = None,
    goal: Goal = Goal.RUNNING,
    copy: CopyProgress | None = None,
    **desired: Any,
) -> Make:
    """Makes the case of a job: its status, DRS's text, the time it is scheduled for, what is recorded and what is declared."""
    known = record or JobRecord()
    return lambda job_id: Case(
        DesiredJob(job_id, **desired), ActualJob(job_id, status, None, said, at, None, copy, pairing), known, goal, NOW
    )


def synced(status: str, said: str | None = None, copy: CopyProgress | None = None, **desired: Any) -> Make:
    """The same of a job whose copy has to catch up."""
    return case(status, said, goal=Goal.SYNCED, copy=copy, **desired)


def sent(action: Action = Action.START, refusal: Refusal | None = None, **facts: Any) -> JobRecord:
    """The record of a job after a request."""
    request = Request(action, FUTURE if action is Action.SCHEDULE else None)
    return JobRecord(request=request, refusal=refusal, **{"sends": 1 if refusal else 0, **facts})


def requests(refusal: Refusal | None = None, **facts: Any) -> list[Make]:
    """A case for each request that was sent, with what came of it."""
    return [
        case(record=sent(Action.START, refusal, **facts)),
        case(record=sent(Action.SCHEDULE, refusal, **facts), start_time=FUTURE),
        case("PAUSING", record=sent(Action.RESUME, refusal, **facts), resume=True),
        case(RUNS, record=sent(Action.PAUSE, refusal, **facts), **PAUSED),
        case(RUNS, record=sent(Action.STOP, refusal, **facts), **STOPPED),
        *([case(record=sent(Action.PRECHECK, refusal, **facts), precheck=True)] if refusal else []),
    ]


AT_REST: list[Make] = [
    case(),
    case(start_time=FUTURE),
    case(start_time=PAST),
    case(precheck=True),
    case(pairing=Pairing(is_alone=True)),
    case(pairing=Pairing(forward=OTHER, unknown_delays=("RPO", "RTO"))),
    case(start_time=PAST, pairing=Pairing(is_alone=True)),
    case(pairing=Pairing(is_parent=True)),
    case(pairing=Pairing(is_parent=True, children=IDS[1:3])),
    case(pairing=Pairing(forward=OTHER, obstacle=Obstacle(OTHER, "STARTJOBING"))),
    case(pairing=Pairing(forward=OTHER, obstacle=Obstacle(OTHER, RUNS, "RPO", 90_500))),
    case("CREATING"),
    case("WAITING_FOR_START", at=FUTURE, start_time=FUTURE),
    case("WAITING_FOR_START", at=JUST_NOW, start_time=JUST_NOW),
    case("WAITING_FOR_START", start_time=PAST),
    case("WAITING_FOR_START", at=FUTURE),
    case("WAITING_FOR_START"),
    case("WAITING_FOR_START", at=FUTURE, start_time=LATER),
    case("WAITING_FOR_START", at=LATER, start_time=PAST),
    case("WAITING_FOR_START", at=FUTURE, **PAUSED),
    case("STARTJOBING"),
    case("STARTJOBING", **PAUSED),
    case("STARTJOBING", **STOPPED),
    case(RUNS),
    case(RUNS, **PAUSED),
    case(RUNS, **STOPPED),
    case("PAUSING"),
    case("PAUSING", resume=True),
    case("PAUSING", **PAUSED),
    case("PAUSING", record=JobRecord(paused_here=True)),
    case("INCRE_TRANSFER_FAILED"),
    case("INCRE_TRANSFER_FAILED", "The binlog was purged."),
    case("INCRE_TRANSFER_FAILED", "The binlog was purged.", resume=True),
    case(FAILED),
    case(FAILED, TOLD, resume=True),
    case(FAILED, "can not get agency token", start_time=PAST),
    case(OVER),
    case(OVER, record=JobRecord(was_started=True)),
    case(OVER, record=JobRecord(stopped_here=True)),
    case(OVER, record=JobRecord(scheduled_for=FUTURE)),
    case(OVER, record=JobRecord(request=Request(Action.SCHEDULE))),
    case(OVER, **STOPPED),
    case("RELEASE_RESOURCE_STARTED", **STOPPED),
    case("RELEASE_RESOURCE_FAILED", **STOPPED),
    case("CREATE_FAILED"),
    case("CREATE_FAILED", "The quota is used up."),
    case("CREATE_FAILED", "The quota is used up.", **STOPPED),
    case("MISSING"),
    case("MISSING", **PAUSED),
    case("MISSING", "The job does not exist.", **STOPPED),
    case("MISSING", record=JobRecord(was_ended=True), **STOPPED),
    case(**PAUSED),
    case(record=sent(accepted_at=NOW - 60), **PAUSED),
    *requests(accepted_at=NOW - 60),
    *requests(NO_ANSWER, lost_at=NOW - 5)[:5],
    synced("CONFIGURATION"),
    synced(RUNS),
    synced("WAITING_FOR_START", at=FUTURE, start_time=FUTURE),
    synced("PAUSING"),
    synced("INCRE_TRANSFER_FAILED", "The binlog was purged."),
    synced(OVER, copy=CopyProgress(40.0), record=JobRecord(was_started=True)),
]
"""Every kind of job that a preview may see, with what is declared and what the state records."""
AT_WORK: list[Make] = [
    case(record=JobRecord(precheck=Precheck("p")), precheck=True),
    case(record=JobRecord(precheck=Precheck("p", is_done=True)), precheck=True),
    case(record=JobRecord(precheck=Precheck("p", is_done=True, failed=(BINLOG, SPACE))), precheck=True),
    case(FAILED, TOLD, record=sent(Action.RESUME, **RESUMED), resume=True),
    case(FAILED, record=sent(Action.RESUME, **RESUMED), resume=True),
    case("WAITING_FOR_START", at=LATER, record=sent(refusal=NEVER)),
    case("WAITING_FOR_START", at=LATER, start_time=FUTURE, record=sent(Action.SCHEDULE, NEVER)),
    *requests(NO_ANSWER, lost_at=NOW - 5)[5:],
    *requests(NOT_NOW, refused_at=NOW - 5),
    *requests(BUSY, retry_at=NOW + 7),
    *requests(NEVER),
    *requests(BUSY, sends=5),
]
"""Every kind of job that only an operation sees."""


def render(page: Page) -> None:
    """Write every message about jobs."""
    _decisions(page)
    _previews(page)
    _deletions(page)
    _places(page)
    _progress(page)
    _results(page)
    _failures(page)


def _each(page: Page, told: Told, cases: Sequence[Make], kind: Callable[[Decision], object]) -> None:
    """Messages about one job of each case, and about many jobs of each kind of case."""
    seen = set()
    for make in cases:
        page.both(lambda say: told(say, [make(job_id) for job_id in ONE]))
        if (its_kind := kind(decide(make(IDS[0])))) not in seen:
            seen.add(its_kind)
            page.say(*told(speaker(), [make(job_id) for job_id in MANY]))


def _both_counts(page: Page, told: Callable[[Speaker, Sequence[str]], Iterable[str]]) -> None:
    """Messages about one job and about many."""
    page.both(lambda say: told(say, ONE))
    page.say(*told(speaker(), MANY))


def _reason(decision: Decision) -> Reason:
    return decision.why.reason


def _decisions(page: Page) -> None:
    page.section("How a job stands, why, and what to do")

    def told(say: Speaker, cases: Sequence[Case]) -> Iterable[str]:
        why, count = decide(cases[0]).why, len(cases)
        yield f"{count_jobs(count)} {say.why(why, count)}. {sentence(say.advice(why, count))}"

    cases = [*AT_REST, *AT_WORK]
    for reason in Reason:
        page.part(reason.name.lower().replace("_", " "))
        its_cases = [make for make in cases if decide(make(IDS[0])).why.reason is reason]
        _each(page, told, its_cases, lambda decision: replace(decision.why, action=None))
    page.part("what is given as an id and is none")
    page.both(lambda say: [say.advice(Why(Reason.UNKNOWN_JOB), 1, "crm-orders")])


def _previews(page: Page) -> None:
    page.section("What a preview says")
    _each(page, lambda say, cases: [say.plan(make_plan(cases))], AT_REST, lambda decision: decision.action)
    times = make_plan([case(start_time=FUTURE + n)(job_id) for n, job_id in enumerate(IDS)])
    mixed = make_plan([make(job_id) for make, job_id in zip((case(), case(RUNS), case("PAUSING")), IDS, strict=False)])
    page.say(*(speaker().plan(plan) for plan in (times, mixed)), *(speaker().plan(mixed, unknown) for unknown in (1, 5, None)))
    page.part("warnings")
    _each(
        page,
        lambda say, cases: [*say.plan_warnings(make_plan(cases)), *say.impossible(make_plan(cases))],
        AT_REST,
        lambda decision: _reason(decision) if decision.action is Action.FAIL else decision.why,
    )
    for count in (51, 100):
        each_other = [case("CREATE_FAILED", f"Quota {n} is used up.")(f"crm-{n}") for n in range(count)]
        page.say(speaker().impossible(make_plan(each_other))[-1])
    page.part("what failed the last time")
    for row in (RecordedRow("startable", "failed"), RecordedRow("startable", "failed", "DRS.M00304", "It is not configured.")):
        recorded = Recorded(rows=dict.fromkeys(IDS, row))
        _each(page, lambda say, cases: say.failed_before(make_plan(cases), recorded), [case()], _reason)
    page.part("jobs that were taken off the list")
    _both_counts(page, lambda say, ids: [say.taken_off(ids)])
    page.part("inputs that are not known yet")

    def unknowns(say: Speaker, ids: Sequence[str]) -> list[str]:
        declared = Declared(unknown=frozenset({"resume", "precheck", "on_destroy"}), unknown_states=tuple(ids))
        return [
            line
            for status in ("PAUSING", "CONFIGURATION")
            for line in say.unknowns(declared, [ActualJob(job_id, status) for job_id in ids])
        ]

    _both_counts(page, unknowns)


def _deletions(page: Page) -> None:
    page.section("What becomes of the jobs when the resource is deleted or replaced")
    there = Place(HERE, "0123456789abcdef0123456789abcdef")
    registry = DeclaredJobs()
    registry.declare("another", None, ())
    whys = [registry.why_unsure("urn"), why_partial(None, {}), why_partial(("pulumi", "up", "--target=urn"), {})]
    registry.is_replaced("urn")
    whys.append(registry.why_unsure("urn"))
    deaf = DeclaredJobs()
    deaf.share(page.folder / "no" / "folder")
    whys.append(deaf.why_unsure("urn"))
    for on_destroy in OnDestroy:
        page.part(f"on_destroy: {on_destroy.value}")

        def deletion(say: Speaker, ids: Sequence[str]) -> Iterable[str]:
            yield say.on_destroy(Declared(on_destroy=on_destroy, count=len(ids)))
            yield say.retirement(ids, on_destroy)
            yield say.replaced(["region"], there, ids, on_destroy)
            yield say.replaced(["region", "project_id"], None, ids, on_destroy)
            yield say.may_be_replaced(ids, on_destroy)
            if on_destroy is not OnDestroy.LEAVE:
                yield from (say.not_retired(ids, on_destroy, why) for why in whys[: 6 - len(ids)] if why)

        _both_counts(page, deletion)
    warnings: list[str] = []
    operation = SimpleNamespace(resource="", messages=speaker(), warn=warnings.append, info=str)
    placeless = Recorded(Declared(listed=ONE, on_destroy=OnDestroy.STOP))
    Lifecycle(Connections(), {}).retire(operation, placeless)  # type: ignore[arg-type]
    page.say(*warnings)
    page.part("jobs that are left as they are")
    _both_counts(page, lambda say, ids: [say.left(ids), say.left_to_another(ids)])
    page.part("when the deletion failed")
    page.both(lambda say: [say.way_out_of_destroy])


def _places(page: Page) -> None:
    page.section("Jobs that are elsewhere")
    there = Place(HERE, "0123456789abcdef0123456789abcdef")
    settings = [Settings(endpoint=ELSEWHERE, **project) for project in ({"project_id": "a" * 32}, {"project_name": "crm"}, {})]
    refusal = AuthenticationError("IAM at https://iam.eu-nl.otc.t-systems.com/v3 refused the login: 401.")
    page.say(*(speaker().not_imported(ids) for ids in (ONE, MANY)))
    page.both(lambda say: [say.elsewhere(there, one) for one in settings])
    page.both(lambda say: [say.elsewhere(there, settings[0], refusal)])


def _progress(page: Page) -> None:
    page.section("What is shown while an operation waits")
    counts = {phase: 1000 + n for n, phase in enumerate(Phase)}
    lasts = [Remaining(job_id, "STARTJOBING", seconds) for job_id, seconds in zip(IDS, (24, 2100, 11_400), strict=False)]
    for progress in (Progress(counts), Progress({Phase.RUNNING: 17, Phase.STARTING: 3}, last=lasts)):
        page.say(speaker().progress(progress))
    page.part("why it waits")

    def told(say: Speaker, cases: Sequence[Case]) -> Iterable[str]:
        decision = decide(cases[0])
        why, said = decision.why, str(decision.refusal or "") if decision.why.action else ""
        if decision.action is Action.WAIT and not decision.is_underway:
            waits = [Waiting(one.desired.job_id, why, said, 20.0 if why.action else None) for one in cases]
            yield say.progress(Progress({cases[0].phase: len(cases)}, waits))

    _each(page, told, [*AT_REST, *AT_WORK, _unmentioned], _reason)
    _copies(page)
    waits = [Waiting(f"crm-{n}", Why(Reason.RETRY_LATER, Action.START), f"HTTP {500 + n}: Busy.", 20.0) for n in range(5)]
    page.say(*(speaker().progress(Progress({Phase.STARTABLE: count}, waits[:count])) for count in (4, 5)))


def _copies(page: Page) -> None:
    page.part("how far copies are that have to catch up")
    phases = {Phase.RUNNING: 10, Phase.STARTING: 2}
    behind = [Lag(IDS[0], 100.0, 337.2, trend) for trend in (-1, 0, 1)]
    full, silent = Lag(IDS[1], 45.7), Lag(IDS[2], 100.0)
    good = Lag(IDS[3], 100.0, 2.0, 0, 20.4)
    for lags in ([one] for one in (*behind, full, silent, good)):
        page.say(speaker().progress(Progress(phases, sync=SyncProgress(7, 12, lags, stable_seconds=60.0))))
    far = Lag(IDS[4], 100.0, 12_345.0)
    page.say(speaker().progress(Progress(phases, sync=SyncProgress(7, 12, [full, far, good], stable_seconds=60.0))))
    refusal = f"DRS at {HERE} did not answer in time"
    for lost in (ONE, MANY):
        page.say(speaker().progress(Progress(phases, sync=SyncProgress(7, 12, behind[:1], dict.fromkeys(lost, "PAUSING")))))
    page.say(speaker().progress(Progress(phases, sync=SyncProgress(7, 12, [silent], why_silent=refusal))))
    page.say(speaker().silent(refusal))
    page.part("that a gate is closed")
    limit = {job_id: ActualJob(job_id, RUNS, copy=CopyProgress(100.0, 340.0)) for job_id in ONE}
    page.both(lambda say: [say.not_synced(limit, 1, 10.0)])
    copies = (CopyProgress(100.0, 340.0), CopyProgress(45.7), CopyProgress(100.0), None)
    statuses = (RUNS, "FULL_TRANSFER_STARTED", RUNS, "PAUSING")
    late = {job_id: ActualJob(job_id, status, copy=copy) for job_id, status, copy in zip(IDS, statuses, copies, strict=False)}
    page.both(lambda say: [say.not_synced(late, 12, 0.0)])
    hidden = speaker()
    hidden.names.is_secret = True
    page.say(hidden.not_synced(late, 12, 10.0))
    page.say(speaker().not_synced({job_id: ActualJob(job_id, "INCRE_TRANSFER_FAILED") for job_id in MANY}, 12, 10.0))
    many = {f"crm-{n}": ActualJob(f"crm-{n}", RUNS, copy=CopyProgress(100.0, 100.0 + n)) for n in range(53)}
    page.say(speaker().not_synced(many, 100, 10.0)[-400:])


def _unmentioned(job_id: str) -> Case:
    """A job that DRS's answer to its start did not mention."""
    jobs = Jobs({job_id: case()(job_id)})
    jobs.decide([job_id])
    silent = SimpleNamespace(start_jobs=lambda *_: ActionAnswer(frozenset(), {}, frozenset([job_id])), retry=RetryPolicy())
    Sender(silent, jobs, BatchLimit(), TimeBudget(5)).send([job_id])  # type: ignore[arg-type]
    sent_at = jobs.cases[job_id].record.lost_at
    return replace(jobs.cases[job_id], now=sent_at)


def _results(page: Page) -> None:
    page.section("What became of the jobs")
    jobs = {done: JobOutcome(done, RUNS, Phase.RUNNING, done, is_fulfilled=True) for done in get_args(Outcome)}
    page.say(*(speaker().result(Result({done: jobs[done]})) for done in jobs), speaker().result(Result(jobs)))
    caught_up = JobOutcome("a", RUNS, Phase.RUNNING, "started", is_fulfilled=True, copy=CopyProgress(100.0, 2.0))
    page.say(speaker().result(Result({"a": replace(caught_up, record=JobRecord(is_synced=True)), "b": caught_up})))
    page.part("what needs attention")

    def attention(say: Speaker, cases: Sequence[Case]) -> Iterable[str]:
        return say.attention(list(result_of(cases).jobs.values()))

    _each(page, attention, AT_REST, _reason)
    page.part("what the pre-check warns of")
    alarms = Precheck("p", is_done=True, has_passed=True, alarms=(BINLOG, SPACE))
    _each(page, attention, [case(RUNS, record=JobRecord(precheck=alarms))], _reason)


def _failures(page: Page) -> None:
    def told(ended_by: Exception | None = None, command: str = "pulumi up") -> Told:
        return lambda say, cases: say.failures(result_of(cases, ended_by), 5400, command)

    page.section("What failed")
    impossible = [make for make in (*AT_REST, *AT_WORK) if decide(make(IDS[0])).action is Action.FAIL]
    _each(page, told(), impossible, _reason)
    page.part("in pulumi destroy")
    _each(page, told(command="pulumi destroy"), [case(RUNS, record=sent(Action.STOP, NEVER), **STOPPED)], _reason)
    page.part("what DRS refused, by its code, and by the phase of the job where that matters")
    for code in (*_HINTS, None):
        refusal = replace(NEVER, code=code, text="DRS's own text.")
        _each(page, told(), [case(record=sent(refusal=refusal))], _reason)
    _each(page, told(), [case(RUNS, record=sent(Action.PAUSE, NEVER), **PAUSED)], _reason)
    page.part("what a refresh repeats of the last up")
    row = RecordedRow("startable", "failed", "DRS.M00304", "The job is not configured.", "finish its configuration")
    for recorded in (Recorded(rows={IDS[0]: row}), Recorded(rows={IDS[0]: RecordedRow("startable", "failed")})):
        page.say(*speaker().failures(refreshed(recorded, result_of([case()(IDS[0])])), 0))
    page.part("many jobs, each with a reason of its own")
    for count in (51, 100):
        each_other = [case("CREATE_FAILED", f"Quota {n} is used up.")(f"crm-{n}") for n in range(count)]
        page.say(list(told()(speaker(), each_other))[-1])
    page.part("when the time is up, the user cancels, or DRS can't be read any more")
    pausing = case(RUNS, record=sent(Action.PAUSE, accepted_at=NOW - 60, accepted_now=True), **PAUSED)
    again = case(FAILED, TOLD, record=sent(Action.RESUME, accepted_at=NOW - 40), resume=True)
    silent = case(FAILED, record=sent(Action.RESUME, accepted_at=NOW - 40), resume=True)
    unfinished = [case("STARTJOBING"), pausing, case("RELEASE_RESOURCE_STARTED", **STOPPED)]
    undone = [case(), case("CREATING"), case("STARTJOBING", **PAUSED)]
    timed_out = OutOfTimeError("the time limit of 90m was reached")
    _each(page, told(timed_out), [*unfinished, *undone, again, silent], lambda decision: decision)
    late = [synced(RUNS, copy=copy) for copy in (CopyProgress(100.0, 340.0), CopyProgress(45.7), CopyProgress(100.0), None)]
    _each(page, told(timed_out), late, _reason)
    unreachable = UnreachableError(f"DRS at {HERE} can't be reached (Connection refused)", url=HERE)
    denied = refusal_for("DRS.M00103", "You may not do this.", status=401, request_id="5b1e7f")
    for ended_by in (CancelledError("cancelled"), unreachable, denied):
        _each(page, told(ended_by), [unfinished[0], undone[0], undone[1]], _reason)
    page.part("a defect of this package")
    page.say(*told(KeyError("phase"))(speaker(), []))
