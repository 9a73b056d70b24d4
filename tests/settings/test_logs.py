"""Our log beside that of the program which imports us: neither loses a line to the other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

from pulumi_drs_start.drs.auth.sources import IamLogin
from pulumi_drs_start.sandbox import Sandbox, faults
from pulumi_drs_start.settings import log_where_asked, unknown_level

OURS = "pulumi_drs_start"
# Where keystoneauth writes what IAM answered.
QUOTING = "keystoneauth.identity.v3.base"


@pytest.fixture(autouse=True)
def ours() -> Iterator[logging.Logger]:
    """Our logger, which the next test finds as this one did."""
    logger = logging.getLogger(OURS)
    before = logger.level, list(logger.handlers)
    yield logger
    logger.setLevel(before[0])
    logger.handlers[:] = before[1]


def our_login(sandbox: Sandbox) -> str:
    source = IamLogin(
        sandbox.auth_url,
        {"username": sandbox.username, "password": sandbox.password, "user_domain_name": sandbox.domain_name},
        project_id=sandbox.project_id,
    )
    return source.token()


def login_of_the_program(sandbox: Sandbox) -> None:
    """As a program does that uses other services too."""
    login = Password(
        sandbox.auth_url,
        username=sandbox.username,
        password=sandbox.password,
        user_domain_name=sandbox.domain_name,
        project_id=sandbox.project_id,
    )
    session = Session(login)
    session.get_token()
    session.session.close()


def quotes(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == QUOTING and '"token"' in record.getMessage()]


def settings_of_loggers() -> dict[str, Any]:
    """All but our own, without those that nobody has set."""
    loggers = {"root": logging.getLogger(), **logging.root.manager.loggerDict}
    unset = logging.NOTSET, [], [], True, False
    settings = {
        name: (one.level, list(one.handlers), list(one.filters), one.propagate, one.disabled)
        for name, one in loggers.items()
        if isinstance(one, logging.Logger) and name.partition(".")[0] not in (OURS, "keystoneauth")
    }
    return {name: values for name, values in settings.items() if values != unset}


def test_the_log_of_the_programs_own_login_is_complete_after_ours(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    our_login(sandbox)
    assert quotes(caplog) == []
    login_of_the_program(sandbox)

    assert len(quotes(caplog)) == 1


def test_the_log_of_the_programs_own_login_is_complete_during_ours(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox.inject(faults.delay("tokens", 1))
    ours = threading.Thread(target=our_login, args=[sandbox])
    ours.start()
    while not sandbox.calls("tokens"):
        assert ours.is_alive()

    login_of_the_program(sandbox)
    assert ours.is_alive()
    ours.join()

    assert len(quotes(caplog)) == 1


def test_no_logger_of_the_program_is_changed(sandbox: Sandbox) -> None:
    before = settings_of_loggers()

    log_where_asked({"DRS_LOG": "debug"})
    our_login(sandbox)

    assert settings_of_loggers() == before


@pytest.mark.parametrize("asked", ["", "warning", "debug"])
def test_a_program_that_logs_everything_still_gets_everything(
    asked: str, ours: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, OURS)

    log_where_asked({"DRS_LOG": asked})
    ours.debug("a call")

    assert caplog.messages == ["a call"]


@pytest.mark.parametrize(("asked", "told"), [("", ""), ("loud", ""), ("warning", "W"), ("info", "IW"), ("debug", "DIW")])
@pytest.mark.parametrize("of_the_program", [logging.NOTSET, logging.DEBUG, logging.ERROR])
def test_stderr_gets_what_is_asked_for_whatever_the_program_logs(
    asked: str, told: str, of_the_program: int, ours: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    ours.setLevel(of_the_program)

    log_where_asked({"DRS_LOG": asked})
    log_where_asked({"DRS_LOG": asked})
    for level, text in ((logging.DEBUG, "D"), (logging.INFO, "I"), (logging.WARNING, "W")):
        ours.getChild("drs").log(level, text)

    assert [line[-1] for line in capsys.readouterr().err.splitlines()] == list(told)


@pytest.mark.parametrize("asked", [None, "", "  ", "debug", "INFO", " warning "])
def test_a_level_that_is_one_is_no_reason_to_say_anything(asked: str | None) -> None:
    assert unknown_level({} if asked is None else {"DRS_LOG": asked}) == []


@pytest.mark.parametrize(
    ("asked", "told"),
    [("verbose", 'got "verbose"'), ("warn", 'got "warn"; did you mean "warning"?'), ("\x1b[2J", 'got "\\x1b[2j"')],
)
def test_a_level_that_is_none_is_told(asked: str, told: str) -> None:
    assert unknown_level({"DRS_LOG": asked}) == [f'DRS_LOG must be "debug", "info" or "warning"; {told}']
