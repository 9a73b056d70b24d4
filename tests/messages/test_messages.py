"""Words that stay short however many jobs they speak of."""

from __future__ import annotations

from pulumi_drs_start.drs.errors import OutOfTimeError
from pulumi_drs_start.drs.models import JobStatus
from pulumi_drs_start.messages import name_jobs, plan_in_words, progress_in_words, reasons_for_failure
from pulumi_drs_start.outcome import JobOutcome, Result
from pulumi_drs_start.plan import DesiredJob, Goal, make_plan
from pulumi_drs_start.status import Phase


def failed(job_id: str, code: str = "DRS.M00304", text: str = "Not allowed.") -> JobOutcome:
    return JobOutcome(job_id, "CONFIGURATION", Phase.STARTABLE, "failed", False, code, text)


def test_a_few_jobs_are_named_and_the_rest_is_counted() -> None:
    assert name_jobs([f"j{n}" for n in range(1005)]) == "j0, j1, j2 and 1,002 more"


def test_one_more_than_the_few_is_named_rather_than_counted() -> None:
    assert name_jobs("abcd") == "a, b, c, d"


def test_a_thousand_failures_of_one_cause_are_one_sentence() -> None:
    result = Result({f"j{n}": failed(f"j{n}") for n in range(1000)})

    (reason,) = reasons_for_failure(result, 60)

    assert reason.startswith("1,000 jobs (j0, j1, j2 and 997 more) could not be started: DRS.M00304: Not allowed.")
    assert "run pulumi up again" in reason
    assert len(reason) < 300


def test_a_thousand_failures_with_texts_of_their_own_are_still_short() -> None:
    result = Result({f"j{n}": failed(f"j{n}", "DRS.M06007", f"Can not connect to 10.0.0.{n}.") for n in range(1000)})

    (reason,) = reasons_for_failure(result, 60)

    assert reason.startswith("1,000 jobs (j0, j1, j2 and 997 more) could not be started: DRS.M06007: for example Can not connect")


def test_texts_that_differ_only_in_naming_the_job_are_one_cause() -> None:
    result = Result({f"j{n}": failed(f"j{n}", text=f"Job j{n} is not ready.") for n in range(3)})

    assert len(reasons_for_failure(result, 60)) == 1


def test_causes_beyond_the_few_are_counted() -> None:
    result = Result({f"j{n}": failed(f"j{n}", f"DRS.M0{n:04}") for n in range(9)})

    reasons = reasons_for_failure(result, 60)

    assert len(reasons) == 6
    assert reasons[-1].startswith("4 jobs more could not be dealt with")


def test_every_cause_has_its_sentence() -> None:
    result = Result({"a": failed("a"), "b": failed("b", "DRS.M05003", "Unknown."), "c": failed("c")})

    assert len(reasons_for_failure(result, 60)) == 2


def test_a_wait_that_ran_out_names_the_status_and_the_jobs() -> None:
    waiting = JobOutcome("a", "STARTJOBING", Phase.STARTING, "started", False, is_unfinished=True)

    (reason,) = reasons_for_failure(Result({"a": waiting}, OutOfTimeError("the time limit was reached")), 5400)

    assert "1 in STARTJOBING (a)" in reason
    assert "after 90m (timeout)" in reason


def test_progress_counts_first_what_runs() -> None:
    assert progress_in_words({Phase.RUNNING: 812, Phase.STARTING: 188}) == "running 812/1,000, starting 188"


def test_a_plan_of_five_thousand_jobs_is_one_short_line() -> None:
    jobs = [f"j{n:04}" for n in range(5000)]
    actual = {job_id: JobStatus(job_id, "CONFIGURATION" if n % 2 else "STARTJOBING") for n, job_id in enumerate(jobs)}

    words = plan_in_words(make_plan([DesiredJob(job_id) for job_id in jobs], actual, {}, Goal.RUNNING, 0))

    assert words.startswith("will start 2,500 jobs (j0001, ")
    assert "wait for 2,500 jobs" in words
    assert len(words) < 250
