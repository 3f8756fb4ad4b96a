"""What an installation may set, from the environment (prefix `BRINELL_`). Nobody else reads the environment."""

import base64
import os
import re
import sys
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from models.endpoints._urls import origin_of

PREFIX = "BRINELL_"
NEAR = 0.85  # of names, by difflib's measure: a letter, an s or an underscore apart
DAY = 24 * 3600
TEN_YEARS = 3652 * DAY  # in milliseconds still a whole number of Lua's
MOST = 1_000_000_000
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


def _is_redis(text: str) -> str:
    """The error does not repeat it: it may hold a password."""
    try:
        place = urlsplit(text)
        is_one = place.scheme in ("redis", "rediss") and bool(place.hostname) and place.port != 0
    except ValueError:  # a port that is none, a bracket that does not close
        is_one = False
    if not is_one or place.fragment or not re.fullmatch(r"(/[0-9]{0,5})?", place.path):
        raise ValueError(
            "it is redis://[:password@]host[:port][/number], or rediss:// with TLS; %23 is # in a password"
        )
    return text


def _is_a_library(text: str) -> str:
    place = urlsplit(text)
    is_folder = (
        place.scheme == "file" and place.netloc in ("", "localhost") and len(place.path) > 1 and place.path[0] == "/"
    )
    is_bucket = place.scheme == "s3" and bool(place.netloc)
    if not (is_folder or is_bucket) or place.query or place.fragment:
        raise ValueError("it is file:///absolute/folder or s3://bucket/prefix")
    return text


Listed = BeforeValidator(_listed)  # comma-separated
Origin = Annotated[str, AfterValidator(origin_of)]
Seconds = Annotated[int, Field(ge=1, le=TEN_YEARS)]
Count = Annotated[int, Field(ge=1, le=MOST)]
SecretKey = Annotated[str, AfterValidator(_is_a_key)]


class Settings(BaseSettings):
    """Every field is a line of `docs/settings.md` (tested)."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)

    redis_url: Annotated[str, AfterValidator(_is_redis)] = Field(
        "redis://127.0.0.1:6379/0", repr=False
    )  # may hold a password
    library: Annotated[str, AfterValidator(_is_a_library)] = (
        "file:///var/lib/brinell"  # file:///folder or s3://bucket/prefix
    )
    max_upload_bytes: int = Field(200 * 2**20, gt=0, lt=2**31)  # below protobuf's own 2 GiB
    result_ttl_seconds: Seconds = 7 * DAY
    sandbox: Literal["strict", "basic", "auto"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    trusted_origins: Annotated[tuple[Origin, ...], NoDecode, Listed] = ()  # endpoints there may be audited
    secret_keys: Annotated[tuple[SecretKey, ...], NoDecode, Listed] = Field((), repr=False)  # the newest first
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    lease_seconds: float = Field(15.0, ge=1, le=3600, allow_inf_nan=False)
    max_attempts: int = Field(3, ge=1, le=100)
    answer_seconds: Seconds = 900  # longest silence of a model: from one beat of its runner to the next
    job_seconds: Seconds = DAY  # hard limit of one job, from its first chunk
    queue_seconds: Seconds = DAY  # a job not begun by then is `expired`
    chunks_in_flight: Count = 8  # per job
    jobs_in_flight: Count = 4  # per tenant
    inspect_seconds: Seconds = 120  # of processor time, for one uploaded model
    inspections_in_flight: Count = 1  # per tenant: fewer than there are inspectors
    live_jobs: Count = 1000  # per tenant, queued and running: beyond that 429
    live_audits: Count = 200  # per tenant
    quota_stored_bytes: int = Field(50 * 2**30, ge=1, le=2**46)  # per tenant, in the library
    quota_record_bytes: int = Field(2**30, ge=1, le=2**46)  # per tenant, in Redis
    quota_models: Count = 10_000  # per tenant
    quota_samples: Count = 10_000  # per tenant
    client_seconds: float = Field(
        15.0, gt=0, le=3600, allow_inf_nan=False
    )  # longest wait for a client that has to send or read
    failed_keys_per_minute: int = Field(600, ge=0, le=MOST)  # per address: beyond that 429; 0: as many as come
    requests_per_second: float = Field(500.0, ge=0, le=MOST, allow_inf_nan=False)  # per tenant; 0: as many as come
    requests_burst: Count = 1000  # requests of a tenant that may come at once after a pause


def read_or_exit() -> Settings:
    """Reads the settings of a process that starts, or ends it with EX_CONFIG and a sentence for each without sense."""
    try:
        settings, faults = Settings(), []
    except ValidationError as error:
        settings, faults = None, [_fault(one["loc"], one["msg"]) for one in error.errors(include_url=False)]
    faults += misspelt(os.environ)
    if settings is None or faults:
        sys.stderr.writelines(f"{fault}\n" for fault in dict.fromkeys(faults))
        raise SystemExit(os.EX_CONFIG)
    return settings


def misspelt(names: Iterable[str]) -> Iterator[str]:
    """Yields a sentence for each variable that is nearly one of ours: it would silently do nothing.

    Others that begin like ours are somebody else's: the client's, or Kubernetes' own about a service of our name.
    """
    known = [name.upper() for name in Settings.model_fields]
    for name in sorted(names):
        prefix, found, rest = name.upper().partition(PREFIX)
        if found and not prefix and rest not in known and (near := get_close_matches(rest, known, n=1, cutoff=NEAR)):
            yield f"{name} is no setting; did you mean {PREFIX}{near[0]}?"


def _fault(place: tuple[int | str, ...], said: str) -> str:
    name = str(place[0])
    return f"{PREFIX}{name.upper()}: {said.removeprefix('Value error, ').rstrip('.')}.{_range(name)}"


def _range(name: str) -> str:
    """What a number may be, both ends at once: pydantic tells the one that was passed."""
    schema = Settings.model_json_schema()["properties"][name]
    least = f"from {schema['minimum']:g}" if "minimum" in schema else f"above {schema.get('exclusiveMinimum')}"
    most = f"to {schema['maximum']}" if "maximum" in schema else f"and below {schema.get('exclusiveMaximum')}"
    return f" It takes a number {least} {most}." if schema.get("type") in ("integer", "number") else ""
