"""From a finished upload to something kept: its card, its bytes in the library, its line in the store. Blocks."""

from datetime import UTC, datetime

from jobs.idempotency import Idempotency
from jobs.store.names import new_id
from models.cards import Meaning, ModelCard, Preprocessing, SamplesCard
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
    output: Meaning | None,
    once: Idempotency | None,
    parts: Parts,
) -> ModelCard:
    """Makes a model, its inspection on the way, or returns the one that was first made with this key."""
    card = ModelCard(
        id=new_id("model"),
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


def take_samples(upload: Upload, *, tenant: str, name: str, once: Idempotency | None, parts: Parts) -> SamplesCard:
    """Reads samples and keeps them, or returns those that were first made with this key. Raises
    Refused(samples_unreadable, samples_not_finite).
    """
    card = SamplesCard(
        id=new_id("samples"),
        name=name,
        sha256=upload.sha256,
        size_bytes=upload.size_bytes,
        created_at=datetime.now(UTC),
        **dict(inspect_samples(upload.path)),
    )
    parts.store.holdings.put_file(tenant, card.id, upload.path, upload.sha256)
    return parts.store.samples.add(tenant, card, once)
