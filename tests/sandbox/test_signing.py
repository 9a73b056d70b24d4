"""The second dialect of SDK-HMAC-SHA256, which derives its key from date, region and service, and what breaks a signature."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta, timezone

import pytest

BODY = b'{"jobs": ["a"]}'


def signed_headers(sandbox, *, moment=None, body=BODY, region="", service=""):
    date = (moment or datetime.now(timezone.utc)).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{date[:8]}/{region}/{service}/sdk_request"
    host = sandbox.url.removeprefix("http://")
    path = f"/v3/{sandbox.project_id}/jobs/batch-status/"
    canonical = "\n".join(
        ["POST", path, "", f"host:{host}", f"x-sdk-date:{date}", "", "host;x-sdk-date", hashlib.sha256(body).hexdigest()]
    )
    text = f"SDK-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"SDK" + sandbox.account.secret_key.encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    credential = f"{sandbox.account.access_key}/{scope}"
    return {
        "X-Sdk-Date": date,
        "Authorization": f"SDK-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-sdk-date, Signature={signature}",
        "X-Auth-Token": None,
    }


def test_the_scope_dialect_is_accepted(sandbox, api):
    assert api.call("batch-status", data=BODY, headers=signed_headers(sandbox)).status_code == 200


def test_a_changed_body_breaks_the_signature(sandbox, api):
    answer = api.call("batch-status", data=b'{"jobs": ["b"]}', headers=signed_headers(sandbox))
    assert answer.status_code == 401


@pytest.mark.parametrize("hours", [-1, 1])
def test_an_old_or_early_signature_is_refused(sandbox, api, hours):
    moment = datetime.now(timezone.utc) + timedelta(hours=hours)
    assert api.call("batch-status", data=BODY, headers=signed_headers(sandbox, moment=moment)).status_code == 401


@pytest.mark.parametrize("authorization", ["SDK-HMAC-SHA256", "SDK-HMAC-SHA256 Access=, SignedHeaders=, Signature="])
def test_a_malformed_signature_is_refused(sandbox, api, authorization):
    headers = signed_headers(sandbox) | {"Authorization": authorization}
    assert api.call("batch-status", data=BODY, headers=headers).json()["error_code"] == "APIGW.0301"
