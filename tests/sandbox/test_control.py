"""The sandbox as a thing: options, control calls, life and end."""

from __future__ import annotations

import threading
import time

import pytest
import requests

import pulumi_drs_start.sandbox
from pulumi_drs_start.sandbox import SandboxAdmin, faults, make_job


def test_it_starts_and_ends_in_an_instant(make_sandbox):
    make_sandbox().stop()
    began = time.monotonic()
    make_sandbox().stop()
    assert time.monotonic() - began < 1


def test_it_leaves_no_thread_behind(make_sandbox):
    before = threading.active_count()
    make_sandbox().stop()
    assert threading.active_count() == before


def test_it_is_gone_after_its_end(make_sandbox):
    sandbox = make_sandbox()
    sandbox.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(sandbox.auth_url, timeout=2)


def test_an_option_that_does_not_exist_is_refused(make_sandbox):
    with pytest.raises(TypeError, match="lag_looksies"):
        make_sandbox(lag_looksies=1)


def test_policies_can_be_given_at_the_start_and_survive_a_reset(make_sandbox):
    sandbox = make_sandbox(lag_looks=3)
    sandbox.set_policy(lag_looks=5, row_order="reversed")
    sandbox.reset()
    assert (sandbox.policy()["lag_looks"], sandbox.policy()["row_order"]) == (3, "request")


def test_a_policy_that_does_not_exist_is_refused(sandbox):
    with pytest.raises(ValueError, match="nonsense"):
        sandbox.set_policy(nonsense=1)


def test_a_job_with_an_unknown_field_is_refused(sandbox):
    with pytest.raises(ValueError, match="nonsense"):
        sandbox.add_jobs(make_job("a", nonsense=1))


def test_a_reset_forgets_jobs_faults_and_calls_but_not_the_login(sandbox, api):
    sandbox.add_jobs(make_job("a"))
    api.start("a")
    sandbox.inject(faults.html("any"))
    sandbox.reset()
    assert (sandbox.jobs(), sandbox.faults(), sandbox.calls()) == ({}, [], [])
    assert api.start("a").status_code == 202


def test_control_from_elsewhere_sees_the_same(sandbox):
    sandbox.add_jobs(make_job("a"), make_job("b"))
    elsewhere = SandboxAdmin(sandbox.url)
    elsewhere.set_status("a", "PAUSING")
    assert set(elsewhere.jobs()) == {"a", "b"}
    assert sandbox.job("a")["status"] == "PAUSING"


def test_looking_by_control_does_not_count_as_a_look(sandbox, api):
    sandbox.add_jobs(make_job("a", lag_looks=1))
    api.start("a")
    seen = [sandbox.job("a")["status"] for _ in range(3)]
    assert seen == ["CONFIGURATION"] * 3


def test_an_unknown_job_is_a_key_error(sandbox):
    with pytest.raises(KeyError):
        sandbox.set_status("unknown", "PAUSING")


def test_an_id_may_hold_any_character(sandbox):
    sandbox.add_jobs(make_job("ä/?&# b"))
    assert sandbox.job("ä/?&# b")["status"] == "CONFIGURATION"


def test_time_can_run_faster(make_sandbox):
    sandbox = make_sandbox(speed=1000)
    began = sandbox.now()
    time.sleep(0.05)
    assert sandbox.now() - began >= 50


def test_time_can_be_moved(sandbox):
    began = sandbox.now()
    sandbox.advance(3600)
    assert 3600 <= sandbox.now() - began < 3700


def test_a_status_can_be_put_with_what_follows(sandbox, api):
    sandbox.add_jobs(make_job("a"))
    sandbox.set_status("a", "INCRE_TRANSFER_FAILED", then=[{"status": "INCRE_TRANSFER_STARTED", "looks": 1}])
    assert [api.status("a") for _ in range(2)] == ["INCRE_TRANSFER_FAILED", "INCRE_TRANSFER_STARTED"]


