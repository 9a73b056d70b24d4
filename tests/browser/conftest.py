"""
A headless Chromium with the sandbox's page in it. Where there is none, these tests are skipped loudly, and fail in CI.

The end of the summary says so too, see `tests/conftest.py`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job, make_job_id
from tests.e2e.conftest import engine, front, make_stack, new_project, stack, warm  # noqa: F401  # fixtures

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Locator, LocatorAssertions, Page, Request

ROOT = Path(__file__).parents[2]
NAMES = ("crm-orders", "crm-customers", "billing", "shop-catalog", "warehouse", "reporting")
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Polls come once a second, and a busy machine is slow.
PATIENCE_MS = 30_000


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium."""
    found = subprocess.run(
        [sys.executable, ROOT / ".ci" / "browser.py", "--find"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    missing = "there is no Chromium" if not found else "playwright is not installed" if find_spec("playwright") is None else None
    if missing is None:
        return found
    text = f"NO BROWSER: {missing}, so nothing on the sandbox's page was tested; run `make browser`"
    if os.environ.get("CI") == "true":
        pytest.fail(text)
    pytest.skip(text)


# Not for the session: its event loop would be in the way of tests that have one of their own.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        yield launched
        launched.close()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(start_seconds=0.2, full_seconds=3600) as running:
        running.add_jobs(*(make_job(make_job_id(name), name=name) for name in NAMES))
        yield running


@pytest.fixture
def open_page(browser: Browser, sandbox: Sandbox) -> Iterator[Callable[..., Page]]:
    """
    Opens the page with options of a browser context. In the end, no script has failed, and nothing was asked of anybody else.

    `may_fail` is a pattern of messages in the console that are expected.
    """
    contexts, wrong, asked = [], [], []

    def open_it(path: str = "/", *, may_fail: str | None = None, **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)

        def heard(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and not (may_fail and re.search(may_fail, message.text)):
                wrong.append(message.text)

        def requested(request: Request) -> None:
            asked.append(request.url)

        page.on("console", heard)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", requested)
        page.goto(sandbox.url + path)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert wrong == []
    assert [url for url in asked if not url.startswith((f"{sandbox.url}/", "data:"))] == []


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page()


def row_of(page: Page, name: str) -> Locator:
    """The row of a job."""
    return page.locator(f'#job-rows tr[data-name="{name}"]')


def press(page: Page, name: str, action: str) -> None:
    """Press a button of a job."""
    row_of(page, name).get_by_role("button", name=action, exact=True).click()


def expect(locator: Locator) -> LocatorAssertions:
    """What shall become so within a while."""
    # Not above: where the package is not there, these tests have to be found all the same.
    from playwright.sync_api import expect

    expect.set_options(timeout=PATIENCE_MS)
    return expect(locator)
