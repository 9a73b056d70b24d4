"""
From settings to a token source.
"""

from __future__ import annotations

import json
from typing import Any

from ..drs.auth.sources import IamLogin, ReadyToken, TokenSource
from .keys import USER_FIELDS
from .model import Settings


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
    iam: dict[str, Any] = {
        "project_id": settings.project_id,
        "project_name": settings.project_name,
        "ca_cert": settings.ca_cert,
        "advice": settings.advice,
    }
    if settings.token:
        return ReadyToken(settings.token.get_secret_value(), auth_url=settings.auth_url, **iam)
    options: dict[str, Any] = {}
    if settings.auth_options:
        options = json.loads(settings.auth_options.get_secret_value())
    elif settings.password:
        options = settings.model_dump(include=set(USER_FIELDS)) | {"password": settings.password.get_secret_value()}
    if not (settings.auth_url and options):
        raise ValueError("a login needs auth_url, and a password or options; load_settings checks it")
    return IamLogin(
        settings.auth_url,
        options,
        auth_type=settings.auth_type or "v3password",
        project_domain_id=settings.project_domain_id,
        project_domain_name=settings.project_domain_name,
        client_cert=(settings.client_cert, settings.client_key or settings.client_cert) if settings.client_cert else None,
        **iam,
    )
