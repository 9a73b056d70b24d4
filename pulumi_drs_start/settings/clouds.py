"""
Entries of clouds.yaml, read by openstacksdk: files, secure.yaml, vendor profiles and regions mean what they mean to it.

openstacksdk skips files that it can't read, and quotes entries, with their passwords, in its errors and warnings. So the files
are checked here first, and its texts are not passed on.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from logging import getLogger
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from ..drs.auth.plugins import PluginError, make_plugin
from ..drs.http.urls import is_loopback
from ..drs.text import clean_text, quoted
from .keys import KEYS, USER_FIELDS
from .layers import Layer, Value

log = getLogger(__name__)

# By keystoneauth's name of the login: the fields that it takes. Any other login takes auth_type and auth_options.
_USER = (*USER_FIELDS, "password")
_FIELDS = {"password": _USER, "v3password": _USER, "admin_token": ("token",), "token_endpoint": ("token",)}
_TEXT_CHARS = 256
# To ignore openstacksdk's warnings changes the filters of the whole process.
_one_at_a_time = Lock()


class CloudError(Exception):
    """An entry can't be used; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    text: str = field(repr=False)


def read_cloud(name: str, environment: Mapping[str, str], regions: Sequence[str] = ()) -> Layer:
    """What an entry says, as a layer.

    Args:
        environment: for OS_CLIENT_CONFIG_FILE and OS_CLIENT_SECURE_FILE.
        regions: those asked for, most wanted first; the first that the cloud knows is taken, or else its own.

    Raises:
        CloudError: there is none, or it can't be used.
    """
    try:
        from openstack.config import loader
    except ImportError as exc:
        raise CloudError("clouds.yaml needs the package's extra clouds: in the checkout, pip install '.[clouds]'") from exc
    config = _first_file("OS_CLIENT_CONFIG_FILE", environment, loader.CONFIG_FILES)
    secure = _first_file("OS_CLIENT_SECURE_FILE", environment, loader.SECURE_FILES)
    vendor = _first_file("", environment, loader.VENDOR_FILES)
    if config is None:
        raise CloudError(
            f"cloud {quoted(name)} needs a clouds.yaml: in this folder, in ~/.config/openstack, in /etc/openstack, "
            "or where OS_CLIENT_CONFIG_FILE says"
        )
    with _one_at_a_time:
        return _read(name, tuple(regions), config, secure, vendor)


