"""How much one tenant may have: each quota, what it counts, what makes room (Lua counts: `store/lua/quotas.lua`)."""

from dataclasses import dataclass

from algorithms.errors import BrinellError, OverQuota, RateLimited
from jobs.installation.settings import Settings
from models.record import Record

FULL_SECONDS = 10  # what a job may take at least, more or less: nobody knows when one of a thousand will end


@dataclass(frozen=True)
class Quota:
    """A quota is one line of a tenant's usage. `setting`: the field of Settings that is its limit."""

    setting: str
    what: str
    remedy: str
    is_passing: bool = False  # room comes by waiting, too


QUOTAS = {
    "stored_bytes": Quota("quota_stored_bytes", "bytes of files and results", "delete models, samples, jobs or audits"),
    "record_bytes": Quota(
        "quota_record_bytes", "bytes of cards, requests and findings", "delete jobs, audits or refused models"
    ),
    "models": Quota("quota_models", "models", "delete some, refused ones too"),
    "samples": Quota("quota_samples", "sets of samples", "delete some"),
    "live_jobs": Quota("live_jobs", "live jobs", "wait until some have ended, or cancel some", is_passing=True),
    "live_audits": Quota("live_audits", "live audits", "wait until some have ended, or cancel some", is_passing=True),
}


class Used(Record):
    """How much there is of what has a quota, and how much there may be."""

    used: int
    limit: int


class Usage(Record):
    """A tenant's usage has one line for each quota."""

    stored_bytes: Used
    record_bytes: Used
    models: Used
    samples: Used
    live_jobs: Used
    live_audits: Used


def limits(settings: Settings) -> dict[str, int]:
    """Returns the limit of each quota, by its name."""
    return {name: getattr(settings, quota.setting) for name, quota in QUOTAS.items()}


def refusal(name: str, *, used: int, limit: int, more: int) -> BrinellError:
    """Makes the error of what would pass a quota: which, how much is used, and what to do."""
    quota = QUOTAS[name]
    detail = (
        f"This tenant has {used} of {limit} {quota.what}, and this needs {more} more: {quota.remedy}, or have the"
        f" operator raise BRINELL_{quota.setting.upper()}. GET /v1/usage tells how much there is."
    )
    return RateLimited(detail, retry_after=FULL_SECONDS) if quota.is_passing else OverQuota(detail)
