"""
The bodies of requests as the API reference types them, and of answers for those who read the OpenAPI description.

Types are strict: a number where the page says string is refused. Unknown fields are let through.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# Sample ids look like UUIDs but are not hexadecimal, so only their characters are judged.
JobId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
# Empty and "0" mean now.
StartTime = Annotated[str, StringConstraints(pattern=r"^[0-9]{0,16}$")]


class WireModel(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class StartInfo(WireModel):
    job_id: JobId
    start_time: StartTime | None = None
    is_auto_create_compare: bool | None = None
    is_only_init_task: bool | None = None


class StartRequest(WireModel):
    jobs: list[StartInfo] = Field(min_length=1)


class PageRequest(WireModel):
    cur_page: int = Field(1, ge=1, le=2**31 - 1)
    per_page: int = Field(5, ge=0, le=100)


class PagedIdsRequest(WireModel):
    jobs: list[JobId] = Field(min_length=1)
    page_req: PageRequest | None = None


class IdsRequest(WireModel):
    jobs: list[JobId] = Field(min_length=1)


class PrecheckInfo(WireModel):
    job_id: JobId
    precheck_mode: Literal["forStartJob", "forRetryJob"]


class PrecheckRequest(WireModel):
    jobs: list[PrecheckInfo] = Field(min_length=1)


class PauseInfo(WireModel):
    job_id: JobId
    pause_mode: Literal["target", "all"]


class PauseRequest(WireModel):
    jobs: list[PauseInfo] = Field(min_length=1)


class RetryInfo(WireModel):
    job_id: JobId
    is_sync_re_edit: bool | None = None


class RetryRequest(WireModel):
    jobs: list[RetryInfo] = Field(min_length=1)


class EndInfo(WireModel):
    job_id: JobId
    delete_type: Literal["terminate", "force_terminate", "delete"]


class EndRequest(WireModel):
    jobs: list[EndInfo] = Field(min_length=1)


class ListRequest(WireModel):
    cur_page: int = Field(ge=0, le=2**31 - 1)
    per_page: int = Field(ge=0, le=100)
    db_use_type: Literal["migration", "sync", "cloudDataGuard"]
    engine_type: str | None = "mysql"
    enterprise_project_id: str | None = None
    name: str | None = None
    net_type: str | None = None
    service_name: str | None = None
    status: str | None = None
    # A list of key and value at Open Telekom Cloud, a map in the vendor's SDK.
    tags: list[dict[str, str]] | dict[str, str] | None = None


class ActionRow(BaseModel):
    id: str
    status: Literal["success", "failed"]
    error_code: str | None = None
    error_msg: str | None = None


class ActionAnswer(BaseModel):
    count: int
    results: list[ActionRow]


class RowsAnswer(BaseModel):
    count: int
    results: list[dict[str, Any]]


class ListAnswer(BaseModel):
    total_record: int
    jobs: list[dict[str, Any]]


class ErrorAnswer(BaseModel):
    error_code: str
    error_msg: str
    request_id: str | None = None


class IdentityError(BaseModel):
    error: dict[str, Any]


class Named(BaseModel):
    """Something known by its id or by its name."""

    id: str | None = None
    name: str | None = None


class UserInfo(Named):
    password: str
    domain: Named | None = None


class PasswordInfo(BaseModel):
    user: UserInfo


class TokenInfo(BaseModel):
    id: str


class ApplicationCredentialInfo(Named):
    secret: str
    user: Named | None = None


class IdentityInfo(BaseModel):
    methods: list[str]
    password: PasswordInfo | None = None
    token: TokenInfo | None = None
    application_credential: ApplicationCredentialInfo | None = None


class ProjectScope(Named):
    domain: Named | None = None


class Scopes(BaseModel):
    project: ProjectScope | None = None
    domain: Named | None = None


class AuthInfo(BaseModel):
    identity: IdentityInfo
    scope: Scopes | Literal["unscoped"] | None = None


class AuthRequest(BaseModel):
    auth: AuthInfo