def _first_file(variable: str, environment: Mapping[str, str], usual: Sequence[str]) -> _File | None:
    """The file that openstacksdk would read."""
    given = environment.get(variable)
    # openstacksdk noted the current folder when it was imported.
    here = [Path(path).name for path in usual[:3]]
    for path in (Path(path).expanduser().absolute() for path in ([given] if given else [*here, *usual])):
        try:
            return _File(str(path), path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            raise CloudError(f"{path} can't be read: it is not text") from None
        except OSError as exc:
            if given:
                raise CloudError(f"{variable} names a file that can't be read: {given} ({exc.strerror})") from exc
    return None


# Every hook of every resource reads it, and a profile may have to be fetched.
@lru_cache(maxsize=64)
def _read(name: str, regions: tuple[str, ...], config: _File, secure: _File | None, vendor: _File | None) -> Layer:
    from openstack.config import OpenStackConfig

    clouds = _parsed(config).get("clouds") or {}
    entries = [_raw_entry(config.path, clouds, name)]
    if secure:
        entries.append(_raw_entry(secure.path, _parsed(secure).get("clouds") or {}, name))
    if vendor:
        _parsed(vendor)
    if name not in clouds:
        known = clean_text(", ".join(sorted(map(str, clouds))), _TEXT_CHARS) or "none"
        raise CloudError(f"{config.path} has no cloud {quoted(name)}; it has: {known}")
    _refuse_unsafe(name, entries)
    files = {"config_files": config, "secure_files": secure, "vendor_files": vendor}
    paths: dict[str, Any] = {option: [file.path] if file else [] for option, file in files.items()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            region = _region(OpenStackConfig(**paths, load_envvars=False), name, regions)
    except Exception as exc:  # noqa: BLE001
        # Its own are of several kinds, and entries of a wrong shape end in any.
        what = f"openstacksdk can't use cloud {quoted(name)} in {config.path} ({type(exc).__name__})"
        raise CloudError(f"{what}: check its profile, regions and networks") from None
    return _layer(name, config.path, dict(region.config))


def _region(openstack: Any, name: str, regions: Sequence[str]) -> Any:
    """The cloud in the first region that it knows, or in its own."""
    for wanted in regions:
        try:
            return openstack.get_one(cloud=name, region_name=wanted, validate=False)
        except Exception as exc:  # noqa: BLE001 - if it is not for the region, it comes again
            log.debug("cloud %s is not in region %s: %s", name, wanted, type(exc).__name__)
    return openstack.get_one(cloud=name, validate=False)


def _layer(name: str, path: str, config: Mapping[str, Any]) -> Layer:
    """The values of an entry as openstacksdk has completed it. Raises CloudError."""
    if (config.get("insecure") or config.get("verify") in (False, "false", "False")) and not config.get("cacert"):
        raise CloudError(
            f"cloud {quoted(name)} in {path} turns the verification of certificates off (verify, insecure), with which anybody "
            "on the way could read the password: give the authority's certificate in its cacert instead"
        )
    # Options of the login may also stand beside auth.
    auth = {key: value for part in (config, config.get("auth") or {}) for key, value in part.items() if value not in (None, "")}
    # A domain by itself is the user's.
    for kind in ("id", "name"):
        for whose in ("default_", "", "user_"):
            if domain := auth.get(f"{whose}domain_{kind}"):
                auth[f"user_domain_{kind}"] = domain
    auth_type = str(config.get("auth_type") or "none")
    if auth_type == "password" and "token" in auth and "password" not in auth:
        # Nobody sets auth_type along with a token: it is what openstacksdk assumes.
        auth_type = "token"
    given = {f"auth.{key}": value for key, value in auth.items()} | auth
    given |= {key: Path(auth[key]).expanduser() for key in ("cert", "key") if key in auth}
    if "drs_endpoint_override" in given:
        given["drs_endpoint_override"] = _root(str(given["drs_endpoint_override"]))
    others = {*_USER, "token"}.difference(_FIELDS.get(auth_type, ()))
    names = {key.field: key.cloud for key in KEYS.values() if key.cloud in given and key.field not in others}
    layer = {field: Value(str(given[where]), f"{where} of cloud {quoted(name)}") for field, where in names.items() if where}
    if auth_type not in _FIELDS:
        auth_type = "v3token" if auth_type == "token" else auth_type
        options = {key: value for key, value in auth.items() if isinstance(value, (str, list))}
        try:
            make_plugin(auth_type, "https://iam.invalid/v3", options, {})
        except PluginError as exc:
            what = f"auth_type {clean_text(auth_type, 60)} of cloud {quoted(name)} in {path}"
            raise CloudError(f"{what} can't be used: {exc}") from None
        origin = f"cloud {quoted(name)} in {path}"
        layer["auth_type"] = Value(auth_type, origin)
        layer["auth_options"] = Value(json.dumps(options, sort_keys=True, default=str), origin)
    return layer


def _root(endpoint: str) -> str:
    """The address of DRS without version and project, which openstacksdk's overrides may carry, and which are added here."""
    url = urlsplit(endpoint)
    is_root = url.path.strip("/").partition("/")[0] in ("", "v3") and not (url.query or url.fragment)
    return f"{url.scheme}://{url.netloc}" if is_root else endpoint


def _raw_entry(path: str, clouds: Any, name: str) -> dict[str, Any]:
    """The entry as it stands in a file, or an empty one."""
    entry = clouds.get(name, {}) if isinstance(clouds, dict) else None
    if not isinstance(entry, dict) or not isinstance(entry.get("auth", {}), dict):
        raise CloudError(f'cloud {quoted(name)} in {path} is not a mapping that has a mapping "auth"')
    return entry


def _parsed(file: _File) -> dict[str, Any]:
    """What is in a file. The parser's own words are not repeated: some quote what they stumbled over."""
    import yaml

    kind = "JSON" if file.path.endswith("json") else "YAML"
    try:
        parsed = json.loads(file.text) if kind == "JSON" else yaml.safe_load(file.text)
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        mark = getattr(exc, "problem_mark", None) or getattr(exc, "context_mark", None)
        line = mark.line + 1 if mark else getattr(exc, "lineno", "?")
        raise CloudError(f"{file.path}, line {line}: this is not {kind}") from None
    if not isinstance(parsed, dict):
        raise CloudError(f'{file.path} is not a mapping with "clouds:"')
    return parsed


def _refuse_unsafe(name: str, entries: Sequence[Mapping[str, Any]]) -> None:
    """Refuse what would send something else than is meant, or to somebody else. Raises CloudError."""
    for key, value in (item for entry in entries for item in entry.get("auth", {}).items()):
        # YAML reads 0123 as 83.
        if isinstance(value, (int, float, date)) and not isinstance(value, bool):
            raise CloudError(f"auth.{key} of cloud {quoted(name)} is read as a number or a date: put it in quotes")
    # What comes from a profile's address says where passwords go.
    profile = str(entries[0].get("profile") or entries[0].get("cloud") or "")
    if urlsplit(profile).netloc and not profile.startswith("https://") and not is_loopback(profile):
        raise CloudError("a profile that is an address must begin with https://")
