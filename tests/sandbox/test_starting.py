"""Starting jobs: what is accepted, what is refused, and what a job does afterwards."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pulumi_drs_start.sandbox import make_job


def test_a_configured_job_is_started_with_202(sandbox, api):
    sandbox.add_jobs(make_job("a"))

    answer = api.start("a")

    assert answer.status_code == 202
    assert answer.json() == {"count": 1, "results": [{"id": "a", "status": "success"}]}
    assert sandbox.job("a")["starts"] == 1


def test_a_started_job_walks_to_incremental(sandbox, api):
    sandbox.set_policy(start_seconds=10, full_seconds=100, complete_seconds=5)
    sandbox.add_jobs(make_job("a"))
    api.start("a")

    walk = [api.status("a")]
    for seconds in (10, 100, 5):
        sandbox.advance(seconds)
        walk.append(api.status("a"))

    assert walk == ["STARTJOBING", "FULL_TRANSFER_STARTED", "FULL_TRANSFER_COMPLETE", "INCRE_TRANSFER_STARTED"]


def test_a_full_task_ends_by_itself(sandbox, api):
    sandbox.add_jobs(make_job("a", task_type="FULL_TRANS"))
    api.start("a")
    sandbox.advance(3600)
    assert api.status("a") == "RELEASE_RESOURCE_COMPLETE"


def test_an_incremental_task_has_no_full_phase(sandbox, api):
    sandbox.add_jobs(make_job("a", task_type="INCR_TRANS"))
    api.start("a")
    sandbox.advance(0.5)
    assert api.status("a") == "INCRE_TRANSFER_STARTED"


def test_one_refused_job_does_not_keep_the_others(sandbox, api):
    sandbox.add_jobs(make_job("a"), make_job("b", status="PAUSING"))

    rows = api.start("a", "b", "unknown").json()["results"]

    assert [row["status"] for row in rows] == ["success", "failed", "failed"]
    assert [row.get("error_code") for row in rows] == [None, "DRS.M00304", "DRS.M05003"]
    assert all("error_msg" in row for row in rows[1:])


@pytest.mark.parametrize("status", ["STARTJOBING", "INCRE_TRANSFER_STARTED", "RELEASE_RESOURCE_COMPLETE", "START_JOB_FAILED"])
def test_a_job_in_another_status_is_not_started(sandbox, api, status):
    sandbox.add_jobs(make_job("a", status=status, then=[]))
    assert api.start("a").json()["results"][0]["error_code"] == "DRS.M00304"
    assert (sandbox.job("a")["starts"], sandbox.job("a")["start_requests"]) == (0, 1)


def test_a_batch_with_a_bad_id_is_refused_as_a_whole_on_request(sandbox, api):
    sandbox.set_policy(bad_row="reject")
    sandbox.add_jobs(make_job("a"))

    answer = api.start("a", "unknown")

    assert answer.status_code == 400
    assert answer.json()["error_code"] == "DRS.M05003"
    assert sandbox.job("a")["starts"] == 0


def test_a_refused_batch_may_look_like_results(sandbox, api):
    sandbox.set_policy(bad_row="reject-results")
    sandbox.add_jobs(make_job("a"), make_job("b", status="PAUSING"))

    answer = api.start("a", "b")

    assert answer.status_code == 400
    assert [row["error_code"] for row in answer.json()["results"]] == ["DRS.M00304"]
    assert sandbox.job("a")["starts"] == 0


def test_the_status_lags_behind_for_a_number_of_looks(sandbox, api):
    sandbox.set_policy(lag_looks=2)
    sandbox.add_jobs(make_job("a"))
    api.start("a")
    assert [api.status("a") for _ in range(3)] == ["CONFIGURATION", "CONFIGURATION", "STARTJOBING"]


def test_the_status_lags_behind_for_a_time(sandbox, api):
    sandbox.add_jobs(make_job("a", lag_seconds=60, stuck=True))
    api.start("a")
    before = api.status("a")
    sandbox.advance(60)
    assert (before, api.status("a")) == ("CONFIGURATION", "STARTJOBING")


def test_a_second_start_during_the_lag_is_refused_and_not_counted(sandbox, api):
    sandbox.add_jobs(make_job("a", lag_looks=100))
    api.start("a")

    row = api.start("a").json()["results"][0]

    assert row["error_code"] == "DRS.M01504"
    assert (sandbox.job("a")["starts"], sandbox.job("a")["start_requests"]) == (1, 2)


def test_the_refusal_of_a_second_start_can_be_m00304(sandbox, api):
    sandbox.set_policy(second_start_code="DRS.M00304")
    sandbox.add_jobs(make_job("a", lag_looks=100))
    api.start("a")
    assert api.start("a").json()["results"][0]["error_code"] == "DRS.M00304"


def test_a_job_found_unstarted_can_be_started_again(sandbox, api):
    sandbox.add_jobs(make_job("a"))
    api.start("a")
    sandbox.set_status("a", "CONFIGURATION")
    assert api.start("a").json()["results"][0]["status"] == "success"
    assert sandbox.job("a")["starts"] == 2


def test_a_start_can_fail_later(sandbox, api):
    sandbox.add_jobs(make_job("a", fail_start={"code": "DRS.M01501", "message": "can not get agency token"}))
    assert api.start("a").json()["results"][0]["status"] == "success"
    sandbox.advance(1)
    row = api.rows("batch-detail", "a")[0]
    assert (row["status"], row["failed_reason"]) == ("START_JOB_FAILED", "can not get agency token")


def test_a_job_can_fail_in_the_full_phase(sandbox, api):
    sandbox.add_jobs(make_job("a", fail_full=True))
    api.start("a")
    sandbox.advance(60)
    assert api.status("a") == "FULL_TRANSFER_FAILED"


def test_a_job_can_get_stuck_while_starting(sandbox, api):
    sandbox.add_jobs(make_job("a", stuck=True))
    api.start("a")
    sandbox.advance(80_000)
    assert api.status("a") == "STARTJOBING"


def test_a_job_can_be_refused_with_a_code_for_a_while(sandbox, api):
    sandbox.add_jobs(make_job("a", refuse_start={"code": "DRS.M06020", "times": 1}))
    codes = [api.start("a").json()["results"][0].get("error_code") for _ in range(2)]
    assert codes == ["DRS.M06020", None]


def test_a_job_can_walk_a_path_of_its_own(sandbox, api):
    sandbox.add_jobs(make_job("a", path=["STARTJOBING", {"status": "CHANGE_JOB_STARTED", "looks": 1}]))
    api.start("a")
    assert [api.status("a") for _ in range(2)] == ["STARTJOBING", "CHANGE_JOB_STARTED"]


def test_a_job_being_created_becomes_configurable(sandbox, api):
    sandbox.add_jobs(make_job("a", status="CREATING", then=[{"status": "CONFIGURATION", "looks": 1}]))
    assert [api.status("a") for _ in range(2)] == ["CREATING", "CONFIGURATION"]


def test_a_scheduled_job_waits_for_its_time(sandbox, api):
    sandbox.add_jobs(make_job("a"))
    when = str(int((sandbox.now() + 3600) * 1000))
    api.start("a", start_time=when)

    detail = api.rows("batch-detail", "a")[0]
    sandbox.advance(3600.1)

    assert (detail["status"], detail["inst_info"]["start_time"]) == ("WAITING_FOR_START", when)
    assert api.status("a") in ("STARTJOBING", "FULL_TRANSFER_STARTED")


@pytest.mark.parametrize("now", ["", "0", None])
def test_an_unset_time_means_now(sandbox, api, now):
    sandbox.add_jobs(make_job("a"))
    api.call("batch-starting", {"jobs": [{"job_id": "a", "start_time": now}]})
    assert sandbox.job("a")["status"] == "STARTJOBING"
    assert api.rows("batch-detail", "a")[0]["inst_info"]["start_time"] == "0"


def test_a_time_in_the_past_starts_now(sandbox, api):
    sandbox.add_jobs(make_job("a"))
    api.start("a", start_time="1000")
    assert sandbox.job("a")["status"] == "STARTJOBING"


def test_a_time_in_the_past_can_be_refused(sandbox, api):
    sandbox.set_policy(past_start_time="refuse")
    sandbox.add_jobs(make_job("a"))
    assert api.start("a", start_time="1000").json()["results"][0]["error_code"] == "DRS.M00202"


@pytest.mark.parametrize(("answer", "starts"), [("accept", 1), ("refuse", 0)])
def test_whether_a_waiting_job_can_be_scheduled_anew_is_a_policy(sandbox, api, answer, starts):
    sandbox.set_policy(reschedule=answer)
    soon, later = (str(int((sandbox.now() + seconds) * 1000)) for seconds in (1000, 2000))
    sandbox.add_jobs(make_job("a", status="WAITING_FOR_START", start_time=soon))

    api.start("a", start_time=later)

    assert sandbox.job("a")["starts"] == starts
    assert sandbox.job("a")["start_time"] == (later if starts else soon)


def test_whether_a_failed_start_can_be_repeated_is_a_policy(sandbox, api):
    sandbox.add_jobs(make_job("a", status="START_JOB_FAILED"))
    refused = api.start("a").json()["results"][0]["status"]
    sandbox.set_policy(restart_failed="accept")
    assert (refused, api.start("a").json()["results"][0]["status"]) == ("failed", "success")


def test_a_job_that_failed_its_pre_check_is_not_started(sandbox, api):
    sandbox.add_jobs(make_job("a", precheck=[{"item": "binlog", "result": "FAILED"}]))
    assert api.start("a").json()["results"][0]["error_code"] == "DRS.M00304"


def test_a_job_of_another_project_is_unknown(sandbox, api):
    sandbox.add_jobs(make_job("a", project_id=sandbox.account.other_project_id))
    assert api.start("a").json()["results"][0]["error_code"] == "DRS.M05003"


def test_jobs_are_started_at_most_once_by_many_threads(sandbox, api):
    sandbox.add_jobs(make_job("a", lag_seconds=100))
    api.login()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: api.start("a"), range(24)))
    assert (sandbox.job("a")["starts"], sandbox.job("a")["start_requests"]) == (1, 24)


def test_a_batch_of_five_thousand_is_answered_quickly(sandbox, api):
    job_ids = [f"job-{number}" for number in range(5000)]
    sandbox.add_jobs(*(make_job(job_id) for job_id in job_ids))
    api.login()

    began = time.process_time()
    answer = api.start(*job_ids)
    spent = time.process_time() - began

    assert len(answer.json()["results"]) == 5000
    # Generous for a busy machine; the client's share is in it.
    assert spent < 1.0


class TestDualActiveDisasterRecovery:
    @pytest.fixture
    def pair(self, sandbox):
        fields = {"db_use_type": "cloudDataGuard", "multi_write": True}
        sandbox.add_jobs(
            make_job("parent", **fields),
            make_job("forward", parent_id="parent", role="forward", status="INCRE_TRANSFER_STARTED", **fields),
            make_job("backward", parent_id="parent", role="backward", **fields),
        )
        return fields

    @pytest.mark.usefixtures("pair")
    def test_the_parent_cannot_be_started(self, api):
        assert api.start("parent").json()["results"][0]["error_code"] == "DRS.M00307"

    @pytest.mark.usefixtures("pair")
    def test_the_backward_task_starts_once_the_forward_one_replicates(self, api):
        assert api.start("backward").json()["results"][0]["status"] == "success"

    @pytest.mark.parametrize(
        "late", [{"rpo_ms": 60_000}, {"rto_ms": 60_000}, {"delay": {"seconds": 60}}, {"status": "FULL_TRANSFER_STARTED"}]
    )
    def test_the_backward_task_waits_for_the_forward_one(self, pair, sandbox, api, late):
        forward = {"parent_id": "parent", "role": "forward", "status": "INCRE_TRANSFER_STARTED"} | pair | late
        sandbox.add_jobs(make_job("forward", **forward))
        assert api.start("backward").json()["results"][0]["error_code"] == "DRS.M00304"

    @pytest.mark.usefixtures("pair")
    def test_only_the_parent_can_be_stopped(self, sandbox, api):
        def stop(job_id):
            body = {"jobs": [{"job_id": job_id, "delete_type": "terminate"}]}
            return api.call("batch-jobs", body, method="DELETE").json()["results"][0].get("error_code")

        assert (stop("forward"), stop("parent")) == ("DRS.M00308", None)
        assert sandbox.job("forward")["status"].startswith("RELEASE_RESOURCE")

    @pytest.mark.usefixtures("pair")
    def test_only_the_list_names_the_children(self, sandbox, api):
        body = {"cur_page": 1, "per_page": 10, "db_use_type": "cloudDataGuard"}
        (listed,) = api.call("jobs", body).json()["jobs"]
        assert [child["id"] for child in listed["children"]] == ["forward", "backward"]
        assert "children" not in api.rows("batch-detail", "parent")[0]
        sandbox.set_policy(children_in_detail=True)
        assert len(api.rows("batch-detail", "parent")[0]["children"]) == 2
