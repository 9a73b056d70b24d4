"""Progress and delays: how they move, how they are told, and how they are not."""

from __future__ import annotations

import pytest

from pulumi_drs_start.sandbox import faults, make_job, make_job_id

RUNNING, PAUSED = "INCRE_TRANSFER_STARTED", "PAUSING"
A = make_job_id("a")


@pytest.fixture
def add(sandbox):
    """Adds job A, by default in its incremental phase."""
    return lambda **fields: sandbox.add_jobs(make_job(A, **{"status": RUNNING} | fields))


@pytest.fixture
def progress(api):
    def row():
        (row,) = api.rows("batch-progress", A)
        return row

    return row


@pytest.fixture
def behind(progress):
    return lambda: progress()["incre_trans_delay"]


class TestDelay:
    @pytest.mark.parametrize(
        ("delay", "expected"),
        [
            pytest.param({"seconds": 340, "falls": 5}, ["340", "290", "240"], id="shrinks"),
            pytest.param({"seconds": 80, "falls": 5}, ["80", "30", "0"], id="never-below-0"),
            pytest.param({"seconds": 340}, ["340", "340", "340"], id="stalls"),
            pytest.param({"seconds": 340, "falls": -2}, ["340", "360", "380"], id="grows"),
            pytest.param({"seconds": 5, "flaps": 100, "flap_every": 10}, ["5", "105", "5"], id="flaps"),
        ],
    )
    def test_it_moves_as_declared(self, sandbox, add, behind, delay, expected):
        add(delay=delay)
        seen = []
        for _ in expected:
            seen.append(behind())
            sandbox.advance(10)
        assert seen == expected

    def test_it_counts_from_the_beginning_of_the_phase(self, sandbox, add, behind):
        add(status="FULL_TRANSFER_COMPLETE", then=[{"status": RUNNING, "after": 100}], delay={"seconds": 340, "falls": 5})
        assert behind() == "-1"
        sandbox.advance(110)
        assert behind() == "290"

    def test_after_a_pause_it_begins_anew(self, sandbox, api, add, behind):
        add(delay={"seconds": 340, "falls": 5})
        sandbox.advance(10)
        api.call("batch-pause-task", {"jobs": [{"job_id": A, "pause_mode": "target"}]})
        assert behind() == "-1"
        sandbox.advance(10)
        api.call("batch-retry-task", {"jobs": [{"job_id": A}]})
        assert behind() == "340"

    def test_a_failure_does_not_begin_it_anew(self, sandbox, add, behind):
        add(delay={"seconds": 340, "falls": 5})
        sandbox.advance(10)
        sandbox.set_status(A, "INCRE_TRANSFER_FAILED")
        sandbox.set_status(A, RUNNING)
        assert behind() == "290"

    def test_without_one_the_rpo_holds(self, add, behind):
        add(rpo_ms=7900)
        assert behind() == "7"

    @pytest.mark.parametrize("field", [{"seconds": -1}, {"silent": "word"}, {"flap_every": 0}, {"nonsense": 1}])
    def test_what_cannot_be_is_refused(self, sandbox, add, field):
        with pytest.raises(ValueError, match=next(iter(field))):
            add(delay=field)
        add()
        with pytest.raises(ValueError, match=next(iter(field))):
            sandbox.set_delay(A, **field)


