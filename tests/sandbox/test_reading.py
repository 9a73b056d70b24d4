"""Reading statuses, details, progress and lists: paging, spellings, unknown ids."""

from __future__ import annotations

import pytest

from pulumi_drs_start.sandbox import SECRET, make_job

SEVEN = [f"job-{number}" for number in range(7)]


@pytest.fixture
def seven(sandbox):
    sandbox.add_jobs(*(make_job(job_id) for job_id in SEVEN))


@pytest.mark.parametrize("operation", ["batch-status", "batch-detail"])
@pytest.mark.parametrize("page", [None, {}, {"cur_page": 1}])
@pytest.mark.usefixtures("seven")
def test_without_a_page_size_only_five_rows_come(api, operation, page):
    body = {"jobs": SEVEN} | ({} if page is None else {"page_req": page})

    answer = api.call(operation, body)

    assert answer.status_code == 200
    assert answer.json()["count"] == 5
    assert [row["id"] for row in answer.json()["results"]] == SEVEN[:5]


@pytest.mark.usefixtures("seven")
def test_a_page_size_of_zero_asks_for_all(api):
    assert len(api.rows("batch-status", *SEVEN, per_page=0)) == 7


@pytest.mark.usefixtures("seven")
def test_the_last_page_is_shorter(api):
    assert [row["id"] for row in api.rows("batch-status", *SEVEN, per_page=3, cur_page=3)] == SEVEN[6:]


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ({"cur_page": 3}, "DRS.M00211"),
        ({"cur_page": 2, "per_page": 0}, "DRS.M00211"),
        ({"per_page": 101}, "DRS.M00210"),
        ({"per_page": -1}, "DRS.M00210"),
        ({"cur_page": 0}, "DRS.M00210"),
        ({"per_page": "5"}, "DRS.M00200"),
    ],
)
@pytest.mark.usefixtures("seven")
def test_an_impossible_page_is_refused(api, page, code):
    answer = api.call("batch-status", {"jobs": SEVEN, "page_req": page})
    assert (answer.status_code, answer.json()["error_code"]) == (400, code)


@pytest.mark.usefixtures("seven")
def test_the_misspelt_page_key_of_the_example_is_ignored(api):
    answer = api.call("batch-status", {"jobs": SEVEN, "pageReq": {"per_page": 0}})
    assert answer.json()["count"] == 5


def test_an_unknown_id_is_a_row_with_error_message(api):
    row = api.rows("batch-status", "unknown")[0]
    assert row["error_code"] == "DRS.M05003"
    assert row["error_message"]
    assert "error_msg" not in row


def test_an_unknown_id_can_have_the_status_deleted(sandbox, api):
    sandbox.set_policy(unknown_in_status="deleted")
    assert api.rows("batch-status", "unknown") == [{"id": "unknown", "status": "DELETED"}]


@pytest.mark.usefixtures("seven")
def test_an_unknown_id_can_be_left_out(sandbox, api):
    sandbox.set_policy(unknown_in_status="omit")
    assert [row["id"] for row in api.rows("batch-status", "job-0", "unknown")] == ["job-0"]


@pytest.mark.parametrize(("policy", "operation"), [("unknown_in_status", "batch-status"), ("unknown_in_detail", "batch-detail")])
@pytest.mark.usefixtures("seven")
def test_an_unknown_id_can_make_a_400_with_results(sandbox, api, policy, operation):
    sandbox.set_policy(**{policy: "reject", "unknown_code": "DRS.M00289"})
    answer = api.call(operation, {"jobs": ["job-0", "unknown"]})
    assert answer.status_code == 400
    assert answer.json()["results"][0]["error_code"] == "DRS.M00289"


@pytest.mark.parametrize("order", ["reversed", "shuffled"])
@pytest.mark.usefixtures("seven")
def test_rows_need_not_come_in_the_order_of_the_request(sandbox, api, order):
    sandbox.set_policy(row_order=order, seed=1)
    got = [row["id"] for row in api.rows("batch-status", *SEVEN)]
    assert got != SEVEN
    assert sorted(got) == SEVEN


@pytest.mark.usefixtures("seven")
def test_the_same_seed_shuffles_alike(sandbox, api):
    orders = []
    for _ in range(2):
        sandbox.set_policy(row_order="shuffled", seed=7)
        orders.append(api.rows("batch-status", *SEVEN))
    assert orders[0] == orders[1]


def test_details_carry_a_recognisable_secret(sandbox, api):
    sandbox.add_jobs(make_job("a", name="crm-orders"))
    row = api.rows("batch-detail", "a")[0]
    assert row["source_endpoint"]["db_password"] == SECRET
    assert row["name"] == "crm-orders"


@pytest.mark.usefixtures("sandbox", "seven")
def test_times_are_milliseconds_in_strings(api):
    assert api.rows("batch-detail", "job-0")[0]["create_time"].isdigit()


