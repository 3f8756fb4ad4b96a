"""What it means when a script refuses: its word, as the error that callers know."""

from collections.abc import Callable
from math import ceil
from typing import Any

from algorithms.errors import BrinellError, Conflict, RateLimited, Refused, Unavailable
from jobs.installation.quotas import refusal as over_quota
from jobs.store.names import missing

Reply = dict[str, Any]


def accept(reply: Reply) -> Reply:
    """Returns the reply itself, unless the script refused: then raises what the refusal means."""
    refusal = _REFUSALS.get(reply["status"])
    if refusal:
        raise refusal(reply)
    return reply


def reused() -> Refused:
    """Makes the error of an idempotency key that came with two different requests."""
    return Refused(
        "This Idempotency-Key came with another request before; use a new one.", code="idempotency_key_reused"
    )


_REFUSALS: dict[str, Callable[[Reply], BrinellError]] = {
    "too_often": lambda reply: RateLimited(
        "This tenant asks more often than it may; send the request again after Retry-After seconds.",
        retry_after=ceil(reply["seconds"]),
    ),
    "over_quota": lambda reply: over_quota(
        reply["quota"], used=reply["used"], limit=reply["limit"], more=reply["more"]
    ),
    "missing": lambda _: missing(),
    "in_use": lambda _: Conflict(
        "A live job or an audit uses this; wait until the job ends, cancel it, or delete the audit.",
        code="in_use",
    ),
    "busy": lambda _: Unavailable("The same bytes are being deleted right now; try again.", retry_after=1),
    "reused": lambda _: reused(),
}
