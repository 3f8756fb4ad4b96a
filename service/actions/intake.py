"""From a finished upload to something kept: its card, its bytes in the library, its line in the store. Blocks.

Bytes are held before they are put, so that nobody who removes the same bytes elsewhere deletes them in between.
"""

from datetime import UTC, datetime

from jobs.record import Idempotency
from jobs.store.names import new_id
from models.cards import ModelCard, Preprocessing, SamplesCard
from models.kinds import KindName
from models.samples import inspect_samples
from service.edge.dependencies import Parts
from service.wire.uploads import Upload


def take_model(
    upload: Upload,
    kind: KindName,
    *,
    tenant: str,
    name: str,
    preprocessing: Preprocessing | None,
    once: Idempotency | None,
    parts: Parts,
) -> ModelCard:
    """An inspecting model, its inspection on the way; or the model that was first made with this key."""
    card = ModelCard(
        id=new_id("model"),
        kind=kind,
        name=name,
        state="inspecting",
        sha256=upload.sha256,
        size_bytes=upload.size_bytes,
        preprocessing=preprocessing,
        created_at=datetime.now(UTC),
    )
    _put(upload, tenant, card.id, parts)
    kept, effects = parts.store.add_model(tenant, card, once)
    parts.settle(effects)
    return kept


def take_samples(upload: Upload, *, tenant: str, name: str, once: Idempotency | None, parts: Parts) -> SamplesCard:
    """Read, or first made with this key before. Raises Refused(samples_unreadable, samples_not_finite)."""
    card = SamplesCard(
        id=new_id("samples"),
        name=name,
        sha256=upload.sha256,
        size_bytes=upload.size_bytes,
        created_at=datetime.now(UTC),
        **dict(inspect_samples(upload.path)),
    )
    _put(upload, tenant, card.id, parts)
    return parts.store.add_samples(tenant, card, once)


def _put(upload: Upload, tenant: str, object_id: str, parts: Parts) -> None:
    parts.store.hold(tenant, object_id, upload.sha256)
    parts.library.put_file(upload.path, upload.sha256)