class TestSettingIt:
    def test_it_counts_from_then_on(self, sandbox, add, behind):
        add()
        sandbox.advance(100)
        sandbox.set_delay(A, seconds=340, falls=5)
        assert behind() == "340"
        sandbox.advance(10)
        assert behind() == "290"

    def test_what_is_not_named_goes_on(self, sandbox, add, behind):
        add(delay={"seconds": 340, "falls": 5, "flaps": 1000, "flap_every": 10})
        sandbox.advance(10)
        sandbox.set_delay(A, falls=0)
        assert behind() == "290"
        sandbox.advance(10)
        assert behind() == "1290"

    def test_before_the_phase_it_waits_for_it(self, sandbox, add, behind):
        add(status="FULL_TRANSFER_COMPLETE", then=[{"status": RUNNING, "after": 100}])
        sandbox.set_delay(A, seconds=340, falls=5)
        sandbox.advance(110)
        assert behind() == "290"

    def test_it_can_be_taken_away(self, sandbox, add, behind):
        add(rpo_ms=2000, delay={"seconds": 340})
        sandbox.clear_delay(A)
        assert (behind(), sandbox.job(A)["delay"]) == ("2", None)

    def test_control_shows_it(self, sandbox, add):
        add(delay={"seconds": 340, "falls": 5, "silent": "empty"})
        sandbox.advance(10)
        job = sandbox.jobs()[A]
        assert (job["delay"]["seconds"], job["delay"]["falls"], job["delay"]["silent"]) == (340, 5, "empty")
        assert job["delay_seconds"] == 290
        sandbox.set_status(A, PAUSED)
        assert sandbox.job(A)["delay_seconds"] is None

    def test_an_unknown_job_is_a_key_error(self, sandbox):
        with pytest.raises(KeyError):
            sandbox.set_delay("unknown", seconds=1)


class TestSilence:
    @pytest.mark.parametrize(("silent", "told"), [("minus_one", "-1"), ("empty", ""), ("text", "NA"), ("null", None)])
    def test_something_else_than_a_number(self, add, progress, silent, told):
        add(delay={"seconds": 340, "silent": silent})
        row = progress()
        assert (row["incre_trans_delay"], row["progress"]) == (told, "100")

    def test_no_key(self, add, progress):
        add(delay={"silent": "absent"})
        row = progress()
        assert "incre_trans_delay" not in row
        assert row["progress"] == "100"

    def test_no_row(self, sandbox, api, add):
        add(delay={"silent": "no_row"})
        sandbox.add_jobs(make_job("b"))
        answer = api.call("batch-progress", {"jobs": [A, "b"]}).json()
        assert (answer["count"], [row["job_id"] for row in answer["results"]]) == (1, ["b"])

    def test_a_failed_row(self, add, progress):
        add(delay={"silent": "failed_row"})
        row = progress()
        assert set(row) == {"job_id", "error_code", "error_msg"}
        assert row["error_code"] == "DRS.M01504"

    @pytest.mark.parametrize("status", ["FULL_TRANSFER_STARTED", PAUSED])
    def test_it_is_kept_in_the_incremental_phase_alone(self, add, progress, status):
        add(status=status, delay={"silent": "no_row"})
        assert progress()["incre_trans_delay"] == "-1"

    def test_the_delay_goes_on_meanwhile(self, sandbox, add, behind):
        add(delay={"seconds": 340, "falls": 5, "silent": "empty"})
        sandbox.advance(10)
        assert behind() == ""
        sandbox.set_delay(A, silent=None)
        assert behind() == "290"


class TestRpoAndRto:
    @pytest.fixture(autouse=True)
    def served(self, sandbox):
        sandbox.set_policy(rpo_and_rto=True)

    def delays(self, api):
        (row,) = api.rows("batch-rpo-and-rto", A)
        return row["rpo_info"].get("delay"), row["rto_info"].get("delay")

    def test_they_follow_the_delay(self, sandbox, api, add):
        add(rpo_ms=1, rto_ms=2, delay={"seconds": 340, "falls": 0.5})
        sandbox.advance(1)
        assert self.delays(api) == ("339500", "339500")
        sandbox.set_status(A, PAUSED)
        assert self.delays(api) == ("-1", "-1")

    def test_they_keep_silent_with_it(self, sandbox, api, add):
        add(delay={"silent": "text"})
        assert self.delays(api) == ("NA", "NA")
        sandbox.set_delay(A, silent="absent")
        assert self.delays(api) == (None, None)
        sandbox.set_delay(A, silent="no_row")
        assert api.rows("batch-rpo-and-rto", A) == []


