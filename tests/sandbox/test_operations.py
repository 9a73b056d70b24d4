"""Pausing, retrying, stopping, deleting and pre-checking."""

from __future__ import annotations

import contextlib

import pytest
import requests

from pulumi_drs_start.sandbox import faults, make_job, make_job_id

JOB = make_job_id("job")


def pause(api, mode="target"):
    return api.call("batch-pause-task", {"jobs": [{"job_id": JOB, "pause_mode": mode}]})


def retry(api):
    return api.call("batch-retry-task", {"jobs": [{"job_id": JOB}]})


def end(api, delete_type):
    return api.call("batch-jobs", {"jobs": [{"job_id": JOB, "delete_type": delete_type}]}, method="DELETE")


def code(answer):
    return answer.json()["results"][0].get("error_code")


def test_ids_are_in_uuid_layout_but_not_hexadecimal():
    assert [len(part) for part in JOB.split("-")] == [8, 4, 4, 4, 12]
    with pytest.raises(ValueError, match="invalid literal"):
        int(JOB.replace("-", ""), 16)


@pytest.mark.parametrize("status", ["FULL_TRANSFER_STARTED", "INCRE_TRANSFER_FAILED"])
def test_a_running_or_failing_job_is_paused_with_200(sandbox, api, status):
    sandbox.add_jobs(make_job(JOB, status=status))
    assert pause(api).status_code == 200
    assert sandbox.job(JOB)["status"] == "PAUSING"


def test_a_paused_job_may_be_spelled_otherwise(sandbox, api):
    sandbox.set_policy(paused_status="PAUSEING")
    sandbox.add_jobs(make_job(JOB, status="INCRE_TRANSFER_STARTED"))
    pause(api)
    assert api.status(JOB) == "PAUSEING"


def test_a_configured_job_is_not_paused(sandbox, api):
    sandbox.add_jobs(make_job(JOB))
    assert code(pause(api)) == "DRS.M00304"


def test_disaster_recovery_is_not_paused(sandbox, api):
    sandbox.add_jobs(make_job(JOB, db_use_type="cloudDataGuard", status="INCRE_TRANSFER_STARTED"))
    assert code(pause(api)) == "DRS.M00302"


@pytest.mark.usefixtures("sandbox")
def test_pausing_wants_the_uuid_rule(api):
    answer = api.call("batch-pause-task", {"jobs": [{"job_id": "short", "pause_mode": "all"}]})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "DRS.M00202")


def test_the_uuid_rule_can_be_switched_off(sandbox, api):
    sandbox.set_policy(uuid_rule=False)
    sandbox.add_jobs(make_job("short", status="INCRE_TRANSFER_STARTED"))
    assert code(api.call("batch-pause-task", {"jobs": [{"job_id": "short", "pause_mode": "all"}]})) is None


def test_an_unknown_pause_mode_is_refused(api):
    answer = pause(api, "some")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "DRS.M00202")


@pytest.mark.parametrize(
    ("status", "afterwards"),
    [
        ("PAUSING", "FULL_TRANSFER_STARTED"),
        ("FULL_TRANSFER_FAILED", "FULL_TRANSFER_STARTED"),
        ("INCRE_TRANSFER_FAILED", "INCRE_TRANSFER_STARTED"),
        ("START_JOB_FAILED", "STARTJOBING"),
    ],
)
def test_retrying_goes_on_in_the_same_phase(sandbox, api, status, afterwards):
    sandbox.add_jobs(make_job(JOB, status=status))
    assert retry(api).status_code == 200
    assert sandbox.job(JOB)["status"] == afterwards
    assert (sandbox.job(JOB)["retries"], sandbox.job(JOB)["starts"]) == (1, 0)


def test_whether_a_failed_start_can_be_retried_is_a_policy(sandbox, api):
    sandbox.set_policy(retry_start_failed="refuse")
    sandbox.add_jobs(make_job(JOB, status="START_JOB_FAILED"))
    assert code(retry(api)) == "DRS.M00304"


def test_a_healthy_job_is_not_retried(sandbox, api):
    sandbox.add_jobs(make_job(JOB, status="INCRE_TRANSFER_STARTED"))
    assert code(retry(api)) == "DRS.M00304"


def test_a_second_operation_has_to_wait_for_the_first(sandbox, api):
    sandbox.set_policy(resume_seconds=60)
    sandbox.add_jobs(make_job(JOB, status="PAUSING"))
    assert (code(retry(api)), code(retry(api))) == (None, "DRS.M01504")


def test_a_job_paused_after_the_full_phase_resumes_incrementally(sandbox, api):
    sandbox.set_policy(start_seconds=0, full_seconds=0, complete_seconds=0)
    sandbox.add_jobs(make_job(JOB))
    api.start(JOB)
    pause(api)
    retry(api)
    assert api.status(JOB) == "INCRE_TRANSFER_STARTED"


def test_stopping_is_202_and_final(sandbox, api):
    sandbox.add_jobs(make_job(JOB, status="INCRE_TRANSFER_STARTED"))
    assert end(api, "terminate").status_code == 202
    assert api.status(JOB) == "RELEASE_RESOURCE_STARTED"
    sandbox.advance(1)
    assert api.status(JOB) == "RELEASE_RESOURCE_COMPLETE"
    assert api.start(JOB).json()["results"][0]["error_code"] == "DRS.M00304"


def test_a_starting_job_is_only_stopped_by_force(sandbox, api):
    sandbox.add_jobs(make_job(JOB, status="STARTJOBING", then=[]))
    assert (code(end(api, "terminate")), code(end(api, "force_terminate"))) == ("DRS.M00304", None)


def test_a_living_job_is_not_deleted(sandbox, api):
    sandbox.add_jobs(make_job(JOB))
    assert code(end(api, "delete")) == "DRS.M00304"


