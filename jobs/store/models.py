"""Models as their callers see them: added, read, listed, removed."""

from collections.abc import Sequence

from jobs.idempotency import Idempotency
from jobs.page import Page
from jobs.store.moves import Moves
from jobs.store.names import checked, found, key
from jobs.store.objects import Objects, as_argument
from models.cards import ModelCard
from models.kinds import KINDS

MODEL_FIELDS = ("card", "state", "refusal_code", "refusal_detail")


class Models:
    """Keeps the cards of models; their bytes are in the library."""

    def __init__(self, moves: Moves, objects: Objects) -> None:
        self._moves, self._objects = moves, objects

    def add(
        self,
        tenant: str,
        card: ModelCard,
        idempotency: Idempotency | None = None,
        *,
        sealed: str | None = None,
        work: str = "inspect",
    ) -> ModelCard:
        """Adds a model and, in the same move, its inspection; or returns what this idempotency key first added.

        An `unverified` model is not inspected. `sealed`: its secret, which only a lease hands out again. `work`: the
        kind of work that makes the model ready, where that is more than to inspect its bytes.
        """
        reply = self._moves.make(
            "add_model",
            durable=True,
            tenant=tenant,
            id=checked(card.id, "model"),
            card=card.model_dump_json(),
            state=card.state,
            digest=card.sha256,
            sealed=sealed,
            queue="probe" if KINDS[card.kind].is_remote else "inspect",
            stages=[{"work": work, "total": 1}],
            idempotency=as_argument(idempotency),
        )
        return self.get(tenant, reply.get("id", card.id))

    def get(self, tenant: str, model_id: str) -> ModelCard:
        """Returns the card of a model. Raises NotFound."""
        (card,) = self._load(tenant, [checked(model_id, "model")])
        return found(card)

    def page(self, tenant: str, cursor: str | None = None, limit: int = 100) -> Page[ModelCard]:
        """Lists the tenant's models, newest first."""
        return self._objects.page(tenant, "model", cursor, limit, lambda ids: self._load(tenant, ids))

    def remove(self, tenant: str, model_id: str) -> None:
        """Removes a model. Raises NotFound, and Conflict(in_use) while a live job uses it."""
        self._objects.remove(tenant, "model", model_id)

    def _load(self, tenant: str, ids: Sequence[str]) -> list[ModelCard | None]:
        commands = (("HMGET", key("t", tenant, "model", i), *MODEL_FIELDS) for i in ids)
        return [_model(*row) for row in self._moves.connection.ask(*commands)]


def _model(card: str | None, state: str, refusal_code: str, refusal_detail: str) -> ModelCard | None:
    if card is None:
        return None
    model = ModelCard.model_validate_json(card)
    return model.refused(refusal_code, refusal_detail) if state == "refused" else model
