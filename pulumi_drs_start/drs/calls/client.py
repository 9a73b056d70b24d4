"""
The DRS API v3, as far as starting jobs, and what comes with it, needs it.

Each method is one call of the API for any number of jobs: it pages, repeats what may be repeated, and matches rows to jobs by id.
Whether a job should be started, or stopped, is decided elsewhere.
"""

from __future__ import annotations

import atexit
import logging
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from ..errors import (
    DrsError,
    JobBusyError,
    JobUnknownError,
    RedirectedError,
    ServiceRefusedError,
    ThrottledError,
    TokenRejectedError,
    UnreachableError,
    UnreadableAnswerError,
    refusal_for,
)
from ..http.budget import TimeBudget
from ..http.concurrency import ConcurrencyLimit
from ..http.deadline import within
from ..http.exchange import encoded, exchange
from ..http.retry import Contact, RetryPolicy
from .batch_read import BatchReader
from .models import (
    MISSING_STATUS,
    ActionAnswer,
    Answer,
    JobDetail,
    JobStatus,
    PrecheckAnswer,
    PrecheckResults,
    ReplicationLag,
    Row,
    StartRequest,
)

if TYPE_CHECKING:
    import requests

    from ..auth.sources import TokenSource
    from .listing import JobListing, ListAnswer
    from .replication_lag import ReplicationLagReader
    from .wire_rows import PrecheckRow, ReplicationLagRow

log = logging.getLogger(__name__)

# batch-status answers 5 rows unless told otherwise; 0 asks for every row.
ALL_ROWS = 0
# How many ids one status call may carry is not documented. Fewer are sent as soon as DRS minds. A row has some 70 bytes.
READ_BATCH = 1000
# Jobs per start call. The API documents no maximum; 100 is the largest page it documents for reading.
DEFAULT_BATCH_SIZE = 100
# Rows of batch-detail are large, some 2 kB.
DETAIL_BATCH = 500

_Answer = TypeVar("_Answer", bound=BaseModel)
_T = TypeVar("_T")


