"""
The DRS API v3, as far as starting jobs needs it.

Each method is one call of the API for any number of jobs: it pages, repeats what may be repeated, and matches rows to jobs by id.
Whether a job should be started is decided elsewhere.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from ..status import MISSING_STATUS
from .auth import is_loopback
from .errors import (
    JobUnknownError,
    PermissionDeniedError,
    ServiceFaultError,
    ServiceRefusedError,
    ThrottledError,
    TokenRejectedError,
    UnreadableAnswerError,
    refusal_for,
)
from .http import exchange
from .models import Answer, DetailAnswer, JobStatus, Row, StartAnswer, StartRequest
from .retry import RetryPolicy, TimeBudget

if TYPE_CHECKING:
    import requests

    from .auth import TokenSource

log = logging.getLogger(__name__)

# batch-status answers 5 rows unless told otherwise; 0 asks for every row.
ALL_ROWS = 0
# How many ids one status call may carry is not documented. Fewer are sent as soon as DRS minds.
READ_BATCH = 500
# Rows of batch-detail are large.
DETAIL_BATCH = 100

_Answer = TypeVar("_Answer", bound=BaseModel)


class DrsClient:
    """Speaks to DRS for one project. May be shared by threads.

    Args:
        endpoint: scheme, host and port of DRS.
        tokens: where tokens and the project id come from.
        session: the connection pool; a new one if None.
        language: of DRS's messages, ``en-us`` or ``zh-cn``.
        ca_cert: path of a TLS bundle, or None for the usual authorities.
        user_agent: how we introduce ourselves.
        retry: how a call that may work later is repeated.
    """

    def __init__(
        self,
        endpoint: str,
        tokens: TokenSource,
        *,
        session: requests.Session | None = None,
        language: str = "en-us",
        ca_cert: str | None = None,
        user_agent: str = "pulumi-drs-start",
        retry: RetryPolicy | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._tokens = tokens
        self._session = session or _new_session(endpoint, ca_cert)
        self._headers = {"Content-Type": "application/json", "X-Language": language, "User-Agent": user_agent}
        self.retry = retry or RetryPolicy()
        self._read_batch = READ_BATCH

    def start_jobs(self, starts: Sequence[StartRequest], budget: TimeBudget) -> StartAnswer:
        """Ask DRS to start jobs, all in one call ("Starting Tasks in Batches").

        Repeats the call only when DRS can't have acted on it.

        Raises:
            DrsError: the call as a whole came to nothing. With `effect_unknown`, that is not certain.
        """
        body = {"jobs": [start.to_wire() for start in starts]}
        asked = {start.job_id for start in starts}
        rows = self.retry.calling(budget, repeat_if=lambda e: e.retryable and not e.effect_unknown)(
            self._rows, "jobs/batch-starting", body, budget
        )
        accepted: set[str] = set()
        refused: dict[str, ServiceRefusedError] = {}
        for job_id, row in _rows_by_id(rows, asked, "batch-starting").items():
            if row.error_code or row.status == "failed":
                refused[job_id] = refusal_for(row.error_code or "", row.error_text or "", status=202, job_id=job_id)
            elif row.status == "success":
                accepted.add(job_id)
        unanswered = asked - accepted - refused.keys()
        return StartAnswer(frozenset(accepted), refused, frozenset(unanswered))

    def get_statuses(self, job_ids: Sequence[str], budget: TimeBudget) -> dict[str, JobStatus]:
        """Read the statuses of jobs ("Querying Task Status in Batches"): one for every id, unknown jobs as missing.

        Raises:
            DrsError: the statuses can't be read, after the repeats that `retry` allows.
        """
        statuses: dict[str, JobStatus] = {}
        for part in chunks(job_ids, self._read_batch):
            statuses.update(self._read_part(part, budget))
        return statuses

    def get_failed_reasons(self, job_ids: Sequence[str], budget: TimeBudget) -> dict[str, str]:
        """Why jobs failed, in DRS's words ("Querying Task Details in Batches"); jobs without a reason are left out.

        Raises:
            DrsError: the details can't be read.
        """
        reasons: dict[str, str] = {}
        for part in chunks(job_ids, DETAIL_BATCH):
            body = {"jobs": list(part), "page_req": {"cur_page": 1, "per_page": ALL_ROWS}}
            answer = self.retry.calling(budget, repeat_if=lambda e: e.retryable)(
                self._call, "jobs/batch-detail", body, DetailAnswer, budget
            )
            reasons.update({row.id: row.failed_reason for row in answer.results if row.id in part and row.failed_reason})
        return reasons

    def _read_part(self, job_ids: Sequence[str], budget: TimeBudget) -> dict[str, JobStatus]:
        """Statuses of so many jobs that DRS may answer them in one call.

        Which answer an unknown id gets is not documented. All that were seen are understood: the whole call refused, with or
        without naming the job; a row with an error; a row DELETED; no row.
        """
        found: dict[str, JobStatus] = {}
        wanted = list(job_ids)
        empty_answers = 0
        while wanted:
            try:
                rows = self._read_rows(wanted, budget)
            except (PermissionDeniedError, TokenRejectedError, ThrottledError, ServiceFaultError):
                raise
            except ServiceRefusedError as refusal:
                culprit = wanted[0] if len(wanted) == 1 else refusal.job_id
                if isinstance(refusal, JobUnknownError) and culprit is not None and culprit in wanted:
                    found[culprit] = JobStatus(culprit, MISSING_STATUS, refusal.code, refusal.text)
                    wanted.remove(culprit)
                    continue
                if len(wanted) == 1:
                    raise
                return found | self._read_halves(wanted, budget, refusal)
            found.update(rows)
            left = [job_id for job_id in wanted if job_id not in found]
            # No row at all, twice: DRS was asked for these alone and does not know them. Once may be a lost row.
            empty_answers = empty_answers + 1 if len(left) == len(wanted) else 0
            if empty_answers == 2:
                found.update({job_id: JobStatus(job_id, MISSING_STATUS) for job_id in left})
                left = []
            wanted = left
        return found

    def _read_halves(self, job_ids: Sequence[str], budget: TimeBudget, refusal: ServiceRefusedError) -> dict[str, JobStatus]:
        """Both halves of a refused call: an unknown job ends alone, and a call that was too large becomes small enough."""
        half = (len(job_ids) + 1) // 2
        statuses = self._read_part(job_ids[:half], budget) | self._read_part(job_ids[half:], budget)
        if not isinstance(refusal, JobUnknownError) and half < self._read_batch:
            log.debug("DRS takes no %d ids in one status call (%s), going on with %d", len(job_ids), refusal.code, half)
            self._read_batch = half
        return statuses

    def _read_rows(self, job_ids: Sequence[str], budget: TimeBudget) -> dict[str, JobStatus]:
        body = {"jobs": list(job_ids), "page_req": {"cur_page": 1, "per_page": ALL_ROWS}}

        def read() -> dict[str, JobStatus]:
            rows = _rows_by_id(self._rows("jobs/batch-status", body, budget), set(job_ids), "batch-status")
            return {job_id: _to_status(job_id, row) for job_id, row in rows.items()}

        return self.retry.calling(budget, repeat_if=lambda e: e.retryable)(read)

    def _rows(self, path: str, body: Mapping[str, Any], budget: TimeBudget) -> list[Row]:
        return self._call(path, body, Answer, budget).results

    def _call(self, path: str, body: Mapping[str, Any], answer: type[_Answer], budget: TimeBudget) -> _Answer:
        """One call, repeated once with a new token if the token was the problem."""
        token = self._tokens.token()
        try:
            parsed = self._exchange(path, body, token, budget)
        except TokenRejectedError:
            if not self._tokens.renew(token):
                raise
            parsed = self._exchange(path, body, self._tokens.token(), budget)
        try:
            return answer.model_validate(parsed)
        except ValidationError as exc:
            where = ".".join(str(part) for part in exc.errors(include_input=False)[0]["loc"])
            raise UnreadableAnswerError(
                f"{self.endpoint} answered {path} in a shape that is not documented (at {where or 'the top'})"
            ) from exc

    def _exchange(self, path: str, body: Mapping[str, Any], token: str, budget: TimeBudget) -> Any:
        url = f"{self.endpoint}/v3/{self._tokens.project_id()}/{path}"
        return exchange(self._session, "POST", url, body, {**self._headers, "X-Auth-Token": token}, budget)


def chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """`items` in parts of `size`; the last may be shorter."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _rows_by_id(rows: Sequence[Row], asked: set[str], call: str) -> dict[str, Row]:
    """Rows by job: their order is not documented, and nothing promises one for every job, or for these jobs only."""
    by_id: dict[str, Row] = {}
    strangers = 0
    for row in rows:
        if row.id is not None and row.id in asked:
            by_id.setdefault(row.id, row)
        else:
            strangers += 1
    if strangers:
        log.warning("%s answered %d rows for jobs it was not asked about; ignored", call, strangers)
    return by_id


def _to_status(job_id: str, row: Row) -> JobStatus:
    if row.status:
        return JobStatus(job_id, row.status, row.error_code, row.error_text)
    refusal = refusal_for(row.error_code or "", row.error_text or "", status=200, job_id=job_id)
    if isinstance(refusal, JobUnknownError):
        return JobStatus(job_id, MISSING_STATUS, row.error_code, row.error_text)
    if not row.error_code:
        raise UnreadableAnswerError(f"DRS answered a row without a status for job {job_id}")
    raise refusal


def _new_session(endpoint: str, ca_cert: str | None) -> requests.Session:
    from http.cookiejar import DefaultCookiePolicy

    import requests

    session = requests.Session()
    session.verify = ca_cert or True
    # A proxy of the environment can't reach this machine's loopback.
    session.trust_env = not is_loopback(endpoint)
    # The session is shared by threads; cookies would be its only changing state, and DRS needs none.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session
