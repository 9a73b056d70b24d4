"""Rows of answers, with the field names, spellings and types of their pages: most numbers are strings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .clock import milliseconds, readable
from .delay import told
from .jobs import SECRET, Job
from .models import ListRequest


def detail_row(job: Job, children: Sequence[Job]) -> dict[str, Any]:
    """Rows of details carry endpoints with their credentials; the schedule is only found here."""
    spec = job.spec
    row: dict[str, Any] = {
        "id": spec.id,
        "name": spec.name,
        "status": job.status,
        "description": spec.description,
        "create_time": milliseconds(job.created),
        "update_time": milliseconds(job.updated),
        "task_type": spec.task_type,
        "db_use_type": spec.db_use_type,
        "job_direction": spec.job_direction,
        "net_type": spec.net_type,
        "multi_write": spec.multi_write,
        "is_multi_az": False,
        "node_role": "",
        "node_num": "2" if children else "1",
        "inst_info": {
            "engine_type": spec.engine_type,
            "instance_type": "single",
            "ip": "192.0.2.10",
            "public_ip": "",
            "start_time": "0" if job.start_time is None else milliseconds(job.start_time),
            "status": "ACTIVE",
            "volume_size": 100,
        },
        "source_endpoint": _endpoint(job, "source"),
        "target_endpoint": _endpoint(job, "target"),
        "failed_reason": job.failed_reason,
        "tags": spec.tags,
    }
    if job.actual_start is not None:
        row["actual_start_time"] = milliseconds(job.actual_start)
    if job.full_complete is not None:
        row["full_transfer_complete_time"] = milliseconds(job.full_complete)
    if spec.parent_id is not None:
        row["parent_id"] = spec.parent_id
    if spec.master_job_id is not None:
        row["master_job_id"] = spec.master_job_id
    if children:
        row["children"] = [_child(child) for child in children]
    return row


def _endpoint(job: Job, side: str) -> dict[str, Any]:
    return {
        "db_type": job.spec.engine_type,
        "ip": "192.0.2.20" if side == "source" else "192.0.2.30",
        "db_port": 3306,
        "db_name": "",
        "db_user": f"{side}-{SECRET}",
        "db_password": SECRET,
        "ssl_cert_key": SECRET,
        "ssl_cert_password": SECRET,
        "ssl_link": False,
        "inst_id": "",
        "inst_name": f"{side}-of-{job.spec.name or job.spec.id}",
        "region": "eu-de",
    }


def _child(job: Job) -> dict[str, Any]:
    return {"id": job.spec.id, "name": job.spec.name, "status": job.status}


def list_row(job: Job, status: str, children: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A row of the list has the rows of the children in it."""
    spec = job.spec
    return {
        "id": spec.id,
        "name": spec.name,
        "status": status,
        "description": spec.description,
        "create_time": readable(job.created),
        "engine_type": spec.engine_type,
        "net_type": spec.net_type,
        "billing_tag": False,
        "job_direction": spec.job_direction,
        "db_use_type": spec.db_use_type,
        "task_type": spec.task_type,
        "children": children,
        # Spelled like this on the page.
        "node_newFramework": False,
    }


def is_listed(job: Job, status: str, wanted: ListRequest) -> bool:
    spec = job.spec
    exact = (
        (wanted.db_use_type, spec.db_use_type),
        (wanted.engine_type, spec.engine_type),
        (wanted.enterprise_project_id, spec.enterprise_project_id),
        (wanted.net_type, spec.net_type),
        (wanted.service_name, spec.service_name),
        (wanted.status, status),
    )
    if any(value and value != own for value, own in exact):
        return False
    # "name" takes a name or an id; Huawei Cloud takes several ids with commas between.
    if wanted.name and wanted.name not in spec.name and spec.id not in wanted.name.split(","):
        return False
    return all(spec.tags.get(key) == value for key, value in _tags(wanted).items())


def _tags(wanted: ListRequest) -> dict[str, str]:
    if isinstance(wanted.tags, list):
        return {tag.get("key", ""): tag.get("value", "") for tag in wanted.tags}
    return wanted.tags or {}


def progress_row(job: Job, now: float) -> dict[str, Any]:
    percent = job.progress(now)
    # "-1" before the incremental phase.
    behind = job.lag_ms(now)[0] // 1000 if job.is_incremental else -1
    row = {
        "job_id": job.spec.id,
        "progress": str(percent),
        **told("incre_trans_delay", behind, job.silence),
        "task_mode": job.spec.task_type,
        "transfer_status": job.status,
        # A timestamp, not a duration.
        "process_time": "0" if job.actual_start is None else milliseconds(now),
        "remaining_time": "0",
    }
    if not job.is_incremental:
        # A list in the table of the page; the samples have an object, and none in the incremental phase.
        part = {"completed": f"{percent}%", "remaining_time": None}
        row["progress_map"] = {"struct": part, "data": part, "index": part}
    return row


def rpo_row(job: Job, now: float) -> dict[str, Any]:
    def info(delay: int) -> dict[str, Any]:
        told_delay = told("delay", delay, job.silence)
        return {"check_point": "mysql-bin.000514:197", **told_delay, "gtid_set": "NA", "time": readable(now)}

    rpo, rto = job.lag_ms(now)
    return {"job_id": job.spec.id, "rpo_info": info(rpo), "rto_info": info(rto)}


def precheck_row(job: Job, done: float) -> dict[str, Any]:
    """Rows of pre-check results are named by `precheck_id` alone. Alarms do not lower the rate."""
    items = job.spec.precheck
    seen = items[: int(len(items) * done)]
    passed = [item for item in seen if item.result != "FAILED"]
    is_done = done >= 1.0
    rate = round(100 * len(passed) / len(items)) if items else (100 if is_done else 0)
    return {
        "precheck_id": job.precheck_id,
        "result": is_done and job.is_prechecked,
        "process": f"{int(done * 100)}%",
        "total_passed_rate": f"{rate}%",
        "rds_instance_id": "",
        "job_direction": job.spec.job_direction,
        "precheck_result": [
            {
                "item": item.item,
                "result": item.result,
                "failed_reason": item.failed_reason,
                "data": "",
                "raw_error_msg": "",
                "group": item.group,
                "failed_sub_jobs": [],
            }
            for item in seen
        ],
    }
