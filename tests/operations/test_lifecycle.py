"""The life of a resource over real HTTP, without an engine: check, diff, apply, refresh, retire."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pulumi_drs_start.drs.errors import AuthenticationError, CancelledError, ServiceRefusedError
from pulumi_drs_start.operations.connections import ElsewhereError
from pulumi_drs_start.operations.lifecycle import Checked, expected_error
from pulumi_drs_start.reconcile.declared import Place
from pulumi_drs_start.sandbox import Sandbox, faults, make_job, make_job_id
from pulumi_drs_start.schema.messages import Messages
from pulumi_drs_start.schema.state import StateError
from pulumi_drs_start.settings import SettingsError

from .conftest import UNKNOWN, NewCommand, Resource, actions, calls

# Pause demands ids like DRS's own.
A, B = sorted((make_job_id("a"), make_job_id("b")))
START, READ, PAUSE, STOP = "batch-starting", "batch-status", "batch-pause-task", "batch-jobs"
JOBS = {"jobs": [A, B]}


@pytest.fixture
def running(sandbox: Sandbox, resource: Resource) -> Resource:
    """A resource whose two jobs were started. What comes next is counted from here."""
    sandbox.add_jobs(make_job(A), make_job(B))
    assert resource.up(JOBS).failures == ()
    sandbox.clear_calls()
    return resource


# -- check ---------------------------------------------------------------------------------------------------------


def test_check_of_a_new_resource_reads_once_and_tells_what_up_will_do(sandbox: Sandbox, resource: Resource) -> None:
    sandbox.add_jobs(make_job(A), make_job(B, status="INCRE_TRANSFER_STARTED"))

    checked = resource.check(JOBS)

    assert checked.place == Place(sandbox.url, sandbox.project_id)
    assert checked.plan.to_start == (A,)
    assert resource.operation.infos == [f"will start 1 job: {A}; 1 job is running"]
    assert calls(sandbox).count(READ) == 1
    assert actions(sandbox) == []


def test_check_of_a_resource_that_exists_says_nothing_because_diff_will(running: Resource) -> None:
    running.check(JOBS)

    assert (running.operation.infos, running.operation.warnings) == ([], [])


def test_check_announces_a_stop_at_deletion_in_capitals(sandbox: Sandbox, resource: Resource) -> None:
    sandbox.add_jobs(make_job(A))

    resource.check({"jobs": [A], "on_destroy": "stop"})

    (warning,) = resource.operation.warnings
    assert "will STOP 1 job FOR GOOD" in warning


def test_check_reads_the_jobs_that_are_known_already(sandbox: Sandbox, resource: Resource) -> None:
    sandbox.add_jobs(make_job(A))

    checked = resource.check({"jobs": [A, UNKNOWN]})

    assert checked.plan.to_start == (A,)
    (told,) = resource.operation.infos
    assert told.startswith(f"will start 1 job: {A}; 1 job is not known yet")


@pytest.mark.parametrize("inputs", [{"jobs": UNKNOWN}, {"jobs": [A], "project_id": UNKNOWN}], ids=["jobs", "place"])
def test_check_calls_nobody_while_jobs_or_their_place_are_not_known(
    sandbox: Sandbox, resource: Resource, inputs: dict[str, Any]
) -> None:
    assert resource.check(inputs) == Checked()

    assert len(resource.operation.infos) == 1
    assert sandbox.calls() == []


def test_check_reports_settings_that_are_missing_without_a_call(sandbox: Sandbox, new_command: NewCommand) -> None:
    with pytest.raises(SettingsError):
        Resource(new_command({"DRS_ENDPOINT": sandbox.url})).check(JOBS)

    assert sandbox.calls() == []


def test_check_fails_with_the_words_for_a_refused_login(sandbox: Sandbox, new_command: NewCommand) -> None:
    with pytest.raises(AuthenticationError) as refused:
        Resource(new_command(OS_PASSWORD="not-it")).check(JOBS)

    told = expected_error(refused.value, Messages())
    assert told is not None
    assert "not-it" not in told
    assert calls(sandbox) == []


def test_a_cancelled_check_sends_nothing(sandbox: Sandbox, resource: Resource) -> None:
    sandbox.add_jobs(make_job(A))

    with pytest.raises(CancelledError):
        resource.check(JOBS, is_wanted=lambda: False)

    assert calls(sandbox) == []


# -- diff ----------------------------------------------------------------------------------------------------------


def test_a_preview_at_rest_is_one_call_and_no_change(sandbox: Sandbox, running: Resource) -> None:
    difference = running.preview(JOBS)

    assert (difference.changes, difference.replaces) == (False, ())
    assert (running.operation.infos, running.operation.warnings) == ([], [])
    assert calls(sandbox) == [READ]


def test_the_order_and_the_spelling_of_inputs_is_no_change(running: Resource) -> None:
    assert not running.preview({"jobs": [{"job_id": B}, A], "timeout": "1h"}).changes


def test_a_job_found_unstarted_is_a_change(sandbox: Sandbox, running: Resource) -> None:
    sandbox.set_status(B, "CONFIGURATION")

    assert running.preview(JOBS).changes
    assert running.operation.infos == [f"will start 1 job: {B}; 1 job is running"]


def test_a_job_that_somebody_paused_is_told_at_each_preview_and_no_change(sandbox: Sandbox, running: Resource) -> None:
    sandbox.set_status(B, "PAUSING")

    for _ in range(2):
        assert not running.preview(JOBS).changes
        (warning,) = running.operation.warnings
        assert warning.startswith(f"job {B} is paused and stays paused. To resume it: resume=True")


@pytest.mark.parametrize("changed", [{"timeout": "5m"}, {"on_failure": "record"}, {"start_time": UNKNOWN}])
def test_another_input_is_a_change_though_nothing_is_to_be_done(running: Resource, changed: dict[str, Any]) -> None:
    assert running.preview({**JOBS, **changed}).changes


def test_a_job_taken_off_the_list_is_said_to_be_left(sandbox: Sandbox, running: Resource) -> None:
    assert running.preview({"jobs": [A]}).changes
    (told,) = running.operation.infos
    assert told.endswith(f"stops managing job {B}, which is left as it is")

    running.up({"jobs": [A]})

    assert actions(sandbox) == []


def test_another_project_replaces_the_resource_without_a_call_for_its_jobs(sandbox: Sandbox, running: Resource) -> None:
    other = {**JOBS, "project_id": sandbox.account.other_project_id}
    place = running.check(other).place
    sandbox.clear_calls()

    difference = running.lifecycle.diff(running.call(), running.parse(other).declared, running.recorded, place)

    assert (difference.changes, difference.replaces) == (True, ("project_id",))
    assert calls(sandbox) == []


@pytest.mark.parametrize("names", [("endpoint",), ("project_id",), ("endpoint", "project_id")])
def test_a_place_that_changed_without_an_input_is_named_as_the_input_it_would_be(
    running: Resource, names: tuple[str, ...]
) -> None:
    place = replace(running.recorded.place or Place("", ""), **dict.fromkeys(names, "elsewhere"))

    difference = running.lifecycle.diff(running.call(), running.parse(JOBS).declared, running.recorded, place)

    assert (difference.changes, difference.replaces) == (True, names)


def test_another_name_of_the_same_project_is_a_change_and_no_replacement(running: Resource, sandbox: Sandbox) -> None:
    difference = running.preview({**JOBS, "project_id": sandbox.project_id})

    assert (difference.changes, difference.replaces) == (True, ())


def test_a_place_that_is_not_known_yet_may_replace_a_resource_that_stops_its_jobs(sandbox: Sandbox, running: Resource) -> None:
    running.up({**JOBS, "on_destroy": "stop"})
    sandbox.clear_calls()

    difference = running.preview({**JOBS, "on_destroy": "stop", "project_id": UNKNOWN})

    assert (difference.changes, difference.replaces) == (True, ())
    (warning,) = running.operation.warnings
    assert "STOP 2 jobs FOR GOOD" in warning
    assert sandbox.calls() == []


@pytest.mark.parametrize(("on_failure", "changes"), [("fail", True), ("record", False)])
def test_a_job_beyond_help_is_tried_again_only_where_it_fails_the_command(
    sandbox: Sandbox, resource: Resource, on_failure: str, changes: bool
) -> None:
    sandbox.add_jobs(make_job(A), make_job(B, status="CREATE_FAILED"))
    inputs = {**JOBS, "on_failure": on_failure}
    resource.up(inputs)

    assert resource.preview(inputs).changes is changes
    assert any(warning.startswith(f"can't start job {B}: it could not be created") for warning in resource.operation.warnings)


# -- names and problems ----------------------------------------------------------------------------------------------


def test_a_new_resource_asks_once_for_the_names_of_its_jobs_and_says_them(sandbox: Sandbox, resource: Resource) -> None:
    sandbox.add_jobs(make_job(A, name="shop"), make_job(B, name="crm", status="INCRE_TRANSFER_STARTED"))

    resource.up(JOBS)

    assert {job_id: row["name"] for job_id, row in resource.state["job_statuses"].items()} == {A: "shop", B: "crm"}
    assert calls(sandbox).count("batch-detail") == 1
    assert resource.check({"jobs": [A]}).actual[A].name == "shop"


def test_at_rest_names_cost_no_call_and_are_known_all_the_same(sandbox: Sandbox, new_command: NewCommand) -> None:
    sandbox.add_jobs(make_job(A, name="shop"), make_job(B))
    before = Resource(new_command())
    before.up(JOBS)
    later = Resource(new_command(), state=before.state)
    sandbox.set_status(A, "PAUSING")
    sandbox.clear_calls()

    later.preview(JOBS)
    later.refresh()

    assert calls(sandbox) == [READ, READ]
    (warning,) = later.operation.warnings
    assert warning.startswith(f"job shop ({A[:8]}…) is paused")
    assert later.state["job_statuses"][A]["name"] == "shop"


def test_a_job_that_comes_onto_the_list_is_asked_for_its_name(sandbox: Sandbox, running: Resource) -> None:
    added = make_job_id("c")
    sandbox.add_jobs(make_job(added, name="added", status="INCRE_TRANSFER_STARTED"))

    running.up({"jobs": [A, B, added]})

    assert [call["jobs"] for call in sandbox.calls() if call["operation"] == "batch-detail"] == [[added]]
    assert running.state["job_statuses"][added]["name"] == "added"


def test_names_that_can_not_be_read_keep_nothing_from_being_started(sandbox: Sandbox, resource: Resource) -> None:
    sandbox.add_jobs(make_job(A, name="shop", status="INCRE_TRANSFER_STARTED"))
    sandbox.inject(faults.refuse("batch-detail", "DRS.M00103", times=None))

    assert resource.up({"jobs": [A]}).failures == ()

    assert resource.state["job_statuses"][A]["name"] is None


def test_problems_are_just_the_jobs_that_are_not_what_was_declared(sandbox: Sandbox, resource: Resource) -> None:
    gone = make_job_id("gone")
    sandbox.add_jobs(make_job(A, name="shop", status="PAUSING"), make_job(B))

    resource.up({"jobs": [A, B, gone], "on_failure": "record"})

    assert resource.state["problems"] == {
        A: {
            "name": "shop",
            "status": "PAUSING",
            "error_code": None,
            "error_message": "it is paused and stays paused",
            "advice": "to resume it: resume=True, or the DRS console",
        },
        gone: {
            "name": None,
            "status": "MISSING",
            "error_code": "DRS.M05003",
            "error_message": "The task does not exist.",
            "advice": "check its id, the region and the project, or take it off the list",
        },
    }


def test_without_problems_there_are_none(running: Resource) -> None:
    assert running.state["problems"] == {}


def test_a_name_given_as_an_id_is_answered_with_the_function_that_finds_it(resource: Resource) -> None:
    (failure,) = resource.up({"jobs": ["crm-orders"]}).failures

    assert '"crm-orders" is not a job id (36 characters); to use a name: find_jobs(name="crm-orders")' in failure


# -- apply ---------------------------------------------------------------------------------------------------------


def test_up_starts_all_jobs_in_one_call_and_tells_so(sandbox: Sandbox, resource: Resource) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))

    applied = resource.up(JOBS)

    assert applied.failures == ()
    assert resource.state["ready"] is True
    assert actions(sandbox) == [(START, [A, B])]
    assert resource.operation.infos == ["2 jobs: started 2"]
    assert "running 2/2" in resource.operation.waits


def test_a_second_up_reads_once_and_sends_nothing(sandbox: Sandbox, running: Resource) -> None:
    """The first poll of the operation is what check has read."""
    running.up(JOBS)

    assert calls(sandbox) == [READ]
    assert running.outcomes() == {A: "unchanged", B: "unchanged"}


def test_a_refused_job_fails_by_name_after_the_others_were_started(sandbox: Sandbox, resource: Resource) -> None:
    sandbox.add_jobs(make_job(A), make_job(B, refuse_start="DRS.M05003"))

    (failure,) = resource.up(JOBS).failures

    assert failure.startswith(f"job {B} could not be started: DRS.M05003")
    assert resource.outcomes() == {A: "started", B: "failed"}
    assert sandbox.job(A)["starts"] == 1


def test_a_recorded_failure_is_a_warning_and_not_ready(sandbox: Sandbox, resource: Resource) -> None:
    sandbox.add_jobs(make_job(A), make_job(B, refuse_start="DRS.M05003"))

    applied = resource.up({**JOBS, "on_failure": "record"})

    assert applied.failures == ()
    assert resource.state["ready"] is False
    assert any(f"job {B} could not be started" in warning for warning in resource.operation.warnings)


def test_the_engines_time_limit_counts_more_than_the_declared_one(sandbox: Sandbox, resource: Resource) -> None:
    sandbox.add_jobs(make_job(A, stuck=True))

    (failure,) = resource.up({"jobs": [A], "timeout": "2h"}, timeout_seconds=0.5).failures

    assert "Nothing is lost" in failure
    assert resource.outcomes() == {A: "started"}
    assert resource.preview({"jobs": [A], "timeout": "2h"}).changes
    assert sandbox.job(A)["start_requests"] == 1


def test_what_arrives_after_an_up_has_ended_is_recorded_by_the_next_one(sandbox: Sandbox, resource: Resource) -> None:
    inputs = {"jobs": [A], "on_failure": "record"}
    sandbox.add_jobs(make_job(A, stuck=True))
    resource.up(inputs, timeout_seconds=0.5)
    assert resource.state["ready"] is False

    sandbox.set_status(A, "FULL_TRANSFER_STARTED")
    assert resource.preview(inputs).jobs == (A,)
    resource.up(inputs)

    assert (resource.state["ready"], resource.state["problems"]) == (True, {})
    assert not resource.preview(inputs).changes
    assert sandbox.job(A)["start_requests"] == 1


@pytest.mark.parametrize(("status", "is_ready"), [("STARTJOBING", False), ("FULL_TRANSFER_STARTED", True), ("PAUSING", False)])
def test_what_becomes_of_a_recorded_failure_is_recorded_by_the_next_up(
    sandbox: Sandbox, resource: Resource, status: str, is_ready: bool
) -> None:
    inputs = {"jobs": [A], "on_failure": "record"}
    sandbox.add_jobs(make_job(A, stuck=True))
    assert resource.up(inputs, is_wanted=lambda: not sandbox.calls(READ)).failures == ()
    assert resource.outcomes() == {A: "failed"}

    sandbox.set_status(A, status)
    assert resource.preview(inputs).jobs == (A,)
    resource.up(inputs, timeout_seconds=0.5)

    assert resource.state["ready"] is is_ready
    assert resource.outcomes() != {A: "failed"}
    assert resource.preview(inputs).changes is (status == "STARTJOBING")
    assert actions(sandbox) == []


def test_a_cancelled_up_keeps_what_was_accepted_and_the_next_one_does_not_start_it_again(
    sandbox: Sandbox, resource: Resource
) -> None:
    sandbox.add_jobs(make_job(A, lag_seconds=3600))

    (failure,) = resource.up({"jobs": [A]}, is_wanted=lambda: not actions(sandbox)).failures
    assert "when the operation was cancelled" in failure
    assert resource.outcomes() == {A: "started"}

    resource.up({"jobs": [A]}, timeout_seconds=0.5)
    assert sandbox.job(A)["start_requests"] == 1


def test_a_defect_fails_the_command_even_where_failures_are_recorded(sandbox: Sandbox, resource: Resource) -> None:
    sandbox.add_jobs(make_job(A))
    inputs = {"jobs": [A], "on_failure": "record"}
    place = resource.check(inputs).place
    operation = resource.call()

    def break_down(message: str) -> None:
        # The first words come before anything is sent: an error there is none of a job.
        if actions(sandbox):
            raise RuntimeError(message)

    operation.progress = break_down  # type: ignore[method-assign]

    applied = resource.lifecycle.apply(operation, resource.parse(inputs).declared, resource.recorded, place)

    assert any("an unexpected error ended the operation" in failure for failure in applied.failures)


def test_where_nothing_can_be_read_nothing_is_sent(sandbox: Sandbox, resource: Resource, new_command: NewCommand) -> None:
    sandbox.add_jobs(make_job(A))
    inputs = {"jobs": [A]}
    place = resource.check(inputs).place
    resource.lifecycle = new_command()
    sandbox.inject(faults.refuse(READ, "DRS.M00103", times=None))

    with pytest.raises(ServiceRefusedError):
        resource.lifecycle.apply(resource.call(), resource.parse(inputs).declared, resource.recorded, place)

    assert actions(sandbox) == []


# -- refresh -------------------------------------------------------------------------------------------------------


def test_a_refresh_reads_once_and_starts_nothing(sandbox: Sandbox, running: Resource) -> None:
    sandbox.set_status(B, "CONFIGURATION")

    assert running.refresh().failures == ()

    assert calls(sandbox).count(READ) == 1
    assert actions(sandbox) == []
    assert running.state["job_statuses"][B]["phase"] == "startable"
    assert running.state["ready"] is False


def test_a_refresh_that_finds_a_job_lost_fails_by_name_and_up_says_the_same(sandbox: Sandbox, running: Resource) -> None:
    sandbox.set_status(B, "START_JOB_FAILED")

    (failure,) = running.refresh().failures

    assert failure.startswith(f"job {B} could not be started")
    assert running.up(JOBS).failures != ()


def test_a_refresh_does_not_take_a_refused_pause_for_done(sandbox: Sandbox, running: Resource) -> None:
    sandbox.inject(faults.refuse_row(PAUSE, "DRS.M00103", job_id=B, times=None))
    inputs = {"jobs": [A, {"job_id": B, "desired_state": "paused"}]}
    assert running.up(inputs).failures != ()

    (failure,) = running.refresh().failures

    assert failure.startswith(f"job {B} could not be paused: DRS.M00103")
    assert running.state["ready"] is False


def test_a_cancelled_refresh_changes_nothing(sandbox: Sandbox, running: Resource) -> None:
    before = running.state

    with pytest.raises(CancelledError):
        running.refresh(is_wanted=lambda: False)

    assert running.state is before
    assert calls(sandbox) == []


# -- another shell -------------------------------------------------------------------------------------------------


def test_a_shell_for_another_project_acts_where_the_jobs_are_and_says_so(
    sandbox: Sandbox, new_command: NewCommand, running: Resource
) -> None:
    other = sandbox.account.other_project_id
    running.lifecycle = new_command(OS_PROJECT_ID=other)

    running.refresh()

    assert {call["project_id"] for call in sandbox.calls(READ)} == {sandbox.project_id}
    (warning,) = running.operation.warnings
    assert sandbox.project_id in warning
    assert other in warning


def test_a_login_that_does_not_help_there_fails_with_both_places(sandbox: Sandbox, running: Resource) -> None:
    running.state["__place"]["project_id"] = "another-cloud-s-project"

    with pytest.raises(ElsewhereError) as failed:
        running.refresh()

    told = expected_error(failed.value, Messages()) or ""
    assert "another-cloud-s-project" in told
    assert sandbox.project_id in told


# -- retire --------------------------------------------------------------------------------------------------------


def test_jobs_are_left_without_a_login(sandbox: Sandbox, new_command: NewCommand, running: Resource) -> None:
    running.lifecycle = new_command({})

    assert running.delete() == ()

    assert running.operation.infos == ["2 jobs left as they are"]
    assert sandbox.calls() == []


@pytest.mark.parametrize(("on_destroy", "call", "said"), [("pause", PAUSE, "paused 2"), ("stop", STOP, "stopped 2")])
def test_jobs_are_paused_or_stopped_where_that_was_declared_and_seen_so(
    sandbox: Sandbox, running: Resource, new_command: NewCommand, on_destroy: str, call: str, said: str
) -> None:
    running.up({**JOBS, "on_destroy": on_destroy, "wait_for": "accepted"})
    running.lifecycle = new_command()

    assert running.delete() == ()

    assert actions(sandbox) == [(call, [A, B])]
    assert running.operation.infos == [f"2 jobs: {said}"]


def test_a_refused_stop_keeps_the_resource_with_the_job_s_name_and_a_way_out(
    sandbox: Sandbox, running: Resource, new_command: NewCommand
) -> None:
    running.up({**JOBS, "on_destroy": "stop"})
    sandbox.inject(faults.refuse_row(STOP, "DRS.M00307", job_id=B, times=None))
    running.lifecycle = new_command()

    failure, way_out = running.delete()

    assert failure.startswith(f"job {B} could not be stopped: DRS.M00307")
    assert 'on_destroy="leave"' in way_out
    assert sandbox.job(A)["stops"] == 1


def test_a_stop_that_is_not_seen_in_time_keeps_the_resource(sandbox: Sandbox, running: Resource, new_command: NewCommand) -> None:
    """Also where an up would have returned sooner: done means seen."""
    sandbox.set_policy(stop_seconds=3600)
    running.up({**JOBS, "on_destroy": "stop", "wait_for": "accepted"})
    running.lifecycle = new_command()

    failures = running.delete(timeout_seconds=0.5)

    assert failures[0].startswith("2 jobs accepted by DRS were not over yet after 0.5s (timeout). 2 in RELEASE_RESOURCE_STARTED")


def test_a_job_that_another_resource_declares_is_left_to_it(sandbox: Sandbox, running: Resource, new_command: NewCommand) -> None:
    running.up({**JOBS, "on_destroy": "stop"})
    running.lifecycle = new_command()
    Resource(running.lifecycle, "renamed").up({"jobs": [B]})
    sandbox.clear_calls()

    assert running.delete() == ()

    assert actions(sandbox) == [(STOP, [A])]
    (warning,) = running.operation.warnings
    assert warning == f"job {B} is declared by another resource of the program, and left to it"


@pytest.mark.parametrize("inputs", [{"jobs": [UNKNOWN]}, {"jobs": [A], "project_id": UNKNOWN}], ids=["jobs", "place"])
def test_nothing_is_stopped_while_another_resource_may_declare_it(
    sandbox: Sandbox, running: Resource, new_command: NewCommand, inputs: dict[str, Any]
) -> None:
    running.up({**JOBS, "on_destroy": "stop"})
    running.lifecycle = new_command()
    Resource(running.lifecycle, "new").check(inputs)

    assert running.delete() == ()

    assert actions(sandbox) == []
    assert "left as they are" in "".join(running.operation.warnings)


def test_where_the_host_tells_no_names_nothing_is_stopped_and_that_is_said(sandbox: Sandbox, new_command: NewCommand) -> None:
    sandbox.add_jobs(make_job(A), make_job(B))
    gone = Resource(new_command(), "")
    gone.up({"jobs": [A], "on_destroy": "stop"})
    Resource(gone.lifecycle, "").up({"jobs": [B]})
    sandbox.clear_calls()

    assert gone.delete() == ()

    assert actions(sandbox) == []
    assert "left as it is" in "".join(gone.operation.warnings)


def test_a_resource_that_is_made_anew_at_its_place_stops_nothing(sandbox: Sandbox, running: Resource) -> None:
    """What its new list lacks was taken off, and that stops nothing."""
    running.up({**JOBS, "on_destroy": "stop"})
    old = Resource(running.lifecycle, state=running.state)
    running.up({"jobs": [A], "on_destroy": "stop"})

    assert old.delete() == ()

    assert actions(sandbox) == []


def test_a_resource_deleted_before_its_replacement_is_made_stops_nothing(sandbox: Sandbox, running: Resource) -> None:
    running.up({**JOBS, "on_destroy": "stop"})
    assert running.preview({**JOBS, "on_destroy": "stop", "project_id": sandbox.account.other_project_id}).replaces

    assert running.delete() == ()

    assert actions(sandbox) == []
    assert "deleted before its replacement is created" in "".join(running.operation.warnings)


def test_a_state_that_does_not_say_where_its_jobs_are_stops_nothing(
    sandbox: Sandbox, running: Resource, new_command: NewCommand
) -> None:
    running.up({**JOBS, "on_destroy": "stop"})
    running.lifecycle = new_command()
    del running.state["__place"]
    sandbox.clear_calls()

    assert running.delete() == ()

    assert sandbox.calls() == []
    assert "the state does not say where the jobs are" in "".join(running.operation.warnings)


# -- errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [StateError("the state"), SettingsError(["a setting"]), ElsewhereError("both places")])
def test_an_expected_error_is_told_in_its_own_words(error: Exception) -> None:
    assert expected_error(error, Messages()) == str(error)


def test_a_defect_keeps_its_traceback() -> None:
    assert expected_error(KeyError("x"), Messages()) is None
