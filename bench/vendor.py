"""
The vendor's SDK by hand: `python -m bench.vendor loop|batch`. No preview and no state: a script that starts what is not started.

`loop` makes one call a job, first to start it and then to poll it; `batch` makes one call for all, and polls all.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from pathlib import Path

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkdrs.v3 import DrsClient, model

POLL_SECONDS = 0.5
# The vendor's newer API version, to which these warnings point, is not offered by Open Telekom Cloud.
warnings.filterwarnings("ignore", category=DeprecationWarning)


def _client() -> DrsClient:
    names = {"ak": "BENCH_ACCESS_KEY", "sk": "BENCH_SECRET_KEY", "project_id": "OS_PROJECT_ID"}
    credentials = BasicCredentials(**{name: os.environ[variable] for name, variable in names.items()})
    builder = DrsClient.new_builder().with_http_config(HttpConfig.get_default_config())
    return builder.with_credentials(credentials).with_endpoint(os.environ["DRS_ENDPOINT"]).build()


def _statuses(client: DrsClient, job_ids: list[str]) -> dict[str, str]:
    body = model.BatchQueryJobReqPage(jobs=job_ids, page_req=model.PageReq(cur_page=1, per_page=0))
    answer = client.batch_list_job_status(model.BatchListJobStatusRequest(body=body))
    return {row.id: row.status for row in answer.results}


def _start(client: DrsClient, job_ids: list[str]) -> None:
    body = model.BatchStartJobReq(jobs=[model.StartInfo(job_id=job_id) for job_id in job_ids])
    client.batch_start_jobs(model.BatchStartJobsRequest(body=body))


def _wait(client: DrsClient, job_ids: list[str]) -> None:
    while any(status in ("CONFIGURATION", "STARTJOBING") for status in _statuses(client, job_ids).values()):
        time.sleep(POLL_SECONDS)


def _run(candidate: str, job_ids: list[str]) -> None:
    client = _client()
    groups = [[job_id] for job_id in job_ids] if candidate == "loop" else [job_ids]
    started = []
    for group in groups:
        to_start = [job_id for job_id, status in _statuses(client, group).items() if status == "CONFIGURATION"]
        if to_start:
            _start(client, to_start)
            started.append(to_start)
    for group in started:
        _wait(client, group)


if __name__ == "__main__":
    _run(sys.argv[1], json.loads(Path(os.environ["BENCH_JOBS"]).read_text()))
