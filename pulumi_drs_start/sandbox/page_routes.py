"""
The page at `/` and what it asks for. Its buttons make the control calls of `admin_routes`, past the same guard as any other.

Names, ids and callers on it come from programs that may be wrong or worse. They are escaped, and the page's policy lets no script
run but its own; nobody may frame it, and nothing is loaded from elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import secrets

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from .access import state_of
from .admin_routes import PREFIX
from .page.render import live_parts, whole_page

PAGE = f"{PREFIX}/page"
router = APIRouter(prefix=PAGE, include_in_schema=False)


def wants_page(scope: Scope) -> bool:
    """Whether this is a browser that was told the sandbox's address; a client of IAM asks there for JSON."""
    if scope.get("path") != "/" or scope.get("method") != "GET":
        return False
    return any(name.lower() == b"accept" and b"text/html" in value for name, value in scope["headers"])


@router.get("")
async def page(request: Request, filter: str = "") -> Response:
    nonce = secrets.token_urlsafe(16)
    return Response(whole_page(state_of(request), filter, nonce), media_type="text/html", headers=_headers(nonce))


@router.get("/live")
async def live(request: Request, filter: str = "") -> Response:
    body = json.dumps(live_parts(state_of(request), filter)).encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    return Response(body, media_type="application/json", headers={"ETag": tag, **_headers()})


def _headers(nonce: str = "") -> dict[str, str]:
    own = f"'nonce-{nonce}'" if nonce else "'none'"
    policy = {
        "default-src": "'none'",
        "script-src": own,
        "style-src": own,
        "img-src": "data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