class TestProgress:
    @pytest.fixture
    def copying(self, sandbox, api):
        """A job that copies for 100 seconds, 40 of which have passed."""
        sandbox.add_jobs(make_job(A, start_seconds=0, full_seconds=100))
        api.start(A)
        sandbox.advance(40)

    @pytest.mark.usefixtures("copying")
    def test_it_grows_with_the_full_copy(self, sandbox, progress):
        assert progress()["progress"] == "40"
        sandbox.advance(30)
        assert progress()["progress"] == "70"
        sandbox.advance(30)
        assert progress()["progress"] == "100"

    @pytest.mark.parametrize(("seconds", "expected"), [(0, "40"), (100, "100")])
    @pytest.mark.usefixtures("copying")
    def test_a_job_that_has_ended_keeps_it(self, sandbox, api, progress, seconds, expected):
        sandbox.advance(seconds)
        api.call("batch-jobs", {"jobs": [{"job_id": A, "delete_type": "terminate"}]}, method="DELETE")
        sandbox.advance(10)
        row = progress()
        assert (row["transfer_status"], row["progress"]) == ("RELEASE_RESOURCE_COMPLETE", expected)
        assert row["incre_trans_delay"] == "-1"

    @pytest.mark.usefixtures("copying")
    def test_a_pause_keeps_it(self, sandbox, api, progress):
        api.call("batch-pause-task", {"jobs": [{"job_id": A, "pause_mode": "target"}]})
        sandbox.advance(10)
        assert progress()["progress"] == "40"
        api.call("batch-retry-task", {"jobs": [{"job_id": A}]})
        assert progress()["progress"] == "40"

    @pytest.mark.usefixtures("copying")
    def test_a_job_put_back_begins_anew(self, sandbox, progress):
        sandbox.set_status(A, "CONFIGURATION")
        assert progress()["progress"] == "0"

    def test_a_job_that_is_put_into_the_copy_grows_too_and_is_never_done(self, sandbox, add, progress):
        add(status="FULL_TRANSFER_STARTED", full_seconds=100)
        sandbox.advance(40)
        assert progress()["progress"] == "40"
        sandbox.advance(100)
        assert progress()["progress"] == "99"

    def test_where_the_time_is_not_known_it_is_half_done(self, add, progress):
        add(status="FULL_TRANSFER_STARTED")
        assert progress()["progress"] == "50"


class TestAnswer:
    @pytest.mark.parametrize("status", ["CONFIGURATION", "FULL_TRANSFER_STARTED", RUNNING, "RELEASE_RESOURCE_COMPLETE"])
    def test_everything_is_a_string_but_the_map(self, add, progress, status):
        add(status=status, actual_start_time="1608188903063")
        row = progress()
        parts = row.pop("progress_map", {})
        assert all(isinstance(value, str) for value in row.values())
        # The samples have none in the incremental phase.
        assert set(parts) == (set() if status == RUNNING else {"struct", "data", "index"})
        assert all(part == {"completed": f"{row['progress']}%", "remaining_time": None} for part in parts.values())

    def test_a_page_is_not_heeded(self, sandbox, api):
        ids = [f"job-{number}" for number in range(7)]
        sandbox.add_jobs(*(make_job(job_id) for job_id in ids))
        sandbox.set_policy(row_order="reversed")
        answer = api.call("batch-progress", {"jobs": ids, "page_req": {"cur_page": 2, "per_page": 5}})
        assert answer.status_code == 202
        assert [row["job_id"] for row in answer.json()["results"]] == ids[::-1]

    def test_the_call_can_be_missing_while_others_are_served(self, sandbox, api, add):
        add()
        sandbox.inject(faults.refuse("batch-progress", "APIGW.0101", times=None))
        answers = [api.call(operation, {"jobs": [A]}).status_code for operation in ("batch-progress", "batch-status") * 2]
        assert answers == [404, 200, 404, 200]
