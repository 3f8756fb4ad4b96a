"""Models, samples, and who holds their bytes."""

from collections.abc import Callable, Iterable, Sequence
from math import ceil
from typing import TypeVar

from algorithms.errors import BrinellError, Conflict, RateLimited, Refused, Unavailable
from jobs.record import Effects, Idempotency, Page
from jobs.store.connection import Reply, effects
from jobs.store.lists import Lists
from jobs.store.names import ObjectKind, checked, key, kind_of, missing
from models.cards import ModelCard, SamplesCard
from models.kinds import KINDS

T = TypeVar("T")
FULL_SECONDS = 10  # what a job may take at least, more or less: nobody knows when one of a thousand will end
MODEL_FIELDS = ("card", "state", "refusal_code", "refusal_detail")


class Cards(Lists):
    def hold(self, tenant: str, owner_id: str, digest: str) -> None:
        """Call BEFORE putting bytes into the library, for an object about to be added or for a job's adversarials.

        The hold lapses after an hour unless the object is added by then. Raises Unavailable for the moment in which
        the very same bytes are being deleted.
        """
        accept(self._call("hold", tenant=tenant, kind=kind_of(owner_id), id=owner_id, digest=digest))

    def forget(self, digests: Iterable[str]) -> None:
        """These digests, handed out in `Effects.digests`, are deleted from the library now."""
        self._ask(("ZREM", key("doomed"), *digests))

    def add_model(
        self, tenant: str, card: ModelCard, idempotency: Idempotency | None = None, *, sealed: str | None = None
    ) -> tuple[ModelCard, Effects]:
        """A model and its inspection, in one move; or what was first added with this idempotency key.

        An `unverified` model is not inspected. `sealed`: its secret, which only a lease hands out again.
        """
        reply = self._call(
            "add_model",
            durable=True,
            tenant=tenant,
            id=checked(card.id, "model"),
            card=card.model_dump_json(),
            state=card.state,
            digest=card.sha256,
            sealed=sealed,
            queue="probe" if KINDS[card.kind].is_remote else "inspect",
            idempotency=as_argument(idempotency),
        )
        accept(reply)
        return self.model(tenant, reply.get("id", card.id)), effects(reply)

    def model(self, tenant: str, model_id: str) -> ModelCard:
        (card,) = self._load_models(tenant, [checked(model_id, "model")])
        return found(card)

    def models(self, tenant: str, cursor: str | None = None, limit: int = 100) -> Page[ModelCard]:
        """Newest first."""
        return self._page(tenant, "model", cursor, limit, lambda ids: self._load_models(tenant, ids))

    def remove_model(self, tenant: str, model_id: str) -> Effects:
        """Raises Conflict(in_use) while a live job uses it."""
        return self._remove(tenant, "model", model_id)

    def add_samples(self, tenant: str, card: SamplesCard, idempotency: Idempotency | None = None) -> SamplesCard:
        """The card itself, or what was first added with this idempotency key."""
        reply = self._call(
            "add_samples",
            durable=True,
            tenant=tenant,
            id=checked(card.id, "samples"),
            card=card.model_dump_json(),
            digest=card.sha256,
            idempotency=as_argument(idempotency),
        )
        accept(reply)
        return self.samples_card(tenant, reply["id"]) if "id" in reply else card

    def samples_card(self, tenant: str, samples_id: str) -> SamplesCard:
        (card,) = self._load_samples(tenant, [checked(samples_id, "samples")])
        return found(card)

    def samples_list(self, tenant: str, cursor: str | None = None, limit: int = 100) -> Page[SamplesCard]:
        """Newest first."""
        return self._page(tenant, "samples", cursor, limit, lambda ids: self._load_samples(tenant, ids))

    def remove_samples(self, tenant: str, samples_id: str) -> Effects:
        """Raises Conflict(in_use) while a live job uses them."""
        return self._remove(tenant, "samples", samples_id)

    def _remove(self, tenant: str, kind: ObjectKind, object_id: str) -> Effects:
        reply = self._call("remove", durable=True, tenant=tenant, kind=kind, id=checked(object_id, kind))
        return effects(accept(reply))

    def _load_models(self, tenant: str, ids: Sequence[str]) -> list[ModelCard | None]:
        rows = self._ask(*(("HMGET", key("t", tenant, "model", i), *MODEL_FIELDS) for i in ids))
        return [_model(*row) for row in rows]

    def _load_samples(self, tenant: str, ids: Sequence[str]) -> list[SamplesCard | None]:
        cards = self._ask(*(("HGET", key("t", tenant, "samples", i), "card") for i in ids))
        return [SamplesCard.model_validate_json(card) if card else None for card in cards]


def _model(card: str | None, state: str, refusal_code: str, refusal_detail: str) -> ModelCard | None:
    if card is None:
        return None
    model = ModelCard.model_validate_json(card)
    return model.refused(refusal_code, refusal_detail) if state == "refused" else model


def found(thing: T | None) -> T:
    if thing is None:
        raise missing()
    return thing


def as_argument(idempotency: Idempotency | None) -> dict[str, str] | None:
    return {"key": idempotency.digest, "fingerprint": idempotency.fingerprint} if idempotency else None


def accept(reply: Reply) -> Reply:
    """The reply itself, unless the script refused."""
    refusals: dict[str, Callable[[], BrinellError]] = {
        "too_often": lambda: RateLimited(
            "This tenant asks more often than it may; send the request again after Retry-After seconds.",
            retry_after=ceil(reply["seconds"]),
        ),
        "too_many": lambda: RateLimited(
            "This tenant has as many live jobs as it may; wait until some have ended, or cancel some.",
            retry_after=FULL_SECONDS,
        ),
        "missing": missing,
        "in_use": lambda: Conflict(
            "A live job or an audit uses this; wait until the job ends, cancel it, or delete the audit.",
            code="in_use",
        ),
        "busy": lambda: Unavailable("The same bytes are being deleted right now; try again.", retry_after=1),
        "reused": lambda: Refused(
            "This Idempotency-Key came with another request before; use a new one.", code="idempotency_key_reused"
        ),
    }
    refusal = refusals.get(reply["status"])
    if refusal:
        raise refusal()
    return reply
