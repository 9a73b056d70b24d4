"""Providers: their configuration, two of them in one program, and a resource that goes from one to the other."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pulumi_drs_start.sandbox import Sandbox, make_job
from tests.e2e.conftest import actions

from .conftest import TYPE, YamlStack

pytestmark = pytest.mark.engine


@pytest.fixture
def stack(make_stack: Callable[..., YamlStack], sandbox: Sandbox) -> YamlStack:
    """A stack whose environment says nothing of DRS."""
    stack = make_stack(sandbox)
    stack.environment = {name: value for name, value in stack.environment.items() if not name.startswith(("OS_", "DRS_"))}
    return stack


def provider(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    """An explicit provider for the sandbox."""
    properties = {
        "endpoint": sandbox.url,
        "authUrl": sandbox.auth_url,
        "username": sandbox.username,
        "password": sandbox.password,
        "domainName": sandbox.domain_name,
        "projectId": sandbox.project_id,
        "region": "eu-de",
    }
    return {"type": "pulumi:providers:drs", "properties": {**properties, **more}}


def starting(provider_name: str, *job_ids: str, **inputs: Any) -> dict[str, Any]:
    return {
        "type": TYPE,
        "properties": {"jobs": list(job_ids), **inputs},
        "options": {"provider": f"${{{provider_name}}}"},
    }


def test_two_providers_serve_two_places_and_keep_their_passwords(sandbox: Sandbox, stack: YamlStack) -> None:
    other = sandbox.account.other_project_id
    sandbox.add_jobs(make_job("a"), make_job("b", project_id=other))
    resources = {"here": provider(sandbox), "there": provider(sandbox, projectId=other, batchSize=50)}
    stack.declare({**resources, "one": starting("here", "a"), "two": starting("there", "b")})

    up = stack.up()

    assert up.exit_code == 0, up.output
    assert sorted(actions(sandbox)) == [("batch-starting", sandbox.project_id, ["a"]), ("batch-starting", other, ["b"])]
    assert sandbox.password not in up.output + stack.run("stack", "export").output
    assert stack.rests()


def test_a_cloud_of_clouds_yaml_is_named_and_an_unknown_setting_warned_of(sandbox: Sandbox, stack: YamlStack) -> None:
    auth = {
        "auth_url": sandbox.auth_url,
        "username": sandbox.username,
        "password": sandbox.password,
        "user_domain_name": sandbox.domain_name,
        "project_id": sandbox.project_id,
    }
    cloud = {"region_name": "eu-de", "drs_endpoint_override": sandbox.url, "auth": auth}
    (stack.folder / "clouds.yaml").write_text(json.dumps({"clouds": {"otc": cloud}}))
    stack.environment["OS_CLIENT_CONFIG_FILE"] = str(stack.folder / "clouds.yaml")
    sandbox.add_jobs(make_job("a"))
    stack.run("config", "set", "drs:cloud", "otc")
    stack.run("config", "set", "drs:regoin", "eu-nl")
    stack.starts("a")

    up = stack.up()

    assert up.exit_code == 0, up.output
    assert "drs:regoin is not a setting of DRS; did you mean drs:region?" in up


def test_a_wrong_configuration_is_told_at_once_and_a_missing_one_by_the_resource(sandbox: Sandbox, stack: YamlStack) -> None:
    wrong = provider(sandbox, endpoint="http://drs.example", batchSize="many")
    stack.declare({"here": wrong, "one": starting("here", "a")})
    refused = stack.preview()
    assert refused.exit_code != 0
    assert "drs:endpoint must begin with https://" in refused
    assert "drs:batchSize must be a valid integer" in refused

    stack.starts("a")
    missing = stack.preview()
    assert missing.exit_code != 0
    assert "or projectId: … in the program" in missing


def test_a_resource_that_goes_to_another_provider_for_the_same_place_stops_nothing(sandbox: Sandbox, stack: YamlStack) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    providers = {"one": provider(sandbox), "two": provider(sandbox, batchSize=50)}
    stack.declare({**providers, "batch": starting("one", "a", onDestroy="stop"), "gone": starting("one", "b", onDestroy="stop")})
    assert stack.up().exit_code == 0

    stack.declare({**providers, "batch": starting("two", "a", onDestroy="stop"), "new": starting("two", "b", onDestroy="stop")})
    moved = stack.up()

    assert moved.exit_code == 0, moved.output
    assert [kind for kind, _, _ in actions(sandbox)] == ["batch-starting"] * 2
    assert sandbox.job("a")["status"] == sandbox.job("b")["status"] == "FULL_TRANSFER_STARTED"
