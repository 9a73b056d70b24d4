"""
From the places where values are given to one validated object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from ..drs.auth.sources import LOGINS_WITH_A_PROJECT
from ..drs.http.urls import is_loopback
from . import keys as at
from .keys import Finder, shown
from .model import Overrides, Settings, SettingsError

# Regions whose list of endpoints names DRS ("Regions and Endpoints"). The Swiss region's does not.
REGIONS_WITH_DRS = ("eu-de", "eu-nl")
LANGUAGES = ("en-us", "zh-cn")
_WITHOUT_CLOUD = (
    "without a cloud: drs:region, drs:projectId, drs:username, drs:password and drs:domainName, "
    "or OS_REGION_NAME, OS_PROJECT_ID, OS_USERNAME, OS_PASSWORD and OS_USER_DOMAIN_NAME"
)
_HEADER_TEXT = re.compile(r"[!-~]+")


def load_settings(config: Mapping[str, str], environment: Mapping[str, str], overrides: Overrides | None = None) -> Settings:
    """The settings of one resource.

    Args:
        config: stack configuration of namespace ``drs``, by bare names: ``region``, ``projectId``, …
        environment: environment variables.
        overrides: the resource's own inputs.

    The strongest place that has a way in decides which it is. Within a place: a ready token, a password, a cloud, an access
    key, which is the last because it is not documented for DRS.

    Raises:
        SettingsError: with everything that is missing or wrong.
    """
    found = Finder(config, environment, overrides or Overrides())
    unused_cloud = _take_cloud(found, environment)
    if found.problems:
        # Without the entry, whatever it has would be called missing.
        _options(found)
        raise SettingsError(found.problems, _WITHOUT_CLOUD)
    values = _login(found)
    is_signed, is_token = "access_key" in values or "secret_key" in values, "token" in values
    is_optional = is_token or values.get("login_type") in LOGINS_WITH_A_PROJECT
    values |= _project_id(found) if is_signed else _project(found, is_optional=is_optional)
    values |= _addresses(found, needs_iam=not is_signed and (not is_token or "project_id" not in values))
    values |= _options(found)
    _check_project_id(found, values.get("endpoint", ""))
    if found.problems:
        raise SettingsError(found.problems, _hint(found, unused_cloud))
    return Settings(**values, origins=tuple(sorted(found.origins.items())))


def _take_cloud(found: Finder, environment: Mapping[str, str]) -> bool:
    """Read the entry that is named, if any. True when OS_CLOUD is left aside."""
    named = found.get(at.CLOUD)
    if named is None:
        return False
    if named.rank == at.ENVIRONMENT and _has_stronger_login(found):
        return True
    from .clouds import CloudError, read_cloud

    regions = [region.value for region in found.all(at.REGION)]
    try:
        found.take_cloud(read_cloud(named.value, environment, regions), named)
    except CloudError as exc:
        found.problems.append(f"{named.origin}: {exc}")
    return False


def _has_stronger_login(found: Finder) -> bool:
    """Whether there is a whole login that beats the cloud of OS_CLOUD."""
    if found.get(at.TOKEN) or (found.get(at.PASSWORD) and (found.get(at.USERNAME) or found.get(at.USER_ID))):
        return True
    key = found.get(at.ACCESS_KEY) or found.get(at.SECRET_KEY)
    return key is not None and key.rank < at.ENVIRONMENT


def _hint(found: Finder, has_unused_cloud: bool) -> str:
    """What the user may have relied on in vain, or not thought of."""
    if not found.is_something_missing:
        return ""
    if has_unused_cloud:
        return "OS_CLOUD is set, but not used, because another login is given, see above; take that away to use the cloud"
    if found.entry is None:
        return "an entry of clouds.yaml can have all of it: name one in drs:cloud, OS_CLOUD, or cloud=… in the program"
    return ""


def _login(found: Finder) -> dict[str, Any]:
    """The way in: that of the strongest place."""
    entry, password, token = found.entry, found.get(at.PASSWORD), found.get(at.TOKEN)
    key = found.get(at.ACCESS_KEY) or found.get(at.SECRET_KEY)
    ways = []
    if token:
        ways.append((_place(token.rank), 0 if token.rank != found.entry_rank else 2, _ready_token))
    # A password alone is no login beside a cloud that has another kind of login.
    has_user = found.get(at.USERNAME) or found.get(at.USER_ID) or not (entry and entry.login_type)
    if password and has_user and (entry is None or password.rank != found.entry_rank):
        ways.append((_place(password.rank), 1, _user_with_password))
    if entry:
        ways.append((_place(found.entry_rank), 2, _plugin if entry.login_type else _user_with_password))
    if key:
        ways.append((_place(key.rank), 3, _signature))
    *_, way = min(ways, key=lambda way: way[:2], default=(0, 0, _user_with_password))
    return way(found)


def _place(rank: int) -> int:
    """The place that a value came from: a cloud counts as the one that names it."""
    return 0 if rank <= at.RESOURCE_CLOUD else 1 if rank <= at.CONFIG_CLOUD else 2


def _ready_token(found: Finder) -> dict[str, Any]:
    token = found.get(at.TOKEN)
    if token and not _HEADER_TEXT.fullmatch(token.value):
        found.problems.append(f"{token.origin} is no token: it has characters that no HTTP header can carry")
    return found.kept({"token": token}, token=token)


def _user_with_password(found: Finder) -> dict[str, Any]:
    password = found.get(at.PASSWORD)
    user_id, username = found.either(at.USER_ID, at.USERNAME)
    domain_id, domain_name = found.either(at.DOMAIN_ID, at.DOMAIN_NAME)
    user, domain = user_id or username, domain_id or domain_name
    also = ""
    if user is None:
        found.miss(at.USERNAME)
    if found.entry and password and password.rank == found.entry_rank and user and user.rank != found.entry_rank:
        theirs = (found.entry.values.get("auth.user_id"), found.entry.values.get("auth.username"))
        if user.value not in theirs:
            # IAM would count it as a wrong one.
            also, password = f"; {password.origin} is that of another user than {user.origin}", None
    if password is None:
        found.miss(at.PASSWORD, f"{also}; or give a ready token: {found.places(at.TOKEN)}")
    if domain is None and user_id is None:
        found.miss(at.DOMAIN_NAME)
    return _certificate(found) | found.kept(
        {"username": user, "domain": domain, "password": password},
        user_id=user_id,
        username=username,
        user_domain_id=domain_id,
        user_domain_name=domain_name,
        password=password,
    )


def _plugin(found: Finder) -> dict[str, Any]:
    """A login that only clouds.yaml can describe."""
    entry = found.entry
    if entry is None:
        raise ValueError("there is no cloud to log in with")
    found.origins["login"] = f'cloud "{entry.name}" in {entry.path}'
    options = json.dumps(dict(entry.login_options), sort_keys=True, default=str)
    return _certificate(found) | {"login_type": entry.login_type, "login_options": SecretStr(options)}


def _certificate(found: Finder) -> dict[str, Any]:
    if found.entry is None or found.entry.client_cert is None:
        return {}
    return {"client_cert": found.entry.client_cert, "client_key": found.entry.client_key}


def _signature(found: Finder) -> dict[str, Any]:
    if find_spec("huaweicloudsdkcore") is None:
        key = found.get(at.ACCESS_KEY) or found.get(at.SECRET_KEY)
        where = key.origin if key else "an access key"
        found.problems.append(f"{where} needs the package's extra aksk: in the checkout, pip install '.[aksk]'")
    access, secret, temporary = found.get(at.ACCESS_KEY), found.get(at.SECRET_KEY), found.get(at.SECURITY_TOKEN)
    also = ""
    if access is None:
        found.miss(at.ACCESS_KEY)
    elif secret:
        # The secret beside another access key is that one's.
        beside = next((other for other in found.all(at.ACCESS_KEY) if other.rank == secret.rank), access)
        if beside.value != access.value:
            also, secret = f"; {secret.origin} belongs to {beside.origin}, not to {access.origin}", None
    if secret is None:
        found.miss(at.SECRET_KEY, also)
    for given in (access, temporary):
        if given and not re.fullmatch(r"[!-+\--~]+", given.value):
            found.problems.append(f"{given.origin} has characters that no HTTP header can carry")
    # A token from a weaker place is that of another, temporary key.
    if secret and temporary and temporary.rank > secret.rank:
        temporary = None
    return found.kept(
        {"access_key": access, "secret_key": secret, "security_token": temporary},
        access_key=access,
        secret_key=secret,
        security_token=temporary,
    )


def _project(found: Finder, is_optional: bool) -> dict[str, Any]:
    project_id, project_name = found.either(at.PROJECT_ID, at.PROJECT_NAME)
    project = project_id or project_name
    if project is None and not is_optional:
        found.miss(at.PROJECT_ID, f"; or its name: {found.places(at.PROJECT_NAME)}")
    domain_id, domain_name = found.either(at.PROJECT_DOMAIN_ID, at.PROJECT_DOMAIN_NAME)
    return found.kept(
        {"project": project},
        project_id=project_id,
        project_name=project_name,
        project_domain_id=domain_id,
        project_domain_name=domain_name,
    )


def _project_id(found: Finder) -> dict[str, Any]:
    """The project for signed requests."""
    project_id, project_name = found.either(at.PROJECT_ID, at.PROJECT_NAME)
    if project_id is None:
        name = f"; {project_name.origin} does not help, because without a login no name is looked up" if project_name else ""
        found.miss(at.PROJECT_ID, name)
    return found.kept({"project": project_id}, project_id=project_id)


def _addresses(found: Finder, needs_iam: bool) -> dict[str, Any]:
    region, endpoint, auth_url = found.get(at.REGION), found.get(at.ENDPOINT), found.get(at.AUTH_URL)
    endpoint_url, iam_url = found.url(endpoint), found.url(auth_url, is_iam=True)
    theirs = _region_of("drs", endpoint_url)
    if region and endpoint and theirs not in (None, region.value):
        # One of the two is about another program or shell: the weaker one, as everywhere.
        if region.rank < endpoint.rank:
            endpoint = None
        elif region.rank > endpoint.rank:
            region = None
        else:
            found.problems.append(f"{endpoint.origin} is the endpoint of {theirs}, but {region.origin} names another region")
    name = region.value if region else theirs if endpoint else None
    name = name or _region_of("iam", iam_url)
    is_known = name in REGIONS_WITH_DRS
    if endpoint is None and is_known:
        endpoint_url = f"https://drs.{name}.otc.t-systems.com"
    elif endpoint is None and name:
        found.miss(at.ENDPOINT, f"; region {shown(name)} has none that is known ({' and '.join(REGIONS_WITH_DRS)} have)")
    elif endpoint is None:
        found.miss(at.REGION, f"; or the addresses: {found.places(at.ENDPOINT)}; and for IAM {found.places(at.AUTH_URL)}")
    if auth_url is None and is_known:
        iam_url = f"https://iam.{name}.otc.t-systems.com/v3"
        found.origins["auth_url"] = f"that of region {name}"
    elif auth_url is None and needs_iam and (endpoint or name):
        found.miss(at.AUTH_URL)
    if auth_url:
        found.origins["auth_url"] = auth_url.origin
    addresses = {"region": name, "endpoint": endpoint_url, "auth_url": iam_url}
    return {key: value for key, value in addresses.items() if value}


def _options(found: Finder) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if language := found.get(at.LANGUAGE):
        values["language"] = language.value.lower()
        if values["language"] not in LANGUAGES:
            found.problems.append(f"{language.origin} must be {' or '.join(LANGUAGES)}, not {shown(language.value)}")
    if ca_cert := found.get(at.CA_CERT):
        path = Path(ca_cert.value).expanduser()
        values["ca_cert"] = str(path)
        if not path.exists():
            found.problems.append(f"{ca_cert.origin} names a TLS bundle that does not exist: {shown(ca_cert.value)}")
    if size := found.get(at.BATCH_SIZE):
        # No more digits than any number of jobs can have: int() has words of its own for thousands of them.
        if re.fullmatch(r"[0-9]{1,9}", size.value) and int(size.value) > 0:
            values["batch_size"] = int(size.value)
        else:
            found.problems.append(f"{size.origin} must be a whole number, 1 or more, not {shown(size.value)}")
    return values


def _check_project_id(found: Finder, endpoint: str) -> None:
    project_id, _ = found.either(at.PROJECT_ID, at.PROJECT_NAME)
    if project_id is None:
        return
    # A sandbox may have ids that are easier to read, as long as they fit into a path.
    is_lenient = not endpoint or is_loopback(endpoint)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}" if is_lenient else r"[0-9A-Fa-f]{32}", project_id.value):
        text = f"{project_id.origin} must be a project's id, 32 hexadecimal characters; {shown(project_id.value)} is none"
        found.problems.append(f"{text} (a name goes to drs:projectName or OS_PROJECT_NAME)")


def _region_of(service: str, url: str) -> str | None:
    """The region whose own address this is, if it is one of those we know."""
    return next(
        (region for region in REGIONS_WITH_DRS if urlsplit(url).hostname == f"{service}.{region}.otc.t-systems.com"),
        None,
    )
