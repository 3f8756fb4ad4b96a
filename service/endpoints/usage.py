"""`/v1/usage`: how much of everything that has a quota a tenant has."""

from fastapi import APIRouter

from jobs.installation.quotas import Usage
from service.edge.dependencies import JobsReader, TheParts
from service.openapi.declaring import answers, declares

router = APIRouter(tags=["usage"])


@router.get("/v1/usage", response_model=Usage, responses=answers(200, "What there is, and may be.") | declares())
def get_usage(caller: JobsReader, parts: TheParts) -> Usage:
    """Tells how much of each quota the tenant uses, with all its keys together."""
    return parts.store.usage.of(caller.tenant)
