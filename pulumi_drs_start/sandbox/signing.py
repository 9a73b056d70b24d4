"""
Check requests signed with an access key (SDK-HMAC-SHA256), in both dialects that clients speak.

The plain dialect, of the vendor's SDKs, signs with the secret key itself; the scope dialect, of gophertelekomcloud, with a
key derived from it for a date, a region and a service.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from urllib.parse import parse_qsl, quote, unquote

ALGORITHM = "SDK-HMAC-SHA256"
# The gateway refuses signatures older than this.
MAX_SKEW_SECONDS = 15 * 60
_PART = re.compile(r"(Access|Credential|SignedHeaders|Signature)=([^,\s]+)")


def is_signed(authorization: str | None) -> bool:
    return authorization is not None and authorization.startswith(ALGORITHM)


def is_signature_valid(
    access_key: str,
    secret_key: str,
    *,
    method: str,
    raw_path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
) -> bool:
    """Whether a request was signed with this pair of keys, a short while ago."""
    parts = dict(_PART.findall(headers.get("authorization", "")))
    date = headers.get("x-sdk-date", "")
    signed = [name for name in parts.get("SignedHeaders", "").split(";") if name]
    if not _is_recent(date) or not {"host", "x-sdk-date"} <= set(signed) or any(name not in headers for name in signed):
        return False
    lines = [method.upper(), _canonical_path(raw_path), _canonical_query(query)]
    lines += [*(f"{name}:{headers[name].strip()}" for name in signed), "", ";".join(signed)]
    lines.append(_sha256(body))
    digest = _sha256("\n".join(lines).encode("utf-8", "surrogateescape"))
    if "Credential" in parts:
        key_id, _, scope = parts["Credential"].partition("/")
        key = b"SDK" + secret_key.encode()
        for piece in scope.split("/"):
            key = _hmac(key, piece)
        text = f"{ALGORITHM}\n{date}\n{scope}\n{digest}"
        is_scope_sound = scope.startswith(date[:8] + "/") and scope.endswith("/sdk_request")
    else:
        key_id, key, is_scope_sound = parts.get("Access", ""), secret_key.encode(), True
        text = f"{ALGORITHM}\n{date}\n{digest}"
    signature = _hmac(key, text).hex()
    is_key_known = hmac.compare_digest(key_id.encode(), access_key.encode())
    return is_key_known and is_scope_sound and hmac.compare_digest(signature.encode(), parts.get("Signature", "").encode())


def _is_recent(date: str) -> bool:
    try:
        moment = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return False
    # Signatures carry the time of the world outside, never the sandbox's.
    return abs((datetime.now(timezone.utc) - moment).total_seconds()) <= MAX_SKEW_SECONDS


def _canonical_path(raw_path: str) -> str:
    path = "/".join(quote(unquote(segment), safe="~") for segment in raw_path.split("/"))
    return path if path.endswith("/") else path + "/"


def _canonical_query(query: str) -> str:
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    return "&".join(f"{quote(key, safe='~')}={quote(value, safe='~')}" for key, value in pairs)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()
