"""How the work on a lease can end, and the one move of the store that each ending is."""

from dataclasses import dataclass

from audits.document.summary import AuditSummary
from audits.policy.verdict import Verdict
from jobs.record import ChunkResult, Effects, Lease
from jobs.store.store import Store
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
    """An audit's end. `forms`: name -> digest in the library."""

    verdict: Verdict
    summary: AuditSummary
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


Ending = Inspected | ModelRefused | Prepared | Computed | Reported | Failed | HandedBack | Lost


def write(ending: Ending, store: Store, lease: Lease) -> Effects:
    match ending:
        case Inspected(found):
            return store.commit_inspection(lease, found)[1]
        case ModelRefused(code, detail):
            return store.refuse_model(lease, code, detail)[1]
        case Prepared(made):
            return store.commit_preparation(lease, made)[1]
        case Computed(result):
            return store.commit(lease, result)[1]
        case Reported(verdict, summary, forms):
            return store.commit_report(lease, verdict, summary, forms)[1]
        case Failed(code, detail, retry, partial):
            return store.fail(lease, code, detail, retry=retry, partial=partial)
        case HandedBack():
            return store.release(lease)
        case Lost():
            return Effects()
