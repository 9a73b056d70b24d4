"""What is read of jobs beside their statuses: times of scheduled ones, and the parts of dual-active pairs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pulumi_drs_start.drs.client import DrsClient
from pulumi_drs_start.drs.errors import DrsError
from pulumi_drs_start.drs.models import JobStatus, Pairing
from pulumi_drs_start.drs.retry import TimeBudget
from pulumi_drs_start.look import Looker
from pulumi_drs_start.sandbox import Fault, Sandbox, faults, make_job

LATER, LATER_MS = "4102444800000", 4_102_444_800_000
DETAIL, PROGRESS, LIST = "batch-detail", "batch-progress", "jobs"
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
def looker(client: DrsClient) -> Looker:
    return Looker(client)


def look(looker: Looker, *job_ids: str) -> dict[str, JobStatus]:
    return looker.look(job_ids, TimeBudget(30))


def asked(sandbox: Sandbox, operation: str = DETAIL) -> list[list[str]]:
    """The jobs of each call."""
    return [sorted(call["jobs"]) for call in sandbox.calls(operation)]


def add_pair(sandbox: Sandbox, forth: dict[str, Any] | None = None, back: dict[str, Any] | None = None) -> None:
    """A dual-active pair, its two tasks with these fields."""
    sandbox.add_jobs(
        make_job("parent", is_parent=True, job_direction="up", **DUAL),
        make_job("forth", **{"parent_id": "parent", "role": "forward", "job_direction": "up", **DUAL, **(forth or {})}),
        make_job("back", **{"parent_id": "parent", "role": "backward", "job_direction": "down", **DUAL, **(back or {})}),
    )


def pairing(looker: Looker, job_id: str) -> Pairing | None:
    return look(looker, job_id)[job_id].pairing


# -- schedules -----------------------------------------------------------------------------------------------------


def test_only_a_scheduled_job_has_a_time(sandbox: Sandbox, looker: Looker) -> None:
    sandbox.add_jobs(
        make_job("scheduled", status="WAITING_FOR_START", start_time=LATER),
        make_job("new", start_time=LATER),
        make_job("running", status="INCRE_TRANSFER_STARTED", start_time=LATER),
    )
    seen = look(looker, "scheduled", "new", "running", "unknown")

    assert seen == {
        "scheduled": JobStatus("scheduled", "WAITING_FOR_START", start_time=LATER_MS),
        "new": JobStatus("new", "CONFIGURATION"),
        "running": JobStatus("running", "INCRE_TRANSFER_STARTED"),
        "unknown": JobStatus("unknown", "MISSING", "DRS.M05003", "The task does not exist."),
    }


def test_details_are_read_only_where_they_matter_and_all_in_one_call(sandbox: Sandbox, looker: Looker) -> None:
    statuses = ["CREATING", "STARTJOBING", "FULL_TRANSFER_STARTED", "PAUSING", "START_JOB_FAILED", "CREATE_FAILED", "DELETED"]
    sandbox.add_jobs(*(make_job(status, status=status) for status in statuses))
    look(looker, *statuses)
    assert asked(sandbox) == []
    sandbox.add_jobs(make_job("new"), make_job("scheduled", status="WAITING_FOR_START", start_time=LATER))

    look(looker, *statuses, "new", "scheduled")

    assert asked(sandbox) == [["new", "scheduled"]]


def test_what_never_changes_is_asked_once_and_a_time_at_every_look(sandbox: Sandbox, looker: Looker) -> None:
    sandbox.add_jobs(make_job("new"), make_job("scheduled", status="WAITING_FOR_START", start_time=LATER))
    look(looker, "new", "scheduled")
    sandbox.clear_calls()

    look(looker, "new", "scheduled")

    assert asked(sandbox) == [["scheduled"]]


def test_a_job_whose_details_drs_did_not_tell_is_asked_about_again(sandbox: Sandbox, looker: Looker) -> None:
    add_pair(sandbox)
    sandbox.inject(faults.refuse(DETAIL, "DRS.M00304", times=1))
    assert pairing(looker, "parent") is None

    assert pairing(looker, "parent") == Pairing(is_parent=True, children=("forth", "back"))


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
def test_a_drs_that_refuses_details_is_done_without(sandbox: Sandbox, looker: Looker, fault: Fault) -> None:
    sandbox.add_jobs(make_job("scheduled", status="WAITING_FOR_START", start_time=LATER), make_job("new"))
    sandbox.inject(fault)

    seen = look(looker, "scheduled", "new")

    assert seen["scheduled"] == JobStatus("scheduled", "WAITING_FOR_START")
    assert seen["new"] == JobStatus("new", "CONFIGURATION")


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.server_error(DETAIL, times=None), id="a fault of the service"),
        pytest.param(faults.too_frequent(DETAIL, times=None), id="throttled"),
        pytest.param(faults.drop_before(DETAIL, times=None), id="unreachable"),
    ],
)
def test_details_that_can_not_be_read_just_now_are_an_error(sandbox: Sandbox, looker: Looker, fault: Fault) -> None:
    """To go on without could schedule a job anew, or start a backward task too soon."""
    sandbox.add_jobs(make_job("scheduled", status="WAITING_FOR_START", start_time=LATER))
    sandbox.inject(fault)

    with pytest.raises(DrsError):
        look(looker, "scheduled")


# -- pairs ---------------------------------------------------------------------------------------------------------


def test_a_parent_is_told_with_its_children(sandbox: Sandbox, looker: Looker) -> None:
    add_pair(sandbox)

    assert pairing(looker, "parent") == Pairing(is_parent=True, children=("forth", "back"))


@pytest.mark.parametrize("status", ["CREATING", "WAITING_FOR_START", "STARTJOBING", "INCRE_TRANSFER_STARTED", "START_JOB_FAILED"])
def test_the_part_in_a_pair_matters_only_before_the_start(sandbox: Sandbox, looker: Looker, status: str) -> None:
    add_pair(sandbox, back={"status": status})

    assert pairing(looker, "back") is None
    assert sandbox.calls(LIST) == []


def test_the_forward_task_is_like_any_other(sandbox: Sandbox, looker: Looker) -> None:
    add_pair(sandbox)

    assert pairing(looker, "forth") is None


@pytest.mark.parametrize(
    "status",
    [
        *("CREATING", "CREATE_FAILED", "CONFIGURATION", "WAITING_FOR_START", "STARTJOBING", "START_JOB_FAILED", "PAUSING"),
        *("FULL_TRANSFER_STARTED", "FULL_TRANSFER_COMPLETE", "INCRE_TRANSFER_FAILED", "A_STATUS_OF_NEXT_YEAR"),
    ],
)
def test_the_backward_task_waits_until_the_forward_one_replicates(sandbox: Sandbox, looker: Looker, status: str) -> None:
    add_pair(sandbox, forth={"status": status, "then": []})

    found = pairing(looker, "back")

    assert found == Pairing(forward="forth", blocked_by=f"forth is in {status} and has to reach INCRE_TRANSFER_STARTED first")
    assert sandbox.calls(PROGRESS) == []


@pytest.mark.parametrize(
    ("rpo", "rto", "blocked_by"),
    [
        (0, 0, None),
        (59_999, 59_999, None),
        (60_000, 0, "the RPO of forth is 60 s and has to come below 60 s first"),
        (0, 60_000, "the RTO of forth is 60 s and has to come below 60 s first"),
        (90_500, 90_000, "the RPO of forth is 90.5 s and has to come below 60 s first"),
    ],
)
def test_the_backward_task_waits_for_rpo_and_rto_below_a_minute(
    sandbox: Sandbox, looker: Looker, rpo: int, rto: int, blocked_by: str | None
) -> None:
    sandbox.set_policy(rpo_and_rto=True)
    add_pair(sandbox, forth={"status": "INCRE_TRANSFER_STARTED", "rpo_ms": rpo, "rto_ms": rto})

    assert pairing(looker, "back") == Pairing(forward="forth", blocked_by=blocked_by)


@pytest.mark.parametrize(("rpo", "is_blocked"), [(59_000, False), (60_000, True)])
def test_where_only_the_delay_is_to_be_had_that_decides_and_a_note_says_what_is_not_known(
    sandbox: Sandbox, looker: Looker, rpo: int, is_blocked: bool
) -> None:
    """Open Telekom Cloud has no call for RPO and RTO."""
    add_pair(sandbox, forth={"status": "INCRE_TRANSFER_STARTED", "rpo_ms": rpo, "rto_ms": 90_000})

    found = pairing(looker, "back")

    assert found is not None
    assert (found.blocked_by is not None) is is_blocked
    assert is_blocked or found.note == "DRS does not tell the RTO of forth, the other direction of its dual-active pair"


def test_where_no_lag_is_to_be_had_a_note_says_so(sandbox: Sandbox, looker: Looker) -> None:
    add_pair(sandbox, forth={"status": "INCRE_TRANSFER_STARTED", "rpo_ms": 90_000})
    sandbox.inject(faults.refuse(PROGRESS, "DRS.M00304", times=None))

    found = pairing(looker, "back")

    note = "DRS does not tell the RPO and RTO of forth, the other direction of its dual-active pair"
    assert found == Pairing(forward="forth", note=note)


def test_statuses_and_lags_of_the_other_task_are_read_anew_at_every_look(sandbox: Sandbox, looker: Looker) -> None:
    sandbox.set_policy(rpo_and_rto=True)
    add_pair(sandbox)
    assert pairing(looker, "back") != Pairing(forward="forth")
    sandbox.set_status("forth", "INCRE_TRANSFER_STARTED")

    assert pairing(looker, "back") == Pairing(forward="forth")


# -- which of the two goes first -----------------------------------------------------------------------------------


def test_a_task_that_has_started_is_the_forward_one_whatever_its_direction(sandbox: Sandbox, looker: Looker) -> None:
    sandbox.set_policy(rpo_and_rto=True)
    add_pair(sandbox, back={"status": "INCRE_TRANSFER_STARTED"})

    assert pairing(looker, "forth") == Pairing(forward="back")


@pytest.mark.parametrize("status", ["CREATING", "WAITING_FOR_START", "CREATE_FAILED"])
def test_a_task_that_has_not_started_is_the_forward_one_only_by_its_direction(
    sandbox: Sandbox, looker: Looker, status: str
) -> None:
    add_pair(sandbox, back={"status": status})

    assert pairing(looker, "forth") is None


def test_the_direction_of_the_parent_tells_the_forward_task_although_drs_lists_it_second(
    sandbox: Sandbox, looker: Looker
) -> None:
    add_pair(sandbox, forth={"job_direction": "down"}, back={"job_direction": "up"})

    assert pairing(looker, "back") is None
    assert pairing(looker, "forth") == Pairing(
        forward="back", blocked_by="back is in CONFIGURATION and has to reach INCRE_TRANSFER_STARTED first"
    )


@pytest.mark.parametrize("direction", ["up", "down"])
def test_where_directions_tell_nothing_the_task_that_is_listed_first_goes_first(
    sandbox: Sandbox, looker: Looker, direction: str
) -> None:
    add_pair(sandbox, forth={"job_direction": direction}, back={"job_direction": direction})
    seen = look(looker, "forth", "back")

    assert seen["forth"].pairing is None
    assert seen["back"].pairing == Pairing(
        forward="forth", blocked_by="forth is in CONFIGURATION and has to reach INCRE_TRANSFER_STARTED first"
    )


def test_never_do_both_tasks_of_a_new_pair_wait_for_each_other(sandbox: Sandbox, looker: Looker) -> None:
    add_pair(sandbox)
    parts = [status.pairing for status in look(looker, "forth", "back").values()]

    assert [part is not None and part.blocked_by is not None for part in parts] == [False, True]


def test_a_family_that_drs_does_not_list_is_a_note_and_no_obstacle(sandbox: Sandbox, looker: Looker) -> None:
    add_pair(sandbox)
    sandbox.inject(faults.refuse(LIST, "DRS.M00103", times=None))
    seen = look(looker, "parent", "forth", "back")

    note = "DRS does not tell the other direction of its dual-active pair, so that was not waited for"
    assert seen["parent"].pairing == Pairing(is_parent=True)
    assert seen["forth"].pairing == Pairing(note=note)
    assert seen["back"].pairing == Pairing(note=note)


def test_other_families_are_no_pairs(sandbox: Sandbox, looker: Looker) -> None:
    """Clusters have parents too, and nothing says that those are not started."""
    sandbox.add_jobs(make_job("parent", is_parent=True), make_job("shard", parent_id="parent"))

    assert [status.pairing for status in look(looker, "parent", "shard").values()] == [None, None]
