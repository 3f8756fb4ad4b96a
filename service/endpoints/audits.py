"""`/v1/audits`: reserved. Every call says so; jobs do today what an audit will bundle."""

from fastapi import APIRouter

from algorithms.errors import Refused
from service.dependencies import JobsReader, JobsWriter
from service.openapi import declares

router = APIRouter(prefix="/v1/audits", tags=["audits (reserved)"])


def refuse() -> None:
    """Raises Refused(not_available)."""
    raise Refused("Audits are not built yet; POST one job per method to /v1/jobs.", code="not_available")


@router.post("", status_code=202, responses=declares("not_available"))
@router.post("/{audit_id}/cancel", status_code=202, responses=declares("not_available"))
@router.delete("/{audit_id}", status_code=204, responses=declares("not_available"))
def change_audits(caller: JobsWriter) -> None:  # noqa: ARG001 - the scope is checked all the same
    refuse()


@router.get("", responses=declares("not_available"))
@router.get("/{audit_id}", responses=declares("not_available"))
@router.get("/{audit_id}/verdict", responses=declares("not_available"))
@router.get("/{audit_id}/report", responses=declares("not_available"))
def read_audits(caller: JobsReader) -> None:  # noqa: ARG001 - the scope is checked all the same
    refuse()
