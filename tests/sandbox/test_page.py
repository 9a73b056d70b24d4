"""The page at `/`, without a browser; `tests/browser` has the rest."""

from __future__ import annotations

import re

import pytest
import requests

from pulumi_drs_start.sandbox import SECRET, faults, make_job

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def get(sandbox, path="/", **headers):
    return requests.get(f"{sandbox.url}{path}", headers={**BROWSER, **headers}, timeout=10)


def test_a_browser_gets_a_page_and_a_client_the_versions(sandbox):
    assert get(sandbox).headers["Content-Type"].startswith("text/html")
    assert get(sandbox, Accept="*/*").status_code == 300
    assert get(sandbox, Accept="application/json").json()["versions"]


def test_looking_at_it_is_no_call_and_no_look(sandbox):
    sandbox.add_jobs(make_job("a", then=[{"status": "PAUSING", "looks": 1}]))
    get(sandbox)
    get(sandbox, "/_sandbox/page/live")
    assert sandbox.calls() == []
    assert (sandbox.job("a")["status"], sandbox.job("a")["looks"]) == ("CONFIGURATION", 0)


@pytest.mark.parametrize("path", ["/", "/_sandbox/page", "/_sandbox/page/live"])
@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"}]
)
def test_a_page_of_another_site_does_not_get_it(sandbox, path, headers):
    sandbox.add_jobs(make_job("a"))
    answer = get(sandbox, path, **headers)
    assert answer.status_code == 403
    assert "Jobs" not in answer.text


def test_only_its_own_script_runs_and_nobody_frames_it(sandbox):
    answer = get(sandbox)
    policy = dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))
    nonce = re.fullmatch(r"'nonce-([\w-]+)'", policy["script-src"])[1]
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert re.findall(r"<(?:script|style)[^>]*>", answer.text) == [f'<style nonce="{nonce}">', f'<script nonce="{nonce}">']
    assert re.findall(r"\son\w+=|\sstyle=|javascript:", answer.text) == []
    assert nonce not in get(sandbox).text, "each page has its own"


def test_it_names_nothing_that_is_elsewhere(sandbox):
    assert re.findall(r"(?:src|href)=\"(?!#|data:)[^\"]*|@import|url\(", get(sandbox).text) == []


def test_no_secret_is_on_it_wherever_it_comes_from(api):
    sandbox = api.sandbox
    token = api.login().headers["X-Subject-Token"]
    account = sandbox.account
    secrets = [SECRET, token, account.password, account.secret_key, account.application_credential_secret]
    for index, secret in enumerate(secrets):
        told = {"message": f"login with {secret} failed"}
        sandbox.add_jobs(make_job(f"job-{index}", name=f"named {secret}", status="FULL_TRANSFER_FAILED", fail_full=told))
        sandbox.inject(faults.refuse_row(f"never-{secret}"[:90], code=secret))
        requests.get(f"{sandbox.url}/v3/x/jobs/{secret[:64]}", headers={"User-Agent": f"agent {secret}"}, timeout=10)
        requests.get(f"{sandbox.url}/v3", headers={"User-Agent": secret}, timeout=10)
        # Cut off in the middle of a secret.
        requests.get(f"{sandbox.url}/v3", headers={"User-Agent": "x" * (200 - len(secret) + 2) + secret}, timeout=10)
    assert api.rows("batch-detail", "job-0")

    shown = get(sandbox).text + get(sandbox, "/_sandbox/page/live").text
    assert "named •••" in shown
    assert [secret for secret in secrets if secret[:20] in shown] == []


def test_the_live_part_is_sent_when_it_changed(sandbox):
    """But for the time, which passes for an hour a second here."""
    sandbox.set_policy(speed=1e-6)
    first = get(sandbox, "/_sandbox/page/live")
    tag = {"If-None-Match": first.headers["ETag"]}
    assert get(sandbox, "/_sandbox/page/live", **tag).status_code == 304
    sandbox.add_jobs(make_job("a"))
    assert get(sandbox, "/_sandbox/page/live", **tag).status_code == 200


def test_a_filter_looks_for_every_word(sandbox):
    sandbox.add_jobs(
        make_job("a", name="crm-orders"), make_job("b", name="crm-baskets", status="PAUSING"), make_job("c", name="hr")
    )

    def rows(wanted):
        inside = requests.get(f"{sandbox.url}/_sandbox/page/live", params={"filter": wanted}, timeout=10).json()["job-rows"]
        return re.findall(r'data-key="(\w)"', inside)

    assert rows("") == ["a", "b", "c"]
    assert rows("CRM") == ["a", "b"]
    assert rows("crm pausing") == ["b"]
    assert rows("crm nothing") == []


def test_a_status_goes_on_as_after_a_start(sandbox):
    sandbox.set_policy(start_seconds=0, full_seconds=0, complete_seconds=0)
    sandbox.add_jobs(make_job("a"), make_job("b", fail_full=True))
    sandbox.set_status("a", "FULL_TRANSFER_STARTED")
    assert sandbox.job("a")["next"] == []
    sandbox.set_status("a", "FULL_TRANSFER_STARTED", then="usual")
    sandbox.set_status("b", "STARTJOBING", then="usual")
    assert sandbox.job("a")["status"] == "INCRE_TRANSFER_STARTED"
    assert sandbox.job("b")["status"] == "FULL_TRANSFER_FAILED"


def test_a_failure_has_a_reason(sandbox):
    sandbox.add_jobs(make_job("a"))
    sandbox.set_status("a", "FULL_TRANSFER_FAILED", reason="disk full")
    assert sandbox.job("a")["failed_reason"] == "disk full"


def test_a_reset_can_keep_the_jobs_as_they_were_declared(sandbox, api):
    sandbox.add_jobs(make_job("a", refuse_start={"times": 1}), make_job("b"))
    api.start("a")
    api.start("a", "b")
    sandbox.reset(keep_jobs=True)
    assert {job_id: job["status"] for job_id, job in sandbox.jobs().items()} == {"a": "CONFIGURATION", "b": "CONFIGURATION"}
    assert sandbox.job("a")["starts"] == 0
    assert sandbox.job("a")["refuse_start"]["times"] == 1
    assert sandbox.calls() == []
    sandbox.reset()
    assert sandbox.jobs() == {}
