"""
Who shows DRS that we may call: made once for all resources that log in alike.
"""

from __future__ import annotations

import json
import sys
import threading

from ..drs.auth.sources import PasswordAuth, PluginAuth, ReadyToken, TokenSource
from ..drs.calls.client import DEFAULT_BATCH_SIZE
from .model import Settings

_PROJECT = {"project_id", "project_name", "project_domain_id", "project_domain_name"}
_USER = {"username", "user_id", "user_domain_id", "user_domain_name"}
_shared: dict[Settings, TokenSource] = {}
_shared_lock = threading.Lock()


def token_source(settings: Settings) -> TokenSource:
    """A new token source for these settings."""
    origins = dict(settings.origins)
    if settings.access_key is not None and settings.secret_key is not None:
        from ..drs.auth.signing import SigningAuth

        return SigningAuth(
            settings.access_key.get_secret_value(),
            settings.secret_key.get_secret_value(),
            project_id=settings.project_id or "",
            security_token=settings.security_token.get_secret_value() if settings.security_token else None,
            origins=origins,
        )
    if settings.token is not None:
        return ReadyToken(
            settings.token.get_secret_value(),
            project_id=settings.project_id,
            project_name=settings.project_name,
            auth_url=settings.auth_url,
            ca_cert=settings.ca_cert,
            user_agent=user_agent(),
            origins=origins,
        )
    if settings.auth_url is None:
        raise ValueError("a login needs auth_url; load_settings sees to it")
    client_cert = (settings.client_cert, settings.client_key or settings.client_cert) if settings.client_cert else None
    if settings.login_type is not None and settings.login_options is not None:
        return PluginAuth(
            settings.auth_url,
            settings.login_type,
            json.loads(settings.login_options.get_secret_value()),
            ca_cert=settings.ca_cert,
            client_cert=client_cert,
            user_agent=user_agent(),
            origins=origins,
            **settings.model_dump(include=_PROJECT),
        )
    if settings.password is None:
        raise ValueError("settings without any other login need a password; load_settings sees to it")
    return PasswordAuth(
        settings.auth_url,
        password=settings.password.get_secret_value(),
        ca_cert=settings.ca_cert,
        client_cert=client_cert,
        user_agent=user_agent(),
        origins=origins,
        **settings.model_dump(include=_PROJECT | _USER),
    )


def shared_token_source(settings: Settings) -> TokenSource:
    """The process's one token source for whoever these settings log in as: forty resources, one login."""
    # What a login does not depend on does not make a second one.
    plain = {"endpoint": "", "region": None, "language": "en-us", "batch_size": DEFAULT_BATCH_SIZE, "origins": ()}
    key = settings.model_copy(update=plain)
    with _shared_lock:
        if key not in _shared:
            _shared[key] = token_source(settings)
        return _shared[key]


def user_agent() -> str:
    """How we introduce ourselves to DRS and IAM."""
    # Importing the package here would be a circle: its public names stand on this module.
    version = getattr(sys.modules.get(__name__.partition(".")[0]), "__version__", "0")
    return f"pulumi-drs-start/{version}"
