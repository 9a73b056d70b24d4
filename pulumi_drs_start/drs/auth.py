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
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from .auth_errors import advice_for, translated
from .errors import (
    AuthenticationError,
    DrsError,
)
from .urls import is_loopback

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
        self._advice = advice_for(("username", "domain", "password", "project", "auth_url"), origins)
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
        return translated(exc, self._subject, self.auth_url, self._advice, self._password)


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
        self._advice = advice_for(("token", "project", "auth_url"), origins)
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
            raise translated(exc, "the token", self.auth_url, self._advice, self._token) from exc
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
