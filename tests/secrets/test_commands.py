"""
Nothing that a command prints, logs or saves holds a secret, whether it succeeds or fails.

Each test runs commands that say as much as they can (the engine's log at its finest, and ours and that of all libraries at
debug level) and then searches what was printed, the state with its history and backups, logs and temporary files.
"""

from __future__ import annotations

import json
import os
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from pulumi_drs_start.drs.http.exchange import fingerprint
from pulumi_drs_start.sandbox import SECRET, Sandbox, faults, make_job
from tests.drs.conftest import Serve, serve  # noqa: F401  # a fixture

from .conftest import PASSWORD, SECRET_KEY, SECURITY_TOKEN, TALKATIVE, TOKEN, Scene
from .scan import find

pytestmark = [pytest.mark.engine, pytest.mark.cold]

FINEST = ("-v=9", "--logtostderr", "--logflow", "--debug")
# What the engine itself writes about secret configuration at this level, and nothing else does: see SECURITY.md.
OF_THE_ENGINE = re.compile(rb"^.*Marshaling property for RPC\[Provider\[[^\]]*\]\.Configure\(\)\.inputs\].*$", re.MULTILINE)
LATER = "2099-01-01T00:00:00Z"
ECHO = f"refused, Authorization: Bearer {TOKEN} X-Auth-Token={TOKEN}, user drs-user, password {PASSWORD}; {json.dumps(PASSWORD)}"


def declare(scene: Scene, **inputs: Any) -> None:
    """A program with everything in it that asks DRS: a job started now, one scheduled, and the functions."""
    arguments = "".join(f", {name}={value!r}" for name, value in inputs.items())
    scene.stack.program(f"""
        batch = JobBatchStart("batch", jobs=["a", JobStartArgs(job_id="b", start_time={LATER!r})]{arguments})
        pulumi.export("statuses", batch.job_statuses)
        pulumi.export("found", find_jobs())
        pulumi.export("read", get_job_statuses(["a", "b"]))
    """)


def whole_life(scene: Scene, **environment: str) -> dict[str, int]:
    """Every command, at its most talkative; how each ended."""
    commands = {
        "preview": ("preview", "--diff", "--show-config", "--show-reads", "--show-sames", "-v=9"),
        "preview again": ("preview", "--json", "--show-config", *FINEST),
        "up": ("up", "--yes", "--skip-preview", "--show-config", *FINEST),
        "up again": ("up", "--yes", "--diff", "--show-sames", "--refresh", "-v=9"),
        "refresh": ("refresh", "--yes", "--diff", *FINEST),
        "export": ("stack", "export"),
        "history": ("stack", "history", "--json", "--full-dates"),
        "destroy": ("destroy", "--yes", "--show-config", "--json", *FINEST),
    }
    if scene.stack.environment.get("FEWER"):
        commands = {name: commands[name] for name in ("preview again", "up", "refresh", "destroy")}
    return {name: scene.run(*command, **environment).exit_code for name, command in commands.items()}


def printed(scene: Scene) -> str:
    return b"\n".join(content for _, content in scene.places()).decode("utf-8", "replace")


def test_the_environment_s_password_stays_there(sandbox: Sandbox, scene: Scene) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    sandbox.set_policy(uuid_rule=False)
    declare(scene, on_destroy="stop")

    ended = whole_life(scene)

    assert ended == dict.fromkeys(ended, 0)
    assert sandbox.job("a")["stops"] == 1
    assert scene.leaks() == []
    # The scan was where the secrets were used, and the log was on.
    text = printed(scene)
    assert f"token={fingerprint(TOKEN)}" in text
    assert "DEBUG:urllib3" in text
    assert "__provider" in text
    assert {"backups", "history", "stacks"} <= {part for name, _ in scene.places() for part in Path(name).parts}
    assert any(name.startswith("tmp/") for name, _ in scene.places())
    assert sandbox.calls("batch-detail"), "no row with a database password was read"


