"""The page beside a real `pulumi up`: what the one does, the other shows."""

from __future__ import annotations

import pytest

from pulumi_drs_start import __version__
from pulumi_drs_start.sandbox import SECRET, make_job_id

from .conftest import NAMES, expect, press, row_of

pytestmark = [pytest.mark.browser, pytest.mark.engine]


def test_jobs_start_before_ones_eyes_and_a_button_is_seen_by_the_next_preview(page, sandbox, stack):
    sandbox.set_policy(start_seconds=4)
    expect(page.locator("#counts")).to_contain_text(f"CONFIGURATION {len(NAMES)}")
    stack.starts(*map(make_job_id, NAMES))

    up = stack.begin("up", "--yes", "--skip-preview")
    statuses = page.locator("#job-rows .status")
    expect(statuses).to_have_text(["STARTJOBING"] * len(NAMES))
    expect(statuses).to_have_text(["FULL_TRANSFER_STARTED"] * len(NAMES))
    output, _ = up.communicate(timeout=120)
    assert up.returncode == 0, output

    start = page.locator("#call-rows tr.changes")
    expect(start).to_have_count(1)
    assert start.locator("td").all_inner_texts()[1:5] == [
        f"batch-starting\npulumi-drs-start/{__version__}",
        str(len(NAMES)),
        str(len(NAMES)),
        "202",
    ]
    expect(row_of(page, "billing")).to_contain_text("1 start")

    press(page, "billing", "fail")
    expect(row_of(page, "billing").locator(".status")).to_have_text("FULL_TRANSFER_FAILED")
    press(page, "warehouse", "unstart")
    expect(row_of(page, "warehouse").locator(".status")).to_have_text("CONFIGURATION")
    preview = stack.preview()
    assert "will start 1 job: warehouse (" in preview
    assert "billing (" in preview
    assert "Failed on the sandbox's page" in preview

    shown = page.content()
    assert "MIISANDBOX" not in shown, "a token"
    for secret in (sandbox.password, sandbox.account.secret_key, SECRET):
        assert secret not in shown
