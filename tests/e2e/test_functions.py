"""find_jobs, get_job_statuses and require_synced in programs that the real pulumi command runs."""

from __future__ import annotations

import pytest

from pulumi_drs_start.sandbox import Sandbox, faults, make_job

from .conftest import Stack

pytestmark = pytest.mark.engine

# A resource whose output is not known before it is made.
MAKER = """\
from pulumi.dynamic import CreateResult, Resource, ResourceProvider
from pulumi import Output

class Maker(ResourceProvider):
    def create(self, props):
        return CreateResult("made", {"result": "b"})

class Made(Resource):
    result: Output[str]
"""


def test_found_jobs_are_started_and_exported_as_a_plain_list(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("b", name="crm-1"), make_job("a", name="crm-2"), make_job("c", name="shop"))
    stack.program("""
        found = find_jobs(name="crm-*")
        batch = JobBatchStart("batch", jobs=found)
        pulumi.export("found", found)
        pulumi.export("query", found.query)
        pulumi.export("names", found.names)
        pulumi.export("summary", batch.summary)
    """)

    preview = stack.preview()
    run = stack.up()

    assert preview.exit_code == 0, preview.output
    assert "will start 2 jobs: crm-2 (a) and crm-1 (b)" in preview
    assert run.exit_code == 0, run.output
    assert stack.outputs() == {
        "found": ["b", "a"],
        "query": 'find_jobs(name="crm-*")',
        "names": {"a": "crm-2", "b": "crm-1"},
        "summary": {"running": 2, "total": 2},
    }
    assert {job_id: job["starts"] for job_id, job in sandbox.jobs().items()} == {"a": 1, "b": 1, "c": 0}
    assert stack.preview("--expect-no-changes").exit_code == 0


