"""get_job_statuses: how any number of jobs stand."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from pulumi_drs_start import find_jobs, get_job_statuses
from pulumi_drs_start.sandbox import Sandbox, faults, make_job

READ = "batch-status"


def test_status_and_phase_of_every_job_in_the_order_asked_for(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b", status="PAUSING"), make_job("c", status="SOMETHING_NEW"))

    statuses = get_job_statuses(["c", "a", "b"])

    nothing = {"error_code": None, "error_message": None}
    assert statuses == {
        "c": {"status": "SOMETHING_NEW", "phase": "running", **nothing},
        "a": {"status": "CONFIGURATION", "phase": "startable", **nothing},
        "b": {"status": "PAUSING", "phase": "paused", **nothing},
    }
    assert list(statuses) == ["c", "a", "b"]
    assert all(type(row["phase"]) is str for row in statuses.values())


def test_an_unknown_job_is_missing_and_hides_no_other(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a"))

    statuses = get_job_statuses(["a", "gone"])

    assert statuses["a"]["status"] == "CONFIGURATION"
    assert statuses["gone"] == {
        "status": "MISSING",
        "phase": "missing",
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
