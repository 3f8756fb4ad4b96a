"""Samples as their callers see them: added, read, listed, removed."""

from collections.abc import Sequence

from jobs.idempotency import Idempotency
from jobs.page import Page
from jobs.store.connection.connection import Connection
from jobs.store.names import checked, found, key
from jobs.store.sections.objects import Objects, as_argument
from models.cards import SamplesCard


class KeptSamples:
    """Keeps the cards of samples; their bytes are in the library."""

    def __init__(self, connection: Connection, objects: Objects) -> None:
        self._connection, self._objects = connection, objects

    def add(self, tenant: str, card: SamplesCard, idempotency: Idempotency | None = None) -> SamplesCard:
        """Adds samples and returns their card, or the card first added with this idempotency key."""
        reply = self._connection.call(
            "add_samples",
            durable=True,
            tenant=tenant,
            id=checked(card.id, "samples"),
            card=card.model_dump_json(),
            digest=card.sha256,
            bytes=card.size_bytes,
            idempotency=as_argument(idempotency),
        )
        return self.get(tenant, reply["id"]) if "id" in reply else card

    def get(self, tenant: str, samples_id: str) -> SamplesCard:
        """Returns the card of samples. Raises NotFound."""
        (card,) = self._load(tenant, [checked(samples_id, "samples")])
        return found(card)

    def page(self, tenant: str, cursor: str | None = None, limit: int = 100) -> Page[SamplesCard]:
        """Lists the tenant's samples, newest first."""
        return self._objects.page(tenant, "samples", cursor, limit, lambda ids: self._load(tenant, ids))

    def remove(self, tenant: str, samples_id: str) -> None:
        """Removes samples. Raises NotFound, and Conflict(in_use) while a live job, or work on a model, uses them."""
        self._objects.remove(tenant, "samples", samples_id)

    def _load(self, tenant: str, ids: Sequence[str]) -> list[SamplesCard | None]:
        cards = self._connection.ask(*(("HGET", key("t", tenant, "samples", i), "card") for i in ids))
        return [SamplesCard.model_validate_json(card) if card else None for card in cards]
