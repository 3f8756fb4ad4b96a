"""How the work on a lease can end, and the one move of the store that each ending is."""

from dataclasses import dataclass

from audits.document.summary import AuditSummary
from audits.policy.verdict import Verdict
from jobs.lease import ChunkResult, Lease
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


def write(ending: Ending, store: Store, lease: Lease) -> None:
    """Makes the one move of the store that this ending is; none of it is written where the lease stood no more."""
    match ending:
        case Inspected(found):
            store.leases.commit_inspection(lease, found)
        case ModelRefused(code, detail):
            store.leases.refuse_model(lease, code, detail)
        case Prepared(made):
            store.leases.commit_preparation(lease, made)
        case Computed(result):
            store.leases.commit(lease, result)
        case Reported(verdict, summary, forms):
            store.leases.commit_report(
                lease, verdict=verdict.model_dump_json(), summary=summary.model_dump_json(), forms=forms
            )
        case Failed(code, detail, retry, partial):
            store.leases.fail(lease, code, detail, retry=retry, partial=partial)
        case HandedBack():
            store.leases.release(lease)
        case Lost():
            pass
