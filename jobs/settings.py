"""What an installation may set, from the environment (prefix `BRINELL_`). Nobody else reads the environment."""

import base64
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from models.endpoints._urls import origin_of

DAY = 24 * 3600
KEY_BYTES = 32
LEAST_VARIETY = 12  # different bytes in a random key: fewer are a matter of 1 in 10^9, and likely a placeholder


def _listed(text: Any) -> Any:
    return [part.strip() for part in text.split(",") if part.strip()] if isinstance(text, str) else text


def _is_a_key(text: str) -> str:
    """A key of Fernet: 32 random bytes in URL-safe base64. The error does not repeat it."""
    try:
        key = base64.b64decode(text, altchars=b"-_", validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES or len(set(key)) < LEAST_VARIETY:
        raise ValueError("each key is 32 random bytes in URL-safe base64")
    return text


Listed = BeforeValidator(_listed)  # comma-separated
Origin = Annotated[str, AfterValidator(origin_of)]
SecretKey = Annotated[str, AfterValidator(_is_a_key)]


class Settings(BaseSettings):
    """Every field is a line of `docs/settings.md` (tested)."""

    model_config = SettingsConfigDict(env_prefix="BRINELL_", frozen=True, extra="ignore", hide_input_in_errors=True)

    redis_url: str = Field("redis://127.0.0.1:6379/0", repr=False)  # may hold a password
    library: str = "file:///var/lib/brinell"  # file:///folder or s3://bucket/prefix
    max_upload_bytes: int = Field(200 * 2**20, gt=0, lt=2**31)  # below protobuf's own 2 GiB
    result_ttl_seconds: int = Field(7 * DAY, gt=0)
    sandbox: Literal["strict", "basic", "auto"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    trusted_origins: Annotated[tuple[Origin, ...], NoDecode, Listed] = ()  # endpoints there may be audited
    secret_keys: Annotated[tuple[SecretKey, ...], NoDecode, Listed] = Field((), repr=False)  # the newest first
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    lease_seconds: float = Field(15.0, gt=0)
    max_attempts: int = Field(3, ge=1)
    answer_seconds: int = Field(900, gt=0)  # longest silence of a model: from one beat of its runner to the next
    job_seconds: int = Field(DAY, gt=0)  # hard limit of one job, from its first chunk
    queue_seconds: int = Field(DAY, gt=0)  # a job not begun by then is `expired`
    chunks_in_flight: int = Field(8, ge=1)  # per job
    jobs_in_flight: int = Field(4, ge=1)  # per tenant
    inspect_seconds: int = Field(120, gt=0)  # of processor time, for one uploaded model
    inspections_in_flight: int = Field(1, ge=1)  # per tenant: fewer than there are inspectors
    live_jobs: int = Field(1000, ge=1)  # per tenant, queued and running: beyond that 429
    client_seconds: float = Field(15.0, gt=0, le=3600)  # longest wait for a client that has to send or read
    requests_per_second: float = Field(500.0, ge=0, allow_inf_nan=False)  # per tenant; 0: as many as come
    requests_burst: int = Field(1000, ge=1)  # requests of a tenant that may come at once after a pause