def test_a_configured_job_may_have_started_long_ago(sandbox, api):
    sandbox.add_jobs(make_job("a", actual_start_time="1608188903063"))
    row = api.rows("batch-detail", "a")[0]
    assert (row["status"], row["actual_start_time"]) == ("CONFIGURATION", "1608188903063")


@pytest.mark.usefixtures("seven")
def test_progress_is_202_named_by_job_id_and_not_paged(sandbox, api):
    sandbox.set_status("job-0", "INCRE_TRANSFER_STARTED")
    answer = api.call("batch-progress", {"jobs": [*SEVEN, "unknown"]})
    rows = {row["job_id"]: row for row in answer.json()["results"]}
    assert (answer.status_code, len(rows)) == (202, 8)
    assert (rows["job-0"]["progress"], rows["job-0"]["incre_trans_delay"]) == ("100", "0")
    assert rows["job-1"]["incre_trans_delay"] == "-1"
    assert "error_msg" in rows["unknown"]


@pytest.mark.usefixtures("seven")
def test_rpo_and_rto_are_not_published_here(api):
    assert api.call("batch-rpo-and-rto", {"jobs": SEVEN}).status_code == 404


def test_rpo_and_rto_can_be_switched_on(sandbox, api):
    sandbox.set_policy(rpo_and_rto=True)
    sandbox.add_jobs(make_job("a", rpo_ms=1234, rto_ms=5))
    answer = api.call("batch-rpo-and-rto", {"jobs": ["a"]})
    row = answer.json()["results"][0]
    assert (answer.status_code, row["rpo_info"]["delay"], row["rto_info"]["delay"]) == (202, "1234", "5")


class TestList:
    def list(self, api, **fields):
        body = {"cur_page": 1, "per_page": 10, "db_use_type": "migration", "engine_type": ""} | fields
        return api.call("jobs", body)

    @pytest.mark.usefixtures("seven")
    def test_it_has_an_envelope_of_its_own(self, api):
        answer = self.list(api)
        assert answer.status_code == 200
        assert answer.json()["total_record"] == 7
        assert answer.json()["jobs"][0]["node_newFramework"] is False

    @pytest.mark.usefixtures("seven")
    def test_it_pages(self, api):
        answer = self.list(api, cur_page=2, per_page=5).json()
        assert (answer["total_record"], [job["id"] for job in answer["jobs"]]) == (7, SEVEN[5:])

    @pytest.mark.usefixtures("seven")
    def test_page_zero_is_all(self, api):
        assert len(self.list(api, cur_page=0, per_page=2).json()["jobs"]) == 7

    def test_the_engine_type_defaults_to_mysql(self, sandbox, api):
        sandbox.add_jobs(make_job("a"), make_job("b", engine_type="postgresql"))
        body = {"cur_page": 1, "per_page": 10, "db_use_type": "migration"}
        assert [job["id"] for job in api.call("jobs", body).json()["jobs"]] == ["a"]

    @pytest.mark.parametrize(
        "wanted", [{"name": "crm"}, {"name": "a"}, {"name": "z,a"}, {"status": "PAUSING"}, {"tags": [{"key": "k", "value": "v"}]}]
    )
    def test_it_filters(self, sandbox, api, wanted):
        sandbox.add_jobs(make_job("a", name="crm-orders", status="PAUSING", tags={"k": "v"}), make_job("b-2", name="other"))
        assert [job["id"] for job in self.list(api, **wanted).json()["jobs"]] == ["a"]

    def test_subtasks_are_children(self, sandbox, api):
        sandbox.add_jobs(make_job("p"), make_job("c", parent_id="p"))
        (job,) = self.list(api).json()["jobs"]
        assert (job["id"], job["children"][0]["id"]) == ("p", "c")

    def test_the_kind_of_use_is_mandatory(self, api):
        answer = api.call("jobs", {"cur_page": 1, "per_page": 10})
        assert (answer.status_code, answer.json()["error_code"]) == (400, "DRS.M00201")


