"""
The DRS API v3, as far as starting jobs needs it.

Each method is one call of the API for any number of jobs: it pages, repeats what may be repeated, and matches rows to jobs by id.
Whether a job should be started is decided elsewhere.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from ..status import MISSING_STATUS
from .errors import (
    DrsError,
    JobBusyError,
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
from .urls import is_loopback

if TYPE_CHECKING:
    import requests

    from .auth import TokenSource

log = logging.getLogger(__name__)

# batch-status answers 5 rows unless told otherwise; 0 asks for every row.
ALL_ROWS = 0
# How many ids one status call may carry is not documented. Fewer are sent as soon as DRS minds.
READ_BATCH = 500
# Jobs per start call. The API documents no maximum; 100 is the largest page it documents for reading.
DEFAULT_BATCH_SIZE = 100
# Rows of batch-detail are large.
DETAIL_BATCH = 100

# A call with one of these is refused for what is in it: fewer or other ids may pass.
_FAULTS_OF_THE_REQUEST = frozenset({200, 202, 400, 413, 414, 422})
# So many jobs refused alone, and none read: it is not the jobs.
HOPELESS = 5

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
        rows = self.retry.calling(budget, repeat_if=_is_harmless_to_repeat)(self._rows, "jobs/batch-starting", body, budget)
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
        reading = _Reading()
        left = list(job_ids)
        while left:
            # Looked up each time: the first part may find out that DRS takes fewer.
            part, left = left[: self._read_batch], left[self._read_batch :]
            self._read_part(part, budget, reading)
        return reading.statuses()

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

    def _read_part(self, job_ids: Sequence[str], budget: TimeBudget, reading: _Reading) -> None:
        """Read the statuses of so many jobs that DRS may answer them in one call.

        Which answer an unknown id gets is not documented. All that were seen are understood: the whole call refused, with or
        without naming the job; a row with an error; a row DELETED; no row.
        """
        wanted = list(job_ids)
        empty_answers = 0
        while wanted:
            try:
                found, failed = self._read_rows(wanted, budget)
            except (PermissionDeniedError, TokenRejectedError, ThrottledError, ServiceFaultError):
                raise
            except ServiceRefusedError as refusal:
                unknown = _unknown_jobs(refusal, wanted)
                reading.failed.update(unknown)
                left = [job_id for job_id in wanted if job_id not in unknown]
                if not unknown:
                    if refusal.status not in _FAULTS_OF_THE_REQUEST:
                        raise
                    if len(wanted) > 1:
                        self._read_halves(wanted, budget, refusal, reading)
                        return
                    reading.failed[wanted[0]] = refusal
                    if not reading.found and len(reading.failed) >= HOPELESS:
                        raise
                    return
            else:
                reading.found.update(found)
                reading.failed.update(failed)
                left = [job_id for job_id in wanted if job_id not in found and job_id not in failed]
                # No row at all, twice: DRS was asked for these alone and does not know them. Once may be a lost row.
                empty_answers = empty_answers + 1 if len(left) == len(wanted) else 0
                if empty_answers == 2:
                    reading.found.update({job_id: JobStatus(job_id, MISSING_STATUS) for job_id in left})
                    return
            wanted = left

    def _read_halves(self, job_ids: Sequence[str], budget: TimeBudget, refusal: ServiceRefusedError, reading: _Reading) -> None:
        """Both halves of a refused call: a job that spoils it ends alone, and a call that was too large becomes small enough."""
        half = (len(job_ids) + 1) // 2
        spoilt_before = len(reading.failed)
        self._read_part(job_ids[:half], budget, reading)
        self._read_part(job_ids[half:], budget, reading)
        if len(reading.failed) == spoilt_before and half < self._read_batch:
            log.debug("DRS takes no %d ids in one status call (%s), going on with %d", len(job_ids), refusal.code, half)
            self._read_batch = half

    def _read_rows(self, job_ids: Sequence[str], budget: TimeBudget) -> tuple[dict[str, JobStatus], dict[str, DrsError]]:
        """What one call says: statuses, and why other jobs have none. Jobs without a row are in neither."""
        body = {"jobs": list(job_ids), "page_req": {"cur_page": 1, "per_page": ALL_ROWS}}
        found: dict[str, JobStatus] = {}
        failed: dict[str, DrsError] = {}

        def read() -> None:
            found.clear()
            failed.clear()
            for job_id, row in _rows_by_id(self._rows("jobs/batch-status", body, budget), set(job_ids), "batch-status").items():
                if row.status:
                    found[job_id] = JobStatus(job_id, row.status, row.error_code, row.error_text)
                else:
                    failed[job_id] = _why_no_status(job_id, row)
            for error in failed.values():
                if error.retryable:
                    raise error

        try:
            self.retry.calling(budget, repeat_if=lambda e: e.retryable)(read)
        except DrsError as exc:
            # The rows of the last attempt count: what is wrong with one job is not to hide the others.
            if not any(exc is error for error in failed.values()):
                raise
        return found, failed

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


def _is_harmless_to_repeat(error: DrsError) -> bool:
    # A job that is busy may stay so: the caller takes it out of the call instead of keeping the others waiting.
    return error.retryable and not error.effect_unknown and not isinstance(error, JobBusyError)


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


def _why_no_status(job_id: str, row: Row) -> DrsError:
    if row.error_code:
        return refusal_for(row.error_code, row.error_text or "", status=200, job_id=job_id)
    return UnreadableAnswerError(f"DRS answered a row without a status for job {job_id}")


def _unknown_jobs(refusal: ServiceRefusedError, asked: Sequence[str]) -> dict[str, DrsError]:
    """The jobs that a refused call does not know: those it names, or the only one it was about."""
    by_job = refusal.by_job
    if not by_job and (job_id := asked[0] if len(asked) == 1 else refusal.job_id) is not None:
        by_job = {job_id: refusal}
    return {job_id: error for job_id, error in by_job.items() if isinstance(error, JobUnknownError) and job_id in asked}


@dataclass(slots=True)
class _Reading:
    """What reading statuses has come to so far."""

    found: dict[str, JobStatus] = field(default_factory=dict)
    failed: dict[str, DrsError] = field(default_factory=dict)

    def statuses(self) -> dict[str, JobStatus]:
        """One for every job. A job whose status can't be read counts as missing, unless that is so for all of them."""
        unreadable = [error for error in self.failed.values() if not isinstance(error, JobUnknownError)]
        if unreadable and len(unreadable) == len(self.found) + len(self.failed):
            raise unreadable[0]
        missing = {
            job_id: JobStatus(job_id, MISSING_STATUS, error.code, error.text)
            if isinstance(error, ServiceRefusedError)
            else JobStatus(job_id, MISSING_STATUS, None, str(error))
            for job_id, error in self.failed.items()
        }
        return self.found | missing


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
