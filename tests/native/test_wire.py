"""The wire form: names, secrets, unknown values, numbers."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import struct_pb2
from pulumi.runtime import rpc

from pulumi_drs_start.native import wire
from pulumi_drs_start.schema.fields import INPUTS, JOB_FIELDS, OUTPUTS, ROWS

from .conftest import struct

ROW = {"status": "STARTJOBING", "start_time": "2026-12-01T01:00:00Z", "error_message": "x", "delay_seconds": 3}


def test_names_are_camel_case_on_the_wire_and_keys_that_are_ids_or_phases_are_left_alone() -> None:
    bag = {
        "wait_for": "running",
        "jobs": ["a", {"job_id": "b_c", "desired_state": "paused"}],
        "job_statuses": {"job_id": ROW},
        "problems": {"start_time": {"error_code": "x"}},
        "summary": {"start_failed": 1},
        "__place": {"project_id": "p"},
    }

    sent = wire.from_bag(bag)

    assert wire.plain(sent)[0] == {
        "waitFor": "running",
        "jobs": ["a", {"jobId": "b_c", "desiredState": "paused"}],
        "jobStatuses": {
            "job_id": {"status": "STARTJOBING", "startTime": ROW["start_time"], "errorMessage": "x", "delaySeconds": 3}
        },
        "problems": {"start_time": {"errorCode": "x"}},
        "summary": {"start_failed": 1},
        "__place": {"project_id": "p"},
    }
    assert wire.to_bag(sent) == bag


@pytest.mark.parametrize("fields", [INPUTS, OUTPUTS, JOB_FIELDS, *ROWS.values()])
def test_every_name_of_the_table_comes_back(fields: Any) -> None:
    bag = {field.name: "x" for field in fields}
    as_job = {"jobs": [bag]}
    as_row = {"job_statuses": {"a": bag}}

    assert [wire.to_bag(wire.from_bag(each)) for each in (bag, as_job, as_row)] == [bag, as_job, as_row]


def test_a_secret_at_any_depth_makes_the_input_secret_and_what_repeats_it() -> None:
    jobs = [rpc.wrap_rpc_secret("a"), {"jobId": rpc.wrap_rpc_secret("b")}]

    bag = wire.to_bag(struct({"jobs": jobs, "region": rpc.wrap_rpc_secret("eu-de"), "timeout": "60m"}))
    outputs, secret = wire.plain(wire.from_bag({**bag, "job_statuses": {}, "__records": {}, "problems": {}, "ready": True}))

    assert bag == {"jobs": ["a", {"job_id": "b"}], "region": "eu-de", "timeout": "60m", "__secret_inputs": "jobs region"}
    assert sorted(secret) == ["__records", "jobStatuses", "jobs", "problems", "region"]
    assert "__secret_inputs" not in outputs


def test_a_secret_place_hides_itself_alone() -> None:
    sent = wire.from_bag({"region": "eu-de", "job_statuses": {}, "__secret_inputs": "region"})

    assert wire.plain(sent)[1] == ["region"]


@pytest.mark.parametrize("text", sorted(wire._UNKNOWN_TEXTS))
def test_a_value_that_is_not_known_stays_so(text: str) -> None:
    bag = wire.to_bag(struct({"jobs": [text, {"jobId": text}], "timeout": text}))

    assert bag == {"jobs": [wire.UNKNOWN, {"job_id": wire.UNKNOWN}], "timeout": wire.UNKNOWN}
    assert wire.to_bag(wire.from_outputs(bag)) == bag


def test_whole_numbers_are_whole_and_what_is_none_has_no_key() -> None:
    sent = wire.from_bag({"summary": {"total": 3}, "job_statuses": {"a": {"name": None, "progress": 50}}, "region": None})

    bag = wire.to_bag(sent)

    assert bag == {"summary": {"total": 3}, "job_statuses": {"a": {"progress": 50}}}
    assert isinstance(bag["summary"]["total"], int)
    assert isinstance(sent.fields["summary"].struct_value.fields["total"], struct_pb2.Value)


def test_every_job_of_the_outputs_has_fields() -> None:
    assert wire.plain(wire.from_outputs({"jobs": ["a", {"job_id": "b"}]}))[0] == {"jobs": [{"jobId": "a"}, {"jobId": "b"}]}
