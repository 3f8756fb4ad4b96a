"""How the work on a lease can end."""

from dataclasses import dataclass

from jobs.lease import ChunkResult
from jobs.summary import Preparation
from models.cards import Inspection


@dataclass(frozen=True)
class Inspected:
    found: Inspection


@dataclass(frozen=True)
class ModelRefused:
    code: str
    detail: str


@dataclass(frozen=True)
class Computed:
    result: ChunkResult


@dataclass(frozen=True)
class Prepared:
    made: Preparation


@dataclass(frozen=True)
class Reported:
    """An audit's end. `verdict` and `summary` are JSON; `forms`: name -> digest in the library."""

    verdict: str
    summary: str
    forms: dict[str, str]


@dataclass(frozen=True)
class Failed:
    """`retry`: a second try may go better, since the machine and not the model may have been the cause.

    `partial`: what had been found before.
    """

    code: str
    detail: str
    retry: bool
    partial: ChunkResult | None = None


@dataclass(frozen=True)
class HandedBack:
    """This worker goes, or the job is cancelled and its runner did not answer: nothing found, nothing charged."""


@dataclass(frozen=True)
class Lost:
    """The lease belongs to somebody else by now, or to nobody: whatever was computed is not ours to write."""


Done = Inspected | Prepared | Computed | Reported
Ending = Done | ModelRefused | Failed | HandedBack | Lost
