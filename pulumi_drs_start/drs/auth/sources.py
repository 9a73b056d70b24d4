"""
Token sources: where the DRS client gets tokens from.

Many resources run in the threads of one process and share one token source. So a login happens once, the threads that waited
for it share its failure, and a refusal is remembered for a while: IAM locks accounts after several wrong passwords.

A failed login is not repeated here. The caller knows how much time there is, and the error says whether it may work later.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import AuthenticationError, DrsError, TokenRejectedError, UnreachableError
from ..http.budget import TimeBudget
from ..http.retry import Contact
from ..text import keep_secret, keep_token_secret
from .errors import WrongScopeError, check_scope, translate
from .iam_session import LOGIN_SECONDS, with_session
from .plugins import make_plugin

if TYPE_CHECKING:
    from keystoneauth1.access import AccessInfo
    from keystoneauth1.session import Session

log = logging.getLogger(__name__)

# A token is replaced this long before it expires, or a tenth of its lifetime if that is less.
STALE_SECONDS = 120.0
# How long a refused login is not tried again: longer than the resources of one command take to ask.
REFUSAL_SECONDS = 60.0
ADVICE = "Check the login."
_SECRET_OPTION = re.compile("secret|password|passcode|token|code|otp")


class TokenSource(ABC):
    """Where tokens, and the project they are for, come from. May be shared by threads."""

    @abstractmethod
    def token(self, budget: TimeBudget | None = None) -> str:
        """A token that should be valid. It is cached.

        Args:
            budget: the time that a login may take; without one, only the limits of a login count.

        Raises:
            AuthenticationError: IAM refused, or gave a token that is not for the project.
            ThrottledError, ServiceFaultError, UnreachableError, UnreadableAnswerError: it may work later.
        """

    @abstractmethod
    def project_id(self, budget: TimeBudget | None = None) -> str:
        """The project's id, as given or as the token tells. Takes and raises what `token` does."""

    def headers(self, token: str, method: str, url: str, body: bytes) -> Mapping[str, str]:  # noqa: ARG002 - signatures need them
        """The headers that authorize this one request: the token, or a signature."""
        return {"X-Auth-Token": token}

    def renew(self, rejected: str, refusal: TokenRejectedError | None = None) -> bool:  # noqa: ARG002 - for subclasses
        """Forget `rejected` if it is the cached token.

        Returns:
            Whether `token` may give another one.

        Raises:
            AuthenticationError: it can't, and this says better than `refusal` why.
        """
        return False

    def close(self) -> None:  # noqa: B027 - most have nothing to forget
        """Forget the cached token."""


@dataclass(frozen=True, slots=True)
class _Login:
    token: str = field(repr=False)
    project_id: str | None
    stale_at: float


@dataclass(frozen=True, slots=True)
class _Failure:
    cause: Exception
    begun: float
    kept_until: float


