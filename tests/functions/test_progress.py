"""get_job_statuses with progress=True, and require_synced: how far copies are, at this moment."""

from __future__ import annotations

import asyncio
from typing import Any

import pulumi
import pytest

from pulumi_drs_start import (
    find_jobs,
    find_jobs_output,
    get_job_statuses,
    get_job_statuses_output,
    require_synced,
    require_synced_output,
)
from pulumi_drs_start.sandbox import Sandbox, faults, make_job

from .test_outputs import run, unknown

PROGRESS = "batch-progress"


def following(job_id: str, seconds: float = 0, **fields: Any) -> dict[str, Any]:
    """A job that follows its source, and is so far behind it."""
    return make_job(job_id, status="INCRE_TRANSFER_STARTED", **{"delay": {"seconds": seconds}, **fields})


def copying_once(job_id: str, status: str, **fields: Any) -> dict[str, Any]:
    """A job that ends with its full copy."""
    return make_job(job_id, task_type="FULL_TRANS", status=status, then=[], **fields)


def refusal(job_ids: Any, **arguments: Any) -> str:
    """What a gate that stays closed says."""
    with pytest.raises(pulumi.RunError) as error:
        require_synced(job_ids, **arguments)
    return str(error.value)


# -- get_job_statuses ----------------------------------------------------------------------------------------------------


def test_progress_and_delay_are_told_where_asked_for(sandbox: Sandbox) -> None:
    sandbox.add_jobs(following("a", 340), make_job("b"), make_job("c", status="FULL_TRANSFER_STARTED", full_seconds=3600))

    rows = get_job_statuses(["a", "b", "c", "gone"], progress=True)

    assert {job_id: (row["progress"], row["delay_seconds"]) for job_id, row in rows.items()} == {
        "a": (100, 340),
        "b": (0, None),
        "c": (0, None),
        "gone": (None, None),
    }
    told = [value for row in rows.values() for value in (row["progress"], row["delay_seconds"]) if value is not None]
    assert [type(value) for value in told] == [int] * len(told)


@pytest.mark.parametrize("silent", ["minus_one", "empty", "text", "null", "absent", "no_row", "failed_row"])
def test_a_delay_that_drs_does_not_tell_is_none(sandbox: Sandbox, silent: str) -> None:
    sandbox.add_jobs(following("a", delay={"silent": silent}))

    row = get_job_statuses(["a"], progress=True)["a"]

    assert row["status"] == "INCRE_TRANSFER_STARTED"
    assert row["delay_seconds"] is None


def test_only_who_asks_pays(sandbox: Sandbox) -> None:
    sandbox.add_jobs(*(following(f"{number:03}") for number in range(120)))
    found = find_jobs()

    get_job_statuses(found)
    assert sandbox.calls(PROGRESS) == []

    get_job_statuses(found, progress=True)
    assert sorted(len(call["jobs"]) for call in sandbox.calls(PROGRESS)) == [20, 100]


def test_jobs_that_drs_does_not_know_are_not_asked_for(sandbox: Sandbox) -> None:
    get_job_statuses(["gone"], progress=True)

    assert sandbox.calls(PROGRESS) == []


def test_progress_can_be_an_output(sandbox: Sandbox) -> None:
    sandbox.add_jobs(following("a", 340))

    rows = run(lambda: get_job_statuses_output(["a"], progress=pulumi.Output.from_input(True)))

    assert rows["a"]["delay_seconds"] == 340


def test_progress_that_drs_refuses_to_tell_is_said_in_words(sandbox: Sandbox) -> None:
    sandbox.inject(faults.refuse(PROGRESS, "DRS.M00103", times=None))
    sandbox.add_jobs(following("a"))

    with pytest.raises(pulumi.RunError, match=r"DRS\.M00103"):
        get_job_statuses(["a"], progress=True)


# -- require_synced: open ------------------------------------------------------------------------------------------------


def test_the_gate_opens_for_copies_that_have_caught_up(sandbox: Sandbox) -> None:
    sandbox.add_jobs(
        following("a", 10),
        copying_once("b", "FULL_TRANSFER_COMPLETE"),
        copying_once("c", "FULL_TRANSFER_COMPLETE"),
    )
    sandbox.set_status("c", "RELEASE_RESOURCE_COMPLETE", then=[])

    rows = require_synced(["c", "a", "b"])

    assert list(rows) == ["c", "a", "b"]
    assert (rows["a"]["progress"], rows["a"]["delay_seconds"]) == (100, 10)


