"""find_jobs: which jobs match, in which order, and what is said when none does."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from pulumi_drs_start import FoundJobs, find_jobs
from pulumi_drs_start.sandbox import Sandbox, faults, make_job

LIST = "jobs"


def family(parent_id: str = "p", name: str = "dr", **fields: Any) -> list[dict[str, Any]]:
    """A dual-active pair under its parent."""
    common = {"db_use_type": "cloudDataGuard", "multi_write": True, **fields}
    return [
        make_job(parent_id, name=name, is_parent=True, **common),
        make_job(f"{parent_id}-f", name=f"{name}-forward", parent_id=parent_id, role="forward", **common),
        make_job(f"{parent_id}-b", name=f"{name}-backward", parent_id=parent_id, role="backward", **common),
    ]


# -- names ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("crm-*", ["1", "2"]),
        ("crm-orders", ["2"]),
        ("crm", []),
        ("orders", []),
        ("*", ["1", "2", "4", "3"]),
        ("crm-?rders", ["2"]),
        ("crm-[!o]*", ["1"]),
        ("CRM-*", []),
        ("odd[1]", ["4"]),
        ("  crm-orders ", ["2"]),
    ],
)
def test_a_name_is_a_shell_pattern_in_which_case_counts(sandbox: Sandbox, name: str, found: list[str]) -> None:
    names = {"1": "crm-customers", "2": "crm-orders", "3": "shop", "4": "odd[1]"}
    sandbox.add_jobs(*(make_job(job_id, name=job_name) for job_id, job_name in names.items()))

    assert find_jobs(name=name) == found


def test_jobs_come_in_the_order_of_their_names_and_then_ids(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("c", name="b"), make_job("b", name="b"), make_job("z", name="a"), make_job("a", name="c"))
    assert find_jobs() == ["z", "b", "c", "a"]

    sandbox.set_policy(row_order="shuffled", seed=7)
    assert find_jobs() == ["z", "b", "c", "a"]


def test_all_pages_are_looked_through(sandbox: Sandbox) -> None:
    sandbox.add_jobs(*(make_job(f"{number:03}", name=f"crm-{number:03}") for number in range(230)))

    found = find_jobs(name="crm-*")

    assert found == [f"{number:03}" for number in range(230)]
    assert found.of_total == 230


def test_a_job_without_a_name_is_found_without_one(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a", name="x"), make_job("b"))

    found = find_jobs()

    assert (found, found.names) == (["b", "a"], {"a": "x"})


# -- other arguments -----------------------------------------------------------------------------------------------------


def test_jobs_of_every_kind_and_engine_are_found_unless_asked_otherwise(sandbox: Sandbox) -> None:
    sandbox.add_jobs(
        make_job("a", engine_type="postgresql"),
        make_job("b", db_use_type="sync"),
        make_job("c", db_use_type="cloudDataGuard"),
    )

    assert find_jobs() == ["a", "b", "c"]
    assert find_jobs(db_use_type="sync") == ["b"]
    assert find_jobs(db_use_type=("sync", "migration")) == ["a", "b"]
    assert find_jobs(engine_type="postgresql") == ["a"]


def test_jobs_are_found_by_enterprise_project_and_tags(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a", enterprise_project_id="e-1"), make_job("b", tags={"env": "prod"}), make_job("c"))

    assert find_jobs(enterprise_project_id="e-1") == ["a"]
    assert find_jobs(tags={"env": "prod"}) == ["b"]


def test_jobs_of_another_project_are_found_there(sandbox: Sandbox) -> None:
    other = sandbox.account.other_project_id
    sandbox.add_jobs(make_job("here"), make_job("there", project_id=other))

    assert find_jobs() == ["here"]
    assert find_jobs(project_id=other) == ["there"]


# -- statuses ------------------------------------------------------------------------------------------------------------


def test_jobs_that_match_but_for_the_status_are_kept_apart(sandbox: Sandbox) -> None:
    sandbox.add_jobs(
        make_job("new", name="crm-1"),
        make_job("running", name="crm-3", status="INCRE_TRANSFER_STARTED"),
        make_job("paused", name="crm-2", status="PAUSING"),
        make_job("other", name="shop", status="PAUSING"),
    )

    found = find_jobs(name="crm-*", status="CONFIGURATION")

    assert found == ["new"]
    assert found.other_status == ("paused", "running")
    assert found.names == {"new": "crm-1", "paused": "crm-2", "running": "crm-3"}
    assert found.of_total == 4
    assert find_jobs(name="crm-*", status=["CONFIGURATION", "PAUSING"]) == ["new", "paused"]
    assert find_jobs(name="crm-*").other_status == ()


@pytest.mark.parametrize(
    ("asked", "actual"),
    [("PAUSING", "PAUSEING"), ("PAUSEING", "PAUSING"), ("START_JOB_FAILED", "STARTJOB_FAILED")],
)
def test_a_status_is_found_in_either_spelling_of_drs(sandbox: Sandbox, asked: str, actual: str) -> None:
    sandbox.add_jobs(make_job("a", status=actual))

    assert find_jobs(status=asked) == ["a"]


# -- dual-active disaster recovery ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "found"), [(None, ["p-b", "p-f"]), ("dr", ["p-b", "p-f"]), ("dr-*", ["p-b", "p-f"]), ("dr-forward", ["p-f"])]
)
def test_children_take_the_place_of_a_dual_active_parent(sandbox: Sandbox, name: str | None, found: list[str]) -> None:
    sandbox.add_jobs(*family())

    assert find_jobs(name=name) == found


def test_the_status_of_a_child_is_its_own(sandbox: Sandbox) -> None:
    sandbox.add_jobs(*family())
    sandbox.set_status("p-f", "INCRE_TRANSFER_STARTED")

    found = find_jobs(name="dr", status="CONFIGURATION")

    assert found == ["p-b"]
    assert found.other_status == ("p-f",)
    assert found.names == {"p-b": "dr-backward", "p-f": "dr-forward"}
    assert found.of_total == 2


def test_a_child_that_is_listed_on_its_own_too_is_found_once(sandbox: Sandbox) -> None:
    rows = [{"id": "c", "name": "own"}, {"id": "p", "name": "dr", "children": [{"id": "c", "name": "own"}]}]
    sandbox.inject(faults.answer(LIST, 200, {"total_record": 2, "jobs": rows}, times=None))

    assert find_jobs(name="dr", db_use_type="cloudDataGuard") == ["c"]
    assert find_jobs(name="own", db_use_type="cloudDataGuard") == ["c"]


def test_a_parent_of_another_kind_stays_itself(sandbox: Sandbox) -> None:
    """Whether it may be started is not documented; nothing says that its children are started in its place."""
    rows = [{"id": "p", "name": "ddm", "children": [{"id": "c", "name": "ddm-1"}]}]
    sandbox.inject(faults.answer(LIST, 200, {"total_record": 1, "jobs": rows}, times=None))

    assert find_jobs(db_use_type="sync") == ["p"]


# -- nothing found -------------------------------------------------------------------------------------------------------


def test_jobs_that_moved_on_to_another_status_are_no_warning(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    sandbox.add_jobs(
        *(make_job(f"r{number}", name=f"crm-{number}", status="INCRE_TRANSFER_STARTED") for number in range(2)),
        make_job("paused", name="crm-9", status="PAUSING"),
        make_job("shop", name="shop"),
    )

    found = find_jobs(name="crm-*", status="CONFIGURATION")

    assert found == []
    assert found.other_status == ("r0", "r1", "paused")
    assert capsys.readouterr().err == (
        'info: find_jobs(name="crm-*", status="CONFIGURATION") found no job: '
        "3 of 4 jobs match, but have another status (2 INCRE_TRANSFER_STARTED, 1 PAUSING)\n"
    )


def test_one_job_that_moved_on_is_spoken_of_as_one(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    sandbox.add_jobs(make_job("a", name="crm", status="PAUSING"), make_job("b", name="shop"))

    assert find_jobs(name="crm", status="CONFIGURATION") == []
    assert "found no job: 1 of 2 jobs matches, but has another status (1 PAUSING)\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("count", "arguments", "why"),
    [
        (2, {"name": "erp", "status": "PAUSING"}, "none of the 2 jobs matches"),
        (1, {"name": "erp"}, "the only job does not match"),
        (2, {"tags": {"env": "prodd"}}, "DRS lists no such job: check the arguments, the region and the project"),
        (2, {"engine_type": "oracle"}, "DRS lists no such job: check the arguments, the region and the project"),
        (2, {"db_use_type": "sync"}, "DRS lists no such job: check the arguments, the region and the project"),
        (2, {"enterprise_project_id": "e-9"}, "DRS lists no such job: check the arguments, the region and the project"),
        (0, {"name": "erp"}, "DRS lists no job: check the region and the project"),
    ],
)
def test_where_nothing_matches_a_warning_says_why(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], count: int, arguments: dict[str, Any], why: str
) -> None:
    sandbox.add_jobs(*(make_job(f"job-{number}", name=f"crm-{number}") for number in range(count)))

    found = find_jobs(**arguments)

    assert found == []
    assert capsys.readouterr().err == f"warning: {found.query} found no job: {why}\n"


def test_jobs_found_are_no_reason_to_say_anything(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    sandbox.add_jobs(make_job("a"))
    find_jobs()

    assert capsys.readouterr() == ("", "")


# -- the result ----------------------------------------------------------------------------------------------------------


def test_the_result_is_a_list_that_knows_its_query(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a", name="crm-1", tags={"env": "prod"}))

    found = find_jobs(name="crm-*", status={"PAUSING", "CONFIGURATION"}, tags={"env": "prod"}, project_id=sandbox.project_id)

    assert isinstance(found, FoundJobs)
    assert isinstance(found, list)
    assert found == ["a"]
    assert json.dumps(found) == '["a"]'
    assert found.query == (
        f'find_jobs(name="crm-*", status=["CONFIGURATION", "PAUSING"], tags={{"env": "prod"}}, project_id="{sandbox.project_id}")'
    )


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_knows_the_query_too(copied: Callable[[FoundJobs], FoundJobs]) -> None:
    found = copied(FoundJobs(["a"], query="find_jobs()", other_status=["b"], names={"a": "crm"}, of_total=2))

    assert (found, found.query, found.other_status, found.names, found.of_total) == (
        ["a"],
        "find_jobs()",
        ("b",),
        {"a": "crm"},
        2,
    )


# -- bad arguments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"name": ""}, ValueError, "name is empty"),
        ({"name": "  "}, ValueError, "name is empty"),
        ({"name": 5}, TypeError, "name must be a string; got 5"),
        ({"status": []}, ValueError, "status is an empty list"),
        ({"status": ["PAUSING", None]}, TypeError, r"status\[1\] must be a string; got None"),
        ({"status": ["PAUSING", ""]}, ValueError, r"status\[1\] is empty"),
        ({"status": "startable"}, ValueError, 'status must be a word of DRS, such as .*; got "startable"$'),
        ({"status": ["PAUSING", "configuraton"]}, ValueError, r'status\[1\] must be .* mean "CONFIGURATION"\?'),
        ({"status": {"CONFIGURATION": 1}}, TypeError, "status must be a string or a list of strings; got a dict"),
        ({"status": [["PAUSING"]]}, TypeError, r"status\[0\] must be a string; got a list"),
        ({"db_use_type": "dr"}, ValueError, r'db_use_type must be .* or "cloudDataGuard" \(disaster recovery\); got "dr"$'),
        ({"db_use_type": ["sync", "dataguard"]}, ValueError, r'db_use_type\[1\] must be .* mean "cloudDataGuard"\?'),
        ({"engine_type": ""}, ValueError, "engine_type is empty"),
        ({"enterprise_project_id": ""}, ValueError, "enterprise_project_id is empty"),
        ({"tags": ["env"]}, TypeError, "tags must be a dict of strings; got a list"),
        ({"tags": {"env": 1}}, TypeError, "tags must be a dict of strings, keys and values; got 1"),
        ({"tags": {" ": "x"}}, ValueError, "tags has a key that is empty"),
        ({"region": ""}, ValueError, "region is empty"),
        ({"project_id": 5}, TypeError, "project_id must be a string"),
        ({"timeout": "soon"}, ValueError, "timeout must be a duration"),
        ({"timeout": 120}, ValueError, "timeout must be a duration"),
        ({"timeout": "0s"}, ValueError, "timeout must be a duration"),
    ],
)
def test_a_bad_argument_is_named_before_any_call(
    sandbox: Sandbox, arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        find_jobs(**arguments)
    assert sandbox.calls() == []


# -- failures ------------------------------------------------------------------------------------------------------------


def failure(**arguments: Any) -> str:
    """What is said when finding jobs fails; it has no cause that could quote an answer."""
    with pytest.raises(pulumi.RunError) as caught:
        find_jobs(**arguments)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    return str(caught.value)


def test_missing_configuration_is_named(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OS_PASSWORD")
    monkeypatch.delenv("OS_PROJECT_ID")

    said = failure()

    for word in ("drs:password", "OS_PASSWORD", "drs:projectId", "OS_PROJECT_ID"):
        assert word in said
    assert sandbox.calls() == []


def test_a_wrong_password_is_said_and_not_shown(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_PASSWORD", "not-the-password")

    said = failure()

    assert "OS_PASSWORD" in said
    assert "not-the-password" not in said
    assert sandbox.calls(LIST) == []


def test_a_missing_permission_is_said_with_the_next_step(sandbox: Sandbox) -> None:
    sandbox.inject(faults.refuse(LIST, "DRS.M00102"))

    said = failure()

    assert "DRS.M00102" in said
    assert "ask whoever administers IAM" in said


def test_a_service_that_is_away_fails_within_the_time_limit(sandbox: Sandbox) -> None:
    sandbox.inject(faults.server_error(LIST, times=None))
    began = time.monotonic()

    said = failure(timeout="2s")

    assert "DRS.M00004" in said
    assert time.monotonic() - began < 5


def test_a_short_fault_is_outlasted(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.too_frequent(LIST))

    assert find_jobs() == ["a"]


# -- configuration -------------------------------------------------------------------------------------------------------


def test_stack_configuration_wins_over_the_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.add_jobs(make_job("a"))
    monkeypatch.setenv("OS_PASSWORD", "not-the-password")
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({"drs:password": sandbox.password, "other:password": "x"}))

    assert find_jobs() == ["a"]


def test_a_key_that_means_nothing_is_warned_of_once(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.add_jobs(make_job("a"))
    monkeypatch.setattr("pulumi_drs_start.stack._told_of", None)
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({"drs:regoin": "eu-de"}))
    find_jobs()
    find_jobs()

    assert capsys.readouterr().err == "warning: drs:regoin is not a setting of DRS; did you mean drs:region?\n"


def test_arguments_win_over_the_configuration(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.add_jobs(make_job("a"))
    monkeypatch.setenv("DRS_ENDPOINT", "http://127.0.0.1:9")

    assert find_jobs(endpoint=sandbox.url) == ["a"]


def test_many_calls_need_one_login(sandbox: Sandbox) -> None:
    sandbox.add_jobs(make_job("a"))
    for _ in range(3):
        find_jobs()

    assert len(sandbox.calls("tokens")) == 1


def test_a_plain_script_can_ask(sandbox: Sandbox) -> None:
    """Without any pulumi command there is the environment."""
    sandbox.add_jobs(make_job("a"), make_job("b"))
    code = "from pulumi_drs_start import find_jobs, get_job_statuses; print(sorted(get_job_statuses(find_jobs())))"

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (ended.stdout, ended.stderr) == ("['a', 'b']\n", "")
