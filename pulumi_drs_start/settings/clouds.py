"""
Entries of clouds.yaml, read by openstacksdk: files, secure.yaml, vendor profiles and regions mean what they mean to it.

openstacksdk is imported when a cloud is named and not before. It skips files it can't read, and quotes entries in its errors;
so the files are looked at here first, and whatever is quoted has lost the entry's own values.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from logging import getLogger
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from ..drs.calls.models import clean_text
from ..drs.http.urls import is_loopback

log = getLogger(__name__)

_PASSWORD_LOGINS = ("password", "v3password")
_TOKEN_LOGINS = ("token", "v3token")
_READY_TOKENS = ("admin_token", "token_endpoint")
_FOR_PEOPLE = ("v3websso", "v3oidcdeviceauthz")
_NO_TOKENS = ("none", "http_basic", "v2password", "v2token", "v3tokenlessauth")
# What keystoneauth's logins need beside keystoneauth.
_EXTRAS = {
    "v3adfspassword": "saml2",
    "v3samlpassword": "saml2",
    "v3kerberos": "kerberos",
    "v3fedkerb": "kerberos",
    "v3oauth1": "oauth1",
}
# Where the login takes place and what for is settled elsewhere.
_PROJECT = ("project_id", "project_name", "project_domain_id", "project_domain_name")
_SCOPES = ("domain_id", "domain_name", "default_domain_id", "default_domain_name", "system_scope", "trust_id")
_NOT_OPTIONS = frozenset({"auth_url", *_PROJECT, *_SCOPES})
_TEXT_LIMIT = 256
_one_at_a_time = Lock()


class CloudError(Exception):
    """An entry can't be used; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class CloudEntry:
    """What an entry of clouds.yaml says.

    Attributes:
        values: by their place in the entry, such as ``auth.username``.
        login_type: keystoneauth's name of its login; None when it logs in with a password or has a ready token.
        login_options: what that login needs.
    """

    name: str
    path: str
    values: Mapping[str, str] = field(repr=False)
    login_type: str | None = None
    login_options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    client_cert: str | None = None
    client_key: str | None = None

    def place_of(self, key: str) -> str:
        """Where a value is, in an error text."""
        return f'{key} of cloud "{self.name}"'


def read_cloud(name: str, environment: Mapping[str, str], regions: Sequence[str] = ()) -> CloudEntry:
    """The entry of a name.

    Args:
        name: of the cloud.
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
            f'cloud "{clean_text(name, 60)}" needs a clouds.yaml: in this folder, in ~/.config/openstack, in /etc/openstack, '
            "or where OS_CLIENT_CONFIG_FILE says"
        )
    # One at a time, because the warnings that openstacksdk gives are caught, and that is for the whole process.
    with _one_at_a_time:
        return _read(name, tuple(regions), config, secure, vendor)


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it is now: with another time or size it is read again."""

    path: str
    changed_at: int
    size: int


def _first_file(variable: str, environment: Mapping[str, str], usual: Sequence[str]) -> _File | None:
    """The file that openstacksdk would read."""
    if given := environment.get(variable):
        path = Path(given).expanduser()
        if not path.is_file():
            raise CloudError(f"{variable} names a file that does not exist: {given}")
        candidates = [path]
    else:
        # openstacksdk noted the current folder when it was imported.
        candidates = [Path.cwd() / Path(usual_path).name for usual_path in usual[:3]] + [Path(path) for path in usual]
    for path in candidates:
        try:
            facts = path.stat()
            with path.open("rb"):
                return _File(str(path), facts.st_mtime_ns, facts.st_size)
        except OSError as exc:
            if given:
                raise CloudError(f"{path} can't be read: {exc.strerror}") from exc
    return None


