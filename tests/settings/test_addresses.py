"""Where DRS and IAM are: known regions, given addresses, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_drs_start.settings import Overrides, Settings, SettingsError, load_settings

PROJECT = "0123456789abcdef0123456789abcdef"
TOKEN = {"token": "ready", "projectId": PROJECT}


def _refused(config: dict[str, str], environment: dict[str, str] | None = None, **overrides: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(config, environment or {}, Overrides(**overrides))
    return str(caught.value)


def _with_endpoint(url: str) -> Settings:
    return load_settings({**TOKEN, "endpoint": url}, {})


@pytest.mark.parametrize(
    ("config", "environment", "overrides", "said"),
    [
        ({}, {}, {"region": "eu-nl"}, "OS_AUTH_URL names eu-de, and region in the program names eu-nl"),
        ({"region": "eu-nl"}, {}, {}, "OS_AUTH_URL names eu-de, and drs:region names eu-nl"),
        ({}, {}, {"endpoint": "https://drs.eu-nl.otc.t-systems.com"}, "and endpoint in the program names eu-nl"),
        (
            {"authUrl": "https://iam.eu-nl.otc.t-systems.com/v3"},
            {},
            {},
            "drs:authUrl names eu-nl, and OS_REGION_NAME names eu-de",
        ),
        ({}, {}, {"region": "eu-de"}, ""),
        ({}, {"OS_AUTH_URL": "https://iam.example.com"}, {"region": "eu-nl"}, ""),
        ({}, {"OS_AUTH_URL": ""}, {"region": "eu-nl"}, ""),
        ({}, {"DRS_ENDPOINT": "https://drs.example.com"}, {"region": "eu-fr"}, ""),
        ({}, {"OS_TOKEN": "t"}, {"region": "eu-nl"}, ""),
    ],
)
def test_advice_after_a_refused_login_names_two_regions_that_differ(
    complete: dict[str, str], config: dict[str, str], environment: dict[str, str], overrides: dict[str, str], said: str
) -> None:
    shell = {**complete, "OS_AUTH_URL": "https://iam.eu-de.otc.t-systems.com/v3", **environment}

    advice = load_settings(config, shell, Overrides(**overrides)).advice

    assert said in advice
    assert ("leave out" in advice) is bool(said)


def _with_iam(url: str) -> Settings:
    return load_settings({**TOKEN, "endpoint": "https://drs.example", "authUrl": url}, {})


@pytest.mark.parametrize("region", ["eu-de", "eu-nl"])
def test_a_region_with_drs_gives_both_addresses(region: str) -> None:
    settings = load_settings({**TOKEN, "region": region}, {})

    assert settings.endpoint == f"https://drs.{region}.otc.t-systems.com"
    assert settings.auth_url == f"https://iam.{region}.otc.t-systems.com/v3"


@pytest.mark.parametrize("region", ["eu-ch2", "mars-1", "eu-de.evil.example/"])
def test_no_address_is_guessed_for_other_regions(region: str, complete: dict[str, str]) -> None:
    text = _refused({"region": region}, complete)

    assert "the endpoint of DRS is missing: set drs:endpoint" in text
    assert "the address of IAM is missing: set drs:authUrl" in text


def test_another_region_works_with_given_addresses(complete: dict[str, str]) -> None:
    settings = load_settings(
        {"region": "cn-north-4", "endpoint": "https://drs.cn.example", "authUrl": "https://iam.cn.example"}, complete
    )

    assert (settings.region, settings.endpoint) == ("cn-north-4", "https://drs.cn.example")


def test_given_addresses_need_no_region(complete: dict[str, str]) -> None:
    del complete["OS_REGION_NAME"]

    settings = load_settings({"endpoint": "https://drs.example", "authUrl": "https://iam.example/v3"}, complete)

    assert settings.region is None


def test_a_token_with_a_project_id_needs_neither_region_nor_iam() -> None:
    assert _with_endpoint("https://drs.example").auth_url is None


def test_a_token_without_a_project_needs_iam_to_tell_it() -> None:
    text = _refused({"token": "ready", "endpoint": "https://drs.example"})

    assert "the address of IAM is missing: set drs:authUrl" in text


def test_a_token_without_a_project_is_enough_with_iam() -> None:
    settings = load_settings({"token": "ready", "region": "eu-de"}, {})

    assert (settings.project_id, settings.project_name) == (None, None)


def test_the_region_is_known_from_its_own_iam(complete: dict[str, str]) -> None:
    """The files that the console hands out name IAM, with a port, and no region."""
    del complete["OS_REGION_NAME"]

    settings = load_settings({}, {**complete, "OS_AUTH_URL": "https://iam.eu-nl.otc.t-systems.com:443/v3"})

    assert (settings.region, settings.endpoint) == ("eu-nl", "https://drs.eu-nl.otc.t-systems.com")


def test_a_region_on_the_resource_retires_the_endpoint_of_another(complete: dict[str, str]) -> None:
    settings = load_settings({"endpoint": "https://drs.eu-de.otc.t-systems.com"}, complete, Overrides(region="eu-nl"))

    assert settings.endpoint == "https://drs.eu-nl.otc.t-systems.com"


def test_an_endpoint_on_the_resource_retires_another_region(complete: dict[str, str]) -> None:
    settings = load_settings({"region": "eu-de"}, complete, Overrides(endpoint="https://drs.eu-nl.otc.t-systems.com"))

    assert (settings.region, settings.endpoint) == ("eu-nl", "https://drs.eu-nl.otc.t-systems.com")


def test_an_endpoint_of_ones_own_outlives_a_region_on_the_resource(complete: dict[str, str]) -> None:
    """Whoever points a program at a sandbox must not reach the real service because of a region in it."""
    settings = load_settings({}, {**complete, "DRS_ENDPOINT": "http://127.0.0.1:9"}, Overrides(region="eu-nl"))

    assert settings.endpoint == "http://127.0.0.1:9"


def test_region_and_endpoint_that_contradict_each_other_in_one_place_are_refused() -> None:
    text = _refused({**TOKEN, "region": "eu-de", "endpoint": "https://drs.eu-nl.otc.t-systems.com"})

    assert text == "drs:endpoint is the endpoint of eu-nl, but drs:region names another region"


@pytest.mark.parametrize(
    ("given_url", "plain"),
    [
        ("https://drs.example/", "https://drs.example"),
        ("https://DRS.Example:443", "https://drs.example"),
        ("HTTPS://drs.example:08443//", "https://drs.example:8443"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_an_endpoint_is_brought_into_its_plainest_form(given_url: str, plain: str) -> None:
    """The endpoint is in the state: another spelling must not look like another place."""
    assert _with_endpoint(given_url).endpoint == plain


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "[::1]", "LOCALHOST"])
def test_plain_http_is_accepted_on_this_machine(host: str) -> None:
    assert _with_endpoint(f"http://{host}:8080").endpoint == f"http://{host.lower()}:8080"


@pytest.mark.parametrize("host", ["drs.example", "localhost.example", "127.0.0.1.example", "10.0.0.1", "[::]", "[fe80::1]"])
def test_plain_http_is_refused_elsewhere(host: str) -> None:
    assert "drs:endpoint must begin with https://" in _refused({**TOKEN, "endpoint": f"http://{host}"})


@pytest.mark.parametrize(
    "url",
    [
        "drs.example",
        "ftp://drs.example",
        "https://",
        "https://user:hidden-word@drs.example",
        "https://user@drs.example",
        "https://drs.example?x=hidden-word",
        "https://drs.example?",
        "https://drs.example#hidden-word",
        "https://drs.example/v3",
        "https://drs.example:0",
        "https://drs.example:65536",
        "https://drs.example:http",
        "https://drs.example\\@evil.example",
        "https://drs example",
        "https://drs.exam\nple",
        "https://[1::2::3]",
        "https://[drs]",
        "https://drs.example:٤٤٣",
    ],
)
def test_what_is_no_endpoint_is_refused_without_being_quoted(url: str) -> None:
    text = _refused({**TOKEN, "endpoint": url})

    assert text.startswith("drs:endpoint ")
    assert "hidden-word" not in text


@pytest.mark.parametrize(
    ("url", "full"),
    [
        ("https://iam.example", "https://iam.example/v3"),
        ("https://iam.example/", "https://iam.example/v3"),
        ("https://iam.example/v3", "https://iam.example/v3"),
        ("https://iam.example:443/v3///", "https://iam.example/v3"),
        ("https://iam.example/v3/auth/tokens", "https://iam.example/v3"),
        ("https://cloud.example/identity", "https://cloud.example/identity/v3"),
        ("https://cloud.example/identity/v3/", "https://cloud.example/identity/v3"),
        ("http://[::1]:5000", "http://[::1]:5000/v3"),
    ],
)
def test_the_address_of_iam_ends_in_v3(url: str, full: str) -> None:
    assert _with_iam(url).auth_url == full


def test_version_2_of_iam_is_refused() -> None:
    text = _refused({**TOKEN, "endpoint": "https://drs.example", "authUrl": "https://iam.example/v2.0"})

    assert text == "drs:authUrl is version 2 of IAM's API; version 3 is needed, …/v3"


def test_plain_http_is_refused_for_iam_too(complete: dict[str, str]) -> None:
    assert "OS_AUTH_URL must begin with https://" in _refused({}, {**complete, "OS_AUTH_URL": "http://iam.example"})


@given(st.text(min_size=1, max_size=40).filter(str.strip), st.booleans())
def test_any_text_is_an_address_or_a_settings_error(text: str, is_iam: bool) -> None:
    try:
        settings = _with_iam(text) if is_iam else _with_endpoint(text)
    except SettingsError:
        return
    assert (settings.auth_url or "").endswith("/v3") if is_iam else not settings.endpoint.endswith("/")


@given(st.from_regex(r"https?://[a-z0-9:.@\[\]/?#-]{1,30}", fullmatch=True))
def test_an_accepted_endpoint_stays_the_same_when_given_again(url: str) -> None:
    try:
        endpoint = _with_endpoint(url).endpoint
    except SettingsError:
        return
    assert _with_endpoint(endpoint).endpoint == endpoint
