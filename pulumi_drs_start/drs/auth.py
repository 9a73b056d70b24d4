"""
Tokens for the DRS client, got from IAM through keystoneauth.

Many resources run in the threads of one process and share one token source. So a login happens once, all who waited for
it share its failure, and a refusal is remembered for a while: IAM locks accounts that keep trying a wrong password.

Repeating a failed login is left to the caller, who knows how much time there is; errors say whether it makes sense.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from .errors import (
    AuthenticationError,
    DrsError,
    ServiceFaultError,
    ThrottledError,
    UnreachableError,
    UnreadableAnswerError,
)
from .models import clean_text

if TYPE_CHECKING:
    import requests
    from keystoneauth1.access import AccessInfo
    from keystoneauth1.session import Session

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
# A token this close to its end is replaced, so that it does not expire on its way; never more than a tenth of its life.
STALE_SECONDS = 120.0
# How long a refused login is not tried again: outlasts the resources of one command, not a user's patience.
REFUSAL_SECONDS = 60.0
TEXT_OF_OTHERS = 256
# A token with the longest catalog is well below.
LARGEST_ANSWER = 4 * 1024 * 1024
USER_AGENT = "pulumi-drs-start"


class TokenSource(Protocol):
    """Where tokens, and the project they are for, come from. May be shared by threads."""

    def token(self) -> str:
        """A token that should be valid; cached. Raises DrsError."""
        ...

    def renew(self, rejected: str) -> bool:
        """Forget `rejected` if it is the cached token; False when no other one can be had."""
        ...

    def project_id(self) -> str:
        """The project's id, as given or as the token tells. Raises DrsError."""
        ...


@dataclass(frozen=True, slots=True)
class _Login:
    token: str = field(repr=False)
    project_id: str | None
    stale_at: float


@dataclass(frozen=True, slots=True)
class _Failure:
    cause: Exception
    kept_until: float


class PasswordAuth:
    """Logs in with a user's password, for one project.

    Args:
        auth_url: IAM, ``https://…/v3``.
        origins: where values came from, for error texts: ``{"password": "OS_PASSWORD", …}`` with the keys ``auth_url``,
            ``username``, ``domain``, ``password``, ``project``.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        auth_url: str,
        *,
        password: str,
        username: str | None = None,
        user_id: str | None = None,
        user_domain_id: str | None = None,
        user_domain_name: str | None = None,
        project_id: str | None = None,
        project_name: str | None = None,
        project_domain_id: str | None = None,
        project_domain_name: str | None = None,
        ca_cert: str | None = None,
        user_agent: str = USER_AGENT,
        origins: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.auth_url = auth_url
        self._password = password
        # keystoneauth prefers ids to names itself, but would not take the user's domain for the project's.
        if not (project_domain_id or project_domain_name):
            project_domain_id, project_domain_name = user_domain_id, user_domain_name
        self._login_facts: dict[str, Any] = {
            "user_id": user_id,
            "username": username,
            "user_domain_id": user_domain_id,
            "user_domain_name": user_domain_name,
            "project_id": project_id,
            "project_name": project_name,
            "project_domain_id": project_domain_id,
            "project_domain_name": project_domain_name,
        }
        self._project_id = project_id
        self._ca_cert = ca_cert
        self._user_agent = user_agent
        self._clock = clock
        self._subject = f'the login of user "{user_id or username}"'
        if not user_id and (domain := user_domain_name or user_domain_id):
            self._subject += f' (domain "{domain}")'
        if project := project_id or project_name:
            self._subject += f' for project "{project}"'
        self._advice = _advice(("username", "domain", "password", "project", "auth_url"), origins)
        self._lock = threading.Lock()
        self._login: _Login | None = None
        self._failure: _Failure | None = None
        self._attempts = 0

    def __repr__(self) -> str:
        return f"<PasswordAuth: {self._subject} at {self.auth_url}>"

    def token(self) -> str:
        """A token that should be valid; logs in when there is none.

        Raises:
            AuthenticationError: IAM refused.
            ThrottledError, ServiceFaultError, UnreachableError, UnreadableAnswerError: it may work later.
        """
        return self._logged_in().token

    def renew(self, rejected: str) -> bool:
        """Forget `rejected`, unless another thread already did; the next `token` logs in. Always possible here."""
        with self._lock:
            if self._login is not None and self._login.token == rejected:
                self._login = None
        return True

    def project_id(self) -> str:
        """The project's id; when only its name is known, IAM tells it with the token. Raises as `token` does."""
        if self._project_id:
            return self._project_id
        if found := self._logged_in().project_id:
            return found
        raise AuthenticationError(f"IAM at {self.auth_url} named no project after {self._subject}. {self._advice}")

    def _logged_in(self) -> _Login:
        attempts_before = self._attempts
        with self._lock:
            if self._login is not None and self._clock() < self._login.stale_at:
                return self._login
            if self._failure is not None:
                waited_for_it = self._attempts != attempts_before
                if waited_for_it or self._clock() < self._failure.kept_until:
                    raise self._translated(self._failure.cause) from self._failure.cause
            try:
                self._login = self._log_in()
            except Exception as exc:
                error = self._translated(exc)
                kept = REFUSAL_SECONDS if isinstance(error, AuthenticationError) else 0.0
                self._failure = _Failure(exc, self._clock() + kept)
                raise error from exc
            finally:
                self._attempts += 1
            self._failure = None
            return self._login

    def _log_in(self) -> _Login:
        from keystoneauth1.identity.v3 import Password

        asked_at = self._clock()
        # The catalog is long, and DRS is not in it.
        plugin = Password(self.auth_url, password=self._password, include_catalog=False, **self._login_facts)
        access = _with_session(self.auth_url, self._ca_cert, self._user_agent, plugin.get_auth_ref)
        seconds = _lifetime_seconds(access)
        log.debug("%s at %s: done, good for %.0f s", self._subject, self.auth_url, seconds)
        return _Login(
            _checked_token(access.auth_token),
            access.project_id if access.project_scoped else None,
            asked_at + seconds - min(STALE_SECONDS, seconds / 10),
        )

    def _translated(self, exc: Exception) -> DrsError:
        return _translated(exc, self._subject, self.auth_url, self._advice, self._password)


