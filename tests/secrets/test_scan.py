"""The scan finds what is there: without this, finding nothing would prove nothing."""

from __future__ import annotations

import base64
import gzip
import html
import json
import pickle
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .conftest import PASSWORD, SECRET_KEY, SECURITY_TOKEN, TOKEN
from .scan import files, find

SPELLED = {
    "as it is": lambda s: s.encode(),
    "JSON": lambda s: json.dumps({"a": s}).encode(),
    "JSON with its letters": lambda s: json.dumps({"a": s}, ensure_ascii=False).encode(),
    "JSON of Go": lambda s: json.dumps(s, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e").encode(),
    "JSON in JSON": lambda s: json.dumps({"a": json.dumps({"b": s})}).encode(),
    "JSON in JSON in JSON": lambda s: json.dumps(json.dumps(json.dumps({"b": s}))).encode(),
    "URL": lambda s: quote(s).encode(),
    "URL, all of it": lambda s: quote(s, safe="").encode(),
    "form": lambda s: quote_plus(s).encode(),
    "HTML": lambda s: html.escape(s).encode(),
    "hexadecimal": lambda s: s.encode().hex().encode(),
    "base64": lambda s: base64.b64encode(s.encode()),
    "base64 for URLs": lambda s: base64.urlsafe_b64encode(s.encode()),
    "user and password in base64": lambda s: base64.b64encode(b"somebody:" + s.encode()),
    "JSON in base64": lambda s: base64.b64encode(json.dumps({"a": s}).encode()),
    "a pickle in base64": lambda s: base64.b64encode(pickle.dumps({"a": [s, 1]})),
    "gzip": lambda s: gzip.compress(json.dumps({"a": s}).encode()),
    "cut off": lambda s: s[: -len(s) // 3].encode(),
}


@pytest.mark.parametrize("secret", [PASSWORD, TOKEN, SECRET_KEY, SECURITY_TOKEN], ids=["password", "token", "key", "security"])
@pytest.mark.parametrize("spelled", SPELLED.values(), ids=SPELLED)
def test_a_planted_secret_is_found_however_it_is_spelled(spelled: object, secret: str, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    planted = spelled(secret)  # type: ignore[operator]
    around = (b"", b"") if planted[:2] == b"\x1f\x8b" else (b"some text before ", b" and after")
    (tmp_path / "deep" / "file").write_bytes(planted.join(around))
    assert find({"it": secret}, files(tmp_path))


@given(st.binary(max_size=7), st.binary(max_size=7))
def test_a_secret_is_found_wherever_it_stands_in_something_encoded(before: bytes, after: bytes) -> None:
    assert find({"it": PASSWORD}, [("there", base64.b64encode(before + PASSWORD.encode() + after))])


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"Pl+in MIIDkgYJKoZIhvcNAQcCoII of another token, which begins like ours")
    assert find({"the password": PASSWORD, "the token": TOKEN}, files(tmp_path)) == []
