"""What `find_jobs` returns. In a module of its own, because a program that finds no jobs need not load what finds them."""

from __future__ import annotations

from collections.abc import Iterable


class FoundJobs(list[str]):
    """Ids of jobs, as `find_jobs` found them: a list like any other, which also knows how it was asked for.

    What is made of it (a slice, a sum, a comprehension) is a plain list.

    Attributes:
        query: the call, in its own words: ``find_jobs(name="crm-*", status="CONFIGURATION")``.
        other_status: ids of the jobs that match in everything but ``status``: those that were started meanwhile, for one.
        of_total: how many jobs were looked through.
    """

    # Without slots Pulumi would take the attributes for the value in some places.
    __slots__ = ("of_total", "other_status", "query")

    query: str
    other_status: tuple[str, ...]
    of_total: int

    def __init__(
        self, job_ids: Iterable[str] = (), *, query: str = "", other_status: Iterable[str] = (), of_total: int = 0
    ) -> None:
        super().__init__(job_ids)
        self.query = query
        self.other_status = tuple(other_status)
        self.of_total = of_total
