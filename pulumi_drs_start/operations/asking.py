"""
The functions that ask DRS without a resource, for any front.

Arguments are by name, every one of them, None for those that were not given; messages do not quote those that are `secret`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..drs.http.budget import TimeBudget
from ..reconcile.actual import ActualJob
from ..schema import values
from ..schema.fields import SECRET_INPUTS
from ..schema.messages import Messages
from ..schema.types import CurrentJobStatus
from ..settings import load_settings
from .connections import Connection, process_connections
from .lifecycle import expected_error
from .query import Search, checked, checked_ids, checked_place, find, make_query, not_synced, read_jobs, status_row
from .secrecy import concealing

log = logging.getLogger(__name__)

Statuses = dict[str, CurrentJobStatus]


class AskingError(Exception):
    """The configuration is wrong, or DRS can't be reached or refuses, or a gate is closed. The text is for people."""


@dataclass(frozen=True, slots=True)
class Asker:
    """The functions. Each may raise TypeError and ValueError for a wrong argument, and AskingError.

    Attributes:
        config: the configuration, by bare names.
        messages: in the spelling of the program.
        is_wanted: False as soon as the user has cancelled.
    """

    config: Mapping[str, str]
    messages: Messages = field(default_factory=Messages)
    is_wanted: Callable[[], bool] = lambda: True

    def find(self, arguments: Mapping[str, Any], secret: Collection[str]) -> Search:
        """What find_jobs does."""
        query = make_query(arguments, secret, self.messages.dialect)
        with self._connection(arguments, secret) as (connection, budget):
            return find(connection.client, query, budget)

    def get_statuses(self, arguments: Mapping[str, Any], names: Mapping[str, str], secret: Collection[str]) -> Statuses:
        """What get_job_statuses does; `names` are those that are known."""
        dialect = self.messages.dialect
        job_ids = checked_ids("job_ids", arguments["job_ids"], secret, dialect)
        progress = checked(
            "progress", lambda value: values.flag(value, dialect.true, dialect.false), arguments["progress"], secret
        )
        return _rows(self._read(job_ids, arguments, names, secret, progress=progress))

    def require_synced(self, arguments: Mapping[str, Any], names: Mapping[str, str], secret: Collection[str]) -> Statuses:
        """What require_synced does."""
        job_ids = checked_ids("job_ids", arguments["job_ids"], secret, self.messages.dialect)
        if not job_ids:
            # A gate in front of nothing would always be open.
            raise ValueError("job_ids is empty: give at least one job")
        most = checked("max_delay", lambda value: values.seconds(value, may_be_zero=True), arguments["max_delay"], secret)
        jobs = self._read(job_ids, arguments, names, secret, progress=True)
        if late := not_synced(jobs, most):
            self.messages.names.is_secret = "job_ids" in secret
            self.messages.names.learn({job_id: job.name for job_id, job in jobs.items()})
            raise AskingError(self.messages.not_synced(late, len(jobs), most))
        return _rows(jobs)

    def _read(
        self,
        job_ids: Sequence[str],
        arguments: Mapping[str, Any],
        names: Mapping[str, str],
        secret: Collection[str],
        *,
        progress: bool,
    ) -> dict[str, ActualJob]:
        with self._connection(arguments, secret) as (connection, budget):
            return read_jobs(connection.reader, job_ids, names, budget, progress=progress)

    @contextmanager
    def _connection(self, arguments: Mapping[str, Any], secret: Collection[str]) -> Iterator[tuple[Connection, TimeBudget]]:
        """A connection to the place that the arguments name, and a time budget that begins now.

        Raises:
            TypeError, ValueError: an argument is wrong.
            AskingError: in place of an expected error. It has no cause, because a cause may quote an answer of DRS.
        """
        overrides = checked_place(arguments, secret)
        seconds = checked("timeout", values.seconds, arguments["timeout"], secret)
        try:
            connection = process_connections().to(load_settings(self.config, os.environ, overrides))
            yield connection, TimeBudget(seconds, is_wanted=self.is_wanted)
        except Exception as exc:
            text = expected_error(exc, self.messages)
            if text is None:
                raise
            log.debug("asking DRS failed: %s: %s", type(exc).__name__, exc)
            conceal = concealing([{**arguments, SECRET_INPUTS: " ".join(secret)}])
            raise AskingError(conceal(text)) from None


def _rows(jobs: Mapping[str, ActualJob]) -> Statuses:
    return {job_id: status_row(job) for job_id, job in jobs.items()}
