"""From a finished upload to something kept: its card, its bytes in the library, its line in the store. Blocks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Literal, NamedTuple

from anyio import CancelScope
from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request

from algorithms.errors import Unavailable
from jobs.idempotency import Idempotency
from jobs.store.names import new_id
from models.cards import Meaning, ModelCard, Preprocessing, SamplesCard
from models.kinds import KindName
from models.properties.terms import TEXT
from models.samples import inspect_samples
from service.edge.dependencies import Parts
from service.wire.idempotent import idempotency
from service.wire.packets import SLOWEST_BYTES_PER_SECOND
from service.wire.uploads import OCTET_STREAM, TEXT_PLAIN, Upload, announced, received


class Body(NamedTuple):
    """A body of a kind has these media types, and at most so many bytes; None: as many as the operator allows."""

    too_large: str
    types: tuple[str, ...] = (OCTET_STREAM,)
    most: int | None = None


BODIES = {
    "model": Body("model_too_large"),
    "samples": Body("samples_too_large"),
    "job": Body("body_too_large", (TEXT_PLAIN, OCTET_STREAM, ""), TEXT),  # a property; few say of text what it is
}


@asynccontextmanager
async def arriving(
    request: Request, kind: Literal["model", "samples", "job"], tenant: str, key: str | None, parts: Parts
) -> AsyncIterator[tuple[str, Upload]]:
    """Receives an upload into room that its tenant has, under the id of the object that it is to become. A job's is the
    text of a property.

    The room is reserved before the first byte, and goes with whatever is not kept. `key`: the Idempotency-Key; where it
    made something before, nothing will be kept, and so nothing is written and no room needed. Raises what `announced`
    and `received` raise, OverQuota.
    """
    once = idempotency(key, request, None)
    body, limit = BODIES[kind], parts.settings.max_upload_bytes
    most = limit if body.most is None else min(limit, body.most)
    length = announced(request, limit=most, too_large=body.too_large, types=body.types)
    object_id = new_id(kind)
    make_room = partial(parts.store.holdings.make_room, bytes_per_second=SLOWEST_BYTES_PER_SECOND)
    keeps = await run_in_threadpool(make_room, tenant, object_id, length, once)
    try:
        async with received(request, parts.library.incoming() if keeps else None, length=length) as upload:
            yield object_id, upload
    finally:
        with CancelScope(shield=True):
            await run_in_threadpool(_give_up_room, parts, tenant, object_id)


def _give_up_room(parts: Parts, tenant: str, object_id: str) -> None:
    """Where Redis is away, the room lapses by itself."""
    with suppress(Unavailable):
        parts.store.holdings.give_up_room(tenant, object_id)


def take_model(
    upload: Upload,
    kind: KindName,
    *,
    model_id: str,
    tenant: str,
    name: str,
    preprocessing: Preprocessing | None,
    output: Meaning | None,
    once: Idempotency | None,
    parts: Parts,
) -> ModelCard:
    """Makes a model, its inspection on the way, or returns the one that was first made with this key."""
    made_before = parts.store.objects.replayed(tenant, once) if once else None
    if made_before is not None:
        return parts.store.models.get(tenant, made_before)
    card = ModelCard(
        id=model_id,
        kind=kind,
        name=name,
        state="inspecting",
        sha256=upload.sha256,
        size_bytes=upload.size_bytes,
        preprocessing=preprocessing,
        output_told=output,
        created_at=datetime.now(UTC),
    )
    parts.store.holdings.put_file(tenant, card.id, upload.path, upload.sha256)
    return parts.store.models.add(tenant, card, once)


def take_samples(
    upload: Upload, *, samples_id: str, tenant: str, name: str, once: Idempotency | None, parts: Parts
) -> SamplesCard:
    """Reads samples and keeps them, or returns those that were first made with this key. Raises
    Refused(samples_unreadable, samples_not_finite).
    """
    made_before = parts.store.objects.replayed(tenant, once) if once else None
    if made_before is not None:
        return parts.store.samples.get(tenant, made_before)
    card = SamplesCard(
        id=samples_id,
        name=name,
        sha256=upload.sha256,
        size_bytes=upload.size_bytes,
        created_at=datetime.now(UTC),
        **dict(inspect_samples(upload.path)),
    )
    parts.store.holdings.put_file(tenant, card.id, upload.path, upload.sha256)
    return parts.store.samples.add(tenant, card, once)
