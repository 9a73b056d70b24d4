"""The README's preview, a resource for each kind of planned action, is what the real pulumi prints."""

from __future__ import annotations

import re

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import ROOT, Stack

pytestmark = pytest.mark.engine

BEFORE = """
JobBatchStart("moved", jobs=["archive"], start_time="2099-12-01T02:00:00+01:00")
JobBatchStart("resting", jobs=["wiki", "forum"])
JobBatchStart("retired", jobs=["test", "trial"])
JobBatchStart("shrunk", jobs=["news", "blog"])
"""
DUAL_ACTIVE = {"db_use_type": "cloudDataGuard", "multi_write": True, "task_type": "INCR_TRANS"}


def blocks(language: str) -> list[str]:
    """The README's code blocks, in the section that shows a preview."""
    section = (ROOT / "README.md").read_text().split("## What a preview says", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def told(text: str) -> dict[str, set[str]]:
    """The lines about each resource: neither their order nor that of the resources is fixed."""
    diagnostics = text.split("Diagnostics:", 1)[1].split("\nResources:", 1)[0]
    parts = re.split(r"^  pulumi-python:dynamic/drs:JobBatchStart \(([\w-]+)\):\n", diagnostics, flags=re.MULTILINE)[1:]
    lines = [{line.strip() for line in part.splitlines()} - {""} for part in parts[1::2]]
    return dict(zip(parts[::2], lines, strict=True))


def test_the_readme_shows_what_preview_prints(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(*map(make_job, ("archive", "wiki", "forum", "test", "trial", "news", "blog")))
    stack.program(BEFORE)
    up = stack.up()
    assert up.exit_code == 0, up.output
    sandbox.add_jobs(
        *map(make_job, ("orders", "billing", "ledger", "reports", "stock")),
        make_job("crm", status="INCRE_TRANSFER_STARTED"),
        make_job("search", status="PAUSING"),
        make_job("mail", status="START_JOB_FAILED"),
        make_job("docs", status="PAUSING"),
        make_job("shop", status="FULL_TRANSFER_FAILED"),
        make_job("old", status="RELEASE_RESOURCE_COMPLETE"),
        make_job("dead", status="CREATE_FAILED"),
        make_job("new", status="CREATING"),
        make_job("pair", is_parent=True, **DUAL_ACTIVE),
        make_job("there", parent_id="pair", role="forward", **DUAL_ACTIVE),
        make_job("back", parent_id="pair", role="backward", **DUAL_ACTIVE),
    )
    (program,) = blocks("python")
    (transcript,) = blocks("text")
    stack.program(program)

    preview = stack.preview()

    assert preview.exit_code == 0, preview.output
    assert told(preview.output) == told(transcript)
