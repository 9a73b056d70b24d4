"""
The DRS API v3, as far as starting jobs, and what comes with it, needs it.

Each method is one call of the API for any number of jobs: it pages, repeats what may be repeated, and matches rows to jobs by id.
Whether a job should be started, or stopped, is decided elsewhere.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from ..errors import (
    DrsError,
    JobBusyError,
    JobUnknownError,
    ServiceRefusedError,
    ThrottledError,
    TokenRejectedError,
    UnreadableAnswerError,
)
from ..http.budget import TimeBudget
from ..http.concurrency import ConcurrencyLimit
from ..http.exchange import encoded, exchange
from ..http.retry import Contact, RetryPolicy
from ..wire import Row, WireModel
from .batch_read import BatchReader
from .listing import DISASTER_RECOVERY, PAGE_ROWS, JobListing, ListAnswer, read_pages
from .models import (
    MISSING_STATUS,
    ActionAnswer,
    CopyProgress,
    JobDetail,
    JobStatus,
    PrecheckResults,
    ReplicationLag,
    StartRequest,
)
from .prechecks import PRECHECK_BATCH, read_results
from .replication_lag import PROGRESS, PROGRESS_BATCH, ReplicationLagReader
from .wire_rows import (
    DetailRow,
    DetailRows,
    PrecheckRow,
    PrecheckRows,
    ProgressRow,
    ProgressRows,
    ReplicationLagRow,
    ReplicationLagRows,
    Rows,
)

if TYPE_CHECKING:
    from ..auth.sources import TokenSource

log = logging.getLogger(__name__)

# A batch of a hundred jobs is answered within seconds; a minute of silence is a lost answer.
READ_SECONDS = 60.0
# Ten thousand status rows are about 1 MB.
LARGEST_ANSWER = 64 * 1024 * 1024
# batch-status answers 5 rows unless told otherwise; 0 asks for every row.
ALL_ROWS = 0
# How many ids one status call may carry is not documented. Fewer are sent as soon as DRS minds. A row has some 70 bytes.
READ_BATCH = 1000
# Jobs per start call. The API documents no maximum; 100 is the largest page it documents for reading.
DEFAULT_BATCH_SIZE = 100
# Rows of batch-detail are large, some 2 kB.
DETAIL_BATCH = 500

_Answer = TypeVar("_Answer", bound=WireModel)
_Row = TypeVar("_Row", Row, DetailRow, ProgressRow, ReplicationLagRow)


class DrsClient:
    """Speaks to DRS for one project. May be shared by threads. Who makes one closes it.

    Args:
        endpoint: scheme, host and port of DRS.
        tokens: where tokens and the project id come from.
        language: of DRS's messages, ``en-us`` or ``zh-cn``.
        ca_cert: path of a TLS bundle, or None for the usual authorities.
        retry: how a call that may work later is repeated.
    """

    def __init__(
        self,
        endpoint: str,
        tokens: TokenSource,
        *,
        language: str = "en-us",
        ca_cert: str | None = None,
        retry: RetryPolicy | None = None,
    ) -> None:
        # Here, because requests takes its time to import.
        from ..http.transport import new_session

        self.endpoint = endpoint
        self.retry = retry or RetryPolicy()
        self._tokens = tokens
        self._session = new_session(endpoint, ca_cert, most_bytes=LARGEST_ANSWER, read_seconds=READ_SECONDS)
        self._headers = {"Content-Type": "application/json", "X-Language": language}
        self._statuses = BatchReader("batch-status", READ_BATCH, self.retry)
        # So many ids have passed in batch-status, whose page is the same.
        self._details = BatchReader("batch-detail", DETAIL_BATCH, self.retry, has_passed=True)
        self._precheck_results = BatchReader("batch-precheck-result", PRECHECK_BATCH, self.retry)
        self._progress = BatchReader("batch-progress", PROGRESS_BATCH, self.retry)
        self._lags = ReplicationLagReader(self.retry)
        self._concurrency = ConcurrencyLimit()
        self._contact = Contact()

    def close(self) -> None:
        """Close the connections. The token source is not closed: other clients may share it."""
        self._session.close()

    def get_project_id(self, budget: TimeBudget) -> str:
        """The id of the project of these jobs; asks IAM where only a login tells it. Raises DrsError if IAM does not tell."""
        return self.retry.call(lambda: self._tokens.project_id(budget), budget)

    def start_jobs(self, starts: Sequence[StartRequest], budget: TimeBudget) -> ActionAnswer:
        """Ask DRS to start jobs, all in one call ("Starting Tasks in Batches").

        Repeats the call only when DRS can't have acted on it. So do all calls that change something.

        Raises:
            DrsError: the call as a whole came to nothing. With `effect_unknown`, that is not certain.
        """
        jobs = [{name: value for name, value in asdict(start).items() if value is not None} for start in starts]
        return self._act("POST", "jobs/batch-starting", jobs, budget)

    def resume_jobs(self, job_ids: Sequence[str], budget: TimeBudget) -> ActionAnswer:
        """Ask DRS to go on with paused and failed jobs, all in one call ("Retrying Tasks in Batches"). Raises as `start_jobs`."""
        # is_sync_re_edit is for jobs whose objects were edited meanwhile; the page's own sample leaves it out.
        return self._act("POST", "jobs/batch-retry-task", _each(job_ids), budget)

    def pause_jobs(self, job_ids: Sequence[str], budget: TimeBudget) -> ActionAnswer:
        """Ask DRS to pause jobs, all in one call ("Pausing Tasks in Batches"). Raises as `start_jobs`."""
        # The replay stops and the capture of logs goes on: resuming loses nothing as long as the source keeps its logs.
        return self._act("POST", "jobs/batch-pause-task", _each(job_ids, pause_mode="target"), budget)

    def stop_jobs(self, job_ids: Sequence[str], budget: TimeBudget) -> ActionAnswer:
        """Ask DRS to end jobs for good, all in one call ("Stopping or Deleting Tasks in Batches"). Raises as `start_jobs`."""
        return self._act("DELETE", "jobs/batch-jobs", _each(job_ids, delete_type="terminate"), budget)

    def precheck_jobs(self, job_ids: Sequence[str], budget: TimeBudget) -> ActionAnswer:
        """Ask DRS to pre-check jobs, all in one call ("Pre-checking Tasks in Batches"). Raises as `start_jobs`."""
        return self._act("POST", "jobs/batch-precheck", _each(job_ids, precheck_mode="forStartJob"), budget)

    def get_statuses(self, job_ids: Sequence[str], budget: TimeBudget) -> dict[str, JobStatus]:
        """Read the statuses of jobs ("Querying Task Status in Batches"): one for every id, unknown jobs as missing.

        A job whose status can't be read counts as missing, unless that is so for all of them.

        Raises:
            DrsError: the statuses can't be read, after the repeats that `retry` allows.
        """

        def fetch(part: Sequence[str]) -> dict[str, JobStatus | DrsError]:
            answer = self._call("POST", "jobs/batch-status", _paged(part), Rows, budget)
            return {job_id: _status_of(job_id, row) for job_id, row in _by_id(answer.results, part, "batch-status").items()}

        reading = self._statuses.read(job_ids, fetch, budget)
        failed = reading.failed | reading.refused
        unreadable = [error for error in failed.values() if not isinstance(error, JobUnknownError)]
        if unreadable and len(unreadable) == len(reading.found) + len(failed) + len(reading.absent):
            raise unreadable[0]
        missing = {job_id: _missing(job_id, error) for job_id, error in failed.items()}
        return reading.found | missing | {job_id: JobStatus(job_id, MISSING_STATUS) for job_id in reading.absent}

    def get_details(self, job_ids: Sequence[str], budget: TimeBudget) -> dict[str, JobDetail]:
        """What details tell of jobs ("Querying Task Details in Batches"). Jobs that DRS tells nothing of are left out.

        Raises:
            DrsError: the details can't be read.
        """

        def fetch(part: Sequence[str]) -> dict[str, JobDetail | DrsError | None]:
            answer = self._call("POST", "jobs/batch-detail", _paged(part), DetailRows, budget, is_quotable=False)
            return {job_id: _detail_of(job_id, row) for job_id, row in _by_id(answer.results, part, "batch-detail").items()}

        reading = self._details.read(job_ids, fetch, budget)
        if reading.refused and not (reading.found or reading.failed or reading.absent):
            raise next(iter(reading.refused.values()))
        return {job_id: detail for job_id, detail in reading.found.items() if detail is not None}

    def get_progress(self, job_ids: Sequence[str], budget: TimeBudget) -> dict[str, CopyProgress]:
        """How far the copies of jobs are ("Querying Task Progress in Batches"): one for every job, though it may tell nothing.

        Raises:
            DrsError: DRS can't be asked, or refuses to tell of any of them.
        """

        def fetch(part: Sequence[str]) -> dict[str, CopyProgress | DrsError]:
            rows = _by_id(self._call("POST", PROGRESS, {"jobs": list(part)}, ProgressRows, budget).results, part, PROGRESS)
            # A job without a row is not asked for again: one day it has one.
            return {job_id: rows[job_id].to_progress() if job_id in rows else CopyProgress() for job_id in part}

        reading = self._progress.read(job_ids, fetch, budget)
        if reading.refused and not (reading.found or reading.failed):
            raise next(iter(reading.refused.values()))
        return dict.fromkeys(job_ids, CopyProgress()) | reading.found

    def get_precheck_results(self, prechecks: Mapping[str, str | None], budget: TimeBudget) -> PrecheckResults:
        """Read what pre-checks have come to ("Querying Pre-Check Results in Batches").

        Args:
            prechecks: the jobs, each with the id of its pre-check, or None if that is not known.

        Raises:
            DrsError: the results can't be read.
        """

        def ask(part: Sequence[str]) -> Sequence[PrecheckRow]:
            body = {"jobs": list(part)}
            return self._call("POST", "jobs/batch-precheck-result", body, PrecheckRows, budget).results

        return read_results(self._precheck_results, prechecks, ask, budget)

    def get_replication_lags(self, job_ids: Sequence[str], budget: TimeBudget) -> dict[str, ReplicationLag]:
        """How far the copies of jobs are behind: one for every job, though little may be known.

        Huawei Cloud has a call for it. Where it is missing, "Querying Task Progress in Batches" knows a part.

        Raises:
            DrsError: DRS can't be asked. That it refuses to tell is no error.
        """

        def ask(path: str, part: Sequence[str]) -> Mapping[str, ReplicationLagRow]:
            answer = self._call("POST", path, {"jobs": list(part)}, ReplicationLagRows, budget)
            return _by_id(answer.results, part, path)

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
        body: dict[str, Any] = {"per_page": PAGE_ROWS, "db_use_type": db_use_type, "engine_type": engine_type}
        if enterprise_project_id is not None:
            body["enterprise_project_id"] = enterprise_project_id
        if tags:
            body["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
        if name:
            body["name"] = name

        def ask(page: int) -> ListAnswer:
            return self.retry.call(lambda: self._call("POST", "jobs", {"cur_page": page, **body}, ListAnswer, budget), budget)

        return read_pages(ask)

    def get_families(self, parent_ids: Sequence[str], budget: TimeBudget) -> dict[str, JobListing]:
        """These dual-active parents with their children, by id, as far as DRS lists them. Raises as `list_jobs` does.

        Others are given as well where they come with the same answer.
        """
        # The list takes an id where it takes a name, but one only. So the whole list serves several.
        name = parent_ids[0] if len(parent_ids) == 1 else ""
        return {job.job_id: job for job in self.list_jobs(budget, db_use_type=DISASTER_RECOVERY, name=name)}

    def _act(self, method: str, path: str, jobs: Sequence[Mapping[str, str]], budget: TimeBudget) -> ActionAnswer:
        """One call that changes jobs. Repeated only when DRS can't have acted on it."""
        asked = [job["job_id"] for job in jobs]
        if not asked:
            return ActionAnswer(frozenset(), {}, frozenset())

        answer = self.retry.call(
            lambda: self._call(method, path, {"jobs": jobs}, Rows, budget), budget, repeat_if=_is_harmless_to_repeat
        )
        rows = _by_id(answer.results, asked, path)
        refused = {
            job_id: row.refusal(202, job_id=job_id) for job_id, row in rows.items() if row.error_code or row.status == "failed"
        }
        accepted = {job_id: row for job_id, row in rows.items() if row.status == "success" and job_id not in refused}
        precheck_ids = {job_id: row.precheck_id for job_id, row in accepted.items() if row.precheck_id}
        return ActionAnswer(frozenset(accepted), refused, frozenset(asked) - accepted.keys() - refused.keys(), precheck_ids)

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any],
        answer: type[_Answer],
        budget: TimeBudget,
        *,
        is_quotable: bool = True,
    ) -> _Answer:
        """One call, repeated once with a new token if the token was the problem. `is_quotable` as in `exchange`."""
        token = self._tokens.token(budget)
        try:
            parsed = self._exchange(method, path, body, token, budget, is_quotable)
        except TokenRejectedError as refusal:
            if not self._tokens.renew(token, refusal):
                raise
            parsed = self._exchange(method, path, body, self._tokens.token(budget), budget, is_quotable)
        try:
            return answer.model_validate(parsed)
        except ValidationError as exc:
            where = ".".join(str(part) for part in exc.errors(include_input=False)[0]["loc"])
        # Not chained: the other error carries the answer, and answers may hold passwords.
        raise UnreadableAnswerError(
            f"{self.endpoint} answered {path} in a shape that is not documented (at {where or 'the top'})"
        )

    def _exchange(
        self, method: str, path: str, body: Mapping[str, Any], token: str, budget: TimeBudget, is_quotable: bool
    ) -> Any:
        url = f"{self.endpoint}/v3/{self._tokens.project_id(budget)}/{path}"
        headers = {**self._headers, **self._tokens.headers(token, method, url, encoded(body))}
        with self._concurrency.one(budget), self._contact.watched(budget.clock):
            try:
                return exchange(self._session, method, url, body, headers, budget, is_quotable=is_quotable)
            except ThrottledError:
                self._concurrency.serialize()
                raise


