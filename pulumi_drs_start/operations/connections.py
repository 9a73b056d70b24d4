"""
What the operations of one process share: clients of DRS, what DRS told them a moment ago, and what the program declares.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Collection, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache

from ..drs.auth.sources import TokenSource
from ..drs.calls.client import DrsClient
from ..drs.errors import DrsError, OperationEndedError
from ..drs.http.budget import TimeBudget
from ..reconcile.actual import ActualJob
from ..reconcile.declared import Place
from ..reconcile.observe import StatusReader
from ..reconcile.send import BatchLimit
from ..schema.messages import Messages
from ..settings import Settings, token_source
from .declarations import DeclaredJobs

log = logging.getLogger(__name__)

# check and diff of one resource follow each other at once; a second poll is not needed.
FRESH_SECONDS = 10.0
# How many such polls are kept.
MOST_RECENT = 100


class ElsewhereError(Exception):
    """The jobs are at another place than the configuration of the command is for, and can't be dealt with there."""


@dataclass(slots=True)
class Connection:
    """The way to the jobs of one place. Shared by all resources that live there.

    Attributes:
        elsewhere: where the jobs are and the settings of the command, if these are for another place.
    """

    settings: Settings
    client: DrsClient
    reader: StatusReader
    batch: BatchLimit
    elsewhere: tuple[Place, Settings] | None = None
    _recent: dict[tuple[str, ...], tuple[float, dict[str, ActualJob]]] = field(default_factory=dict)

    @classmethod
    def open(cls, settings: Settings, tokens: TokenSource) -> Connection:
        """A connection with these settings. Nothing is sent yet."""
        client = DrsClient(settings.endpoint, tokens, language=settings.language, ca_cert=settings.ca_cert)
        return cls(settings, client, StatusReader(client), BatchLimit(settings.batch_size))

    def find_place(self, budget: TimeBudget) -> Place:
        """Where the jobs are. Logs in where only a login tells the project. Raises DrsError."""
        return Place(self.settings.endpoint, self.client.get_project_id(budget))

    @contextmanager
    def explaining(self, messages: Messages) -> Iterator[None]:
        """Name both places in an error that may be due to settings for another place. Raises ElsewhereError."""
        try:
            yield
        except OperationEndedError:
            raise
        except DrsError as exc:
            if self.elsewhere is None:
                raise
            log.debug("the login does not help elsewhere: %s: %s", type(exc).__name__, exc)
            text = messages.elsewhere(*self.elsewhere, exc)
        else:
            return
        # Not chained: a cause may quote an answer.
        raise ElsewhereError(text)

    def read(self, job_ids: Sequence[str], budget: TimeBudget, new: Collection[str] = ()) -> dict[str, ActualJob]:
        """How jobs stand now, and what the new ones are called. The answer is kept for a moment. Raises DrsError."""
        asked_at = time.monotonic()
        actual = self.reader.read(job_ids, budget, new)
        self._recent[tuple(job_ids)] = (asked_at, actual)
        while len(self._recent) > MOST_RECENT:
            self._recent.pop(next(iter(self._recent)), None)
        return actual

    def just_read(self, job_ids: Sequence[str]) -> tuple[float, dict[str, ActualJob]] | None:
        """What `read` was told a moment ago, and when it asked (seconds since the epoch). Given out once."""
        asked_at, actual = self._recent.pop(tuple(job_ids), (float("-inf"), {}))
        age = time.monotonic() - asked_at
        return (time.time() - age, actual) if age < FRESH_SECONDS else None


class Connections:
    """All connections and logins of a process, and what its program declares. May be shared by threads."""

    def __init__(self) -> None:
        self.declared = DeclaredJobs()
        self._open: dict[Settings, Connection] = {}
        self._tokens: dict[Hashable, TokenSource] = {}
        self._lock = threading.Lock()

    def to(self, settings: Settings, elsewhere: tuple[Place, Settings] | None = None) -> Connection:
        """The one connection for these settings; for `elsewhere` see `Connection`."""
        with self._lock:
            # One token source for whoever the settings log in as: IAM throttles logins, and locks users.
            if settings.login not in self._tokens:
                self._tokens[settings.login] = token_source(settings)
            if settings not in self._open:
                self._open[settings] = Connection.open(settings, self._tokens[settings.login])
            connection = self._open[settings]
        return replace(connection, elsewhere=elsewhere) if elsewhere else connection

    def close(self) -> None:
        """Close every connection, and forget every token."""
        with self._lock:
            for connection in self._open.values():
                connection.client.close()
            for tokens in self._tokens.values():
                tokens.close()
            self._open.clear()
            self._tokens.clear()


@cache
def process_connections() -> Connections:
    """The connections of this process, closed when it ends: one provider may serve many resources, and several providers too."""
    connections = Connections()
    atexit.register(connections.close)
    return connections
