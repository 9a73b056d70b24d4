"""Reading how far copies are: every number is text, and what is not told is not known."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.calls.models import CopyProgress
from pulumi_drs_start.drs.errors import PermissionDeniedError, ServiceRefusedError
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.sandbox import Sandbox, faults, make_job

CALL = "batch-progress"


def read_row(sandbox: Sandbox, client: DrsClient, budget: TimeBudget, **fields: Any) -> CopyProgress:
    """What a row with these fields comes to."""
    sandbox.inject(faults.answer(CALL, 202, {"count": 1, "results": [{"job_id": "a", **fields}]}))
    return client.get_progress(["a"], budget)["a"]


def test_a_job_that_follows_its_source_has_a_delay(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(
        make_job("a", status="INCRE_TRANSFER_STARTED", delay={"seconds": 340}),
        make_job("b", status="FULL_TRANSFER_STARTED", task_type="FULL_TRANS"),
    )

    assert client.get_progress(["a", "b"], budget) == {
        "a": CopyProgress(100.0, 340.0, False),
        "b": CopyProgress(50.0, None, True),
    }


@pytest.mark.parametrize("delay", ["-1", "", None, "NA", "soon", "1_000", True, [], "inf", "nan", "-0.5"])
def test_what_is_no_delay_is_none(sandbox: Sandbox, client: DrsClient, budget: TimeBudget, delay: Any) -> None:
    assert read_row(sandbox, client, budget, incre_trans_delay=delay).delay_seconds is None


@pytest.mark.parametrize(("delay", "seconds"), [("0", 0.0), (0, 0.0), (" 12 ", 12.0), ("1.5", 1.5), (340, 340.0)])
def test_a_delay_may_be_text_or_a_number(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, delay: Any, seconds: float
) -> None:
    assert read_row(sandbox, client, budget, incre_trans_delay=delay).delay_seconds == seconds


@pytest.mark.parametrize(
    ("progress", "percent"), [("100", 100.0), ("45%", 45.0), ("0", 0.0), ("101", None), ("-1", None), ("", None)]
)
def test_progress_is_a_percentage(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, progress: str, percent: float | None
) -> None:
    assert read_row(sandbox, client, budget, progress=progress).percent == percent


@pytest.mark.parametrize(
    ("mode", "copies_once"), [("FULL_TRANS", True), ("FULL_INCR_TRANS", False), ("INCR_TRANS", False), (None, None), ("", None)]
)
def test_the_mode_tells_whether_a_job_copies_only_once(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, mode: str | None, copies_once: bool | None
) -> None:
    assert read_row(sandbox, client, budget, task_mode=mode).copies_once is copies_once


def test_a_row_with_an_error_tells_nothing(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    fields = {"progress": "100", "incre_trans_delay": "0", "error_code": "DRS.M01504", "error_msg": "Try again later."}

    assert read_row(sandbox, client, budget, **fields) == CopyProgress()


def test_a_job_without_a_row_is_not_asked_for_again(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job("a", status="INCRE_TRANSFER_STARTED", delay={"silent": "no_row"}))

    assert client.get_progress(["a"], budget) == {"a": CopyProgress()}
    assert len(sandbox.calls(CALL)) == 1


def test_calls_grow_with_batches(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    ids = [f"{n:03}" for n in range(250)]
    sandbox.add_jobs(*(make_job(job_id, status="INCRE_TRANSFER_STARTED") for job_id in ids))

    assert list(client.get_progress(ids, budget)) == ids
    assert len(sandbox.calls(CALL)) == 3


def test_a_job_that_drs_does_not_know_hides_no_other(sandbox: Sandbox, client: DrsClient, budget: TimeBudget) -> None:
    sandbox.add_jobs(make_job("a", status="INCRE_TRANSFER_STARTED", delay={"seconds": 5}))

    assert client.get_progress(["gone", "a"], budget) == {"gone": CopyProgress(), "a": CopyProgress(100.0, 5.0, False)}


@pytest.mark.parametrize(
    ("code", "error"),
    [("DRS.M00103", PermissionDeniedError), ("DRS.M00302", ServiceRefusedError), ("APIGW.0101", ServiceRefusedError)],
)
def test_a_refusal_to_tell_is_an_error(
    sandbox: Sandbox, client: DrsClient, budget: TimeBudget, code: str, error: type[ServiceRefusedError]
) -> None:
    sandbox.add_jobs(make_job("a", status="INCRE_TRANSFER_STARTED"))
    sandbox.inject(faults.refuse(CALL, code, times=None))

    with pytest.raises(error):
        client.get_progress(["a"], budget)


@pytest.mark.parametrize(("field", "value"), [("task_type", "FULL_TRANS"), ("full_transfer_complete_time", "1608188903063")])
def test_details_tell_of_copies_too(sandbox: Sandbox, client: DrsClient, budget: TimeBudget, field: str, value: str) -> None:
    sandbox.inject(faults.answer("batch-detail", 200, {"count": 1, "results": [{"id": "a", field: value}]}))

    detail = client.get_details(["a"], budget)["a"]

    assert (detail.copies_once, detail.is_copied) == ((True, False) if field == "task_type" else (None, True))
