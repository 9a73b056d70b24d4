"""
Configuration: a resource's own inputs over stack configuration over the environment, made one validated object.

Everything that is missing or wrong is reported in a single error, each with every place where it can be given. Where a
value came from is kept beside it, because a refused login is mended there. clouds.yaml is not read yet.

A value from a stronger place never mixes with a rival from a weaker one: a project id on the resource retires the project
name of the environment, a region retires the endpoint of another region.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from .drs.auth import PasswordAuth, ReadyToken, TokenSource
from .drs.client import DEFAULT_BATCH_SIZE
from .drs.urls import is_loopback, plain_url

# Regions whose list of endpoints names DRS ("Regions and Endpoints"). The Swiss region's does not.
REGIONS_WITH_DRS = ("eu-de", "eu-nl")
LANGUAGES = ("en-us", "zh-cn")

_RESOURCE, _CONFIG, _ENVIRONMENT, _FALLBACK = range(4)  # from strong to weak
_TEXT_LIMIT = 60


@dataclass(frozen=True, slots=True)
class Overrides:
    """A resource's own inputs, the strongest place. `cloud` is there to be refused until clouds.yaml is read."""

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

    Attributes:
        endpoint: of DRS: scheme, host and port.
        auth_url: of IAM, ``…/v3``; None when a token and a project id make it needless.
        token: a ready token; then there is no password.
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
    language: Literal["en-us", "zh-cn"] = "en-us"
    ca_cert: str | None = None
    batch_size: int = Field(default=DEFAULT_BATCH_SIZE, ge=1)
    origins: tuple[tuple[str, str], ...] = ()

    @property
    def has_ready_token(self) -> bool:
        """Whether a token was given rather than a password; it can't be renewed."""
        return self.token is not None


def load_settings(config: Mapping[str, str], environment: Mapping[str, str], overrides: Overrides | None = None) -> Settings:
    """The settings of one resource.

    Args:
        config: stack configuration of namespace ``drs``, by bare names: ``region``, ``projectId``, …
        environment: environment variables.
        overrides: the resource's own inputs.

    A ready token and a password from the same place: the token is used. Otherwise the stronger place decides.

    Raises:
        SettingsError: with everything that is missing or wrong.
    """
    found = _Finder(config, environment, overrides or Overrides())
    if cloud := found.get(_CLOUD):
        found.problems.append(
            f"clouds.yaml is not supported by this version yet: take away {cloud.origin} and give drs:region, "
            "drs:projectId, drs:username, drs:password and drs:domainName, or OS_REGION_NAME, OS_PROJECT_ID, "
            "OS_USERNAME, OS_PASSWORD and OS_USER_DOMAIN_NAME"
        )
    values = _login(found)
    values |= _project(found, is_optional="token" in values)
    values |= _addresses(found, needs_iam="token" not in values or "project_id" not in values)
    values |= _options(found)
    _check_project_id(found, values.get("endpoint", ""))
    if found.problems:
        raise SettingsError(found.problems, found.hint())
    return Settings(**values, origins=tuple(sorted(found.origins.items())))


def token_source(settings: Settings) -> TokenSource:
    """A new token source for these settings."""
    origins = dict(settings.origins)
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
    if settings.auth_url is None or settings.password is None:
        raise ValueError("settings without a token need auth_url and password; load_settings sees to it")
    return PasswordAuth(
        settings.auth_url,
        password=settings.password.get_secret_value(),
        ca_cert=settings.ca_cert,
        user_agent=user_agent(),
        origins=origins,
        **settings.model_dump(include=_IDENTITY),
    )


