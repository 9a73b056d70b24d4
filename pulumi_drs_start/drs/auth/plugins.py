"""
Plugins of keystoneauth: what makes a login of its name and its options.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Their project is fixed when they are made; keystone refuses a login that names one.
LOGINS_WITH_A_PROJECT = ("v3applicationcredential", "v3oauth2clientcredential", "v3oauth2mtlsclientcredential")
# Those that give no token of IAM's version 3, and those that wait for a person at a browser.
_UNUSABLE = ("none", "http_basic", "v2password", "v2token", "v3tokenlessauth", "v3websso", "v3oidcdeviceauthz")
# The address, and what the token is for: never taken from the options.
_SCOPE = (
    *("auth_url", "project_id", "project_name", "project_domain_id", "project_domain_name"),
    *("domain_id", "domain_name", "default_domain_id", "default_domain_name", "system_scope", "trust_id"),
)


class PluginError(Exception):
    """A login can't be made; the text says why."""


def make_plugin(auth_type: str, auth_url: str, options: Mapping[str, Any], project: Mapping[str, str | None]) -> Any:
    """A plugin of keystoneauth.

    Args:
        auth_type: its name, such as ``v3password``.
        auth_url: IAM, ``https://…/v3``.
        options: under any of their names; others are ignored.
        project: what the token is for: ``project_id``, ``project_name`` and their domain.

    Raises:
        PluginError: there is no such plugin, or it lacks an option or a library.
    """
    from keystoneauth1.exceptions import AuthPluginException
    from keystoneauth1.loading import get_plugin_loader, get_plugin_options

    if auth_type in _UNUSABLE:
        raise PluginError("DRS needs a token of IAM's version 3, got without a browser")
    loader: Any
    try:
        loader = get_plugin_loader(auth_type)
        methods = options.get("auth_methods") or ()
        known = [*loader.get_options(), *(option for method in methods for option in get_plugin_options(method))]
        given = {option.dest: _value(option, options) for option in known if option.dest not in _SCOPE}
        given = {name: value for name, value in given.items() if value is not None}
        scope = {} if auth_type in LOGINS_WITH_A_PROJECT else project
        plugin = loader.load_from_options(auth_url=auth_url, **given, **scope) if loader.available else None
    except AuthPluginException as exc:
        raise PluginError(str(exc)) from exc
    except (ImportError, AttributeError):
        # Not every module of keystoneauth notices that a library is missing.
        plugin = None
    except (TypeError, ValueError) as exc:
        raise PluginError("an option is missing, or of a wrong type") from exc
    if plugin is None:
        raise PluginError("it needs more libraries: pip install 'keystoneauth1[kerberos,oauth1,saml2]'")
    # The catalog is long, and DRS is not in it.
    plugin.include_catalog = False
    return plugin


def _value(option: Any, options: Mapping[str, Any]) -> Any:
    names = (option.dest, *(one.name.replace("-", "_") for one in (option, *option.deprecated)))
    return next((options[name] for name in names if options.get(name)), option.default)
