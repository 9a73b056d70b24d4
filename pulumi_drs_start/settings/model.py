"""
What configuration becomes, and the error when it does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from ..drs.calls.client import DEFAULT_BATCH_SIZE


@dataclass(frozen=True, slots=True)
class Overrides:
    """A resource's own inputs, the strongest place."""

    region: str | None = None
    project_id: str | None = None
    endpoint: str | None = None
    cloud: str | None = None


class SettingsError(ValueError):
    """The configuration is incomplete or wrong.

    Attributes:
        problems: one sentence for each thing to mend.
        hint: what else may explain them, or nothing.
    """

    def __init__(self, problems: Sequence[str], hint: str = "") -> None:
        self.problems = tuple(problems)
        self.hint = hint
        lines = [*self.problems, hint] if hint else [*self.problems]
        if len(lines) > 1:
            lines = ["the configuration needs attention:", *(f"- {line}" for line in lines)]
        super().__init__("\n".join(lines))


class Settings(BaseModel):
    """How to reach DRS and IAM, and as whom. Hashable; shows no secrets.

    There is one way in: a token, or an access key, or another login than by password, or a password.

    Attributes:
        endpoint: of DRS: scheme, host and port.
        auth_url: of IAM, ``…/v3``; None where nobody logs in.
        token: a ready token.
        access_key: signs requests, with `secret_key`; `security_token` belongs to a temporary one.
        login_type: keystoneauth's name of a login that clouds.yaml asks for, such as ``v3applicationcredential``.
        login_options: what that login needs, as JSON.
        client_cert: path of a certificate to show to IAM; `client_key` may be in the same file.
        origins: pairs of a value's name and the place it came from, such as ``("password", "OS_PASSWORD")``.
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
    login_type: str | None = None
    login_options: SecretStr | None = None
    client_cert: str | None = None
    client_key: str | None = None
    language: Literal["en-us", "zh-cn"] = "en-us"
    ca_cert: str | None = None
    batch_size: int = Field(default=DEFAULT_BATCH_SIZE, ge=1)
    origins: tuple[tuple[str, str], ...] = ()

    @property
    def has_ready_token(self) -> bool:
        """Whether a token was given rather than a password; it can't be renewed."""
        return self.token is not None