def _is_harmless_to_repeat(error: DrsError) -> bool:
    # A job that is busy may stay so: the caller takes it out of the call instead of keeping the others waiting.
    return error.retryable and not error.effect_unknown and not isinstance(error, JobBusyError)


def _each(job_ids: Sequence[str], **options: str) -> list[dict[str, str]]:
    return [{"job_id": job_id, **options} for job_id in job_ids]


def _paged(job_ids: Sequence[str]) -> dict[str, Any]:
    return {"jobs": list(job_ids), "page_req": {"cur_page": 1, "per_page": ALL_ROWS}}


def _by_id(rows: Sequence[_Row], asked: Sequence[str], call: str) -> dict[str, _Row]:
    """Rows by job: their order is not documented, and nothing promises one for every job, or for these jobs only."""
    wanted = set(asked)
    by_id: dict[str, _Row] = {}
    for row in rows:
        if row.id is not None and row.id in wanted:
            by_id.setdefault(row.id, row)
    if strangers := sum(row.id not in wanted for row in rows):
        log.warning("%s answered %d rows for jobs it was not asked about; ignored", call.removeprefix("jobs/"), strangers)
    return by_id


def _status_of(job_id: str, row: Row) -> JobStatus | DrsError:
    if row.status:
        return JobStatus(job_id, row.status, row.error_code, row.error_text)
    if row.error_code:
        return row.refusal(200, job_id=job_id)
    return UnreadableAnswerError(f"DRS answered a row without a status for job {job_id}")


def _detail_of(job_id: str, row: DetailRow) -> JobDetail | DrsError | None:
    if row.error_code:
        return row.refusal(200, job_id=job_id)
    # One way to say that there is no such job.
    return None if row.status == "DELETED" else row.to_detail(job_id)


def _missing(job_id: str, error: DrsError) -> JobStatus:
    if isinstance(error, ServiceRefusedError):
        return JobStatus(job_id, MISSING_STATUS, error.code, error.text)
    return JobStatus(job_id, MISSING_STATUS, None, str(error))
