"""IAM: logging in with keystoneauth and by hand, discovery, validation."""

from __future__ import annotations

import openstack.config
import pytest
import requests
from keystoneauth1 import exceptions, session
from keystoneauth1.identity import generic, v3


@pytest.fixture
def login(sandbox):
    sessions = []

    def login(**fields):
        fields = {"username": sandbox.username, "password": sandbox.password, "user_domain_name": sandbox.domain_name} | fields
        http = requests.Session()
        http.trust_env = False
        sessions.append(http)
        return session.Session(auth=v3.Password(sandbox.auth_url, **fields), session=http)

    yield login
    for http in sessions:
        http.close()


def read(keystone, sandbox, **options):
    url = f"{sandbox.url}/v3/{sandbox.project_id}/jobs/batch-status"
    return keystone.post(url, json={"jobs": ["a"]}, raise_exc=False, **options)


class TestKeystoneauth:
    def test_a_login_by_project_id_opens_drs(self, sandbox, login):
        assert read(login(project_id=sandbox.project_id), sandbox).status_code == 200

    def test_a_login_by_project_name_yields_the_id(self, sandbox, login):
        keystone = login(project_name="eu-de", project_domain_name=sandbox.domain_name)
        assert keystone.get_project_id() == sandbox.project_id
        assert read(keystone, sandbox).status_code == 200

    def test_a_login_by_user_id_and_domain_id(self, sandbox, login):
        account = sandbox.account
        keystone = login(username=None, user_domain_name=None, user_id=account.user_id, project_id=sandbox.project_id)
        assert keystone.get_user_id() == account.user_id
        assert login(user_domain_name=None, user_domain_id=account.domain_id).get_token()

    def test_an_application_credential_is_for_its_project(self, sandbox, login):
        account = sandbox.account
        keystone = login()
        keystone.auth = v3.ApplicationCredential(
            sandbox.auth_url,
            application_credential_id=account.application_credential_id,
            application_credential_secret=account.application_credential_secret,
        )
        assert keystone.get_project_id() == sandbox.project_id
        assert read(keystone, sandbox).status_code == 200

    @pytest.mark.parametrize(
        "change", [{"application_credential_secret": "wrong"}, {"application_credential_id": "wrong"}, {"project_name": "eu-de"}]
    )
    def test_a_wrong_application_credential_or_one_with_a_scope_is_unauthorized(self, sandbox, login, change):
        account = sandbox.account
        facts = {
            "application_credential_id": account.application_credential_id,
            "application_credential_secret": account.application_credential_secret,
        }
        keystone = login()
        keystone.auth = v3.ApplicationCredential(sandbox.auth_url, **(facts | change))
        with pytest.raises(exceptions.Unauthorized):
            keystone.get_token()

    def test_a_token_can_be_exchanged_for_another_project_s(self, sandbox, login):
        keystone = login(project_id=sandbox.project_id)
        other = login()
        other.auth = v3.Token(sandbox.auth_url, keystone.get_token(), project_id=sandbox.account.other_project_id)
        assert other.get_project_id() == sandbox.account.other_project_id

    def test_a_wrong_password_is_unauthorized(self, login):
        with pytest.raises(exceptions.Unauthorized, match="username or password is wrong"):
            login(password="wrong").get_token()

    def test_an_unscoped_login_does_not_open_drs(self, sandbox, login):
        keystone = login(unscoped=True)
        assert read(keystone, sandbox).json()["error_code"] == "DRS.M00261"

    def test_an_unknown_project_is_unauthorized(self, login):
        with pytest.raises(exceptions.Unauthorized):
            login(project_id="0" * 32).get_token()

    def test_the_catalog_leads_to_drs_and_iam(self, sandbox, login):
        keystone = login(project_id=sandbox.project_id)
        assert keystone.get_endpoint(service_type="drs", region_name="eu-de") == f"{sandbox.url}/v3/{sandbox.project_id}"
        assert keystone.get_endpoint(service_type="identity") == f"{sandbox.url}/v3"

    def test_without_a_catalog_the_session_still_works(self, sandbox, login):
        assert read(login(project_id=sandbox.project_id, include_catalog=False), sandbox).status_code == 200

    def test_the_auth_url_may_lack_the_version(self, sandbox, login):
        keystone = login()
        keystone.auth = generic.Password(
            sandbox.url,
            username=sandbox.username,
            password=sandbox.password,
            user_domain_name=sandbox.domain_name,
            project_id=sandbox.project_id,
        )
        assert read(keystone, sandbox).status_code == 200

    def test_a_login_is_renewed_after_the_gateway_refused_its_token(self, sandbox, login):
        sandbox.set_policy(bad_token="gateway")
        keystone = login(project_id=sandbox.project_id)
        read(keystone, sandbox)
        sandbox.revoke_tokens()
        assert read(keystone, sandbox).status_code == 200


@pytest.mark.filterwarnings("ignore:Support for InfluxDB")
def test_the_environment_is_enough_for_openstacksdk(sandbox, monkeypatch):
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    region = openstack.config.OpenStackConfig(config_files=[], vendor_files=[]).get_one()
    keystone = region.get_session()
    assert read(keystone, sandbox).status_code == 200
    keystone.session.close()


def test_a_token_says_when_it_ends(sandbox, api):
    token = api.login().json()["token"]
    assert token["expires_at"].endswith("Z")
    assert token["project"]["id"] == sandbox.project_id
    assert {service["type"] for service in token["catalog"]} == {"drs", "identity"}


def test_the_project_wins_over_the_domain(sandbox, api):
    token = api.login({"project": {"id": sandbox.project_id}, "domain": {"name": sandbox.domain_name}}).json()["token"]
    assert token["project"]["id"] == sandbox.project_id
    assert "domain" not in token


def test_a_token_can_be_validated(sandbox, api):
    api.login()
    headers = {"X-Auth-Token": api.token, "X-Subject-Token": api.token}
    answer = api.session.get(f"{sandbox.auth_url}/auth/tokens", headers=headers)
    assert answer.json()["token"]["user"]["name"] == sandbox.username
    assert api.session.get(f"{sandbox.auth_url}/auth/tokens", headers=headers | {"X-Subject-Token": "x"}).status_code == 404


def test_a_project_is_found_by_its_name(sandbox, api):
    api.login()
    answer = api.session.get(f"{sandbox.auth_url}/projects?name=eu-de", headers={"X-Auth-Token": api.token})
    assert [project["id"] for project in answer.json()["projects"]] == [sandbox.project_id]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"auth": {}}', b'{"auth": {"identity": {"methods": ["totp"]}}}'])
def test_a_malformed_login_gets_keystones_envelope(sandbox, api, body):
    headers = {"Content-Type": "application/json"}
    answer = api.session.post(f"{sandbox.auth_url}/auth/tokens", data=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == 400


@pytest.mark.usefixtures("sandbox")
def test_passwords_are_not_repeated(api):
    answer = api.login(password=["hunter2"])
    assert answer.status_code == 400
    assert "hunter2" not in answer.text