@pytest.mark.parametrize(
    ("max_delay", "seconds", "is_open"),
    [("10s", 10, True), ("10s", 11, False), ("0s", 0, True), ("0s", 1, False), ("5m", 300, True), ("5m", 301, False)],
)
def test_a_copy_may_be_behind_by_max_delay(sandbox: Sandbox, max_delay: str, seconds: float, is_open: bool) -> None:
    sandbox.add_jobs(following("a", seconds))

    if is_open:
        assert require_synced(["a"], max_delay=max_delay)["a"]["delay_seconds"] == seconds
    else:
        assert f"max_delay is {max_delay}" in refusal(["a"], max_delay=max_delay)


def test_found_jobs_are_taken_as_they_are(sandbox: Sandbox) -> None:
    sandbox.add_jobs(following("a", 340, name="crm-orders"))

    assert "crm-orders (a) is 340 s behind" in refusal(find_jobs())
    # The name came with the jobs.
    assert sandbox.calls("batch-detail") == []


# -- require_synced: closed ----------------------------------------------------------------------------------------------


def test_a_closed_gate_names_each_that_is_behind_and_the_furthest_first(sandbox: Sandbox) -> None:
    sandbox.add_jobs(
        following("a", 12, name="crm-stock"),
        following("b", 3400, name="crm-orders"),
        following("c", 1),
        make_job("d", status="FULL_TRANSFER_STARTED", full_seconds=3600),
    )

    assert refusal(["a", "b", "c", "d"]) == (
        "3 of 4 jobs are not synced (max_delay is 10s). d is at 0 % of its full copy; crm-orders (b) is 3,400 s behind; "
        "crm-stock (a) is 12 s behind. Nothing was changed. "
        "Next: wait until DRS shows that these copies have caught up, then run the command again."
    )


def test_one_that_is_behind_is_told_in_the_singular(sandbox: Sandbox) -> None:
    sandbox.add_jobs(following("a", 12))

    assert refusal(["a"]) == (
        "1 of 1 job is not synced (max_delay is 10s). a is 12 s behind. Nothing was changed. "
        "Next: wait until DRS shows that this copy has caught up, then run the command again."
    )


@pytest.mark.parametrize(
    ("status", "next_step"),
    [
        ("CONFIGURATION", "see to the job that does not run, wait until"),
        ("WAITING_FOR_START", "wait until"),
        ("PAUSING", "see to the job that does not run, wait until"),
        ("INCRE_TRANSFER_FAILED", "see to the job that does not run, wait until"),
        ("RELEASE_RESOURCE_COMPLETE", "see to the job that does not run, wait until"),
        ("CREATE_FAILED", "see to the job that does not run, wait until"),
    ],
)
def test_a_job_that_does_not_run_is_told_with_its_status(sandbox: Sandbox, status: str, next_step: str) -> None:
    sandbox.add_jobs(following("a"), make_job("b", name="crm-orders", status=status, then=[], delay={"seconds": 0}))

    told = refusal(["a", "b"])

    assert f"1 of 2 jobs is not synced (max_delay is 10s). crm-orders (b) is in {status}. Nothing was changed. Next: " in told
    assert f"Next: {next_step} DRS shows that this copy has caught up" in told


def test_a_job_that_drs_does_not_know_closes_the_gate(sandbox: Sandbox) -> None:
    sandbox.add_jobs(following("a"))

    assert "gone is in MISSING" in refusal(["a", "gone"])