class ReadyToken:
    """A token somebody else got. When only the token knows its project, IAM is asked once.

    Args:
        project_name: the project that the token should be for; compared when IAM is asked.
        origins: as for PasswordAuth, with the keys ``token``, ``project``, ``auth_url``.
    """

    def __init__(
        self,
        token: str,
        *,
        project_id: str | None = None,
        project_name: str | None = None,
        auth_url: str | None = None,
        ca_cert: str | None = None,
        user_agent: str = USER_AGENT,
        origins: Mapping[str, str] | None = None,
    ) -> None:
        self.auth_url = auth_url
        self._token = token
        self._project_id = project_id
        self._project_name = project_name
        self._ca_cert = ca_cert
        self._user_agent = user_agent
        self._advice = _advice(("token", "project", "auth_url"), origins)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<ReadyToken for project {self._project_id or self._project_name or 'of its own'}>"

    def token(self) -> str:
        """The token."""
        return self._token

    def renew(self, rejected: str) -> bool:  # noqa: ARG002 - TokenSource's signature
        """There is no other token to be had."""
        return False

    def project_id(self) -> str:
        """The project's id as given, else as IAM knows it.

        Raises:
            AuthenticationError: IAM does not accept the token, or it is for no project or another one.
            ThrottledError, ServiceFaultError, UnreachableError, UnreadableAnswerError: it may work later.
        """
        with self._lock:
            if not self._project_id:
                self._project_id = self._ask_iam()
            return self._project_id

    def _ask_iam(self) -> str:
        if not self.auth_url:
            raise AuthenticationError(f"nothing tells the project of the token: give its id. {self._advice}")
        try:
            project = _with_session(self.auth_url, self._ca_cert, self._user_agent, self._read_project)
        except Exception as exc:
            raise _translated(exc, "the token", self.auth_url, self._advice, self._token) from exc
        name, project_id = project.get("name"), project.get("id")
        if not project_id:
            raise AuthenticationError(f"the token is not for a project, which DRS needs. {self._advice}")
        if self._project_name and name != self._project_name:
            raise AuthenticationError(f'the token is for project "{name}", not "{self._project_name}". {self._advice}')
        return str(project_id)

    def _read_project(self, session: Session) -> Mapping[str, Any]:
        headers = {"X-Auth-Token": self._token, "X-Subject-Token": self._token, "Accept": "application/json"}
        answer = session.get(f"{self.auth_url}/auth/tokens?nocatalog", headers=headers, authenticated=False, log=False)
        project: Mapping[str, Any] = answer.json()["token"].get("project") or {}
        return project


def _with_session(auth_url: str, ca_cert: str | None, user_agent: str, call: Callable[[Session], Any]) -> Any:
    """Run `call` with a session of its own: logins are a day apart, so no connection is worth keeping."""
    import requests
    from keystoneauth1.session import Session

    with requests.Session() as http:
        # Proxies and CA bundles of the environment count, but no proxy leads to this machine.
        http.trust_env = not is_loopback(auth_url)
        http.hooks["response"].append(_read_bounded)
        # A redirect would carry the password to another host, so none is followed.
        session = Session(session=http, verify=ca_cert or True, user_agent=user_agent, redirect=False)
        # The constructor knows one number only; requests takes both.
        session.timeout = (CONNECT_SECONDS, READ_SECONDS)  # type: ignore[assignment]
        return call(session)