def test_what_hangs_on_another_resource_is_unknown_at_preview_and_asked_by_up(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a", name="x"), make_job("b", name="b", status="PAUSING"))
    (stack.folder / "made.py").write_text(MAKER)
    stack.program("""
        from made import Made, Maker

        made = Made(Maker(), "made", {"result": None})
        pulumi.export("statuses", get_job_statuses_output(["a", made.result]))
        pulumi.export("found", find_jobs_output(name=made.result))
    """)

    preview = stack.preview()
    asked_at_preview = sandbox.calls()
    run = stack.up()

    assert preview.exit_code == 0, preview.output
    assert asked_at_preview == []
    assert run.exit_code == 0, run.output
    outputs = stack.outputs()
    assert {job_id: row["phase"] for job_id, row in outputs["statuses"].items()} == {"a": "startable", "b": "paused"}
    assert {job_id: row.get("name") for job_id, row in outputs["statuses"].items()} == {"a": "x", "b": "b"}
    assert outputs["found"] == ["b"]


def test_a_secret_password_of_the_stack_is_used_and_never_shown(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(make_job("a"))
    assert stack.run("config", "set", "--secret", "drs:password", sandbox.password).exit_code == 0
    stack.program("""
        from pulumi_drs_start.operations.connections import process_connections

        pulumi.export("found", find_jobs())
        pulumi.export("statuses", get_job_statuses(["a"]))
        pulumi.export("later", find_jobs_output(status="CONFIGURATION"))
        print(process_connections().__dict__, find_jobs(name="nobody").query)
    """)

    preview = stack.preview("--diff", OS_PASSWORD="")
    run = stack.up("--show-config", "--debug", OS_PASSWORD="")

    for shown in (preview, run, stack.run("stack", "export")):
        assert shown.exit_code == 0, shown.output
        assert sandbox.password not in shown
    # Reading it is what it was given for: nothing to warn of.
    assert "is a secret" not in preview
    assert stack.outputs()["found"] == ["a"]
    assert stack.outputs()["later"] == ["a"]


@pytest.mark.parametrize(
    "function", ["find_jobs()", "find_jobs_output()", "get_job_statuses(['a'])", "get_job_statuses_output(['a'])"]
)
def test_a_wrong_password_ends_the_program_with_words(stack: Stack, function: str) -> None:
    assert stack.run("config", "set", "--secret", "drs:password", "not-the-password").exit_code == 0
    stack.program(f"pulumi.export('result', {function})")

    run = stack.preview()

    assert run.exit_code != 0
    assert "drs:password" in run
    assert "Traceback" not in run
    assert "not-the-password" not in run


def test_missing_configuration_ends_the_program_with_words(stack: Stack) -> None:
    stack.program("find_jobs()")

    run = stack.preview(OS_PASSWORD="", OS_PROJECT_ID="")

    assert run.exit_code != 0
    assert "set drs:password (pulumi config set --secret drs:password), or OS_PASSWORD" in run
    assert "OS_PROJECT_ID" in run
    assert "Traceback" not in run


@pytest.mark.parametrize("function", ["find_jobs", "find_jobs_output"])
def test_nothing_found_is_a_warning_of_the_command(sandbox: Sandbox, stack: Stack, function: str) -> None:
    sandbox.add_jobs(make_job("a", name="shop"), make_job("b", name="billing"))
    stack.program(f"pulumi.export('found', {function}(name='crm-*', status='CONFIGURATION'))")

    run = stack.up()

    assert run.exit_code == 0, run.output
    assert 'warning: find_jobs(name="crm-*", status="CONFIGURATION") found no job: none of the 2 jobs matches' in run
    assert stack.outputs() == {"found": []}


@pytest.mark.parametrize("function", ["find_jobs", "find_jobs_output"])
def test_a_stack_whose_jobs_were_found_and_started_is_quiet(sandbox: Sandbox, stack: Stack, function: str) -> None:
    sandbox.add_jobs(make_job("a", name="crm-1"), make_job("b", name="crm-2"), make_job("c", name="shop"))
    stack.program(f"JobBatchStart('batch', jobs={function}(name='crm-*', status='CONFIGURATION'))")
    assert stack.up().exit_code == 0

    for run in (stack.up(), stack.preview()):
        assert run.exit_code == 0, run.output
        # A passing remark, of which the end of the output knows nothing.
        assert "found no job: 2 of 3 jobs match, but have another status (2 FULL_TRANSFER_STARTED)" in run
        assert "warning" not in run
        assert "Diagnostics" not in run
        assert "2 unchanged" in run


def test_asking_later_holds_up_nobody_else(sandbox: Sandbox, stack: Stack) -> None:
    """The resource is made while a question that it does not need is still open."""
    sandbox.add_jobs(make_job("a"))
    sandbox.inject(faults.delay("jobs", 5))
    stack.program("""
        pulumi.export("found", find_jobs_output())
        JobBatchStart("batch", jobs=["a"])
    """)

    run = stack.up()

    assert run.exit_code == 0, run.output
    (started,) = sandbox.calls("batch-starting")
    assert started["time"] < sandbox.calls("jobs")[0]["time"] + 5


@pytest.mark.parametrize("function", ["require_synced", "require_synced_output"])
def test_a_gate_that_is_closed_ends_preview_and_up_before_what_hangs_on_it(sandbox: Sandbox, stack: Stack, function: str) -> None:
    sandbox.add_jobs(
        make_job("a", name="crm-orders", status="INCRE_TRANSFER_STARTED", delay={"seconds": 340}),
        make_job("b", name="crm-stock", status="INCRE_TRANSFER_STARTED", delay={"seconds": 0}),
        make_job("c"),
    )
    stack.program(f"""
        gate = pulumi.Output.from_input({function}(["a", "b"]))
        JobBatchStart("batch", jobs=gate.apply(lambda _: ["c"]))
        pulumi.export("delays", gate.apply(lambda rows: {{job_id: row["delay_seconds"] for job_id, row in rows.items()}}))
    """)

    for run in (stack.preview(), stack.up()):
        assert run.exit_code != 0
        assert "1 of 2 jobs is not synced (max_delay is 10s). crm-orders (a) is 340 s behind. Nothing was changed." in run
        assert "Traceback" not in run
    assert sandbox.job("c")["starts"] == 0

    sandbox.set_delay("a", seconds=0)
    opened = stack.up()

    assert opened.exit_code == 0, opened.output
    assert stack.outputs() == {"delays": {"a": 0, "b": 0}}
    assert sandbox.job("c")["starts"] == 1
    assert stack.rests()
