"""The vendor's own SDK, signing with an access key, makes every call the sandbox offers."""

from __future__ import annotations

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkdrs.v3 import DrsClient, model

from pulumi_drs_start.sandbox import make_job, make_job_id

# The vendor calls v3 deprecated in favour of v5, which Open Telekom Cloud does not have.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Method '.*' of DrsClient is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:As of 3.1.27:DeprecationWarning"),
]

JOB, OTHER = make_job_id("one"), make_job_id("two")


def client_of(sandbox, **changes):
    account = sandbox.account
    keys = {"ak": account.access_key, "sk": account.secret_key, "project_id": account.project_id} | changes
    return (
        DrsClient.new_builder()
        .with_http_config(HttpConfig.get_default_config())
        .with_credentials(BasicCredentials(**keys))
        .with_endpoint(sandbox.url)
        .build()
    )


@pytest.fixture
def drs(sandbox):
    sandbox.add_jobs(make_job(JOB, name="crm-orders"), make_job(OTHER, status="INCRE_TRANSFER_STARTED"))
    return client_of(sandbox)


def test_start(drs, sandbox):
    body = model.BatchStartJobReq(jobs=[model.StartInfo(job_id=JOB), model.StartInfo(job_id=OTHER)])
    answer = drs.batch_start_jobs(model.BatchStartJobsRequest(body=body))
    assert answer.status_code == 202
    assert [(row.id, row.status, row.error_code) for row in answer.results] == [
        (JOB, "success", None),
        (OTHER, "failed", "DRS.M00304"),
    ]
    assert sandbox.job(JOB)["starts"] == 1


def test_status(drs):
    body = model.BatchQueryJobReqPage(jobs=[JOB, OTHER], page_req=model.PageReq(cur_page=1, per_page=0))
    answer = drs.batch_list_job_status(model.BatchListJobStatusRequest(body=body))
    assert [(row.id, row.status) for row in answer.results] == [(JOB, "CONFIGURATION"), (OTHER, "INCRE_TRANSFER_STARTED")]


def test_detail(drs):
    body = model.BatchQueryJobReqPage(jobs=[JOB])
    answer = drs.batch_list_job_details(model.BatchListJobDetailsRequest(body=body))
    assert (answer.count, answer.results[0].name) == (1, "crm-orders")
    assert answer.results[0].inst_info.start_time == "0"


def test_progress(drs, sandbox):
    def ask():
        body = model.BatchQueryProgressReq(jobs=[OTHER, JOB])
        answer = drs.batch_list_progresses(model.BatchListProgressesRequest(body=body))
        assert answer.status_code == 202
        return [(row.job_id, row.progress, row.incre_trans_delay) for row in answer.results]

    sandbox.set_status(JOB, "FULL_TRANSFER_STARTED")
    assert ask() == [(OTHER, "100", "0"), (JOB, "50", "-1")]
    sandbox.set_delay(OTHER, seconds=340)
    assert ask()[0] == (OTHER, "100", "340")
    sandbox.set_delay(OTHER, silent="absent")
    assert ask()[0] == (OTHER, "100", None)


def test_progress_of_the_parts_of_a_copy(drs):
    answer = drs.batch_list_progresses(model.BatchListProgressesRequest(body=model.BatchQueryProgressReq(jobs=[JOB])))
    assert answer.results[0].progress_map["data"].completed == "0%"


def test_rpo_and_rto(drs, sandbox):
    sandbox.set_policy(rpo_and_rto=True)
    body = model.BatchQueryRpoAndRtoReq(jobs=[OTHER])
    answer = drs.batch_list_rpos_and_rtos(model.BatchListRposAndRtosRequest(body=body))
    assert answer.results[0].rpo_info.delay == "0"


def test_precheck_and_its_result(drs, sandbox):
    sandbox.set_policy(precheck_seconds=0)
    sandbox.add_jobs(make_job(JOB, precheck=[{"item": "binlog"}]))
    asked = drs.batch_check_jobs(
        model.BatchCheckJobsRequest(
            body=model.BatchPrecheckReq(jobs=[model.PreCheckInfo(job_id=JOB, precheck_mode="forStartJob")])
        )
    )
    assert asked.results[0].status == "success"
    found = drs.batch_check_results(model.BatchCheckResultsRequest(body=model.BatchQueryPrecheckResultReq(jobs=[JOB])))
    assert (found.results[0].process, found.results[0].result) == ("100%", True)
    assert found.results[0].precheck_result[0].item == "binlog"


def test_pause_and_retry(drs, sandbox):
    pause = model.BatchPauseJobReq(jobs=[model.PauseInfo(job_id=OTHER, pause_mode="target")])
    assert drs.batch_stop_jobs(model.BatchStopJobsRequest(body=pause)).results[0].status == "success"
    assert sandbox.job(OTHER)["status"] == "PAUSING"
    retry = model.BatchRetryReq(jobs=[model.RetryInfo(job_id=OTHER)])
    assert drs.batch_restore_task(model.BatchRestoreTaskRequest(body=retry)).results[0].status == "success"


def test_stop(drs, sandbox):
    body = model.BatchDeleteJobReq(jobs=[model.DeleteJobReq(job_id=OTHER, delete_type="terminate")])
    answer = drs.batch_delete_jobs(model.BatchDeleteJobsRequest(body=body))
    assert (answer.status_code, answer.results[0].status) == (202, "success")
    assert sandbox.job(OTHER)["stops"] == 1


def test_list(drs):
    body = model.QueryJobsReq(cur_page=1, per_page=10, db_use_type="migration", engine_type="", name="crm")
    answer = drs.show_job_list(model.ShowJobListRequest(body=body))
    assert (answer.total_record, answer.jobs[0].id) == (1, JOB)


def test_a_refusal_reads_as_the_sdk_expects_it(drs):
    body = model.BatchQueryJobReqPage(jobs=[JOB], page_req=model.PageReq(cur_page=2, per_page=5))
    with pytest.raises(ClientRequestException) as caught:
        drs.batch_list_job_status(model.BatchListJobStatusRequest(body=body))
    assert (caught.value.status_code, caught.value.error_code) == (400, "DRS.M00211")


@pytest.mark.parametrize("changes", [{"sk": "wrong"}, {"ak": "UNKNOWN"}])
def test_a_wrong_key_is_refused_by_the_gateway(sandbox, changes):
    body = model.BatchQueryJobReqPage(jobs=[JOB])
    with pytest.raises(ClientRequestException) as caught:
        client_of(sandbox, **changes).batch_list_job_status(model.BatchListJobStatusRequest(body=body))
    assert (caught.value.status_code, caught.value.error_code) == (401, "APIGW.0301")


def test_a_key_does_not_open_projects_of_others(sandbox):
    body = model.BatchQueryJobReqPage(jobs=[JOB])
    with pytest.raises(ClientRequestException) as caught:
        client_of(sandbox, project_id="0" * 32).batch_list_job_status(model.BatchListJobStatusRequest(body=body))
    assert caught.value.error_code == "DRS.M00261"
