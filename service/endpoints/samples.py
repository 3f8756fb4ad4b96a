"""`/v1/samples`: upload samples, list and delete. They are read here, in bounded memory, before they are kept."""

from datetime import UTC, datetime
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from jobs.effects import settle
from jobs.record import Page
from jobs.storage.names import new_id
from models.manifest import SamplesCard
from models.samples import inspect_samples
from service.dependencies import (
    Cursor,
    Limit,
    Name,
    SamplesReader,
    SamplesWriter,
    TheLibrary,
    TheQueue,
    TheSettings,
    TheStore,
)
from service.openapi import answers, declares, takes_bytes
from service.uploads import Upload, received

router = APIRouter(tags=["samples"])


@router.post(
    "/v1/samples",
    status_code=201,
    response_model=SamplesCard,
    responses=answers(201, "Read and kept.", headers={"Location": "Where they are."})
    | declares(
        "length_required",
        "samples_too_large",
        "media_type",
        "invalid_request",
        "samples_unreadable",
        "samples_not_finite",
    ),
    openapi_extra=takes_bytes("An .npz with `x` (n, *shape) and optionally `y` (n,) integers."),
)
async def upload_samples(
    request: Request,
    response: Response,
    caller: SamplesWriter,
    store: TheStore,
    library: TheLibrary,
    settings: TheSettings,
    name: Name = "",
) -> SamplesCard:
    """Headers first, then block by block; `x` is later fed to the model as it is."""
    limit = settings.max_upload_bytes
    async with received(request, library.incoming(), limit=limit, too_large="samples_too_large") as upload:

        def keep() -> SamplesCard:
            """Held before it is put, so that nobody deletes the same bytes in between."""
            card = read_card(upload, name)
            store.hold(caller.tenant, card.id, card.sha256)
            library.put_file(upload.path, card.sha256)
            store.add_samples(caller.tenant, card)
            return card

        card = await run_in_threadpool(keep)
    response.headers["Location"] = f"/v1/samples/{card.id}"
    return card


def read_card(upload: Upload, name: str) -> SamplesCard:
    """Raises Refused(samples_unreadable, samples_not_finite)."""
    facts = inspect_samples(Path(upload.path))
    return SamplesCard(
        id=new_id("samples"),
        name=name,
        sha256=upload.sha256,
        size_bytes=upload.size_bytes,
        created_at=datetime.now(UTC),
        **dict(facts),
    )


@router.get(
    "/v1/samples",
    response_model=Page[SamplesCard],
    responses=answers(200, "Newest first.") | declares("invalid_request"),
)
def list_samples(
    caller: SamplesReader, store: TheStore, cursor: Cursor = None, limit: Limit = 100
) -> Page[SamplesCard]:
    return store.samples_list(caller.tenant, cursor, limit)


@router.get(
    "/v1/samples/{samples_id}",
    response_model=SamplesCard,
    responses=answers(200, "The samples' card.") | declares("not_found", "invalid_request"),
)
def show_samples(samples_id: str, caller: SamplesReader, store: TheStore) -> SamplesCard:
    return store.samples_card(caller.tenant, samples_id)


@router.delete(
    "/v1/samples/{samples_id}", status_code=204, responses=declares("not_found", "in_use", "invalid_request")
)
def delete_samples(
    samples_id: str, caller: SamplesWriter, store: TheStore, queue: TheQueue, library: TheLibrary
) -> None:
    settle(store.remove_samples(caller.tenant, samples_id), store=store, queue=queue, library=library)
