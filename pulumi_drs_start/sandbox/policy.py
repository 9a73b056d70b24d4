"""
How this sandbox decides where the documentation is silent, how fast its jobs walk, and who may log in.

A policy may change while the sandbox runs; an account may not.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

UnknownIdAnswer = Literal["row", "reject", "deleted", "omit"]
Seconds = float


class Policy(BaseModel):
    """Every field can be given to `Sandbox(...)` and changed with `set_policy(...)`."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    # -- how fast jobs walk (sandbox seconds, or a number of status reads, or both) --------------------------------
    lag_seconds: Seconds = Field(0.0, ge=0, description="after an accepted start the status still reads CONFIGURATION")
    lag_looks: int = Field(0, ge=0, description="the same, as a number of reads")
    start_seconds: Seconds = Field(0.2, ge=0, description="time in STARTJOBING")
    start_looks: int = Field(0, ge=0, description="the same, as a number of reads")
    full_seconds: Seconds = Field(2.0, ge=0, description="time in FULL_TRANSFER_STARTED")
    full_looks: int = Field(0, ge=0, description="the same, as a number of reads")
    complete_seconds: Seconds = Field(0.2, ge=0, description="time in FULL_TRANSFER_COMPLETE")
    resume_seconds: Seconds = Field(0.0, ge=0, description="time until a resumed or retried job changes its status")
    stop_seconds: Seconds = Field(0.2, ge=0, description="time in RELEASE_RESOURCE_STARTED")
    precheck_seconds: Seconds = Field(0.2, ge=0, description="duration of a pre-check")
    precheck_looks: int = Field(0, ge=0, description="reads of the result before a pre-check is done")

    # -- how late statuses come ------------------------------------------------------------------------------------
    stale_seconds: Seconds = Field(0.0, ge=0, description="batch-status and the job list may show the status of so long ago")
    stale_share: float = Field(1.0, ge=0, le=1, description="how likely a row is to be stale; each read of each is a new chance")
    stale_detail: bool = Field(False, description="batch-detail shows such statuses too")

    # -- what the API reference leaves open ------------------------------------------------------------------------
    unknown_in_status: UnknownIdAnswer = Field("row", description="what batch-status answers for an id nobody knows")
    unknown_in_detail: UnknownIdAnswer = Field("row", description="what batch-detail answers for it")
    unknown_code: str = Field("DRS.M05003", description="code for an id nobody knows; DRS.M00289 is seen too")
    bad_row: Literal["row", "reject", "reject-results"] = Field(
        "row", description="what one refused job does to its batch: a failed row, or nothing is done at all"
    )
    max_batch: int | None = Field(None, ge=1, description="most jobs in a call that changes something")
    max_batch_reads: int | None = Field(None, ge=1, description="most jobs in a call that reads")
    max_batch_code: str = Field("DRS.M00202", description="refusal of a call with more")
    restart_failed: Literal["accept", "refuse"] = Field("refuse", description="batch-starting in START_JOB_FAILED")
    retry_start_failed: Literal["accept", "refuse"] = Field("accept", description="batch-retry in START_JOB_FAILED")
    reschedule: Literal["accept", "refuse"] = Field("refuse", description="batch-starting in WAITING_FOR_START")
    past_start_time: Literal["start", "refuse"] = Field("start", description="batch-starting with a time that is past")
    second_start_code: str = Field("DRS.M01504", description="refusal of a start while the first one shows no effect")
    pause_disaster_recovery: bool = Field(False, description="Huawei allows it, Open Telekom Cloud does not")
    paused_status: Literal["PAUSING", "PAUSEING"] = Field("PAUSING", description="both spellings are documented")
    uuid_rule: bool = Field(True, description="pause and pre-check results demand ids in UUID layout")
    precheck_id: Literal["job", "own"] = Field("job", description="whether a precheck_id is the job's id or one of its own")
    rpo_and_rto: bool = Field(False, description="serve batch-rpo-and-rto, which Open Telekom Cloud lacks")
    children_in_detail: bool = Field(False, description="details of a dual-active parent list its children; no page says so")

    # -- the wire --------------------------------------------------------------------------------------------------
    row_order: Literal["request", "reversed", "shuffled"] = Field("request", description="order of rows in answers")
    seed: int = Field(0, description="of all that is left to chance")
    bad_token: Literal["drs", "gateway"] = Field("drs", description="403 DRS.M00100, or 401 of the API gateway")
    token_lifetime: Seconds = Field(86400.0, gt=0, description="after which a login is needed again")
    latency_ms: float = Field(0.0, ge=0, description="added to every call")
    speed: float = Field(1.0, gt=0, description="how much faster than the wall clock time passes")


class Account(BaseModel):
    """The one user of the sandbox, its domain and its projects."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    username: str = "drs-user"
    password: str = "sandbox-password"  # noqa: S105  # a made-up default, printed at the start
    user_id: str = "5a6f3d0b1c2e4f8899aabbccddeeff00"
    domain_name: str = "OTC-EU-DE-00000000001000000001"
    domain_id: str = "d0a1b2c3d4e5f60718293a4b5c6d7e8f"
    project_id: str = "0123456789abcdef0123456789abcdef"
    project_name: str = "eu-de"
    other_project_id: str = "fedcba9876543210fedcba9876543210"
    other_project_name: str = "eu-de_other"
    region: str = "eu-de"
    application_credential_id: str = "a9c1c0ffee0000000000000000000001"
    application_credential_secret: str = "sandbox-application-secret"  # noqa: S105  # as above
    access_key: str = "SANDBOXACCESSKEY0001"
    secret_key: str = "sandbox-secret-key-sandbox-secret-key-01"  # noqa: S105  # as above

    @property
    def projects(self) -> dict[str, str]:
        """Project ids and their names."""
        return {self.project_id: self.project_name, self.other_project_id: self.other_project_name}
