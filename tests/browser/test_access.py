"""Everybody can use the page: with a keyboard, with a screen reader, in the dark, on a narrow screen."""

from __future__ import annotations

from importlib.resources import files

import pytest
import requests

from pulumi_drs_start.sandbox import faults, make_job_id

from .conftest import NAMES, expect, press, row_of

pytestmark = pytest.mark.browser
SCREENS = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 360, "height": 740}}


@pytest.fixture
def busy(sandbox):
    """A sandbox with something of every colour."""
    statuses = ["FULL_TRANSFER_STARTED", "FULL_TRANSFER_FAILED", "PAUSING", "STARTJOBING", "RELEASE_RESOURCE_COMPLETE"]
    for name, status in zip(NAMES, statuses, strict=False):
        sandbox.set_status(make_job_id(name), status, then=[], reason="The source can't be reached.")
    requests.get(f"{sandbox.url}/v3/x/jobs", timeout=10)
    sandbox.inject(faults.too_frequent("batch-starting", times=3))
    sandbox.inject(faults.drop_after("batch-starting", job_id=make_job_id("billing")))


def findings(page):
    """What axe has against a page."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text())
    found = page.evaluate("async () => (await axe.run(document, { resultTypes: ['violations'] })).violations")
    return [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found]


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing(open_page, scheme, screen):
    page = open_page(color_scheme=scheme, viewport=SCREENS[screen])
    expect(page.locator("#call-rows tr")).to_have_count(1)
    expect(row_of(page, "crm-customers").locator(".status")).to_have_text("FULL_TRANSFER_FAILED")
    page.wait_for_timeout(2000)
    assert findings(page) == []
    for open_dialog in (lambda: press(page, "billing", "delay"), lambda: page.locator("#reset").click()):
        open_dialog()
        assert findings(page) == []
        page.keyboard.press("Escape")


@pytest.mark.usefixtures("busy")
def test_nothing_sticks_out_of_a_narrow_screen(open_page):
    page = open_page(viewport=SCREENS["narrow"])
    expect(page.locator("#job-rows tr")).to_have_count(len(NAMES))
    assert page.evaluate("document.documentElement.scrollWidth") <= SCREENS["narrow"]["width"]


def test_it_is_light_or_dark_as_the_reader_is(open_page):
    def brightness(scheme):
        page = open_page(color_scheme=scheme)
        return page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).reduce((a, b) => a + Number(b), 0)")

    assert brightness("dark") < 150 < 600 < brightness("light")


def test_a_keyboard_is_enough(page, sandbox):
    """Tab goes to the first row, an arrow to a button; the focus stays there while the page renews itself."""
    orders, customers = (make_job_id(name) for name in ("crm-orders", "crm-customers"))
    sandbox.set_status(orders, "INCRE_TRANSFER_STARTED")
    sandbox.set_status(customers, "INCRE_TRANSFER_STARTED")
    expect(row_of(page, "crm-customers").locator(".status")).to_have_text("INCRE_TRANSFER_STARTED")
    focused = "document.activeElement.closest('tr')?.dataset.name + ' ' + document.activeElement.value"

    page.get_by_label("filter").focus()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate(focused) == "crm-orders start":
            break
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "crm-orders pause"
    page.keyboard.press("Enter")
    expect(row_of(page, "crm-orders").locator(".status")).to_have_text("PAUSING")
    page.wait_for_timeout(2500)
    assert page.evaluate(focused) == "crm-orders pause"
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == "crm-customers pause"
    page.keyboard.press("End")
    assert page.evaluate(focused) == "crm-customers delay"
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert page.evaluate(focused) == "crm-customers delay", "the focus is back after a dialog"
    page.keyboard.press("Tab")
    assert page.evaluate(focused).startswith("billing "), "a row is one stop"


def test_a_screen_reader_is_not_flooded(page, sandbox):
    """One place is read aloud, and it changes for what the reader did, and else four times a minute at most."""
    assert page.locator("[aria-live], [role=status], [role=alert], [role=log]").count() == 1
    page.evaluate("""() => {
        window.said = [];
        new MutationObserver(() => said.push(document.querySelector('#said').textContent))
            .observe(document.querySelector('#said'), { childList: true, characterData: true, subtree: true });
    }""")
    for index in range(8):
        sandbox.set_status(make_job_id(NAMES[index % len(NAMES)]), ("PAUSING", "CONFIGURATION")[index // len(NAMES)])
        page.wait_for_timeout(700)
    assert len(page.evaluate("said")) <= 1


def test_it_names_its_parts(page):
    for name in ("Jobs", "Faults that wait", "Calls"):
        assert page.get_by_role("region", name=name).count() == 1
    assert page.get_by_role("table").count() == 2
    assert page.get_by_role("row", name="crm-orders").get_by_role("toolbar", name="crm-orders").count() == 1
