"""What tests of several folders start from: a bare environment, a running sandbox, a client that does not wait long."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from pulumi_drs_start.drs.auth.sources import IamLogin
from pulumi_drs_start.drs.calls.client import DrsClient
from pulumi_drs_start.drs.http.retry import RetryPolicy
from pulumi_drs_start.drs.text import forget
from pulumi_drs_start.sandbox import Sandbox

# `make test` tries the same examples on every machine, so that its result changes with the code alone.
# `make search` tries new ones, many more, and prints those that fail.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", derandomize=False, deadline=None, max_examples=2000, print_blob=True)
settings.load_profile("same")

# Whoever runs the tests in the background lets them ignore these, and processes that are started inherit that, but no handler.
for _number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, lambda *_: None)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None, None, None]:
    """Nobody reads through the reasons of skipped tests: say after them what was not seen at all."""
    yield
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if "NO BROWSER" in str(report.longrepr)]
    if skipped:
        what = f"WARNING: {len(skipped)} tests of the sandbox's page were NOT RUN: there is no browser."
        terminalreporter.write_line(f"{what} `make browser` finds or installs one.", yellow=True, bold=True)


_FOREIGN = ("OS_", "DRS_", "PULUMI_CONFIG")

QUICK = RetryPolicy(attempts=4, first_wait_seconds=0.01, longest_wait_seconds=0.05)
"""Waits that a test can afford."""

ClientFactory = Callable[..., DrsClient]


@pytest.fixture(autouse=True)
def _foreign_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own clouds and stack configuration stay out of the result."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_secrets_of_other_tests() -> None:
    """Whatever password another test has used, texts are cleaned of this test's secrets alone."""
    forget()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A DRS and IAM of this test's own. Started jobs run at once and go on running."""
    with Sandbox(start_seconds=0, full_seconds=3600) as running:
        yield running


@pytest.fixture
def make_client(sandbox: Sandbox) -> Iterator[ClientFactory]:
    """Makes clients of the sandbox; `endpoint`, `tokens` and `retry` may be others."""
    made: list[DrsClient] = []

    def make(endpoint: str | None = None, tokens: Any = None, **options: Any) -> DrsClient:
        tokens = tokens or IamLogin(
            sandbox.auth_url,
            {"username": sandbox.username, "password": sandbox.password, "user_domain_name": sandbox.domain_name},
            project_id=sandbox.project_id,
        )
        made.append(DrsClient(endpoint or sandbox.url, tokens, **{"retry": QUICK, **options}))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client: ClientFactory) -> DrsClient:
    return make_client()


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """Gives a folder of this name that is filled once, whichever of the workers comes first."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def make(name: str, fill: Callable[[Path], None]) -> Path:
        folder, made = shared / name, shared / f"{name}.made"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                folder.mkdir()
                fill(folder)
                made.touch()
        return folder

    return make
