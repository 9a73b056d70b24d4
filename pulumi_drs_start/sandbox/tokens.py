"""Logins: one user, tokens with a scope and an end, and the judgement of a token that came with a call."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Literal

from .clock import Clock
from .policy import Account

Scope = Literal["project", "domain", "unscoped"]


@dataclass(frozen=True, slots=True)
class Token:
    """A token as IAM remembers it. Times are sandbox seconds."""

    value: str
    scope: Scope
    project_id: str | None
    issued_at: float
    expires_at: float


class Tokens:
    """Issued tokens; a new one does not end the older ones."""

    def __init__(self, account: Account, clock: Clock) -> None:
        self._account = account
        self._clock = clock
        self._issued: dict[str, Token] = {}

    def issue(self, scope: Scope, project_id: str | None, lifetime: float) -> Token:
        now = self._clock.now()
        token = Token(f"MIISANDBOX{secrets.token_urlsafe(48)}", scope, project_id, now, now + lifetime)
        self._issued[token.value] = token
        return token

    def valid(self, value: str | None) -> Token | None:
        token = self._issued.get(value or "")
        return token if token is not None and token.expires_at > self._clock.now() else None

    def revoke(self, value: str | None = None) -> int:
        """End one token, or all of them; tells how many."""
        if value is not None:
            return 0 if self._issued.pop(value, None) is None else 1
        count = len(self._issued)
        self._issued.clear()
        return count