class DrsClient:
    """Speaks to DRS for one project. May be shared by threads. Closed at the end of the process, if not before.

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
        self._statuses = BatchReader("batch-status", READ_BATCH, self.retry)
        # So many ids have passed in batch-status, whose page is the same.
        self._details = BatchReader("batch-detail", DETAIL_BATCH, self.retry, has_passed=True)
        self._lanes = ConcurrencyLimit()
        self._contact = Contact()
        _open_clients.add(self)

    def close(self) -> None:
        """Close the connections. The token source is not closed: other clients may share it."""
        self._session.close()

    def get_project_id(self, budget: TimeBudget) -> str:
        """The id of the project of these jobs; asks IAM where only a login tells it.

        Raises:
            DrsError: IAM can't be asked, or does not tell.
        """
        calling = self.retry.calling(budget, repeat_if=lambda e: e.retryable)
        found: str = calling(_in_time, self._tokens.project_id, budget)
        return found

    # Most operations need neither of these, nor the models of rows that are imported where they are read: building those
    # takes as long as a call.
    @cached_property
    def _precheck_results(self) -> BatchReader:
        from .prechecks import PRECHECK_BATCH

        return BatchReader("batch-precheck-result", PRECHECK_BATCH, self.retry)

    @cached_property
    def _lags(self) -> ReplicationLagReader:
        from .replication_lag import ReplicationLagReader

        return ReplicationLagReader(self.retry)

    def start_jobs(self, starts: Sequence[StartRequest], budget: TimeBudget) -> ActionAnswer:
        """Ask DRS to start jobs, all in one call ("Starting Tasks in Batches").

        Repeats the call only when DRS can't have acted on it. So do all calls that change something.

        Raises:
            DrsError: the call as a whole came to nothing. With `effect_unknown`, that is not certain.
        """
        asked = [start.job_id for start in starts]
        rows = self._act("POST", "jobs/batch-starting", {"jobs": [start.to_wire() for start in starts]}, asked, budget)
        return _action_answer(rows, asked)

    def resume_jobs(self, job_ids: Sequence[str], budget: TimeBudget) -> ActionAnswer:
        """Ask DRS to go on with paused and failed jobs, all in one call ("Retrying Tasks in Batches"). Raises as `start_jobs`."""
        # is_sync_re_edit is for jobs whose objects were edited meanwhile; the page's own sample leaves it out.
        body = {"jobs": [{"job_id": job_id} for job_id in job_ids]}
        return _action_answer(self._act("POST", "jobs/batch-retry-task", body, job_ids, budget), job_ids)

    def pause_jobs(self, job_ids: Sequence[str], budget: TimeBudget) -> ActionAnswer:
        """Ask DRS to pause jobs, all in one call ("Pausing Tasks in Batches"). Raises as `start_jobs`."""
        # The replay stops and the capture of logs goes on: resuming loses nothing as long as the source keeps its logs.
        body = {"jobs": [{"job_id": job_id, "pause_mode": "target"} for job_id in job_ids]}
        return _action_answer(self._act("POST", "jobs/batch-pause-task", body, job_ids, budget), job_ids)

    def stop_jobs(self, job_ids: Sequence[str], budget: TimeBudget) -> ActionAnswer:
        """Ask DRS to end jobs for good, all in one call ("Stopping or Deleting Tasks in Batches"). Raises as `start_jobs`."""
        body = {"jobs": [{"job_id": job_id, "delete_type": "terminate"} for job_id in job_ids]}
        return _action_answer(self._act("DELETE", "jobs/batch-jobs", body, job_ids, budget), job_ids)

    def precheck_jobs(self, job_ids: Sequence[str], budget: TimeBudget) -> PrecheckAnswer:
        """Ask DRS to pre-check jobs, all in one call ("Pre-checking Tasks in Batches"). Raises as `start_jobs`."""
        body = {"jobs": [{"job_id": job_id, "precheck_mode": "forStartJob"} for job_id in job_ids]}
        rows = self._act("POST", "jobs/batch-precheck", body, job_ids, budget)
        answer = _action_answer(rows, job_ids)
        accepted = [job_id for job_id in job_ids if job_id in answer.accepted]
        ids = {job_id: precheck_id for job_id in accepted if (precheck_id := rows[job_id].precheck_id)}
        return PrecheckAnswer(answer.accepted, answer.refused, answer.unanswered, ids)

    def get_statuses(self, job_ids: Sequence[str], budget: TimeBudget) -> dict[str, JobStatus]:
        """Read the statuses of jobs ("Querying Task Status in Batches"): one for every id, unknown jobs as missing.

        A job whose status can't be read counts as missing, unless that is so for all of them.

        Raises:
            DrsError: the statuses can't be read, after the repeats that `retry` allows.
        """

        def fetch(part: Sequence[str]) -> tuple[dict[str, JobStatus], dict[str, DrsError]]:
            found: dict[str, JobStatus] = {}
            failed: dict[str, DrsError] = {}
            answer = self._call("jobs/batch-status", _paged(part), Answer, budget)
            for job_id, row in _rows_by_id(answer.results, set(part), "batch-status").items():
                if row.status:
                    found[job_id] = JobStatus(job_id, row.status, row.error_code, row.error_text)
                else:
                    failed[job_id] = _why_no_status(job_id, row)
            return found, failed

        reading = self._statuses.read(job_ids, fetch, budget)
        failed = reading.failed | reading.refused
        unreadable = [error for error in failed.values() if not isinstance(error, JobUnknownError)]
        if unreadable and len(unreadable) == len(reading.found) + len(failed) + len(reading.absent):
            raise unreadable[0]
        missing = {job_id: _missing(job_id, error) for job_id, error in failed.items()}
        return reading.found | missing | {job_id: JobStatus(job_id, MISSING_STATUS) for job_id in reading.absent}

    def get_details(self, job_ids: Sequence[str], budget: TimeBudget) -> dict[str, JobDetail]:
        """What only details tell of jobs ("Querying Task Details in Batches"). Jobs that DRS tells nothing of are left out.

        Raises:
            DrsError: the details can't be read.
        """
        from .wire_rows import DetailAnswer

        def fetch(part: Sequence[str]) -> tuple[dict[str, JobDetail | None], dict[str, DrsError]]:
            answer = self._call_discreetly("jobs/batch-detail", _paged(part), DetailAnswer, budget)
            found: dict[str, JobDetail | None] = {}
            failed: dict[str, DrsError] = {}
            for row in answer.results:
                job_id = row.id or ""
                if job_id not in part or job_id in found or job_id in failed:
                    continue
                if row.error_code:
                    failed[job_id] = refusal_for(row.error_code, row.error_text or "", status=200, job_id=job_id)
                else:
                    # One way to say that there is no such job.
                    found[job_id] = None if row.status == "DELETED" else row.to_detail(job_id)
            return found, failed

        reading = self._details.read(job_ids, fetch, budget)
        if reading.refused and not (reading.found or reading.failed or reading.absent):
            raise next(iter(reading.refused.values()))
        return {job_id: detail for job_id, detail in reading.found.items() if detail is not None}

    def get_precheck_results(self, prechecks: Mapping[str, str | None], budget: TimeBudget) -> PrecheckResults:
        """Read what pre-checks have come to ("Querying Pre-Check Results in Batches").

        Args:
            prechecks: the jobs, each with the id of its pre-check, or None if that is not known.
            budget: the time this may take.

        Raises:
            DrsError: the results can't be read.
        """
        from .prechecks import read_results
        from .wire_rows import PrecheckResultAnswer

        def ask(part: Sequence[str]) -> Sequence[PrecheckRow]:
            return self._call("jobs/batch-precheck-result", {"jobs": list(part)}, PrecheckResultAnswer, budget).results

        return read_results(self._precheck_results, prechecks, ask, budget)

    def get_replication_lags(self, job_ids: Sequence[str], budget: TimeBudget) -> dict[str, ReplicationLag]:
        """How far the copies of jobs are behind: one for every job, though little may be known.

        Huawei Cloud has a call for it. Where it is missing, "Querying Task Progress in Batches" knows a part.

        Raises:
            DrsError: DRS can't be asked. That it refuses to tell is no error.
        """
        from .wire_rows import LagAnswer

        def ask(path: str, part: Sequence[str]) -> Sequence[ReplicationLagRow]:
            return self._call(path, {"jobs": list(part)}, LagAnswer, budget).results

        return self._lags.read(job_ids, ask, budget)

    def list_jobs(
        self,
        budget: TimeBudget,
        *,
        db_use_type: str,
        engine_type: str = "",
        enterprise_project_id: str | None = None,
        tags: Mapping[str, str] | None = None,
        name: str = "",
    ) -> list[JobListing]:
        """The jobs of one kind in the project ("Querying the Task List"), all pages; parents carry their children.

        Raises:
            DrsError: the list can't be read.
        """
        from .listing import ListAnswer, list_request, read_pages

        body = list_request(
            db_use_type=db_use_type, engine_type=engine_type, enterprise_project_id=enterprise_project_id, tags=tags, name=name
        )

        def ask(page: int) -> ListAnswer:
            calling = self.retry.calling(budget, repeat_if=lambda e: e.retryable)
            answer: ListAnswer = calling(self._call, "jobs", {"cur_page": page, **body}, ListAnswer, budget)
            return answer

        return read_pages(ask)

    def get_families(self, parent_ids: Sequence[str], budget: TimeBudget) -> dict[str, JobListing]:
        """These dual-active parents with their children, by id, as far as DRS lists them. Raises as `list_jobs` does.

        Others are given as well where they come with the same answer.
        """
        from .listing import DISASTER_RECOVERY

        # The list takes an id where it takes a name, but one only. So the whole list serves several.
        name = parent_ids[0] if len(parent_ids) == 1 else ""
        return {job.job_id: job for job in self.list_jobs(budget, db_use_type=DISASTER_RECOVERY, name=name)}

    def _act(self, method: str, path: str, body: Mapping[str, Any], asked: Sequence[str], budget: TimeBudget) -> dict[str, Row]:
        """What one call that changes jobs says of each. Repeated only when DRS can't have acted on it."""
        if not asked:
            return {}
        calling = self.retry.calling(budget, repeat_if=_is_harmless_to_repeat)
        answer: Answer = calling(self._call, path, body, Answer, budget, method=method)
        return _rows_by_id(answer.results, set(asked), path.removeprefix("jobs/"))

    def _call(
        self, path: str, body: Mapping[str, Any], answer: type[_Answer], budget: TimeBudget, *, method: str = "POST"
    ) -> _Answer:
        """One call, repeated once with a new token if the token was the problem."""
        token = self._token(budget)
        try:
            parsed = self._exchange(method, path, body, token, budget)
        except TokenRejectedError as refusal:
            if not self._tokens.renew(token, refusal):
                raise
            parsed = self._exchange(method, path, body, self._token(budget), budget)
        try:
            return answer.model_validate(parsed)
        except ValidationError as exc:
            where = ".".join(str(part) for part in exc.errors(include_input=False)[0]["loc"])
        # Not chained: the other error carries the answer, and answers may hold passwords.
        raise UnreadableAnswerError(
            f"{self.endpoint} answered {path} in a shape that is not documented (at {where or 'the top'})"
        )

    def _call_discreetly(self, path: str, body: Mapping[str, Any], answer: type[_Answer], budget: TimeBudget) -> _Answer:
        """A call whose answer holds passwords: an answer that is not understood is not quoted either."""
        try:
            return self._call(path, body, answer, budget)
        except RedirectedError:
            raise
        except UnreadableAnswerError:
            error: DrsError = UnreadableAnswerError(f"the answer of {self.endpoint} to {path} can't be understood")
        except ServiceRefusedError as refusal:
            if not refusal.code.startswith("HTTP "):
                raise
            error = refusal_for(
                "",
                "",
                status=refusal.status,
                request_id=refusal.request_id,
                retry_after_seconds=refusal.retry_after_seconds,
                by_job=refusal.by_job,
            )
        raise error

    def _token(self, budget: TimeBudget) -> str:
        return _in_time(self._tokens.token, budget)

    def _exchange(self, method: str, path: str, body: Mapping[str, Any], token: str, budget: TimeBudget) -> Any:
        url = f"{self.endpoint}/v3/{_in_time(self._tokens.project_id, budget)}/{path}"
        headers = {**self._headers, **self._tokens.headers(token, method, url, encoded(body))}
        with self._lanes.one(budget):
            begun = budget.clock.monotonic()
            try:
                answer = exchange(self._session, method, url, body, headers, budget)
            except DrsError as error:
                if isinstance(error, UnreachableError) and not error.was_connected:
                    self._contact.failed(error, begun, budget.clock.monotonic())
                elif isinstance(error, ServiceRefusedError):
                    self._contact.succeeded()
                if isinstance(error, ThrottledError):
                    self._lanes.serialize()
                raise
            self._contact.succeeded()
            return answer


