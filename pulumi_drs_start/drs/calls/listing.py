"""
The list of jobs ("Querying the Task List"): its rows as values, and its pages as one list.

The one call of the API with true pages. Jobs come and go between two of them, so that one may be seen twice or not at all:
the totals that DRS gives with each page tell, and then the list is read again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from ..errors import ServiceRefusedError, UnreadableAnswerError
from ..text import clean_word
from ..wire import WireModel, objects_only, to_number, to_word

log = logging.getLogger(__name__)

# The largest page that the API documents.
PAGE_ROWS = 100
# A hundred thousand jobs. A list that goes on is no list of jobs.
MOST_PAGES = 1000
# How often a list that changed while it was read is read again: the last one counts.
MOST_PASSES = 3
# Sent in full, because without it DRS lists jobs of MySQL alone.
ANY_ENGINE = ""
DISASTER_RECOVERY = "cloudDataGuard"

LONGEST_ID = 128
# "Empty result" and "page beyond limit": two ways to say that there are no more rows.
_NO_MORE_ROWS = frozenset({"DRS.M00002", "DRS.M00211"})


def _to_id(value: Any) -> str:
    """An id as it is, or nothing: one that has to be cleaned names no job."""
    return value if isinstance(value, str) and value == clean_word(value, LONGEST_ID) else ""


def _to_count(value: Any) -> int | None:
    number = to_number(value)
    return int(number) if number is not None and number.is_integer() and 0 <= number < 10**10 else None


def _with_ids(jobs: tuple[JobListing, ...]) -> tuple[JobListing, ...]:
    return tuple(job for job in jobs if job.job_id)


# Texts that DRS left out are empty.
_Text = Annotated[str, BeforeValidator(lambda value: to_word(value) or "")]


class JobListing(WireModel):
    """What the list says of a job. Texts that DRS left out are empty.

    Attributes:
        name: what its owner calls it; not unique.
        db_use_type: ``migration``, ``sync`` or ``cloudDataGuard``.
        engine_type: such as ``mysql``.
        task_type: ``FULL_TRANS``, ``INCR_TRANS``, ``FULL_INCR_TRANS``.
        job_direction: ``up``, ``down``, ``non-dbs``.
        children: the subtasks of a parent.
    """

    model_config = ConfigDict(populate_by_name=True)

    job_id: Annotated[str, BeforeValidator(_to_id)] = Field(default="", validation_alias="id")
    name: _Text = ""
    status: _Text = ""
    db_use_type: _Text = ""
    engine_type: _Text = ""
    task_type: _Text = ""
    job_direction: _Text = ""
    children: Annotated[tuple[JobListing, ...], objects_only, AfterValidator(_with_ids)] = ()


class ListAnswer(WireModel):
    """One page of the list: an envelope of its own."""

    total_record: Annotated[int | None, BeforeValidator(_to_count)] = None
    jobs: list[JobListing] | None

    @model_validator(mode="after")
    def _null_is_no_job(self) -> ListAnswer:
        if self.jobs is None and self.total_record != 0:
            raise ValueError("jobs are missing")
        return self


def read_pages(ask: Callable[[int], ListAnswer]) -> list[JobListing]:
    """Every job of a list, each once, in the order of the service.

    Args:
        ask: gets the page of this number, from 1.

    Raises:
        UnreadableAnswerError: the list does not end.
    """
    found: dict[str, JobListing] = {}
    for _ in range(MOST_PASSES):
        before, (found, is_settled) = found, _one_pass(ask)
        # The same jobs twice: then it is the total that is wrong.
        if is_settled or found.keys() == before.keys():
            break
        log.debug("the list of jobs changed while it was read, or its total is wrong: reading it again")
    return list(found.values())


def _one_pass(ask: Callable[[int], ListAnswer]) -> tuple[dict[str, JobListing], bool]:
    """The jobs by id, and whether nothing speaks against these being all."""
    found: dict[str, JobListing] = {}
    totals: set[int | None] = set()
    for number in range(1, MOST_PAGES + 1):
        try:
            answer = ask(number)
        except ServiceRefusedError as refusal:
            if refusal.code not in _NO_MORE_ROWS:
                raise
            answer = ListAnswer(jobs=[])
        rows = answer.jobs or []
        known = len(found)
        found |= {row.job_id: row for row in rows if row.job_id}
        totals.add(answer.total_record)
        is_complete = len(rows) < PAGE_ROWS if answer.total_record is None else len(found) >= answer.total_record
        # A page with nothing new is the end, whatever the total says: more of them would bring nothing either.
        if is_complete or len(found) == known:
            return found, number == 1 or totals in ({len(found)}, {None})
    raise UnreadableAnswerError(f"DRS listed {MOST_PAGES * PAGE_ROWS:,} jobs and did not come to an end")
