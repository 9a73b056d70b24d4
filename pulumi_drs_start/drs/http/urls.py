"""
Addresses of DRS and IAM: one spelling each, and which of them stay on this machine.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine: localhost, 127.0.0.0/8 or ::1."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def plain_url(text: str, is_iam: bool) -> str:
    """A URL without what makes two spellings of the same one differ.

    Raises:
        ValueError: with what is wrong. It does not quote the URL, which may hold a password.
    """
    shape = re.fullmatch(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?(/[\w./~-]*)?", text, re.I | re.ASCII)
    if shape is None:
        more = ", perhaps with a path" if is_iam else ", without a path"
        raise ValueError(f"must be a URL like https://host or https://host:port{more}, without user, query or fragment")
    scheme, host, port, path = shape[1].lower(), shape[2].lower(), shape[3], shape[4] or ""
    if host.startswith("["):
        try:
            IPv6Address(host[1:-1])
        except ValueError:
            raise ValueError("has an IPv6 address that is not valid") from None
    if port and not 0 < int(port) < 65536:
        raise ValueError("has a port that is not valid")
    url = f"{scheme}://{host}"
    if port and int(port) != (443 if scheme == "https" else 80):
        url += f":{int(port)}"
    if scheme == "http" and not is_loopback(url):
        raise ValueError("must begin with https:// (plain http is for this machine only: tokens and passwords travel there)")
    parts = [part for part in path.split("/") if part]
    if not is_iam and parts:
        raise ValueError("must be scheme, host and port only, without a path")
    if not is_iam:
        return url
    if parts[-2:] == ["auth", "tokens"]:
        del parts[-2:]
    if parts and parts[-1].startswith("v2"):
        raise ValueError("is version 2 of IAM's API; version 3 is needed, …/v3")
    if not parts or parts[-1] != "v3":
        parts.append("v3")
    return "/".join([url, *parts])