def test_the_stack_s_secret_password_is_encrypted_wherever_it_is_kept(sandbox: Sandbox, scene: Scene) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    assert scene.run("config", "set", "--secret", "drs:password", PASSWORD).exit_code == 0
    scene.stack.environment.pop("OS_PASSWORD")
    scene.stack.environment["FEWER"] = "yes"
    declare(scene)

    ended = whole_life(scene)

    assert ended == dict.fromkeys(ended, 0)
    places = scene.places()
    saved = [(name, content) for name, content in places if name.startswith("project/")]
    assert find(scene.secrets, saved) == []
    # At -v=9 the engine itself writes the configuration that it hands over. Ours is all the rest, and clean.
    ours = [(name, OF_THE_ENGINE.sub(b"", content)) for name, content in places]
    assert find(scene.secrets, ours) == []
    assert find(scene.secrets, places) != [], "the engine keeps it to itself now: SECURITY.md can say so"
    quiet = [scene.run("preview", "--show-config", "--json"), scene.run("up", "--yes", "--diff", "--show-config", "--debug")]
    assert [run.exit_code for run in quiet] == [0, 0]
    assert find(scene.secrets, [("printed", run.output.encode()) for run in quiet]) == []


def test_access_keys_are_in_nothing_that_is_left(sandbox: Sandbox, scene: Scene) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    declare(scene)
    scene.secrets |= {"the secret key": SECRET_KEY, "the security token": SECURITY_TOKEN}
    scene.stack.environment.pop("OS_PASSWORD")
    keys = {"OS_ACCESS_KEY": sandbox.account.access_key, "OS_SECURITY_TOKEN": SECURITY_TOKEN}

    good = scene.run("up", "--yes", "--skip-preview", *FINEST, **keys, OS_SECRET_KEY=SECRET_KEY)
    sandbox.inject(
        faults.answer("batch-status", 401, {"error_code": "APIGW.0301", "error_msg": f"{SECRET_KEY} {SECURITY_TOKEN}"})
    )
    bad = scene.run("refresh", "--yes", *FINEST, **keys, OS_SECRET_KEY=SECRET_KEY)

    assert good.exit_code == 0
    assert bad.exit_code != 0
    assert "the access key was refused" in bad
    assert f"key={fingerprint(sandbox.account.access_key)}" in good
    assert sandbox.account.access_key not in printed(scene)
    assert scene.leaks() == []


@pytest.mark.parametrize("operation", ["tokens", "batch-status", "batch-starting", "batch-detail"])
def test_a_service_that_says_secrets_back_does_not_get_them_written_down(sandbox: Sandbox, scene: Scene, operation: str) -> None:
    """A gateway's error page may quote the request; what it says ends in messages, logs and the state."""
    # At a login the token that it will end with is nobody's secret yet.
    said = ECHO.replace(TOKEN, "") if operation == "tokens" else ECHO
    refused = {"code": "DRS.M00305", "message": said}
    sandbox.add_jobs(make_job("a", refuse_start=refused, fail_start=refused), make_job("b", status="START_JOB_FAILED"))
    bodies = [
        {"error_code": "DRS.M00004", "error_msg": said, "error": {"message": said, "code": 500}},
        {"error_code": said, "error_msg": said, "request_id": said},
        f"<html><title>{said}</title></html>",
        {"count": 1, "results": [{"id": "a", "status": said[:90], "error_code": said, "error_message": said}]},
    ]
    for body in bodies:
        sandbox.inject(faults.answer(operation, 400 if body is bodies[1] else 500 if body is not bodies[3] else 200, body))
    declare(scene, on_failure="record", timeout="3s")

    scene.run("up", "--yes", "--json", *FINEST)
    scene.run("refresh", "--yes", *FINEST)

    assert scene.leaks() == []
    assert "***" in printed(scene)