class TestStale:
    """Reads of statuses may show what was so a while ago; what is so decides."""

    @pytest.fixture(autouse=True)
    def started(self, sandbox, api):
        """A job that was declared 2000 seconds ago and started 1000 seconds ago. It began to copy at once."""
        sandbox.add_jobs(make_job("a", start_seconds=0, full_seconds=1e6))
        sandbox.advance(1000)
        api.start("a")
        sandbox.advance(1000)

    def listed(self, api, **wanted):
        body = {"cur_page": 0, "per_page": 0, "db_use_type": "migration"} | wanted
        return [row["status"] for row in api.call("jobs", body).json()["jobs"]]

    @pytest.mark.parametrize(
        ("seconds", "status"),
        [
            pytest.param(0, "FULL_TRANSFER_STARTED", id="off"),
            pytest.param(900, "FULL_TRANSFER_STARTED", id="it was so already"),
            pytest.param(1100, "CONFIGURATION", id="before the start"),
            pytest.param(9000, "CONFIGURATION", id="never older than the declaration"),
        ],
    )
    def test_statuses_come_late(self, sandbox, api, seconds, status):
        sandbox.set_policy(stale_seconds=seconds)
        assert (api.status("a"), self.listed(api)) == (status, [status])

    def test_a_status_that_was_due_and_that_nobody_saw_can_be_shown(self, sandbox, api):
        sandbox.add_jobs(make_job("a", then=[{"status": "STARTJOBING", "after": 100}, {"status": "PAUSING", "after": 500}]))
        sandbox.advance(1000)
        sandbox.set_policy(stale_seconds=600)
        assert api.status("a") == "STARTJOBING"

    def test_they_go_back_and_come_again(self, sandbox, api):
        sandbox.set_policy(stale_seconds=1100, stale_share=0.5, seed=1)
        seen = [api.status("a") for _ in range(20)]
        assert set(seen) == {"CONFIGURATION", "FULL_TRANSFER_STARTED"}
        sandbox.set_policy(seed=1)
        assert [api.status("a") for _ in range(20)] == seen

    def test_each_row_has_its_own_chance(self, sandbox, api):
        others = [f"b{number}" for number in range(20)]
        sandbox.add_jobs(*(make_job(job_id, status="PAUSING", then=["STARTJOBING"]) for job_id in others))
        sandbox.advance(100)
        sandbox.set_policy(stale_seconds=1e6, stale_share=0.5)
        assert {row["status"] for row in api.rows("batch-status", *others)} == {"PAUSING", "STARTJOBING"}
        assert {"PAUSING", "STARTJOBING"} <= set(self.listed(api))

    def test_with_no_chance_they_are_fresh(self, sandbox, api):
        sandbox.set_policy(stale_seconds=1100, stale_share=0)
        assert {api.status("a") for _ in range(20)} == {"FULL_TRANSFER_STARTED"}

    def test_the_list_finds_jobs_by_what_it_shows(self, sandbox, api):
        sandbox.set_policy(stale_seconds=1100)
        assert self.listed(api, status="CONFIGURATION") == ["CONFIGURATION"]
        assert self.listed(api, status="FULL_TRANSFER_STARTED") == []

    def test_children_in_the_list_are_stale_too(self, sandbox, api):
        sandbox.add_jobs(make_job("parent", is_parent=True), make_job("child", parent_id="parent", then=["PAUSING"]))
        sandbox.set_policy(stale_seconds=100)
        body = {"cur_page": 0, "per_page": 0, "db_use_type": "migration", "name": "parent"}
        (row,) = api.call("jobs", body).json()["jobs"]
        assert [child["status"] for child in row["children"]] == ["CONFIGURATION"] != [sandbox.job("child")["status"]]

    def test_details_and_progress_stay_fresh(self, sandbox, api):
        sandbox.set_policy(stale_seconds=1100)
        assert api.rows("batch-detail", "a")[0]["status"] == "FULL_TRANSFER_STARTED"
        assert api.rows("batch-progress", "a")[0]["transfer_status"] == "FULL_TRANSFER_STARTED"

    def test_details_can_be_stale_too(self, sandbox, api):
        sandbox.set_policy(stale_seconds=1100, stale_detail=True)
        assert api.rows("batch-detail", "a")[0]["status"] == "CONFIGURATION"

    def test_what_is_allowed_depends_on_what_is_so(self, sandbox, api):
        sandbox.set_policy(stale_seconds=1100)
        assert api.status("a") == "CONFIGURATION"
        assert api.start("a").json()["results"][0]["error_code"] == "DRS.M00304"

    def test_control_knows_what_is_so(self, sandbox):
        sandbox.set_policy(stale_seconds=1100)
        assert sandbox.job("a")["status"] == "FULL_TRANSFER_STARTED"

    def test_a_stale_read_counts_as_a_look(self, sandbox, api):
        sandbox.set_policy(stale_seconds=100)
        sandbox.add_jobs(make_job("a", then=[{"status": "STARTJOBING", "looks": 2}]))
        seen = {api.status("a") for _ in range(3)}
        assert (seen, sandbox.job("a")["looks"], sandbox.job("a")["status"]) == ({"CONFIGURATION"}, 3, "STARTJOBING")

    @pytest.mark.parametrize("field", [{"stale_seconds": -1}, {"stale_share": 1.1}, {"stale_share": -0.1}])
    def test_what_cannot_be_is_refused(self, sandbox, field):
        with pytest.raises(ValueError, match=next(iter(field))):
            sandbox.set_policy(**field)
