"""
Access keys: each request is signed, and nobody logs in (SDK-HMAC-SHA256, in the dialect of the vendor's SDKs).

DRS documents tokens only. That its gateway takes signatures is known from clients that sign; so this is an extra, and the
signer is the vendor's own, imported when the first request is signed.

Five bad signatures in a row lock a key for minutes, so a refusal is remembered for a while, as that of a password is.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from ..clock import SYSTEM_CLOCK, Clock
from ..errors import AuthenticationError, TokenRejectedError
from ..http.budget import TimeBudget
from ..http.exchange import fingerprint
from ..text import keep_secret
from .sources import REFUSAL_SECONDS, TokenSource


@dataclass(frozen=True, slots=True)
class _Keys:
    """What the vendor's signer asks its credentials for."""

    ak: str = field(repr=False)
    sk: str = field(repr=False)


class SigningAuth(TokenSource):
    """Signs requests with an access key. Its token is a name for the key that gives nothing away.

    Args:
        project_id: of the jobs; without a login nobody else tells it.
        security_token: belongs to a temporary access key.
        advice: the next step after a refusal, in a sentence.
    """

    def __init__(
        self,
        access_key: str,
        secret_key: str,
        *,
        project_id: str,
        security_token: str | None = None,
        advice: str = "Check the access key and the secret key.",
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._keys = _Keys(access_key, secret_key)
        keep_secret(access_key, secret_key, security_token)
        self._project_id = project_id
        self._security_token = security_token
        self._advice = advice
        self._clock = clock
        self._lock = threading.Lock()
        self._refusal: tuple[str, float] | None = None

    def __repr__(self) -> str:
        return f"<SigningAuth: access key {self._name} for project {self._project_id}>"

    @property
    def _name(self) -> str:
        return fingerprint(self._keys.ak)

    def token(self, budget: TimeBudget | None = None) -> str:  # noqa: ARG002 - as in TokenSource
        """A name for the key. Raises AuthenticationError while a refusal is remembered."""
        with self._lock:
            if self._refusal is not None and self._clock.monotonic() < self._refusal[1]:
                raise AuthenticationError(self._refusal[0])
        return self._name

    def headers(self, token: str, method: str, url: str, body: bytes) -> dict[str, str]:  # noqa: ARG002 - as in TokenSource
        """A signature of this one request, which is good for a quarter of an hour."""
        from huaweicloudsdkcore.sdk_request import SdkRequest
        from huaweicloudsdkcore.signer.signer import Signer

        parts = urlsplit(url)
        signed = {
            "Content-Type": "application/json",
            "X-Project-Id": self._project_id,
            "X-Sdk-Date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock.time())),
        }
        if self._security_token:
            signed["X-Security-Token"] = self._security_token
        request = SdkRequest(
            method=method,
            schema=parts.scheme,
            host=parts.netloc,
            resource_path=parts.path,
            query_params=parse_qsl(parts.query, keep_blank_values=True),
            header_params=signed,
            body=body,
        )
        headers: dict[str, str] = Signer(self._keys).sign(request).header_params
        # The HTTP library writes the same one.
        headers.pop("Host", None)
        return headers

    def renew(self, rejected: str, refusal: TokenRejectedError | None = None) -> bool:  # noqa: ARG002 - as in TokenSource
        """There is no other key.

        Raises:
            AuthenticationError: with what else may be wrong than the key.
        """
        said = f"refused ({str(refusal).rstrip('.')})" if refusal else "refused"
        text = (
            f"the access key was {said}. {self._advice} This machine's clock must be right to a quarter of an hour. "
            "DRS does not document access keys: if they are right, log in with a password or a token instead."
        )
        with self._lock:
            self._refusal = (text, self._clock.monotonic() + REFUSAL_SECONDS)
        raise AuthenticationError(text)

    def project_id(self, budget: TimeBudget | None = None) -> str:  # noqa: ARG002 - as in TokenSource
        return self._project_id
