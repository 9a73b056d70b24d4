"""What the page shows, and what its buttons do."""

from __future__ import annotations

import re
import time

import pytest
import requests

from pulumi_drs_start.sandbox import faults, make_job, make_job_id
from pulumi_drs_start.sandbox.page.render import USUAL_FAULTS

from .conftest import NAMES, expect, press, row_of

pytestmark = pytest.mark.browser
ORDERS = make_job_id("crm-orders")


def test_it_has_every_job(page):
    expect(page.locator("#job-rows tr")).to_have_count(len(NAMES))
    expect(row_of(page, "crm-orders")).to_contain_text(ORDERS)
    expect(page.locator("#counts")).to_contain_text(f"CONFIGURATION {len(NAMES)}")


def test_jobs_move_before_ones_eyes(page, sandbox):
    sandbox.set_status(ORDERS, "STARTJOBING", then=[{"status": "FULL_TRANSFER_STARTED", "after": 3}])
    status = row_of(page, "crm-orders").locator(".status")
    expect(status).to_have_text("STARTJOBING")
    expect(status).to_have_text("FULL_TRANSFER_STARTED")


def test_a_job_lives_through_its_buttons(page, sandbox):
    sandbox.set_policy(start_seconds=0, full_seconds=0.5, complete_seconds=0)
    status = row_of(page, "crm-orders").locator(".status")
    for button, then in (
        ("start", "INCRE_TRANSFER_STARTED"),
        ("pause", "PAUSING"),
        ("resume", "INCRE_TRANSFER_STARTED"),
        ("fail", "INCRE_TRANSFER_FAILED"),
        ("resume", "INCRE_TRANSFER_STARTED"),
        ("unstart", "CONFIGURATION"),
        ("fail", "START_JOB_FAILED"),
        ("resume", "INCRE_TRANSFER_STARTED"),
    ):
        press(page, "crm-orders", button)
        expect(status).to_have_text(then)
        expect(page.get_by_role("status")).to_contain_text("crm-orders: ")
    assert sandbox.job(ORDERS)["starts"] == 0, "no program has started it"
    assert sandbox.calls() == []


def test_a_button_that_means_nothing_now_says_so(page, sandbox):
    button = row_of(page, "billing").get_by_role("button", name="pause", exact=True)
    assert button.get_attribute("aria-disabled") == "true"
    button.click(force=True)
    expect(page.get_by_role("status")).to_have_text("billing is CONFIGURATION: pause means nothing now.")
    assert sandbox.job(make_job_id("billing"))["status"] == "CONFIGURATION"


def test_a_delay_is_set_and_taken_away(page, sandbox):
    sandbox.set_status(ORDERS, "INCRE_TRANSFER_STARTED")
    dialog = page.get_by_role("dialog", name="Delay of crm-orders")
    press(page, "crm-orders", "delay")
    dialog.get_by_label("seconds behind").fill("500")
    dialog.get_by_label("falls by").fill("0")
    dialog.get_by_role("button", name="Set").click()
    expect(row_of(page, "crm-orders")).to_contain_text("500 s")
    press(page, "crm-orders", "delay")
    dialog.get_by_role("button", name="No delay").click()
    expect(row_of(page, "crm-orders")).not_to_contain_text("500 s")
    assert sandbox.job(ORDERS)["delay"] is None


def test_calls_come_in_newest_first_with_who_asked_and_what_came_of_it(page, sandbox):
    caller = {"User-Agent": "some-program/1.0 some-library/2.0"}
    requests.get(f"{sandbox.url}/v3", headers=caller, timeout=10)
    requests.get(f"{sandbox.url}/v3/nothing/jobs", headers=caller, timeout=10)
    rows = page.locator("#call-rows tr")
    expect(rows).to_have_count(2)
    assert [row.locator("td").nth(1).inner_text().split() for row in rows.all()] == [
        ["jobs", "some-program/1.0"],
        ["versions", "some-program/1.0"],
    ]
    page.locator("#clear-calls").click()
    expect(rows).to_have_count(0)
    assert sandbox.calls() == []


@pytest.mark.parametrize("index", range(len(USUAL_FAULTS)))
def test_every_usual_fault_can_be_added(sandbox, index):
    """What the menu holds is what a program would inject."""
    sandbox.inject(USUAL_FAULTS[index][1])
    assert len(sandbox.faults()) == 1


def test_faults_wait_are_carried_out_and_cleared(page, sandbox):
    page.get_by_role("combobox", name="fault").select_option("Server error: 500")
    page.get_by_label("times").fill("2")
    page.get_by_role("button", name="Add").click()
    waiting = page.locator("#fault-rows li")
    expect(waiting).to_have_text("answer 500 DRS.M00004 before any call 2 times")
    assert requests.get(f"{sandbox.url}/v3", timeout=10).status_code == 500
    expect(waiting).to_have_text("answer 500 DRS.M00004 before any call 1 time")
    page.locator("#clear-faults").click()
    expect(waiting).to_have_text("No fault waits.")
    assert sandbox.faults() == []


def test_the_clock_is_moved_and_made_faster(page, sandbox):
    before = sandbox.now()
    page.get_by_role("button", name="+1 hour").click()
    expect(page.get_by_role("status")).to_contain_text("+1 hour")
    assert 3600 <= sandbox.now() - before < 3700
    page.get_by_label("speed").select_option("600")
    expect(page.get_by_role("status")).to_contain_text("600\u00d7")
    assert sandbox.policy()["speed"] == 600


def test_a_speed_that_was_set_elsewhere_is_shown(page, sandbox):
    sandbox.set_policy(speed=7.5)
    expect(page.get_by_label("speed")).to_have_value("7.5")


