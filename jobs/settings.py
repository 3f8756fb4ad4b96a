"""What an installation may set, from the environment (prefix `BRINELL_`). Nobody else reads the environment."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

DAY = 24 * 3600


class Settings(BaseSettings):
    """Every field is a line of `docs/settings.md` (tested)."""

    model_config = SettingsConfigDict(env_prefix="BRINELL_", frozen=True, extra="ignore")

    redis_url: str = Field("redis://127.0.0.1:6379/0", repr=False)  # may hold a password
    library: str = "file:///var/lib/brinell"  # file:///folder or s3://bucket/prefix
    max_upload_bytes: int = Field(200 * 2**20, gt=0, lt=2**31)  # below protobuf's own 2 GiB
    result_ttl_seconds: int = Field(7 * DAY, gt=0)
    sandbox: Literal["strict", "basic"] = "basic"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    lease_seconds: float = Field(15.0, gt=0)
    max_attempts: int = Field(3, ge=1)
    answer_seconds: int = Field(900, gt=0)  # longest silence of a model: from one beat of its runner to the next
    job_seconds: int = Field(DAY, gt=0)  # hard limit of one job, from its first chunk
    queue_seconds: int = Field(DAY, gt=0)  # a job not begun by then is `expired`
    chunks_in_flight: int = Field(8, ge=1)  # per job
    jobs_in_flight: int = Field(4, ge=1)  # per tenant