def _in_time(ask: Callable[[], _T], budget: TimeBudget) -> _T:
    """What a token source says, in the time that is left: a login may be needed for it."""
    budget.check()
    with within(budget.remaining_seconds(), budget.is_wanted):
        return ask()


_open_clients: weakref.WeakSet[DrsClient] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for client in list(_open_clients):
        client.close()


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


def _missing(job_id: str, error: DrsError) -> JobStatus:
    if isinstance(error, ServiceRefusedError):
        return JobStatus(job_id, MISSING_STATUS, error.code, error.text)
    return JobStatus(job_id, MISSING_STATUS, None, str(error))


def _action_answer(rows: Mapping[str, Row], asked: Sequence[str]) -> ActionAnswer:
    accepted: set[str] = set()
    refused: dict[str, ServiceRefusedError] = {}
    for job_id, row in rows.items():
        if row.error_code or row.status == "failed":
            refused[job_id] = refusal_for(row.error_code or "", row.error_text or "", status=202, job_id=job_id)
        elif row.status == "success":
            accepted.add(job_id)
    return ActionAnswer(frozenset(accepted), refused, frozenset(asked) - accepted - refused.keys())


def _paged(job_ids: Sequence[str]) -> dict[str, Any]:
    return {"jobs": list(job_ids), "page_req": {"cur_page": 1, "per_page": ALL_ROWS}}


def _new_session(endpoint: str, ca_cert: str | None) -> requests.Session:
    from ..http.transport import new_session

    return new_session(endpoint, ca_cert)
