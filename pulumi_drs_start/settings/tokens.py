"""
From settings to a token source.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from ..drs.auth.sources import IamLogin, ReadyToken, TokenSource
from .model import Settings

_USER = ("username", "user_id", "user_domain_id", "user_domain_name")
_PROJECT = ("project_id", "project_name", "project_domain_id", "project_domain_name")


def token_source(settings: Settings) -> TokenSource:
    """A new token source for the login of these settings. Nothing is sent yet."""
    if settings.access_key and settings.secret_key:
        from ..drs.auth.signing import SigningAuth

        return SigningAuth(
            settings.access_key.get_secret_value(),
            settings.secret_key.get_secret_value(),
            project_id=settings.project_id or "",
            security_token=settings.security_token.get_secret_value() if settings.security_token else None,
            advice=settings.advice,
        )
    project = {name: getattr(settings, name) for name in _PROJECT}
    common: dict[str, Any] = {"ca_cert": settings.ca_cert, "user_agent": user_agent(), "advice": settings.advice}
    if settings.token:
        token = settings.token.get_secret_value()
        return ReadyToken(
            token,
            project_id=settings.project_id,
            project_name=settings.project_name,
            auth_url=settings.auth_url,
            **common,
        )
    if settings.auth_url is None or not (settings.auth_options or settings.password):
        raise ValueError("a login needs auth_url, and a password or options; load_settings checks it")
    if settings.auth_type and settings.auth_options:
        auth_type, options = settings.auth_type, json.loads(settings.auth_options.get_secret_value())
    else:
        auth_type, options = "v3password", {name: getattr(settings, name) for name in _USER}
        options["password"] = settings.password.get_secret_value() if settings.password else ""
    client_cert = (settings.client_cert, settings.client_key or settings.client_cert) if settings.client_cert else None
    return IamLogin(settings.auth_url, options, auth_type=auth_type, client_cert=client_cert, **project, **common)


def user_agent() -> str:
    """How this package introduces itself to DRS and IAM."""
    # Importing the package here would be a circle: its public names stand on this module.
    version = getattr(sys.modules.get(__name__.partition(".")[0]), "__version__", "0")
    return f"pulumi-drs-start/{version}"
