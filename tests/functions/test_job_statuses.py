"""get_job_statuses: how any number of jobs stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from pulumi_drs_start import CurrentJobStatus, find_jobs, get_job_statuses
from pulumi_drs_start.sandbox import Sandbox, faults, make_job

READ, DETAILS = "batch-status", "batch-detail"


def names(statuses: Mapping[str, CurrentJobStatus]) -> dict[str, str | None]:
    return {job_id: row["name"] for job_id, row in statuses.items()}


def test_status_and_phase_of_every_job_in_the_order_asked_for(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a", name="crm"), make_job("b", status="PAUSING"), make_job("c", status="SOMETHING_NEW"))

    statuses = get_job_statuses(["c", "a", "b"])

    nothing = {"progress": None, "delay_seconds": None, "error_code": None, "error_message": None}
    assert statuses == {
        "c": {"name": None, "status": "SOMETHING_NEW", "phase": "running", **nothing},
        "a": {"name": "crm", "status": "CONFIGURATION", "phase": "startable", **nothing},
        "b": {"name": None, "status": "PAUSING", "phase": "paused", **nothing},
    }
    assert list(statuses) == ["c", "a", "b"]
    assert all(next(iter(row)) == "name" for row in statuses.values())
    assert all(type(row["phase"]) is str for row in statuses.values())


def test_an_unknown_job_is_missing_and_hides_no_other(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a"))

    statuses = get_job_statuses(["a", "gone"])

    assert statuses["a"]["status"] == "CONFIGURATION"
    assert statuses["gone"] == {
        "name": None,
        "status": "MISSING",
        "phase": "missing",
        "progress": None,
        "delay_seconds": None,
        "error_code": "DRS.M05003",
        "error_message": "The task does not exist.",
    }


def test_more_jobs_than_a_page_has(sandbox: Sandbox) -> None:
    ids = [f"{number:03}" for number in range(120)]
    sandbox.add_jobs(*(make_job(job_id) for job_id in ids))

    assert list(get_job_statuses(ids)) == ids


@pytest.mark.parametrize("job_ids", [("a", "b"), {"a", "b"}, iter(["a", "b"]), ["a", "b", "a"]])
def test_any_collection_of_ids_will_do(sandbox: Sandbox, job_ids: Any) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))

    assert get_job_statuses(job_ids).keys() == {"a", "b"}


def test_found_jobs_can_be_asked_for_as_they_are(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a"))

    assert list(get_job_statuses(find_jobs())) == ["a"]


@pytest.mark.parametrize("status", ["START_JOB_FAILED", "INCRE_TRANSFER_FAILED"])
def test_drs_tells_why_a_job_failed(sandbox: Sandbox, status: str) -> None:
    failed = make_job("a", name="crm", status=status, fail_start={"message": "no route to the source"}, then=[])
    sandbox.add_jobs(failed, make_job("b", name="erp"))

    by_id, found = get_job_statuses(["a", "b"]), get_job_statuses(find_jobs())

    assert by_id["a"] == found["a"]
    assert by_id["a"]["error_message"] == "no route to the source"
    assert by_id["b"]["error_message"] is None
    # A second call for the one that failed only: its name was known.
    assert [call["jobs"] for call in sandbox.calls(DETAILS)] == [["a", "b"], ["a"]]


def test_the_reason_of_an_old_failure_is_not_told(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a", status="INCRE_TRANSFER_FAILED", then=[]))
    sandbox.set_status("a", "INCRE_TRANSFER_STARTED")

    assert get_job_statuses(["a"])["a"]["error_message"] is None


# -- names ---------------------------------------------------------------------------------------------------------------


def test_found_jobs_bring_their_names_and_need_no_other_call(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a", name="crm-1"), make_job("b", name="crm-2"))

    assert names(get_job_statuses(find_jobs())) == {"a": "crm-1", "b": "crm-2"}
    assert sandbox.calls(DETAILS) == []


def test_a_job_that_is_gone_since_it_was_found_keeps_its_name(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a", name="crm-1"))
    found = find_jobs()
    sandbox.add_jobs(make_job("a", project_id=sandbox.account.other_project_id))

    row = get_job_statuses(found)["a"]

    assert (row["name"], row["status"]) == ("crm-1", "MISSING")


def test_drs_is_asked_once_for_the_names_of_other_ids(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a", name="crm-1"), make_job("b", name="crm-2"), make_job("c"))
    found = find_jobs(name="crm-1")
    found += ["b", "c", "gone"]

    assert names(get_job_statuses(found)) == {"a": "crm-1", "b": "crm-2", "c": None, "gone": None}
    assert [call["jobs"] for call in sandbox.calls(DETAILS)] == [["b", "c"]]


def test_names_of_many_jobs_take_few_calls(sandbox: Sandbox) -> None:
    ids = [f"{number:04}" for number in range(1001)]
    sandbox.add_jobs(*(make_job(job_id, name=f"crm-{job_id}") for job_id in ids))

    assert names(get_job_statuses(ids)) == {job_id: f"crm-{job_id}" for job_id in ids}
    assert len(sandbox.calls(DETAILS)) == 3


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.refuse(DETAILS, "DRS.M00103", times=None), id="forbidden"),
        pytest.param(faults.refuse(DETAILS, "DRS.M00007", times=None), id="refused"),
        pytest.param(faults.server_error(DETAILS, times=None), id="broken"),
        pytest.param(faults.drop_before(DETAILS, times=None), id="silent"),
        pytest.param(faults.misshapen(DETAILS, times=None), id="misshapen"),
        pytest.param(faults.delay(DETAILS, 60, times=None), id="slow"),
    ],
)
def test_a_name_that_drs_does_not_tell_costs_no_status(sandbox: Sandbox, fault: Any) -> None:
    sandbox.add_jobs(make_job("a", name="crm-1"))
    sandbox.inject(fault)

    row = get_job_statuses(["a"], timeout="2s")["a"]

    assert (row["name"], row["status"]) == (None, "CONFIGURATION")


def test_a_name_is_made_harmless(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a", name="crm\x1b[2J\n1"))

    assert names(get_job_statuses(["a"])) == names(get_job_statuses(find_jobs())) == {"a": "crm 1"}


# -- arguments -----------------------------------------------------------------------------------------------------------


def test_no_jobs_have_no_statuses_and_need_no_call(sandbox: Sandbox) -> None:
    assert get_job_statuses([]) == {}
    assert sandbox.calls() == []


@pytest.mark.parametrize(
    ("job_ids", "error", "words"),
    [
        ("a", TypeError, 'job_ids must be a list of job ids; got "a"'),
        (b"a", TypeError, "job_ids must be a list of job ids; got a bytes"),
        (None, TypeError, "job_ids must be a list of job ids; got None"),
        (5, TypeError, "job_ids must be a list of job ids; got 5"),
        ({"a": {}}, TypeError, "job_ids must be a list of job ids; got a dict"),
        (["a", ""], ValueError, r"job_ids\[1\] is empty"),
        (["a", " "], ValueError, r"job_ids\[1\] is empty"),
        (["a", 5], TypeError, r"job_ids\[1\] must be a job id, a string; got 5"),
        (["a", ["b"]], TypeError, r"job_ids\[1\] must be a job id, a string; got a list"),
        (["crm orders"], ValueError, r'job_ids\[0\] "crm orders" is not a job id .*find_jobs\(name="crm orders"\)'),
        ([None], TypeError, r"job_ids\[0\] must be a job id, a string; got None"),
    ],
)
def test_what_is_no_list_of_ids_is_refused_before_any_call(
    sandbox: Sandbox, job_ids: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        get_job_statuses(job_ids)
    assert sandbox.calls() == []


def test_other_bad_arguments_are_named(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="timeout must be a duration"):
        get_job_statuses(["a"], timeout="")
    with pytest.raises(TypeError, match="endpoint must be a string"):
        get_job_statuses(["a"], endpoint=5)  # type: ignore[arg-type]
    assert sandbox.calls() == []


def test_a_failure_is_said_in_words(sandbox: Sandbox) -> None:
    sandbox.inject(faults.refuse(READ, "DRS.M00102"))

    with pytest.raises(pulumi.RunError, match=r"DRS\.M00102") as caught:
        get_job_statuses(["a"])
    assert caught.value.__suppress_context__


def test_a_wrong_password_is_said_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_PASSWORD", "not-the-password")

    with pytest.raises(pulumi.RunError, match="OS_PASSWORD") as caught:
        get_job_statuses(["a"])
    assert "not-the-password" not in str(caught.value)