# Every hook of every resource asks.
@lru_cache(maxsize=64)
def _read(name: str, regions: tuple[str, ...], config: _File, secure: _File | None, vendor: _File | None) -> CloudEntry:
    from openstack.config import OpenStackConfig

    own = _raw_entry(config, name)
    hidden = (_raw_entry(secure, name) if secure else None) or {}
    if vendor:
        _parsed(vendor)
    if own is None:
        raise CloudError(f'{config.path} has no cloud "{clean_text(name, 60)}"; it has: {_names(config)}')
    secrets = sorted({text for raw in (own, hidden) for text in _texts(raw)}, key=len, reverse=True)
    _refuse_unquoted_numbers(name, own, hidden)
    _refuse_open_profile(own)
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            openstack = OpenStackConfig(
                config_files=[config.path],
                secure_files=[secure.path] if secure else [],
                vendor_files=[vendor.path] if vendor else [],
                load_envvars=False,
            )
            region = _region(openstack, name, regions)
    except Exception as exc:  # noqa: BLE001
        # Its own are of several kinds, and entries of a wrong shape end in any.
        text = f": {_without(secrets, str(exc))}" if type(exc).__module__.startswith("openstack") else ""
        raise CloudError(f'openstacksdk can\'t use cloud "{name}" in {config.path}{text}') from None
    for warning in said:
        log.debug("cloud %s: %s", name, _without(secrets, str(warning.message)))
    return _entry(name, config.path, dict(region.config))


def _region(openstack: Any, name: str, regions: Sequence[str]) -> Any:
    """The cloud in the first region that it knows, or in its own."""
    for wanted in regions:
        try:
            return openstack.get_one(cloud=name, region_name=wanted, validate=False)
        except Exception as exc:  # noqa: BLE001 - if it is not for the region, it comes again
            log.debug("cloud %s is not in region %s: %s", name, wanted, type(exc).__name__)
    return openstack.get_one(cloud=name, validate=False)


def _entry(name: str, path: str, config: dict[str, Any]) -> CloudEntry:
    auth: dict[str, Any] = {key: value for key, value in dict(config.get("auth") or {}).items() if value not in (None, "")}
    cacert = config.get("cacert")
    if (config.get("insecure") or config.get("verify") in (False, "false", "False")) and not cacert:
        raise CloudError(
            f'cloud "{name}" in {path} turns the verification of certificates off (verify, insecure), with which anybody on the '
            "way could read the password: give the authority's certificate in its cacert instead"
        )
    values = {f"auth.{key}": str(auth[key]) for key in ("auth_url", *_PROJECT) if key in auth}
    if endpoint := config.get("drs_endpoint_override"):
        # openstacksdk's overrides may carry version and project, which are ours to add.
        url = urlsplit(str(endpoint))
        is_root = url.path.strip("/").partition("/")[0] in ("", "v3") and not (url.query or url.fragment)
        values["drs_endpoint_override"] = f"{url.scheme}://{url.netloc}" if is_root else str(endpoint)
    if cacert:
        values["cacert"] = str(cacert)
    if region := config.get("region_name"):
        values["region_name"] = str(region)
    # A domain by itself is the user's.
    for kind in ("id", "name"):
        domain = auth.get(f"user_domain_{kind}") or auth.get(f"domain_{kind}") or auth.get(f"default_domain_{kind}")
        if domain:
            auth[f"user_domain_{kind}"] = str(domain)
    login_type = str(config.get("auth_type") or "none")
    if login_type == "password" and "token" in auth and "password" not in auth:
        # Nobody sets auth_type along with a token: it is what openstacksdk assumes.
        login_type = "v3token"
    options: dict[str, Any] = {}
    if login_type in _PASSWORD_LOGINS:
        keys = ("username", "user_id", "password", "user_domain_id", "user_domain_name")
        values |= {f"auth.{key}": str(found) for key in keys if (found := auth.get(key) or config.get(key))}
    elif login_type in _READY_TOKENS:
        if token := auth.get("token"):
            values["auth.token"] = str(token)
    else:
        login_type = "v3token" if login_type in _TOKEN_LOGINS else login_type
        options = _login_options(name, login_type, auth, config)
    cert, key = (str(Path(config[what]).expanduser()) if config.get(what) else None for what in ("cert", "key"))
    is_plugin = login_type not in (*_PASSWORD_LOGINS, *_READY_TOKENS)
    return CloudEntry(name, path, values, login_type if is_plugin else None, options, cert, key)


