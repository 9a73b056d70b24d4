"""What is missing or wrong is told all at once, with every place to mend it, and without secrets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_drs_start.settings import Overrides, SettingsError, load_settings, token_source

PROJECT = "0123456789abcdef0123456789abcdef"


def _error(config: dict[str, str], environment: dict[str, str], **overrides: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load_settings(config, environment, Overrides(**overrides))
    return caught.value


def test_all_that_is_missing_is_told_at_once() -> None:
    problems = _error({}, {}).problems

    assert [problem.split(" is missing")[0] for problem in problems] == [
        "the user name",
        "the password",
        "the user's domain",
        "the project",
        "the region",
    ]


def test_what_is_wrong_is_told_along_with_what_is_missing(complete: dict[str, str]) -> None:
    del complete["OS_USERNAME"]

    problems = _error({"batchSize": "many", "language": "de", "caCert": "/no/such/file"}, complete).problems

    assert len(problems) == 4
    assert "clouds.yaml" in problems[-1]


def test_a_missing_value_names_every_place_for_it(complete: dict[str, str]) -> None:
    del complete["OS_PROJECT_ID"]

    assert (
        _error({}, complete)
        .problems[0]
        .startswith(
            "the project is missing: set drs:projectId (pulumi config set drs:projectId …), or OS_PROJECT_ID, "
            "or project_id=… in the program; or its name: drs:projectName"
        )
    )


def test_a_single_problem_is_the_whole_text(complete: dict[str, str]) -> None:
    error = _error({"language": "de"}, complete)

    assert str(error) == "drs:language must be 'en-us' or 'zh-cn'"


def test_a_secret_is_advised_to_be_set_as_one(complete: dict[str, str]) -> None:
    del complete["OS_PASSWORD"]

    assert "pulumi config set --secret drs:password" in str(_error({}, complete))


@pytest.mark.parametrize("name", ["OS_REGION_NAME", "OS_PROJECT_ID", "OS_USERNAME", "OS_PASSWORD", "OS_USER_DOMAIN_NAME"])
def test_empty_text_is_missing(name: str, complete: dict[str, str]) -> None:
    assert name in str(_error({}, {**complete, name: ""}))


@pytest.mark.parametrize("value", ["eu-de", "0123456789abcdef", PROJECT + "0", "g" * 32, "../" + PROJECT[3:]])
def test_a_project_id_has_32_hexadecimal_characters(value: str, complete: dict[str, str]) -> None:
    assert "drs:projectId must be a project's id" in str(_error({"projectId": value}, complete))


def test_a_sandbox_may_have_other_project_ids(complete: dict[str, str]) -> None:
    settings = load_settings({"projectId": "demo-project"}, {**complete, "DRS_ENDPOINT": "http://localhost:1"})

    assert settings.project_id == "demo-project"


@pytest.mark.parametrize("value", ["a/b", "..", "a b", "a?b"])
def test_no_project_id_leads_to_another_path(value: str, complete: dict[str, str]) -> None:
    assert "drs:projectId" in str(_error({"projectId": value}, {**complete, "DRS_ENDPOINT": "http://localhost:1"}))


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "ten", "1e3", "٣", "9" * 5000])
def test_a_batch_size_is_a_whole_number(value: str, complete: dict[str, str]) -> None:
    assert str(_error({"batchSize": value}, complete)).startswith("drs:batchSize ")


def test_a_batch_has_a_hundred_jobs_unless_told_otherwise(complete: dict[str, str]) -> None:
    assert load_settings({}, complete).batch_size == 100


def test_messages_are_english_unless_told_otherwise(complete: dict[str, str]) -> None:
    assert load_settings({}, complete).language == "en-us"


def test_a_tls_bundle_must_exist(complete: dict[str, str]) -> None:
    assert "OS_CACERT names a TLS bundle that does not exist" in str(_error({}, {**complete, "OS_CACERT": "/no/such.pem"}))


def test_an_exported_cloud_is_no_problem_when_nothing_is_missing(complete: dict[str, str]) -> None:
    assert load_settings({}, {**complete, "OS_CLOUD": "otc"}).region == "eu-de"


def test_an_exported_cloud_that_is_not_used_is_mentioned_when_something_is_missing(complete: dict[str, str]) -> None:
    del complete["OS_PROJECT_ID"]

    assert "OS_CLOUD is set, but not used, because another login is given" in str(_error({}, {**complete, "OS_CLOUD": "otc"}))


def test_clouds_yaml_is_mentioned_when_something_is_missing() -> None:
    assert _error({}, {}).problems[-1].endswith("name it in drs:cloud, OS_CLOUD or cloud=… in the program.")


@pytest.mark.parametrize("token", ["hidden word", "hidden\nword", "hidden\x00word", "hídden"])
def test_a_token_that_fits_in_no_header_is_refused_without_being_quoted(token: str, complete: dict[str, str]) -> None:
    """The HTTP library would quote it in its own error."""
    text = str(_error({"token": token}, complete))

    assert text.startswith("drs:token is not a token")
    assert token not in text


_SECRET = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8).map(lambda text: f"<<{text}>>")


@given(_SECRET, st.sampled_from(["", "eu-de", "mars"]), st.sampled_from(["", "ftp://x", "https://x"]))
def test_no_text_about_settings_has_the_password(secret: str, region: str, endpoint: str) -> None:
    environment = {"OS_PASSWORD": secret, "OS_USERNAME": "me", "OS_USER_DOMAIN_NAME": "us", "OS_PROJECT_ID": PROJECT}
    try:
        settings = load_settings({"region": region, "endpoint": endpoint}, environment)
    except SettingsError as error:
        assert secret not in str(error) + repr(error) + repr(error.problems)  # noqa: PT017 - either way is fine
        return
    assert secret not in repr(settings) + str(settings) + repr(token_source(settings))


@given(_SECRET)
def test_no_text_about_settings_has_the_token(secret: str) -> None:
    settings = load_settings({"region": "eu-de", "token": secret}, {})

    assert secret not in repr(settings) + str(settings) + repr(token_source(settings)) + settings.model_dump_json()
