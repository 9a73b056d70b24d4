"""
The table of what can be set, the places where each value may be given, and which of them wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..drs.http.urls import plain_url
from .model import Overrides

if TYPE_CHECKING:
    from .clouds import CloudEntry

# From strong to weak. An entry of clouds.yaml comes after the place that names it.
RESOURCE, RESOURCE_CLOUD, CONFIG, CONFIG_CLOUD, ENVIRONMENT, FALLBACK, ENVIRONMENT_CLOUD = range(7)
_RANK_OF_CLOUD = {RESOURCE: RESOURCE_CLOUD, CONFIG: CONFIG_CLOUD, ENVIRONMENT: ENVIRONMENT_CLOUD}
_TEXT_LIMIT = 60


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: what it is, and the names it goes by.

    Attributes:
        fallback: other names of the same thing, found in the files that consoles hand out; weaker than the proper ones.
        cloud: its name in an entry of clouds.yaml.
        is_login: it says who logs in, and where.
    """

    what: str
    config: str | None = None
    environment: tuple[str, ...] = ()
    fallback: tuple[str, ...] = ()
    input: str | None = None
    cloud: str | None = None
    is_login: bool = False
    is_secret: bool = False
    is_verbatim: bool = False


REGION = Row("the region", "region", ("OS_REGION_NAME",), input="region", cloud="region_name")
PROJECT_ID = Row("the project", "projectId", ("OS_PROJECT_ID",), ("OS_TENANT_ID",), input="project_id", cloud="auth.project_id")
PROJECT_NAME = Row("the project's name", "projectName", ("OS_PROJECT_NAME",), ("OS_TENANT_NAME",), cloud="auth.project_name")
PROJECT_DOMAIN_ID = Row(
    "the project's domain", environment=("OS_PROJECT_DOMAIN_ID",), cloud="auth.project_domain_id", is_login=True
)
PROJECT_DOMAIN_NAME = Row(
    "the project's domain", environment=("OS_PROJECT_DOMAIN_NAME",), cloud="auth.project_domain_name", is_login=True
)
ENDPOINT = Row("the endpoint of DRS", "endpoint", ("DRS_ENDPOINT",), input="endpoint", cloud="drs_endpoint_override")
AUTH_URL = Row("the address of IAM", "authUrl", ("OS_AUTH_URL",), cloud="auth.auth_url", is_login=True)
USERNAME = Row("the user name", "username", ("OS_USERNAME",), cloud="auth.username", is_login=True)
USER_ID = Row("the user", environment=("OS_USER_ID",), cloud="auth.user_id", is_login=True)
DOMAIN_ID = Row(
    "the user's domain", "domainId", ("OS_USER_DOMAIN_ID",), ("OS_DOMAIN_ID",), cloud="auth.user_domain_id", is_login=True
)
DOMAIN_NAME = Row(
    "the user's domain",
    "domainName",
    ("OS_USER_DOMAIN_NAME",),
    ("OS_DOMAIN_NAME",),
    cloud="auth.user_domain_name",
    is_login=True,
)
PASSWORD = Row(
    "the password",
    "password",
    ("OS_PASSWORD",),
    cloud="auth.password",
    is_login=True,
    is_secret=True,
    is_verbatim=True,
)
TOKEN = Row("the token", "token", ("OS_TOKEN", "OS_AUTH_TOKEN"), cloud="auth.token", is_login=True, is_secret=True)
# The names that Open Telekom Cloud's Terraform provider has for them.
ACCESS_KEY = Row("the access key", "accessKey", ("OS_ACCESS_KEY",), is_login=True)
SECRET_KEY = Row("the secret key", "secretKey", ("OS_SECRET_KEY",), is_login=True, is_secret=True)
SECURITY_TOKEN = Row("the security token", "securityToken", ("OS_SECURITY_TOKEN",), is_login=True, is_secret=True)
CLOUD = Row("the cloud", "cloud", ("OS_CLOUD",), input="cloud")
LANGUAGE = Row("the language", "language", ("DRS_LANGUAGE",))
CA_CERT = Row("the TLS bundle", "caCert", ("OS_CACERT",), cloud="cacert")
BATCH_SIZE = Row("the batch size", "batchSize", ("DRS_BATCH_SIZE",))

