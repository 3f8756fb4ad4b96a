"""Every error this project raises on purpose.

BrinellError
├── Refused          what was asked or uploaded cannot be done as it stands; the caller must change it
├── NotFound         no such thing, or not yours
├── Conflict         right request, wrong moment: the thing is in another state
├── TooLarge         a size limit was passed
├── RateLimited      asked too often; `retry_after` seconds
├── Unavailable      a part of the service is down; `retry_after` seconds
│   └── OutOfRoom    it answers, but its memory or its disk is full: something has to be deleted first
├── OverQuota        this tenant has as much as it may: something of its own has to be deleted first
├── Denied           no valid key, or a key without the scope
├── ModelFault       the model crashed, ran out of memory or out of time while it was asked
└── Contradiction    a method proved a radius, and the model shows a point within it

Each carries a stable `code` (the word clients test) and a `detail` (a sentence that says what to do next). Which HTTP
status a code has is known only to `service/wire/problems.py`.
"""

from algorithms.seam.claims import Outcome


class BrinellError(Exception):
    """Every error that this project raises on purpose is a `BrinellError`."""

    code = "internal"

    def __init__(self, detail: str, *, code: str | None = None, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code
        self.pointer = pointer  # RFC 6901, into the request body


class Refused(BrinellError):
    """The request, model or samples cannot be accepted as they are."""

    code = "invalid_request"


class NotFound(BrinellError):
    code = "not_found"


class Conflict(BrinellError):
    code = "job_not_finished"


class TooLarge(BrinellError):
    code = "samples_too_large"


class RateLimited(BrinellError):
    code = "rate_limited"

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(BrinellError):
    code = "unavailable"

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class OutOfRoom(Unavailable):
    """Where things are kept is full. What is there can still be read and deleted."""

    code = "insufficient_storage"


class OverQuota(BrinellError):
    code = "quota_exceeded"


class Denied(BrinellError):
    code = "unauthenticated"


class ModelFault(BrinellError):
    """The model under audit failed while it was being asked. Nothing can be told of what was still being asked.

    `found`: the outcomes of the samples that were over by then.
    """

    code = "model_fault"
    found: tuple[Outcome, ...] = ()


class Contradiction(BrinellError):
    """A lower bound lies above a confirmed adversarial point: the method, its bounds or the model is wrong."""

    code = "contradiction"