_IDENTITY = {
    "username",
    "user_id",
    "user_domain_id",
    "user_domain_name",
    "project_id",
    "project_name",
    "project_domain_id",
    "project_domain_name",
}
_shared: dict[Settings, TokenSource] = {}
_shared_lock = threading.Lock()


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


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the table of settings: what it is, and the names it goes by."""

    what: str
    config: str | None = None
    environment: tuple[str, ...] = ()
    # Other names of the same thing, found in the files that consoles hand out; weaker than the proper ones.
    fallback: tuple[str, ...] = ()
    input: str | None = None
    is_secret: bool = False
    is_verbatim: bool = False

    def places(self) -> str:
        """Every place where it can be given, in words that follow "set"."""
        places = []
        if self.config:
            how = f"--secret drs:{self.config}" if self.is_secret else f"drs:{self.config} …"
            places.append(f"drs:{self.config} (pulumi config set {how})")
        places += self.environment[:1]
        if self.input:
            places.append(f"{self.input}=… on the resource")
        return ", or ".join(places)


_REGION = _Row("the region", "region", ("OS_REGION_NAME",), input="region")
_PROJECT_ID = _Row("the project", "projectId", ("OS_PROJECT_ID",), ("OS_TENANT_ID",), input="project_id")
_PROJECT_NAME = _Row("the project's name", "projectName", ("OS_PROJECT_NAME",), ("OS_TENANT_NAME",))
_PROJECT_DOMAIN_ID = _Row("the project's domain", environment=("OS_PROJECT_DOMAIN_ID",))
_PROJECT_DOMAIN_NAME = _Row("the project's domain", environment=("OS_PROJECT_DOMAIN_NAME",))
_ENDPOINT = _Row("the endpoint of DRS", "endpoint", ("DRS_ENDPOINT",), input="endpoint")
_AUTH_URL = _Row("the address of IAM", "authUrl", ("OS_AUTH_URL",))
_USERNAME = _Row("the user name", "username", ("OS_USERNAME",))
_USER_ID = _Row("the user", environment=("OS_USER_ID",))
_DOMAIN_ID = _Row("the user's domain", "domainId", ("OS_USER_DOMAIN_ID",), ("OS_DOMAIN_ID",))
_DOMAIN_NAME = _Row("the user's domain", "domainName", ("OS_USER_DOMAIN_NAME",), ("OS_DOMAIN_NAME",))
_PASSWORD = _Row("the password", "password", ("OS_PASSWORD",), is_secret=True, is_verbatim=True)
_TOKEN = _Row("the token", "token", ("OS_TOKEN", "OS_AUTH_TOKEN"), is_secret=True)
# OS_CLOUD alone is no request: it is in many a shell for other tools.
_CLOUD = _Row("the cloud", "cloud", input="cloud")
_LANGUAGE = _Row("the language", "language", ("DRS_LANGUAGE",))
_CA_CERT = _Row("the TLS bundle", "caCert", ("OS_CACERT",))
_BATCH_SIZE = _Row("the batch size", "batchSize", ("DRS_BATCH_SIZE",))

# What there is to ask the stack configuration for.
CONFIG_KEYS = tuple(sorted(row.config for row in list(vars().values()) if isinstance(row, _Row) and row.config))


@dataclass(frozen=True, slots=True)
class _Given:
    """A value, where it was found and how strong that place is."""

    value: str
    origin: str
    rank: int


class _Finder:
    """Looks values up, strongest place first, and collects what is wrong with them."""

    def __init__(self, config: Mapping[str, str], environment: Mapping[str, str], overrides: Overrides) -> None:
        self._config = config
        self._environment = environment
        self._overrides = overrides
        self.problems: list[str] = []
        self.origins: dict[str, str] = {}
        self._something_missing = False

    def get(self, row: _Row) -> _Given | None:
        """The value from the strongest place that has one; empty text is none."""
        places: list[tuple[str | None, str, int]] = []
        if row.input:
            given = getattr(self._overrides, row.input)
            places.append((given, f"{row.input} on the resource", _RESOURCE))
        if row.config:
            places.append((self._config.get(row.config), f"drs:{row.config}", _CONFIG))
        for names, rank in ((row.environment, _ENVIRONMENT), (row.fallback, _FALLBACK)):
            places += [(self._environment.get(name), name, rank) for name in names]
        for value, origin, rank in places:
            text = value if row.is_verbatim else (value or "").strip()
            if text:
                return _Given(text, origin, rank)
        return None

    def either(self, by_id: _Row, by_name: _Row) -> tuple[_Given | None, _Given | None]:
        """The id or the name, whichever comes from the stronger place; the id if both do."""
        an_id, a_name = self.get(by_id), self.get(by_name)
        if an_id and a_name:
            return (an_id, None) if an_id.rank <= a_name.rank else (None, a_name)
        return an_id, a_name

    def miss(self, row: _Row, also: str = "") -> None:
        """Note that nothing gives this value."""
        self._something_missing = True
        self.problems.append(f"{row.what} is missing: set {row.places()}{also}")

    def hint(self) -> str:
        """What the user may have relied on in vain."""
        if self._something_missing and self._environment.get("OS_CLOUD") and not self.get(_CLOUD):
            return "OS_CLOUD is set, but clouds.yaml is not supported by this version yet"
        return ""

    def kept(self, origins: Mapping[str, _Given | None], **values: _Given | None) -> dict[str, Any]:
        """The values that are there, with a note of where they came from."""
        self.origins |= {name: given.origin for name, given in origins.items() if given}
        return {name: given.value for name, given in values.items() if given}

    def url(self, given: _Given | None, is_iam: bool = False) -> str:
        """A URL in its plainest form, or nothing. The text itself is not quoted: it may hold a password."""
        if given is None:
            return ""
        url, problem = plain_url(given.value, is_iam)
        if problem:
            self.problems.append(f"{given.origin} {problem}")
        return url


def _login(found: _Finder) -> dict[str, Any]:
    token, password = found.get(_TOKEN), found.get(_PASSWORD)
    if token and (password is None or token.rank <= password.rank):
        if not re.fullmatch(r"[!-~]+", token.value):
            found.problems.append(f"{token.origin} is no token: it has characters that no HTTP header can carry")
        return found.kept({"token": token}, token=token)
    user_id, username = found.either(_USER_ID, _USERNAME)
    domain_id, domain_name = found.either(_DOMAIN_ID, _DOMAIN_NAME)
    project_domain_id, project_domain_name = found.either(_PROJECT_DOMAIN_ID, _PROJECT_DOMAIN_NAME)
    user, domain = user_id or username, domain_id or domain_name
    if user is None:
        found.miss(_USERNAME)
    if password is None:
        found.miss(_PASSWORD, f"; or give a ready token: {_TOKEN.places()}")
    if domain is None and user_id is None:
        found.miss(_DOMAIN_NAME)
    return found.kept(
        {"username": user, "domain": domain, "password": password},
        user_id=user_id,
        username=username,
        user_domain_id=domain_id,
        user_domain_name=domain_name,
        project_domain_id=project_domain_id,
        project_domain_name=project_domain_name,
        password=password,
    )


def _project(found: _Finder, is_optional: bool) -> dict[str, Any]:
    project_id, project_name = found.either(_PROJECT_ID, _PROJECT_NAME)
    project = project_id or project_name
    if project is None and not is_optional:
        found.miss(_PROJECT_ID, f"; or its name: {_PROJECT_NAME.places()}")
    return found.kept({"project": project}, project_id=project_id, project_name=project_name)


def _addresses(found: _Finder, needs_iam: bool) -> dict[str, Any]:
    region, endpoint, auth_url = found.get(_REGION), found.get(_ENDPOINT), found.get(_AUTH_URL)
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
        found.miss(_ENDPOINT, f"; region {_shown(name)} has none that is known ({' and '.join(REGIONS_WITH_DRS)} have)")
    elif endpoint is None:
        found.miss(_REGION, f"; or the addresses: {_ENDPOINT.places()}; and for IAM {_AUTH_URL.places()}")
    if auth_url is None and is_known:
        iam_url = f"https://iam.{name}.otc.t-systems.com/v3"
        found.origins["auth_url"] = f"that of region {name}"
    elif auth_url is None and needs_iam and (endpoint or name):
        found.miss(_AUTH_URL)
    if auth_url:
        found.origins["auth_url"] = auth_url.origin
    addresses = {"region": name, "endpoint": endpoint_url, "auth_url": iam_url}
    return {key: value for key, value in addresses.items() if value}


def _options(found: _Finder) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if language := found.get(_LANGUAGE):
        values["language"] = language.value.lower()
        if values["language"] not in LANGUAGES:
            found.problems.append(f"{language.origin} must be {' or '.join(LANGUAGES)}, not {_shown(language.value)}")
    if ca_cert := found.get(_CA_CERT):
        path = Path(ca_cert.value).expanduser()
        values["ca_cert"] = str(path)
        if not path.exists():
            found.problems.append(f"{ca_cert.origin} names a TLS bundle that does not exist: {_shown(ca_cert.value)}")
    if size := found.get(_BATCH_SIZE):
        # No more digits than any number of jobs can have: int() has words of its own for thousands of them.
        if re.fullmatch(r"[0-9]{1,9}", size.value) and int(size.value) > 0:
            values["batch_size"] = int(size.value)
        else:
            found.problems.append(f"{size.origin} must be a whole number, 1 or more, not {_shown(size.value)}")
    return values


def _check_project_id(found: _Finder, endpoint: str) -> None:
    project_id, _ = found.either(_PROJECT_ID, _PROJECT_NAME)
    if project_id is None:
        return
    # A sandbox may have ids that are easier to read, as long as they fit into a path.
    is_lenient = not endpoint or is_loopback(endpoint)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}" if is_lenient else r"[0-9A-Fa-f]{32}", project_id.value):
        text = f"{project_id.origin} must be a project's id, 32 hexadecimal characters; {_shown(project_id.value)} is none"
        found.problems.append(f"{text} (a name goes to drs:projectName or OS_PROJECT_NAME)")


def _region_of(service: str, url: str) -> str | None:
    """The region whose own address this is, if it is one of those we know."""
    return next(
        (region for region in REGIONS_WITH_DRS if urlsplit(url).hostname == f"{service}.{region}.otc.t-systems.com"),
        None,
    )


def _shown(value: str) -> str:
    return repr(value if len(value) <= _TEXT_LIMIT else value[:_TEXT_LIMIT] + "…")
