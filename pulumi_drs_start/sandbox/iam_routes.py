"""Enough of IAM v3 for keystoneauth and openstacksdk: logging in, validating a token, finding a project, discovery."""

from __future__ import annotations

import hmac
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from .access import reply, state_of
from .clock import iso
from .errors import IdentityRefusedError
from .models import AuthInfo, AuthRequest, IdentityError, Named, PasswordInfo
from .policy import Account
from .tokens import Scope, Token

_REFUSALS: dict[int | str, dict[str, Any]] = {status: {"model": IdentityError} for status in (400, 401, 403, 404)}
router = APIRouter(responses=_REFUSALS, tags=["iam"])


@router.get("/", status_code=300)
async def versions(request: Request) -> Response:
    return reply(request, {"versions": {"values": [_version(request)]}}, 300)


@router.get("/v3", status_code=200)
@router.get("/v3/", status_code=200, include_in_schema=False)
async def version(request: Request) -> Response:
    return reply(request, {"version": _version(request)}, 200)


def _version(request: Request) -> dict[str, Any]:
    return {
        "id": "v3.6",
        "status": "stable",
        "updated": "2016-04-04T00:00:00Z",
        "links": [{"rel": "self", "href": f"{_base_url(request)}/v3/"}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    }


def _base_url(request: Request) -> str:
    # Where this connection really ended: the Host header is the client's word only.
    host, port = request.scope["server"]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@router.post("/v3/auth/tokens", status_code=201)
async def create_token(request: Request, body: AuthRequest) -> Response:
    """Obtaining a User Token Through Password Authentication."""
    state = state_of(request)
    _authenticate(request, body.auth)
    if "application_credential" in body.auth.identity.methods:
        # Made for one project, once and for all (OpenStack's "Authenticating with an Application Credential").
        scope, project_id = _fixed_scope(body.auth, state.account)
    else:
        scope, project_id = _scope(body.auth, state.account)
    token = state.tokens.issue(scope, project_id, state.policy.token_lifetime)
    headers = {"X-Subject-Token": token.value}
    return reply(request, _token_body(request, token, with_catalog="nocatalog" not in request.query_params), 201, headers)


@router.get("/v3/auth/tokens", status_code=200)
async def validate_token(request: Request) -> Response:
    """Verifying a Token."""
    _require_token(request)
    token = state_of(request).tokens.valid(request.headers.get("x-subject-token"))
    if token is None:
        raise IdentityRefusedError(404, "The token could not be found.")
    body = _token_body(request, token, with_catalog="nocatalog" not in request.query_params)
    return reply(request, body, 200, {"X-Subject-Token": token.value})


@router.get("/v3/auth/projects", status_code=200)
@router.get("/v3/projects", status_code=200)
async def projects(request: Request, name: str | None = None) -> Response:
    """Querying Project Information: how a project's name becomes its id."""
    _require_token(request)
    account = state_of(request).account
    found = [
        {"id": key, "name": value, "domain_id": account.domain_id, "enabled": True, "is_domain": False}
        for key, value in account.projects.items()
        if name in (None, value)
    ]
    links = {"self": f"{_base_url(request)}/v3/projects", "next": None, "previous": None}
    return reply(request, {"projects": found, "links": links}, 200)


def _require_token(request: Request) -> None:
    if state_of(request).tokens.valid(request.headers.get("x-auth-token")) is None:
        raise IdentityRefusedError(401, "The token must be updated.")


def _authenticate(request: Request, auth: AuthInfo) -> None:
    state, identity = state_of(request), auth.identity
    if "password" in identity.methods and identity.password is not None:
        if not _is_password_right(identity.password, state.account):
            raise IdentityRefusedError(401, "The username or password is wrong.")
    elif "application_credential" in identity.methods and identity.application_credential is not None:
        given, account = identity.application_credential, state.account
        secret = given.secret.encode("utf-8", "surrogatepass")
        is_secret_right = hmac.compare_digest(secret, account.application_credential_secret.encode())
        if not is_secret_right or given.id != account.application_credential_id:
            raise IdentityRefusedError(401, "The request you have made requires authentication.")
    elif "token" in identity.methods and identity.token is not None:
        if state.tokens.valid(identity.token.id) is None:
            raise IdentityRefusedError(401, "The token must be updated.")
    else:
        raise IdentityRefusedError(400, "The authentication method is missing or not supported.")


def _is_password_right(given: PasswordInfo, account: Account) -> bool:
    user = given.user
    if user.id is not None:
        is_user = user.id == account.user_id
    else:
        is_user = user.name == account.username and _is_domain(user.domain, account)
    password = user.password.encode("utf-8", "surrogatepass")
    return hmac.compare_digest(password, account.password.encode()) and is_user


def _is_domain(domain: Named | None, account: Account) -> bool:
    return domain is not None and (domain.id == account.domain_id or domain.name == account.domain_name)


def _fixed_scope(auth: AuthInfo, account: Account) -> tuple[Scope, str | None]:
    if auth.scope is not None:
        raise IdentityRefusedError(401, "Application credentials cannot request a scope.")
    return "project", account.project_id


def _scope(auth: AuthInfo, account: Account) -> tuple[Scope, str | None]:
    """Given both, the project wins ("Obtaining a User Token Through Password Authentication")."""
    if auth.scope is None or auth.scope == "unscoped":
        return "unscoped", None
    wanted = auth.scope.project
    if wanted is not None:
        is_domain_wrong = wanted.domain is not None and not _is_domain(wanted.domain, account)
        for project_id, name in account.projects.items():
            if not is_domain_wrong and (wanted.id == project_id or (wanted.id is None and wanted.name == name)):
                return "project", project_id
        raise IdentityRefusedError(401, "The project does not exist or the user has no access to it.")
    if auth.scope.domain is not None:
        if not _is_domain(auth.scope.domain, account):
            raise IdentityRefusedError(401, "The domain does not exist or the user has no access to it.")
        return "domain", None
    return "unscoped", None


def _token_body(request: Request, token: Token, *, with_catalog: bool) -> dict[str, Any]:
    account = state_of(request).account
    domain = {"id": account.domain_id, "name": account.domain_name}
    body: dict[str, Any] = {
        "methods": ["password"],
        "issued_at": iso(token.issued_at),
        "expires_at": iso(token.expires_at),
        "user": {"id": account.user_id, "name": account.username, "domain": domain, "password_expires_at": ""},
    }
    if token.project_id is not None:
        body["project"] = {"id": token.project_id, "name": account.projects[token.project_id], "domain": domain}
    elif token.scope == "domain":
        body["domain"] = domain
    if token.scope != "unscoped":
        body["roles"] = [{"id": "0", "name": "te_admin"}, {"id": "1", "name": "drs_adm"}]
        if with_catalog:
            body["catalog"] = _catalog(request, token, account)
    return {"token": body}


def _catalog(request: Request, token: Token, account: Account) -> list[dict[str, Any]]:
    base = _base_url(request)
    services = {"identity": ("keystone", f"{base}/v3")}
    if token.project_id is not None:
        services["drs"] = ("drs", f"{base}/v3/{token.project_id}")
    return [
        {
            "id": f"{kind}-service",
            "type": kind,
            "name": name,
            "endpoints": [
                {
                    "id": f"{kind}-public",
                    "interface": "public",
                    "region": account.region,
                    "region_id": account.region,
                    "url": url,
                }
            ],
        }
        for kind, (name, url) in services.items()
    ]