def test_a_full_copy_that_changes_are_to_follow_is_not_enough(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a", status="FULL_TRANSFER_COMPLETE", then=[]))

    assert "a does not show a delay yet" in refusal(["a"])


@pytest.mark.parametrize("silent", ["minus_one", "empty", "text", "null", "absent", "no_row", "failed_row"])
def test_a_delay_that_drs_does_not_tell_is_not_taken_for_none(sandbox: Sandbox, silent: str) -> None:
    sandbox.add_jobs(following("a", delay={"silent": silent}))

    assert "a does not show a delay yet" in refusal(["a"])


@pytest.mark.parametrize("status", ["FULL_TRANSFER_STARTED", "RELEASE_RESOURCE_COMPLETE"])
def test_a_full_copy_that_is_not_complete_closes_the_gate(sandbox: Sandbox, status: str) -> None:
    sandbox.add_jobs(copying_once("a", "FULL_TRANSFER_STARTED", full_seconds=3600))
    if status == "RELEASE_RESOURCE_COMPLETE":
        sandbox.set_status("a", status, then=[])

    refusal(["a"])


def test_it_does_not_wait(sandbox: Sandbox) -> None:
    sandbox.add_jobs(following("a", delay={"seconds": 340, "falls": 100}))

    refusal(["a"])

    assert [call["operation"] for call in sandbox.calls() if call["operation"] not in ("tokens", "batch-detail")] == [
        "batch-status",
        PROGRESS,
    ]


def test_very_many_are_not_all_named(sandbox: Sandbox) -> None:
    sandbox.add_jobs(*(following(f"{number:03}", 100 + number) for number in range(60)))

    told = refusal(find_jobs())

    assert "60 of 60 jobs are not synced (max_delay is 10s). 059 is 159 s behind; 058 is 158 s behind; " in told
    assert "; and 10 more. " in told


# -- require_synced: arguments -------------------------------------------------------------------------------------------


def test_a_gate_without_jobs_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="job_ids is empty: give at least one job"):
        require_synced([])
    with pytest.raises(ValueError, match="job_ids is empty: give at least one job"):
        run(lambda: require_synced_output(find_jobs_output()))
    assert {call["operation"] for call in sandbox.calls()} == {"tokens", "jobs"}


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"job_ids": "a"}, TypeError, 'job_ids must be a list of job ids; got "a"'),
        ({"job_ids": ["a", ""]}, ValueError, r"job_ids\[1\] is empty"),
        ({"max_delay": "soon"}, ValueError, 'max_delay must be a duration.*got "soon"'),
        ({"max_delay": "-1s"}, ValueError, "max_delay must be a duration"),
        ({"max_delay": 10}, ValueError, "max_delay must be a duration.*got 10"),
        ({"max_delay": None}, ValueError, "max_delay must be a duration"),
        ({"timeout": "0s"}, ValueError, "timeout must be"),
        ({"region": 5}, TypeError, "region must be a string"),
    ],
)
def test_wrong_arguments_are_refused_before_any_call(
    sandbox: Sandbox, arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        require_synced(**{"job_ids": ["a"], **arguments})
    assert sandbox.calls() == []


def test_a_progress_that_is_no_flag_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(TypeError, match='progress must be True or False; got "yes"'):
        get_job_statuses(["a"], progress="yes")  # type: ignore[arg-type]
    assert sandbox.calls() == []


# -- require_synced_output -----------------------------------------------------------------------------------------------


def test_outputs_are_taken_and_given(sandbox: Sandbox) -> None:
    sandbox.add_jobs(following("a", 20), following("b", 30, name="crm-orders"))
    later = pulumi.Output.from_input

    assert list(run(lambda: require_synced_output([later("a"), "b"], max_delay=later("30s")))) == ["a", "b"]
    with pytest.raises(
        pulumi.RunError, match=r"1 of 2 jobs is not synced \(max_delay is 20s\)\. crm-orders \(b\) is 30 s behind"
    ):
        run(lambda: require_synced_output([later("a"), "b"], max_delay="20s"))


def test_secret_jobs_are_counted_and_not_named(sandbox: Sandbox) -> None:
    sandbox.add_jobs(following("hush-1", 340, name="hush-orders"), make_job("hush-2", name="hush-stock", status="PAUSING"))

    with pytest.raises(pulumi.RunError) as error:
        run(lambda: require_synced_output(pulumi.Output.secret(["hush-1", "hush-2", "hush-3"])))

    assert "3 of 3 jobs are not synced (max_delay is 10s). 1 job is in PAUSING; 1 job is in MISSING. " in str(error.value)
    assert "hush" not in str(error.value)
    assert "340" not in str(error.value)


def test_jobs_that_are_not_known_yet_are_not_asked_for(sandbox: Sandbox) -> None:
    async def main() -> None:
        for output in (
            require_synced_output(unknown()),
            require_synced_output(["a", unknown()]),
            require_synced_output(["a"], max_delay=unknown()),
            get_job_statuses_output(["a"], progress=unknown()),
        ):
            assert not await output.is_known()

    asyncio.run(main())
    assert sandbox.calls() == []


def test_the_plain_form_says_who_takes_outputs() -> None:
    async def main() -> None:
        with pytest.raises(TypeError, match="use the function whose name ends in _output"):
            require_synced(pulumi.Output.from_input(["a"]))  # type: ignore[arg-type]

    asyncio.run(main())