# What there is to ask the stack configuration for.
CONFIG_KEYS = tuple(sorted(row.config for row in list(vars().values()) if isinstance(row, Row) and row.config))


@dataclass(frozen=True, slots=True)
class Given:
    """A value, where it was found and how strong that place is."""

    value: str
    origin: str
    rank: int


class Finder:
    """Looks values up, strongest place first, and collects what is wrong with them."""

    def __init__(self, config: Mapping[str, str], environment: Mapping[str, str], overrides: Overrides) -> None:
        self._config = config
        self._environment = environment
        self._overrides = overrides
        self.entry: CloudEntry | None = None
        self.entry_rank = ENVIRONMENT_CLOUD
        self.problems: list[str] = []
        self.origins: dict[str, str] = {}
        self.is_something_missing = False

    def take_cloud(self, entry: CloudEntry, named: Given) -> None:
        """Let an entry of clouds.yaml give values too, as strong as the place that names it allows."""
        self.entry, self.entry_rank = entry, _RANK_OF_CLOUD[named.rank]

    def all(self, row: Row) -> list[Given]:
        """The values of every place that has one and counts, strongest first; empty text is none."""
        places: list[tuple[str | None, str, int]] = []
        if row.input:
            places.append((getattr(self._overrides, row.input), f"{row.input} in the program", RESOURCE))
        if row.config:
            places.append((self._config.get(row.config), f"drs:{row.config}", CONFIG))
        for names, rank in ((row.environment, ENVIRONMENT), (row.fallback, FALLBACK)):
            places += [(self._environment.get(name), name, rank) for name in names]
        if self.entry and row.cloud:
            places.append((self.entry.values.get(row.cloud), self.entry.place_of(row.cloud), self.entry_rank))
        if self.entry and row.is_login:
            places = [place for place in places if place[2] <= self.entry_rank]
        found = []
        for value, origin, rank in sorted(places, key=lambda place: place[2]):
            text = value if row.is_verbatim else (value or "").strip()
            if text:
                found.append(Given(text, origin, rank))
        return found

    def get(self, row: Row) -> Given | None:
        """The value of the strongest place that has one."""
        return next(iter(self.all(row)), None)

    def either(self, by_id: Row, by_name: Row) -> tuple[Given | None, Given | None]:
        """The id or the name, whichever comes from the stronger place; the id if both do."""
        an_id, a_name = self.get(by_id), self.get(by_name)
        if an_id and a_name:
            return (an_id, None) if an_id.rank <= a_name.rank else (None, a_name)
        return an_id, a_name

    def miss(self, row: Row, also: str = "") -> None:
        """Note that nothing gives this value."""
        self.is_something_missing = True
        self.problems.append(f"{row.what} is missing: set {self.places(row)}{also}")

    def places(self, row: Row) -> str:
        """Every place where it can be given, in words that follow "set"."""
        strength = self.entry_rank if self.entry and row.is_login else ENVIRONMENT_CLOUD
        places = []
        if row.config and strength >= CONFIG:
            how = f"--secret drs:{row.config}" if row.is_secret else f"drs:{row.config} …"
            places.append(f"drs:{row.config} (pulumi config set {how})")
        if strength >= ENVIRONMENT:
            places += row.environment[:1]
        if row.input:
            places.append(f"{row.input}=… in the program")
        if self.entry and row.cloud:
            where = "clouds.yaml or secure.yaml" if row.is_secret else "clouds.yaml"
            places.append(f"{self.entry.place_of(row.cloud)} in {where}")
        return ", or ".join(places)

    def kept(self, origins: Mapping[str, Given | None], **values: Given | None) -> dict[str, Any]:
        """The values that are there, with a note of where they came from."""
        self.origins |= {name: given.origin for name, given in origins.items() if given}
        return {name: given.value for name, given in values.items() if given}

    def url(self, given: Given | None, is_iam: bool = False) -> str:
        """A URL in its plainest form, or nothing. The text itself is not quoted: it may hold a password."""
        if given is None:
            return ""
        url, problem = plain_url(given.value, is_iam)
        if problem:
            self.problems.append(f"{given.origin} {problem}")
        return url


def shown(value: str) -> str:
    """A value that is no secret, in an error text."""
    return repr(value if len(value) <= _TEXT_LIMIT else value[:_TEXT_LIMIT] + "…")