def test_failures_are_told_without_secrets(sandbox: Sandbox, scene: Scene) -> None:
    """Refused starts, failed starts, a wrong password, a dead token, a program that breaks off, a defect of ours."""
    sandbox.add_jobs(
        make_job("a", refuse_start={"code": "DRS.M00305", "message": "The source is gone."}),
        make_job("b", fail_start={"code": "DRS.M06007", "message": "can not get agency token"}),
    )
    scene.stack.program("""
        JobBatchStart("batch", jobs=["a", "b"])
        find_jobs()
        raise RuntimeError("the program breaks off")
    """)
    wrong = 'Wr"ong/password+&<not>=this%one'
    scene.secrets["the wrong password"] = wrong

    codes = [
        scene.run("up", "--yes", "--skip-preview", *FINEST).exit_code,
        scene.run("refresh", "--yes", *FINEST, OS_PASSWORD=wrong).exit_code,
        scene.run("up", "--yes", "--json", *FINEST, OS_PASSWORD="", OS_TOKEN=TOKEN[:-6] + "Dead==").exit_code,
    ]
    (scene.folder / "site" / "sitecustomize.py").write_text(
        TALKATIVE + "import pulumi_drs_start.operations.lifecycle as p\ndef broken(*_, **k): raise KeyError('a defect')\n"
        "p.make_plan = broken\n"
    )
    defect = scene.run("preview", *FINEST)

    assert codes[0] != 0
    assert 0 not in codes[1:]
    assert "KeyError: 'a defect'" in defect
    assert scene.leaks() == []


@pytest.fixture
def untrusted(serve: Serve) -> Iterator[str]:  # noqa: F811  # as above
    """A server whose certificate nobody has heard of."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)

    def shake_hands(connection: Any) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(65536)

    return serve(shake_hands).replace("http:", "https:")


@pytest.mark.parametrize("variable", ["DRS_ENDPOINT", "OS_AUTH_URL"])
def test_a_server_that_is_not_trusted_is_told_nothing_and_nothing_is_written_down(
    sandbox: Sandbox, scene: Scene, untrusted: str, variable: str
) -> None:
    sandbox.add_jobs(make_job("a"), make_job("b"))
    declare(scene)

    run = scene.run("up", "--yes", *FINEST, **{variable: untrusted + ("/v3" if variable == "OS_AUTH_URL" else "")})

    assert run.exit_code != 0
    assert "OS_CACERT" in run
    assert scene.leaks() == []


def test_a_secret_that_somebody_lets_out_is_found(sandbox: Sandbox, scene: Scene) -> None:
    """The counter-check: a build that leaks in six ways, and the scan finds each of them."""
    sandbox.add_jobs(make_job("a"), make_job("b"))
    scene.stack.environment["FEWER"] = "yes"
    (scene.folder / "site" / "sitecustomize.py").write_text(
        "import logging, os, sys\n"
        "logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)\n"
        "import pulumi_drs_start.drs.http.exchange as http, pulumi_drs_start.operations.bags as p\n"
        "http._credential = lambda headers: headers.get('X-Auth-Token')\n"
        "to_state = p.to_state\n"
        "p.to_state = lambda *a: {**to_state(*a), 'remembered_password': os.environ['OS_PASSWORD']}\n"
        "open(os.environ['TMPDIR'] + '/kept', 'w').write(repr(dict(os.environ)))\n"
    )
    scene.stack.program("""
        import base64, os
        from pulumi_drs_start.provider import JobBatchStartProvider
        JobBatchStart("batch", jobs=["a"])
        pulumi.export("encoded", base64.b64encode(("user:" + os.environ["OS_PASSWORD"]).encode()).decode())
    """)

    run = scene.run("up", "--yes", "--skip-preview", *FINEST)

    assert run.exit_code == 0, run.output[-3000:]
    found = scene.leaks()
    assert any(leak.startswith("printed/1-up: the token, as it is") for leak in found)
    assert any(leak.startswith("printed/1-up: the password, ") for leak in found)
    assert any(re.match(r"project/.pulumi/stacks/.*: the password, ", leak) for leak in found)
    assert any(re.match(r"project/.pulumi/history/.*: the password, ", leak) for leak in found)
    assert any(re.match(r"tmp/kept: the password, ", leak) for leak in found)
    state = json.dumps(scene.stack.resource()["outputs"] | {"remembered_password": ""})
    exported = json.dumps(scene.stack.outputs())
    assert find(scene.secrets, [("state", state.encode())]) == []
    assert "in base64" in find(scene.secrets, [("outputs", exported.encode())])[0]
    assert SECRET not in exported
    assert os.environ.get("OS_PASSWORD") is None
