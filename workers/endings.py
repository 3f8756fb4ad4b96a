"""How the work on a lease can end."""

from dataclasses import dataclass

from jobs.result import ChunkResult
from jobs.work.lease import Commit


@dataclass(frozen=True)
class Done:
    """The work is done, and gave this."""

    commit: Commit


@dataclass(frozen=True)
class ModelRefused:
    """A refused model is not accepted, for the reason that `code` and `detail` give."""

    code: str
    detail: str


@dataclass(frozen=True)
class Failed:
    """The work could not be done. `retry`: a second try may go better, since the machine may have been the cause.

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


Ending = Done | ModelRefused | Failed | HandedBack | Lost
