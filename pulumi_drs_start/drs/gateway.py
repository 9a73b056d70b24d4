"""
What the API gateway's own error codes tell: whether DRS, which is behind the gateway, can have got the call.

The gateway checks who calls, what may be called and how often, looks for the backend, and only then passes the call on. So most
of its errors prove that DRS was not asked. Those about a backend that did not answer, or not understandably, prove nothing.

Sources: "Error Codes" of the API Gateway user guide of Open Telekom Cloud (``APIG.``); "Error Codes" of the API Request Signing
Guide of Huawei Cloud (``APIGW.``), which lists the same numbers with the same meanings; "Creating a Gateway Response" of the
former, for what "Backend unavailable" and "Backend timeout" mean.
"""

from __future__ import annotations

import re

# Calls come too fast. The gateway did not pass the call on.
THROTTLED = ("APIG.0308", "APIGW.0308")

# Whatever the status: the gateway failed before it passed the call on.
_NOT_ASKED = frozenset(
    {
        "0101",  # The API does not exist or is not published: there is nowhere to pass the call on to.
        "0103",  # The backend does not exist: likewise.
        "0104",  # No configuration of plug-ins: looked up before the call is passed on.
        "0105",  # No configuration of the backend: its address is not known.
        "0106",  # Orchestration error: the request for the backend could not be made.
        "0204",  # TLS version: the caller was refused.
        "0205",  # Client certificate: the caller was refused.
        # Who calls is checked before the call is passed on.
        *("0301", "0302", "0303", "0304", "0305", "0306", "0307", "0310", "0311", "0312", "0313", "0314"),
        *("0401", "0402", "0405"),  # So is where the call comes from,
        "0404",  # and whether the backend's address is allowed.
        *("0501", "0502"),  # Quota used up, app frozen: checked with the above.
        "0602",  # Bad request: not understood, so not passed on.
        "0605",  # The backend's name was not resolved: no address to connect to.
        "0606",  # Configuration of the API not loaded: its backend is not known.
        "0607",  # Protocol not supported: not passed on.
        "0608",  # No admin token, with which the gateway finds out who calls.
        "0609",  # The workload that should be the backend does not exist.
        "0610",  # No backend available: none that is known could be connected to.
        "0611",  # The backend's port does not exist: nothing to connect to.
        "0612",  # An API that calls itself is stopped on the way.
        "0613",  # IAM, which tells the gateway who calls, is not available.
        *("0615", "0616", "0617"),  # Third-party authentication: who calls is not known.
        "0705",  # The request for the backend could not be signed.
        *("0801", "0802"),  # Service or user not allowed in this region: checked with the user.
    }
)

# Whatever the status: the call may have been passed on.
_MAY_HAVE_ASKED = frozenset(
    {
        "0107",  # A script of the gateway failed: scripts run before the backend is asked, and after.
        "0201",  # With 502 and 504, backend unavailable or timed out; with 500, an unexpected error somewhere.
        "0202",  # Backend unavailable: "due to communication error", which may come after the call was sent.
        "0203",  # Backend timeout: the call was sent, and no answer came in time.
        "0601",  # Internal error: where is not said.
    }
)


def proves_not_asked(code: str, status: int) -> bool:
    """Whether a failure with this code and status proves that DRS was not asked."""
    match = re.fullmatch(r"APIGW?\.(\d{4})", code)
    if match is None or match[1] in _MAY_HAVE_ASKED:
        return False
    # With 503 the gateway says that it can't pass calls on now; a code that is not in the tables says nothing else.
    return match[1] in _NOT_ASKED or status == 503
