"""The plugin as Pulumi finds it, and what commands make of it that need no program."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from pulumi_drs_start.native.schema import make_schema
from pulumi_drs_start.sandbox import Sandbox, make_job

from .conftest import PLUGIN, YamlStack

pytestmark = pytest.mark.engine


def test_pulumi_takes_the_schema(stack: YamlStack) -> None:
    shown = stack.run("package", "get-schema", str(Path(sys.executable).with_name(PLUGIN)))

    assert shown.exit_code == 0, shown.output
    schema, made = json.loads(shown.output[shown.output.index("{") :]), make_schema()
    for part in ("types", "resources", "functions"):
        assert schema[part].keys() == made[part].keys()


def test_a_secret_of_the_configuration_stays_one_and_leaving_jobs_needs_no_login(sandbox: Sandbox, stack: YamlStack) -> None:
    sandbox.add_jobs(make_job("a"))
    stack.starts("a")
    stack.run("config", "set", "--secret", "drs:password", stack.environment.pop("OS_PASSWORD"))
    up = stack.up()
    assert up.exit_code == 0, up.output
    assert sandbox.password not in up.output + stack.run("stack", "export").output

    stack.environment = {name: value for name, value in stack.environment.items() if not name.startswith(("OS_", "DRS_"))}
    destroyed = stack.destroy()
    assert destroyed.exit_code == 0, destroyed.output
    assert "1 job left as it is" in destroyed
