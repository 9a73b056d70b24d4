"""
What configuration becomes, and the error when it does not.

`Settings` checks each value by itself. Which value counts, and whether one is missing, is decided in `load`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from ..drs.calls.client import DEFAULT_BATCH_SIZE
from ..drs.http.urls import is_loopback, plain_url
from ..drs.text import quoted

# What a login does not depend on.
_NOT_OF_THE_LOGIN = frozenset({"region", "endpoint", "language", "batch_size", "advice"})


@dataclass(frozen=True, slots=True)
class Overrides:
    """A resource's own inputs that say where its jobs are. They win over every other source."""

    region: str | None = None
    project_id: str | None = None
    endpoint: str | None = None
    cloud: str | None = None


class SettingsError(ValueError):
    """The configuration is incomplete or wrong.

    Attributes:
        problems: a sentence for each thing to correct; the last may be a hint.
        wrong: those that are not about something that is missing.
    """

    def __init__(self, problems: Sequence[str], wrong: Sequence[str] | None = None) -> None:
        self.problems = tuple(problems)
        self.wrong = self.problems if wrong is None else tuple(wrong)
        lines = [f"- {problem}" for problem in problems]
        super().__init__("\n".join(["the configuration needs attention:", *lines]) if len(lines) > 1 else problems[0])


class Settings(BaseModel):
    """How to reach DRS and IAM, and as whom. Immutable and hashable; its repr and its errors show no secrets.

    Exactly one kind of login is given: `token`, or `access_key` with `secret_key`, or `auth_type`, or `password` with a user.

    Attributes:
        region: its name, such as ``eu-de``.
        endpoint: of DRS: scheme, host and port.
        auth_url: of IAM, ``…/v3``; None where neither a login nor a question to IAM is needed.
        token: a token that somebody else got.
        security_token: belongs to a temporary access key.
        auth_type: keystoneauth's name of a login of clouds.yaml that needs more than a password, such as
            ``v3applicationcredential``.
        auth_options: the options of that login, as JSON.
        client_cert: path of a certificate to show to IAM; `client_key` is None if the key is in the same file.
        ca_cert: path of the certificates to trust; None for the usual authorities.
        batch_size: most jobs in one call.
        advice: what to check when the login is refused, with the source of each value: "Check the password (OS_PASSWORD) …".
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    region: str | None = None
    endpoint: str
    auth_url: str | None = None
    project_id: str | None = None
    project_name: str | None = None
    project_domain_id: str | None = None
    project_domain_name: str | None = None
    username: str | None = None
    user_id: str | None = None
    user_domain_id: str | None = None
    user_domain_name: str | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None
    access_key: SecretStr | None = None
    secret_key: SecretStr | None = None
    security_token: SecretStr | None = None
    auth_type: str | None = None
    auth_options: SecretStr | None = None
    client_cert: str | None = None
    client_key: str | None = None
    ca_cert: str | None = None
    language: Annotated[Literal["en-us", "zh-cn"], BeforeValidator(str.lower)] = "en-us"
    batch_size: int = Field(default=DEFAULT_BATCH_SIZE, ge=1)
    advice: str = ""

    @property
    def login(self) -> tuple[object, ...]:
        """Everything that a token depends on. Settings that are equal in it can share one login."""
        return tuple(value for name, value in self if name not in _NOT_OF_THE_LOGIN)

    # The texts of addresses and secrets are not quoted: an address may hold a password.
    @field_validator("endpoint", "auth_url", mode="before")
    @classmethod
    def _plain_url(cls, text: str, info: ValidationInfo) -> str:
        return plain_url(text, is_iam=info.field_name == "auth_url")

    @field_validator("project_id")
    @classmethod
    def _is_project_id(cls, text: str, info: ValidationInfo) -> str:
        # A sandbox may have ids that are easier to read, as long as they fit into a path.
        is_sandbox = is_loopback(info.data.get("endpoint", "http://localhost"))
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}" if is_sandbox else r"[0-9A-Fa-f]{32}", text):
            raise ValueError(
                f"must be a project's id, 32 hexadecimal characters; {quoted(text)} is not one "
                "(a name goes to drs:projectName or OS_PROJECT_NAME)"
            )
        return text

    # The HTTP library would quote these in its own error.
    @field_validator("token", "access_key", "security_token")
    @classmethod
    def _fits_in_a_header(cls, secret: SecretStr, info: ValidationInfo) -> SecretStr:
        # Commas separate the parts of a signature.
        if not re.fullmatch(r"[!-~]+" if info.field_name == "token" else r"[!-+\--~]+", secret.get_secret_value()):
            kind = "is not a token: it has" if info.field_name == "token" else "has"
            raise ValueError(f"{kind} characters that no HTTP header can carry")
        return secret

    @field_validator("ca_cert")
    @classmethod
    def _exists(cls, text: str) -> str:
        path = Path(text).expanduser()
        if not path.exists():
            raise ValueError(f"names a TLS bundle that does not exist: {quoted(text)}")
        return str(path)
