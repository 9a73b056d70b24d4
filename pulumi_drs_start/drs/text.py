"""
Texts that others wrote, made fit to be shown: one line, of bounded length, without the secrets of this process.

A gateway's error page may quote the request with its headers, and a service may repeat a password. Such texts end in messages,
logs and the state. So whoever holds a secret names it here, and whoever shows a text of others asks here.

Names, ids and statuses are searched for tokens and keys only: a password may also be the word that a job is named by.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterable
from contextlib import suppress
from difflib import get_close_matches
from urllib.parse import quote, quote_plus

LONGEST_TEXT = 1000
LONGEST_QUOTE = 80
# How alike two words are of which one was meant for the other; 1 if they are the same.
CLOSE = 0.7

# Escape sequences, control characters, and what turns the direction of text. Lone surrogates can't be encoded anywhere.
_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)

STAND_IN = "***"
# A very short one would be found, and given away, in any text.
SHORTEST = 6
# Of a secret this long, as tokens are, the first part is enough to know it by, also where a text was cut off.
LONG = 32
HEAD = 24
# Of what logins give: they are a day apart, so the oldest of so many are dead.
MOST = 500
# The characters that one of a secret becomes in its longest spelling, a surrogate pair of JSON.
LONGEST_SPELLING = 12
_REST = r"[^\s\"'<>,;]*"

_configured: dict[str, re.Pattern[str]] = {}
_given: dict[str, re.Pattern[str]] = {}
# Good for one request only, but for a quarter of an hour.
_SIGNATURE = re.compile(r"(?<=ignature=)[0-9a-fA-F]{64}")


def clean_text(text: str, limit: int = LONGEST_TEXT) -> str:
    """One line, no terminal escapes, no secret of this process, and at most `limit` characters."""
    return _one_line(redacted(text, limit * 4), limit)


def clean_word(text: str, limit: int = LONGEST_TEXT) -> str:
    """The same for what is compared as well as shown, such as names and statuses, which may contain a short secret."""
    return _one_line(redacted(text, limit * 4, shortest=LONG), limit)


def _one_line(text: str, limit: int) -> str:
    flat = " ".join(_CONTROL.sub(" ", text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def quoted(text: str, limit: int = LONGEST_QUOTE) -> str:
    """In quotes, cut, without secrets of this process; what is not printable is shown as Python would write it."""
    known = redacted(text, limit + 1)
    shown = known if len(known) <= limit else known[:limit] + "…"
    return f'"{"".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in shown)}"'


def closest(text: str, words: Iterable[str]) -> str | None:
    """The word that was probably meant, in upper or lower case; None if none is close."""
    known = {word.lower(): word for word in words}
    close = get_close_matches(text[:LONGEST_QUOTE].lower(), known, n=1, cutoff=CLOSE)
    return known[close[0]] if close else None


def keep_secret(*secrets: str | None) -> None:
    """Take these out of every text from now on."""
    _configured.update({secret: _as_pattern(secret) for secret in secrets if secret and len(secret) >= SHORTEST})


def keep_token_secret(token: str) -> None:
    """Take a token that a login gave out of every text, until many others have followed it."""
    if len(token) >= SHORTEST:
        _given[token] = _as_pattern(token)
    for oldest in list(_given)[:-MOST]:
        _given.pop(oldest, None)


def forget() -> None:
    """Know of no secret any more."""
    _configured.clear()
    _given.clear()


def redacted(text: str, limit: int | None = None, *, shortest: int = SHORTEST) -> str:
    """The text without secrets of at least this length, and without what is beyond `limit`, if there is one."""
    # Longer ones first: one secret may begin another.
    known = sorted([*list(_configured.items()), *list(_given.items())], key=lambda secret: len(secret[0]), reverse=True)
    if limit is not None:
        # What is cut off in the middle of a secret would not be known for one any more.
        text = text[: limit + LONGEST_SPELLING * max([len(secret) for secret, _ in known], default=0)]
    for secret, pattern in known:
        if len(secret) >= shortest:
            text = pattern.sub(STAND_IN, text)
    return _SIGNATURE.sub(STAND_IN, text)[:limit]


def redact_exception(error: BaseException) -> None:
    """Take secrets out of an exception and its causes, as far as a traceback would show them."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.args = tuple(redacted(value) if isinstance(value, str) else value for value in one.args)
        for name in ("message", "details"):
            if isinstance(value := getattr(one, name, None), str):
                setattr(one, name, redacted(value))
        waiting += [one.__cause__, one.__context__, *(value for value in one.args if isinstance(value, BaseException))]


def _as_pattern(secret: str) -> re.Pattern[str]:
    """A secret as it is, as services and proxies would write it into JSON, a URL or a page, and in base64."""
    encoded = b64encode(secret.encode("utf-8", "surrogatepass")).decode()
    spellings = [_in_any_spelling(character) for character in secret], [re.escape(character) for character in encoded]
    # First all of it: it may hold characters that would end the rest.
    whole = ["".join(spelling) for spelling in spellings]
    heads = ["".join(spelling[:HEAD]) + _REST for spelling in spellings if len(spelling) >= LONG]
    return re.compile("|".join([*whole, *heads]))


def _in_any_spelling(character: str) -> str:
    ways = {character, json.dumps(character)[1:-1], html.escape(character)}
    with suppress(UnicodeEncodeError):
        ways |= {quote(character, safe=""), quote_plus(character)}
    return f"(?:{'|'.join(map(re.escape, sorted(ways)))})" if len(ways) > 1 else re.escape(character)
