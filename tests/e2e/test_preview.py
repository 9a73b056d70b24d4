"""preview: what up would do, in words and as a difference, and nothing started."""

from __future__ import annotations

import json

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import Stack, both_fronts

pytestmark = pytest.mark.engine


def test_preview_says_what_up_will_do_and_starts_nothing(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"), make_job("c", status="INCRE_TRANSFER_STARTED"))
    stack.starts("a", "b", "c")

    run = stack.preview()

    assert run.exit_code == 0, run.output
    assert "will start 2 jobs: a and b; 1 job is running" in run
    assert sandbox.calls("batch-starting") == []


@both_fronts
def test_a_job_found_unstarted_is_named_and_only_it_is_started(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(*[make_job(job_id) for job_id in ("a", "b", "c")])
    stack.starts("a", "b", "c")
    stack.up()
    sandbox.set_status("b", "CONFIGURATION")
    sandbox.clear_calls()

    preview = stack.preview("--expect-no-changes")
    run = stack.up()

    assert preview.exit_code != 0
    assert "will start 1 job: b; 2 jobs are running" in preview
    assert run.exit_code == 0, run.output
    assert [call["jobs"] for call in sandbox.calls("batch-starting")] == [["b"]]
    assert stack.preview("--expect-no-changes").exit_code == 0


def test_drift_is_a_structured_difference_without_a_refresh(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    stack.starts("a", "b")
    stack.up()
    sandbox.set_status("b", "CONFIGURATION")

    plan = json.loads(stack.preview("--json").output)

    step = next(step for step in plan["steps"] if step["urn"].endswith("::batch"))
    assert step["op"] == "update"
    assert step["newState"]["inputs"]["to_start"] == {"b": "CONFIGURATION"}


@both_fronts
def test_a_job_that_cannot_be_started_is_named_with_the_reason(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"), make_job("over", status="RELEASE_RESOURCE_COMPLETE"))
    stack.starts("a", "over", "nowhere")

    run = stack.preview()

    assert run.exit_code == 0, run.output
    assert "warning: can't start job over: it has ended" in run
    assert "warning: can't start job nowhere: it is not known to DRS" in run


@pytest.mark.parametrize(
    "jobs",
    [
        "[made.result]",
        "['a', made.result]",
        "[{'job_id': made.result}]",
        "[JobStartArgs(job_id=made.result)]",
        "made.result.apply(lambda r: [r])",
    ],
)
def test_job_ids_that_are_not_known_at_preview_are_fine(sandbox: Sandbox, stack: Stack, jobs: str) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    (stack.folder / "made.py").write_text(
        "from pulumi.dynamic import CreateResult, ResourceProvider\n"
        "class Maker(ResourceProvider):\n"
        "    def create(self, props):\n"
        "        return CreateResult('made', {'result': 'b'})\n"
    )
    stack.program(f"""
        from pulumi.dynamic import Resource
        from made import Maker

        class Made(Resource):
            result: pulumi.Output[str]

        made = Made(Maker(), "made", {{"result": None}})
        JobBatchStart("batch", jobs={jobs})
    """)

    preview = stack.preview()
    run = stack.up()

    assert preview.exit_code == 0, preview.output
    assert run.exit_code == 0, run.output
    assert sandbox.job("b")["starts"] == 1
    assert stack.preview("--expect-no-changes").exit_code == 0


def test_every_bad_input_is_refused_by_name_before_any_call(sandbox: Sandbox, stack: Stack) -> None:
    stack.program("""
        JobBatchStart("batch", jobs=["a", {"job_id": 5}, "b c", {"jobid": "d"}, "a"], wait_for="runing", timeout="soon",
                      resume="yes", on_destroy="delete", start_time="2026-12-01T02:00:00")
    """)

    run = stack.preview()

    assert run.exit_code != 0
    for path in (
        "jobs[1].job_id must be a job id, a string; got 5",
        'jobs[2] "b c" is not a job id (36 characters, as the DRS console shows it); to use a name: find_jobs(name="b c")',
        "jobs[3].jobid is not a field of a job; did you mean job_id?",
        "jobs[3].job_id is missing",
        'jobs[4] "a" is the same job as jobs[0]',
        'wait_for must be "running", "accepted" or "synced"; got "runing"; did you mean "running"?',
        'timeout must be a duration such as "90s", "30m" or "2h", more than zero; got "soon"',
        'resume must be True or False; got "yes"',
        'on_destroy must be "leave", "pause" or "stop"; got "delete"',
        'start_time "2026-12-01T02:00:00" has no time zone',
    ):
        assert path in run, run.output
    assert sandbox.calls() == []


def test_times_may_be_datetimes_wherever_they_are(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(*(make_job(job_id) for job_id in "abcd"))
    stack.program("""
        from datetime import datetime, timedelta, timezone

        hour = lambda hour: datetime(2099, 12, 1, hour, tzinfo=timezone(timedelta(hours=1)))
        later = pulumi.Output.from_input
        JobBatchStart("batch", start_time=hour(2), jobs=later([
            "a",
            JobStartArgs(job_id="b", start_time=hour(3)),
            {"job_id": "c", "start_time": later(hour(4))},
            later("d").apply(lambda job_id: JobStartArgs(job_id=job_id, start_time=hour(5))),
        ]))
    """)

    run = stack.up()

    assert run.exit_code == 0, run.output
    assert [sandbox.job(job_id)["start_time"] for job_id in "abcd"] == [str(4099770000000 + 3600000 * n) for n in range(4)]
    assert stack.rests()


def test_a_datetime_without_a_zone_is_refused_as_a_text_is(stack: Stack) -> None:
    stack.program("""
        from datetime import date, datetime

        naive = datetime(2099, 12, 1, 2)
        jobs = ["a", JobStartArgs(job_id="b", start_time=pulumi.Output.from_input(naive))]
        JobBatchStart("batch", jobs=jobs, start_time=date(2099, 12, 1))
    """)

    preview = stack.preview()

    assert preview.exit_code != 0
    assert "Traceback" not in preview
    assert 'start_time "2099-12-01" has no time zone' in preview
    assert 'jobs[1].start_time "2099-12-01T02:00:00" has no time zone, or is incomplete: write it in full' in preview


def test_missing_configuration_is_named_at_preview(stack: Stack) -> None:
    stack.starts("a")

    run = stack.preview(OS_PASSWORD="", OS_PROJECT_ID="")

    assert run.exit_code != 0
    assert "drs:password" in run
    assert "OS_PASSWORD" in run
    assert "OS_PROJECT_ID" in run
    assert "OS_CLOUD" in run
    assert "Traceback" not in run


@both_fronts
def test_a_wrong_password_is_one_readable_paragraph(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"))
    stack.starts("a")

    run = stack.preview(OS_PASSWORD="not-the-password")

    assert run.exit_code != 0
    assert "OS_PASSWORD" in run
    assert "Traceback" not in run
    assert "not-the-password" not in run
