"""Stacks whose commands say as much as they can, and whose leavings are kept for the scan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pulumi_drs_start.sandbox import SECRET, Sandbox
from pulumi_drs_start.sandbox.tokens import Tokens
from tests.e2e.conftest import Run, Stack, engine, front, make_stack, new_project  # noqa: F401  # fixtures

from .scan import files, find

# Every way of escaping changes something about it.
PASSWORD = 'Pl+in/"<quoted>& %41=ünïcode\\7'
# Long and in base64, as those of IAM are.
TOKEN = "MIIDkgYJKoZIhvcNAQcCoII+DgzCCA38CAQExDTALBglghkgBZQMEAgEw/ggHfBgkqhkiG9w0BBwGgggHQBIIB=="
SECRET_KEY = "hRWsUE1t+the/secret=key+0of/the=access+key"
SECURITY_TOKEN = "gQpldS1kZS0xNjRWJ+security/token+rKTX6VXR1oZPYvQpGb9mcQ=="

TALKATIVE = """
import logging, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
logging.captureWarnings(True)
"""


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """One whose tokens are known before they are issued, so that it can be made to say them."""
    issue = Tokens.issue

    def known(self: Tokens, *arguments: Any) -> Any:
        token = issue(self, *arguments)
        object.__setattr__(token, "value", TOKEN)
        self._issued[TOKEN] = token
        return token

    monkeypatch.setattr(Tokens, "issue", known)
    with Sandbox(start_seconds=0, full_seconds=3600, password=PASSWORD, secret_key=SECRET_KEY) as running:
        yield running


@dataclass
class Scene:
    """A stack, and all that its commands printed and left.

    Attributes:
        stack: to run commands in, through `run`.
        folder: all that the commands may write to is below it: project, state, history, home, temporary files.
        secrets: what must not be found, by name.
        extra: more of the environment.
    """

    stack: Stack
    folder: Path
    secrets: dict[str, str]
    extra: dict[str, str] = field(default_factory=dict)
    _count: int = 0

    def run(self, *arguments: str, **environment: str) -> Run:
        """Run a command, and keep what it prints."""
        run = self.stack.run(*arguments, **{**self.extra, **environment})
        self._count += 1
        (self.folder / "printed" / f"{self._count}-{arguments[0]}").write_text(run.output, encoding="utf-8")
        return run

    def places(self) -> list[tuple[str, bytes]]:
        """Everything there is to search."""
        return list(files(self.folder))

    def leaks(self) -> list[str]:
        """The secrets that can be found."""
        return find(self.secrets, self.places())


@pytest.fixture
def scene(make_stack: Callable[..., Stack], sandbox: Sandbox, tmp_path: Path) -> Scene:  # noqa: F811  # as above
    """A stack whose processes log everything, and whose temporary files and home are its own."""
    stack = make_stack(sandbox)
    for name in ("printed", "tmp", "user"):
        (tmp_path / name).mkdir()
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(TALKATIVE)
    stack.environment |= {
        "TMPDIR": str(tmp_path / "tmp"),
        "HOME": str(tmp_path / "user"),
        "PYTHONPATH": str(site),
        "DRS_LOG": "debug",
    }
    return Scene(stack, tmp_path, {"the password": PASSWORD, "the token": TOKEN, "a database password": SECRET})
