"""
The secrets of this process, taken out of texts that others wrote.

A gateway's error page may quote the request with its headers, and a service may say a password back. Such texts end in
messages, logs and the state, so whoever holds a secret names it here, and whoever shows a text of others asks here.

Names, ids and statuses are looked through for tokens and keys only: a password may also be the word that a job is named by.
"""

from __future__ import annotations

import html
import json
import re
import threading
from base64 import b64encode
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

STAND_IN = "***"
# A very short one would be found, and given away, in any text.
SHORTEST = 6
# Of a secret this long, as tokens are, the first part is enough to know it by, also where a text was cut off.
LONG = 32
HEAD = 24
# Of what logins give: they are a day apart, so the oldest of so many are dead.
MOST = 500

_configured: dict[str, None] = {}
_given: dict[str, None] = {}
_longest = 0
_lock = threading.Lock()


def keep_secret(*secrets: str | None) -> None:
    """Take these out of every text from now on."""
    _keep(_configured, secrets)


def keep_token_secret(token: str) -> None:
    """Take a token that a login gave out of every text, until many others have followed it."""
    _keep(_given, [token])
    with _lock:
        while len(_given) > MOST:
            del _given[next(iter(_given))]


def _keep(known: dict[str, None], secrets: Iterable[str | None]) -> None:
    global _longest
    new = {spelling for secret in secrets if secret and len(secret) >= SHORTEST for spelling in _spellings(secret)}
    with _lock:
        known.update(dict.fromkeys(new))
        _longest = max([_longest, *map(len, new)])


def forget() -> None:
    """Know of no secret any more."""
    with _lock:
        _configured.clear()
        _given.clear()


def redacted(text: str, limit: int | None = None, *, shortest: int = SHORTEST) -> str:
    """The text without secrets of at least this length, and without what is beyond `limit`, if there is one."""
    if limit is not None:
        # What is cut off in the middle of a secret would not be known for one any more.
        text = text[: limit + _longest]
    known = [*list(_configured), *list(_given)]
    present = [one for one in known if len(one) >= shortest and one[: HEAD if len(one) >= LONG else None] in text]
    if present or "ignature=" in text:
        # Longer ones first: one secret may begin another.
        patterns = [_as_pattern(spelling) for spelling in sorted(present, key=len, reverse=True)]
        text = re.sub("|".join([*patterns, _SIGNATURE]), STAND_IN, text)
    return text if limit is None else text[:limit]


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


# Good for one request only, but for a quarter of an hour.
_SIGNATURE = r"(?<=ignature=)[0-9a-fA-F]{64}"


def _spellings(secret: str) -> set[str]:
    """As it is, and as services and proxies would write it into JSON, a URL, a page, or a header."""
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        html.escape(secret),
        html.escape(secret, quote=False),
        b64encode(secret.encode("utf-8", "surrogatepass")).decode(),
    }


def _as_pattern(spelling: str) -> str:
    if len(spelling) < LONG:
        return re.escape(spelling)
    # First all of it: it may hold characters that would end the rest.
    return re.escape(spelling) + "|" + re.escape(spelling[:HEAD]) + r"[^\s\"'<>,;]*"