def test_beginning_again_asks_first_and_keeps_the_jobs(page, sandbox):
    sandbox.set_status(ORDERS, "PAUSING")
    sandbox.inject(faults.html("any"))
    expect(row_of(page, "crm-orders").locator(".status")).to_have_text("PAUSING")
    page.locator("#reset").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert sandbox.job(ORDERS)["status"] == "PAUSING"
    page.locator("#reset").click()
    page.get_by_role("dialog").get_by_role("button", name="Begin again").click()
    expect(row_of(page, "crm-orders").locator(".status")).to_have_text("CONFIGURATION")
    assert sandbox.faults() == []


def test_five_thousand_jobs_are_counted_and_found(page, sandbox):
    sandbox.add_jobs(*(make_job(f"job-{index:04}", name=f"many-{index:04}") for index in range(5000)))
    sandbox.set_status("job-4321", "PAUSING")
    expect(page.locator("#found")).to_have_text("The first 200 of 5006 jobs are shown: filter to see others.")
    assert page.locator("#job-rows tr").count() == 200
    page.get_by_label("filter").fill("many-4321")
    expect(page.locator("#found")).to_have_text("1 of 5006 jobs match.")
    expect(row_of(page, "many-4321").locator(".status")).to_have_text("PAUSING")
    press(page, "many-4321", "resume")
    expect(row_of(page, "many-4321").locator(".status")).to_have_text("FULL_TRANSFER_STARTED")

    began = time.monotonic()
    requests.get(f"{sandbox.url}/_sandbox/page/live", timeout=10).raise_for_status()
    assert time.monotonic() - began < 2


def test_a_status_on_top_filters_and_the_address_remembers_it(page, sandbox, open_page):
    sandbox.set_status(ORDERS, "PAUSING")
    page.get_by_role("button", name="PAUSING 1").click()
    expect(page.locator("#job-rows tr")).to_have_count(1)
    expect(page.get_by_role("button", name="PAUSING 1")).to_have_attribute("aria-pressed", "true")
    again = open_page(page.url.removeprefix(sandbox.url))
    expect(again.locator("#job-rows tr")).to_have_count(1)
    again.get_by_role("button", name="all 6").click()
    expect(again.locator("#job-rows tr")).to_have_count(len(NAMES))


def test_it_stands_still_on_request(page, sandbox):
    page.locator("#live").click()
    expect(page.locator("#live")).to_have_attribute("aria-pressed", "false")
    page.wait_for_timeout(500)
    sandbox.set_status(ORDERS, "PAUSING")
    page.wait_for_timeout(2500)
    assert row_of(page, "crm-orders").locator(".status").inner_text() == "CONFIGURATION"
    page.locator("#live").click()
    expect(row_of(page, "crm-orders").locator(".status")).to_have_text("PAUSING")


def test_it_says_that_the_sandbox_is_gone(open_page, sandbox):
    page = open_page(may_fail="Failed to load resource")
    expect(page.locator("#job-rows tr")).to_have_count(len(NAMES))
    sandbox.stop()
    expect(page.get_by_role("status")).to_contain_text("The sandbox does not answer")


def test_texts_of_others_stay_texts(open_page, sandbox):
    evil = '"><img src=x onerror="document.title=1"><script>document.title=2</script>'
    sandbox.add_jobs(make_job(evil, name=evil, status="FULL_TRANSFER_FAILED", fail_full={"message": evil}))
    sandbox.inject(faults.answer(evil, 500, evil, job_id=evil, code=evil))
    requests.get(f"{sandbox.url}/v3/x/jobs/{evil[:20]}", headers={"User-Agent": evil}, timeout=10)
    page = open_page()
    expect(page.locator("#job-rows tr")).to_have_count(len(NAMES) + 1)
    sandbox.set_status(evil, "PAUSING")
    page.wait_for_timeout(2500)
    assert page.title() == "DRS sandbox"
    assert page.locator("main img, main script").count() == 0
    page.get_by_label("filter").fill(evil)
    expect(page.locator("#job-rows tr")).to_have_count(1)
    page.locator("#job-rows").get_by_role("button", name="resume").click()
    expect(page.locator("#job-rows .status")).to_have_text(re.compile("FULL_TRANSFER_"))


def test_a_page_of_another_origin_can_neither_read_nor_press(browser, sandbox):
    """Another port of this machine is another origin: as near as a page of others can come."""
    with type(sandbox)() as other:
        context = browser.new_context()
        page = context.new_page()
        # Without the policy of our page, which would forbid it by itself.
        page.route(f"{other.url}/", lambda route: route.fulfill(body="<title>other</title>", content_type="text/html"))
        page.goto(other.url)
        tries = """async (url) => {
            const call = (path, options) => fetch(url + path, options).then((answer) => answer.status, () => 'refused');
            return [
                await call('/_sandbox/jobs', {}),
                await call('/_sandbox/reset', { method: 'POST' }),
                await call('/_sandbox/reset', { method: 'POST', mode: 'no-cors', body: '{}' }),
                await call('/_sandbox/calls', { method: 'DELETE' }),
            ];
        }"""
        # An answer that can't be read counts as 0, or as none.
        assert set(page.evaluate(tries, sandbox.url)) <= {"refused", 0}
        frame = "(url) => { const f = document.createElement('iframe'); f.src = url; document.body.append(f); }"
        page.evaluate(frame, sandbox.url + "/")
        page.wait_for_timeout(1000)
        assert all("Jobs" not in framed.content() for framed in page.frames[1:])
        context.close()
    assert len(sandbox.jobs()) == len(NAMES)
