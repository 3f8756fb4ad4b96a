"""`/v1/samples`: upload samples, list and delete. They are read here, in bounded memory, before they are kept."""

from functools import partial

from fastapi import APIRouter, Request, Response

from jobs.page import Page
from models.cards import SamplesCard
from service.actions.intake import arriving, take_samples
from service.edge.dependencies import Cursor, Limit, Name, SamplesReader, SamplesWriter, TheParts
from service.openapi.declaring import answers, declares, takes_bytes
from service.wire.idempotent import IdempotencyKey, idempotency

router = APIRouter(tags=["samples"])


@router.post(
    "/v1/samples",
    status_code=201,
    response_model=SamplesCard,
    responses=answers(201, "Read and kept.", headers={"Location": "Where they are."})
    | declares(
        "length_required",
        "too_slow",
        "samples_too_large",
        "media_type",
        "invalid_request",
        "samples_unreadable",
        "samples_not_finite",
        "idempotency_key_reused",
        "quota_exceeded",
        "insufficient_storage",
    ),
    openapi_extra=takes_bytes("An .npz with `x` (n, *shape) and optionally `y` (n,) integers."),
)
async def create_samples(
    request: Request,
    response: Response,
    caller: SamplesWriter,
    parts: TheParts,
    name: Name = "",
    idempotency_key: IdempotencyKey = None,
) -> SamplesCard:
    """Reads the headers first, then block by block; `x` is later fed to the model as it is."""
    async with arriving(request, "samples", caller.tenant, idempotency_key, parts) as (samples_id, upload):
        once = idempotency(idempotency_key, request, upload.sha256)
        about = {"samples_id": samples_id, "tenant": caller.tenant, "name": name}
        card = await parts.lanes.run(caller.tenant, partial(take_samples, upload, **about, once=once, parts=parts))
    response.headers["Location"] = f"/v1/samples/{card.id}"
    return card


@router.get(
    "/v1/samples",
    response_model=Page[SamplesCard],
    responses=answers(200, "Newest first.") | declares("invalid_request"),
)
def list_samples(
    caller: SamplesReader, parts: TheParts, cursor: Cursor = None, limit: Limit = 100
) -> Page[SamplesCard]:
    """Lists the tenant's samples, newest first."""
    return parts.store.samples.page(caller.tenant, cursor, limit)


@router.get(
    "/v1/samples/{samples_id}",
    response_model=SamplesCard,
    responses=answers(200, "The samples' card.") | declares("not_found", "invalid_request"),
)
def get_samples(samples_id: str, caller: SamplesReader, parts: TheParts) -> SamplesCard:
    """Returns the card of uploaded samples."""
    return parts.store.samples.get(caller.tenant, samples_id)


@router.delete(
    "/v1/samples/{samples_id}", status_code=204, responses=declares("not_found", "in_use", "invalid_request")
)
def delete_samples(samples_id: str, caller: SamplesWriter, parts: TheParts) -> None:
    """Deletes samples that no live job uses."""
    parts.store.samples.remove(caller.tenant, samples_id)
