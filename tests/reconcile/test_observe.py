"""What is read of jobs beside their statuses: times of scheduled ones, and the parts of dual-active pairs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.errors import DrsError
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.reconcile.actual import ActualJob, Obstacle, Pairing
from pulumi_drs_start.reconcile.observe import StatusReader
from pulumi_drs_start.sandbox import Fault, Sandbox, faults, make_job

LATER, LATER_MS = "4102444800000", 4_102_444_800_000
DETAIL, PROGRESS, RECOVERY, LIST = "batch-detail", "batch-progress", "batch-rpo-and-rto", "jobs"
DUAL = {"db_use_type": "cloudDataGuard", "multi_write": True, "task_type": "INCR_TRANS"}


@pytest.fixture(scope="module")
def _sandbox() -> Iterator[Sandbox]:
    with Sandbox(start_seconds=0, full_seconds=3600) as running:
        yield running


@pytest.fixture
def sandbox(_sandbox: Sandbox) -> Sandbox:
    """One for all tests here: they only read, and begin with an empty one."""
    _sandbox.reset()
    return _sandbox


@pytest.fixture
def reader(client: DrsClient) -> StatusReader:
    return StatusReader(client)


def look(reader: StatusReader, *job_ids: str) -> dict[str, ActualJob]:
    return reader.read(job_ids, TimeBudget(30))


def asked(sandbox: Sandbox, operation: str = DETAIL) -> list[list[str]]:
    """The jobs of each call."""
    return [sorted(call["jobs"]) for call in sandbox.calls(operation)]


def add_pair(
    sandbox: Sandbox, forth: dict[str, Any] | None = None, back: dict[str, Any] | None = None, number: int | str = ""
) -> None:
    """A dual-active pair, its two tasks with these fields. Ids end in `number`."""
    parent_id = f"parent{number}"
    forth = {"parent_id": parent_id, "role": "forward", "job_direction": "up", **DUAL, **(forth or {})}
    back = {"parent_id": parent_id, "role": "backward", "job_direction": "down", **DUAL, **(back or {})}
    sandbox.add_jobs(
        make_job(parent_id, is_parent=True, job_direction="up", **DUAL),
        make_job(f"forth{number}", **forth),
        make_job(f"back{number}", **back),
    )


def blocked_by_status(forward: str, status: str = "CONFIGURATION") -> Pairing:
    return Pairing(forward=forward, obstacle=Obstacle(forward, status))


def blocked_by_delay(forward: str, delay: str, milliseconds: int) -> Pairing:
    return Pairing(forward=forward, obstacle=Obstacle(forward, "INCRE_TRANSFER_STARTED", delay, milliseconds))


def pairing(reader: StatusReader, job_id: str) -> Pairing | None:
    return look(reader, job_id)[job_id].pairing


# -- schedules -----------------------------------------------------------------------------------------------------


def test_only_a_scheduled_job_has_a_time(sandbox: Sandbox, reader: StatusReader) -> None:
    sandbox.add_jobs(
        make_job("scheduled", status="WAITING_FOR_START", start_time=LATER),
        make_job("new", start_time=LATER),
        make_job("running", status="INCRE_TRANSFER_STARTED", start_time=LATER),
    )
    seen = look(reader, "scheduled", "new", "running", "unknown")

    assert seen == {
        "scheduled": ActualJob("scheduled", "WAITING_FOR_START", start_time=LATER_MS),
        "new": ActualJob("new", "CONFIGURATION"),
        "running": ActualJob("running", "INCRE_TRANSFER_STARTED"),
        "unknown": ActualJob("unknown", "MISSING", "DRS.M05003", "The task does not exist."),
    }


def test_details_are_read_only_where_they_matter_and_all_in_one_call(sandbox: Sandbox, reader: StatusReader) -> None:
    statuses = ["CREATING", "STARTJOBING", "FULL_TRANSFER_STARTED", "PAUSING", "DELETED"]
    sandbox.add_jobs(*(make_job(status, status=status) for status in statuses))
    look(reader, *statuses)
    assert asked(sandbox) == []
    sandbox.add_jobs(make_job("new"), make_job("scheduled", status="WAITING_FOR_START", start_time=LATER))
    sandbox.add_jobs(make_job("failed", status="START_JOB_FAILED"))

    look(reader, *statuses, "new", "scheduled", "failed")

    assert asked(sandbox) == [["failed", "new", "scheduled"]]


FAILED = {"status": "START_JOB_FAILED", "fail_start": {"code": "DRS.M01501", "message": "The disk is full."}}


def test_the_reason_of_a_failure_is_read_once(sandbox: Sandbox, reader: StatusReader) -> None:
    sandbox.add_jobs(make_job("a", **FAILED))

    first, second = look(reader, "a"), look(reader, "a")

    assert first["a"].error_message == second["a"].error_message == "The disk is full."
    assert len(asked(sandbox)) == 1


def test_the_reason_of_an_earlier_failure_is_not_that_of_a_later_one(sandbox: Sandbox, reader: StatusReader) -> None:
    sandbox.add_jobs(make_job("a", **FAILED))
    look(reader, "a")
    sandbox.set_status("a", "FULL_TRANSFER_STARTED", then=[])
    assert look(reader, "a")["a"].error_message is None
    sandbox.set_status("a", "START_JOB_FAILED", then=[])
    sandbox.clear_calls()

    look(reader, "a")

    assert asked(sandbox) == [["a"]]


def test_a_status_is_known_although_its_reason_can_not_be_had(sandbox: Sandbox, reader: StatusReader) -> None:
    sandbox.add_jobs(make_job("a", **FAILED))
    sandbox.inject(faults.refuse(DETAIL, "DRS.M00103", times=None))

    assert look(reader, "a")["a"].status == "START_JOB_FAILED"


def test_what_never_changes_is_asked_once_and_a_time_at_every_look(sandbox: Sandbox, reader: StatusReader) -> None:
    sandbox.add_jobs(make_job("new"), make_job("scheduled", status="WAITING_FOR_START", start_time=LATER))
    look(reader, "new", "scheduled")
    sandbox.clear_calls()

    look(reader, "new", "scheduled")

    assert asked(sandbox) == [["scheduled"]]


def test_a_job_whose_details_drs_did_not_tell_is_asked_about_again(sandbox: Sandbox, reader: StatusReader) -> None:
    add_pair(sandbox)
    sandbox.inject(faults.refuse(DETAIL, "DRS.M00304", times=1))
    assert pairing(reader, "parent") is None

    assert pairing(reader, "parent") == Pairing(is_parent=True, children=("forth", "back"))


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.refuse(DETAIL, "DRS.M00304", times=None), id="not in this state"),
        pytest.param(faults.refuse(DETAIL, "DRS.M00103", times=None), id="no permission"),
        pytest.param(
            faults.answer(DETAIL, 404, {"error_code": "APIGW.0101", "error_msg": "none"}, times=None), id="no such call"
        ),
    ],
)
def test_a_drs_that_refuses_details_is_done_without(sandbox: Sandbox, reader: StatusReader, fault: Fault) -> None:
    sandbox.add_jobs(make_job("scheduled", status="WAITING_FOR_START", start_time=LATER), make_job("new"))
    sandbox.inject(fault)

    seen = look(reader, "scheduled", "new")

    assert seen["scheduled"] == ActualJob("scheduled", "WAITING_FOR_START")
    assert seen["new"] == ActualJob("new", "CONFIGURATION")


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.server_error(DETAIL, times=None), id="a fault of the service"),
        pytest.param(faults.too_frequent(DETAIL, times=None), id="throttled"),
        pytest.param(faults.drop_before(DETAIL, times=None), id="unreachable"),
    ],
)
def test_details_that_can_not_be_read_just_now_are_an_error(sandbox: Sandbox, reader: StatusReader, fault: Fault) -> None:
    """To go on without could schedule a job anew, or start a backward task too soon."""
    sandbox.add_jobs(make_job("scheduled", status="WAITING_FOR_START", start_time=LATER))
    sandbox.inject(fault)

    with pytest.raises(DrsError):
        look(reader, "scheduled")


# -- pairs ---------------------------------------------------------------------------------------------------------


def test_a_parent_is_told_with_its_children(sandbox: Sandbox, reader: StatusReader) -> None:
    add_pair(sandbox)

    assert pairing(reader, "parent") == Pairing(is_parent=True, children=("forth", "back"))


@pytest.mark.parametrize("status", ["CREATING", "WAITING_FOR_START", "STARTJOBING", "INCRE_TRANSFER_STARTED", "START_JOB_FAILED"])
def test_the_part_in_a_pair_matters_only_before_the_start(sandbox: Sandbox, reader: StatusReader, status: str) -> None:
    add_pair(sandbox, back={"status": status})

    assert pairing(reader, "back") is None
    assert sandbox.calls(LIST) == []


def test_the_forward_task_is_like_any_other(sandbox: Sandbox, reader: StatusReader) -> None:
    add_pair(sandbox)

    assert pairing(reader, "forth") is None


@pytest.mark.parametrize(
    "status",
    [
        *("CREATING", "CREATE_FAILED", "CONFIGURATION", "WAITING_FOR_START", "STARTJOBING", "START_JOB_FAILED", "PAUSING"),
        *("FULL_TRANSFER_STARTED", "FULL_TRANSFER_COMPLETE", "INCRE_TRANSFER_FAILED", "A_STATUS_OF_NEXT_YEAR"),
    ],
)
def test_the_backward_task_waits_until_the_forward_one_replicates(sandbox: Sandbox, reader: StatusReader, status: str) -> None:
    add_pair(sandbox, forth={"status": status, "then": []})

    found = pairing(reader, "back")

    assert found == blocked_by_status("forth", status)
    assert sandbox.calls(PROGRESS) == []


@pytest.mark.parametrize(
    ("rpo", "rto", "blocked_by"),
    [
        (0, 0, None),
        (59_999, 59_999, None),
        (60_000, 0, ("RPO", 60_000)),
        (0, 60_000, ("RTO", 60_000)),
        (90_500, 90_000, ("RPO", 90_500)),
    ],
)
def test_the_backward_task_waits_for_rpo_and_rto_below_a_minute(
    sandbox: Sandbox, reader: StatusReader, rpo: int, rto: int, blocked_by: tuple[str, int] | None
) -> None:
    sandbox.set_policy(rpo_and_rto=True)
    add_pair(sandbox, forth={"status": "INCRE_TRANSFER_STARTED", "rpo_ms": rpo, "rto_ms": rto})

    expected = blocked_by_delay("forth", *blocked_by) if blocked_by else Pairing(forward="forth")
    assert pairing(reader, "back") == expected


@pytest.mark.parametrize(("rpo", "is_blocked"), [(59_000, False), (60_000, True)])
def test_where_only_the_delay_is_to_be_had_that_decides_and_a_note_says_what_is_not_known(
    sandbox: Sandbox, reader: StatusReader, rpo: int, is_blocked: bool
) -> None:
    """Open Telekom Cloud has no call for RPO and RTO."""
    add_pair(sandbox, forth={"status": "INCRE_TRANSFER_STARTED", "rpo_ms": rpo, "rto_ms": 90_000})

    found = pairing(reader, "back")

    assert found is not None
    assert (found.obstacle is not None) is is_blocked
    assert is_blocked or found.unknown_delays == ("RTO",)


def test_where_no_lag_is_to_be_had_a_note_says_so(sandbox: Sandbox, reader: StatusReader) -> None:
    add_pair(sandbox, forth={"status": "INCRE_TRANSFER_STARTED", "rpo_ms": 90_000})
    sandbox.inject(faults.refuse(PROGRESS, "DRS.M00304", times=None))

    found = pairing(reader, "back")

    assert found == Pairing(forward="forth", unknown_delays=("RPO", "RTO"))


def test_statuses_and_lags_of_the_other_task_are_read_anew_at_every_look(sandbox: Sandbox, reader: StatusReader) -> None:
    sandbox.set_policy(rpo_and_rto=True)
    add_pair(sandbox)
    assert pairing(reader, "back") != Pairing(forward="forth")
    sandbox.set_status("forth", "INCRE_TRANSFER_STARTED")

    assert pairing(reader, "back") == Pairing(forward="forth")


# -- which of the two goes first -----------------------------------------------------------------------------------


def test_a_task_that_has_started_is_the_forward_one_whatever_its_direction(sandbox: Sandbox, reader: StatusReader) -> None:
    sandbox.set_policy(rpo_and_rto=True)
    add_pair(sandbox, back={"status": "INCRE_TRANSFER_STARTED"})

    assert pairing(reader, "forth") == Pairing(forward="back")


@pytest.mark.parametrize("status", ["CREATING", "WAITING_FOR_START", "CREATE_FAILED"])
def test_a_task_that_has_not_started_is_the_forward_one_only_by_its_direction(
    sandbox: Sandbox, reader: StatusReader, status: str
) -> None:
    add_pair(sandbox, back={"status": status})

    assert pairing(reader, "forth") is None


def test_the_direction_of_the_parent_tells_the_forward_task_although_drs_lists_it_second(
    sandbox: Sandbox, reader: StatusReader
) -> None:
    add_pair(sandbox, forth={"job_direction": "down"}, back={"job_direction": "up"})

    assert pairing(reader, "back") is None
    assert pairing(reader, "forth") == blocked_by_status("back")


@pytest.mark.parametrize("direction", ["up", "down"])
def test_where_directions_tell_nothing_the_task_that_is_listed_first_goes_first(
    sandbox: Sandbox, reader: StatusReader, direction: str
) -> None:
    add_pair(sandbox, forth={"job_direction": direction}, back={"job_direction": direction})
    seen = look(reader, "forth", "back")

    assert seen["forth"].pairing is None
    assert seen["back"].pairing == blocked_by_status("forth")


def test_a_task_without_a_direction_is_not_the_first_because_its_parent_has_none_either(
    sandbox: Sandbox, reader: StatusReader
) -> None:
    add_pair(sandbox)
    children = [{"id": "forth", "job_direction": "up"}, {"id": "back"}]
    sandbox.inject(faults.answer(LIST, 200, {"total_record": 1, "jobs": [{"id": "parent", "children": children}]}, times=None))

    assert pairing(reader, "forth") is None
    assert pairing(reader, "back") == blocked_by_status("forth")


def test_never_do_both_tasks_of_a_new_pair_wait_for_each_other(sandbox: Sandbox, reader: StatusReader) -> None:
    add_pair(sandbox)
    parts = [status.pairing for status in look(reader, "forth", "back").values()]

    assert [part is not None and part.obstacle is not None for part in parts] == [False, True]


def test_a_family_that_drs_does_not_list_is_a_note_and_no_obstacle(sandbox: Sandbox, reader: StatusReader) -> None:
    add_pair(sandbox)
    sandbox.inject(faults.refuse(LIST, "DRS.M00103", times=None))
    seen = look(reader, "parent", "forth", "back")

    assert seen["parent"].pairing == Pairing(is_parent=True)
    assert seen["forth"].pairing == Pairing(is_alone=True)
    assert seen["back"].pairing == Pairing(is_alone=True)


def test_other_families_are_no_pairs(sandbox: Sandbox, reader: StatusReader) -> None:
    """Clusters have parents too, and nothing says that those are not started."""
    sandbox.add_jobs(make_job("parent", is_parent=True), make_job("shard", parent_id="parent"))

    assert [status.pairing for status in look(reader, "parent", "shard").values()] == [None, None]


# -- many pairs ----------------------------------------------------------------------------------------------------

REPLICATING = {"status": "INCRE_TRANSFER_STARTED"}


def calls(sandbox: Sandbox) -> list[str]:
    """What DRS was asked since the last time, logins aside."""
    asked = [call["operation"] for call in sandbox.calls() if call["operation"] != "tokens"]
    sandbox.clear_calls()
    return asked


@pytest.mark.parametrize("forth", [{}, REPLICATING], ids=["nothing runs", "the forward tasks run"])
@pytest.mark.parametrize(
    ("pairs", "declared", "has_recovery", "most_calls", "most_later"),
    [
        (10, "forth back", True, 8, 3),
        (10, "forth back", False, 8, 3),
        (20, "back", True, 8, 4),
        (20, "back", False, 8, 4),
        (7, "parent forth back", False, 8, 3),
        (200, "forth back", True, 40, 21),
        (200, "forth back", False, 40, 3),
        (400, "back", False, 40, 6),
        # Four hundred lags, ten in a call: so Huawei asks for it.
        (400, "back", True, 27, 22),
    ],
)
def test_many_pairs_are_looked_at_in_few_calls_and_later_in_fewer(
    sandbox: Sandbox,
    reader: StatusReader,
    pairs: int,
    declared: str,
    has_recovery: bool,
    most_calls: int,
    most_later: int,
    forth: dict[str, Any],
) -> None:
    sandbox.set_policy(rpo_and_rto=has_recovery)
    for number in range(pairs):
        add_pair(sandbox, forth, number=number)
    job_ids = [f"{name}{number}" for number in range(pairs) for name in declared.split()]

    first = look(reader, *job_ids)
    at_first = calls(sandbox)
    second = look(reader, *job_ids)
    later = calls(sandbox)

    assert first == second
    assert len(at_first) <= most_calls
    assert len(later) <= most_later
    assert len(later) < len(at_first)
    for number in range(pairs):
        part = first[f"back{number}"].pairing
        assert part is not None
        assert part.forward == f"forth{number}"
        assert (part.obstacle is None) is (forth is REPLICATING)


def test_the_families_of_one_list_are_known_to_later_looks_at_other_jobs(sandbox: Sandbox, reader: StatusReader) -> None:
    for number in range(3):
        add_pair(sandbox, number=number)
    look(reader, "back0", "back1")
    calls(sandbox)

    assert pairing(reader, "back2") == blocked_by_status("forth2")
    assert calls(sandbox) == ["batch-status", DETAIL, "batch-status"]


def test_one_family_is_asked_for_by_its_id_however_many_there_are(sandbox: Sandbox, reader: StatusReader) -> None:
    for number in range(150):
        add_pair(sandbox, number=number)

    assert look(reader, "parent140", "forth140", "back140")["back140"].pairing == blocked_by_status("forth140")
    assert calls(sandbox).count(LIST) == 1


def test_a_job_that_is_looked_at_anyway_is_not_asked_about_again_for_its_sibling(sandbox: Sandbox, reader: StatusReader) -> None:
    add_pair(sandbox)
    look(reader, "forth", "back")

    assert calls(sandbox) == ["batch-status", DETAIL, LIST]


def test_lags_are_asked_only_of_the_tasks_that_are_waited_for_and_replicate(sandbox: Sandbox, reader: StatusReader) -> None:
    sandbox.set_policy(rpo_and_rto=True)
    add_pair(sandbox, REPLICATING, number=0)
    add_pair(sandbox, {"status": "FULL_TRANSFER_STARTED", "then": []}, number=1)
    add_pair(sandbox, REPLICATING, REPLICATING, number=2)
    add_pair(sandbox, number=3)

    look(reader, *(f"{name}{number}" for number in range(4) for name in ("forth", "back")))

    assert asked(sandbox, RECOVERY) == [["forth0"]]


def test_each_pair_gets_its_own_reason(sandbox: Sandbox, reader: StatusReader) -> None:
    sandbox.set_policy(rpo_and_rto=True)
    add_pair(sandbox, REPLICATING, number=0)
    add_pair(sandbox, {"status": "PAUSING"}, number=1)
    add_pair(sandbox, {**REPLICATING, "rpo_ms": 61_000}, number=2)
    add_pair(sandbox, {**REPLICATING, "rto_ms": 62_000}, number=3)
    add_pair(sandbox, back=REPLICATING, number=4)
    sandbox.add_jobs(make_job("alone"))

    seen = look(reader, "back0", "back1", "back2", "back3", "forth4", "back4", "parent1", "alone")

    assert {job_id: status.pairing for job_id, status in seen.items()} == {
        "back0": Pairing(forward="forth0"),
        "back1": blocked_by_status("forth1", "PAUSING"),
        "back2": blocked_by_delay("forth2", "RPO", 61_000),
        "back3": blocked_by_delay("forth3", "RTO", 62_000),
        "forth4": Pairing(forward="back4"),
        "back4": None,
        "parent1": Pairing(is_parent=True, children=("forth1", "back1")),
        "alone": None,
    }


def test_lags_that_drs_refuses_for_one_pair_are_known_for_the_others(sandbox: Sandbox, reader: StatusReader) -> None:
    sandbox.set_policy(rpo_and_rto=True)
    for number in range(30):
        add_pair(sandbox, {**REPLICATING, "rpo_ms": 61_000}, number=number)
    sandbox.inject(faults.too_frequent(RECOVERY, job_id="forth25", times=None))

    seen = look(reader, *(f"back{number}" for number in range(30)))

    for number in range(20):
        part = seen[f"back{number}"].pairing
        assert part is not None
        assert part.obstacle is not None


# -- families that do not fit together -----------------------------------------------------------------------------

UNTOLD = Pairing(is_alone=True)


def listing(*families: tuple[str, list[str]]) -> Fault:
    """A list of these parents, each with these children."""
    jobs = [{"id": parent_id, "job_direction": "up", "children": [{"id": child} for child in ids]} for parent_id, ids in families]
    return faults.answer(LIST, 200, {"total_record": len(jobs), "jobs": jobs}, times=None)


def test_a_family_whose_parent_is_not_on_the_list_does_not_hide_the_others(sandbox: Sandbox, reader: StatusReader) -> None:
    add_pair(sandbox, number=0)
    sandbox.add_jobs(make_job("orphan", parent_id="nobody", **DUAL))

    seen = look(reader, "back0", "orphan")

    assert seen["back0"].pairing == blocked_by_status("forth0")
    assert seen["orphan"].pairing == UNTOLD


def test_a_family_that_was_not_on_the_list_is_asked_for_again(sandbox: Sandbox, reader: StatusReader) -> None:
    add_pair(sandbox)
    sandbox.inject(listing().model_copy(update={"times": 1}))
    assert pairing(reader, "back") == UNTOLD

    assert pairing(reader, "back") == blocked_by_status("forth")


def test_a_family_that_was_not_complete_is_asked_for_again(sandbox: Sandbox, reader: StatusReader) -> None:
    """A pair is created one task after the other."""
    add_pair(sandbox)
    sandbox.inject(listing(("parent", ["back"])).model_copy(update={"times": 1}))
    assert pairing(reader, "back") == UNTOLD

    assert pairing(reader, "back") == blocked_by_status("forth")


def test_a_task_that_a_known_family_lacks_is_asked_for(sandbox: Sandbox, reader: StatusReader) -> None:
    add_pair(sandbox, REPLICATING)
    look(reader, "parent")
    sandbox.add_jobs(make_job("late", parent_id="parent", **DUAL))
    look(reader, "late")

    assert look(reader, "parent")["parent"].pairing == Pairing(is_parent=True, children=("forth", "back", "late"))


def test_a_family_is_not_forgotten_when_a_later_list_tells_less(sandbox: Sandbox, reader: StatusReader) -> None:
    add_pair(sandbox)
    look(reader, "back")
    sandbox.add_jobs(make_job("orphan", parent_id="nobody", **DUAL))
    sandbox.inject(listing(("parent", ["back"])))

    assert look(reader, "back", "orphan")["back"].pairing == blocked_by_status("forth")


def test_a_job_under_two_parents_belongs_to_the_one_that_it_names_itself(sandbox: Sandbox, reader: StatusReader) -> None:
    add_pair(sandbox)
    add_pair(sandbox, number=2)
    sandbox.inject(listing(("parent2", ["forth2", "back", "back2"]), ("parent", ["forth", "back"])))

    seen = look(reader, "back", "back2")

    assert seen["back"].pairing == blocked_by_status("forth")
    assert seen["back2"].pairing == blocked_by_status("forth2")


def test_a_job_that_its_parent_does_not_list_waits_for_those_that_are_listed(sandbox: Sandbox, reader: StatusReader) -> None:
    add_pair(sandbox)
    sandbox.add_jobs(make_job("stranger", parent_id="parent", **DUAL))
    sandbox.inject(listing(("parent", ["forth", "back"])))

    assert look(reader, "forth", "stranger")["forth"].pairing is None
    assert pairing(reader, "stranger") == blocked_by_status("forth")


def test_a_job_that_its_parent_lists_twice_is_one_job(sandbox: Sandbox, reader: StatusReader) -> None:
    add_pair(sandbox, forth={"job_direction": "down"}, back={"job_direction": "up"})
    row = {"id": "back", "job_direction": "up"}
    children = [{"id": "forth", "job_direction": "down"}, row, row]
    body = {"total_record": 1, "jobs": [{"id": "parent", "job_direction": "up", "children": children}]}
    sandbox.inject(faults.answer(LIST, 200, body, times=None))

    assert look(reader, "parent", "forth", "back")["parent"].pairing == Pairing(is_parent=True, children=("forth", "back"))
    assert pairing(reader, "back") is None
    assert pairing(reader, "forth") == blocked_by_status("back")


def test_a_list_that_can_not_be_read_just_now_is_an_error(sandbox: Sandbox, reader: StatusReader) -> None:
    """To go on without could start a backward task too soon."""
    add_pair(sandbox)
    sandbox.inject(faults.server_error(LIST, times=None))

    with pytest.raises(DrsError):
        look(reader, "back")


def test_details_of_a_job_are_read_again_once_it_was_seen_started(sandbox: Sandbox, reader: StatusReader) -> None:
    """What is kept is about jobs that are still to be started: it does not grow as long as a process lives."""
    sandbox.add_jobs(make_job("a"), make_job("b"))
    look(reader, "a", "b")
    sandbox.set_status("a", "STARTJOBING")
    look(reader, "a", "b")
    sandbox.set_status("a", "CONFIGURATION")
    look(reader, "a", "b")

    assert asked(sandbox) == [["a", "b"], ["a"]]