class IamLogin(TokenSource):
    """Logs in to IAM for one project, as one of keystoneauth's plugins does, and keeps the token.

    Args:
        auth_url: IAM, ``https://…/v3``.
        options: of the plugin, without address and project: ``{"username": …, "password": …, "user_domain_name": …}``.
        auth_type: the plugin's name.
        project_id: the project of the jobs; IAM tells it with the token where only `project_name` is given.
        project_domain_id: of the project; that of the user if neither it nor `project_domain_name` is given.
        ca_cert: path of the certificates to trust, or None for the usual authorities.
        client_cert: paths of a certificate to show to IAM and of its key.
        advice: the next step after a refused login, in a sentence.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        auth_url: str,
        options: Mapping[str, Any],
        *,
        auth_type: str = "v3password",
        project_id: str | None = None,
        project_name: str | None = None,
        project_domain_id: str | None = None,
        project_domain_name: str | None = None,
        ca_cert: str | None = None,
        client_cert: tuple[str, str] | None = None,
        advice: str = ADVICE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.auth_url = auth_url
        self._auth_type = auth_type
        self._options = dict(options)
        keep_secret(*(str(value) for name, value in options.items() if _SECRET_OPTION.search(name)))
        self._project_id = project_id
        self._project_name = project_name
        # keystoneauth prefers ids to names itself, but would not take the user's domain for the project's.
        if not (project_domain_id or project_domain_name):
            project_domain_id, project_domain_name = options.get("user_domain_id"), options.get("user_domain_name")
        self._project = {
            "project_id": project_id,
            "project_name": project_name,
            "project_domain_id": project_domain_id,
            "project_domain_name": project_domain_name,
        }
        self._subject = _subject(auth_type, options, project_id or project_name)
        self._advice = advice
        self._session_options: dict[str, Any] = {"ca_cert": ca_cert, "client_cert": client_cert}
        self._clock = clock
        self._lock = threading.Lock()
        self._login: _Login | None = None
        self._rejected: str | None = None
        self._failure: _Failure | None = None
        self._attempts = 0
        self._contact = Contact()

    def __repr__(self) -> str:
        return f"<IamLogin: {self._subject} at {self.auth_url}>"

    def token(self, budget: TimeBudget | None = None) -> str:
        return self._logged_in(budget).token

    def renew(self, rejected: str, refusal: TokenRejectedError | None = None) -> bool:  # noqa: ARG002 - as in TokenSource
        """Never return `rejected` again: the next `token` logs in. Returns True."""
        # Without the lock: another thread may hold it for as long as its login takes.
        login = self._login
        if login is not None and login.token == rejected:
            self._rejected = rejected
        return True

    def close(self) -> None:
        self._login = None

    def project_id(self, budget: TimeBudget | None = None) -> str:
        if self._project_id:
            return self._project_id
        if found := self._logged_in(budget).project_id:
            return found
        raise AuthenticationError(f"IAM at {self.auth_url} named no project after {self._subject}. {self._advice}")

    def _logged_in(self, budget: TimeBudget | None) -> _Login:
        """The cached login, or a new one, made by one thread while the others wait."""
        budget = budget or TimeBudget(LOGIN_SECONDS)
        attempts_before = self._attempts
        with budget.holding(self._lock, f"{self._subject} at {self.auth_url}"):
            login = self._login
            if login is not None and login.token != self._rejected and self._clock() < login.stale_at:
                return login
            if self._failure is not None:
                waited_for_it = self._attempts != attempts_before
                if waited_for_it or self._clock() < self._failure.kept_until:
                    raise self._translated(self._failure.cause, self._failure.begun) from self._failure.cause
            begun = self._clock()
            try:
                self._login = login = self._log_in(budget)
            except Exception as exc:
                error = self._translated(exc, begun)
                # A login that this budget has cut off says nothing to the others.
                if not (error.retryable and budget.has_ended):
                    kept = REFUSAL_SECONDS if isinstance(error, AuthenticationError) else 0.0
                    self._failure = _Failure(exc, begun, self._clock() + kept)
                    self._attempts += 1
                raise error from exc
            self._failure = self._rejected = None
            self._attempts += 1
            self._contact.succeeded()
            return login

    def _log_in(self, budget: TimeBudget) -> _Login:
        asked_at = self._clock()
        plugin = make_plugin(self._auth_type, self.auth_url, self._options, self._project)
        access = with_session(self.auth_url, plugin.get_auth_ref, budget, **self._session_options)
        seconds = _lifetime_seconds(access)
        project_id = access.project_id if access.project_scoped else None
        check_scope(
            {"id": project_id, "name": access.project_name} if project_id else {},
            {"id": access.domain_id, "name": access.domain_name} if access.domain_scoped else {},
            wanted_id=self._project_id,
            wanted_name=self._project_name,
        )
        log.debug("%s at %s: done, good for %.0f s", self._subject, self.auth_url, seconds)
        return _Login(_checked_token(access.auth_token), project_id, asked_at + seconds - min(STALE_SECONDS, seconds / 10))

    def _translated(self, exc: Exception, begun: float) -> DrsError:
        by_name = self._project_name if not self._project_id else None
        error = translate(exc, self._subject, self.auth_url, self._advice, project_name=by_name)
        if not isinstance(error, UnreachableError):
            self._contact.succeeded()
        elif not error.was_connected:
            self._contact.failed(error, begun, self._clock())
        return error


class ReadyToken(TokenSource):
    """A token that somebody else got. It can't be renewed.

    Args:
        token: sent as it is.
        project_id: the project of the jobs; without it IAM is asked once what the token is for.
        project_name: of the project that the token should be for; compared when IAM is asked.

    The others are those of `IamLogin`.
    """

    def __init__(
        self,
        token: str,
        *,
        project_id: str | None = None,
        project_name: str | None = None,
        auth_url: str | None = None,
        ca_cert: str | None = None,
        advice: str = ADVICE,
    ) -> None:
        self.auth_url = auth_url
        self._token = token
        keep_secret(token)
        self._project_id = project_id
        self._project_name = project_name
        self._ca_cert = ca_cert
        self._advice = advice
        self._lock = threading.Lock()
        self._contact = Contact()

    def __repr__(self) -> str:
        return f"<ReadyToken for project {self._project_id or self._project_name or 'of its own'}>"

    def token(self, budget: TimeBudget | None = None) -> str:  # noqa: ARG002 - as in TokenSource
        return self._token

    def project_id(self, budget: TimeBudget | None = None) -> str:
        if not self._project_id:
            budget = budget or TimeBudget(LOGIN_SECONDS)
            with budget.holding(self._lock, f"IAM at {self.auth_url} to tell the project of the token"):
                self._project_id = self._project_id or self._ask_iam(budget)
        return self._project_id

    def _ask_iam(self, budget: TimeBudget) -> str:
        """What IAM says of the token to itself ("Verifying a Token and Returning a Valid Token")."""
        if not self.auth_url:
            raise AuthenticationError(f"nothing tells the project of the token: give its id. {self._advice}")
        with self._contact.watched(budget.clock):
            try:
                told = with_session(self.auth_url, self._read_token, budget, ca_cert=self._ca_cert)
                project = told.get("project") or {}
                check_scope(project, told.get("domain") or {}, wanted_id=None, wanted_name=self._project_name, is_needed=True)
                return str(project["id"])
            except WrongScopeError as exc:
                raise AuthenticationError(f"the token is {exc}. {self._advice}") from None
            except Exception as exc:
                raise translate(exc, "the token", self.auth_url, self._advice) from exc

    def _read_token(self, session: Session) -> Mapping[str, Any]:
        headers = {"X-Auth-Token": self._token, "X-Subject-Token": self._token, "Accept": "application/json"}
        answer = session.get(f"{self.auth_url}/auth/tokens?nocatalog", headers=headers, authenticated=False)
        told: Mapping[str, Any] = answer.json()["token"]
        return told


def _subject(auth_type: str, options: Mapping[str, Any], project: str | None) -> str:
    """What is asked of IAM, for error texts."""
    if auth_type == "v3password":
        user, domain = options.get("user_id"), options.get("user_domain_name") or options.get("user_domain_id")
        subject = f'the login of user "{user or options.get("username")}"'
        subject += f' (domain "{domain}")' if domain and not user else ""
    else:
        subject = f"the login by {auth_type}"
    return f'{subject} for project "{project}"' if project else subject


def _lifetime_seconds(access: AccessInfo) -> float:
    """How long the token lives, by IAM's clock: the one here may be wrong."""
    if access.expires is None or access.issued is None:
        raise ValueError("the token has no times")
    return max(0.0, (access.expires - access.issued).total_seconds())


def _checked_token(token: str) -> str:
    # requests would quote a token with other characters in its error.
    if not token or not token.isascii() or not token.isprintable():
        raise ValueError("no usable X-Subject-Token")
    keep_token_secret(token)
    return token