def _read_bounded(response: requests.Response, *_: Any, **__: Any) -> None:
    """Read a body within bounds: requests would go on as long as something comes."""
    content, deadline = bytearray(), time.monotonic() + READ_SECONDS
    for chunk in response.iter_content(16 * 1024):
        content += chunk
        if len(content) > LARGEST_ANSWER or time.monotonic() > deadline:
            raise ValueError("an answer without end")
    response._content = bytes(content)


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine: localhost, 127.0.0.0/8 or ::1."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _lifetime_seconds(access: AccessInfo) -> float:
    """How long the token lives by IAM's clock; the clock here may be wrong."""
    if access.expires is None or access.issued is None:
        raise ValueError("the token has no times")
    return max(0.0, (access.expires - access.issued).total_seconds())


def _checked_token(token: str) -> str:
    # requests would quote a token with odd characters in its error text.
    if not token or not token.isascii() or not token.isprintable():
        raise ValueError("no usable X-Subject-Token")
    return token


_CA_CERT = "drs:caCert (OS_CACERT)"
_WORDS = {
    "auth_url": "the address of IAM",
    "username": "the user",
    "domain": "the domain",
    "password": "the password",
    "project": "the project",
    "token": "the token",
}


def _advice(values: tuple[str, ...], origins: Mapping[str, str] | None) -> str:
    """The next step after a refusal: what to check, and where it came from."""
    origins = origins or {}
    parts = [f"{_WORDS[value]} ({origins[value]})" if value in origins else _WORDS[value] for value in values]
    text = f"Check {', '.join(parts[:-1])} and {parts[-1]}"
    if any(origins.get(value, "").startswith("drs:") for value in values):
        text += "; refresh and destroy use the stack configuration of the last up"
    return text + "."


def _translated(exc: Exception, subject: str, url: str, advice: str, secret: str) -> DrsError:
    """The error of ours for whatever went wrong between us and IAM; without the secret, should IAM have echoed it."""
    from keystoneauth1 import exceptions as ks

    def quoted(text: str) -> str:
        # A very short one would be found, and given away, in any text.
        return clean_text(text.replace(secret, "***") if len(secret) > 5 else text, TEXT_OF_OTHERS).rstrip(". ")

    error: DrsError
    if isinstance(exc, ks.HttpError):
        status = exc.http_status
        code, words = _words(exc)
        said = quoted(f"{code} {words}".strip())
        if status in (408, 429) or status >= 500:
            kind = ThrottledError if status == 429 else ServiceFaultError
            wait = float(exc.retry_after) or None
            text = f"IAM at {url} can't answer now: {said}"
            error = kind(code or f"HTTP {status}", text, status=status, retry_after_seconds=wait)
        else:
            error = AuthenticationError(f"IAM at {url} refused {subject}: {status} {said}. {advice}")
    elif isinstance(exc, ks.ConnectionError):
        untrusted = isinstance(exc, ks.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(exc)
        text = f"IAM at {url} can't be reached: {quoted(_reason(exc))}. "
        text += "Give the authority's certificate in " + _CA_CERT if untrusted else "Check its address and the network"
        error = UnreachableError(text, url=url, retryable=not untrusted)
    elif isinstance(exc, ks.InvalidResponse) and 300 <= exc.response.status_code < 400:
        # Without its query, which may be anything.
        target = quoted(exc.response.headers.get("Location", "").partition("?")[0])
        error = AuthenticationError(f"IAM at {url} redirects to {target}, which is not followed. {advice}")
    elif isinstance(exc, ks.MissingAuthMethods):
        error = AuthenticationError(f"IAM at {url} wants a second factor for {subject}. Use a user without one")
    elif isinstance(exc, OSError) and not isinstance(exc, ValueError):
        # keystoneauth translates all but this one: requests finds no CA bundle where it should be.
        error = AuthenticationError(f"IAM at {url} was not asked: {quoted(str(exc))}. Check {_CA_CERT}")
    else:
        # A body without a token, a date that is none, …: whatever answers there, it is not IAM, nor will it be soon.
        error = UnreadableAnswerError(f"{url} does not answer like IAM. {advice}")
        error.retryable = False
    # A login changes nothing, so it can be repeated whatever became of it.
    error.effect_unknown = False
    return error


def _words(exc: Any) -> tuple[str, str]:
    """IAM's code and text, in either of its two forms; keystoneauth knows one, and adds words of its own."""
    with suppress(AttributeError, TypeError, ValueError):
        body = exc.response.json()
        inner = body.get("error", body)
        if text := inner.get("message") or inner.get("error_msg"):
            return str(inner.get("error_code") or ""), str(text)
    return "", str(exc.message).partition(" (HTTP")[0]


def _reason(exc: BaseException) -> str:
    """What the system said, out of the several layers of wrapping that connection errors come in."""
    seen: BaseException | None = exc
    reason = "timed out" if "timed out" in str(exc) else type(exc).__name__
    while seen is not None:
        wrapped = getattr(seen.args[0], "reason", None) if seen.args else None
        if isinstance(seen, OSError) and seen.strerror:
            reason = seen.strerror
        seen = wrapped if isinstance(wrapped, BaseException) else seen.__cause__ or seen.__context__
    return reason
