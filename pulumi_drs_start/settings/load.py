"""
From the sources of settings to one validated object: collect, merge, choose the login, check.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from importlib.util import find_spec

from pydantic import ValidationError

from ..drs.auth.plugins import LOGINS_WITH_A_PROJECT
from ..drs.text import quoted
from .keys import KEYS, LOGIN_FIELDS, USER_FIELDS
from .layers import ENVIRONMENT, STACK, Layer, Value, collect, insert_cloud, merge, rank
from .model import Overrides, Settings, SettingsError

# Regions whose list of endpoints names DRS ("Regions and Endpoints"). The Swiss region's does not.
REGIONS_WITH_DRS = ("eu-de", "eu-nl")
_CERTIFICATE = ("client_cert", "client_key")
# What any kind of login may have.
_SCOPE = ("project_domain_id", "project_domain_name", "auth_url")

_USE_A_CLOUD = "What is missing can also be in an entry of clouds.yaml: name it in drs:cloud, OS_CLOUD or cloud=… in the program."
_CLOUD_UNUSED = "OS_CLOUD is set, but not used, because another login is given; remove that login to use the cloud."


class _Login(Enum):
    """The kinds of login, each with its fields."""

    TOKEN = ("token",)
    PASSWORD = (*USER_FIELDS, "password", *_CERTIFICATE)
    PLUGIN = ("auth_type", "auth_options", *_CERTIFICATE)
    ACCESS_KEY = ("access_key", "secret_key", "security_token")


def load_settings(config: Mapping[str, str], environment: Mapping[str, str], overrides: Overrides | None = None) -> Settings:
    """The settings of one resource.

    Args:
        config: stack configuration of namespace ``drs``, by bare names: ``region``, ``projectId``, …
        environment: environment variables.
        overrides: the resource's own inputs.

    Raises:
        SettingsError: with everything that is missing or wrong.
    """
    layers = collect(config, environment, overrides or Overrides())
    named_in = rank(layers, "cloud")
    is_unused = named_in == ENVIRONMENT and _has_login(layers)
    if named_in == len(layers) or is_unused:
        return _Loader(layers).load(_CLOUD_UNUSED if is_unused else _USE_A_CLOUD)
    cloud = _read_cloud(layers, environment)
    return _Loader(insert_cloud(layers, named_in, cloud), cloud, named_in).load()


def wrong_settings(config: Mapping[str, str], environment: Mapping[str, str]) -> list[str]:
    """What is wrong with a configuration, whatever other sources may add to it. Arguments as for `load_settings`."""
    others = {name for key in KEYS.values() for name in (*key.environment, *key.older)}
    try:
        # Where clouds.yaml is, the environment still says.
        load_settings(config, {name: value for name, value in environment.items() if name not in others})
    except SettingsError as exc:
        return list(exc.wrong)
    return []


def _has_login(layers: Sequence[Layer]) -> bool:
    """Whether there is a login that beats the cloud of OS_CLOUD, which many shells have for other tools."""
    values = merge(layers)
    has_user = "username" in values or "user_id" in values
    return "token" in values or ("password" in values and has_user) or rank(layers, _key_field(values)) < ENVIRONMENT


def _key_field(values: Layer) -> str:
    """The field whose source counts as that of an access key: a secret key is one only where there is no access key."""
    return "access_key" if "access_key" in values else "secret_key"


def _read_cloud(layers: Sequence[Layer], environment: Mapping[str, str]) -> Layer:
    """The entry of clouds.yaml that is named. Raises SettingsError."""
    from .clouds import CloudError, read_cloud

    name = merge(layers)["cloud"]
    regions = [layer["region"].text for layer in layers if "region" in layer]
    try:
        return read_cloud(name.text, environment, regions)
    except CloudError as exc:
        # Nothing else is checked: without the entry, whatever it has would be called missing.
        raise SettingsError([f"{name.origin}: {exc}"]) from None


class _Loader:
    """Makes settings of layers, the strongest first, and collects the problems on the way.

    Args:
        cloud: the layer of clouds.yaml, if there is one.
        named_in: the index of the layer that names it.
    """

    def __init__(self, layers: Sequence[Layer], cloud: Layer | None = None, named_in: int = ENVIRONMENT) -> None:
        self._layers = layers
        self._values = merge(layers)
        self._cloud = cloud
        self._named_in = named_in
        self._problems: list[str] = []
        self._missing: list[str] = []

    def load(self, hint: str = "") -> Settings:
        """The settings. Raises SettingsError with everything that is missing or wrong, and `hint` if something is missing."""
        login = self._choose_login()
        for field in LOGIN_FIELDS.difference(login.value, _SCOPE):
            self._values.pop(field, None)
        if login is _Login.PASSWORD:
            self._check_password()
        elif login is _Login.ACCESS_KEY:
            self._check_access_key()
        self._check_project(login)
        knows_project = login is _Login.TOKEN and "project_id" in self._values
        needs_iam = not (login is _Login.ACCESS_KEY or knows_project)
        self._find_addresses(needs_iam)
        advice = _advice(self._values, (*login.value, "project_id", "project_name", *(("auth_url",) if needs_iam else ())))
        texts = {field: value.text for field, value in self._values.items() if field != "cloud"}
        try:
            settings = Settings.model_validate({**texts, "advice": advice})
        except ValidationError as exc:
            # What is missing has been told in other words.
            for error in (error for error in exc.errors() if error["type"] != "missing"):
                text = error["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
                self._problems.append(f"{self._values[str(error['loc'][0])].origin} {text}")
        if self._problems:
            hint = f". {hint}" if hint and self._missing else ""
            wrong = [problem for problem in self._problems if problem not in self._missing]
            raise SettingsError([*self._problems[:-1], self._problems[-1] + hint], wrong)
        return settings

    def _choose_login(self) -> _Login:
        """The kind of login: the strongest layer that has one decides.

        Within a layer a token is used before a password, a password before the cloud that the layer names, a cloud before an
        access key, which DRS does not document.
        """
        has_user = "username" in self._values or "user_id" in self._values
        is_plugin = self._cloud is not None and "auth_type" in self._cloud
        for index, layer in enumerate(self._layers):
            names_cloud = self._cloud is not None and index == self._named_in
            if "token" in layer:
                return _Login.TOKEN
            if layer is self._cloud:
                return _Login.PLUGIN if is_plugin else _Login.PASSWORD
            # A left-over password without a user does not replace another kind of login.
            if "password" in layer and (has_user or not is_plugin):
                return _Login.PASSWORD
            if _key_field(self._values) in layer and not names_cloud:
                return _Login.ACCESS_KEY
        return _Login.PASSWORD

    def _check_password(self) -> None:
        values = self._values
        also = self._check_owner("password", ("user_id", "username"))
        if not values.keys() & {"user_id", "username"}:
            self._miss("username")
        if "password" not in values:
            self._miss("password", f"{also}; or give a ready token: {self._sources('token')}")
        if not values.keys() & {"user_id", "user_domain_id", "user_domain_name"}:
            self._miss("user_domain_name")

    def _check_access_key(self) -> None:
        values, layers = self._values, self._layers
        if find_spec("huaweicloudsdkcore") is None:
            origin = next(values[field].origin for field in _Login.ACCESS_KEY.value if field in values)
            self._problems.append(f"{origin} needs the package's extra aksk: in the checkout, pip install '.[aksk]'")
        also = self._check_owner("secret_key", ("access_key",))
        for field, more in (("access_key", ""), ("secret_key", also)):
            if field not in values:
                self._miss(field, more)
        if rank(layers, "security_token") > rank(layers, "secret_key"):
            # That of another, temporary key.
            values.pop("security_token", None)

    def _check_owner(self, secret: str, owners: Sequence[str]) -> str:
        """Leave out a secret that its source gives for another owner than the one that counts, and say so.

        The service would count it as a wrong one, and lock the owner out after a few.
        """
        values = self._values
        owner = next((values[field] for field in owners if field in values), None)
        beside = [
            layer[field]
            for layer in self._layers
            if layer.get(secret) is values.get(secret)
            for field in owners
            if field in layer
        ]
        if secret not in values or owner is None or not beside or owner.text in [value.text for value in beside]:
            return ""
        return f"; {values.pop(secret).origin} belongs to {beside[0].origin}, not to {owner.origin}"

    def _check_project(self, login: _Login) -> None:
        values = self._values
        if login is _Login.ACCESS_KEY:
            name = values.pop("project_name", None)
            also = f"; {name.origin} does not help, because without a login no name is looked up" if name else ""
        else:
            also = f"; or its name: {self._sources('project_name')}"
        is_optional = login is _Login.TOKEN or ("auth_type" in values and values["auth_type"].text in LOGINS_WITH_A_PROJECT)
        if not (is_optional or values.keys() & {"project_id", "project_name"}):
            self._miss("project_id", also)

    def _find_addresses(self, needs_iam: bool) -> None:
        """Settle region, endpoint and IAM, of which one can tell another."""
        values = self._values
        self._settle_region()
        region, endpoint, auth_url = values.get("region"), values.get("endpoint"), values.get("auth_url")
        name = region.text if region else _region_of("drs", endpoint) or _region_of("iam", auth_url)
        origin = f"that of region {name}"
        if name:
            named_by = endpoint if _region_of("drs", endpoint) else auth_url
            values.setdefault("region", Value(name, named_by.origin if named_by else origin))
        if name in REGIONS_WITH_DRS:
            values.setdefault("endpoint", Value(f"https://drs.{name}.otc.t-systems.com", origin))
            values.setdefault("auth_url", Value(f"https://iam.{name}.otc.t-systems.com/v3", origin))
        if "endpoint" not in values and name:
            self._miss("endpoint", f"; {quoted(name)} is not a built-in region (these are: {' and '.join(REGIONS_WITH_DRS)})")
        elif "endpoint" not in values:
            self._miss("region", f"; or the addresses: {self._sources('endpoint')}; and for IAM {self._sources('auth_url')}")
        if "auth_url" not in values and needs_iam and (endpoint or name):
            self._miss("auth_url")

    def _settle_region(self) -> None:
        """Leave out the region or the endpoint where they contradict each other: one is meant for another program or shell."""
        values, layers = self._values, self._layers
        region, endpoint = values.get("region"), values.get("endpoint")
        theirs = _region_of("drs", endpoint)
        if region is None or endpoint is None or theirs in (None, region.text):
            return
        stronger, weaker = rank(layers, "region"), rank(layers, "endpoint")
        if stronger == weaker:
            self._problems.append(f"{endpoint.origin} is the endpoint of {theirs}, but {region.origin} names another region")
        else:
            del values["endpoint" if stronger < weaker else "region"]

    def _miss(self, field: str, also: str = "") -> None:
        """Note that nothing gives a value."""
        self._missing.append(f"{KEYS[field].label} is missing: set {self._sources(field)}{also}")
        self._problems.append(self._missing[-1])

    def _sources(self, field: str) -> str:
        """Every source that may give a value, in words that follow "set"."""
        key = KEYS[field]
        weakest = self._named_in if field in LOGIN_FIELDS else ENVIRONMENT
        sources = []
        if key.config and weakest >= STACK:
            how = f"--secret drs:{key.config}" if key.is_secret else f"drs:{key.config} …"
            sources.append(f"drs:{key.config} (pulumi config set {how})")
        if weakest >= ENVIRONMENT:
            sources += key.environment[:1]
        if key.input:
            sources.append(f"{key.input}=… in the program")
        if self._cloud is not None and key.cloud:
            where = "clouds.yaml or secure.yaml" if key.is_secret else "clouds.yaml"
            sources.append(f"{key.cloud} of cloud {quoted(self._values['cloud'].text)} in {where}")
        return ", or ".join(sources)


def _region_of(service: str, url: Value | None) -> str | None:
    """The region whose own address this is, if it is a region that we know."""
    known = rf"https://{service}\.({'|'.join(REGIONS_WITH_DRS)})\.otc\.t-systems\.com(:443)?(/.*)?"
    match = re.fullmatch(known, url.text, re.IGNORECASE) if url else None
    return match[1].lower() if match else None


def _advice(values: Layer, fields: Sequence[str]) -> str:
    """The next step after a refused login: what to check, and where it came from."""
    given = [field for field in fields if field in values and field != "auth_options"]
    *most, last = (f"{KEYS[field].label} ({values[field].origin})" for field in given) if given else ("the login",)
    text = f"Check {', '.join(most)} and {last}" if most else f"Check {last}"
    if any(values[field].origin.startswith("drs:") for field in given):
        text += "; refresh and destroy use the stack configuration of the last up"
    return f"{text}.{_other_region(values) if 'auth_url' in given else ''}"


def _other_region(values: Layer) -> str:
    """A sentence, if IAM is that of another region than the jobs: a shell's address of IAM also counts for other regions."""
    region, auth_url = values.get("region"), values["auth_url"]
    theirs = _region_of("iam", auth_url)
    if region is None or theirs in (None, region.text) or region.text not in REGIONS_WITH_DRS:
        return ""
    names = f"{auth_url.origin} names {theirs}, and {region.origin} names {region.text}"
    return f" {names}: leave out {auth_url.origin} to log in at {region.text}."