def test_a_deleted_job_is_gone(sandbox, api):
    sandbox.add_jobs(make_job(JOB, status="RELEASE_RESOURCE_COMPLETE"))
    assert code(end(api, "delete")) is None
    assert api.start(JOB).json()["results"][0]["error_code"] == "DRS.M05004"
    with pytest.raises(KeyError):
        sandbox.job(JOB)


class TestDone:
    """The log says for which jobs a call took effect."""

    OTHER = make_job_id("other")

    def bodies(self, **fields):
        return {"jobs": [{"job_id": job_id, **fields} for job_id in (JOB, self.OTHER)]}

    @pytest.mark.parametrize(
        ("operation", "fields", "status"),
        [
            ("batch-starting", {}, "CONFIGURATION"),
            ("batch-precheck", {"precheck_mode": "forStartJob"}, "CONFIGURATION"),
            ("batch-pause-task", {"pause_mode": "target"}, "FULL_TRANSFER_STARTED"),
            ("batch-retry-task", {}, "PAUSING"),
            ("batch-jobs", {"delete_type": "terminate"}, "INCRE_TRANSFER_STARTED"),
            ("batch-jobs", {"delete_type": "delete"}, "RELEASE_RESOURCE_COMPLETE"),
        ],
    )
    def test_a_refused_row_is_not_done(self, sandbox, api, operation, fields, status):
        sandbox.add_jobs(make_job(JOB, status=status), make_job(self.OTHER, status="RELEASE_RESOURCE_STARTED", then=[]))
        api.call(operation, self.bodies(**fields), method="DELETE" if operation == "batch-jobs" else "POST")
        assert sandbox.calls()[-1]["jobs"] == [JOB, self.OTHER]
        assert sandbox.calls()[-1]["done"] == [JOB]

    @pytest.mark.parametrize(
        ("fault", "done"),
        [
            (faults.drop_before("batch-starting"), []),
            (faults.drop_after("batch-starting"), [JOB, OTHER]),
            (faults.server_error("batch-starting", when="after"), [JOB, OTHER]),
            (faults.missing_rows("batch-starting"), [JOB, OTHER]),
            (faults.refuse_row("batch-starting", job_id=JOB), [OTHER]),
        ],
    )
    def test_it_is_told_whatever_becomes_of_the_answer(self, sandbox, api, fault, done):
        sandbox.add_jobs(make_job(JOB), make_job(self.OTHER))
        sandbox.set_policy(row_order="reversed")
        api.login()
        sandbox.inject(fault)
        with contextlib.suppress(requests.ConnectionError):
            api.call("batch-starting", self.bodies())
        assert sandbox.calls()[-1]["done"] == done

    def test_a_call_that_is_refused_as_a_whole_did_nothing(self, sandbox, api):
        sandbox.set_policy(bad_row="reject")
        sandbox.add_jobs(make_job(JOB))
        api.call("batch-starting", self.bodies())
        assert sandbox.calls()[-1]["done"] == []

    def test_reading_does_nothing(self, sandbox, api):
        sandbox.add_jobs(make_job(JOB))
        api.status(JOB)
        assert sandbox.calls()[-1]["done"] == []


class TestPrecheck:
    ITEMS = ({"item": "binlog", "result": "PASSED"}, {"item": "version", "result": "ALARM"})

    def ask(self, api):
        return api.call("batch-precheck", {"jobs": [{"job_id": JOB, "precheck_mode": "forStartJob"}]})

    def result(self, api):
        return api.rows("batch-precheck-result", JOB)[0]

    def test_it_runs_and_passes(self, sandbox, api):
        sandbox.set_policy(precheck_seconds=0, precheck_looks=2)
        sandbox.add_jobs(make_job(JOB, precheck=list(self.ITEMS)))
        assert self.ask(api).status_code == 200
        rows = [self.result(api) for _ in range(3)]
        assert [row["process"] for row in rows] == ["0%", "50%", "100%"]
        assert [row["result"] for row in rows] == [False, False, True]
        assert rows[-1]["total_passed_rate"] == "100%"

    def test_a_failed_item_lowers_the_rate_and_forbids_the_start(self, sandbox, api):
        sandbox.set_policy(precheck_seconds=0)
        failed = {"item": "charset", "result": "FAILED", "failed_reason": "Character sets differ."}
        sandbox.add_jobs(make_job(JOB, precheck=[self.ITEMS[0], failed]))
        self.ask(api)
        row = self.result(api)
        assert (row["result"], row["total_passed_rate"]) == (False, "50%")
        assert row["precheck_result"][1]["failed_reason"] == "Character sets differ."
        assert code(api.start(JOB)) == "DRS.M00304"

    def test_rows_carry_no_id(self, sandbox, api):
        sandbox.add_jobs(make_job(JOB))
        asked = self.ask(api).json()["results"][0]
        row = self.result(api)
        assert "id" not in row
        assert row["precheck_id"] == asked["precheck_id"] == JOB

    def test_the_precheck_id_may_be_its_own(self, sandbox, api):
        sandbox.set_policy(precheck_id="own")
        sandbox.add_jobs(make_job(JOB))
        asked = self.ask(api).json()["results"][0]
        assert self.result(api)["precheck_id"] == asked["precheck_id"] != JOB

    def test_no_result_before_it_was_asked_for(self, sandbox, api):
        sandbox.add_jobs(make_job(JOB))
        assert self.result(api)["error_code"] == "DRS.M00304"

    def test_only_a_configured_job_is_checked(self, sandbox, api):
        sandbox.add_jobs(make_job(JOB, status="INCRE_TRANSFER_STARTED"))
        assert code(self.ask(api)) == "DRS.M00304"