class TestHistory:
    """Every status of a job, and when it began."""

    @pytest.fixture
    def history(self, sandbox):
        """Of job a: its statuses, and how many hundreds of seconds after its declaration each began."""

        def told():
            history = sandbox.job("a")["history"]
            return [(round((when - history[0][0]) / 100), status) for when, status in history]

        return told

    def test_it_begins_with_the_declaration(self, sandbox, history):
        sandbox.add_jobs(make_job("a", status="PAUSING"))
        assert history() == [(0, "PAUSING")]
        assert sandbox.job("a")["history"][0][0] == pytest.approx(sandbox.now(), abs=10)

    def test_a_job_that_is_declared_anew_has_a_new_one(self, sandbox, history):
        sandbox.add_jobs(make_job("a", status="PAUSING"))
        sandbox.add_jobs(make_job("a"))
        assert history() == [(0, "CONFIGURATION")]

    def test_a_status_that_nobody_saw_is_in_it(self, sandbox, api, history):
        sandbox.set_policy(complete_seconds=500)
        sandbox.add_jobs(make_job("a", lag_seconds=100, start_seconds=1000, full_seconds=2000))
        sandbox.advance(600)
        api.start("a")
        sandbox.advance(9000)
        assert history() == [
            (0, "CONFIGURATION"),
            (7, "STARTJOBING"),
            (17, "FULL_TRANSFER_STARTED"),
            (37, "FULL_TRANSFER_COMPLETE"),
            (42, "INCRE_TRANSFER_STARTED"),
        ]

    def test_what_is_done_to_a_job_comes_after_what_was_due(self, sandbox, history):
        sandbox.add_jobs(make_job("a", status="STARTJOBING", start_seconds=100, full_seconds=1000))
        sandbox.advance(500)
        sandbox.set_status("a", "PAUSING")
        assert history() == [(0, "STARTJOBING"), (1, "FULL_TRANSFER_STARTED"), (5, "PAUSING")]

    def test_a_child_has_walked_on_before_it_is_stopped_with_its_parent(self, sandbox, api, history):
        sandbox.set_policy(stop_seconds=200)
        sandbox.add_jobs(
            make_job("parent", is_parent=True, multi_write=True, status="CHILD_TRANSFER_STARTING"),
            make_job("a", parent_id="parent", multi_write=True, status="STARTJOBING", start_seconds=100, full_seconds=1000),
        )
        sandbox.advance(500)
        api.call("batch-jobs", {"jobs": [{"job_id": "parent", "delete_type": "terminate"}]}, method="DELETE")
        sandbox.advance(500)
        assert history() == [
            (0, "STARTJOBING"),
            (1, "FULL_TRANSFER_STARTED"),
            (5, "RELEASE_RESOURCE_STARTED"),
            (7, "RELEASE_RESOURCE_COMPLETE"),
        ]

    def test_a_step_that_waits_for_looks_is_taken_when_somebody_looks(self, sandbox, api, history):
        sandbox.add_jobs(make_job("a", then=[{"status": "STARTJOBING", "looks": 1}]))
        for _ in range(2):
            sandbox.advance(100)
            api.status("a")
        assert history() == [(0, "CONFIGURATION"), (2, "STARTJOBING")]

    def test_only_the_last_hundred_are_kept(self, sandbox):
        steps = [{"status": f"STEP_{number}", "after": 1} for number in range(300)]
        sandbox.add_jobs(make_job("a", then=steps))
        sandbox.advance(301)
        assert [status for _, status in sandbox.job("a")["history"]] == [f"STEP_{number}" for number in range(200, 300)]


def test_the_environment_names_the_sandbox(sandbox):
    assert sandbox.environment["DRS_ENDPOINT"] == sandbox.url
    assert sandbox.environment["OS_AUTH_URL"] == f"{sandbox.url}/v3"
    assert sandbox.url.startswith("http://127.0.0.1:")


def test_the_public_names_are_all_there():
    for name in pulumi_drs_start.sandbox.__all__:
        assert hasattr(pulumi_drs_start.sandbox, name)
