"""Models as their callers see them: added, read, listed, removed."""

from collections.abc import Sequence

from jobs.idempotency import Idempotency
from jobs.page import Page
from jobs.record import Progress
from jobs.store.moves import Moves
from jobs.store.names import checked, found, key, kind_of, missing
from jobs.store.sections.objects import Objects, as_argument
from jobs.work.model_work import ModelWork
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
        work: ModelWork | None = None,
    ) -> ModelCard:
        """Adds a model and, in the same move, its inspection; or returns what this idempotency key first added.

        An `unverified` model is not inspected. `sealed`: its secret, which only a lease hands out again. `work`: what
        makes the model ready, where that is more than to inspect its bytes. Raises NotFound where something that the
        work uses is not there, or a model not ready.
        """
        is_remote = KINDS[card.kind].is_remote
        asked = work or ModelWork("inspect", queue="probe" if is_remote else "inspect")
        reply = self._moves.make(
            "add_model",
            durable=True,
            tenant=tenant,
            id=checked(card.id, "model"),
            card=card.model_dump_json(),
            state=card.state,
            digest=card.sha256,
            bytes=card.size_bytes,
            sealed=sealed,
            queue=asked.queue,
            stages=[{"work": asked.kind, "total": 1}],
            spec=asked.spec and asked.spec.model_dump_json(),
            uses=[_used(used_id) for used_id in asked.uses],
            seconds=asked.seconds,
            window="making" if work else "asking" if is_remote else None,
            idempotency=as_argument(idempotency),
        )
        return self.get(tenant, reply.get("id", card.id))

    def get(self, tenant: str, model_id: str) -> ModelCard:
        """Returns the card of a model. Raises NotFound."""
        (card,) = self._load(tenant, [checked(model_id, "model")])
        return found(card)

    def progress(self, tenant: str, model_id: str) -> Progress | None:
        """Tells how far the work on a model has come by its worker's last beat; None where none has beaten.

        Of an inspection nothing is told. Raises NotFound.
        """
        self.get(tenant, model_id)
        (live,) = self._moves.connection.ask(("HVALS", key("unit", model_id, "live")))
        return Progress.model_validate_json(live[0]) if live else None

    def page(self, tenant: str, cursor: str | None = None, limit: int = 100) -> Page[ModelCard]:
        """Lists the tenant's models, newest first."""
        return self._objects.page(tenant, "model", cursor, limit, lambda ids: self._load(tenant, ids))

    def remove(self, tenant: str, model_id: str) -> None:
        """Removes a model. Raises NotFound, Conflict(in_use) while a live job, or work on another model, uses it."""
        self._objects.remove(tenant, "model", model_id)

    def _load(self, tenant: str, ids: Sequence[str]) -> list[ModelCard | None]:
        commands = (("HMGET", key("t", tenant, "model", i), *MODEL_FIELDS) for i in ids)
        return [_model(*row) for row in self._moves.connection.ask(*commands)]


def _model(card: str | None, state: str, refusal_code: str, refusal_detail: str) -> ModelCard | None:
    if card is None:
        return None
    model = ModelCard.model_validate_json(card)
    return model.refused(refusal_code, refusal_detail) if state == "refused" else model


def _used(object_id: str) -> dict[str, str]:
    """Names what work on a model may use. Raises NotFound for a job or an audit: they go when their time has come."""
    if (kind := kind_of(object_id)) not in ("model", "samples"):
        raise missing()
    return {"kind": kind, "id": object_id}
