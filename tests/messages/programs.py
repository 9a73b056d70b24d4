"""Messages about what a program and its configuration say: inputs, arguments of functions, settings."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

import pulumi
import pytest

from pulumi_drs_start.drs.calls.listing import JobListing
from pulumi_drs_start.drs.http.budget import TimeBudget
from pulumi_drs_start.functions import find_jobs, get_job_statuses, require_synced
from pulumi_drs_start.native import asked, wire
from pulumi_drs_start.native.searches import Searches
from pulumi_drs_start.operations.asking import Asker
from pulumi_drs_start.operations.query import find, make_query
from pulumi_drs_start.schema.dialect import PYTHON, YAML
from pulumi_drs_start.schema.fields import FORMAT, FOUND, INPUT_NAMES, SECRET_INPUTS
from pulumi_drs_start.schema.inputs import parse_inputs
from pulumi_drs_start.schema.messages import Messages
from pulumi_drs_start.schema.state import from_state
from pulumi_drs_start.settings import Overrides, SettingsError, load_settings, unknown_keys, unknown_level

from .page import IDS, Page

NOT_A_TIME: tuple[Any, ...] = (5, "1700000000", 1.5, 10**17, True, "tomorrow", "2026-12-01T02:00", "2026-13-01T02:00:00Z")
NOT_TEXT: tuple[Any, ...] = (5, True, None, "", ["a"], {"a": "b"})
WRONG: dict[str, tuple[Any, ...]] = {
    "jobs": (
        None,
        [],
        "crm-orders",
        5,
        {"job_id": IDS[0]},
        [5.0],
        [None],
        ["crm orders"],
        [" " + IDS[0]],
        [""],
        [IDS[0], IDS[0]],
    ),
    "start_time": (*NOT_A_TIME, datetime(2026, 12, 1)),
    "wait_for": ("runing", "everything", 5),
    "timeout": ("30", "0s", 30, ["30m"]),
    "resume": ("true", "maybe", 1),
    "on_destroy": ("delete", "stopp", None),
    "region": (5, " ", ["eu-de"]),
    "resum": (True,),
    "colour": ("red",),
}
WRONG_JOBS: tuple[dict[str, Any], ...] = (
    {},
    {"job_id": 5},
    {"job_id": True},
    {"job_id": ""},
    {"job_id": "crm orders"},
    {"job_id": IDS[0], "desired_state": "stoped"},
    {"job_id": IDS[0], "start_tme": "2026-12-01T02:00:00Z"},
    {"job_id": IDS[0], "name": "crm-orders"},
    *({"job_id": IDS[0], "start_time": time} for time in NOT_A_TIME),
)
QUERY = {"query": 'find_jobs(name="crm-*", status="CONFIGURATION")', "of_total": 24}
ALL_ARGUMENTS = dict.fromkeys(
    ("name", "status", "db_use_type", "engine_type", "enterprise_project_id", "tags", "region", "project_id", "endpoint", "cloud")
)
WRONG_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "name": (5, " ", ["crm"]),
    "status": ("configuraton", 5, [], ["PAUSING", 5], {"a": "b"}),
    "db_use_type": ("migraton", ["sync", "copy"]),
    "tags": ("team=crm", {"team": 5}, {" ": "crm"}),
    "region": (5,),
    "timeout": ("30", 30),
}
LOGIN = {"OS_USERNAME": "me", "OS_PASSWORD": "hidden-word", "OS_USER_DOMAIN_NAME": "OTC00000000001000000447"}
COMPLETE = {**LOGIN, "OS_REGION_NAME": "eu-de", "OS_PROJECT_ID": "0123456789abcdef0123456789abcdef"}


def render(page: Page) -> None:
    """Write every message about what a program and its configuration say."""
    _inputs(page)
    _functions(page)
    _native_functions(page)
    _settings(page)
    _clouds(page)
    page.section("What is warned of when a program begins")
    page.say(
        *unknown_keys(["drs:regoin", "drs:colour"]), *unknown_level({"DRS_LOG": "debgu"}), *unknown_level({"DRS_LOG": "all"})
    )


def _inputs(page: Page) -> None:
    page.section("What is wrong with the inputs of a resource")
    jobs = {"jobs": [IDS[0]]}
    bags = [{**jobs, name: value} for name, values in WRONG.items() for value in values]
    bags += [{"jobs": [job]} for job in WRONG_JOBS]
    bags += [{"jobs": [], FOUND: {**QUERY, "other_status": others}} for others in ([], IDS[:1], IDS)]
    for title, secret in (("", ""), ("where the inputs are secret", " ".join(INPUT_NAMES))):
        if title:
            page.part(title)
        for bag in bags:
            python, yaml = (parse_inputs({**bag, SECRET_INPUTS: secret}, dialect=dialect).problems for dialect in (PYTHON, YAML))
            for one, other in zip(python, yaml, strict=True):
                page.say(one, *([f"YAML: {other}"] if one != other else []))
    page.part("the state of a newer version")
    page.raised(lambda: from_state({FORMAT: 2}))


class _Lists:
    """Stands for a client of DRS that lists these jobs."""

    def __init__(self, *jobs: JobListing) -> None:
        self.jobs = jobs

    def list_jobs(self, _: TimeBudget, db_use_type: str, **__: Any) -> list[JobListing]:
        return list(self.jobs) if db_use_type == "migration" else []


async def _give_an_output() -> None:
    find_jobs(name=pulumi.Output.from_input("crm"))  # type: ignore[arg-type]


def _functions(page: Page) -> None:
    page.section("What is wrong with the arguments of find_jobs, get_job_statuses and require_synced")
    for name, values in WRONG_ARGUMENTS.items():
        page.raised(*(partial(find_jobs, **{name: value}) for value in values))
    page.raised(lambda: asyncio.run(_give_an_output()))
    page.raised(*(partial(get_job_statuses, ids) for ids in (IDS[0], 5, [5], [""], ["crm orders"])))
    page.raised(partial(get_job_statuses, IDS, progress="yes"), partial(require_synced, []))  # type: ignore[arg-type]
    page.raised(*(partial(require_synced, IDS, max_delay=value) for value in ("soon", 10, "-1s")))
    page.part("where they are secret")
    wrong = [(name, value) for name, values in WRONG_ARGUMENTS.items() if name in ALL_ARGUMENTS for value in values[:3]]
    page.raised(*(partial(make_query, {**ALL_ARGUMENTS, name: value}, [name]) for name, value in wrong))
    page.section("What find_jobs says when it finds no job")
    words = {"name": "crm-*", "status": "CONFIGURATION"}
    listed = [JobListing(job_id=f"{n}", name="crm-a", status=f"STATUS_{min(n, 3)}") for n in range(6)]
    strange = [JobListing(job_id=f"s{n}", name="shop", status="CONFIGURATION") for n in range(3)]
    for jobs in ([], strange[:1], strange, listed[:1], listed[:2], listed[1:4] + strange, listed):
        for more in ({}, {"tags": {"team": "crm"}}):
            query = make_query({**ALL_ARGUMENTS, **words, **more}, ["tags"])
            page.say(find(_Lists(*jobs), query, TimeBudget(5)).why_none)  # type: ignore[arg-type]


def _native_functions(page: Page) -> None:
    page.section("What is wrong with the arguments of functions in other languages")
    for function, arguments in (
        ("findJobs", {"nam": "crm"}),
        ("findJobs", {"colour": "red"}),
        ("findJobs", {"status": "paused"}),
        ("getJobStatuses", {"jobIds": ["crm orders"], "progress": True}),
        ("requireSynced", {"jobIds": []}),
        ("requireSynced", {"jobIds": [IDS[0]], "maxDelay": "soon"}),
    ):
        answer = asked.answer(f"drs:index:{function}", wire.struct_of(arguments), Asker({}, Messages(YAML)), Searches())
        page.say(*(failure.reason for failure in answer.failures))


def _refused(page: Page, config: Mapping[str, str], environment: Mapping[str, str], **overrides: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(config, environment, Overrides(**overrides))
    page.say(*caught.value.problems)


def _without(*names: str, **more: str) -> dict[str, str]:
    return {name: value for name, value in COMPLETE.items() if name not in names} | more


def _settings(page: Page) -> None:
    page.section("What is wrong with the configuration")
    page.raised(lambda: load_settings({}, {}))
    page.part("one by one")
    _refused(page, {}, {"OS_CLOUD": "otc", **_without("OS_PROJECT_ID")})
    for name in COMPLETE:
        _refused(page, {}, _without(name))
    keys = _without(*LOGIN, OS_ACCESS_KEY="key", OS_SECRET_KEY="hidden-word")
    for name in ("OS_ACCESS_KEY", "OS_SECRET_KEY", "OS_PROJECT_ID"):
        _refused(page, {}, {**keys, name: "", "OS_PROJECT_NAME": "eu-de"})
    with page.patch.context() as patch:
        patch.setattr("pulumi_drs_start.settings.load.find_spec", lambda _: None)
        _refused(page, {}, keys)
    _refused(page, {"username": "other", "domainName": "d"}, COMPLETE)
    _refused(page, {"accessKey": "other"}, keys)
    _refused(page, {}, _without(OS_REGION_NAME="eu-fr"))
    _refused(page, {}, _without("OS_REGION_NAME", DRS_ENDPOINT="https://drs.example"))
    _refused(page, {"region": "eu-nl", "endpoint": "https://drs.eu-de.otc.t-systems.com"}, COMPLETE)
    page.part("single values")
    for config in (
        {"language": "de"},
        {"batchSize": "0"},
        {"batchSize": "many"},
        {"projectId": "eu-de_crm"},
        {"caCert": "/no/such.pem"},
    ):
        _refused(page, config, COMPLETE)
    for url in ("drs", "https://[::1::2]", "https://drs:70000", "http://drs.example", "https://drs.example/v3"):
        _refused(page, {"endpoint": url}, COMPLETE)
    for url in ("iam", "https://iam.example/v2.0"):
        _refused(page, {"authUrl": url}, COMPLETE)
    _refused(page, {"token": "hidden word"}, COMPLETE)
    _refused(page, {"accessKey": "hidden word", "secretKey": "hidden-word"}, _without(*LOGIN))
    page.part("what to check after a refused login")
    for config in (
        {},
        {"projectName": "eu-de_crm"},
        {"region": "eu-nl", "authUrl": "https://iam.eu-de.otc.t-systems.com/v3"},
        {"token": "hidden-word"},
        {"authUrl": "https://iam.eu-nl.otc.t-systems.com/v3"},
    ):
        page.say(load_settings(config, COMPLETE).advice)
    page.say(load_settings({"securityToken": "hidden-word"}, keys).advice)


def _clouds(page: Page) -> None:
    page.section("What is wrong with clouds.yaml")
    from openstack.config import loader

    auth = "auth_url: https://iam.example, project_id: 0123456789abcdef0123456789abcdef"
    contents = {
        "no cloud of that name": "clouds: {one: {}, two: {}}",
        "broken": "clouds: [",
        "no mapping": "[]",
        "wrong shape": "clouds: {otc: {auth: x}}",
        "number": "clouds: {otc: {auth: {password: 0123}}}",
        "empty": "clouds: {otc: {auth: {}}}",
        "unverified": "clouds: {otc: {verify: false}}",
        "profile": "clouds: {otc: {profile: 'http://profiles.example'}}",
        "browser": f"clouds: {{otc: {{auth_type: v3websso, auth: {{{auth}}}}}}}",
        "libraries": f"clouds: {{otc: {{auth_type: v3kerberos, auth: {{{auth}}}}}}}",
        "binary": b"\xff\xfe",
    }
    for title, content in contents.items():
        path = page.folder / "clouds.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        page.part(title)
        _refused(page, {"cloud": "otc"}, {"OS_CLIENT_CONFIG_FILE": str(path)})
    page.part("no file")
    _refused(page, {}, {"OS_CLIENT_CONFIG_FILE": "/no/such.yaml"}, cloud="otc")
    page.part("what to check after a refused login")
    user = f"{auth}, username: me, user_domain_name: d, project_domain_name: p"
    for login in (
        f"cert: c.pem, key: k.pem, auth: {{{user}, password: p}}",
        f"auth_type: v3totp, auth: {{{user}, passcode: '123456'}}",
    ):
        path.write_text(f"clouds: {{otc: {{region_name: eu-de, {login}}}}}")
        page.say(load_settings({"cloud": "otc"}, {"OS_CLIENT_CONFIG_FILE": str(path)}).advice)
    path.write_text("clouds: {otc: {}}")
    page.part("openstacksdk fails")
    with page.patch.context() as patch:
        patch.setattr("openstack.config.OpenStackConfig", lambda **_: {}["regions"])
        _refused(page, {"cloud": "otc"}, {"OS_CLIENT_CONFIG_FILE": str(path)})
    page.part("nothing there")
    path.unlink()
    with page.patch.context() as patch:
        for name in ("CONFIG_FILES", "SECURE_FILES", "VENDOR_FILES"):
            patch.setattr(loader, name, [])
        _refused(page, {"cloud": "otc"}, {})
        patch.setitem(sys.modules, "openstack.config", None)
        _refused(page, {"cloud": "otc"}, {})