def _login_options(name: str, login_type: str, auth: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """What a login of keystoneauth's needs, checked by making one."""
    from keystoneauth1 import exceptions as ks
    from keystoneauth1 import loading

    place = f'auth_type {clean_text(login_type, 60)} of cloud "{name}"'
    if login_type in _NO_TOKENS:
        raise CloudError(f"{place} gives no token of IAM's version 3, which DRS needs")
    if login_type in _FOR_PEOPLE:
        raise CloudError(f"{place} waits for a person at a browser, which a program has not: get a token and give that")
    loader: Any
    try:
        loader = loading.get_plugin_loader(login_type)
    except ks.NoMatchingPlugin:
        known = ", ".join(sorted(set(loading.get_available_plugin_names()).difference(_NO_TOKENS, _FOR_PEOPLE)))
        raise CloudError(f"{place} is none that keystoneauth has: {known}") from None
    except (ImportError, AttributeError):
        # A library of theirs is missing, and not every one of keystoneauth's modules notices.
        loader = None
    if loader is None or not loader.available:
        package = f"pip install 'keystoneauth1[{_EXTRAS[login_type]}]'" if login_type in _EXTRAS else "see keystoneauth1's extras"
        raise CloudError(f"{place} needs more libraries: {package}")
    if login_type == "v3multifactor":
        options = {key: value for key, value in auth.items() if key not in _NOT_OPTIONS}
        options["auth_methods"] = config.get("auth_methods")
    else:
        options = {}
        for option in loader.get_options():
            names = [other.name.replace("-", "_") for other in (option, *option.deprecated)]
            value = next((found for key in (option.dest, *names) if (found := auth.get(key) or config.get(key))), option.default)
            if option.dest not in _NOT_OPTIONS and value is not None:
                options[option.dest] = value
    required = {option.dest for option in loader.get_options() if option.required} - _NOT_OPTIONS
    if missing := [f"auth.{dest}" for dest in sorted(required) if not options.get(dest)]:
        raise CloudError(f"{place} misses {', '.join(missing)}: give it in clouds.yaml or secure.yaml")
    try:
        loader.load_from_options(auth_url="https://iam.invalid/v3", **options)
    except (ks.ClientException, TypeError, ValueError, AttributeError) as exc:
        text = f": {_without(list(_texts(auth)), str(exc))}" if isinstance(exc, ks.OptionError) else ""
        raise CloudError(f"{place} can't be used with what is in auth{text}") from None
    return options


def _raw_entry(file: _File, name: str) -> dict[str, Any] | None:
    """The entry as it stands in a file, if it does."""
    clouds = _parsed(file).get("clouds") or {}
    entry = clouds.get(name, {}) if isinstance(clouds, dict) else None
    if not isinstance(entry, dict) or not isinstance(entry.get("auth", {}), dict):
        raise CloudError(f'cloud "{clean_text(name, 60)}" in {file.path} is no mapping that has a mapping "auth"')
    return entry if name in clouds else None


def _names(file: _File) -> str:
    names = sorted(str(name) for name in _parsed(file).get("clouds") or {})
    return clean_text(", ".join(names), _TEXT_LIMIT) or "none"


def _parsed(file: _File) -> dict[str, Any]:
    """What is in a file. The parser's own words are not repeated: some quote what they stumbled over."""
    import yaml

    try:
        text = Path(file.path).read_text(encoding="utf-8")
        parsed = json.loads(text) if file.path.endswith("json") else yaml.safe_load(text)
    except json.JSONDecodeError as exc:
        raise CloudError(f"{file.path}, line {exc.lineno}, column {exc.colno}: this is no JSON") from None
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None) or getattr(exc, "context_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise CloudError(f"{file.path}{where}: this is no YAML") from None
    except (OSError, ValueError, RecursionError) as exc:
        raise CloudError(f"{file.path} can't be read: {getattr(exc, 'strerror', None) or type(exc).__name__}") from None
    if not isinstance(parsed, dict):
        raise CloudError(f'{file.path} is no mapping with "clouds:"')
    return parsed


def _refuse_unquoted_numbers(name: str, *entries: Mapping[str, Any]) -> None:
    """YAML reads 0123 as 83: a password or an id of digits only must be in quotes."""
    for entry in entries:
        for key, value in entry.get("auth", {}).items():
            if isinstance(value, (int, float, date)) and not isinstance(value, bool):
                raise CloudError(f'auth.{key} of cloud "{name}" is read as a number or a date: put it in quotes')


def _refuse_open_profile(entry: Mapping[str, Any]) -> None:
    """A profile may be an address. What comes from there says where passwords go."""
    profile = str(entry.get("profile") or entry.get("cloud") or "")
    if urlsplit(profile).netloc and not profile.startswith("https://") and not is_loopback(profile):
        raise CloudError("a profile that is an address must begin with https://")


def _texts(value: Any) -> Iterator[str]:
    """The values in an entry, at any depth."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif value is not None and len(str(value)) > 2:
        yield str(value)


def _without(secrets: Sequence[str], text: str) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return clean_text(text, _TEXT_LIMIT)
