"""
Look for secrets in whatever commands left behind, however they are spelled there.

A secret counts as found when all of it, or its first half, stands somewhere: as it is, escaped for JSON once or more often, for
a URL or for HTML, in hexadecimal digits, or as a part of something that was encoded in base64, such as a pickle in the state.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from urllib.parse import quote, quote_plus

# Half of a secret this long is still nothing that stands somewhere by chance.
LONG = 24


def _as_go_writes_json(text: str) -> str:
    """Go escapes three more characters than Python, and leaves letters alone."""
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _escaped(text: str) -> set[str]:
    plain = json.dumps(text, ensure_ascii=False)[1:-1]
    return {plain, json.dumps(text)[1:-1], _as_go_writes_json(plain)}


@cache
def spellings(secret: str) -> dict[bytes, str]:
    """What to look for, and how that is spelled."""
    found: dict[bytes, str] = {}
    parts = {"": secret} | ({"the first half, ": secret[: len(secret) // 2]} if len(secret) >= LONG else {})
    for which, part in parts.items():
        once = _escaped(part)
        twice = {text for inner in once for text in _escaped(inner)}
        urls = {quote(part), quote(part, safe=""), quote_plus(part)}
        urls |= {re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), text) for text in urls}
        words = {
            "as it is": {part},
            "for JSON": once | twice | {text for inner in twice for text in _escaped(inner)},
            "for a URL": urls,
            "for HTML": {html.escape(part), html.escape(part, quote=False)},
            "in hexadecimal": {part.encode().hex(), part.encode().hex().upper()},
        }
        for how, texts in words.items():
            for text in texts:
                found.setdefault(text.encode(), which + how)
        for text in {part, *once}:
            for spelled in _in_base64(text.encode()):
                found.setdefault(spelled, which + "in base64")
    return found


def _in_base64(content: bytes) -> Iterator[bytes]:
    """How it looks inside of something longer: that depends on what stands before it, in three ways."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + content)
        # The digits at both ends also carry bits of the neighbours.
        inner = encoded[-(-before * 4 // 3) :].rstrip(b"=")[: (before + len(content)) * 4 // 3 - -(-before * 4 // 3)]
        yield inner
        yield inner.replace(b"+", b"-").replace(b"/", b"_")


def files(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """The files below these folders, those of history and backups included; packed ones unpacked."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                content = path.read_bytes()
                yield str(path.relative_to(folder)), gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def find(secrets: Mapping[str, str], places: Iterable[tuple[str, bytes]]) -> list[str]:
    """Which secret stands where, and how it is spelled there; with the words before it."""
    found = []
    for place, content in places:
        for name, secret in secrets.items():
            for spelled, how in spellings(secret).items():
                where = content.find(spelled)
                if where >= 0:
                    before = content[max(0, where - 80) : where].decode("utf-8", "replace")
                    found.append(f"{place}: {name}, {how}, after …{before!r}")
                    break
    return found
