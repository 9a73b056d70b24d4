"""
The table of settings: what each is called in every source, and how messages name it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..drs.text import clean_text, closest


@dataclass(frozen=True, slots=True)
class Key:
    """A setting and its names.

    Attributes:
        field: in `Settings`; ``cloud`` is in none.
        label: in messages.
        config: in the stack's configuration, namespace ``drs``.
        environment: variables; the first that is set counts.
        older: variables that count when no variable of `environment` gives the value; consoles write them into their files.
        input: of the resource.
        cloud: in an entry of clouds.yaml.
        is_secret: it is set with ``--secret``.
    """

    field: str
    label: str
    config: str | None = None
    environment: tuple[str, ...] = ()
    older: tuple[str, ...] = ()
    input: str | None = None
    cloud: str | None = None
    is_secret: bool = False


# Who logs in, and where.
_LOGIN = (
    Key("token", "the token", "token", ("OS_TOKEN", "OS_AUTH_TOKEN"), cloud="auth.token", is_secret=True),
    Key("user_id", "the user", None, ("OS_USER_ID",), cloud="auth.user_id"),
    Key("username", "the user name", "username", ("OS_USERNAME",), cloud="auth.username"),
    Key(
        "user_domain_id", "the user's domain", "domainId", ("OS_USER_DOMAIN_ID",), ("OS_DOMAIN_ID",), cloud="auth.user_domain_id"
    ),
    Key(
        "user_domain_name",
        "the user's domain",
        "domainName",
        ("OS_USER_DOMAIN_NAME",),
        ("OS_DOMAIN_NAME",),
        cloud="auth.user_domain_name",
    ),
    Key("password", "the password", "password", ("OS_PASSWORD",), cloud="auth.password", is_secret=True),
    # The variables of Open Telekom Cloud's Terraform provider.
    Key("access_key", "the access key", "accessKey", ("OS_ACCESS_KEY",)),
    Key("secret_key", "the secret key", "secretKey", ("OS_SECRET_KEY",), is_secret=True),
    Key("security_token", "the security token", "securityToken", ("OS_SECURITY_TOKEN",), is_secret=True),
    Key("auth_type", "the login"),
    Key("auth_options", "the options of the login"),
    Key("client_cert", "the certificate to show to IAM", cloud="cert"),
    Key("client_key", "the key of the certificate", cloud="key"),
    Key("project_domain_id", "the project's domain", None, ("OS_PROJECT_DOMAIN_ID",), cloud="auth.project_domain_id"),
    Key("project_domain_name", "the project's domain", None, ("OS_PROJECT_DOMAIN_NAME",), cloud="auth.project_domain_name"),
    Key("auth_url", "the address of IAM", "authUrl", ("OS_AUTH_URL",), cloud="auth.auth_url"),
)
_OTHER = (
    Key("project_id", "the project", "projectId", ("OS_PROJECT_ID",), ("OS_TENANT_ID",), "project_id", "auth.project_id"),
    Key("project_name", "the project", "projectName", ("OS_PROJECT_NAME",), ("OS_TENANT_NAME",), cloud="auth.project_name"),
    Key("region", "the region", "region", ("OS_REGION_NAME",), input="region", cloud="region_name"),
    Key("endpoint", "the endpoint of DRS", "endpoint", ("DRS_ENDPOINT",), input="endpoint", cloud="drs_endpoint_override"),
    Key("cloud", "the cloud", "cloud", ("OS_CLOUD",), input="cloud"),
    Key("language", "the language", "language", ("DRS_LANGUAGE",)),
    Key("ca_cert", "the TLS bundle", "caCert", ("OS_CACERT",), cloud="cacert"),
    Key("batch_size", "the batch size", "batchSize", ("DRS_BATCH_SIZE",)),
)
LOGIN_FIELDS = frozenset(key.field for key in _LOGIN)
USER_FIELDS = ("username", "user_id", "user_domain_id", "user_domain_name")
KEYS = {key.field: key for key in (*_LOGIN, *_OTHER)}
# What there is to ask the stack configuration for.
CONFIG_KEYS = tuple(sorted(key.config for key in KEYS.values() if key.config))
SECRET_KEYS = tuple(sorted(key.config for key in KEYS.values() if key.config and key.is_secret))


def unknown_keys(keys: Iterable[str]) -> list[str]:
    """What is to be said of keys of the stack's configuration that mean nothing, such as ``drs:regoin``.

    Args:
        keys: with their namespaces, as Pulumi has them; those of other namespaces are of no interest.
    """
    names = [key.removeprefix("drs:") for key in keys if key.startswith("drs:")]
    return [
        f"drs:{clean_text(name)} is not a setting of DRS; {_meant(name)}" for name in sorted(names) if name not in CONFIG_KEYS
    ]


def _meant(name: str) -> str:
    close = closest(name, CONFIG_KEYS)
    return f"did you mean drs:{close}?" if close else f"known: {', '.join(CONFIG_KEYS)}"
