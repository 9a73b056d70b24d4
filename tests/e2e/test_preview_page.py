"""The preview of `docs/reference/previews.md`, a resource for each kind of planned action, is what the real pulumi prints."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id
from tests.docs.pages import texts

from .conftest import Stack

pytestmark = pytest.mark.engine

BEFORE = """
JobBatchStart("moved", jobs=[archive], start_time="2099-12-01T02:00:00+01:00")
JobBatchStart("resting", jobs=[wiki, forum])
JobBatchStart("retired", jobs=[test, trial])
JobBatchStart("shrunk", jobs=[news, blog])
"""
NAMES = (
    *("orders", "billing", "crm", "ledger", "archive", "reports", "stock", "search", "mail", "docs", "shop", "new"),
    *("old", "lost", "dead", "pair", "there", "back", "wiki", "forum", "test", "trial", "news", "blog"),
)
IDS = "".join(f"{name} = {make_job_id(name)!r}\n" for name in NAMES)
DUAL_ACTIVE = {"db_use_type": "cloudDataGuard", "multi_write": True, "task_type": "INCR_TRANS"}


def named(name: str, **fields: Any) -> dict[str, Any]:
    """A job with a name and an id like DRS's own."""
    return make_job(make_job_id(name), name=name, **fields)


def told(text: str) -> dict[str, set[str]]:
    """The lines about each resource: neither their order nor that of the resources is fixed."""
    diagnostics = text.split("Diagnostics:", 1)[1].split("\nResources:", 1)[0]
    parts = re.split(r"^  pulumi-python:dynamic/drs:JobBatchStart \(([\w-]+)\):\n", diagnostics, flags=re.MULTILINE)[1:]
    lines = [{line.strip() for line in part.splitlines()} - {""} for part in parts[1::2]]
    return dict(zip(parts[::2], lines, strict=True))


def test_the_page_shows_what_preview_prints(sandbox: Sandbox, stack: Stack) -> None:
    sandbox.add_jobs(*map(named, ("archive", "wiki", "forum", "test", "trial", "news", "blog")))
    stack.program(IDS + BEFORE)
    up = stack.up()
    assert up.exit_code == 0, up.output
    sandbox.add_jobs(
        *map(named, ("orders", "billing", "ledger", "reports", "stock")),
        named("crm", status="INCRE_TRANSFER_STARTED"),
        named("search", status="PAUSING"),
        named("mail", status="START_JOB_FAILED"),
        named("docs", status="PAUSING"),
        named("shop", status="FULL_TRANSFER_FAILED"),
        named("old", status="RELEASE_RESOURCE_COMPLETE"),
        named("dead", status="CREATE_FAILED"),
        named("new", status="CREATING"),
        named("pair", is_parent=True, **DUAL_ACTIVE),
        named("there", parent_id=make_job_id("pair"), role="forward", **DUAL_ACTIVE),
        named("back", parent_id=make_job_id("pair"), role="backward", **DUAL_ACTIVE),
    )
    (program,) = texts("reference/previews.md", "python")
    (transcript,) = texts("reference/previews.md", "text")
    stack.program(IDS + program)

    preview = stack.preview()

    assert preview.exit_code == 0, preview.output
    assert told(preview.output) == told(transcript)
